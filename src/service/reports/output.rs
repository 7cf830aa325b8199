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
    /// The counts before the first source of the KMS that is being read.
    pub(super) before_kms: [u64; 3],
}

/// The first byte of a checkpoint. Those of earlier versions begin with the number of a source, which is less.
const VERSION: u8 = 130;

impl Checkpoint {
    pub(super) fn counts(&self) -> ReportCounts {
        let Self { events_read, rows, pages, skipped, .. } = *self;
        ReportCounts { events_read, rows, pages, skipped }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // Numbers and a text can always be encoded.
        bincode::serde::encode_to_vec((VERSION, self), bincode::config::standard()).unwrap_or_default()
    }

    /// Reads a checkpoint; `None` if another version of the program wrote it.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(&[VERSION])?;
        bincode::serde::decode_from_slice(bytes, bincode::config::standard()).ok().map(|(checkpoint, _)| checkpoint)
    }

    /// Whether something of a source was read.
    pub(super) fn has_begun(&self, source: usize) -> bool {
        self.source > source || self.source == source && (self.is_trail_read || !self.token.is_empty())
    }

    /// Goes on with the next source, which can be that of another KMS.
    pub(super) fn go_on(&mut self, source: usize, is_other_kms: bool) {
        self.source = source;
        self.token.clear();
        self.is_trail_read = false;
        self.next_record = 0;
        if is_other_kms {
            self.before_kms = [self.events_read, self.pages, self.skipped];
        }
    }

    /// Goes back to the first source of the KMS.
    pub(super) fn go_back(&mut self, source: usize) {
        [self.events_read, self.pages, self.skipped] = self.before_kms;
        self.go_on(source, false);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_the_same_after_it_was_stored_and_one_of_another_version_is_none() {
        let checkpoint = Checkpoint { source: 3, token: "t".to_owned(), rows: 7, ..Checkpoint::default() };
        let encoded = checkpoint.encode();
        assert_eq!(Checkpoint::decode(&encoded), Some(checkpoint.clone()));
        let earlier = bincode::serde::encode_to_vec(&checkpoint, bincode::config::standard()).expect("encoded");
        let mut later = encoded.clone();
        later[0] += 1;
        for other in [&earlier[..], &later, &encoded[..4], &[]] {
            assert_eq!(Checkpoint::decode(other), None);
        }
    }

    #[test]
    fn a_kms_that_begins_again_has_its_counts_once() {
        let mut checkpoint = Checkpoint::default();
        let page = |source| Page { source, next: Some("t".to_owned()), events_read: 10, pages: 1, skipped: 2 };
        page(0).put_into(&mut checkpoint);
        checkpoint.go_on(1, true);
        assert!(checkpoint.has_begun(0) && !checkpoint.has_begun(1));
        page(1).put_into(&mut checkpoint);
        checkpoint.go_on(2, false);
        page(2).put_into(&mut checkpoint);
        assert!(checkpoint.has_begun(1));
        checkpoint.go_back(1);
        assert_eq!((checkpoint.source, checkpoint.token.as_str()), (1, ""));
        let counts = checkpoint.counts();
        assert_eq!((counts.events_read, counts.pages, counts.skipped), (10, 1, 2));
    }
}
