//! Decides which changes of a custom key store come with a warning.

use super::at_aws::StoreAtAws;
use super::warning::StoreWarning;
use super::{KeyStore, StoreSettings, event::KeyStoreEvent};
use crate::domain::name::KeyStoreName;

impl KeyStore {
    /// Returns the warning that AWS has another credential than those that are valid here, unless AWS had it before.
    pub(super) fn warn_of_credential(&self, seen: &StoreAtAws) -> Option<KeyStoreEvent> {
        let of = |seen: &StoreAtAws| seen.proxy.as_ref().map(|proxy| proxy.access_key_id.clone());
        let before = self.at_aws.as_deref().filter(|_| !self.gone).and_then(of);
        let access_key_id = of(seen).filter(|now| Some(now) != before.as_ref())?;
        let local = self.local.as_ref()?;
        let is_known = local.credentials.iter().any(|known| known.access_key_id == access_key_id);
        let warning = StoreWarning::CredentialUnknown { access_key_id };
        (!is_known).then_some(KeyStoreEvent::Warned { warning })
    }

    /// Returns the warning that a change of an unlinked store is not one at AWS.
    pub(super) fn warn_of_change(&self, name: &KeyStoreName, settings: &StoreSettings) -> Option<KeyStoreEvent> {
        let concerns_aws = !self.is_linked() && self.changes_at_aws(name, settings);
        concerns_aws.then_some(KeyStoreEvent::Warned { warning: StoreWarning::ChangedHereOnly })
    }
}

impl StoreSettings {
    /// Returns the warning of settings that AWS has deprecated, unless they were so before.
    pub(super) fn warn_of_mtls(&self, before: Option<&StoreSettings>) -> Option<KeyStoreEvent> {
        let is_new = self.mtls_enabled && !before.is_some_and(|before| before.mtls_enabled);
        is_new.then_some(KeyStoreEvent::Warned { warning: StoreWarning::MtlsDeprecated })
    }
}
