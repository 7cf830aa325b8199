//! The changes by a synchronisation of key stores. Stores that have changed since the reading began, or have a pending
//! operation, are left to that operation and to the next synchronisation.

use super::at_aws::StoreAtAws;
use super::operation::StoreOperation;
use super::{KeyStore, event::KeyStoreEvent};
use crate::domain::id::{KeyStoreId, KmsId};
use crate::domain::key::decide::check_place;
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns the store that was read at AWS, and the events for it. A store that is not known gets the id `new`.
///
/// # Errors
/// When the KMS was deleted, is archived, or no longer manages the region.
pub fn synchronise(
    state: &State,
    new: KeyStoreId,
    kms: KmsId,
    region: &Region,
    seen: &StoreAtAws,
    began: Time,
) -> Result<(KeyStoreId, Vec<KeyStoreEvent>), Refusal> {
    check_place(state, kms, region)?;
    let here = || state.key_stores.iter().filter(|store| store.kms == kms && store.region == *region);
    let known = here().find(|store| store.at_aws.as_ref().is_some_and(|known| known.id == seen.id));
    let by_path = || here().find(|store| store.is_local_with_path_of(seen));
    if let Some(store) = known.or_else(by_path) {
        return Ok((store.id, store.synchronise(seen, began)));
    }
    if here().any(|store| store.may_be_made_as(seen)) {
        return Ok((new, vec![]));
    }
    // AWS's names are as long as ours, but for one character.
    let shortened: String = seen.name.chars().take(255).collect();
    let Ok(name) = KeyStoreName::parse(&shortened).or_else(|_| KeyStoreName::parse(&seen.id)) else {
        return Ok((new, vec![]));
    };
    let found = KeyStoreEvent::Found { kms, region: region.clone(), name, seen: Box::new(seen.clone()) };
    Ok((new, vec![found]))
}

/// Returns the events for a store that AWS did not list.
pub fn missing(store: &KeyStore, began: Time) -> Vec<KeyStoreEvent> {
    let is_missing = store.is_at_aws() && store.lags_behind(began);
    is_missing.then_some(KeyStoreEvent::Vanished).into_iter().collect()
}

impl KeyStore {
    fn synchronise(&self, seen: &StoreAtAws, began: Time) -> Vec<KeyStoreEvent> {
        if !self.lags_behind(began) {
            return vec![];
        }
        let mut events = Vec::new();
        if let Ok(to) = KeyStoreName::parse(&seen.name)
            && to != self.name
        {
            events.push(KeyStoreEvent::Renamed { to });
        }
        if let Some(local) = &self.local {
            let settings = local.settings.with_address_of(seen);
            if settings != local.settings {
                events.push(KeyStoreEvent::SettingsChanged { settings: Box::new(settings) });
            }
        }
        let is_known = self.at_aws.as_ref().is_some_and(|known| known.id == seen.id);
        let seen = Box::new(self.with_known_hsms(seen.clone()));
        let warning = self.warn_of_credential(&seen);
        match is_known {
            true if !self.gone && self.at_aws.as_ref() == Some(&seen) => {}
            true => events.push(KeyStoreEvent::Observed { seen }),
            false => events.push(KeyStoreEvent::Linked { seen }),
        }
        events.extend(warning);
        events
    }

    /// Whether this program serves the store, AWS does not have it as far as is known, and this store at AWS has its
    /// path.
    fn is_local_with_path_of(&self, seen: &StoreAtAws) -> bool {
        let has_path =
            |seen: &StoreAtAws| seen.proxy.as_ref().is_some_and(|proxy| proxy.path == Self::proxy_path(self.id));
        self.local.is_some() && !self.is_at_aws() && has_path(seen)
    }

    /// Whether a pending operation may be making this unknown store at AWS. The operation then links it itself.
    fn may_be_made_as(&self, seen: &StoreAtAws) -> bool {
        let pending = self.operation.as_ref().map(|pending| &pending.wanted);
        matches!(pending, Some(StoreOperation::CreateCloudHsm { .. })) && self.is_cluster_of(seen)
    }

    /// Whether a store at AWS has the name and the cluster of this one.
    pub fn is_cluster_of(&self, seen: &StoreAtAws) -> bool {
        let cluster = self.cloud_hsm.as_ref().map(|known| &known.cluster);
        seen.name == self.name.as_str() && seen.cloud_hsm.as_ref().map(|seen| &seen.cluster) == cluster
    }

    /// Whether the store last changed before that time and has no pending operation.
    fn lags_behind(&self, time: Time) -> bool {
        self.operation.is_none() && self.updated < time
    }

    /// A description of the store, with the number of HSMs that is known if it was not read.
    pub(super) fn with_known_hsms(&self, mut seen: StoreAtAws) -> StoreAtAws {
        let known = self.at_aws.as_ref().and_then(|known| known.cloud_hsm.as_ref());
        if let (Some(seen), Some(known)) = (&mut seen.cloud_hsm, known)
            && seen.cluster == known.cluster
        {
            seen.hsms = seen.hsms.or(known.hsms);
        }
        seen
    }
}

impl State {
    /// Returns the stores of a region that AWS should have.
    pub fn key_stores_at_aws(&self, kms: KmsId, region: &Region) -> impl Iterator<Item = &Arc<KeyStore>> {
        self.key_stores.iter().filter(move |store| store.kms == kms && store.region == *region && store.is_at_aws())
    }
}
