//! A store in memory that counts its syncs. Tests can make it block, fail, lose records, and append records of others.

use super::super::chain::Chain;
use super::super::record::NewRecord;
use super::super::store::{AppendError, Batch, Batches, Entry, Store, StoreError};
use super::*;
use std::sync::Condvar;
use std::sync::mpsc::{Receiver, Sender, channel};

#[derive(Default)]
pub(super) struct Memory {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    durable: Vec<Vec<u8>>,
    unsynced: Vec<Vec<u8>>,
    syncs: u64,
    shut: bool,
    waiting: u64,
    fails: bool,
    rivals: Vec<Vec<Event>>,
    followers: Vec<Sender<u64>>,
    shared: bool,
}

impl Memory {
    /// A store that others append to as well.
    pub(super) fn shared() -> Self {
        Self { inside: Mutex::new(Inside { shared: true, ..Inside::default() }), ..Self::default() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn syncs(&self) -> u64 {
        self.inside().syncs
    }

    /// Makes appends block until [`Memory::open`].
    pub(super) fn shut(&self) {
        self.inside().shut = true;
    }

    pub(super) fn open(&self) {
        self.inside().shut = false;
        self.changed.notify_all();
    }

    /// Waits until an append blocks.
    pub(super) fn wait_for_writer(&self) {
        let inside = self.inside();
        drop(self.changed.wait_while(inside, |inside| inside.waiting == 0));
    }

    /// Makes all further syncs fail.
    pub(super) fn fail(&self) {
        self.inside().fails = true;
    }

    /// Returns a store with the content that a power cut leaves.
    pub(super) fn after_a_power_cut(&self) -> Self {
        let durable = self.inside().durable.clone();
        Self { inside: Mutex::new(Inside { durable, ..Inside::default() }), ..Self::default() }
    }

    /// Appends these events, as another process, just before the next append.
    pub(super) fn let_a_rival_come_first(&self, events: Vec<Event>) {
        self.inside().rivals.push(events);
    }

    /// Appends these events now, as another process.
    pub(super) fn let_a_rival_append(&self, events: &[Event]) {
        self.inside().append_as_rival(events);
    }

    /// Removes the last records, although they were durable.
    pub(super) fn forget_last(&self, records: usize) {
        let durable = &mut self.inside().durable;
        durable.truncate(durable.len() - records);
    }

    /// Sends the number of records to all followers.
    pub(super) fn tell_head(&self) {
        let inside = self.inside();
        let head = inside.durable.len() as u64;
        inside.followers.iter().for_each(|follower| follower.send(head).expect("somebody follows"));
    }

    /// Changes a stored record.
    pub(super) fn tamper(&self, seq: usize, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.inside().durable[seq - 1]);
    }
}

impl Inside {
    fn append_as_rival(&mut self, events: &[Event]) {
        for event in events {
            let mut end = Chain::START;
            if let Some(last) = self.durable.last() {
                let record = Record::decode(last).expect("a record");
                end = Chain { seq: record.seq, hash: record.hash, time: record.time };
            }
            let (actor, event_id) = (&Actor::System, EventId::new(Uuid::from_u128(77)));
            let time = writer::time_after(end.time, Time::from_nanos(0));
            let new_record =
                NewRecord { seq: end.seq + 1, event_id, time, actor, request_id: "", event, previous: end.hash };
            self.durable.push(new_record.encode().expect("a record"));
        }
        let head = self.durable.len() as u64;
        self.followers.retain(|follower| follower.send(head).is_ok());
    }
}

impl Store for Memory {
    fn append(&self, expected: u64, entries: &[Entry]) -> Result<(), AppendError> {
        let mut inside = self.inside();
        if !inside.rivals.is_empty() {
            let events = inside.rivals.remove(0);
            inside.append_as_rival(&events);
        }
        if inside.durable.len() as u64 != expected {
            return Err(AppendError::Moved(inside.durable.len() as u64));
        }
        inside.unsynced = entries.iter().map(|entry| entry.bytes.clone()).collect();
        inside.waiting += 1;
        self.changed.notify_all();
        let mut inside = self.changed.wait_while(inside, |inside| inside.shut).unwrap_or_else(PoisonError::into_inner);
        inside.waiting -= 1;
        inside.syncs += 1;
        if inside.fails {
            return Err(StoreError::Io(std::io::Error::other("no space left on device")).into());
        }
        let synced = std::mem::take(&mut inside.unsynced);
        inside.durable.extend(synced);
        Ok(())
    }

    fn read(&self, from: u64) -> Batches {
        let records: Vec<_> = (1..).zip(self.inside().durable.clone()).skip(from as usize - 1).collect();
        let batch = |records: &[(u64, Vec<u8>)]| {
            let mut batch = Batch::default();
            records.iter().for_each(|(seq, bytes)| batch.push(*seq, bytes));
            Ok(batch)
        };
        Box::new(records.chunks(3).map(batch).collect::<Vec<_>>().into_iter())
    }

    fn head(&self) -> u64 {
        self.inside().durable.len() as u64
    }

    fn watch_heads(&self) -> Option<Receiver<u64>> {
        let mut inside = self.inside();
        let (sender, heads) = channel();
        inside.shared.then(|| {
            inside.followers.push(sender);
            heads
        })
    }
}
