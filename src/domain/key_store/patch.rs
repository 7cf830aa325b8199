//! A change of a key store. A member that is `None` stays as it is.

use super::caller_rules::CallerRules;
use super::{Connectivity, StoreSettings};
use crate::domain::id::SourceKeyId;
use crate::domain::name::KeyStoreName;

#[derive(Clone, Debug, Default)]
pub struct KeyStorePatch {
    pub name: Option<KeyStoreName>,
    pub connectivity: Option<Connectivity>,
    pub endpoint: Option<String>,
    pub vpc_service: Option<String>,
    pub vpc_service_owner: Option<String>,
    /// Another health check key, with a ciphertext of it.
    pub health_check: Option<(SourceKeyId, String)>,
    pub mtls_enabled: Option<bool>,
    pub reports_success: Option<bool>,
    pub caller_rules: Option<CallerRules>,
    /// Another cluster, of a store in a CloudHSM cluster.
    pub cluster: Option<String>,
}

impl StoreSettings {
    /// Returns the settings after a patch. A public endpoint has no VPC endpoint service.
    pub(super) fn patched(&self, patch: &KeyStorePatch) -> StoreSettings {
        let mut to = self.clone();
        to.connectivity = patch.connectivity.unwrap_or(to.connectivity);
        match to.connectivity {
            Connectivity::VpcEndpointService => {
                to.vpc_service = patch.vpc_service.clone().unwrap_or(to.vpc_service);
                to.vpc_service_owner = patch.vpc_service_owner.clone().unwrap_or(to.vpc_service_owner);
            }
            Connectivity::PublicEndpoint => {
                to.vpc_service.clear();
                to.vpc_service_owner.clear();
            }
        }
        to.endpoint = patch.endpoint.clone().unwrap_or(to.endpoint);
        if let Some((key, ciphertext)) = patch.health_check.clone().filter(|(key, _)| *key != to.health_check_key) {
            (to.health_check_key, to.health_check_ciphertext) = (key, ciphertext);
        }
        to.mtls_enabled = patch.mtls_enabled.unwrap_or(to.mtls_enabled);
        to.reports_success = patch.reports_success.unwrap_or(to.reports_success);
        to.caller_rules = patch.caller_rules.clone().unwrap_or(to.caller_rules);
        to
    }
}
