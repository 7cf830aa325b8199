//! The counts of keys and of findings about them, once a day, for a trend. What a finding is, `service/posture` says.

use super::event::Event;
use super::id::KmsId;
use super::refusal::Refusal;
use super::state::State;
use super::time::Time;
use imbl::Vector;
use std::sync::Arc;

/// The number of days that are kept.
pub const DAYS_MAX: usize = 31;

const DAY_SECONDS: i64 = 86_400;

#[derive(Clone, PartialEq, Debug)]
pub enum PostureEvent {
    /// The keys were counted, for the first time on this day.
    Counted {
        /// The beginning of the day, in UTC.
        day: Time,
        kms: Vec<KmsCounts>,
    },
}

/// The counts of one KMS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KmsCounts {
    pub kms: KmsId,
    pub keys: u64,
    pub keys_with_findings: u64,
    /// The names of the rules with findings, and the number of keys of each.
    pub findings: Vec<(String, u64)>,
}

#[derive(Clone, Debug)]
pub enum PostureCommand {
    /// Record the counts of the day of this time, unless the day has some.
    Count { at: Time, kms: Vec<KmsCounts> },
}

/// The counts of one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayCounts {
    /// The beginning of the day, in UTC.
    pub day: Time,
    pub kms: Vec<KmsCounts>,
}

/// The counts of the last days, oldest first.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct PostureTrend {
    days: Vector<Arc<DayCounts>>,
}

/// Returns the beginning of the day of a time, in UTC.
pub fn day_of(at: Time) -> Time {
    Time::from_nanos(0).plus_seconds(at.seconds().div_euclid(DAY_SECONDS) * DAY_SECONDS)
}

pub(super) fn decide(state: &State, command: PostureCommand) -> Result<Vec<Event>, Refusal> {
    let PostureCommand::Count { at, kms } = command;
    let day = day_of(at);
    Ok(match state.posture.has(day) {
        true => vec![],
        false => vec![Event::Posture(PostureEvent::Counted { day, kms })],
    })
}

impl PostureTrend {
    pub fn restored(days: Vec<DayCounts>) -> Self {
        Self { days: days.into_iter().map(Arc::new).collect() }
    }

    pub fn days(&self) -> impl Iterator<Item = &Arc<DayCounts>> {
        self.days.iter()
    }

    /// Whether a day, or a later one, has counts.
    pub fn has(&self, day: Time) -> bool {
        self.days.last().is_some_and(|last| last.day >= day)
    }

    pub(super) fn apply(&mut self, event: &PostureEvent) {
        let PostureEvent::Counted { day, kms } = event;
        self.days.push_back(Arc::new(DayCounts { day: *day, kms: kms.clone() }));
        while self.days.len() > DAYS_MAX {
            self.days.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::Command;
    use crate::domain::key::example::{after, at};

    #[test]
    fn a_day_is_counted_once_and_a_month_is_kept() {
        let mut state = after(&[]);
        let count = |day: i64, second| {
            Command::Posture(PostureCommand::Count { at: at(day * DAY_SECONDS + second), kms: vec![] })
        };
        for day in 0..40 {
            let events = state.decide(count(day, 5)).expect("never refused");
            assert!(matches!(&events[..], [Event::Posture(_)]), "{events:?}");
            events.iter().for_each(|event| state.apply(at(0), event));
            assert_eq!(state.decide(count(day, 86_399)).expect("never refused"), []);
        }
        assert_eq!(state.decide(count(3, 0)).expect("never refused"), [], "the clock was set back");
        let days: Vec<Time> = state.posture.days().map(|counts| counts.day).collect();
        assert_eq!((days.len(), days[0], days[30]), (DAYS_MAX, at(9 * DAY_SECONDS), at(39 * DAY_SECONDS)));
    }
}
