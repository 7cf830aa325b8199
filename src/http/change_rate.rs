//! A bound on the changes of one user, so that nobody fills the log, which keeps every change for ever.

use crate::domain::id::UserId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The seconds for which a user who was idle may exceed the rate.
const BURST_SECONDS: f64 = 10.0;

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

    /// Counts a change of a user.
    ///
    /// # Errors
    /// The seconds after which the user can try again.
    pub fn count(&self, user: UserId, now: Instant) -> Result<(), u64> {
        if self.per_second == 0.0 {
            return Ok(());
        }
        let most = self.per_second * BURST_SECONDS;
        let mut users = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = users.entry(user).or_insert(Left { changes: most, at: now });
        let earned = now.saturating_duration_since(left.at).as_secs_f64() * self.per_second;
        *left = Left { changes: (left.changes + earned).min(most), at: now };
        if left.changes < 1.0 {
            return Err(((1.0 - left.changes) / self.per_second).ceil() as u64);
        }
        left.changes -= 1.0;
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
        assert_eq!((0..25).filter(|_| rate.count(ann, began).is_ok()).count(), 20);
        assert_eq!((rate.count(ann, began), rate.count(bob, began)), (Err(1), Ok(())));
        assert_eq!((rate.count(ann, at(0.6)), rate.count(ann, at(0.6))), (Ok(()), Err(1)));
        assert_eq!((0..25).filter(|_| rate.count(ann, at(1_000.0)).is_ok()).count(), 20);
    }

    #[test]
    fn zero_is_no_bound() {
        let rate = ChangeRate::of(0);
        assert!((0..10_000).all(|_| rate.count(UserId::new(Uuid::nil()), Instant::now()).is_ok()));
    }
}
