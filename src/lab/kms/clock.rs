//! The clock of the lab's KMS: the machine's, moved ahead as far as a test has asked for.
//!
//! Waiting periods, expiry and rotation follow it. Signatures and sessions do not: their times come from clients.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

#[derive(Debug)]
pub(super) struct Clock(AtomicU32);

impl Clock {
    /// A clock that is ahead of the machine's by so many seconds.
    pub(super) fn ahead_by(seconds: u32) -> Clock {
        Clock(AtomicU32::new(seconds))
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(i64::from(self.ahead_seconds()))
    }

    /// How far it is ahead.
    pub(super) fn ahead_seconds(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets how far it is ahead. What has happened stays as it is, even if that is less than before.
    pub(super) fn set(&self, seconds: u32) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}
