//! What the engine must know of the things that operations work on. Keys are the first kind.

use crate::aws::failure::AwsFailure;
use crate::domain::command::Command;
use crate::domain::id::OperationId;
use crate::domain::key::command::Outcome;
use crate::domain::state::State;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use async_trait::async_trait;
use std::time::Duration;

/// A kind of thing at AWS that operations make and change.
#[async_trait]
pub(in crate::service) trait OperationTarget: Send + Sync + Sized + 'static {
    /// An operation as the log knows it, from its intent to its outcome.
    type Pending: Clone + Send + Sync;
    /// The name that AWS gives to the thing.
    type Handle: Clone + Send + Sync;
    /// What AWS tells of a thing when it makes it.
    type Told: Send + Sync;
    /// What AWS holds of the thing.
    type Seen: Send;
    /// What AWS holds of another thing that an operation changes as well.
    type Related: Send;

    /// The operations that have no outcome.
    fn open(&self, state: &State) -> Vec<OperationId>;

    fn pending(&self, state: &State, operation: OperationId) -> Option<Self::Pending>;

    /// The thing's name at AWS, if the thing is known here.
    fn handle(&self, state: &State, pending: &Self::Pending) -> Option<Self::Handle>;

    /// The command that writes down an outcome.
    fn conclusion(
        &self,
        operation: OperationId,
        outcome: Outcome<Self::Seen>,
        related: Option<Self::Related>,
    ) -> Command;

    /// Does AWS make a thing with this operation?
    fn makes(&self, pending: &Self::Pending) -> bool;

    /// Is AWS asked at once what it has done, when its answer was lost?
    fn recovers_at_once(&self, pending: &Self::Pending) -> bool {
        self.makes(pending)
    }

    /// Has a thing that was made all that it was made for, although a step failed?
    fn is_complete(&self, state: &State, pending: &Self::Pending, seen: &Self::Seen) -> bool;

    /// Does this failure say that the thing is not known here any more, so that no recovery can succeed?
    fn is_forgotten(&self, failure: &Failure) -> bool;

    /// May the thing itself not be read? A refusal that concerns the way to AWS says nothing of the thing.
    fn is_unreadable(&self, failure: &AwsFailure) -> bool;

    /// What AWS must hold of a thing that it changed or made and does not show: as it was known, or as AWS told when it
    /// made it, but for what was put.
    fn assumed(&self, state: &State, pending: &Self::Pending, told: Option<Self::Told>) -> Option<Self::Seen>;

    /// Takes the steps at AWS, and reads back what it holds then.
    async fn attempt(
        &self,
        operation: OperationId,
        pending: &Self::Pending,
        attempt: &Attempt<Self::Handle>,
    ) -> Result<Progress<Self>, StepError<Self>>;

    /// What AWS holds of the thing now.
    async fn look(&self, pending: &Self::Pending, handle: &Self::Handle) -> Result<Self::Seen, Failure>;

    /// What has changed of another thing, if it can be read; else a synchronisation will read it.
    async fn look_at_related(&self, pending: &Self::Pending) -> Option<Self::Related>;

    /// What is written down before the outcome, so that a recovery makes up for a crash in between.
    async fn before_outcome(&self, change: &Change, pending: &Self::Pending, seen: &Self::Seen);

    /// Writes down that AWS does not have the thing any more, if that is so.
    async fn note_if_vanished(&self, change: &Change, pending: &Self::Pending);
}

/// Which attempt at an operation is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::service) enum Attempt<H> {
    /// AWS has not been asked for it yet.
    First,
    /// AWS may have done it: the program ended, AWS's answer was lost, or AWS was still at it.
    Recovery {
        /// What AWS is known to have made.
        made: Option<H>,
    },
}

impl<H> Attempt<H> {
    pub(in crate::service) fn is_first(&self) -> bool {
        match self {
            Self::First => true,
            Self::Recovery { .. } => false,
        }
    }
}

/// How far an attempt came that nothing stopped.
pub(in crate::service) enum Progress<T: OperationTarget> {
    /// AWS has done it, and holds this now.
    Done { seen: T::Seen, related: Option<T::Related> },
    /// AWS has taken it on and is at it for minutes: it is asked again after so long.
    #[cfg_attr(not(test), expect(dead_code, reason = "AWS is done with keys at once; with key stores it is not"))]
    Underway {
        again_after: Duration,
        /// The thing, if AWS has named it already.
        made: Option<T::Handle>,
    },
}

/// What stopped an attempt, and how far it had come.
pub(in crate::service) struct StepError<T: OperationTarget> {
    pub failure: Failure,
    pub stage: Stage,
    /// The thing at AWS, if it is known to be there.
    pub reached: Option<Box<T::Handle>>,
    /// What AWS told of it when it was made.
    pub told: Option<Box<T::Told>>,
}

/// What AWS has done of an attempt that was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::service) enum Stage {
    /// Not the step that failed.
    Refused,
    /// Perhaps the step that failed; or a step before it that leaves nothing to tell.
    Unknown,
    /// All of it: what AWS holds then could not be read.
    Unread,
}

impl<T: OperationTarget> From<AwsFailure> for StepError<T> {
    fn from(failure: AwsFailure) -> Self {
        let stage = if failure.may_have_been_done() { Stage::Unknown } else { Stage::Refused };
        Self { stage, failure: failure.into(), reached: None, told: None }
    }
}

impl<T: OperationTarget> From<Failure> for StepError<T> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cloud(failure) => failure.into(),
            failure => Self { failure, stage: Stage::Refused, reached: None, told: None },
        }
    }
}

impl<T: OperationTarget> StepError<T> {
    pub(in crate::service) fn with(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// The same, where the thing is known to be there.
    pub(in crate::service) fn reaching(self, handle: &T::Handle) -> Self {
        Self { reached: Some(Box::new(handle.clone())), ..self }
    }
}
