//! What is done with operations that have no outcome: the program ended before it came, or AWS could not be asked. AWS
//! is looked at until it is known what became of them.

use super::perform::Way;
use crate::domain::id::OperationId;
use crate::domain::state::PendingOperation;
use crate::service::{Core, system_change};
use std::sync::Arc;
use std::time::Duration;

/// How long AWS is left alone when it could not be asked.
const PAUSE: Duration = Duration::from_secs(30);

impl Core {
    /// Ends what the last run of the program left open, and goes on looking for what this one leaves.
    pub(in crate::service) fn reconcile_for_ever(self: &Arc<Self>) {
        let core = self.clone();
        self.runtime.spawn(async move {
            loop {
                let open: Vec<OperationId> = core.state().state.operations.keys().copied().collect();
                for operation in open {
                    let Some(_claim) = core.at_work.claim(operation) else { continue };
                    // It may have ended since.
                    let pending = core.state().state.operations.get(&operation).cloned();
                    if let Some(pending) = pending {
                        core.reconcile(operation, &pending).await;
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    async fn reconcile(&self, operation: OperationId, pending: &PendingOperation) {
        tracing::info!(%operation, key = %pending.key, "looking for what became of an operation");
        let change = system_change("reconcile");
        if let Err(failure) = self.end(&change, operation, pending, Way::Again).await {
            tracing::warn!(%operation, key = %pending.key, %failure, "the operation did not come to its end");
        }
    }
}
