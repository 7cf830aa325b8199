//! When a key was last used, as AWS records it: successful cryptographic operations only.

use crate::domain::time::Time;

/// What AWS knew of the use of a key when it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastUse {
    /// When AWS was asked. Later uses are not known.
    pub asked: Time,
    /// The time from which AWS has recorded. An earlier use is not known.
    pub tracked_since: Time,
    /// The last use; `None` if there was none since.
    pub last: Option<KeyUse>,
}

/// One use of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyUse {
    pub at: Time,
    /// The operation, such as `Decrypt`.
    pub operation: String,
    /// The id of the event in CloudTrail; empty if AWS names none.
    pub event_id: String,
}

const DAY_SECONDS: i64 = 86_400;

/// An answer of AWS is recorded again after this time only. A key in service is used all the time, so each
/// synchronisation would otherwise add an event for each key to the log. Nothing asks for more than weeks.
const PRECISION_SECONDS: i64 = 7 * DAY_SECONDS;

/// An older answer of AWS says nothing of today. It is recorded every week where synchronisations go on.
const VALID_SECONDS: i64 = 14 * DAY_SECONDS;

impl LastUse {
    /// Whether this is worth recording, after what was recorded before.
    pub fn is_news(&self, known: Option<&LastUse>) -> bool {
        let Some(known) = known else { return true };
        let is_first_use = self.last.is_some() && known.last.is_none();
        self.tracked_since != known.tracked_since
            || is_first_use
            || self.asked >= known.asked.plus_seconds(PRECISION_SECONDS)
    }

    /// Whether AWS had recorded for so many days when it was asked, and saw no use in them. `None` if that is not known:
    /// AWS has not recorded for so long, or was not asked lately.
    pub fn is_unused_for(&self, days: i64, now: Time) -> Option<bool> {
        if self.asked.plus_seconds(VALID_SECONDS) < now {
            return None;
        }
        let since = self.last.as_ref().map_or(self.tracked_since, |used| used.at.max(self.tracked_since));
        match since.plus_seconds(days.saturating_mul(DAY_SECONDS)) <= self.asked {
            true => Some(true),
            false => self.last.as_ref().map(|_| false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_nanos(0).plus_seconds(seconds)
    }

    fn used(asked: i64, since: i64, last: Option<i64>) -> LastUse {
        let last = last.map(|seconds| KeyUse {
            at: at(seconds),
            operation: "Decrypt".to_owned(),
            event_id: seconds.to_string(),
        });
        LastUse { asked: at(asked), tracked_since: at(since), last }
    }

    #[test]
    fn an_answer_within_a_week_of_the_recorded_one_is_not_recorded() {
        let (known, week) = (used(1_000, 0, Some(900)), 7 * DAY_SECONDS);
        for (seen, is_news) in [
            (used(1_000, 0, Some(900)), false),
            (used(1_000 + week - 1, 0, Some(week)), false),
            (used(1_000 + week, 0, Some(week)), true),
            (used(1_000 + week, 0, Some(900)), true),
            (used(2_000, 5, Some(900)), true),
        ] {
            assert_eq!(seen.is_news(Some(&known)), is_news, "{seen:?}");
        }
        assert!(used(0, 0, None).is_news(None) && used(2, 0, Some(1)).is_news(Some(&used(0, 0, None))));
        assert!(!used(9, 0, None).is_news(Some(&used(0, 0, None))));
    }

    #[test]
    fn a_key_is_unused_only_if_aws_recorded_so_long_and_was_asked_lately() {
        let day = |n: i64| n * DAY_SECONDS;
        let unused = |asked, since, last, now| used(day(asked), day(since), last).is_unused_for(90, at(day(now)));
        assert_eq!(unused(100, 0, None, 100), Some(true));
        assert_eq!(unused(100, 11, None, 100), None, "AWS has not recorded for so long");
        assert_eq!(unused(100, 0, Some(day(10)), 100), Some(true));
        assert_eq!(unused(100, 0, Some(day(10) + 1), 100), Some(false));
        assert_eq!(unused(100, 0, None, 114), Some(true));
        assert_eq!(unused(100, 0, None, 115), None, "nobody has asked since");
        assert_eq!(unused(10, 0, Some(day(10)), 101), None, "a key in use that nobody asks about is not unused");
    }
}
