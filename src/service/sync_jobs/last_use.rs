//! Asks AWS when the keys of a region were last used. That is worth less than the keys themselves: where AWS does not
//! answer it, the last use stays as it was known, and the synchronisation goes on. The reason is kept once for the region.

use crate::aws::failure::AwsFailure;
use crate::domain::key::last_use::LastUse;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::time::Time;
use crate::service::cloud::RegionAccess;
use crate::service::keys::reading;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The number of failures in a row after which AWS is not asked again: if IAM denies the call, or the region does not
/// know it, each key would cost a call in vain. A single key can have a policy that denies it.
const FAILURES_MAX: u32 = 20;

#[derive(Default)]
pub(super) struct LastUses {
    failed_in_a_row: AtomicU32,
    failed: AtomicU32,
    first: Mutex<Option<AwsFailure>>,
}

impl LastUses {
    /// Returns when a key was last used; `None` if AWS does not say.
    pub(super) async fn of(&self, at: &RegionAccess, metadata: &KeyMetadata, asked: Time) -> Option<LastUse> {
        if self.failed_in_a_row.load(Ordering::Relaxed) >= FAILURES_MAX {
            return None;
        }
        match reading::last_use(at, metadata, asked).await {
            Ok(seen) => {
                self.failed_in_a_row.store(0, Ordering::Relaxed);
                seen
            }
            Err(failure) => {
                self.failed_in_a_row.fetch_add(1, Ordering::Relaxed);
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                None
            }
        }
    }

    /// Why the last use of some keys is not known; `None` if AWS answered for all.
    pub(super) fn unanswered(&self) -> Option<Unanswered> {
        let gave_up = self.failed_in_a_row.load(Ordering::Relaxed) >= FAILURES_MAX;
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Unanswered { keys: self.failed.load(Ordering::Relaxed), gave_up, first })
    }
}

/// The keys whose last use AWS does not say.
pub(super) struct Unanswered {
    keys: u32,
    /// Whether AWS was not asked for the other keys any more.
    gave_up: bool,
    first: AwsFailure,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.gave_up {
            true => write!(f, "the last use of its keys is not known: {}", self.first),
            false => write!(f, "the last use of {} of its keys is not known: {}", self.keys, self.first),
        }
    }
}
