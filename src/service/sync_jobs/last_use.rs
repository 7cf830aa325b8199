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

/// The number of calls in a row that AWS throttled, or that had no answer, after which AWS is not asked again. Many keys are
/// read at once, so a moment of it fails many calls, and says nothing of the next; each was repeated for a while already.
const PASSING_MAX: u32 = 200;

#[derive(Default)]
pub(super) struct LastUses {
    failed_in_a_row: AtomicU32,
    passing_in_a_row: AtomicU32,
    failed: AtomicU32,
    first: Mutex<Option<AwsFailure>>,
}

impl LastUses {
    /// Returns when a key was last used; `None` if AWS does not say.
    pub(super) async fn of(&self, at: &RegionAccess, metadata: &KeyMetadata, asked: Time) -> Option<LastUse> {
        if self.gave_up() {
            return None;
        }
        self.note(reading::last_use(at, metadata, asked).await)
    }

    fn note(&self, answer: Result<Option<LastUse>, AwsFailure>) -> Option<LastUse> {
        match answer {
            Ok(seen) => {
                self.failed_in_a_row.store(0, Ordering::Relaxed);
                self.passing_in_a_row.store(0, Ordering::Relaxed);
                seen
            }
            Err(failure) => {
                let in_a_row = if is_passing(&failure) { &self.passing_in_a_row } else { &self.failed_in_a_row };
                in_a_row.fetch_add(1, Ordering::Relaxed);
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                None
            }
        }
    }

    fn gave_up(&self) -> bool {
        self.failed_in_a_row.load(Ordering::Relaxed) >= FAILURES_MAX
            || self.passing_in_a_row.load(Ordering::Relaxed) >= PASSING_MAX
    }

    /// Why the last use of some keys is not known; `None` if AWS answered for all.
    pub(super) fn unanswered(&self) -> Option<Unanswered> {
        let gave_up = self.gave_up();
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Unanswered { keys: self.failed.load(Ordering::Relaxed), gave_up, first })
    }
}

/// Whether a failure is of the moment, and not of the permissions or of the region.
fn is_passing(failure: &AwsFailure) -> bool {
    match failure {
        AwsFailure::Throttled { .. }
        | AwsFailure::Faulty { .. }
        | AwsFailure::Timeout { .. }
        | AwsFailure::Unreachable { .. } => true,
        AwsFailure::Refused { .. } | AwsFailure::Unintelligible { .. } | AwsFailure::NotSent { .. } => false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::call::AwsCall;
    use crate::aws::kms::calls::GetKeyLastUsage;

    #[test]
    fn throttling_does_not_end_the_questions_as_a_denial_does() {
        let operation = GetKeyLastUsage::OPERATION;
        let text = || "x".to_owned();
        let throttled = || AwsFailure::Throttled { operation, code: text(), message: text() };
        let denied = || AwsFailure::Refused { operation, status: 400, code: text(), message: text() };
        let after = |failures: u32, failure: &dyn Fn() -> AwsFailure| {
            let uses = LastUses::default();
            (0..failures).for_each(|_| assert_eq!(uses.note(Err(failure())), None));
            uses
        };
        assert!(after(FAILURES_MAX, &denied).gave_up() && !after(FAILURES_MAX - 1, &denied).gave_up());
        let uses = after(PASSING_MAX - 1, &throttled);
        assert!(!uses.gave_up(), "a burst of throttling passes");
        uses.note(Ok(None));
        uses.note(Err(throttled()));
        assert!(!uses.gave_up());
        assert_eq!(uses.unanswered().map(|unanswered| unanswered.keys), Some(PASSING_MAX));
        assert!(after(PASSING_MAX, &throttled).gave_up());
    }
}
