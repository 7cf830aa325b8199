//! Claims on operations: while one task of this process works on an operation, no other task recovers it.

use crate::domain::id::OperationId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The claimed operations. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Claims(Arc<Mutex<HashSet<OperationId>>>);

/// The claim of one task to one operation. Dropping it releases the claim.
pub(super) struct Claim {
    claims: Claims,
    operation: OperationId,
}

impl Claims {
    /// Claims an operation; `None` if another task has claimed it.
    pub(super) fn claim(&self, operation: OperationId) -> Option<Claim> {
        self.operations().insert(operation).then(|| Claim { claims: self.clone(), operation })
    }

    fn operations(&self) -> MutexGuard<'_, HashSet<OperationId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.operations().remove(&self.operation);
    }
}
