//! The thread that writes the log. It takes all attempts that wait, writes them with one write, and syncs once.

use super::Bounds;
use super::attempt::{Attempt, NOT_RECORDED, NewAttempt};
use super::files::{Files, content};
use super::flood::Flood;
use crate::segment_files;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

pub(super) enum Order {
    Write(Box<NewAttempt>),
    /// Told when everything before is written.
    Flush(SyncSender<()>),
    /// Told when what is counted together is written as well.
    Settle(SyncSender<()>),
}

/// The largest size after which a new segment begins.
const SEGMENT_BYTES: u64 = 1 << 20;
/// The attempts that are taken at once.
const BATCH: usize = 1_024;
/// The time without attempts after which the minute may have ended.
const PAUSE: Duration = Duration::from_secs(5);
/// The pauses between two deletions of what is too old.
const DELETE_EACH: u32 = 720;
const DAY_MS: i64 = 86_400_000;
/// The time in nanoseconds after which a new segment begins: only whole segments can be deleted for their age.
const SEGMENT_NANOS: i64 = DAY_MS * 1_000_000;

/// Starts the thread; returns the number of the last attempt.
pub(super) fn start(
    files: Files,
    bounds: Bounds,
    last: u64,
    queue: Receiver<Order>,
    dropped: Arc<AtomicU64>,
) -> io::Result<watch::Receiver<u64>> {
    let (head, watched) = watch::channel(last);
    let writer = Writer { files, bounds, dropped, head, last, open: None, flood: Flood::default(), latest: i64::MIN };
    std::thread::Builder::new().name("attempt-log".to_owned()).spawn(move || writer.run(&queue))?;
    Ok(watched)
}

struct Writer {
    files: Files,
    bounds: Bounds,
    dropped: Arc<AtomicU64>,
    head: watch::Sender<u64>,
    /// The number of the last attempt.
    last: u64,
    /// The segment that is being written.
    open: Option<OpenSegment>,
    flood: Flood,
    /// The time of the last attempt: times do not go back.
    latest: i64,
}

