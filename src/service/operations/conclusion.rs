//! What an attempt says of what AWS has done, and how that is written down. Each rule here stands for a fault that was
//! found: none may go without the test that belongs to it (`keys/tests.rs`, `tests/api`, the crash matrix).

use super::{Attempted, Concluded, OperationTarget, Operations, Progress, Requested, Stage, StepError};
use crate::aws::failure::AwsFailure;
use crate::aws::operation::AwsOperation;
use crate::domain::key::command::Outcome;
use crate::ledger::Committed;
use crate::service::failure::Failure;

impl<T: OperationTarget> Attempted<T> {
    /// Writes down what the attempt came to.
    pub(super) async fn conclude(self, operations: &Operations<T>) -> Concluded<T> {
        let Self { requested, result } = self;
        Concluded::Ended(match result {
            Ok(Progress::Underway { again_after, made }) => {
                return Concluded::Underway { next: requested.recovery(made), again_after };
            }
            Ok(Progress::Done { seen, related }) => operations.note_done(&requested, seen, related).await,
            Err(error) if error.stage == Stage::Unread => operations.note_unread(&requested, error).await,
            Err(error) => Err(operations.note_stopped(&requested, error).await),
        })
    }
}

impl<T: OperationTarget> Operations<T> {
    async fn note_done(
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
        self.note(requested, outcome, related).await
    }

    /// AWS has done all of it, and what it holds now could not be read. If it cannot be read now either, it will be
    /// later; but a thing that is gone, or that may not be read any more, is not waited for.
    async fn note_unread(&self, requested: &Requested<T>, error: StepError<T>) -> Result<Committed, Failure> {
        let StepError { failure, reached, told, .. } = error;
        let (target, pending) = (&self.target, &requested.pending);
        let Some(handle) = reached else { return Err(failure) };
        let published = self.recorder.state();
        let is_known = !target.makes(pending) && target.handle(&published.state, pending).is_some();
        let seen = match target.look(pending, &handle).await {
            Ok(seen) => seen,
            Err(Failure::Cloud(cloud)) if cloud.is_not_found() && is_known => {
                self.note(requested, Outcome::Failed(failure.to_string()), None).await?;
                target.note_if_vanished(&requested.change, pending).await;
                return Err(failure);
            }
            // Only after the first attempt: before the program ended it may not have been sent.
            Err(Failure::Cloud(cloud)) if requested.attempt.is_first() && target.is_unreadable(&cloud) => {
                match target.assumed(&published.state, pending, told.map(|told| *told)) {
                    Some(seen) => seen,
                    None => return Err(failure),
                }
            }
            Err(_) => return Err(failure),
        };
        let related = target.look_at_related(pending).await;
        self.note_done(requested, seen, related).await
    }

    /// Writes down how far an operation came that was stopped, and gives the caller's failure. If AWS cannot be asked
    /// what it did, the operation stays open, and is taken up again later.
    async fn note_stopped(&self, requested: &Requested<T>, error: StepError<T>) -> Failure {
        let StepError { failure, stage, reached, told: _ } = error;
        let (target, pending) = (&self.target, &requested.pending);
        let is_first = requested.attempt.is_first();
        let is_known = match stage {
            Stage::Refused if is_first => true,
            // Without a word of AWS's about the thing, what stops the look says nothing of what was done before; and
            // what was only held up can go on later.
            Stage::Refused => is_over(target.as_ref(), &failure) || (reached.is_some() && is_final(&failure)),
            Stage::Unknown | Stage::Unread => false,
        };
        if !is_first && !is_known {
            return failure;
        }
        let known = || target.handle(&self.recorder.state().state, pending);
        let makes = target.makes(pending);
        let outcome = match reached.map(|reached| *reached).or_else(known) {
            // In a recovery what is refused now may have been done the first time.
            Some(_) if is_known && !makes && is_first => Outcome::Failed(failure.to_string()),
            None => Outcome::Failed(failure.to_string()),
            Some(handle) => match target.look(pending, &handle).await {
                Ok(seen) if makes && !target.is_complete(&self.recorder.state().state, pending, &seen) => {
                    Outcome::Halfway { reason: failure.to_string(), seen }
                }
                Ok(seen) => Outcome::Reconciled(seen),
                // Not even that is known.
                Err(_) => return failure,
            },
        };
        let failed = match &outcome {
            Outcome::Failed(_) => true,
            Outcome::Done(_) | Outcome::Reconciled(_) | Outcome::Halfway { .. } => false,
        };
        let related = target.look_at_related(pending).await;
        if let Err(worse) = self.note(requested, outcome, related).await {
            return worse;
        }
        if failed && matches!(&failure, Failure::Cloud(cloud) if cloud.is_not_found()) {
            target.note_if_vanished(&requested.change, pending).await;
        }
        failure
    }

    async fn note(
        &self,
        requested: &Requested<T>,
        outcome: Outcome<T::Seen>,
        related: Option<T::Related>,
    ) -> Result<Committed, Failure> {
        let command = self.target.conclusion(requested.operation, outcome, related);
        self.recorder.append(&requested.change, command).await
    }
}

/// Will no recovery find anything? AWS has made nothing, or the thing is not known here any more.
fn is_over<T: OperationTarget>(target: &T, failure: &Failure) -> bool {
    matches!(failure, Failure::Interrupted) || target.is_forgotten(failure)
}

/// Would it fail again however often it is tried?
fn is_final(failure: &Failure) -> bool {
    match failure {
        Failure::Cloud(cloud @ AwsFailure::Refused { .. }) => cloud.operation() != AwsOperation::ASSUME_ROLE,
        failure => matches!(failure, Failure::Refused(_)),
    }
}
