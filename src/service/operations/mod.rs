//! How an operation at AWS goes its way, whatever it works on. AWS cannot be rolled back, so the intent is in the log
//! before AWS is asked and the outcome after: [`Requested`], [`Attempted`], [`Concluded`], each made of the one before.
//!
//! A request waits for the outcome. When AWS takes minutes, the request is answered at once with the operation as it is
//! under way, and a task follows it. What the end of the program, or an answer that was lost, leaves without an outcome
//! is taken up again by [`Operations::reconcile_forever`].
//!
//! Nothing here asks AWS: that is the target's part ([`OperationTarget`]).

mod claims;
mod conclusion;
mod reconciliation;
mod target;

pub(in crate::service) use target::{Attempt, OperationTarget, Progress, Stage, StepError};

use super::caller::Change;
use super::failure::Failure;
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
    /// Where work goes on whose caller may go away.
    runtime: Handle,
}

/// What a request for an operation is answered with.
pub(in crate::service) enum Answer {
    Concluded(Committed),
    /// AWS is at it; this is how it was requested.
    Underway(Committed),
}

/// An operation whose intent is in the log.
struct Requested<T: OperationTarget> {
    operation: OperationId,
    pending: T::Pending,
    change: Change,
    attempt: Attempt<T::Handle>,
}

/// An operation that AWS was asked for.
struct Attempted<T: OperationTarget> {
    requested: Requested<T>,
    result: Result<Progress<T>, StepError<T>>,
}

/// An attempt, by whether it can be concluded.
enum Sifted<T: OperationTarget> {
    Attempted(Attempted<T>),
    /// AWS's answer to the first attempt was lost. The caller is told of the failure, unless the recovery succeeds.
    AnswerLost {
        failure: Failure,
        recovery: Requested<T>,
    },
}

/// What an attempt came to.
enum Concluded<T: OperationTarget> {
    /// Its outcome is in the log, or the failure says why not.
    Ended(Result<Committed, Failure>),
    /// AWS is at it: it is asked again after so long.
    Underway { next: Requested<T>, again_after: Duration },
}

impl<T: OperationTarget> Operations<T> {
    pub(in crate::service) fn new(target: T, recorder: Recorder, runtime: Handle) -> Self {
        Self { target: Arc::new(target), recorder, claims: Claims::default(), runtime }
    }

    /// Writes the intent down, asks AWS, and writes the outcome down. Once the intent is in the log the work goes on
    /// even if the caller goes away.
    ///
    /// # Errors
    /// What stands against it here, or what AWS says.
    pub(in crate::service) async fn run(
        &self,
        change: &Change,
        operation: OperationId,
        request: Command,
    ) -> Result<Answer, Failure> {
        let claim = self.claims.claim(operation);
        let committed = self.recorder.append(change, request).await?;
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

    /// Takes an operation to its end, however long AWS is at it. Answers with the end, or with none if AWS takes
    /// minutes.
    async fn follow(&self, mut requested: Requested<T>, answer: oneshot::Sender<Option<Result<Committed, Failure>>>) {
        let mut answer = Some(answer);
        let operation = requested.operation;
        let ended = loop {
            match self.advance(requested).await {
                Concluded::Ended(ended) => break ended,
                Concluded::Underway { next, again_after } => {
                    // The client may have gone away.
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

    /// Makes one attempt, and concludes it. If AWS's answer was lost and may mean that something was made, AWS is asked
    /// at once what it has, and the steps that are left are taken.
    async fn advance(&self, requested: Requested<T>) -> Concluded<T> {
        let (lost, recovery) = match requested.attempt(&self.target).await.sift(&self.target) {
            Sifted::Attempted(attempted) => return attempted.conclude(self).await,
            Sifted::AnswerLost { failure, recovery } => (failure, recovery),
        };
        let operation = recovery.operation;
        let recovered = recovery.attempt(&self.target).await.conclude(self).await;
        let is_open = self.target.pending(&self.recorder.state().state, operation).is_some();
        match recovered {
            // A caller who reads that the look was refused would believe that nothing was done.
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

    /// The same operation, of which AWS may have done something.
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
        Ok(_) => tracing::info!(%operation, "the operation came to its end"),
        Err(failure) => tracing::warn!(%operation, %failure, "the operation did not come to its end"),
    }
}

#[cfg(test)]
mod tests;
