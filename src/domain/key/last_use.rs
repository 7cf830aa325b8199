//! When a key was last used, as AWS records it: successful cryptographic operations only.

use crate::domain::time::Time;

/// What AWS knows of the use of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastUse {
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

/// The uses of a key within this time of the recorded one are not recorded. A key in service is used all the time, so
/// each synchronisation would otherwise add an event for each key to the log. Nothing asks for more than days.
const PRECISION_SECONDS: i64 = 86_400;

impl LastUse {
    /// Whether this is worth recording, after what was recorded before.
    pub fn is_news(&self, known: Option<&LastUse>) -> bool {
        let Some(known) = known else { return true };
        if self.tracked_since != known.tracked_since {
            return true;
        }
        match (&self.last, &known.last) {
            (Some(now), Some(before)) => now.at >= before.at.plus_seconds(PRECISION_SECONDS),
            (Some(_), None) => true,
            // AWS does not forget a use while it goes on recording.
            (None, _) => false,
        }
    }

    /// Whether AWS has recorded no use since a time. `None` if AWS did not record at that time yet and knows of no use.
    pub fn is_unused_since(&self, time: Time) -> Option<bool> {
        match &self.last {
            Some(used) if used.at >= time => Some(false),
            _ if self.tracked_since <= time => Some(true),
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_nanos(0).plus_seconds(seconds)
    }

    fn used(since: i64, last: Option<i64>) -> LastUse {
        let last = last.map(|seconds| KeyUse {
            at: at(seconds),
            operation: "Decrypt".to_owned(),
            event_id: seconds.to_string(),
        });
        LastUse { tracked_since: at(since), last }
    }

    #[test]
    fn a_use_within_a_day_of_the_recorded_one_is_not_recorded() {
        let known = used(0, Some(1_000));
        for (seen, is_news) in [
            (used(0, Some(1_000)), false),
            (used(0, Some(87_399)), false),
            (used(0, Some(87_400)), true),
            (used(0, None), false),
            (used(5, Some(1_000)), true),
        ] {
            assert_eq!(seen.is_news(Some(&known)), is_news, "{seen:?}");
        }
        assert!(used(0, None).is_news(None) && used(0, Some(1)).is_news(Some(&used(0, None))));
        assert!(!used(0, None).is_news(Some(&used(0, None))));
    }

    #[test]
    fn before_the_start_of_recording_nothing_is_unused() {
        assert_eq!(used(100, None).is_unused_since(at(50)), None);
        assert_eq!(used(100, None).is_unused_since(at(100)), Some(true));
        assert_eq!(used(0, Some(99)).is_unused_since(at(100)), Some(true));
        assert_eq!(used(0, Some(100)).is_unused_since(at(100)), Some(false));
        assert_eq!(used(100, Some(120)).is_unused_since(at(110)), Some(false));
    }
}
