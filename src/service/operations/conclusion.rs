//! Derives the outcome of an operation from an attempt, and records it. Each rule here fixes a fault that was found,
//! and has a test: in `keys/tests.rs`, in `tests/api`, or in the crash matrix.

use super::{Attempted, Concluded, OperationTarget, Operations, Progress, Requested, Stage, StepError};
use crate::aws::failure::AwsFailure;
use crate::aws::operation::AwsOperation;
use crate::domain::key::command::Outcome;
use crate::ledger::Committed;
use crate::service::failure::Failure;

impl<T: OperationTarget> Attempted<T> {
    /// Records the outcome of the attempt.
    pub(super) async fn conclude(self, operations: &Operations<T>) -> Concluded<T> {
        let Self { requested, result } = self;
        Concluded::Ended(match result {
            Ok(Progress::Underway { again_after, made }) => {
                return Concluded::Underway { next: requested.recovery(made), again_after };
            }
            Ok(Progress::Done { seen, related }) => operations.record_done(&requested, seen, related).await,
            Err(error) if error.stage == Stage::Unread => operations.record_unread(&requested, error).await,
            Err(error) => Err(operations.record_stopped(&requested, error).await),
        })
    }
}

impl<T: OperationTarget> Operations<T> {
    async fn record_done(
        &self,
        requested: &Requested<T>,
        seen: T::Seen,
        related: Option<T::Related>,
    ) -> Result<Committed, Failure> {
        self.target.before_outcome(&requested.change, &requested.pending, &seen).await;
        let outcome = match requested.attempt.is_first() {
            true => Outcome::Done(seen),
            false => Outcome::Reconciled(seen),
        };
        self.record(requested, outcome, related).await
    }

    /// Records an operation that AWS has done and whose result could not be read. The result is read again now. If that
    /// fails, the operation stays pending and is reconciled later, unless the resource no longer exists or must not be
    /// read.
    async fn record_unread(&self, requested: &Requested<T>, error: StepError<T>) -> Result<Committed, Failure> {
        let StepError { failure, reached, created, .. } = error;
        let (target, pending) = (&self.target, &requested.pending);
        let Some(handle) = reached else { return Err(failure) };
        let published = self.recorder.state();
        let is_known = !target.makes(pending) && target.handle(&published.state, pending).is_some();
        let seen = match target.read(pending, &handle).await {
            Ok(seen) => seen,
            Err(Failure::Cloud(cloud)) if cloud.is_not_found() && is_known => {
                self.record(requested, Outcome::Failed(failure.to_string()), None).await?;
                target.record_if_vanished(&requested.change, pending).await;
                return Err(failure);
            }
            // Valid after the first attempt only. Before a recovery the program may have ended without calling AWS.
            Err(Failure::Cloud(cloud)) if requested.attempt.is_first() && target.is_unreadable(&cloud) => {
                match target.assumed(&published.state, pending, created.map(|created| *created)) {
                    Some(seen) => seen,
                    None => return Err(failure),
                }
            }
            Err(_) => return Err(failure),
        };
        let related = target.read_related(pending).await;
        self.record_done(requested, seen, related).await
    }

    /// Records how far a failed operation came, and returns the failure for the caller. If it cannot be read from AWS,
    /// the operation stays pending and is reconciled later.
    async fn record_stopped(&self, requested: &Requested<T>, error: StepError<T>) -> Failure {
        let StepError { failure, stage, reached, created: _ } = error;
        let (target, pending) = (&self.target, &requested.pending);
        let is_first = requested.attempt.is_first();
        let is_known = match stage {
            Stage::Refused if is_first => true,
            // In a recovery, a refusal that does not concern the resource itself says nothing about the previous
            // attempt, and an operation that can still succeed is retried later.
            Stage::Refused => is_over(target.as_ref(), &failure) || (reached.is_some() && is_final(&failure)),
            Stage::Unknown | Stage::Unread => false,
        };
        if !is_first && !is_known {
            return failure;
        }
        let known = || target.handle(&self.recorder.state().state, pending);
        let makes = target.makes(pending);
        let (outcome, failure) = match reached.map(|reached| *reached).or_else(known) {
            // In a recovery, AWS may have done before what it refuses now.
            Some(_) if is_known && !makes && is_first => (Outcome::Failed(failure.to_string()), failure),
            None => (Outcome::Failed(failure.to_string()), failure),
            Some(handle) => match target.read(pending, &handle).await {
                Ok(seen) if makes && !target.is_complete(&self.recorder.state().state, pending, &seen) => {
                    let (seen, rest) = target.undo(pending, &handle, seen).await;
                    let failure = failure.leaving(rest);
                    (Outcome::Halfway { reason: failure.to_string(), seen }, failure)
                }
                Ok(seen) => (Outcome::Reconciled(seen), failure),
                Err(_) => return failure,
            },
        };
        let failed = match &outcome {
            Outcome::Failed(_) => true,
            Outcome::Done(_) | Outcome::Reconciled(_) | Outcome::Halfway { .. } => false,
        };
        let related = target.read_related(pending).await;
        if let Err(worse) = self.record(requested, outcome, related).await {
            return worse;
        }
        if failed && matches!(&failure, Failure::Cloud(cloud) if cloud.is_not_found()) {
            target.record_if_vanished(&requested.change, pending).await;
        }
        failure
    }

    async fn record(
        &self,
        requested: &Requested<T>,
        outcome: Outcome<T::Seen>,
        related: Option<T::Related>,
    ) -> Result<Committed, Failure> {
        let command = self.target.conclusion(requested.operation, outcome, related);
        let recorded = self.recorder.append(&requested.change, command).await?;
        self.target.after_outcome(&requested.change, &requested.pending).await;
        Ok(recorded)
    }
}

/// Returns whether no recovery can succeed: AWS has created nothing, or the resource has no entry here any more.
fn is_over<T: OperationTarget>(target: &T, failure: &Failure) -> bool {
    matches!(failure, Failure::Interrupted) || target.is_forgotten(failure)
}

/// Returns whether every retry would fail again.
fn is_final(failure: &Failure) -> bool {
    match failure {
        Failure::Cloud(cloud @ AwsFailure::Refused { .. }) => cloud.operation() != AwsOperation::ASSUME_ROLE,
        failure => matches!(failure, Failure::Refused(_)),
    }
}
