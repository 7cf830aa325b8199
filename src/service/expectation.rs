//! The version of a resource that a client saw when it asked for a change (`If-Match`). The ledger's writer compares it,
//! so that no change of somebody else comes in between.

use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::version::Expected;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An expected version, and whether the change was recorded. A change can have several records, and only the first of
/// them finds the version that the client saw. Copies share that.
#[derive(Clone, Debug)]
pub struct Expectation(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    expected: Expected,
    /// Whether the events that were decided last are of the resource.
    changes: AtomicBool,
    is_met: AtomicBool,
}

impl Expectation {
    pub fn of(expected: Expected) -> Self {
        Self(Arc::new(Shared { expected, changes: AtomicBool::new(false), is_met: AtomicBool::new(false) }))
    }

    /// Checks the version, unless a change of the resource was recorded.
    ///
    /// # Errors
    /// When the resource has another version.
    pub fn check(&self, state: &State) -> Result<(), Refusal> {
        if self.0.is_met.load(Ordering::Acquire) { Ok(()) } else { self.0.expected.check(state) }
    }

    /// Notes what is going to be recorded. The writer may decide more than once.
    pub(super) fn decided(&self, events: &[Event]) {
        self.0.changes.store(self.0.expected.is_changed_by(events), Ordering::Release);
    }

    /// Notes that what was decided last is recorded.
    pub(super) fn recorded(&self) {
        if self.0.changes.load(Ordering::Acquire) {
            self.0.is_met.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{KmsEvent, Stream};
    use crate::domain::key::example::{added, after, at, found, kms_id};

    #[test]
    fn only_the_first_record_of_the_resource_must_find_the_version() {
        let archived = Event::Kms(kms_id(0), KmsEvent::Archived);
        let before = after(&[added(0, &["eu-west-3"])]);
        let later = after(&[added(0, &["eu-west-3"]), archived.clone()]);
        let expectation = Expectation::of(Expected { resource: Stream::Kms(kms_id(0)), versions: vec![at(1)] });
        let copy = expectation.clone();
        assert_eq!((copy.check(&before).is_ok(), copy.check(&later).is_ok()), (true, false));
        expectation.decided(&[found(1, "a")]);
        expectation.recorded();
        assert!(copy.check(&later).is_err(), "another resource was changed");
        expectation.decided(&[archived]);
        assert!(copy.check(&later).is_err(), "it is not recorded yet");
        expectation.recorded();
        assert!(copy.check(&later).is_ok());
    }
}
