//! Work on a log that no server has open: checking it and reading it.

use super::chain::{Chain, ChainReader, LinkedBatch, check_time};
use super::directory::{Directory, io};
use super::embedded::{Embedded, READING_CACHE_BYTES};
use super::error::LedgerError;
use super::head::HeadMark;
use super::record::{Record, RecordHash};
use super::replay;
use super::seal::{self, SealSource};
use super::store::Store;
use crate::domain::time::Time;
use std::io::ErrorKind;
use std::path::Path;

/// The result of checking a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The number of records.
    pub records: u64,
    /// The hash of the last record; zeroes if there is none.
    pub hash: RecordHash,
    /// Whether the log was checked against its seal, which requires the master key.
    pub is_sealed: bool,
    /// The times of the first and the last record.
    pub span: Option<(Time, Time)>,
}

/// Reads the log in a data directory that no process has open, and checks every record, and the seal if its key is
/// available. Each of `expected` must be a record of the log.
///
/// # Errors
/// The first broken record, the first that is not as expected, or the reason why the log cannot be read.
pub fn verify(directory: &Path, seal: Option<&SealSource>, expected: Vec<HeadMark>) -> Result<Verified, LedgerError> {
    let (mut store, known) = open(directory)?;
    let sealed = store.open_seal(seal)?;
    let verified = walk(ChainReader::whole(&store, store.head()), known, expected)?;
    if let Some(sealed) = sealed {
        seal::check(sealed, HeadMark { seq: verified.records, hash: verified.hash })?;
    }
    Ok(Verified { is_sealed: sealed.is_some(), ..verified })
}

/// Reads the log in a data directory that no process has open, from record number `from` on.
///
/// # Errors
/// The reason why the log cannot be opened.
pub fn read(directory: &Path, from: u64) -> Result<Records, LedgerError> {
    let (store, known) = open(directory)?;
    let reader = ChainReader::middle(&store, from, store.head());
    Ok(Records { reader, known, from, batch: None, before: None, broken: false, _store: Box::new(store) })
}

pub(super) fn open(directory: &Path) -> Result<(Embedded, HeadMark), LedgerError> {
    refuse_absent(directory)?;
    Embedded::open(Directory::lock(directory)?, READING_CACHE_BYTES)
}

/// Rejects a directory without a log: opening it would create one.
fn refuse_absent(directory: &Path) -> Result<(), LedgerError> {
    let store = directory.join("log/db");
    match std::fs::metadata(&store) {
        Ok(found) if found.is_file() => Ok(()),
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(io("read", &store)(error))
        }
        Ok(_) | Err(_) => Err(LedgerError::NoLog(directory.to_owned())),
    }
}

/// Checks every record of `reader`. Each of `expected` must be one of them.
pub(super) fn walk(reader: ChainReader, known: HeadMark, mut expected: Vec<HeadMark>) -> Result<Verified, LedgerError> {
    expected.sort_unstable_by_key(|mark| mark.seq);
    let mut expected = expected.into_iter().skip_while(|mark| mark.seq == 0).peekable();
    let (mut end, mut first) = (Chain::START, None);
    replay::decoded(reader, known, |_, chain| {
        check_time(chain.seq, end.time, chain.time)?;
        end = chain;
        first.get_or_insert(end.time);
        while let Some(mark) = expected.next_if(|mark| mark.seq <= chain.seq) {
            if mark.hash != chain.hash {
                return Err(LedgerError::Contradicted { seq: chain.seq, known: mark.hash, found: chain.hash });
            }
        }
        Ok(())
    })?;
    if let Some(mark) = expected.next() {
        return Err(LedgerError::CutBefore { seq: mark.seq, known: mark.hash, end: end.seq, found: end.hash });
    }
    Ok(Verified { records: end.seq, hash: end.hash, is_sealed: false, span: first.map(|first| (first, end.time)) })
}

/// An iterator over records in order. After an error there are no more.
pub struct Records {
    reader: ChainReader,
    /// The record of the file `head`. No later record proves the last one of the log, but this does.
    known: HeadMark,
    from: u64,
    /// The records that were read, and the number of them that were returned.
    batch: Option<(LinkedBatch, usize)>,
    before: Option<Time>,
    broken: bool,
    _store: Box<dyn Store>,
}

impl Records {
    fn step(&mut self) -> Result<Option<Record>, LedgerError> {
        loop {
            let Some(linked) = self.batch.as_ref().and_then(|(batch, at)| batch.get(*at)) else {
                match self.reader.next().transpose()? {
                    Some(batch) => self.batch = Some((batch, 0)),
                    None => return Ok(None),
                }
                continue;
            };
            self.known.check(&linked)?;
            let record = linked.decode()?;
            if let Some((_, at)) = &mut self.batch {
                *at += 1;
            }
            if let Some(before) = self.before.replace(record.time) {
                check_time(record.seq, before, record.time)?;
            }
            if record.seq >= self.from {
                return Ok(Some(record));
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let step = self.step();
        self.broken = step.is_err();
        step.transpose()
    }
}
