//! What is done with operations that have no outcome: the program ended before it came, or AWS could not be asked. AWS
//! is looked at until it is known what became of them.

use super::{Attempt, Concluded, OperationTarget, Operations, Requested, log_end};
use crate::domain::id::OperationId;
#[cfg(test)]
use crate::ledger::Committed;
use crate::service::caller::Change;
#[cfg(test)]
use crate::service::failure::Failure;
use crate::service::system_change;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long AWS is left alone when it could not be asked.
const PAUSE: Duration = Duration::from_secs(30);

impl<T: OperationTarget> Operations<T> {
    /// Ends what the last run of the program left open, and goes on looking for what this one leaves.
    pub(in crate::service) fn reconcile_forever(&self) {
        let operations = self.clone();
        self.runtime.spawn(async move {
            loop {
                for operation in operations.target.open(&operations.recorder.state().state) {
                    operations.take_up(operation).await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Takes up an operation, unless another task is at it. What AWS is still at does not keep the others waiting.
    async fn take_up(&self, operation: OperationId) {
        let Some(claim) = self.claims.claim(operation) else { return };
        tracing::info!(%operation, "looking for what became of an operation");
        match self.recover(&system_change("reconcile"), operation).await {
            // It has ended since.
            None => {}
            Some(Concluded::Ended(ended)) => log_end(operation, ended),
            Some(Concluded::Underway { next, again_after }) => {
                let operations = self.clone();
                self.runtime.spawn(async move {
                    let _claim = claim;
                    tokio::time::sleep(again_after).await;
                    // Nobody waits for an answer.
                    operations.follow(next, oneshot::channel().0).await;
                });
            }
        }
    }

    /// Asks AWS once what it has done of an operation that has no outcome.
    async fn recover(&self, change: &Change, operation: OperationId) -> Option<Concluded<T>> {
        let pending = self.target.pending(&self.recorder.state().state, operation)?;
        let attempt = Attempt::Recovery { made: None };
        Some(self.advance(Requested { operation, pending, change: change.clone(), attempt }).await)
    }

    /// The same for tests, which need not wait for the reconciler.
    #[cfg(test)]
    pub(in crate::service) async fn recover_now(&self, operation: OperationId) -> Option<Result<Committed, Failure>> {
        match self.recover(&system_change("test"), operation).await? {
            Concluded::Ended(ended) => Some(ended),
            Concluded::Underway { .. } => None,
        }
    }
}
