//! A custom key store as AWS reports it.

use crate::domain::key::aws_enums::open_enum;
use crate::domain::time::Time;

/// A custom key store, as DescribeCustomKeyStores returns it.
#[derive(Clone, PartialEq, Debug)]
pub struct StoreAtAws {
    /// AWS's id, such as `cks-1234567890abcdef0`.
    pub id: String,
    pub name: String,
    pub connection_state: ConnectionState,
    /// The code of the failure while the state is `FAILED`.
    pub connection_error: Option<String>,
    pub created_at: Option<Time>,
    /// The proxy, of an external key store.
    pub proxy: Option<Box<ProxyAtAws>>,
    /// The cluster, of a CloudHSM key store.
    pub cloud_hsm: Option<Box<CloudHsmAtAws>>,
}

/// The XKS proxy of a store, as AWS knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProxyAtAws {
    pub connectivity: String,
    pub access_key_id: String,
    pub endpoint: String,
    pub path: String,
    pub vpc_service: String,
    pub vpc_service_owner: String,
}

/// The CloudHSM cluster of a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CloudHsmAtAws {
    pub cluster: String,
    pub trust_anchor: String,
    /// The number of active HSMs in the cluster; `None` if it was not read.
    pub hsms: Option<u32>,
}

open_enum! {
    /// The state of the connection between AWS KMS and the key manager of a store.
    ConnectionState {
        Connected = "CONNECTED",
        Connecting = "CONNECTING",
        Failed = "FAILED",
        Disconnected = "DISCONNECTED",
        Disconnecting = "DISCONNECTING",
    }
}
