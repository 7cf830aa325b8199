//! Where records are kept, as narrow as it can be: append if the head is the expected one, read from a number, follow.
//! `embedded` is the one on this machine's disk; a database that several nodes share comes behind the same trait.

use super::record::RecordHash;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

/// A record's bytes and their hash, on the way into a store.
#[derive(Clone, Debug)]
pub struct Entry {
    pub bytes: Vec<u8>,
    pub hash: RecordHash,
}

/// Records on the way out, one behind the other in one piece of memory, with their numbers.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// The number of each record, and where it ends.
    records: Vec<(u64, usize)>,
}

impl Batch {
    /// An empty one that can take about so many bytes.
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

    /// How many bytes the records have together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The number and the bytes of the record at place `n`.
    pub fn get(&self, n: usize) -> Option<(u64, &[u8])> {
        let (seq, end) = *self.records.get(n)?;
        let begin = n.checked_sub(1).map_or(0, |before| self.records[before].1);
        Some((seq, &self.bytes[begin..end]))
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (0..self.len()).filter_map(|n| self.get(n))
    }
}

/// Batches on the way out, in order, none of them empty. After an error there are no more.
pub type Batches = Box<dyn Iterator<Item = Result<Batch, StoreError>> + Send>;

/// A place that keeps records, numbered from 1.
pub trait Store: Send + Sync {
    /// Appends all of these or none, if the last record there is number `expected`, and returns when they are durable.
    ///
    /// # Errors
    /// [`AppendError::Moved`] when others have appended, [`AppendError::Failed`] when it is not known what is durable:
    /// then nothing more must be appended.
    fn append(&self, expected: u64, entries: &[Entry]) -> Result<(), AppendError>;

    /// The records from number `from` on, with their numbers.
    fn read(&self, from: u64) -> Batches;

    /// The number of the last record.
    fn head(&self) -> u64;

    /// The number of the last record, again each time that somebody else has appended; none if nobody else can.
    fn watch_heads(&self) -> Option<Receiver<u64>> {
        None
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The last record is another one.
    #[error("the last record is number {0}")]
    Moved(u64),
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// What goes wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused something.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The store's own checks failed.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A part of a record is not there.
    #[error("part {part} of record {seq} is missing")]
    PartMissing {
        seq: u64,
        /// Which part, from 0.
        part: u32,
    },
    /// A row is not as it was written.
    #[error("the row of record {seq} {what}")]
    BadRow {
        /// The first record that is not there because of it.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The store put something into a file of its own that it never makes durable.
    #[error("{} holds files, which the store does not make durable", .0.display())]
    Blobs(PathBuf),
    /// The store failed before and is not written to any more.
    #[error("the store failed before")]
    FailedBefore,
}
