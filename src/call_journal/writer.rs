//! The thread that writes the journal. It takes all calls that wait, writes them with one write for each kind, and
//! syncs once if one of them is a change.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::sync::{mpsc, oneshot};

use super::coverage::Gaps;
use super::segment::{self, Kind};
use super::{Bounds, Call, STEP_MS};
use crate::segment_files;

pub(super) enum Order {
    Write {
        kind: Kind,
        call: Call,
        /// Told when the call is durable.
        synced: Option<oneshot::Sender<()>>,
    },
    /// Told when everything before is written.
    Flush(oneshot::Sender<()>),
}

/// The size after which a new segment begins.
const SEGMENT_BYTES: u64 = 4 << 20;
/// The calls that are written at once.
const BATCH: usize = 1_024;
const DAY_MS: i64 = 86_400_000;

pub(super) fn start(
    directory: &Path,
    bounds: Bounds,
    known_ms: Option<i64>,
    queue: mpsc::Receiver<Order>,
    gaps: Arc<Gaps>,
) -> io::Result<()> {
    let known_ms = known_ms.unwrap_or_else(|| segment_files::milliseconds(SystemTime::now()));
    let known = (known_ms, Instant::now());
    let writer = Writer { directory: directory.to_owned(), bounds, known, gaps, changes: None, reads: None };
    for kind in Kind::ALL {
        writer.delete_old(kind, i64::MIN)?;
    }
    std::thread::Builder::new().name("call-journal".to_owned()).spawn(move || writer.run(queue)).map(drop)
}

struct Writer {
    directory: PathBuf,
    bounds: Bounds,
    /// A time that had passed at an instant, by the log. The clock of the machine may be wrong.
    known: (i64, Instant),
    gaps: Arc<Gaps>,
    changes: Option<Open>,
    reads: Option<Open>,
}

/// The segment that is being written.
struct Open {
    file: File,
    bytes: u64,
    first_ms: i64,
    /// The latest time of a call in it.
    last_ms: i64,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        let mut orders = Vec::new();
        while queue.blocking_recv_many(&mut orders, BATCH) > 0 {
            let (mut waiting, mut changes, mut reads) = (Vec::new(), Batch::default(), Batch::default());
            for order in orders.drain(..) {
                match order {
                    Order::Write { kind, call, synced } => {
                        match kind {
                            Kind::Change => changes.add(&call),
                            Kind::Read => reads.add(&call),
                        }
                        waiting.extend(synced);
                    }
                    Order::Flush(flushed) => waiting.push(flushed),
                }
            }
            for (kind, batch) in [(Kind::Change, changes), (Kind::Read, reads)] {
                if let Err(error) = self.write(kind, &batch) {
                    // A torn record would hide all that follow it in the segment.
                    *self.open(kind) = None;
                    if let Some((first_ms, last_ms)) = batch.times {
                        self.gaps.note(kind, first_ms, last_ms);
                    }
                    tracing::error!(%error, "the journal of AWS calls cannot be written: calls of ours will look foreign");
                }
            }
            for synced in waiting {
                let _ = synced.send(());
            }
        }
    }

    fn open(&mut self, kind: Kind) -> &mut Option<Open> {
        match kind {
            Kind::Change => &mut self.changes,
            Kind::Read => &mut self.reads,
        }
    }

    fn write(&mut self, kind: Kind, batch: &Batch) -> io::Result<()> {
        let Some((first_ms, last_ms)) = batch.times else { return Ok(()) };
        // Where the clock was set back, a new segment begins, so that the times in a segment do not go back.
        let is_full = |open: &Open| {
            open.bytes >= SEGMENT_BYTES
                || last_ms.saturating_sub(open.first_ms) > DAY_MS
                || open.last_ms.saturating_sub(first_ms) > STEP_MS
        };
        if self.open(kind).as_ref().is_none_or(is_full) {
            let file = segment::create(&self.directory, kind, first_ms)?;
            *self.open(kind) = Some(Open { file, bytes: 0, first_ms, last_ms });
            // What is too old does no harm; what is not written does.
            let (known_ms, since) = self.known;
            let elapsed_ms = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
            if let Err(error) = self.delete_old(kind, first_ms.min(known_ms.saturating_add(elapsed_ms))) {
                tracing::warn!(%error, "old files of the journal of AWS calls cannot be deleted");
            }
        }
        let Some(open) = self.open(kind) else { return Ok(()) };
        open.file.write_all(&batch.bytes)?;
        open.bytes += batch.bytes.len() as u64;
        open.last_ms = open.last_ms.max(last_ms);
        if kind == Kind::Change { open.file.sync_data() } else { Ok(()) }
    }

    /// Deletes the oldest segments beyond the bounds, but not the newest, and notes before it which calls are missing
    /// then. `now_ms` is a time that has passed for certain.
    fn delete_old(&self, kind: Kind, now_ms: i64) -> io::Result<()> {
        let segments = segment::list(&self.directory, kind)?;
        let bytes_max = match kind {
            Kind::Change => self.bounds.change_bytes,
            Kind::Read => self.bounds.read_bytes,
        };
        let oldest = now_ms.saturating_sub(i64::from(self.bounds.days) * DAY_MS);
        let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let mut old = Vec::new();
        for pair in segments.windows(2) {
            let [this, next] = pair else { continue };
            if bytes <= bytes_max && next.first >= oldest {
                break;
            }
            bytes -= this.bytes;
            old.push(this);
        }
        if let Some(last) = old.iter().map(|segment| segment.first.max(segment.written_ms)).max() {
            let kept = segments.get(old.len()).map_or(last, |segment| segment.first);
            // What was deleted is older than what is kept, and than its last write.
            segment::note_start(&self.directory, kind, kept.min(last).saturating_add(STEP_MS))?;
        }
        old.into_iter().try_for_each(|segment| std::fs::remove_file(&segment.path))
    }
}

/// The records of one kind that are written at once.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// The earliest and the latest time.
    times: Option<(i64, i64)>,
}

impl Batch {
    fn add(&mut self, call: &Call) {
        let at_ms = call.at_ms;
        self.times = Some(self.times.map_or((at_ms, at_ms), |(first, last)| (first.min(at_ms), last.max(at_ms))));
        segment::write(call, &mut self.bytes);
    }
}
