//! The version of a resource that a client saw when it asked for a change (`If-Match`). The ledger's writer compares
//! it, so that no change of somebody else comes in between.

use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::version::Expected;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An expected version, and whether the change has begun. A change can have several records; only the first of them
/// must find the version, since a later refusal would leave the change half done. Copies share that.
#[derive(Clone, Debug)]
pub struct Expectation(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    expected: Expected,
    is_met: AtomicBool,
}

impl Expectation {
    pub fn of(expected: Expected) -> Self {
        Self(Arc::new(Shared { expected, is_met: AtomicBool::new(false) }))
    }

    /// Checks the version, unless a part of the change is recorded already.
    ///
    /// # Errors
    /// When the resource has another version.
    pub fn check(&self, state: &State) -> Result<(), Refusal> {
        if self.0.is_met.load(Ordering::Acquire) { Ok(()) } else { self.0.expected.check(state) }
    }

    /// Notes that the first part of the change is recorded.
    pub(super) fn recorded(&self) {
        self.0.is_met.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Event, KmsEvent, Stream};
    use crate::domain::key::example::{added, after, at, kms_id};

    #[test]
    fn only_the_first_record_of_a_change_must_find_the_version() {
        let before = after(&[added(0, &["eu-west-3"])]);
        let later = after(&[added(0, &["eu-west-3"]), Event::Kms(kms_id(0), KmsEvent::Archived)]);
        let expectation = Expectation::of(Expected { resource: Stream::Kms(kms_id(0)), versions: vec![at(1)] });
        let copy = expectation.clone();
        assert_eq!((copy.check(&before).is_ok(), copy.check(&later).is_ok()), (true, false));
        expectation.recorded();
        assert!(copy.check(&later).is_ok());
    }
}
