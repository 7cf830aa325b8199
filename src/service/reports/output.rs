//! The file of a report that is being made: its rows, and how far it is.

use super::row::Row;
use super::store_failure;
use crate::domain::report::ReportCounts;
use crate::report_store::RowWriter;
use crate::service::failure::Failure;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// How far a report is. It is in the file, behind the rows that it counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The number of the source that is being read.
    pub(super) source: usize,
    /// The token of its next page; empty for the first one.
    pub(super) token: String,
    /// Whether its last page was read.
    pub(super) is_trail_read: bool,
    /// The number of the record of our log that is read next; 0 before the first.
    pub(super) next_record: u64,
    pub(super) events_read: u64,
    pub(super) rows: u64,
    pub(super) pages: u64,
    pub(super) skipped: u64,
}

impl Checkpoint {
    pub(super) fn counts(&self) -> ReportCounts {
        let Self { events_read, rows, pages, skipped, .. } = *self;
        ReportCounts { events_read, rows, pages, skipped }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // Numbers and a text can always be encoded.
        bincode::serde::encode_to_vec(self, bincode::config::standard()).unwrap_or_default()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        bincode::serde::decode_from_slice(bytes, bincode::config::standard()).ok().map(|(checkpoint, _)| checkpoint)
    }
}

/// What one page, or several, add to the counts of a checkpoint, and where the next page begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    pub(super) source: usize,
    pub(super) next: Option<String>,
    pub(super) events_read: u64,
    pub(super) pages: u64,
    pub(super) skipped: u64,
}

impl Page {
    pub(super) fn put_into(&self, checkpoint: &mut Checkpoint) {
        checkpoint.source = self.source;
        checkpoint.token = self.next.clone().unwrap_or_default();
        checkpoint.is_trail_read = self.next.is_none();
        checkpoint.events_read += self.events_read;
        checkpoint.pages += self.pages;
        checkpoint.skipped += self.skipped;
    }

    pub(super) fn add(&mut self, later: Self) {
        self.source = later.source;
        self.next = later.next;
        self.events_read += later.events_read;
        self.pages += later.pages;
        self.skipped += later.skipped;
    }
}

/// The file of a report that is being made, and the counts that everybody sees.
#[derive(Clone)]
pub(super) struct Output {
    pub(super) file: Arc<Mutex<(RowWriter, Checkpoint)>>,
    pub(super) live: Arc<Mutex<ReportCounts>>,
    /// The time by which the report must be finished.
    pub(super) deadline: Instant,
}

impl Output {
    /// Appends rows, and a checkpoint that a change of the last one makes. It writes to the disk, so it runs on the worker.
    pub(super) fn append(&self, rows: &[Row], change: impl FnOnce(&mut Checkpoint)) -> Result<(), Failure> {
        let encoded = rows.iter().map(Row::encode).collect::<Result<Vec<_>, _>>()?;
        let mut file = lock(&self.file);
        let (writer, checkpoint) = &mut *file;
        let mut next = checkpoint.clone();
        change(&mut next);
        next.rows += rows.len() as u64;
        writer.append(&encoded, &next.encode()).map_err(store_failure)?;
        *lock(&self.live) = next.counts();
        *checkpoint = next;
        Ok(())
    }

    /// Replaces all rows.
    pub(super) fn replace(&self, rows: &[Row], change: impl FnOnce(&mut Checkpoint)) -> Result<(), Failure> {
        let encoded = rows.iter().map(Row::encode).collect::<Result<Vec<_>, _>>()?;
        let mut file = lock(&self.file);
        let (writer, checkpoint) = &mut *file;
        let mut next = checkpoint.clone();
        change(&mut next);
        next.rows = rows.len() as u64;
        writer.replace(&encoded, &next.encode()).map_err(store_failure)?;
        *lock(&self.live) = next.counts();
        *checkpoint = next;
        Ok(())
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        lock(&self.file).1.clone()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
