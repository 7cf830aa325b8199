//! Failed logins under unknown names. They are counted like those of users, so that a lockout does not reveal whether a
//! user exists. The counts are in memory only; losing them at a restart locks or unlocks no existing user.

use crate::domain::password::PasswordPolicy;
use crate::domain::time::Time;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures by name and source address.
#[derive(Default)]
pub struct UnknownUserFailures(Mutex<HashMap<(String, String), (u32, Time)>>);

/// The maximum number of pairs. When it is reached, the older half is dropped.
const PAIRS_MAX: usize = 10_000;

impl UnknownUserFailures {
    /// The end of the lockout for this name and source, if there is one.
    pub fn locked_until(&self, policy: &PasswordPolicy, name: &str, source: &str) -> Option<Time> {
        let pairs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = pairs.get(&(name.to_owned(), source.to_owned()))?;
        policy.locked_until(*count, *last)
    }

    /// Records a failure, and returns the number of failures in a row.
    pub fn record(&self, name: &str, source: &str, at: Time) -> u32 {
        let mut pairs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() >= PAIRS_MAX {
            let mut times: Vec<_> = pairs.values().map(|(_, last)| *last).collect();
            let (_, median, _) = times.select_nth_unstable(PAIRS_MAX / 2);
            let median = *median;
            pairs.retain(|_, (_, last)| *last > median);
        }
        let entry = pairs.entry((name.to_owned(), source.to_owned())).or_insert((0, at));
        *entry = (entry.0.saturating_add(1), at);
        entry.0
    }
}

/// The delay of the response to a failed login, measured from the start of the attempt: 125 ms, doubled with each
/// failure, up to two seconds.
pub fn delay(failures: u32) -> Duration {
    Duration::from_millis(125) * 2u32.pow(failures.saturating_sub(1).min(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_locked_like_users_and_their_number_is_limited() {
        let (unknown_users, policy) = (UnknownUserFailures::default(), PasswordPolicy::default());
        let at = Time::from_nanos(0);
        for failure in 1..=5 {
            assert_eq!(unknown_users.locked_until(&policy, "eve", "10.0.0.1"), None);
            assert_eq!(unknown_users.record("eve", "10.0.0.1", at), failure);
        }
        assert_eq!(unknown_users.locked_until(&policy, "eve", "10.0.0.1"), Some(at.plus_seconds(60)));
        assert_eq!(unknown_users.locked_until(&policy, "eve", "10.0.0.2"), None);
        for n in 0..25_000 {
            unknown_users.record(&format!("n{n}"), "10.0.0.3", at.plus_seconds(n));
        }
        assert!(unknown_users.0.lock().expect("not poisoned").len() <= PAIRS_MAX);
    }

    #[test]
    fn the_delay_is_at_most_two_seconds() {
        assert_eq!(delay(1), Duration::from_millis(125));
        assert_eq!(delay(99), Duration::from_secs(2));
    }
}
