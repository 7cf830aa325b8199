//! Runs operations at AWS, for any kind of target. AWS cannot be rolled back, so the intent is recorded before AWS is
//! called and the outcome after it. The types are the steps: [`Requested`], [`Attempted`], [`Concluded`]; each is made
//! from the one before.
//!
//! A request waits for the outcome. If AWS takes minutes, the request is answered at once with the operation still
//! underway, and a task follows it. [`Operations::reconcile_forever`] recovers operations that have no outcome, because
//! the program ended or a response was lost.
//!
//! This module never calls AWS itself; the target does ([`OperationTarget`]).

mod claims;
mod conclusion;
mod reconciliation;
mod target;

pub(in crate::service) use target::{Attempt, OperationTarget, Progress, Stage, StepError};

use super::caller::Change;
use super::failure::Failure;
use super::own_calls;
use super::recorder::Recorder;
use crate::domain::command::Command;
use crate::domain::id::OperationId;
use crate::ledger::Committed;
use claims::Claims;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The operations on one kind of target.
pub(in crate::service) struct Operations<T: OperationTarget> {
    target: Arc<T>,
    recorder: Recorder,
    claims: Claims,
    /// Runs operations independently of the requests for them.
    runtime: Handle,
}

/// The answer to a request for an operation.
pub(in crate::service) enum Answer {
    Concluded(Committed),
    /// AWS is still working on it; the record is that of the intent.
    Underway(Committed),
}

/// An operation whose intent is recorded.
struct Requested<T: OperationTarget> {
    operation: OperationId,
    pending: T::Pending,
    change: Change,
    attempt: Attempt<T::Handle>,
}

/// An operation after an attempt.
struct Attempted<T: OperationTarget> {
    requested: Requested<T>,
    result: Result<Progress<T>, StepError<T>>,
}

/// An attempt, by whether it can be concluded.
enum Sifted<T: OperationTarget> {
    Attempted(Attempted<T>),
    /// The response of AWS to the first attempt was lost. The caller gets the failure, unless the recovery succeeds.
    AnswerLost {
        failure: Failure,
        recovery: Requested<T>,
    },
}

/// The conclusion of an attempt.
enum Concluded<T: OperationTarget> {
    /// The record of the outcome, or the failure of the operation.
    Ended(Result<Committed, Failure>),
    /// AWS is still working on it, and is asked again after this time.
    Underway { next: Requested<T>, again_after: Duration },
}

impl<T: OperationTarget> Operations<T> {
    pub(in crate::service) fn new(target: T, recorder: Recorder, runtime: Handle) -> Self {
        Self { target: Arc::new(target), recorder, claims: Claims::default(), runtime }
    }

    pub(in crate::service) fn target(&self) -> &T {
        &self.target
    }

    /// Records the intent, calls AWS, and records the outcome. Once the intent is recorded, the work continues even if
    /// the request is cancelled.
    ///
    /// # Errors
    /// The refusal by a rule, or the failure of AWS.
    pub(in crate::service) async fn run(
        &self,
        change: &Change,
        operation: OperationId,
        request: Command,
    ) -> Result<Answer, Failure> {
        self.run_recorded(change, operation, self.recorder.append(change, request)).await
    }

    /// Does the same, with an intent that `record` records.
    ///
    /// # Errors
    /// The refusal by a rule, or the failure of AWS.
    pub(in crate::service) async fn run_recorded(
        &self,
        change: &Change,
        operation: OperationId,
        record: impl Future<Output = Result<Committed, Failure>>,
    ) -> Result<Answer, Failure> {
        let claim = self.claims.claim(operation);
        let committed = record.await?;
        if change.dry_run {
            return Ok(Answer::Concluded(committed));
        }
        let Some(pending) = self.target.pending(&committed.published.state, operation) else {
            return Err(Failure::Internal("a requested operation is not in the state"));
        };
        let requested = Requested { operation, pending, change: change.done(), attempt: Attempt::First };
        let (operations, (answer, answered)) = (self.clone(), oneshot::channel());
        self.runtime.spawn(async move {
            let _claim = claim;
            operations.follow(requested, answer).await;
        });
        match answered.await.map_err(|_| Failure::Internal("the program is stopping"))? {
            Some(ended) => ended.map(Answer::Concluded),
            None => Ok(Answer::Underway(committed)),
        }
    }

