//! KMS as a client of XKS proxies, after AWS's XKS proxy API specification 1.0.3.
//!
//! `client.rs` makes the HTTPS requests, `calls.rs` has the four calls and judges their answers strictly, `failure.rs`
//! says what KMS makes of a failure, and `ciphertext.rs` has the form of a ciphertext of an external key.
//!
//! **Where requests go.** AWS resolves the host of an endpoint and calls port 443. The lab calls no other machine:
//! every host leads to the one listener that it was given ([`XksListener`]), unless the plan names it as unreachable.
//! Without a listener no host is reachable.
//!
//! **Trust.** The certificate of the listener must be one of the given certificates, or issued by one of them, and must
//! be in force. The host of the endpoint is not compared with its names, so that a test can use any name or address,
//! unless the plan sets `check_host_names`.

use serde::{Deserialize, Serialize};

use crate::lab::secret::Secret;

mod calls;
mod ciphertext;
mod client;
mod failure;
mod key;
mod tls;

pub(super) use ciphertext::ExternalBlob;
pub(in crate::lab) use client::XksClient;
pub use client::XksListener;
pub(super) use key::ExternalKey;

/// The name of the proxy API in signatures, faults and counts of calls.
pub(in crate::lab) const SERVICE: &str = "kms-xks-proxy";

/// How KMS reaches a proxy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ProxyAccess {
    /// The endpoint, such as `https://xks.example.com`.
    pub endpoint: String,
    pub path: String,
    pub access_key_id: String,
    pub secret_access_key: Secret,
}

impl ProxyAccess {
    /// The host of the endpoint, in lower case.
    pub(super) fn host(&self) -> String {
        self.endpoint.strip_prefix("https://").unwrap_or(&self.endpoint).to_lowercase()
    }
}