struct OpenSegment {
    file: File,
    bytes: u64,
    /// The time of its first attempt, in nanoseconds since 1970.
    since: i64,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Order>) {
        self.report_damage();
        self.delete_by_age();
        let mut pauses = 0;
        loop {
            let first = match queue.recv_timeout(PAUSE) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let (mut attempts, mut waiting, mut settles) = (Vec::new(), Vec::new(), false);
            if self.flood.is_over(nanos_now()) {
                self.end_minute(&mut attempts);
            }
            for order in first.into_iter().chain(queue.try_iter().take(BATCH)) {
                match order {
                    Order::Write(attempt) => self.take(*attempt, &mut attempts),
                    Order::Flush(done) => waiting.push(done),
                    Order::Settle(done) => {
                        waiting.push(done);
                        settles = true;
                    }
                }
            }
            if settles {
                self.end_minute(&mut attempts);
            }
            self.write(attempts);
            for done in waiting {
                let _ = done.send(());
            }
            pauses += 1;
            if pauses >= DELETE_EACH {
                pauses = 0;
                self.delete_by_age();
            }
        }
        let mut attempts = Vec::new();
        self.end_minute(&mut attempts);
        self.write(attempts);
    }

    fn take(&mut self, mut attempt: NewAttempt, to: &mut Vec<(u64, NewAttempt)>) {
        self.latest = self.latest.max(attempt.nanos);
        attempt.nanos = self.latest;
        if self.flood.is_over(attempt.nanos) {
            self.end_minute(to);
        }
        to.extend(self.flood.admit(attempt).map(|attempt| (1, attempt)));
    }

    /// Adds what was counted in the minute that has ended.
    fn end_minute(&mut self, to: &mut Vec<(u64, NewAttempt)>) {
        to.extend(self.flood.end().into_iter().map(|counted| (counted.times, counted.last)));
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            self.latest = self.latest.max(nanos_now());
            let reason = NOT_RECORDED.to_owned();
            to.push((dropped, NewAttempt { nanos: self.latest, reason, ..NewAttempt::default() }));
        }
    }

    fn write(&mut self, attempts: Vec<(u64, NewAttempt)>) {
        if attempts.is_empty() {
            return;
        }
        let (mut bytes, mut number, mut count) = (Vec::new(), self.last, 0);
        for (times, what) in attempts {
            number += 1;
            count += times;
            Attempt { number, times, what }.write(&mut bytes);
        }
        match self.append(&bytes) {
            Ok(()) => {
                self.last = number;
                self.head.send_replace(number);
            }
            Err(error) => {
                // A torn record would hide all that follow it in the segment. Its numbers are not given again.
                self.open = None;
                self.last = number;
                self.dropped.fetch_add(count, Ordering::Relaxed);
                tracing::error!(%error, "failed attempts cannot be recorded");
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let most = SEGMENT_BYTES.min(self.bounds.bytes / 8);
        let length = bytes.len() as u64;
        let is_full = |open: &OpenSegment| {
            let is_old = self.latest.saturating_sub(open.since) >= SEGMENT_NANOS;
            open.bytes > 0 && (is_old || open.bytes + length > most)
        };
        if self.open.as_ref().is_none_or(is_full) {
            self.delete_old(most.max(length));
            self.open = Some(self.new_segment()?);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.bytes == 0 {
            open.since = self.latest;
        }
        open.file.write_all(bytes)?;
        open.bytes += length;
        open.file.sync_data()
    }

    fn new_segment(&self) -> io::Result<OpenSegment> {
        Ok(OpenSegment { file: self.files.create(self.last + 1)?, bytes: 0, since: self.latest })
    }

    /// Deletes the segments that are too old.
    fn delete_by_age(&mut self) {
        if let Err(error) = self.end_old_segment() {
            tracing::warn!(%error, "no new file of failed attempts can begin");
        }
        self.delete_old(0);
    }

    /// Begins a new segment if nothing was written for so long that all attempts of the newest are too old: the newest
    /// is never deleted, because it has the last number.
    fn end_old_segment(&mut self) -> io::Result<()> {
        let oldest = self.oldest_ms();
        if self.files.list()?.last().is_some_and(|newest| newest.bytes > 0 && newest.written_ms < oldest) {
            self.open = Some(self.new_segment()?);
        }
        Ok(())
    }

    /// The time before which segments are too old, in milliseconds since 1970.
    fn oldest_ms(&self) -> i64 {
        segment_files::milliseconds(SystemTime::now()).saturating_sub(i64::from(self.bounds.days) * DAY_MS)
    }

    /// Deletes the oldest segments, until there is room for so many bytes, and those that are too old.
    fn delete_old(&self, room: u64) {
        if let Err(error) = self.try_delete_old(room) {
            tracing::warn!(%error, "old failed attempts cannot be deleted");
        }
    }

    fn try_delete_old(&self, room: u64) -> io::Result<()> {
        let segments = self.files.list()?;
        let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let oldest = self.oldest_ms();
        // The newest stays: it is being written, or has the last number.
        for segment in segments.iter().take(segments.len().saturating_sub(1)) {
            if bytes + room <= self.bounds.bytes && segment.written_ms >= oldest {
                break;
            }
            std::fs::remove_file(&segment.path)?;
            bytes -= segment.bytes;
        }
        Ok(())
    }

    /// Says which files are damaged. Nothing else notices: what can be read is read.
    fn report_damage(&self) {
        for segment in self.files.list().unwrap_or_default() {
            match content(&segment.path) {
                Ok(content) if !content.is_damaged => {}
                Ok(content) => tracing::warn!(
                    path = %segment.path.display(),
                    readable = content.attempts.len(),
                    "a file of failed attempts is cut or damaged: the rest of it is left out"
                ),
                Err(error) => {
                    tracing::warn!(path = %segment.path.display(), %error, "a file of failed attempts cannot be read");
                }
            }
        }
    }
}

fn nanos_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
