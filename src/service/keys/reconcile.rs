//! What is done with operations that have no outcome: the program ended before it came, or AWS could not be asked. AWS
//! is looked at until it is known what became of them.

use super::perform::Way;
use crate::domain::id::OperationId;
use crate::domain::state::Underway;
use crate::service::{Core, system_change};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// How long AWS is left alone when it could not be asked.
const PAUSE: Duration = Duration::from_secs(30);

/// An operation younger than this has somebody who is still at it.
const AT_WORK: i64 = 600;

impl Core {
    /// Ends what the last run of the program left open, and goes on looking for what this one leaves.
    pub(in crate::service) fn reconcile_for_ever(self: &Arc<Self>) {
        let core = self.clone();
        // By their ids: if the clock was set back in between, they are later than now.
        let left: HashSet<OperationId> = self.state().state.operations.keys().copied().collect();
        self.runtime.spawn(async move {
            loop {
                let now = core.now();
                let open: Vec<_> = core.state().state.operations.iter().map(|(id, it)| (*id, it.clone())).collect();
                for (operation, underway) in open {
                    if left.contains(&operation) || underway.since.plus_seconds(AT_WORK) < now {
                        core.reconcile(operation, &underway).await;
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    async fn reconcile(&self, operation: OperationId, underway: &Underway) {
        tracing::info!(%operation, key = %underway.key, "looking for what became of an operation");
        let change = system_change("reconcile");
        if let Err(failure) = self.end(&change, operation, underway, Way::Again).await {
            tracing::warn!(%operation, key = %underway.key, %failure, "the operation did not come to its end");
        }
    }
}
