//! Which alarm makes room when there are too many: one that is closed before one that is open, then the least severe.
//! Among those the oldest of the largest group goes. A group has one condition and one cause, such as a bulk job's, so
//! that the thousand alarms of one job push out each other and not the few of others.

use super::{Alarm, AlarmNumber, Cause, Severity};
use imbl::{HashMap, OrdMap, OrdSet};
use std::cmp::Reverse;

/// Whether the alarm is open, and its severity. The lowest rank goes first.
type Rank = (bool, Severity);

/// The word of the condition, and the cause.
type Group = (&'static str, Cause);

/// Alarms in the order in which they make room. A copy takes constant time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ranking(OrdMap<Rank, HashMap<Group, OrdSet<AlarmNumber>>>);

impl Ranking {
    pub(super) fn insert(&mut self, alarm: &Alarm) {
        let (rank, group) = place_of(alarm);
        self.0.entry(rank).or_default().entry(group).or_default().insert(alarm.number);
    }

    /// Removes an alarm, which must be as it was when it was inserted.
    pub(super) fn remove(&mut self, alarm: &Alarm) {
        let (rank, group) = place_of(alarm);
        let Some(groups) = self.0.get_mut(&rank) else { return };
        if let Some(numbers) = groups.get_mut(&group) {
            numbers.remove(&alarm.number);
            if numbers.is_empty() {
                groups.remove(&group);
            }
        }
        if groups.is_empty() {
            self.0.remove(&rank);
        }
    }

    /// The alarm that makes room first.
    pub(super) fn first(&self) -> Option<AlarmNumber> {
        let (_, groups) = self.0.get_min()?;
        let largest = groups.values().max_by_key(|numbers| (numbers.len(), Reverse(numbers.get_min().copied())))?;
        largest.get_min().copied()
    }
}

fn place_of(alarm: &Alarm) -> (Rank, Group) {
    let condition = alarm.facts.condition;
    ((alarm.is_open(), condition.severity()), (condition.name(), alarm.facts.cause.clone()))
}
