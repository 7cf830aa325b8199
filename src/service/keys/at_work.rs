//! Which operations somebody is at, in this run of the program: nobody else may look after them meanwhile.

use crate::domain::id::OperationId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The operations. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct AtWork(Arc<Mutex<HashSet<OperationId>>>);

/// The word that one is at an operation, until it is dropped.
pub(crate) struct Claim {
    at_work: AtWork,
    operation: OperationId,
}

impl AtWork {
    /// Takes an operation; none if somebody is at it.
    pub(crate) fn claim(&self, operation: OperationId) -> Option<Claim> {
        self.operations().insert(operation).then(|| Claim { at_work: self.clone(), operation })
    }

    fn operations(&self) -> MutexGuard<'_, HashSet<OperationId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.at_work.operations().remove(&self.operation);
    }
}
