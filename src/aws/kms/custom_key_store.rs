//! Custom key stores as AWS describes them, and the secrets that AWS is told.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::json::moment;
use crate::domain::time::Time;

/// A custom key store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomKeyStore {
    /// AWS's id, such as `cks-9876543210fedcba9`.
    pub id: String,
    pub name: String,
    pub connection: ConnectionState,
    /// AWS's code for a failed connection.
    pub connection_error: Option<String>,
    pub created_at: Option<Time>,
    pub backing: KeyStoreBacking,
}

/// The state of the connection between AWS and what backs a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    Connected,
    Connecting,
    Failed,
    Disconnected,
    Disconnecting,
    /// A state that this program does not know.
    Other(String),
}

impl ConnectionState {
    fn parse(text: &str) -> Self {
        match text {
            "CONNECTED" => Self::Connected,
            "CONNECTING" => Self::Connecting,
            "FAILED" => Self::Failed,
            "DISCONNECTED" => Self::Disconnected,
            "DISCONNECTING" => Self::Disconnecting,
            other => Self::Other(other.to_owned()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Connected => "CONNECTED",
            Self::Connecting => "CONNECTING",
            Self::Failed => "FAILED",
            Self::Disconnected => "DISCONNECTED",
            Self::Disconnecting => "DISCONNECTING",
            Self::Other(other) => other,
        }
    }
}

/// What backs a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStoreBacking {
    Xks(XksProxy),
    CloudHsm { cluster: String, trust_anchor: String },
}

/// The proxy of an external key store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XksProxy {
    /// The endpoint: `https://` and a host.
    pub endpoint: String,
    /// The path, which ends in `/kms/xks/v1`.
    pub path: String,
    pub connectivity: Connectivity,
    /// The access key id of the credential with which AWS signs its calls.
    pub access_key_id: String,
}

/// How AWS reaches a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connectivity {
    Public,
    Vpc { service: String, owner: Option<String> },
}

impl Connectivity {
    /// The VPC endpoint service and its owner; empty for a public endpoint.
    pub fn vpc(&self) -> (&str, &str) {
        match self {
            Self::Public => ("", ""),
            Self::Vpc { service, owner } => (service, owner.as_deref().unwrap_or_default()),
        }
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Public => "PUBLIC_ENDPOINT",
            Self::Vpc { .. } => "VPC_ENDPOINT_SERVICE",
        }
    }
}

/// The credential with which AWS signs its calls to a proxy. `Debug` does not show the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct XksCredential {
    pub access_key_id: String,
    pub secret_access_key: Zeroizing<String>,
}

impl fmt::Debug for XksCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XksCredential").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The password of `kmsuser` on a CloudHSM cluster. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct KmsuserPassword(pub Zeroizing<String>);

impl fmt::Debug for KmsuserPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KmsuserPassword(..)")
    }
}

/// An `XksProxyAuthenticationCredential` of a request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CredentialBody<'a> {
    access_key_id: &'a str,
    raw_secret_access_key: &'a str,
}

impl<'a> CredentialBody<'a> {
    pub(super) fn of(credential: &'a XksCredential) -> Self {
        Self { access_key_id: &credential.access_key_id, raw_secret_access_key: &credential.secret_access_key }
    }
}

/// The members of a request that say how AWS reaches a proxy.
#[derive(Serialize, Default)]
pub(super) struct ConnectivityBody<'a> {
    #[serde(rename = "XksProxyConnectivity", skip_serializing_if = "Option::is_none")]
    connectivity: Option<&'a str>,
    #[serde(rename = "XksProxyVpcEndpointServiceName", skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(rename = "XksProxyVpcEndpointServiceOwner", skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
}

impl<'a> ConnectivityBody<'a> {
    pub(super) fn of(connectivity: &'a Connectivity) -> Self {
        let (service, owner) = match connectivity {
            Connectivity::Public => (None, None),
            Connectivity::Vpc { service, owner } => (Some(service.as_str()), owner.as_deref()),
        };
        Self { connectivity: Some(connectivity.as_str()), service, owner }
    }
}

/// A `CustomKeyStoresListEntry` of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EntryBody {
    custom_key_store_id: String,
    custom_key_store_name: Option<String>,
    connection_state: String,
    connection_error_code: Option<String>,
    creation_date: Option<f64>,
    custom_key_store_type: Option<String>,
    cloud_hsm_cluster_id: Option<String>,
    trust_anchor_certificate: Option<String>,
    xks_proxy_configuration: Option<ProxyBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProxyBody {
    connectivity: String,
    access_key_id: Option<String>,
    uri_endpoint: String,
    uri_path: String,
    vpc_endpoint_service_name: Option<String>,
    vpc_endpoint_service_owner: Option<String>,
}

impl EntryBody {
    /// The described store.
    ///
    /// # Errors
    /// The reason why the entry has another form than AWS's.
    pub(super) fn store(self) -> Result<CustomKeyStore, String> {
        // Before there were external key stores, AWS returned no type.
        let backing = match self.custom_key_store_type.as_deref().unwrap_or("AWS_CLOUDHSM") {
            "EXTERNAL_KEY_STORE" => {
                let proxy = self.xks_proxy_configuration.ok_or("an external key store without a proxy")?;
                KeyStoreBacking::Xks(proxy.proxy()?)
            }
            "AWS_CLOUDHSM" => KeyStoreBacking::CloudHsm {
                cluster: self.cloud_hsm_cluster_id.ok_or("a CloudHSM key store without a cluster")?,
                trust_anchor: self.trust_anchor_certificate.unwrap_or_default(),
            },
            other => return Err(format!("a custom key store of the unknown type `{other}`")),
        };
        Ok(CustomKeyStore {
            id: self.custom_key_store_id,
            name: self.custom_key_store_name.unwrap_or_default(),
            connection: ConnectionState::parse(&self.connection_state),
            connection_error: self.connection_error_code,
            created_at: self.creation_date.map(moment),
            backing,
        })
    }
}

impl ProxyBody {
    fn proxy(self) -> Result<XksProxy, String> {
        let connectivity = match self.connectivity.as_str() {
            "PUBLIC_ENDPOINT" => Connectivity::Public,
            "VPC_ENDPOINT_SERVICE" => Connectivity::Vpc {
                service: self.vpc_endpoint_service_name.ok_or("a VPC endpoint service without a name")?,
                owner: self.vpc_endpoint_service_owner,
            },
            other => return Err(format!("the unknown connectivity `{other}`")),
        };
        Ok(XksProxy {
            endpoint: self.uri_endpoint,
            path: self.uri_path,
            connectivity,
            access_key_id: self.access_key_id.unwrap_or_default(),
        })
    }
}

/// A request whose only member is the id of a store.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StoreIdBody<'a> {
    custom_key_store_id: &'a str,
}

impl<'a> StoreIdBody<'a> {
    pub(super) fn of(id: &'a str) -> Self {
        Self { custom_key_store_id: id }
    }
}
