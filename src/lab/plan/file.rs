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