    /// Follows an operation until it has ended. Sends the result as the answer, or `None` as soon as AWS takes longer.
    async fn follow(&self, mut requested: Requested<T>, answer: oneshot::Sender<Option<Result<Committed, Failure>>>) {
        let mut answer = Some(answer);
        let operation = requested.operation;
        let ended = loop {
            match self.advance(requested).await {
                Concluded::Ended(ended) => break ended,
                Concluded::Underway { next, again_after } => {
                    // The receiver is gone if the request was cancelled.
                    drop(answer.take().map(|answer| answer.send(None)));
                    tokio::time::sleep(again_after).await;
                    requested = next;
                }
            }
        };
        match answer {
            Some(answer) => drop(answer.send(Some(ended))),
            None => log_end(operation, ended),
        }
    }

    /// Makes one attempt, and concludes it. If the response of AWS was lost and AWS may have created something, a
    /// recovery follows at once.
    async fn advance(&self, requested: Requested<T>) -> Concluded<T> {
        let asker = own_calls::asker(&requested.change);
        asker.around(self.advance_as_asked(requested)).await
    }

    async fn advance_as_asked(&self, requested: Requested<T>) -> Concluded<T> {
        let (lost, recovery) = match requested.attempt(&self.target).await.sift(&self.target) {
            Sifted::Attempted(attempted) => return attempted.conclude(self).await,
            Sifted::AnswerLost { failure, recovery } => (failure, recovery),
        };
        let operation = recovery.operation;
        let recovered = recovery.attempt(&self.target).await.conclude(self).await;
        let is_open = self.target.pending(&self.recorder.state().state, operation).is_some();
        match recovered {
            // The failure of the recovery would suggest to the caller that AWS did nothing.
            Concluded::Ended(Err(_)) if is_open => Concluded::Ended(Err(lost)),
            Concluded::Ended(Err(Failure::Interrupted)) => Concluded::Ended(Err(lost)),
            recovered => recovered,
        }
    }
}

impl<T: OperationTarget> Clone for Operations<T> {
    fn clone(&self) -> Self {
        let (target, recorder) = (self.target.clone(), self.recorder.clone());
        Self { target, recorder, claims: self.claims.clone(), runtime: self.runtime.clone() }
    }
}

impl<T: OperationTarget> Requested<T> {
    async fn attempt(self, target: &T) -> Attempted<T> {
        let result = target.attempt(self.operation, &self.pending, &self.attempt).await;
        Attempted { requested: self, result }
    }

    /// The recovery of the operation, of which AWS may have done a part.
    fn recovery(self, made: Option<T::Handle>) -> Self {
        Self { attempt: Attempt::Recovery { made }, ..self }
    }
}

impl<T: OperationTarget> Attempted<T> {
    fn sift(self, target: &T) -> Sifted<T> {
        let Self { requested, result } = self;
        match result {
            Err(StepError { failure, stage: Stage::Unknown, reached, .. })
                if requested.attempt.is_first() && target.recovers_at_once(&requested.pending) =>
            {
                Sifted::AnswerLost { failure, recovery: requested.recovery(reached.map(|reached| *reached)) }
            }
            result => Sifted::Attempted(Self { requested, result }),
        }
    }
}

fn log_end(operation: OperationId, ended: Result<Committed, Failure>) {
    match ended {
        Ok(_) => tracing::info!(%operation, "the operation has ended"),
        Err(failure) => tracing::warn!(%operation, %failure, "the operation failed or is still pending"),
    }
}

#[cfg(test)]
mod tests;
