//! A bound on the changes of one user, so that nobody fills the log, which keeps every change for ever.

use crate::domain::id::UserId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The seconds for which a user who was idle may exceed the rate.
const BURST_SECONDS: f64 = 10.0;

/// The bytes of a body for which a change counts once more: what is recorded is about as long.
const BYTES: u64 = 4096;

/// The changes that each user may still make (token buckets).
pub struct ChangeRate {
    /// 0 for no bound.
    per_second: f64,
    /// The users who changed something lately.
    left: Mutex<HashMap<UserId, Left>>,
}

struct Left {
    changes: f64,
    at: Instant,
}

impl ChangeRate {
    /// The bound of this number of changes a second over some time; 0 for none.
    pub fn of(per_second: u32) -> Self {
        Self { per_second: per_second.into(), left: Mutex::default() }
    }

    /// Counts a change of a user with a body of so many bytes.
    ///
    /// # Errors
    /// The seconds after which the user can try again.
    pub fn count(&self, user: UserId, bytes: u64, now: Instant) -> Result<(), u64> {
        if self.per_second == 0.0 {
            return Ok(());
        }
        let most = self.per_second * BURST_SECONDS;
        let mut users = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = users.entry(user).or_insert(Left { changes: most, at: now });
        let earned = now.saturating_duration_since(left.at).as_secs_f64() * self.per_second;
        *left = Left { changes: (left.changes + earned).min(most), at: now };
        // Each change is possible at some time.
        let cost = (1.0 + (bytes / BYTES) as f64).min(most);
        if left.changes < cost {
            return Err(((cost - left.changes) / self.per_second).ceil() as u64);
        }
        left.changes -= cost;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    #[test]
    fn a_user_may_exceed_the_rate_for_a_while_and_others_are_not_affected() {
        let (rate, began) = (ChangeRate::of(2), Instant::now());
        let (ann, bob) = (UserId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
        let at = |seconds: f64| began + Duration::from_secs_f64(seconds);
        assert_eq!((0..25).filter(|_| rate.count(ann, 0, began).is_ok()).count(), 20);
        assert_eq!((rate.count(ann, 0, began), rate.count(bob, 0, began)), (Err(1), Ok(())));
        assert_eq!((rate.count(ann, 0, at(0.6)), rate.count(ann, 0, at(0.6))), (Ok(()), Err(1)));
        assert_eq!((0..25).filter(|_| rate.count(ann, 0, at(1_000.0)).is_ok()).count(), 20);
    }

    #[test]
    fn a_long_body_counts_as_several_changes_and_is_possible_at_some_time() {
        let (rate, began) = (ChangeRate::of(2), Instant::now());
        let (ann, bob) = (UserId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
        // 20 changes at first; each of these counts as nine.
        assert_eq!((0..5).filter(|_| rate.count(ann, 32 * 1024, began).is_ok()).count(), 2);
        assert_eq!((rate.count(ann, 32 * 1024, began), rate.count(ann, 0, began)), (Err(4), Ok(())));
        assert_eq!((rate.count(bob, u64::MAX, began), rate.count(bob, 0, began)), (Ok(()), Err(1)));
    }

    #[test]
    fn zero_is_no_bound() {
        let rate = ChangeRate::of(0);
        assert!((0..10_000).all(|_| rate.count(UserId::new(Uuid::nil()), 0, Instant::now()).is_ok()));
    }
}
