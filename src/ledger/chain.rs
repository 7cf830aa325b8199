//! What holds records together: each has the next number, names the hash of the one before, and is later than it.
//! Whoever reads the log reads it through a [`ChainReader`], so nothing broken is ever believed.

use super::error::{Fault, LedgerError};
use super::record::{Happening, Record, RecordHash, previous_of};
use super::store::{Entries, Store, StoreError};
use crate::domain::event::Event;
use crate::domain::time::Time;

/// The end of the chain so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chain {
    pub seq: u64,
    /// Its hash.
    pub hash: RecordHash,
    pub time: Time,
}

impl Chain {
    pub(super) const START: Self = Self { seq: 0, hash: RecordHash([0; 32]), time: Time::from_nanos(i64::MIN) };
}

/// A record's bytes, known to have their place.
pub(super) struct Linked {
    pub seq: u64,
    pub bytes: Vec<u8>,
    pub hash: RecordHash,
}

impl Linked {
    pub(super) fn decode(&self) -> Result<Record, LedgerError> {
        let record = Record::decode_hashed(&self.bytes, self.hash).map_err(|fault| self.broken(fault))?;
        self.check_number(record.seq)?;
        Ok(record)
    }

    /// What happened, and the end of the chain after it.
    pub(super) fn decode_event(&self, before: &Chain) -> Result<(Event, Chain), LedgerError> {
        let Happening { seq, time, event } = Happening::decode(&self.bytes).map_err(|fault| self.broken(fault))?;
        self.check_number(seq)?;
        check_time(seq, before.time, time)?;
        Ok((event, Chain { seq, hash: self.hash, time }))
    }

    fn check_number(&self, said: u64) -> Result<(), LedgerError> {
        if said == self.seq { Ok(()) } else { Err(self.broken(Fault::Number(said))) }
    }

    fn broken(&self, fault: Fault) -> LedgerError {
        LedgerError::Corrupt { seq: self.seq, fault }
    }
}

/// Refuses a record that is not later than the one before.
pub(super) fn check_time(seq: u64, before: Time, time: Time) -> Result<(), LedgerError> {
    if time > before { Ok(()) } else { Err(LedgerError::Corrupt { seq, fault: Fault::Time }) }
}

/// A walk along the records, checking numbers and hashes. After an error there are no more.
pub(super) struct ChainReader {
    entries: Entries,
    upto: u64,
    last: u64,
    hash: Option<RecordHash>,
    done: bool,
}

impl ChainReader {
    /// From the first record to number `upto`.
    pub(super) fn whole(store: &dyn Store, upto: u64) -> Self {
        Self::after(store, 0, Some(RecordHash::default()), upto)
    }

    /// The same over records that are read elsewhere.
    pub(super) fn over(entries: Entries, upto: u64) -> Self {
        Self { entries, upto, last: 0, hash: Some(RecordHash::default()), done: upto == 0 }
    }

    /// From the record after this end of the chain on.
    pub(super) fn on_from(store: &dyn Store, chain: &Chain, upto: u64) -> Self {
        Self::after(store, chain.seq, Some(chain.hash), upto)
    }

    /// From the record before number `from` on: of that one it is not checked what it says of the one before, and only
    /// its hash is believed.
    pub(super) fn middle(store: &dyn Store, from: u64, upto: u64) -> Self {
        match from {
            0..=2 => Self::whole(store, upto),
            from => Self::after(store, from - 2, None, upto),
        }
    }

    fn after(store: &dyn Store, last: u64, hash: Option<RecordHash>, upto: u64) -> Self {
        // Nothing to read is also nothing to fail.
        let done = last >= upto;
        let entries = if done { Box::new(std::iter::empty()) } else { store.read(last + 1) };
        Self { entries, upto, last, hash, done }
    }

    fn step(&mut self) -> Result<Linked, LedgerError> {
        let due = self.last + 1;
        let broken = |seq, fault| LedgerError::Corrupt { seq, fault };
        let (seq, bytes) = match self.entries.next() {
            Some(Ok(entry)) => entry,
            Some(Err(StoreError::PartMissing { seq, part })) => return Err(broken(seq, Fault::PartMissing(part))),
            Some(Err(error)) => return Err(broken(due, error.into())),
            None => return Err(LedgerError::Shorter { known: self.upto, found: self.last }),
        };
        if seq != due {
            return Err(broken(due, Fault::Missing(seq)));
        }
        let hash = RecordHash::of(&bytes);
        let previous = previous_of(&bytes).map_err(|fault| broken(seq, fault))?;
        match self.hash {
            Some(expected) if expected != previous => Err(self.blame(seq, hash, expected, previous)),
            _ => {
                (self.last, self.hash) = (seq, Some(hash));
                Ok(Linked { seq, bytes, hash })
            }
        }
    }

    /// Record `seq` does not name the one before. Which of the two was changed, the next one tells.
    fn blame(&mut self, seq: u64, hash: RecordHash, before: RecordHash, named: RecordHash) -> LedgerError {
        let next = self.entries.next().and_then(Result::ok).and_then(|(_, bytes)| previous_of(&bytes).ok());
        if seq == 1 || next.is_some_and(|named| named != hash) {
            return LedgerError::Corrupt { seq, fault: Fault::Detached };
        }
        LedgerError::Corrupt { seq: seq - 1, fault: Fault::Changed { expected: named, found: before } }
    }
}

impl Iterator for ChainReader {
    type Item = Result<Linked, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        self.done = step.is_err() || self.last >= self.upto;
        Some(step)
    }
}
