//! Stands in for `crate::aws::settings` until that is there: the same members, checked by nobody.

use std::path::PathBuf;

use serde::Deserialize;

/// The `[aws]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct AwsSettings {
    pub connect_timeout_ms: u64,
    pub read_timeout_ms: u64,
    pub deadline_ms: u64,
    pub max_attempts: u32,
    pub proxy: Option<String>,
    pub no_proxy: Vec<String>,
    pub ca_bundle: Option<PathBuf>,
    pub endpoints: Vec<EndpointOverride>,
    pub assume_role_duration_seconds: u32,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 5_000,
            read_timeout_ms: 10_000,
            deadline_ms: 30_000,
            max_attempts: 4,
            proxy: None,
            no_proxy: Vec::new(),
            ca_bundle: None,
            endpoints: Vec::new(),
            assume_role_duration_seconds: 3_600,
        }
    }
}

/// An endpoint that is not where AWS has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EndpointOverride {
    #[serde(default)]
    pub partition: Option<String>,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    pub url: String,
}

/// A setting that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum SettingsMistake {}

impl AwsSettings {
    /// Names everything that cannot be meant.
    pub fn check(&self) -> Vec<SettingsMistake> {
        Vec::new()
    }
}
