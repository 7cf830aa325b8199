//! Decides the outcomes of operations on stores at AWS, and what was read of a store at AWS.

use super::at_aws::{ConnectionState, StoreAtAws};
use super::operation::{PendingStoreOperation, StoreOperation};
use super::{Connectivity, KeyStore, StoreSettings, event::KeyStoreEvent};
use crate::domain::id::{CredentialId, KeyStoreId, OperationId};
use crate::domain::key::command::Outcome;
use crate::domain::name::KeyStoreName;
use crate::domain::refusal::Refusal;
use crate::domain::sealed::Sealed;
use crate::domain::state::State;
use std::sync::Arc;

/// Returns the events that record an outcome; `None` if the operation has one already. What was seen is `None` if AWS
/// does not have the store any more.
pub(super) fn conclude(
    state: &State,
    operation: OperationId,
    outcome: Outcome<Option<Box<StoreAtAws>>>,
) -> Option<(KeyStoreId, Vec<KeyStoreEvent>)> {
    let (store, pending) = state.store_operation(operation)?;
    let wanted = &pending.wanted;
    let completed = |seen: Box<StoreAtAws>| Box::new(store.with_known_hsms(*seen));
    let told = |password: Option<&Sealed>| {
        wanted.password().map(|_| KeyStoreEvent::PasswordTold { password: password.cloned() })
    };
    let events = match outcome {
        Outcome::Done(Some(seen)) => {
            let seen = completed(seen);
            let mut events = carried_out(store, wanted, &seen);
            events.extend(told(wanted.password()));
            events.extend(store.warn_of_credential(&seen));
            events.push(KeyStoreEvent::OperationDone { operation, seen: Some(seen) });
            events
        }
        // The result was read later: another change may have followed, or AWS may have refused this one.
        Outcome::Reconciled(Some(seen)) => {
            let seen = completed(seen);
            let mut events = if is_shown(store, wanted, &seen) { carried_out(store, wanted, &seen) } else { vec![] };
            events.extend(told(wanted.password().filter(|_| shows_password(wanted, &seen))));
            events.extend(store.warn_of_credential(&seen));
            let refused = refused_credential(store, wanted, &seen);
            events.push(KeyStoreEvent::OperationReconciled { operation, seen: Some(seen) });
            events.extend(refused.map(|id| KeyStoreEvent::CredentialRemoved { id }));
            events
        }
        Outcome::Done(None) => {
            vec![KeyStoreEvent::OperationDone { operation, seen: None }, without_aws(state, store, wanted)]
        }
        Outcome::Reconciled(None) => {
            vec![KeyStoreEvent::OperationReconciled { operation, seen: None }, without_aws(state, store, wanted)]
        }
        Outcome::Halfway { reason, seen } => {
            let observed = seen.map(|seen| KeyStoreEvent::Observed { seen: completed(seen) });
            let failed = KeyStoreEvent::OperationFailed { operation, reason };
            told(None).into_iter().chain([failed]).chain(observed).collect()
        }
        Outcome::Failed(reason) => {
            let mut events = vec![KeyStoreEvent::OperationFailed { operation, reason }];
            match wanted {
                // A key may have been put into the store meanwhile; then it stays, unlinked.
                StoreOperation::Link { new: true, .. } if state.keys_of_store(store.id).is_empty() => {
                    events.push(KeyStoreEvent::Deleted);
                }
                StoreOperation::CreateCloudHsm { .. } => events.push(KeyStoreEvent::Deleted),
                StoreOperation::RotateCredential { credential } => {
                    events.push(KeyStoreEvent::CredentialRemoved { id: *credential });
                }
                StoreOperation::Link { .. }
                | StoreOperation::Connect
                | StoreOperation::Disconnect
                | StoreOperation::Update { .. }
                | StoreOperation::ConnectWith { .. }
                | StoreOperation::Amend { .. }
                | StoreOperation::Delete => {}
            }
            events
        }
    };
    Some((store.id, events))
}

/// Returns the event that records what was read of a store at AWS, if it is new.
pub(super) fn observe(state: &State, id: KeyStoreId, seen: StoreAtAws) -> Result<Vec<KeyStoreEvent>, Refusal> {
    let store = state.key_store(id)?;
    let seen = Box::new(store.with_known_hsms(seen));
    let is_known = !store.gone && store.at_aws.as_deref() == Some(&*seen);
    let warning = store.warn_of_credential(&seen);
    let observed = (!is_known).then_some(KeyStoreEvent::Observed { seen });
    Ok(observed.into_iter().chain(warning).collect())
}

/// Returns the event that records that AWS does not have a linked store any more.
pub(super) fn vanish(state: &State, id: KeyStoreId) -> Result<Vec<KeyStoreEvent>, Refusal> {
    let store = state.key_store(id)?;
    Ok(if store.gone || !store.is_linked() { vec![] } else { vec![KeyStoreEvent::Vanished] })
}

/// What becomes of a store that AWS does not have any more.
fn without_aws(state: &State, store: &KeyStore, wanted: &StoreOperation) -> KeyStoreEvent {
    match wanted {
        StoreOperation::Delete if state.keys_of_store(store.id).is_empty() => KeyStoreEvent::Deleted,
        StoreOperation::CreateCloudHsm { .. } => KeyStoreEvent::Deleted,
        StoreOperation::Delete
        | StoreOperation::ConnectWith { .. }
        | StoreOperation::Amend { .. }
        | StoreOperation::Link { .. }
        | StoreOperation::Connect
        | StoreOperation::Disconnect
        | StoreOperation::Update { .. }
        | StoreOperation::RotateCredential { .. } => KeyStoreEvent::Vanished,
    }
}

