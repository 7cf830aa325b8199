//! Custom key stores: external key stores, whose keys an XKS proxy uses, and CloudHSM key stores.
//!
//! A store is connected and disconnected in the background. `connection.rs` has the states, `settings.rs` the rules for
//! the parameters, and the other files one operation each. The calls to proxies are those of `xks`; the state of KMS is
//! never locked during one, so that what was judged before is judged again after it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::exception;
use super::key::seconds;
use super::xks::ProxyAccess;
use crate::lab::refusal::Refusal;
use crate::lab::secret::Secret;

mod cluster;
mod collection;
mod connection;
mod create;
mod delete;
mod describe;
mod membership;
mod new_key;
mod settings;
mod update;

pub(super) use collection::CustomKeyStores;
pub(super) use connection::{Connection, connect_custom_key_store, disconnect_custom_key_store};
pub(super) use create::create_custom_key_store;
pub(super) use delete::delete_custom_key_store;
pub(super) use describe::describe_custom_key_stores;
pub(super) use membership::Membership;
pub(super) use new_key::{NewKeyPlace, place_of_new_key, require_store_for_random};
pub(super) use update::update_custom_key_store;

/// The lengths of the id of a store.
pub(super) const ID: (usize, usize) = (1, 64);
const NAME: (usize, usize) = (1, 256);

/// A custom key store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CustomKeyStore {
    pub id: String,
    pub account: String,
    pub region: String,
    pub name: String,
    pub created: DateTime<Utc>,
    pub connection: Connection,
    pub backing: Backing,
}

/// What holds the keys of a store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Backing {
    Xks(Proxy),
    CloudHsm(ClusterLogin),
}

/// The proxy of an external key store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Proxy {
    pub access: ProxyAccess,
    /// The VPC endpoint service; `None` for a public endpoint.
    pub vpc: Option<VpcEndpointService>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VpcEndpointService {
    pub name: String,
    pub owner: Option<String>,
}

/// The cluster of a CloudHSM key store, and the password of `kmsuser` that KMS was told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ClusterLogin {
    pub cluster: String,
    pub password: Secret,
    /// The trust anchor certificate.
    pub certificate: String,
}

impl CustomKeyStore {
    /// The proxy of an external key store.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        match &self.backing {
            Backing::Xks(proxy) => Some(proxy),
            Backing::CloudHsm(_) => None,
        }
    }

    /// The cluster of a CloudHSM key store.
    pub(super) fn cluster(&self) -> Option<&str> {
        match &self.backing {
            Backing::Xks(_) => None,
            Backing::CloudHsm(login) => Some(&login.cluster),
        }
    }

    /// Updates what a key of the store shows of it.
    pub(super) fn describe(&self, member: &mut Membership) {
        member.connected = self.is_connected();
        member.cluster = self.cluster().map(str::to_owned);
    }

    /// The cluster of a connected CloudHSM key store, with the password that AWS has chosen when it connected.
    pub(super) fn changed_password(&self) -> Option<(&str, &Secret)> {
        match &self.backing {
            Backing::CloudHsm(login) if self.is_connected() => Some((&login.cluster, &login.password)),
            _ => None,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection == Connection::Connected
    }

    /// The refusal of an operation because of the state of the connection.
    fn wrong_state(&self, why: &str) -> Refusal {
        let (id, state) = (&self.id, self.connection.name());
        exception::custom_key_store_invalid_state(format!("Custom key store {id} is {state}. {why}"))
    }

    /// AWS's `CustomKeyStoresListEntry`.
    fn entry(&self) -> Value {
        let mut entry = json!({
            "CustomKeyStoreId": self.id,
            "CustomKeyStoreName": self.name,
            "ConnectionState": self.connection.name(),
            "CreationDate": seconds(self.created),
        });
        if let Connection::Failed(code) = &self.connection {
            entry["ConnectionErrorCode"] = json!(code);
        }
        match &self.backing {
            Backing::Xks(proxy) => {
                entry["CustomKeyStoreType"] = json!("EXTERNAL_KEY_STORE");
                entry["XksProxyConfiguration"] = proxy.configuration();
            }
            Backing::CloudHsm(login) => {
                entry["CustomKeyStoreType"] = json!("AWS_CLOUDHSM");
                entry["CloudHsmClusterId"] = json!(login.cluster);
                entry["TrustAnchorCertificate"] = json!(login.certificate);
            }
        }
        entry
    }
}

impl Proxy {
    /// AWS's `XksProxyConfiguration`, without the secret.
    fn configuration(&self) -> Value {
        let mut configuration = json!({
            "Connectivity": if self.vpc.is_some() { "VPC_ENDPOINT_SERVICE" } else { "PUBLIC_ENDPOINT" },
            "AccessKeyId": self.access.access_key_id,
            "UriEndpoint": self.access.endpoint,
            "UriPath": self.access.path,
        });
        if let Some(vpc) = &self.vpc {
            configuration["VpcEndpointServiceName"] = json!(vpc.name);
            if let Some(owner) = &vpc.owner {
                configuration["VpcEndpointServiceOwner"] = json!(owner);
            }
        }
        configuration
    }
}

/// The refusal for a store that does not exist.
pub(super) fn not_found(store: &str) -> Refusal {
    exception::custom_key_store_not_found(format!("Custom key store {store} does not exist."))
}
