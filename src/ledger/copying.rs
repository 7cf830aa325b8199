//! All records as bytes, for backups, and a log made of such bytes. Both ends check the chain.

use super::chain::{Chain, ChainReader};
use super::directory::Directory;
use super::embedded::{Embedded, READING_CACHE_BYTES};
use super::error::{Fault, LedgerError};
use super::head::HeadMark;
use super::record::{RecordHash, previous_of};
use super::store::{AppendError, Entry, Store};
use super::verify::{self, Verified};
use std::path::Path;
use std::sync::Arc;

/// The number of records that are appended to a restored log at a time.
const RECORDS_PER_APPEND: usize = 1000;

/// The records of a log up to a number, to be copied.
pub struct RecordCopy {
    store: Arc<dyn Store>,
    records: u64,
    seal: Option<Vec<u8>>,
}

/// The reason why records could not be copied: the log, or what took them.
#[derive(Debug, thiserror::Error)]
pub enum CopyError<E> {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{0}")]
    Taker(E),
}

impl RecordCopy {
    pub(super) fn new(store: Arc<dyn Store>, records: u64, seal: Option<Vec<u8>>) -> Self {
        Self { store, records, seal }
    }

    /// The records of a data directory that no process has open. The directory stays locked until this is dropped.
    ///
    /// # Errors
    /// When the log cannot be opened.
    pub fn of_directory(directory: &Path) -> Result<Self, LedgerError> {
        let (store, _) = verify::open(directory)?;
        let (records, seal) = (store.head(), store.seal()?);
        Ok(Self::new(Arc::new(store), records, seal))
    }

    /// The number of records.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The seal of these records, for the file [`super::RESTORED_SEAL`] of the copy.
    pub fn seal(&self) -> Option<&[u8]> {
        self.seal.as_deref()
    }

    /// Hands over each record, in order, and returns the hash of the last one.
    ///
    /// # Errors
    /// The first broken record, or the error of `take`.
    pub fn each<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<RecordHash, CopyError<E>> {
        let mut last = Chain::START.hash;
        for batch in ChainReader::whole(&*self.store, self.records) {
            for linked in batch?.iter() {
                take(linked.bytes).map_err(CopyError::Taker)?;
                last = linked.hash;
            }
        }
        Ok(last)
    }
}

/// A new log that is made of copied records.
pub struct RestoredLog {
    store: Embedded,
    waiting: Vec<Entry>,
    seq: u64,
    hash: RecordHash,
}

impl RestoredLog {
    /// Makes a log in a directory without one.
    ///
    /// # Errors
    /// When the directory cannot be used, or has a log.
    pub fn create(directory: &Path) -> Result<Self, LedgerError> {
        let (store, known) = Embedded::open(Directory::lock(directory)?, READING_CACHE_BYTES)?;
        if known.seq > 0 || store.head() > 0 {
            return Err(LedgerError::InUse(directory.to_owned()));
        }
        Ok(Self { store, waiting: Vec::new(), seq: 0, hash: Chain::START.hash })
    }

    /// Appends the next record, if it has the hash of the one before.
    ///
    /// # Errors
    /// When the chain is broken there, or the disk fails.
    pub fn push(&mut self, bytes: Vec<u8>) -> Result<(), LedgerError> {
        let seq = self.seq + 1;
        let broken = |fault| LedgerError::Corrupt { seq, fault };
        if previous_of(&bytes).map_err(broken)? != self.hash {
            return Err(broken(Fault::Detached));
        }
        (self.seq, self.hash) = (seq, RecordHash::of(&bytes));
        self.waiting.push(Entry { bytes, hash: self.hash });
        if self.waiting.len() >= RECORDS_PER_APPEND { self.append() } else { Ok(()) }
    }

    /// Appends the rest, then reads and checks the whole log.
    ///
    /// # Errors
    /// The first broken record, or the failure of the disk.
    pub fn finish(mut self) -> Result<Verified, LedgerError> {
        self.append()?;
        let known = HeadMark { seq: self.seq, hash: self.hash };
        verify::walk(ChainReader::whole(&self.store, self.seq), known, Vec::new())
    }

    fn append(&mut self) -> Result<(), LedgerError> {
        let entries = std::mem::take(&mut self.waiting);
        let before = self.seq - entries.len() as u64;
        self.store.append(before, &entries).map_err(|error| match error {
            AppendError::Failed(error) => LedgerError::Corrupt { seq: before + 1, fault: error.into() },
            AppendError::Moved(_) => LedgerError::Corrupt { seq: before + 1, fault: Fault::Detached },
        })
    }
}
