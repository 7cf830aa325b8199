//! The hash chain of the records: each has the next number, contains the hash of the record before it, and has a later
//! time. All reads of the log go through a [`ChainReader`], so a broken record is never used.

use super::error::{Fault, LedgerError};
use super::record::{Record, RecordHash, RecordedEvent, previous_of};
use super::store::{Batch, Batches, Store, StoreError};
use crate::domain::event::Event;
use crate::domain::time::Time;

/// The end of the chain so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chain {
    pub seq: u64,
    pub hash: RecordHash,
    pub time: Time,
}

impl Chain {
    pub(super) const START: Self = Self { seq: 0, hash: RecordHash([0; 32]), time: Time::from_nanos(i64::MIN) };
}

/// The bytes of a record whose place in the chain has been checked.
#[derive(Clone, Copy)]
pub(super) struct Linked<'a> {
    pub seq: u64,
    pub bytes: &'a [u8],
    pub hash: RecordHash,
}

impl Linked<'_> {
    pub(super) fn decode(&self) -> Result<Record, LedgerError> {
        let record = Record::decode_hashed(self.bytes, self.hash).map_err(|fault| self.broken(fault))?;
        self.check_number(record.seq)?;
        Ok(record)
    }

    /// Returns the event and the end of the chain after it. This does not check that the record is later than the one
    /// before.
    pub(super) fn decode_event(&self) -> Result<(Event, Chain), LedgerError> {
        let RecordedEvent { seq, time, event } =
            RecordedEvent::decode(self.bytes).map_err(|fault| self.broken(fault))?;
        self.check_number(seq)?;
        Ok((event, Chain { seq, hash: self.hash, time }))
    }

    fn check_number(&self, said: u64) -> Result<(), LedgerError> {
        if said == self.seq { Ok(()) } else { Err(self.broken(Fault::Number(said))) }
    }

    fn broken(&self, fault: Fault) -> LedgerError {
        corrupt(self.seq, fault)
    }
}

/// Rejects a record that is not later than the one before.
pub(super) fn check_time(seq: u64, before: Time, time: Time) -> Result<(), LedgerError> {
    if time > before { Ok(()) } else { Err(corrupt(seq, Fault::Time)) }
}

/// Records whose places in the chain have been checked, and their hashes.
pub(super) struct LinkedBatch {
    records: Batch,
    hashes: Vec<RecordHash>,
}

impl LinkedBatch {
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(super) fn get(&self, n: usize) -> Option<Linked<'_>> {
        let (seq, bytes) = self.records.get(n)?;
        Some(Linked { seq, bytes, hash: *self.hashes.get(n)? })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Linked<'_>> {
        (0..self.len()).filter_map(|n| self.get(n))
    }
}

/// Reads records and checks their numbers and hashes. After an error it returns no more.
pub(super) struct ChainReader {
    batches: Batches,
    upto: u64,
    last: u64,
    hash: Option<RecordHash>,
    /// The error to return after the batch that was just returned.
    held: Option<LedgerError>,
    done: bool,
}

impl ChainReader {
    /// Reads from the first record to number `upto`.
    pub(super) fn whole(store: &dyn Store, upto: u64) -> Self {
        Self::after(store, 0, Some(RecordHash::default()), upto)
    }

    /// Reads from the first record to number `upto`, from `batches` instead of a store.
    pub(super) fn over(batches: Batches, upto: u64) -> Self {
        Self { batches, upto, last: 0, hash: Some(RecordHash::default()), held: None, done: upto == 0 }
    }

    /// Reads from the record after `chain` to number `upto`.
    pub(super) fn on_from(store: &dyn Store, chain: &Chain, upto: u64) -> Self {
        Self::after(store, chain.seq, Some(chain.hash), upto)
    }

    /// Reads from the record before number `from`, whose own link to its predecessor is not checked. Use only the hash
    /// of that first record: it proves record `from`.
    pub(super) fn middle(store: &dyn Store, from: u64, upto: u64) -> Self {
        match from {
            0..=2 => Self::whole(store, upto),
            from => Self::after(store, from - 2, None, upto),
        }
    }

    fn after(store: &dyn Store, last: u64, hash: Option<RecordHash>, upto: u64) -> Self {
        // An empty range needs no read, which could fail.
        let done = last >= upto;
        let batches = if done { Box::new(std::iter::empty()) } else { store.read(last + 1) };
        Self { batches, upto, last, hash, held: None, done }
    }

    fn step(&mut self) -> Result<LinkedBatch, LedgerError> {
        let due = self.last + 1;
        let records = match self.batches.next() {
            Some(Ok(records)) => records,
            Some(Err(StoreError::PartMissing { seq, part })) => return Err(corrupt(seq, Fault::PartMissing(part))),
            Some(Err(StoreError::BadRow { seq, what })) => return Err(corrupt(seq, Fault::Row(what))),
            Some(Err(error)) => return Err(corrupt(due, error.into())),
            None => return Err(LedgerError::Shorter { known: self.upto, found: self.last }),
        };
        let mut hashes = Vec::with_capacity(records.len());
        for (n, (seq, bytes)) in records.iter().enumerate() {
            if self.last >= self.upto {
                break;
            }
            match self.link(seq, bytes, || records.get(n + 1).map(|(_, bytes)| bytes)) {
                Ok(hash) => hashes.push(hash),
                Err(error) => {
                    self.held = Some(error);
                    break;
                }
            }
        }
        match hashes.len() {
            0 => Err(self.held.take().unwrap_or(LedgerError::Shorter { known: self.upto, found: self.last })),
            _ => Ok(LinkedBatch { records, hashes }),
        }
    }

    /// Checks one record against the one before it; returns its hash.
    fn link<'a>(
        &mut self,
        seq: u64,
        bytes: &[u8],
        next: impl Fn() -> Option<&'a [u8]>,
    ) -> Result<RecordHash, LedgerError> {
        let due = self.last + 1;
        if seq != due {
            return Err(corrupt(due, Fault::Missing(seq)));
        }
        let hash = RecordHash::of(bytes);
        let previous = previous_of(bytes).map_err(|fault| corrupt(seq, fault))?;
        if let Some(before) = self.hash.filter(|before| *before != previous) {
            let after = match next() {
                Some(next) => previous_of(next).ok(),
                None => self.first_of_next_batch(),
            };
            return Err(blame(seq, hash, before, previous, after));
        }
        (self.last, self.hash) = (seq, Some(hash));
        Ok(hash)
    }

    fn first_of_next_batch(&mut self) -> Option<RecordHash> {
        let records = self.batches.next()?.ok()?;
        previous_of(records.get(0)?.1).ok()
    }
}

/// Decides which record was changed when record `seq` does not contain the hash of the one before: it was `seq` itself
/// if the record after it does not contain its hash either.
fn blame(seq: u64, hash: RecordHash, before: RecordHash, named: RecordHash, next: Option<RecordHash>) -> LedgerError {
    if seq == 1 || next.is_some_and(|next| next != hash) {
        return corrupt(seq, Fault::Detached);
    }
    corrupt(seq - 1, Fault::Changed { expected: named, found: before })
}

fn corrupt(seq: u64, fault: Fault) -> LedgerError {
    LedgerError::Corrupt { seq, fault }
}

impl Iterator for ChainReader {
    type Item = Result<LinkedBatch, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.held.take().map_or_else(|| self.step(), Err);
        self.done = step.is_err() || self.last >= self.upto;
        Some(step)
    }
}
