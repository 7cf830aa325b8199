//! The thread that writes the journal. It takes all calls that wait, writes them with one write for each kind, and syncs
//! once if one of them is a change.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use super::segment::{self, Kind};
use super::{Bounds, Call};

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

pub(super) fn start(directory: &Path, bounds: Bounds, queue: mpsc::Receiver<Order>) -> io::Result<()> {
    let writer = Writer { directory: directory.to_owned(), bounds, changes: None, reads: None };
    for kind in Kind::ALL {
        writer.delete_old(kind, i64::MIN)?;
    }
    std::thread::Builder::new().name("call-journal".to_owned()).spawn(move || writer.run(queue)).map(drop)
}

struct Writer {
    directory: PathBuf,
    bounds: Bounds,
    changes: Option<Open>,
    reads: Option<Open>,
}

/// The segment that is being written.
struct Open {
    file: File,
    bytes: u64,
    first_ms: i64,
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
        let Some(first_ms) = batch.first_ms else { return Ok(()) };
        let is_full = |open: &Open| open.bytes >= SEGMENT_BYTES || first_ms.saturating_sub(open.first_ms) > DAY_MS;
        if self.open(kind).as_ref().is_none_or(is_full) {
            let file = segment::create(&self.directory, kind, first_ms)?;
            *self.open(kind) = Some(Open { file, bytes: 0, first_ms });
            // What is too old does no harm; what is not written does.
            if let Err(error) = self.delete_old(kind, first_ms) {
                tracing::warn!(%error, "old files of the journal of AWS calls cannot be deleted");
            }
        }
        let Some(open) = self.open(kind) else { return Ok(()) };
        open.file.write_all(&batch.bytes)?;
        open.bytes += batch.bytes.len() as u64;
        if kind == Kind::Change { open.file.sync_data() } else { Ok(()) }
    }

    /// Deletes the oldest segments beyond the bounds, but not the newest. `now_ms` is the time of the newest call.
    fn delete_old(&self, kind: Kind, now_ms: i64) -> io::Result<()> {
        let segments = segment::list(&self.directory, kind)?;
        let bytes_max = match kind {
            Kind::Change => self.bounds.change_bytes,
            Kind::Read => self.bounds.read_bytes,
        };
        let oldest = now_ms.saturating_sub(i64::from(self.bounds.days) * DAY_MS);
        let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        for pair in segments.windows(2) {
            let [this, next] = pair else { continue };
            if bytes <= bytes_max && next.first_ms >= oldest {
                break;
            }
            bytes -= this.bytes;
            std::fs::remove_file(&this.path)?;
        }
        Ok(())
    }
}

/// The records of one kind that are written at once.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    first_ms: Option<i64>,
}

impl Batch {
    fn add(&mut self, call: &Call) {
        self.first_ms.get_or_insert(call.at_ms);
        segment::write(call, &mut self.bytes);
    }
}
