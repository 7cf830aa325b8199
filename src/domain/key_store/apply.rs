//! How the events of custom key stores change the state.

use super::at_aws::StoreAtAws;
use super::cloud_hsm::CloudHsmStore;
use super::operation::{PendingStoreOperation, StoreOperation};
use super::{Credential, KeyStore, LocalStore, NewCredential, StoreSettings, event::KeyStoreEvent};
use crate::domain::collection::Collection;
use crate::domain::id::{KeyStoreId, KmsId};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::time::Time;

impl Collection<KeyStore> {
    pub(in crate::domain) fn apply(&mut self, at: Time, id: KeyStoreId, event: &KeyStoreEvent) {
        match event {
            KeyStoreEvent::Created { kms, region, name, settings, blocked, credential } => {
                let local = LocalStore {
                    settings: StoreSettings::clone(settings),
                    blocked: *blocked,
                    credentials: vec![credential.made(1, at)],
                    credentials_made: 1,
                    rotation_schedule: None,
                };
                let local = Some(Box::new(local));
                self.insert(KeyStore { local, ..KeyStore::new(id, *kms, region, name, at) });
            }
            KeyStoreEvent::CloudHsmCreated { kms, region, name, cluster, trust_anchor } => {
                let (cluster, trust_anchor) = (cluster.clone(), trust_anchor.clone());
                let cloud_hsm = Some(Box::new(CloudHsmStore { cluster, trust_anchor, told: None }));
                self.insert(KeyStore { cloud_hsm, ..KeyStore::new(id, *kms, region, name, at) });
            }
            KeyStoreEvent::Found { kms, region, name, seen } => {
                let mut store = KeyStore::new(id, *kms, region, name, at);
                store.observe(seen);
                self.insert(store);
            }
            KeyStoreEvent::Deleted => drop(self.remove(&id)),
            // Reports and warnings are for readers of the log.
            KeyStoreEvent::CallsReported { .. } | KeyStoreEvent::Warned { .. } => {}
            KeyStoreEvent::Renamed { .. }
            | KeyStoreEvent::SettingsChanged { .. }
            | KeyStoreEvent::CredentialAdded { .. }
            | KeyStoreEvent::CredentialRemoved { .. }
            | KeyStoreEvent::Blocked
            | KeyStoreEvent::Unblocked
            | KeyStoreEvent::RotationScheduleSet { .. }
            | KeyStoreEvent::OperationRequested { .. }
            | KeyStoreEvent::OperationDone { .. }
            | KeyStoreEvent::OperationFailed { .. }
            | KeyStoreEvent::OperationReconciled { .. }
            | KeyStoreEvent::Observed { .. }
            | KeyStoreEvent::Linked { .. }
            | KeyStoreEvent::PasswordTold { .. }
            | KeyStoreEvent::Vanished => self.change(&id, |store| store.apply(at, event)),
        }
    }
}

impl KeyStore {
    fn new(id: KeyStoreId, kms: KmsId, region: &Region, name: &KeyStoreName, at: Time) -> Self {
        Self {
            id,
            kms,
            region: region.clone(),
            name: name.clone(),
            local: None,
            cloud_hsm: None,
            at_aws: None,
            gone: false,
            operation: None,
            created: at,
            updated: at,
        }
    }

    fn apply(&mut self, at: Time, event: &KeyStoreEvent) {
        self.updated = at;
        match event {
            KeyStoreEvent::Renamed { to } => self.name = to.clone(),
            KeyStoreEvent::OperationRequested { operation, wanted } => {
                let wanted = StoreOperation::clone(wanted);
                self.operation = Some(Box::new(PendingStoreOperation { id: *operation, wanted, since: at }));
            }
            KeyStoreEvent::OperationDone { operation: _, seen }
            | KeyStoreEvent::OperationReconciled { operation: _, seen } => {
                self.operation = None;
                seen.iter().for_each(|seen| self.observe(seen));
            }
            KeyStoreEvent::OperationFailed { .. } => self.operation = None,
            KeyStoreEvent::Observed { seen } | KeyStoreEvent::Linked { seen } => self.observe(seen),
            KeyStoreEvent::Vanished => self.gone = true,
            KeyStoreEvent::PasswordTold { password } => {
                if let Some(cloud_hsm) = &mut self.cloud_hsm {
                    cloud_hsm.told.clone_from(password);
                }
            }
            KeyStoreEvent::Created { .. }
            | KeyStoreEvent::CloudHsmCreated { .. }
            | KeyStoreEvent::Found { .. }
            | KeyStoreEvent::Warned { .. }
            | KeyStoreEvent::SettingsChanged { .. }
            | KeyStoreEvent::CredentialAdded { .. }
            | KeyStoreEvent::CredentialRemoved { .. }
            | KeyStoreEvent::Blocked
            | KeyStoreEvent::Unblocked
            | KeyStoreEvent::RotationScheduleSet { .. }
            | KeyStoreEvent::CallsReported { .. }
            | KeyStoreEvent::Deleted => {}
        }
        if let Some(local) = &mut self.local {
            local.apply(at, event);
        }
    }

    fn observe(&mut self, seen: &StoreAtAws) {
        if let Some(now) = &seen.cloud_hsm {
            let told = self.cloud_hsm.take().and_then(|before| before.told);
            // The password that AWS was told is wrong, so that AWS can be told the same one again.
            let told = told.filter(|_| !seen.has_wrong_credentials());
            let (cluster, trust_anchor) = (now.cluster.clone(), now.trust_anchor.clone());
            self.cloud_hsm = Some(Box::new(CloudHsmStore { cluster, trust_anchor, told }));
        }
        self.at_aws = Some(Box::new(seen.clone()));
        self.gone = false;
    }
}

impl LocalStore {
    fn apply(&mut self, at: Time, event: &KeyStoreEvent) {
        match event {
            KeyStoreEvent::SettingsChanged { settings } => self.settings = StoreSettings::clone(settings),
            KeyStoreEvent::CredentialAdded { credential } => {
                self.credentials_made += 1;
                self.credentials.push(credential.made(self.credentials_made, at));
            }
            KeyStoreEvent::CredentialRemoved { id } => self.credentials.retain(|credential| credential.id != *id),
            KeyStoreEvent::Blocked => self.blocked = true,
            KeyStoreEvent::Unblocked => self.blocked = false,
            KeyStoreEvent::RotationScheduleSet { schedule } => self.rotation_schedule = *schedule,
            KeyStoreEvent::Created { .. }
            | KeyStoreEvent::Renamed { .. }
            | KeyStoreEvent::CallsReported { .. }
            | KeyStoreEvent::Deleted
            | KeyStoreEvent::OperationRequested { .. }
            | KeyStoreEvent::OperationDone { .. }
            | KeyStoreEvent::OperationFailed { .. }
            | KeyStoreEvent::OperationReconciled { .. }
            | KeyStoreEvent::Observed { .. }
            | KeyStoreEvent::Vanished
            | KeyStoreEvent::CloudHsmCreated { .. }
            | KeyStoreEvent::Found { .. }
            | KeyStoreEvent::Linked { .. }
            | KeyStoreEvent::PasswordTold { .. }
            | KeyStoreEvent::Warned { .. } => {}
        }
    }
}

impl NewCredential {
    fn made(&self, version: u32, at: Time) -> Credential {
        let (access_key_id, secret) = (self.access_key_id.clone(), self.secret.clone());
        Credential { id: self.id, access_key_id, secret, version, created: at }
    }
}
