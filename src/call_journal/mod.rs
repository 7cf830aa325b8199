//! The journal of our calls to AWS: the request id that AWS gave each, who asked for it, and when. A CloudTrail event
//! whose request id is in the journal is a call of ours.
//!
//! Calls that change something are written and synced before [`CallJournal::record_change`] returns, so that a power
//! cut cannot make a change of ours look foreign. Calls that only read are written later and not synced; under a load
//! that the disk cannot follow, some are dropped and counted. The two kinds have files of their own, so that many reads
//! never drive out a change. Each kind is bounded by its bytes and its age; the oldest files are deleted.
//!
//! - `segment.rs` the files: records with a checksum; what follows a damaged record is ignored, and counts as missing
//! - `writer.rs` the thread that writes
//! - `own_calls.rs` the calls of a window of time; `coverage.rs` the times of which the journal has all calls

mod coverage;
mod own_calls;
mod segment;
mod writer;

pub use coverage::Coverage;
pub use own_calls::{Asked, OwnCalls, key_of};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::segment_files::{self, Segment};
use coverage::Gaps;
use segment::{Found, Kind};
use writer::Order;

/// The largest number of calls that wait for the writer.
const QUEUE: usize = 8_192;
/// The most by which the times in a segment go back.
const STEP_MS: i64 = 60_000;

/// The bounds of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The bytes of the calls that change something.
    pub change_bytes: u64,
    /// The bytes of the calls that only read.
    pub read_bytes: u64,
    /// The age in days after which calls are deleted.
    pub days: u32,
}

/// The reason why the journal cannot be opened or read.
#[derive(Debug, thiserror::Error)]
#[error("the journal of AWS calls: `{}`: {source}", path.display())]
pub struct JournalError {
    path: PathBuf,
    source: std::io::Error,
}

impl JournalError {
    fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

/// A call that AWS has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The id that AWS gave the call.
    pub request_id: String,
    /// The time of the answer, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who asked for it.
    pub asked: Asked,
}

/// The journal. Clones share the writer.
#[derive(Clone)]
pub struct CallJournal {
    directory: Arc<Path>,
    orders: mpsc::Sender<Order>,
    dropped: Arc<AtomicU64>,
    gaps: Arc<Gaps>,
}

impl CallJournal {
    /// Opens the journal in a directory, which is created, and starts the writer's thread. It ends with the last clone.
    ///
    /// `known_ms` is a time that has passed for certain: that of the last record of the log, in milliseconds since
    /// 1970; `None` if the log is new, so that there was no call yet. A clock that is set ahead by mistake deletes
    /// nothing.
    ///
    /// # Errors
    /// When the directory or the thread cannot be made.
    pub fn open(directory: &Path, bounds: Bounds, known_ms: Option<i64>) -> Result<Self, JournalError> {
        segment_files::make_directory(directory).map_err(JournalError::at(directory))?;
        coverage::begin(directory, known_ms).map_err(JournalError::at(directory))?;
        let (orders, queue) = mpsc::channel(QUEUE);
        let gaps = Arc::<Gaps>::default();
        writer::start(directory, bounds, known_ms, queue, gaps.clone()).map_err(JournalError::at(directory))?;
        Ok(Self { directory: directory.into(), orders, dropped: Arc::default(), gaps })
    }

    /// Records a call that changed something, and returns once it is durable. A failure of the disk is logged: the
    /// change is already made.
    pub async fn record_change(&self, call: Call) {
        let (synced, done) = oneshot::channel();
        let at_ms = call.at_ms;
        match self.orders.send(Order::Write { kind: Kind::Change, call, synced: Some(synced) }).await {
            Ok(()) => drop(done.await),
            Err(_) => self.gaps.note(Kind::Change, at_ms, at_ms),
        }
    }

    /// Records a call that only read, without waiting.
    pub fn record_read(&self, call: Call) {
        let at_ms = call.at_ms;
        if self.orders.try_send(Order::Write { kind: Kind::Read, call, synced: None }).is_err() {
            self.gaps.note(Kind::Read, at_ms, at_ms);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of calls that were not recorded because the disk did not keep up.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The calls that AWS answered between two times, in milliseconds since 1970, both included. It reads files: call
    /// it on a thread that may block.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn between(&self, from_ms: i64, to_ms: i64) -> Result<OwnCalls, JournalError> {
        self.flush();
        let mut found = OwnCalls::default();
        for kind in Kind::ALL {
            for this in segment::list(&self.directory, kind).map_err(JournalError::at(&self.directory))? {
                // A call is written at once. Clocks step, so a minute more is read.
                let ends = this.written_ms.saturating_add(STEP_MS);
                if this.first.saturating_sub(STEP_MS) > to_ms || ends < from_ms {
                    continue;
                }
                match self.read(&this) {
                    Ok((calls, is_damaged)) => {
                        if is_damaged {
                            let last_ms = calls.last().map_or(this.first, |call| call.at_ms);
                            self.gaps.note(kind, last_ms, this.written_ms);
                            tracing::warn!(file = %this.path.display(),
                                "the journal of AWS calls is damaged: what it lacks may be calls of ours");
                        }
                        found.add(calls.into_iter().filter(|call| (from_ms..=to_ms).contains(&call.at_ms)))
                    }
                    // The writer deletes old segments.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(JournalError::at(&this.path)(error)),
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Returns when what was recorded before is in the files.
    fn flush(&self) {
        let (flushed, done) = oneshot::channel();
        if self.orders.blocking_send(Order::Flush(flushed)).is_ok() {
            let _ = done.blocking_recv();
        }
    }

    /// The records of a segment, and whether it is damaged behind them.
    fn read(&self, segment: &Segment) -> std::io::Result<(Vec<Found>, bool)> {
        let read = segment::read(&std::fs::read(&segment.path)?);
        if !read.1 {
            return Ok(read);
        }
        // The writer may have been in the middle of a record.
        self.flush();
        Ok(segment::read(&std::fs::read(&segment.path)?))
    }

    /// The times of which the journal has all our calls. It reads a directory: call it on a thread that may block. What
    /// was read before with [`CallJournal::between`] is complete where this says so.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn coverage(&self) -> Result<Coverage, JournalError> {
        Coverage::read(&self.directory, &self.gaps).map_err(JournalError::at(&self.directory))
    }
}

#[cfg(test)]
mod tests;
