//! Reconciles operations that have no outcome, because the program ended or AWS could not be reached. AWS is asked
//! until their outcome is known.

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

/// The pause between two rounds of reconciliation.
const PAUSE: Duration = Duration::from_secs(30);

impl<T: OperationTarget> Operations<T> {
    /// Starts the task that recovers pending operations, those of earlier runs of the program and those of this one,
    /// and requests the operations that follow from them.
    pub(in crate::service) fn reconcile_forever(&self) {
        let operations = self.clone();
        self.runtime.spawn(async move {
            loop {
                for operation in operations.target.open(&operations.recorder.state().state) {
                    operations.reconcile(operation).await;
                }
                for (operation, request) in operations.target.following(&operations.recorder.state().state) {
                    if let Err(failure) = operations.run(&system_change("follow-up"), operation, request).await {
                        tracing::warn!(%operation, %failure, "an operation that follows from others failed");
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Recovers an operation, unless another task works on it. An operation that AWS is still working on is followed by
    /// a task of its own, so that the others do not wait.
    async fn reconcile(&self, operation: OperationId) {
        let Some(claim) = self.claims.claim(operation) else { return };
        tracing::info!(%operation, "recovering an operation");
        match self.recover(&system_change("reconcile"), operation).await {
            // It has ended meanwhile.
            None => {}
            Some(Concluded::Ended(ended)) => log_end(operation, ended),
            Some(Concluded::Underway { next, again_after }) => {
                let operations = self.clone();
                self.runtime.spawn(async move {
                    let _claim = claim;
                    tokio::time::sleep(again_after).await;
                    // No request waits for an answer.
                    operations.follow(next, oneshot::channel().0).await;
                });
            }
        }
    }

    /// Makes one attempt to recover an operation; `None` if it has an outcome.
    async fn recover(&self, change: &Change, operation: OperationId) -> Option<Concluded<T>> {
        let pending = self.target.pending(&self.recorder.state().state, operation)?;
        let attempt = Attempt::Recovery { made: None };
        Some(self.advance(Requested { operation, pending, change: change.clone(), attempt }).await)
    }

    /// Recovers an operation at once, for tests.
    #[cfg(test)]
    pub(in crate::service) async fn recover_now(&self, operation: OperationId) -> Option<Result<Committed, Failure>> {
        match self.recover(&system_change("test"), operation).await? {
            Concluded::Ended(ended) => Some(ended),
            Concluded::Underway { .. } => None,
        }
    }
}
