//! The place of a key in a custom key store.

use serde::{Deserialize, Serialize};

/// The place of a key in a custom key store.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::lab::kms) struct Membership {
    /// The id of the store.
    pub store: String,
    /// The external key; only in an external key store.
    pub xks_key_id: Option<String>,
    /// Whether the store is connected. [`State`](super::super::state::State) keeps this member and the next one.
    #[serde(skip)]
    pub connected: bool,
    /// The cluster of a CloudHSM key store.
    #[serde(skip)]
    pub cluster: Option<String>,
}