/// The changes here that an operation brings.
fn carried_out(store: &KeyStore, wanted: &StoreOperation, seen: &StoreAtAws) -> Vec<KeyStoreEvent> {
    match wanted {
        // A store that was made at AWS by hand may have another address.
        StoreOperation::Link { settings, new: _ } => change(store, &store.name, &settings.with_address_of(seen)),
        StoreOperation::Update { name, settings } => change(store, name, settings),
        StoreOperation::Amend { name, .. } => renamed(store, name).into_iter().collect(),
        StoreOperation::CreateCloudHsm { .. }
        | StoreOperation::ConnectWith { .. }
        | StoreOperation::Connect
        | StoreOperation::Disconnect
        | StoreOperation::RotateCredential { .. }
        | StoreOperation::Delete => vec![],
    }
}

fn change(store: &KeyStore, name: &KeyStoreName, settings: &StoreSettings) -> Vec<KeyStoreEvent> {
    let differs = store.local.as_ref().is_some_and(|local| local.settings != *settings);
    let changed = differs.then(|| KeyStoreEvent::SettingsChanged { settings: Box::new(settings.clone()) });
    renamed(store, name).into_iter().chain(changed).collect()
}

fn renamed(store: &KeyStore, name: &KeyStoreName) -> Option<KeyStoreEvent> {
    (store.name != *name).then(|| KeyStoreEvent::Renamed { to: name.clone() })
}

/// The new credential of a rotation, if AWS has another one that is valid here instead.
fn refused_credential(store: &KeyStore, wanted: &StoreOperation, seen: &StoreAtAws) -> Option<CredentialId> {
    let StoreOperation::RotateCredential { credential } = wanted else { return None };
    let has_another = store.credential_of(seen).is_some_and(|known| known.id != *credential);
    has_another.then_some(*credential)
}

/// Returns whether AWS shows that it was told a password. Only an attempt to connect shows it.
fn shows_password(wanted: &StoreOperation, seen: &StoreAtAws) -> bool {
    let tried = matches!(seen.connection_state, ConnectionState::Connecting | ConnectionState::Connected);
    matches!(wanted, StoreOperation::ConnectWith { .. }) && tried
}

/// Returns whether AWS shows the result of an operation.
fn is_shown(store: &KeyStore, wanted: &StoreOperation, seen: &StoreAtAws) -> bool {
    // AWS is not told the present name.
    let has_name = |name: &KeyStoreName| *name == store.name || seen.name == name.as_str();
    match wanted {
        StoreOperation::Update { name, settings } => has_name(name) && seen.has_address(settings),
        StoreOperation::RotateCredential { credential } => {
            let mut all = store.local.iter().flat_map(|local| &local.credentials);
            let told = all.find(|known| known.id == *credential).map(|known| known.access_key_id.as_str());
            seen.proxy.as_ref().is_some_and(|proxy| Some(proxy.access_key_id.as_str()) == told)
        }
        StoreOperation::Amend { name, cluster, password: _ } => {
            let has = |cluster: &String| seen.cloud_hsm.as_ref().is_some_and(|seen| seen.cluster == *cluster);
            has_name(name) && cluster.as_ref().is_none_or(has)
        }
        StoreOperation::Link { .. }
        | StoreOperation::CreateCloudHsm { .. }
        | StoreOperation::Connect
        | StoreOperation::ConnectWith { .. }
        | StoreOperation::Disconnect
        | StoreOperation::Delete => true,
    }
}

impl StoreAtAws {
    /// Returns whether AWS calls the proxy at the address of these settings.
    pub fn has_address(&self, settings: &StoreSettings) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| {
            proxy.endpoint == settings.endpoint
                && proxy.connectivity == settings.connectivity.name()
                && proxy.vpc_service == settings.vpc_service
                // AWS names the owner even if the client did not.
                && (settings.vpc_service_owner.is_empty() || proxy.vpc_service_owner == settings.vpc_service_owner)
        })
    }
}

impl StoreSettings {
    /// The settings with the address that AWS has.
    pub(super) fn with_address_of(&self, seen: &StoreAtAws) -> StoreSettings {
        let mut settings = self.clone();
        let Some(proxy) = seen.proxy.as_ref().filter(|_| !seen.has_address(self)) else { return settings };
        settings.endpoint.clone_from(&proxy.endpoint);
        settings.connectivity = Connectivity::parse(&proxy.connectivity).unwrap_or(settings.connectivity);
        settings.vpc_service.clone_from(&proxy.vpc_service);
        settings.vpc_service_owner.clone_from(&proxy.vpc_service_owner);
        settings
    }
}

impl State {
    /// Returns the stores with an operation that has no outcome.
    pub fn store_operations(&self) -> impl Iterator<Item = (&Arc<KeyStore>, OperationId)> {
        self.key_stores.iter().filter_map(|store| Some((store, store.operation.as_ref()?.id)))
    }

    /// Returns the store with this pending operation.
    pub fn store_operation(&self, operation: OperationId) -> Option<(&Arc<KeyStore>, &PendingStoreOperation)> {
        let mut pending = self.key_stores.iter().filter_map(|store| Some((store, store.operation.as_deref()?)));
        pending.find(|(_, pending)| pending.id == operation)
    }
}
