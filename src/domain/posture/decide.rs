//! The daily count, decided.

use super::{KMS_OF_EVENT_MAX, KmsCounts, PostureEvent, day_of};
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;

#[derive(Clone, Debug)]
pub enum PostureCommand {
    /// Record the counts of the day of this time, unless the day has some.
    Count { at: Time, kms: Vec<KmsCounts> },
}

pub(in crate::domain) fn decide(state: &State, command: PostureCommand) -> Result<Vec<Event>, Refusal> {
    let PostureCommand::Count { at, kms } = command;
    let day = day_of(at);
    if state.posture.has(day) {
        return Ok(vec![]);
    }
    let counted = |kms: &[KmsCounts]| Event::Posture(PostureEvent::Counted { day, kms: kms.to_vec() });
    Ok(match kms.is_empty() {
        true => vec![counted(&[])],
        false => kms.chunks(KMS_OF_EVENT_MAX).map(counted).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::DAYS_MAX;
    use super::*;
    use crate::domain::command::Command;
    use crate::domain::key::example::{after, at, kms_id};

    const DAY_SECONDS: i64 = 86_400;

    #[test]
    fn the_counts_of_many_kms_are_several_events_of_one_day() {
        let mut state = after(&[]);
        let counts = |n: usize| KmsCounts { kms: kms_id(n as u128), keys: 1, keys_with_findings: 0, findings: vec![] };
        let kms: Vec<KmsCounts> = (0..=2 * KMS_OF_EVENT_MAX).map(counts).collect();
        let command = Command::Posture(PostureCommand::Count { at: at(5), kms: kms.clone() });
        let events = state.decide(command).expect("never refused");
        assert_eq!(events.len(), 3);
        events.iter().for_each(|event| state.apply(at(0), event));
        let days: Vec<_> = state.posture.days().collect();
        assert_eq!((days.len(), &days[0].kms), (1, &kms));
    }

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
