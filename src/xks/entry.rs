//! What the proxy is told of a key store and its keys.

use super::caller_rules::CallerRules;
use super::material::Material;
use std::num::NonZeroU32;
use uuid::Uuid;
use zeroize::Zeroizing;

/// An external key store that the proxy serves.
pub struct StoreEntry {
    pub id: Uuid,
    /// The region that calls must be signed for.
    pub region: String,
    /// All credentials that are valid; calls with any of them are served.
    pub credentials: Vec<Credential>,
    /// Whether all calls are refused. The proxy then drops the material of the store and of its keys, and keeps none
    /// that comes with an entry.
    pub blocked: bool,
    pub caller_rules: CallerRules,
    /// The largest number of calls per second.
    pub rate_limit: Option<NonZeroU32>,
    /// Whether an outcome is reported for successful calls too.
    pub report_successes: bool,
    /// The key that `health` tries; `None` if it cannot be used now.
    pub health_key: Option<Material>,
}

impl StoreEntry {
    /// The path of a store's proxy, as AWS knows it (`XksProxyUriPath`).
    pub fn uri_path(id: Uuid) -> String {
        format!("{}{id}{}", super::path::BEFORE_STORE, super::path::AFTER_STORE)
    }
}

/// A credential with which AWS signs its calls.
pub struct Credential {
    pub access_key_id: String,
    pub secret_access_key: Zeroizing<String>,
}

/// A key of a store.
pub struct KeyEntry {
    /// The key's id in AWS (`XksKeyId`).
    pub xks_key_id: String,
    /// Whether all calls are refused. The proxy then keeps no material of the key.
    pub blocked: bool,
    /// Whether the key may be used at all. A key whose source key is deactivated says so in that version.
    pub enabled: bool,
    /// They narrow those of the store.
    pub caller_rules: CallerRules,
    pub versions: Vec<VersionEntry>,
    /// The version that encrypts.
    pub active_version: u32,
}

/// A version of a key.
pub struct VersionEntry {
    /// From 1.
    pub number: u32,
    /// `None` if it is not to be in memory now.
    pub material: Option<Material>,
    /// Whether the source key of the version is active.
    pub enabled: bool,
    /// Whether the usage of the source key has encryption.
    pub can_encrypt: bool,
    /// Whether the usage of the source key has decryption.
    pub can_decrypt: bool,
    /// At least the number of encryptions so far. At a start it is the step that was recorded last, plus one step
    /// ([`super::ENCRYPTION_STEP`]): so it is never too low, as long as fewer encryptions than a step were never
    /// recorded. The proxy ignores it where its own count is higher.
    pub encryptions: u64,
}

/// The state of the program, which `health` tells AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Active,
    /// The program serves calls, but cannot record changes.
    Degraded,
    /// The program cannot serve calls.
    Unavailable,
}

impl Condition {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Condition::Active => "ACTIVE",
            Condition::Degraded => "DEGRADED",
            Condition::Unavailable => "UNAVAILABLE",
        }
    }
}
