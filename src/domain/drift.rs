//! The drift watch: changes of keys and key stores that were made at AWS by others, as CloudTrail tells them. An entry
//! has the event, and what it changed. The event of a change can arrive after the change itself was read, by a
//! synchronisation for example. So the differences that were read and that no event explains yet are kept for a while.

pub mod decide;
pub mod difference;
pub mod own;
pub mod refusal;
pub mod stores;

use super::id::{KeyId, KmsId, ScheduleId};
use super::key::aggregate::Key;
use super::key::event::KeyEvent;
use super::place::Region;
use super::table::Table;
use super::time::Time;
pub use difference::{Difference, DriftAspect};
use imbl::{HashMap, Vector};
pub use own::UnansweredChange;
use std::fmt;
use std::num::ParseIntError;
use std::sync::Arc;
use uuid::Uuid;

/// The number of an entry. Entries are numbered from 1 on, in the order of the log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DriftNumber(pub u64);

impl DriftNumber {
    /// Reads a number.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn parse(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for DriftNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A change that was made outside, and when it was found.
#[derive(Clone, PartialEq, Debug)]
pub struct DriftEntry {
    pub number: DriftNumber,
    pub kms: KmsId,
    pub facts: DriftFacts,
    pub found: Time,
}

#[derive(Clone, PartialEq, Debug)]
pub struct DriftFacts {
    pub region: Region,
    /// The key here; `None` if it is not known here.
    pub key: Option<KeyId>,
    /// The ARN of the key at AWS; empty if the event is about no key.
    pub key_arn: String,
    pub event: OutsideEvent,
    /// What the event changed, as far as it differs from what was known before.
    pub changes: Vec<Difference>,
    /// A later event changed the same; its entry has the difference.
    pub superseded: bool,
}

/// An event of CloudTrail about a change that this program did not make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutsideEvent {
    pub id: Uuid,
    /// The operation, such as `PutKeyPolicy`.
    pub name: String,
    pub at: Time,
    /// The ARN of the caller, or what CloudTrail has instead.
    pub by: String,
    /// The type of the caller, such as `IAMUser`.
    pub by_type: String,
    pub source_ip: String,
    pub user_agent: String,
    pub request_id: String,
}

#[derive(Clone, PartialEq, Debug)]
pub enum DriftEvent {
    /// A change that was made outside was found.
    Found(Box<DriftFacts>),
    /// A run of a schedule has read CloudTrail up to these times.
    Read { schedule: ScheduleId, until: Vec<(Region, Time)> },
}

/// A difference of a key that was read at AWS, and that no event explains yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Unexplained {
    pub difference: Difference,
    pub read: Time,
}

/// The maximum number of entries in the state. The log has all of them.
pub const ENTRIES_MAX: usize = 10_000;

/// The maximum number of keys with differences that no event explains.
pub const UNEXPLAINED_MAX: usize = 10_000;

/// The time for which the ids of events and unexplained differences are kept, in seconds. It is longer than the longest
/// overlap of two runs, a day.
pub const KEPT_SECONDS: i64 = 26 * 3_600;

/// The entries, and what the next run needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    pub entries: Table<DriftNumber, DriftEntry>,
    next: DriftNumber,
    /// How far each schedule has read each region.
    read: HashMap<ScheduleId, HashMap<Region, Time>>,
    /// The events that have entries, with the key, and the time of the event.
    known: HashMap<(Uuid, Option<KeyId>), Time>,
    unexplained: HashMap<KeyId, Vector<Unexplained>>,
    /// Changes of this program whose answer was lost, in order of their outcomes.
    unanswered: Vector<UnansweredChange>,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            entries: Table::default(),
            next: DriftNumber(1),
            read: HashMap::new(),
            known: HashMap::new(),
            unexplained: HashMap::new(),
            unanswered: Vector::new(),
        }
    }
}

/// What a snapshot has of the drift watch.
pub struct DriftEntries {
    pub entries: Vec<DriftEntry>,
    pub next: DriftNumber,
    pub read: Vec<(ScheduleId, Vec<(Region, Time)>)>,
    pub known: Vec<((Uuid, Option<KeyId>), Time)>,
    pub unexplained: Vec<(KeyId, Vec<Unexplained>)>,
    pub unanswered: Vec<UnansweredChange>,
}

impl Drift {
    /// Restores the drift watch from a snapshot.
    pub fn restored(stored: DriftEntries) -> Self {
        let mut entries = Table::default();
        stored.entries.into_iter().for_each(|entry| entries.insert(entry.number, entry));
        Self {
            entries,
            next: stored.next,
            read: stored.read.into_iter().map(|(id, until)| (id, until.into_iter().collect())).collect(),
            known: stored.known.into_iter().collect(),
            unexplained: stored.unexplained.into_iter().map(|(key, all)| (key, all.into_iter().collect())).collect(),
            unanswered: stored.unanswered.into_iter().collect(),
        }
    }

    /// What a snapshot has, in a fixed order.
    pub fn stored(&self) -> DriftEntries {
        let mut read: Vec<_> = self.read.iter().map(|(id, until)| (*id, sorted(until))).collect();
        read.sort_by_key(|(id, _)| *id);
        let mut unexplained: Vec<(KeyId, Vec<Unexplained>)> =
            self.unexplained.iter().map(|(key, all)| (*key, all.iter().cloned().collect())).collect();
        unexplained.sort_by_key(|(key, _)| *key);
        DriftEntries {
            entries: self.entries.iter().map(|entry| entry.as_ref().clone()).collect(),
            next: self.next,
            read,
            known: sorted(&self.known),
            unexplained,
            unanswered: self.unanswered.iter().cloned().collect(),
        }
    }

