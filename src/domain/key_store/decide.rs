//! Decides the commands of custom key stores.

use super::at_aws::{ConnectionState, StoreAtAws};
use super::cloud_hsm::NewCloudHsmStore;
use super::operation::StoreOperation;
use super::patch::KeyStorePatch;
use super::{
    CREDENTIALS_MAX, CREDENTIALS_MIN, Credential, KeyStore, LocalStore, StoreSettings, cloud_hsm,
    command::KeyStoreCommand, command::NewKeyStore, event::KeyStoreEvent, outcome, request, sync,
};
use crate::domain::event::Event;
use crate::domain::id::{KeyStoreId, KmsId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::decide::check_place;
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::refusal::{Bounds, KeyStoreRefusal, Refusal};
use crate::domain::source_key::SourceKey;
use crate::domain::source_key::kind::{AesSize, SourceKeyKind};
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: KeyStoreCommand) -> Result<Vec<Event>, Refusal> {
    let (id, events) = match command {
        KeyStoreCommand::Create(new) => (new.id, create(state, *new)?),
        KeyStoreCommand::CreateCloudHsm(new) => {
            check_place(state, new.kms, &new.region)?;
            refuse_taken(state, &new.name)?;
            cloud_hsm::check_cluster(&new.cluster)?;
            cloud_hsm::check_trust_anchor(&new.trust_anchor)?;
            (new.id, create_cloud_hsm(*new))
        }
        KeyStoreCommand::Update { id, patch, at } => (id, update(state, id, &patch, at)?),
        KeyStoreCommand::Block { id } => (id, set_blocked(state, id, true)?),
        KeyStoreCommand::Unblock { id } => (id, set_blocked(state, id, false)?),
        KeyStoreCommand::AddCredential { id, credential } => {
            let (store, local) = state.local_store(id)?;
            store.refuse_busy()?;
            // AWS must be told: it was linked since the request was judged.
            if store.is_at_aws() {
                return Err(KeyStoreRefusal::Linked(store.name.clone()).into());
            }
            local.refuse_full(store)?;
            (id, vec![KeyStoreEvent::CredentialAdded { credential }])
        }
        KeyStoreCommand::RemoveCredential { id, credential } => {
            let (store, local) = state.local_store(id)?;
            // While an operation is under way, AWS may have either of two.
            store.refuse_busy()?;
            let Some(known) = local.credentials.iter().find(|known| known.id == credential) else {
                return Err(KeyStoreRefusal::CredentialUnknown(credential.to_string()).into());
            };
            if store.is_told_to_aws(known) {
                return Err(KeyStoreRefusal::CredentialInUse(credential).into());
            }
            (id, vec![KeyStoreEvent::CredentialRemoved { id: credential }])
        }
        KeyStoreCommand::SetRotationSchedule { id, schedule } => {
            state.kms(state.key_store(id)?.kms)?.refuse_archived()?;
            if let Some(schedule) = schedule {
                state.key_store(id)?.refuse_credential_rotation()?;
                state.credential_schedule(schedule).map_err(|refusal| refusal.of("job_config_id"))?;
            }
            let (_, local) = state.local_store(id)?;
            let changes = local.rotation_schedule != schedule;
            (id, changes.then_some(KeyStoreEvent::RotationScheduleSet { schedule }).into_iter().collect())
        }
        KeyStoreCommand::ReportCalls { id, calls, dropped } => {
            let known = state.key_stores.get(&id).filter(|_| !calls.is_empty());
            (id, known.map(|_| KeyStoreEvent::CallsReported { calls, dropped }).into_iter().collect())
        }
        KeyStoreCommand::Delete { id } => {
            let store = state.key_store(id)?;
            state.kms(store.kms)?.refuse_archived()?;
            store.refuse_busy()?;
            store.refuse_with_keys(state)?;
            if store.is_at_aws() {
                return Err(KeyStoreRefusal::Linked(store.name.clone()).into());
            }
            (id, vec![KeyStoreEvent::Deleted])
        }
        KeyStoreCommand::Request { id, operation, request, at } => {
            (id, request::request(state, id, operation, request, at)?)
        }
        KeyStoreCommand::Conclude { operation, outcome } => match outcome::conclude(state, operation, outcome) {
            Some(concluded) => concluded,
            None => return Ok(vec![]),
        },
        KeyStoreCommand::Observe { id, seen } => (id, outcome::observe(state, id, *seen)?),
        KeyStoreCommand::RecordVanished { id } => (id, outcome::vanish(state, id)?),
        KeyStoreCommand::Synchronise { new, kms, region, seen, began } => {
            sync::synchronise(state, new, kms, &region, &seen, began)?
        }
        KeyStoreCommand::RecordMissing { id, began } => {
            (id, state.key_stores.get(&id).map_or_else(Vec::new, |store| sync::missing(store, began)))
        }
    };
    Ok(events.into_iter().map(|event| Event::KeyStore(id, event)).collect())
}

