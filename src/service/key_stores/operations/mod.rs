//! The operations on custom key stores at AWS. AWS calls the proxy while a call to AWS is open, so the proxy serves the
//! store, with the credential that AWS is told, before AWS is called.
//!
//! Each operation reads the store first, takes the steps that are still missing, and reads the result. So a recovery
//! takes the same steps as a first attempt.

mod changes;
mod cloud_hsm;
mod connection;
mod create;
mod follower;
mod link;
pub(in crate::service) mod reading;
mod target;

pub(in crate::service) use target::StoreTarget;

use crate::aws::failure::AwsFailure;
use crate::domain::command::Command;
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::key_store::command::KeyStoreCommand;
use crate::domain::refusal::{KeyStoreRefusal, Refusal};
use crate::service::cloud::RegionAccess;
use crate::service::failure::Failure;
use crate::service::operations::{Operations, Stage, StepError};
use crate::service::system_change;
use target::PendingStore;

type StoreStepError = StepError<StoreTarget>;

pub(in crate::service) type StoreOperations = Operations<StoreTarget>;

/// The context of an attempt.
struct Work<'a> {
    target: &'a StoreTarget,
    at: RegionAccess,
    pending: &'a PendingStore,
    is_first: bool,
}

impl Work<'_> {
    /// Records what AWS reports of the store before the operation has ended. If that fails, the outcome has it.
    async fn observe(&self, seen: &StoreAtAws) {
        let command = KeyStoreCommand::Observe { id: self.pending.store.id, seen: Box::new(seen.clone()) };
        let recorded = self.target.recorder.append(&system_change("follow"), Command::KeyStore(command)).await;
        if let Err(failure) = recorded {
            tracing::warn!(store = %self.pending.store.id, %failure, "the state of a store could not be recorded");
        }
    }

    /// The refusal of an operation that AWS would refuse in this state.
    fn wrong_state(&self, seen: &StoreAtAws, wanted: &'static str) -> StoreStepError {
        let (store, state) = (self.pending.store.name.clone(), seen.connection_state.to_string());
        let refusal = Refusal::from(KeyStoreRefusal::WrongState { store, state, wanted });
        StoreStepError::from(Failure::from(refusal)).reaching(&seen.id)
    }
}

/// A failure after the last step: the result must be read.
fn unread(id: &str) -> impl Fn(AwsFailure) -> StoreStepError {
    let id = id.to_owned();
    move |failure| StoreStepError::from(failure).with(Stage::Unread).reaching(&id)
}