    /// The number of the next entry.
    pub fn next(&self) -> DriftNumber {
        self.next
    }

    /// The number of earlier entries that an entry supersedes: its difference covers their changes too. The entries of
    /// one reading of a key follow each other.
    pub fn covered_by(&self, entry: &DriftEntry) -> usize {
        let is_of_same =
            |other: &&Arc<DriftEntry>| other.facts.key == entry.facts.key && other.facts.region == entry.facts.region;
        let changes_the_same = |other: &&Arc<DriftEntry>| {
            let aspects = DriftAspect::of_operation(&other.facts.event.name);
            entry.facts.changes.iter().any(|change| aspects.contains(&change.aspect))
        };
        let before = (1..entry.number.0).rev().map_while(|number| self.entries.get(&DriftNumber(number)));
        let same = before.take_while(is_of_same).filter(changes_the_same);
        same.take_while(|other| other.facts.superseded).count()
    }

    /// How far a schedule has read a region; `None` before its first run.
    pub fn read_until(&self, schedule: ScheduleId, region: &Region) -> Option<Time> {
        self.read.get(&schedule)?.get(region).copied()
    }

    /// Whether an event has an entry for this key.
    pub fn knows(&self, event: Uuid, key: Option<KeyId>) -> bool {
        self.known.contains_key(&(event, key))
    }

    /// The differences of a key that no event explains yet.
    pub fn unexplained(&self, key: KeyId) -> impl Iterator<Item = &Unexplained> {
        self.unexplained.get(&key).into_iter().flatten()
    }

    pub fn apply(&mut self, at: Time, kms: KmsId, event: &DriftEvent) {
        match event {
            DriftEvent::Found(facts) => self.add(at, kms, facts),
            DriftEvent::Read { schedule, until } => {
                let read = self.read.entry(*schedule).or_default();
                read.extend(until.iter().cloned());
                let oldest = at.plus_seconds(-KEPT_SECONDS);
                self.known.retain(|_, time| *time >= oldest);
                for key in self.unexplained.keys().copied().collect::<Vec<_>>() {
                    self.keep_unexplained(key, |one| one.read >= oldest);
                }
            }
        }
    }

    fn add(&mut self, at: Time, kms: KmsId, facts: &DriftFacts) {
        let number = self.next;
        self.next = DriftNumber(number.0 + 1);
        self.known.insert((facts.event.id, facts.key), facts.event.at.max(at.plus_seconds(-KEPT_SECONDS)));
        if let Some(key) = facts.key {
            let explained = |aspect: DriftAspect| facts.changes.iter().any(|change| change.aspect == aspect);
            self.keep_unexplained(key, |one| !explained(one.difference.aspect));
        }
        self.entries.insert(number, DriftEntry { number, kms, facts: facts.clone(), found: at });
        while self.entries.len() > ENTRIES_MAX {
            let Some(oldest) = self.entries.iter().next().map(|entry| entry.number) else { return };
            self.entries.remove(&oldest);
        }
    }

    fn keep_unexplained(&mut self, key: KeyId, keep: impl Fn(&Unexplained) -> bool) {
        let Some(all) = self.unexplained.get_mut(&key) else { return };
        all.retain(keep);
        if all.is_empty() {
            self.unexplained.remove(&key);
        }
    }

    /// Notes differences of a key that were read and that no operation of this program made.
    pub fn note(&mut self, at: Time, key: KeyId, differences: Vec<Difference>) {
        if differences.is_empty() || (!self.unexplained.contains_key(&key) && self.unexplained.len() >= UNEXPLAINED_MAX)
        {
            return;
        }
        let all = self.unexplained.entry(key).or_default();
        for difference in differences {
            match all.iter_mut().find(|one| one.difference.aspect == difference.aspect) {
                // What was there before both counts.
                Some(one) => *one = Unexplained { difference: one.difference.clone().then(difference), read: at },
                None => all.push_back(Unexplained { difference, read: at }),
            }
        }
    }

    /// Forgets how far a deleted schedule has read.
    pub fn forget_schedule(&mut self, schedule: ScheduleId) {
        self.read.remove(&schedule);
    }

    /// Forgets the differences of a key that is removed.
    pub fn forget_key(&mut self, key: KeyId) {
        self.unexplained.remove(&key);
    }
}

fn sorted<K: Clone + Ord + std::hash::Hash, V: Clone>(map: &HashMap<K, V>) -> Vec<(K, V)> {
    let mut all: Vec<(K, V)> = map.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// Returns what an event changes at a key that was read at AWS; nothing for events of operations of this program.
pub fn differences_by(before: Option<&Key>, event: &KeyEvent) -> Vec<Difference> {
    match (event, before) {
        (KeyEvent::Observed { learned }, Some(before)) => {
            let mut after = before.clone();
            after.learn(before.updated, learned);
            difference::between(Some(before), &after)
        }
        (KeyEvent::Vanished, Some(before)) => difference::between(Some(before), &Key { gone: true, ..before.clone() }),
        (KeyEvent::Found { .. }, None) => {
            vec![Difference { aspect: DriftAspect::Existence, before: "false".to_owned(), after: "true".to_owned() }]
        }
        _ => Vec::new(),
    }
}

/// Returns the differences between two states of a key, by aspect.
pub fn differences_between(before: Option<&Key>, after: &Key) -> Vec<Difference> {
    difference::between(before, after)
}

#[cfg(test)]
mod tests;
