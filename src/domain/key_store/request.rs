//! Decides requests for operations on stores at AWS.

use super::at_aws::ConnectionState;
use super::cloud_hsm::CloudHsmStore;
use super::operation::{StoreOperation, StoreRequest};
use super::{KeyStore, cloud_hsm, event::KeyStoreEvent};
use crate::domain::id::{KeyStoreId, OperationId};
use crate::domain::key::decide::check_place;
use crate::domain::refusal::{KeyStoreRefusal, Refusal};
use crate::domain::state::State;
use crate::domain::time::Time;

/// Returns the events that record the intent.
pub(super) fn request(
    state: &State,
    id: KeyStoreId,
    operation: OperationId,
    request: StoreRequest,
    at: Time,
) -> Result<Vec<KeyStoreEvent>, Refusal> {
    let store = state.key_store(id)?;
    check_place(state, store.kms, &store.region)?;
    store.refuse_busy()?;
    let requested = |wanted| requested(operation, wanted);
    Ok(match request {
        StoreRequest::Link { patch } => {
            let (_, local) = state.local_store(id)?;
            if store.is_linked() {
                return Err(KeyStoreRefusal::Linked(store.name.clone()).into());
            }
            let settings = Box::new(local.settings.patched(&patch));
            settings.check_linked_address()?;
            vec![requested(StoreOperation::Link { settings, new: false })]
        }
        StoreRequest::Connect => {
            store.refuse_absent()?;
            vec![requested(StoreOperation::Connect)]
        }
        StoreRequest::Disconnect => {
            store.refuse_absent()?;
            vec![requested(StoreOperation::Disconnect)]
        }
        StoreRequest::Update { patch } => {
            let (name, settings) = super::decide::changed(state, id, &patch, at)?;
            store.refuse_absent()?;
            vec![requested(StoreOperation::Update { name, settings: Box::new(settings) })]
        }
        StoreRequest::RotateCredential { credential } => {
            let (_, local) = state.local_store(id)?;
            store.refuse_absent()?;
            local.refuse_full(store)?;
            let tell = requested(StoreOperation::RotateCredential { credential: credential.id });
            vec![KeyStoreEvent::CredentialAdded { credential }, tell]
        }
        StoreRequest::ConnectWith { password } => {
            store.refuse_absent()?;
            store.cloud_hsm()?;
            vec![requested(StoreOperation::ConnectWith { password })]
        }
        StoreRequest::Amend { name, cluster, password } => {
            store.refuse_absent()?;
            if cluster.is_some() || password.is_some() {
                store.cloud_hsm()?;
            }
            cluster.iter().try_for_each(|cluster| cloud_hsm::check_cluster(cluster))?;
            let name = name.unwrap_or_else(|| store.name.clone());
            if name != store.name {
                super::decide::refuse_taken(state, &name)?;
            }
            vec![requested(StoreOperation::Amend { name, cluster, password })]
        }
        StoreRequest::Delete => {
            store.refuse_absent()?;
            store.refuse_with_keys(state)?;
            vec![requested(StoreOperation::Delete)]
        }
    })
}

pub(super) fn requested(operation: OperationId, wanted: StoreOperation) -> KeyStoreEvent {
    KeyStoreEvent::OperationRequested { operation, wanted: Box::new(wanted) }
}

impl KeyStore {
    pub(super) fn refuse_busy(&self) -> Result<(), Refusal> {
        match &self.operation {
            Some(pending) => {
                Err(KeyStoreRefusal::Busy { store: self.name.clone(), operation: pending.wanted.name() }.into())
            }
            None => Ok(()),
        }
    }

    /// Refuses a store that AWS does not know.
    pub(in crate::domain) fn refuse_absent(&self) -> Result<(), Refusal> {
        match self.is_linked() {
            false => Err(KeyStoreRefusal::Unlinked(self.name.clone()).into()),
            true if self.gone => Err(KeyStoreRefusal::Gone(self.name.clone()).into()),
            true => Ok(()),
        }
    }

    /// Refuses a store that AWS is not connected to, so that it creates no keys in it.
    ///
    /// # Errors
    /// When AWS does not know the store, or reports another state than CONNECTED.
    pub fn refuse_disconnected(&self) -> Result<(), Refusal> {
        self.refuse_absent()?;
        match self.at_aws.as_ref().map(|seen| &seen.connection_state) {
            None | Some(ConnectionState::Connected) => Ok(()),
            Some(state) => {
                let (store, state) = (self.name.clone(), state.to_string());
                Err(KeyStoreRefusal::WrongState { store, state, wanted: "CONNECTED" }.into())
            }
        }
    }

    /// The cluster of the store, which must have one.
    fn cloud_hsm(&self) -> Result<&CloudHsmStore, Refusal> {
        let known = self.cloud_hsm.as_deref();
        known.ok_or_else(|| KeyStoreRefusal::NotCloudHsm(self.name.clone()).into())
    }

    pub(super) fn refuse_with_keys(&self, state: &State) -> Result<(), Refusal> {
        match state.keys_in_store(self) {
            0 => Ok(()),
            keys => Err(KeyStoreRefusal::HasKeys { store: self.name.clone(), keys }.into()),
        }
    }
}
