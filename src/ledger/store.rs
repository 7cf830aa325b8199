//! The trait of the stores that keep records. It is narrow: append if the last record has the expected number, read
//! from a number, and watch for records that others append. `embedded` stores on the local disk; a database that
//! several nodes share would implement the same trait.

use super::record::RecordHash;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

/// A record's bytes and their hash, to be appended.
#[derive(Clone, Debug)]
pub struct Entry {
    pub bytes: Vec<u8>,
    pub hash: RecordHash,
}

/// Records that were read, consecutive in one buffer, with their numbers.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// The number of each record, and the offset of its end.
    records: Vec<(u64, usize)>,
}

impl Batch {
    /// Returns an empty batch with capacity for about this many bytes.
    pub fn with_room_for(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), records: Vec::with_capacity(bytes / 128) }
    }

    pub fn push(&mut self, seq: u64, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.records.push((seq, self.bytes.len()));
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The total length of the records in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The number and the bytes of the record at index `n`.
    pub fn get(&self, n: usize) -> Option<(u64, &[u8])> {
        let (seq, end) = *self.records.get(n)?;
        let begin = n.checked_sub(1).map_or(0, |before| self.records[before].1);
        Some((seq, &self.bytes[begin..end]))
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (0..self.len()).filter_map(|n| self.get(n))
    }
}

/// Batches in order, none of them empty. After an error there are no more.
pub type Batches = Box<dyn Iterator<Item = Result<Batch, StoreError>> + Send>;

/// A store of records, numbered from 1.
pub trait Store: Send + Sync {
    /// Appends all entries or none, if the last record in the store has the number `expected`. Returns when they are
    /// durable.
    ///
    /// # Errors
    /// [`AppendError::Moved`] if others have appended; [`AppendError::Failed`] if it is unknown what is durable, after
    /// which nothing must be appended.
    fn append(&self, expected: u64, entries: &[Entry]) -> Result<(), AppendError>;

    /// The records from number `from` on, with their numbers.
    fn read(&self, from: u64) -> Batches;

    /// The number of the last record.
    fn head(&self) -> u64;

    /// The seal of a log that ends with this record, if the store seals.
    fn seal_of(&self, _seq: u64, _hash: RecordHash) -> Option<Vec<u8>> {
        None
    }

    /// Returns a channel that receives the number of the last record each time another process has appended; `None` if
    /// no other process can.
    fn watch_heads(&self) -> Option<Receiver<u64>> {
        None
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The last record does not have the expected number.
    #[error("the last record is number {0}")]
    Moved(u64),
    #[error(transparent)]
    Failed(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system returned an error.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The store's own checks failed.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A part of a long record is missing.
    #[error("part {part} of record {seq} is missing")]
    PartMissing {
        seq: u64,
        /// The missing part, from 0.
        part: u32,
    },
    /// A row does not have the format in which it was written.
    #[error("the row of record {seq} {what}")]
    BadRow {
        /// The first record that cannot be read because of it.
        seq: u64,
        /// The predicate of the message: "is cut short".
        what: &'static str,
    },
    /// The store wrote a separate file, which it never makes durable.
    #[error("{} holds files, which the store does not make durable", .0.display())]
    Blobs(PathBuf),
    /// The log is sealed, and the key of the seal is not available.
    #[error("the log is sealed, and the key of its seal is not available")]
    NoSealKey,
    /// An earlier write failed, so the store accepts no more.
    #[error("the store failed before")]
    FailedBefore,
}
