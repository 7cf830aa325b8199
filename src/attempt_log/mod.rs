//! The side log of failed attempts: requests that were refused, and so changed nothing. They are not in the event log,
//! which keeps everything for ever: whoever may knock could fill it. This log is bounded by its bytes and its age, and
//! nobody waits for it: what its queue cannot take is counted, and of many attempts alike in one minute only the first
//! are written one by one.
//!
//! - `attempt.rs` one attempt, and its form in the files
//! - `flood.rs` which attempts are written one by one, and which are counted together
//! - `files.rs` the files, and how they are read
//! - `writer.rs` the thread that writes

mod attempt;
mod files;
mod flood;
mod writer;

pub use attempt::{Attempt, NOT_RECORDED, NewAttempt};

use crate::segment_files;
use files::Files;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::sync::watch;
use writer::Order;

/// The most attempts that wait for the writer.
const QUEUE: usize = 4_096;

/// The bounds of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub bytes: u64,
    /// The age in days after which attempts are deleted.
    pub days: u32,
}

/// The log. Clones share the writer.
#[derive(Clone)]
pub struct AttemptLog {
    files: Files,
    orders: SyncSender<Order>,
    /// The attempts that the queue could not take, and that no record counts yet.
    dropped: Arc<AtomicU64>,
    head: watch::Receiver<u64>,
}

impl AttemptLog {
    /// Opens the log in a directory, which is created, and starts the writer's thread. It ends with the last clone.
    ///
    /// # Errors
    /// When the directory cannot be made or read, or the thread cannot be made.
    pub fn open(directory: &Path, bounds: Bounds) -> io::Result<Self> {
        segment_files::make_directory(directory)?;
        let files = Files::new(directory);
        let last = files.last_number()?;
        let (orders, queue) = sync_channel(QUEUE);
        let dropped = Arc::<AtomicU64>::default();
        let head = writer::start(files.clone(), bounds, last, queue, dropped.clone())?;
        Ok(Self { files, orders, dropped, head })
    }

    /// Records an attempt, without waiting.
    pub fn record(&self, mut attempt: NewAttempt) {
        // Before it waits for the writer: clients can make texts long.
        attempt.cut();
        if self.orders.try_send(Order::Write(Box::new(attempt))).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was recorded before is in the files, except for what is counted together. It blocks: call it on
    /// a thread that may.
    pub fn flush(&self) {
        let (done, flushed) = sync_channel(1);
        if self.orders.send(Order::Flush(done)).is_ok() {
            let _ = flushed.recv();
        }
    }

    /// Writes what is counted together as well, before the program ends. It blocks.
    pub fn settle(&self) {
        let (done, settled) = sync_channel(1);
        if self.orders.send(Order::Settle(done)).is_ok() {
            let _ = settled.recv();
        }
    }

    /// The attempts from number `from` on, in order, at most so many; none when there are no more. Damaged parts are
    /// left out. It reads files: call it on a thread that may block.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self, from: u64, most: usize) -> io::Result<Vec<Attempt>> {
        self.files.read(from, most)
    }

    /// The attempts with these numbers, which must ascend; those that were deleted are left out. It blocks.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read_many(&self, numbers: &[u64]) -> io::Result<Vec<Attempt>> {
        self.files.read_many(numbers)
    }

    /// The number from which on attempts are kept. It reads a directory.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn first(&self) -> io::Result<u64> {
        self.files.first()
    }

    /// The number of the last attempt; 0 before the first.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// A receiver of the number of the last attempt, notified of each new one.
    pub fn watch_head(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }
}

#[cfg(test)]
mod tests;
