//! The journal of our calls to AWS: the request id that AWS gave each, who asked for it, and when. A CloudTrail event
//! whose request id is in the journal is a call of ours.
//!
//! Calls that change something are written and synced before [`CallJournal::record_change`] returns, so that a power
//! cut cannot make a change of ours look foreign. Calls that only read are written later and not synced; under a load
//! that the disk cannot follow, some are dropped and counted. The two kinds have files of their own, so that many reads
//! never drive out a change. Each kind is bounded by its bytes and its age; the oldest files are deleted.
//!
//! - `segment.rs` the files: records with a checksum; what follows a damaged record is ignored
//! - `writer.rs` the thread that writes
//! - `own_calls.rs` the calls of a window of time

mod own_calls;
mod segment;
mod writer;

pub use own_calls::{Asked, OwnCalls, key_of};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use segment::Kind;
use writer::Order;

/// The largest number of calls that wait for the writer.
const QUEUE: usize = 8_192;

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
}

impl CallJournal {
    /// Opens the journal in a directory, which is created, and starts the writer's thread. It ends with the last clone.
    ///
    /// # Errors
    /// When the directory or the thread cannot be made.
    pub fn open(directory: &Path, bounds: Bounds) -> Result<Self, JournalError> {
        segment::make_directory(directory).map_err(JournalError::at(directory))?;
        let (orders, queue) = mpsc::channel(QUEUE);
        writer::start(directory, bounds, queue).map_err(JournalError::at(directory))?;
        Ok(Self { directory: directory.into(), orders, dropped: Arc::default() })
    }

    /// Records a call that changed something, and returns once it is durable. A failure of the disk is logged: the
    /// change is already made.
    pub async fn record_change(&self, call: Call) {
        let (synced, done) = oneshot::channel();
        if self.orders.send(Order::Write { kind: Kind::Change, call, synced: Some(synced) }).await.is_ok() {
            let _ = done.await;
        }
    }

    /// Records a call that only read, without waiting.
    pub fn record_read(&self, call: Call) {
        if self.orders.try_send(Order::Write { kind: Kind::Read, call, synced: None }).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of calls that were not recorded because the disk did not keep up.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The calls that AWS answered between two times, in milliseconds since 1970, both included. It reads files: call it
    /// on a thread that may block.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn between(&self, from_ms: i64, to_ms: i64) -> Result<OwnCalls, JournalError> {
        // What was recorded before is in the files by then.
        let (flushed, done) = oneshot::channel();
        if self.orders.blocking_send(Order::Flush(flushed)).is_ok() {
            let _ = done.blocking_recv();
        }
        let mut found = OwnCalls::default();
        for kind in Kind::ALL {
            let segments = segment::list(&self.directory, kind).map_err(JournalError::at(&self.directory))?;
            for (index, this) in segments.iter().enumerate() {
                // A segment ends where the next one begins. Clocks step, so a minute more is read.
                let ends = segments.get(index + 1).map_or(i64::MAX, |next| next.first_ms.saturating_add(60_000));
                if this.first_ms.saturating_sub(60_000) > to_ms || ends < from_ms {
                    continue;
                }
                match std::fs::read(&this.path) {
                    Ok(bytes) => {
                        found.add(segment::read(&bytes).filter(|call| (from_ms..=to_ms).contains(&call.at_ms)))
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
}

#[cfg(test)]
mod tests;
