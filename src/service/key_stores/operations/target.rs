//! Custom key stores as the target of operations: their pending operations in the state, and the course of an attempt.

use super::cloud_hsm::{self, Passwords};
use super::reading::one;
use super::{StoreStepError, Work, changes, connection, link};
use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::DescribeCustomKeyStores;
use crate::domain::command::Command;
use crate::domain::id::{KeyStoreId, OperationId};
use crate::domain::key::command::Outcome;
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::key_store::operation::StoreOperation;
use crate::domain::key_store::{Credential, KeyStore, command::KeyStoreCommand};
use crate::domain::refusal::{KeyStoreRefusal, Refusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::cloud::Cloud;
use crate::service::failure::Failure;
use crate::service::key_stores::owner;
use crate::service::key_stores::serving::{Serving, unseal};
use crate::service::operations::{Attempt, OperationTarget, Progress, Stage};
use crate::service::recorder::Recorder;
use crate::service::secrets::Secrets;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The target, with the dependencies of the steps.
pub(in crate::service) struct StoreTarget {
    pub(super) recorder: Recorder,
    pub(in crate::service) cloud: Arc<Cloud>,
    pub(in crate::service) passwords: Passwords,
    secrets: Secrets,
    serving: Serving,
    /// The time in seconds after which a store that AWS does not show counts as never created.
    consistency_wait_seconds: i64,
}

/// A pending operation, with the store as it was when AWS was first called.
#[derive(Clone)]
pub(in crate::service) struct PendingStore {
    pub(super) operation: OperationId,
    pub(super) store: Arc<KeyStore>,
    pub(super) wanted: StoreOperation,
    pub(super) since: Time,
}

impl StoreTarget {
    pub(in crate::service) fn new(
        recorder: Recorder,
        cloud: Arc<Cloud>,
        secrets: Secrets,
        serving: Serving,
        consistency_wait_seconds: i64,
    ) -> Self {
        Self { recorder, cloud, passwords: Passwords::default(), secrets, serving, consistency_wait_seconds }
    }

    /// Returns whether AWS shows a store by now that it created then.
    pub(super) fn is_consistent_since(&self, then: Time) -> bool {
        then.plus_seconds(self.consistency_wait_seconds) <= self.recorder.now()
    }

    pub(super) fn secret(&self, store: KeyStoreId, known: &Credential) -> Result<Zeroizing<String>, Failure> {
        unseal(&self.secrets, store, known)
    }

    async fn take_steps(&self, work: &Work<'_>, attempt: &Attempt<String>) -> Result<Progress<Self>, StoreStepError> {
        let done = |seen| Ok(Progress::Done { seen, related: None });
        match &work.pending.wanted {
            StoreOperation::Link { settings, new: _ } => return done(Some(link::link(work, settings, attempt).await?)),
            StoreOperation::CreateCloudHsm { .. } => return done(Some(cloud_hsm::create(work, attempt).await?)),
            _ => {}
        }
        let known = work.pending.store.at_aws.as_ref();
        let id = &known.ok_or(Failure::Internal("an operation on an unlinked store at AWS"))?.id;
        let before = match one(&work.at, id).await {
            Ok(before) => before,
            Err(failure) if failure.is_not_found() && work.pending.wanted == StoreOperation::Delete => {
                return done(None);
            }
            Err(failure) if work.is_first => return Err(StoreStepError::from(failure).with(Stage::Refused)),
            Err(failure) if failure.is_not_found() => return Err(super::unread(id)(failure)),
            Err(failure) => return Err(StoreStepError::from(failure).with(Stage::Unknown)),
        };
        match &work.pending.wanted {
            StoreOperation::Connect => connection::connect(work, before, false).await,
            StoreOperation::ConnectWith { .. } => connection::connect(work, before, true).await,
            StoreOperation::Amend { name, cluster, password } => {
                done(Some(changes::amend(work, before, name, cluster.as_deref(), password.is_some()).await?))
            }
            StoreOperation::Disconnect => connection::disconnect(work, before).await,
            StoreOperation::Update { name, settings } => {
                done(Some(changes::update(work, before, name, settings).await?))
            }
            StoreOperation::RotateCredential { credential } => {
                done(Some(changes::rotate_credential(work, before, *credential).await?))
            }
            StoreOperation::Delete => {
                changes::delete(work, before).await?;
                done(None)
            }
            StoreOperation::Link { .. } | StoreOperation::CreateCloudHsm { .. } => {
                Err(Failure::Internal("a new store has no store at AWS to read").into())
            }
        }
    }
}

impl OperationTarget for StoreTarget {
    type Pending = PendingStore;
    type Handle = String;
    type Created = StoreAtAws;
    type Seen = Option<Box<StoreAtAws>>;
    type Related = ();

    fn open(&self, state: &State) -> Vec<OperationId> {
        state.store_operations().map(|(_, operation)| operation).collect()
    }

    fn pending(&self, state: &State, operation: OperationId) -> Option<PendingStore> {
        let (store, pending) = state.store_operation(operation)?;
        let (store, wanted) = (store.clone(), pending.wanted.clone());
        Some(PendingStore { operation, store, wanted, since: pending.since })
    }

    fn handle(&self, state: &State, pending: &PendingStore) -> Option<String> {
        Some(state.key_stores.get(&pending.store.id)?.at_aws.as_ref()?.id.clone())
    }

    fn conclusion(
        &self,
        operation: OperationId,
        outcome: Outcome<Option<Box<StoreAtAws>>>,
        _related: Option<()>,
    ) -> Command {
        Command::KeyStore(KeyStoreCommand::Conclude { operation, outcome })
    }

    fn makes(&self, pending: &PendingStore) -> bool {
        matches!(pending.wanted, StoreOperation::Link { .. } | StoreOperation::CreateCloudHsm { .. })
    }

    /// A recovery takes the steps that are missing, so that a lost answer need not concern the caller.
    fn recovers_at_once(&self, _pending: &PendingStore) -> bool {
        true
    }

    fn is_complete(&self, _state: &State, _pending: &PendingStore, seen: &Option<Box<StoreAtAws>>) -> bool {
        seen.is_some()
    }

    fn is_forgotten(&self, failure: &Failure) -> bool {
        matches!(failure, Failure::Refused(Refusal::KeyStore(KeyStoreRefusal::Unknown(_))))
    }

    fn is_unreadable(&self, failure: &AwsFailure) -> bool {
        failure.is_denied() && failure.operation() == DescribeCustomKeyStores::OPERATION
    }

    fn assumed(
        &self,
        _state: &State,
        _pending: &PendingStore,
        created: Option<StoreAtAws>,
    ) -> Option<Option<Box<StoreAtAws>>> {
        created.map(|created| Some(Box::new(created)))
    }

    fn attempt<'a>(
        &'a self,
        _operation: OperationId,
        pending: &'a PendingStore,
        attempt: &'a Attempt<String>,
    ) -> BoxFuture<'a, Result<Progress<Self>, StoreStepError>> {
        Box::pin(async move {
            // AWS calls the proxy before it answers. To publish a store unseals all its keys, so a poll does not.
            if attempt.is_first() || is_answered_after_a_call(&pending.wanted) {
                self.serving.publish(pending.store.id);
            }
            // Whatever fails here, AWS has not received the operation yet.
            let at = self.cloud.region_to_conclude(pending.store.kms, &pending.store.region).await;
            let at = at.map_err(|failure| StoreStepError::from(failure).with(Stage::Refused))?;
            let work = Work { target: self, at, pending, is_first: attempt.is_first() };
            self.take_steps(&work, attempt).await
        })
    }

    fn read<'a>(
        &'a self,
        pending: &'a PendingStore,
        id: &'a String,
    ) -> BoxFuture<'a, Result<Option<Box<StoreAtAws>>, Failure>> {
        Box::pin(async move {
            let at = self.cloud.region_to_conclude(pending.store.kms, &pending.store.region).await?;
            match one(&at, id).await {
                Ok(seen) => Ok(Some(seen)),
                Err(failure) if failure.is_not_found() && pending.wanted == StoreOperation::Delete => Ok(None),
                Err(failure) => Err(failure.into()),
            }
        })
    }

    fn read_related<'a>(&'a self, _pending: &'a PendingStore) -> BoxFuture<'a, Option<()>> {
        Box::pin(async move { None })
    }

    fn before_outcome<'a>(
        &'a self,
        _change: &'a Change,
        _pending: &'a PendingStore,
        _seen: &'a Option<Box<StoreAtAws>>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {})
    }

    fn after_outcome<'a>(&'a self, change: &'a Change, pending: &'a PendingStore) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let id = pending.store.id;
            self.passwords.forget(pending.operation);
            self.serving.publish(id);
            if self.recorder.state().state.key_stores.get(&id).is_none() {
                self.secrets.shred(change, &owner(id)).await;
            }
        })
    }

    fn record_if_vanished<'a>(&'a self, _change: &'a Change, pending: &'a PendingStore) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(failure) = self.read_and_record(&pending.store).await {
                tracing::warn!(store = %pending.store.id, %failure, "a store could not be read from AWS");
            }
        })
    }
}

/// Whether AWS calls the proxy before it answers, so that a recovery too needs what the operation has changed here.
fn is_answered_after_a_call(wanted: &StoreOperation) -> bool {
    match wanted {
        StoreOperation::Link { .. } | StoreOperation::Update { .. } | StoreOperation::RotateCredential { .. } => true,
        StoreOperation::Connect
        | StoreOperation::Disconnect
        | StoreOperation::Delete
        | StoreOperation::CreateCloudHsm { .. }
        | StoreOperation::ConnectWith { .. }
        | StoreOperation::Amend { .. } => false,
    }
}
