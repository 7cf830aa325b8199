//! The daily count, decided.

use super::{KmsCounts, PostureEvent, day_of};
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
    Ok(match state.posture.has(day) {
        true => vec![],
        false => vec![Event::Posture(PostureEvent::Counted { day, kms })],
    })
}

#[cfg(test)]
mod tests {
    use super::super::DAYS_MAX;
    use super::*;
    use crate::domain::command::Command;
    use crate::domain::key::example::{after, at};

    const DAY_SECONDS: i64 = 86_400;

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
