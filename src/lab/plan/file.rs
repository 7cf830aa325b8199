//! The TOML form of the plan, before validation.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::lab::secret::Secret;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    #[serde(default)]
    pub partitions: BTreeMap<String, PartitionFile>,
    #[serde(default)]
    pub accounts: Vec<AccountFile>,
    #[serde(default)]
    pub custom_key_stores: CustomKeyStoresFile,
    #[serde(default)]
    pub cloudtrail: CloudTrailFile,
}

/// `[cloudtrail]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CloudTrailFile {
    pub log_group: Option<String>,
    pub max_events: Option<i64>,
    pub delay_seconds: Option<i64>,
    pub filter_log_events_per_second: Option<i64>,
}

/// `[custom_key_stores]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CustomKeyStoresFile {
    pub max_per_region: Option<i64>,
    pub connection_seconds: Option<i64>,
    pub health_check_seconds: Option<i64>,
    pub proxy_timeout_ms: Option<i64>,
    pub unreachable_hosts: Vec<String>,
    pub unknown_vpc_endpoint_services: Vec<String>,
    pub check_host_names: bool,
}

/// `[partitions.<name>]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartitionFile {
    #[serde(default)]
    pub enabled: Vec<String>,
    #[serde(default)]
    pub opt_in: Vec<String>,
}

/// `[[accounts]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountFile {
    pub id: String,
    #[serde(default)]
    pub partition: Option<String>,
    #[serde(default)]
    pub opted_in_regions: Vec<String>,
    #[serde(default)]
    pub disabled_regions: Vec<String>,
    #[serde(default)]
    pub users: Vec<UserFile>,
    #[serde(default)]
    pub roles: Vec<RoleFile>,
    #[serde(default)]
    pub policies: Vec<PolicyFile>,
    #[serde(default)]
    pub oidc_providers: Vec<OidcProviderFile>,
    #[serde(default)]
    pub trust_anchors: Vec<TrustAnchorFile>,
    #[serde(default)]
    pub profiles: Vec<ProfileFile>,
    #[serde(default)]
    pub cloudhsm_clusters: Vec<ClusterFile>,
}

/// `[[accounts.cloudhsm_clusters]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterFile {
    pub id: String,
    pub region: String,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub hsm_type: Option<String>,
    #[serde(default)]
    pub hsms: Vec<HsmFile>,
    pub kmsuser_password: Secret,
    #[serde(default)]
    pub kmsuser_logged_in: bool,
    pub certificate: String,
}

/// A member of `hsms` of `[[accounts.cloudhsm_clusters]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HsmFile {
    pub zone: String,
    #[serde(default)]
    pub state: Option<String>,
}

/// `[[accounts.policies]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyFile {
    pub name: String,
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub allow: Vec<String>,
    #[serde(default)]
    pub deny: Vec<String>,
}

/// `[[accounts.oidc_providers]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OidcProviderFile {
    pub url: String,
    #[serde(default)]
    pub audiences: Vec<String>,
    pub jwks: String,
}

/// `[[accounts.trust_anchors]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustAnchorFile {
    pub id: String,
    pub region: String,
    pub certificate: String,
}

/// `[[accounts.profiles]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileFile {
    pub id: String,
    pub region: String,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub session_seconds: Option<i64>,
    #[serde(default)]
    pub accept_role_session_name: bool,
}

/// `[[accounts.users]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserFile {
    pub name: String,
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub access_key_id: Option<String>,
    #[serde(default)]
    pub secret_access_key: Option<Secret>,
    #[serde(default)]
    pub allow: Vec<String>,
    #[serde(default)]
    pub deny: Vec<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// `[[accounts.roles]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleFile {
    pub name: String,
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub external_id: Option<String>,
    #[serde(default)]
    pub trusts: Vec<String>,
    #[serde(default)]
    pub subjects: Vec<String>,
    #[serde(default)]
    pub max_session_seconds: Option<i64>,
    #[serde(default)]
    pub allow: Vec<String>,
    #[serde(default)]
    pub deny: Vec<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}