fn create(state: &State, new: NewKeyStore) -> Result<Vec<KeyStoreEvent>, Refusal> {
    let NewKeyStore { id: _, kms, region, name, settings, blocked, credential, link, at } = new;
    check_place(state, kms, &region)?;
    refuse_taken(state, &name)?;
    if !(CREDENTIALS_MIN..=CREDENTIALS_MAX).contains(&settings.max_credentials) {
        return Err(Refusal::OutOfRange {
            member: "local_hosted_params.max_credentials",
            problem: format!("must be {CREDENTIALS_MIN} to {CREDENTIALS_MAX}"),
            limit: Bounds::between(CREDENTIALS_MIN.into(), CREDENTIALS_MAX.into()),
        });
    }
    match link {
        Some(_) => settings.check_linked_address()?,
        None => settings.check_address()?,
    }
    settings.caller_rules.check()?;
    check_health_key(state, settings.health_check_key, at)?;
    let warning = settings.warn_of_mtls(None);
    let settings = Box::new(settings);
    let link = link
        .map(|operation| request::requested(operation, StoreOperation::Link { settings: settings.clone(), new: true }));
    let created = KeyStoreEvent::Created { kms, region, name, settings, blocked, credential };
    Ok([created].into_iter().chain(warning).chain(link).collect())
}

fn create_cloud_hsm(new: NewCloudHsmStore) -> Vec<KeyStoreEvent> {
    let NewCloudHsmStore { id: _, kms, region, name, cluster, trust_anchor, password, operation } = new;
    let create = request::requested(operation, StoreOperation::CreateCloudHsm { password });
    vec![KeyStoreEvent::CloudHsmCreated { kms, region, name, cluster, trust_anchor }, create]
}

fn update(state: &State, id: KeyStoreId, patch: &KeyStorePatch, at: Time) -> Result<Vec<KeyStoreEvent>, Refusal> {
    let (name, settings) = changed(state, id, patch, at)?;
    let (store, local) = state.local_store(id)?;
    store.refuse_busy()?;
    // It was linked since the request was judged.
    if store.is_at_aws() && store.changes_at_aws(&name, &settings) {
        return Err(KeyStoreRefusal::Linked(store.name.clone()).into());
    }
    let mut events = Vec::new();
    let warnings = [store.warn_of_change(&name, &settings), settings.warn_of_mtls(Some(&local.settings))];
    if name != store.name {
        events.push(KeyStoreEvent::Renamed { to: name });
    }
    if settings != local.settings {
        events.push(KeyStoreEvent::SettingsChanged { settings: Box::new(settings) });
    }
    events.extend(warnings.into_iter().flatten());
    Ok(events)
}

