//! The interface between the engine and a kind of resource that operations work on: keys and custom key stores.

use crate::aws::failure::AwsFailure;
use crate::domain::command::Command;
use crate::domain::id::OperationId;
use crate::domain::key::command::Outcome;
use crate::domain::state::State;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// A kind of resource at AWS that operations create and change.
pub(in crate::service) trait OperationTarget: Send + Sync + Sized + 'static {
    /// A pending operation, as it is in the state.
    type Pending: Clone + Send + Sync;
    /// The id of the resource at AWS.
    type Handle: Clone + Send + Sync;
    /// The response of AWS to the creation of a resource.
    type Created: Send + Sync;
    /// The resource, as read from AWS.
    type Seen: Send;
    /// Another resource that an operation also changes, as read from AWS.
    type Related: Send;

    /// The operations that have no outcome.
    fn open(&self, state: &State) -> Vec<OperationId>;

    fn pending(&self, state: &State, operation: OperationId) -> Option<Self::Pending>;

    /// The operations that follow from the state by themselves, and are due. They are requested once the open ones have
    /// been recovered.
    fn following(&self, _state: &State) -> Vec<(OperationId, Command)> {
        Vec::new()
    }

    /// The id of the resource at AWS, if the resource has an entry here.
    fn handle(&self, state: &State, pending: &Self::Pending) -> Option<Self::Handle>;

    /// The command that records an outcome.
    fn conclusion(
        &self,
        operation: OperationId,
        outcome: Outcome<Self::Seen>,
        related: Option<Self::Related>,
    ) -> Command;

    /// Returns whether the operation creates a resource.
    fn makes(&self, pending: &Self::Pending) -> bool;

    /// Returns whether a recovery follows at once when the response of AWS was lost.
    fn recovers_at_once(&self, pending: &Self::Pending) -> bool {
        self.makes(pending)
    }

    /// Returns whether a created resource serves its purpose although a step failed.
    fn is_complete(&self, state: &State, pending: &Self::Pending, seen: &Self::Seen) -> bool;

    /// Undoes the creation of a resource when a later step has failed for good. Returns the resource as it is then, and
    /// what the caller is told about it.
    fn undo<'a>(
        &'a self,
        _pending: &'a Self::Pending,
        _handle: &'a Self::Handle,
        seen: Self::Seen,
    ) -> BoxFuture<'a, (Self::Seen, String)> {
        Box::pin(async move { (seen, "the new resource is still there".to_owned()) })
    }

    /// Returns whether the failure says that the resource has no entry here any more, so that no recovery can succeed.
    fn is_forgotten(&self, failure: &Failure) -> bool;

    /// Returns whether AWS denies reading this resource. A refusal of another call, such as AssumeRole, does not count.
    fn is_unreadable(&self, failure: &AwsFailure) -> bool;

    /// The presumed content of a resource that AWS changed or created and does not let us read: the known entry, or the
    /// response to the creation, with the changes of the operation.
    fn assumed(&self, state: &State, pending: &Self::Pending, created: Option<Self::Created>) -> Option<Self::Seen>;

    /// Takes the steps at AWS, and reads the result.
    fn attempt<'a>(
        &'a self,
        operation: OperationId,
        pending: &'a Self::Pending,
        attempt: &'a Attempt<Self::Handle>,
    ) -> BoxFuture<'a, Result<Progress<Self>, StepError<Self>>>;

    /// Reads the resource from AWS.
    fn read<'a>(
        &'a self,
        pending: &'a Self::Pending,
        handle: &'a Self::Handle,
    ) -> BoxFuture<'a, Result<Self::Seen, Failure>>;

    /// Reads the other resource that the operation changes. If that fails, a synchronisation reads it later.
    fn read_related<'a>(&'a self, pending: &'a Self::Pending) -> BoxFuture<'a, Option<Self::Related>>;

    /// Records additional changes before the outcome. If the program ends in between, a recovery repeats them.
    fn before_outcome<'a>(
        &'a self,
        change: &'a Change,
        pending: &'a Self::Pending,
        seen: &'a Self::Seen,
    ) -> BoxFuture<'a, ()>;

    /// Does what follows from an outcome that was recorded.
    fn after_outcome<'a>(&'a self, _change: &'a Change, _pending: &'a Self::Pending) -> BoxFuture<'a, ()> {
        Box::pin(async move {})
    }

    /// Records that AWS no longer has the resource, if that is so.
    fn record_if_vanished<'a>(&'a self, change: &'a Change, pending: &'a Self::Pending) -> BoxFuture<'a, ()>;
}

/// The kind of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::service) enum Attempt<H> {
    /// AWS has not been called yet.
    First,
    /// AWS may have done it: the program ended, the response was lost, or AWS was still working on it.
    Recovery {
        /// The resource that AWS is known to have created.
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

/// The result of an attempt without a failure.
pub(in crate::service) enum Progress<T: OperationTarget> {
    /// AWS has done it; this is the resource now.
    Done { seen: T::Seen, related: Option<T::Related> },
    /// AWS has accepted the operation and takes minutes; it is asked again after this time.
    Underway {
        again_after: Duration,
        /// The resource, if AWS has already returned its id.
        made: Option<T::Handle>,
    },
}

/// The failure of an attempt, and how far the attempt came.
pub(in crate::service) struct StepError<T: OperationTarget> {
    pub failure: Failure,
    pub stage: Stage,
    /// The resource at AWS, if it is known to exist.
    pub reached: Option<Box<T::Handle>>,
    /// The response of AWS to the creation.
    pub created: Option<Box<T::Created>>,
}

/// The part of a failed attempt that AWS has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::service) enum Stage {
    /// AWS has not done the step that failed.
    Refused,
    /// AWS may have done the step that failed, or has done an earlier step whose result must be read.
    Unknown,
    /// AWS has done all steps, but the result could not be read.
    Unread,
}

impl<T: OperationTarget> From<AwsFailure> for StepError<T> {
    fn from(failure: AwsFailure) -> Self {
        let stage = if failure.may_have_been_done() { Stage::Unknown } else { Stage::Refused };
        Self { stage, failure: failure.into(), reached: None, created: None }
    }
}

impl<T: OperationTarget> From<Failure> for StepError<T> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cloud(failure) => failure.into(),
            failure => Self { failure, stage: Stage::Refused, reached: None, created: None },
        }
    }
}

impl<T: OperationTarget> StepError<T> {
    pub(in crate::service) fn with(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// Sets the resource that is known to exist.
    pub(in crate::service) fn reaching(self, handle: &T::Handle) -> Self {
        Self { reached: Some(Box::new(handle.clone())), ..self }
    }
}
