//! The clock of the lab's KMS: the machine's clock plus an offset that a test sets.
//!
//! It determines deletion, expiry and rotation. Signatures and sessions use the machine's clock, because clients do.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

#[derive(Debug)]
pub(super) struct Clock(AtomicU32);

impl Clock {
    /// A clock that is ahead of the machine's clock by `seconds`.
    pub(super) fn ahead_by(seconds: u32) -> Clock {
        Clock(AtomicU32::new(seconds))
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(i64::from(self.ahead_seconds()))
    }

    pub(super) fn ahead_seconds(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the offset. A smaller offset does not undo changes.
    pub(super) fn set(&self, seconds: u32) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}