/// Returns the name and the settings of a store after a patch.
pub(super) fn changed(
    state: &State,
    id: KeyStoreId,
    patch: &KeyStorePatch,
    at: Time,
) -> Result<(KeyStoreName, StoreSettings), Refusal> {
    let (store, local) = state.local_store(id)?;
    state.kms(store.kms)?.refuse_archived()?;
    let settings = local.settings.patched(patch);
    match store.is_linked() {
        true => settings.check_linked_address()?,
        false => settings.check_address()?,
    }
    settings.caller_rules.check()?;
    if settings.health_check_key != local.settings.health_check_key {
        check_health_key(state, settings.health_check_key, at)?;
    }
    let name = patch.name.clone().unwrap_or_else(|| store.name.clone());
    if name != store.name {
        refuse_taken(state, &name)?;
    }
    Ok((name, settings))
}

impl KeyStore {
    /// Returns whether a patch changes what AWS knows of the store.
    pub fn is_changed_at_aws(&self, patch: &KeyStorePatch) -> bool {
        let Some(local) = self.local.as_ref().filter(|_| self.is_at_aws()) else { return false };
        self.changes_at_aws(patch.name.as_ref().unwrap_or(&self.name), &local.settings.patched(patch))
    }

    /// The valid credential that AWS has in this description of the store.
    pub(super) fn credential_of(&self, seen: &StoreAtAws) -> Option<&Credential> {
        let told = seen.proxy.as_ref().map(|proxy| &proxy.access_key_id)?;
        self.local.as_ref()?.credentials.iter().find(|known| known.access_key_id == *told)
    }

    /// Whether AWS has a credential; as long as it is not known to have a valid one, the newest one counts as such.
    pub fn is_told_to_aws(&self, credential: &Credential) -> bool {
        let at_aws = self.at_aws.as_deref().filter(|_| !self.gone).and_then(|seen| self.credential_of(seen));
        let newest = || self.local.as_ref().and_then(|local| local.newest_credential());
        at_aws.or_else(newest).is_some_and(|told| told.id == credential.id)
    }

    /// Refuses a store whose credential cannot be rotated at AWS.
    pub fn refuse_credential_rotation(&self) -> Result<(), Refusal> {
        let name = self.name.clone();
        let seen = match &self.at_aws {
            _ if self.local.is_none() => return Err(KeyStoreRefusal::NoCredentials(name).into()),
            None => return Err(KeyStoreRefusal::Unlinked(name).into()),
            Some(_) if self.gone => return Err(KeyStoreRefusal::Gone(name).into()),
            Some(seen) => seen,
        };
        if matches!(seen.connection_state, ConnectionState::Connected | ConnectionState::Disconnected) {
            return Ok(());
        }
        let state = seen.connection_state.to_string();
        Err(KeyStoreRefusal::WrongState { store: name, state, wanted: "CONNECTED or DISCONNECTED" }.into())
    }

    pub(super) fn changes_at_aws(&self, name: &KeyStoreName, to: &StoreSettings) -> bool {
        let address = |settings: &StoreSettings| {
            let StoreSettings { connectivity, endpoint, vpc_service, vpc_service_owner, .. } = settings.clone();
            (connectivity, endpoint, vpc_service, vpc_service_owner)
        };
        *name != self.name || self.local.as_ref().is_some_and(|local| address(&local.settings) != address(to))
    }
}

fn set_blocked(state: &State, id: KeyStoreId, blocked: bool) -> Result<Vec<KeyStoreEvent>, Refusal> {
    let (_, local) = state.local_store(id)?;
    let event = if blocked { KeyStoreEvent::Blocked } else { KeyStoreEvent::Unblocked };
    Ok((local.blocked != blocked).then_some(event).into_iter().collect())
}

pub(super) fn refuse_taken(state: &State, name: &KeyStoreName) -> Result<(), Refusal> {
    match state.key_stores.named(name) {
        Some(_) => Err(KeyStoreRefusal::NameTaken(name.clone()).into()),
        None => Ok(()),
    }
}

/// Checks that a source key can be the health check key of a store, or the material of a key in one.
fn check_health_key(state: &State, id: SourceKeyId, at: Time) -> Result<(), Refusal> {
    let key = state.source_key(id).map_err(|unknown| unknown.of("local_hosted_params.health_check_key_id"))?;
    match problem_of(key, at) {
        Some(problem) => Err(KeyStoreRefusal::HealthKeyUnfit { key: key.made.name.clone(), problem }.into()),
        None => Ok(()),
    }
}

/// The bits of the usage mask for encryption and decryption.
const ENCRYPT_AND_DECRYPT: u32 = 4 | 8;

/// Returns what keeps a source key from serving external key stores at this time.
pub fn problem_of(key: &SourceKey, at: Time) -> Option<&'static str> {
    if key.made.kind != SourceKeyKind::Aes(AesSize::Aes256) {
        return Some("it is of another kind");
    }
    if key.made.usage.bits() & ENCRYPT_AND_DECRYPT != ENCRYPT_AND_DECRYPT {
        return Some("its usageMask lacks 4 (encrypt) or 8 (decrypt)");
    }
    if !key.made.unexportable {
        return Some("it is exportable");
    }
    if !key.made.undeletable {
        return Some("it is deletable");
    }
    key.refuse_use(at).is_err().then_some("it is not active")
}

impl LocalStore {
    /// Whether the store has as many credentials as it can have.
    pub fn is_full(&self) -> bool {
        self.credentials.len() >= usize::from(self.settings.max_credentials)
    }

    pub(super) fn refuse_full(&self, store: &KeyStore) -> Result<(), Refusal> {
        match self.credentials.first().filter(|_| self.is_full()) {
            Some(oldest) => Err(KeyStoreRefusal::CredentialsFull {
                store: store.name.clone(),
                credentials: self.settings.max_credentials,
                oldest: oldest.id,
            }
            .into()),
            None => Ok(()),
        }
    }
}

impl State {
    /// Returns the store of this id, which this program must serve.
    pub(super) fn local_store(&self, id: KeyStoreId) -> Result<(&Arc<KeyStore>, &LocalStore), Refusal> {
        let store = self.key_store(id)?;
        let local = store.local.as_deref().ok_or_else(|| KeyStoreRefusal::NotLocal(store.name.clone()))?;
        Ok((store, local))
    }

    /// Returns the store with this id of AWS in a region of a KMS.
    pub fn key_store_at_aws(&self, kms: KmsId, region: &Region, id: &str) -> Option<KeyStoreId> {
        let mut stores = self.key_stores.iter().filter(|store| store.kms == kms && store.region == *region);
        stores.find(|store| store.at_aws.as_ref().is_some_and(|seen| seen.id == id)).map(|store| store.id)
    }

    /// Returns the stores of a KMS that this program does not serve.
    pub fn other_stores_of(&self, kms: KmsId) -> impl Iterator<Item = &Arc<KeyStore>> {
        self.key_stores.iter().filter(move |store| store.kms == kms && store.local.is_none())
    }

    /// Returns the number of keys in a store, unlinked ones included.
    pub fn keys_in_store(&self, store: &KeyStore) -> usize {
        let held = self.keys_of_store(store.id);
        let Some(seen) = store.at_aws.as_ref() else { return held.len() };
        let is_in_it = |key: &&Arc<Key>| {
            !key.gone && key.region == store.region && key.metadata.custom_key_store_id.as_ref() == Some(&seen.id)
        };
        let at_aws = self.keys_of_kms(store.kms).filter(is_in_it);
        held.len() + at_aws.filter(|key| held.iter().all(|held| held.id != key.id)).count()
    }

    /// Returns the stores that this program serves in a KMS.
    pub fn local_stores_of(&self, kms: KmsId) -> impl Iterator<Item = &Arc<KeyStore>> {
        self.key_stores.iter().filter(move |store| store.kms == kms && store.local.is_some())
    }
}
