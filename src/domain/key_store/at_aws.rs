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

impl StoreAtAws {
    /// Whether the connection failed because of the credential or password that AWS has.
    pub(super) fn has_wrong_credentials(&self) -> bool {
        let is_code = self.connection_error.as_deref() == Some("INVALID_CREDENTIALS");
        self.connection_state == ConnectionState::Failed && is_code
    }

    /// AWS's code of the failure of the connection, and what it means, while the state is `FAILED`.
    pub fn connection_failure(&self) -> Option<String> {
        let code = self.connection_error.as_deref().filter(|_| self.connection_state == ConnectionState::Failed)?;
        Some(format!("{code}: {}", meaning(code)))
    }
}

/// What one of AWS's codes of a failed connection means.
fn meaning(code: &str) -> &'static str {
    match code {
        "INTERNAL_ERROR" => "AWS had an error of its own; connect the store again.",
        "NETWORK_ERRORS" => "Errors of the network keep AWS from connecting.",
        "INVALID_CREDENTIALS" => "The key manager refuses the credential that AWS has.",
        "XKS_PROXY_ACCESS_DENIED" => "The proxy refuses AWS access; the store may be blocked.",
        "XKS_PROXY_INVALID_CONFIGURATION" => "The proxy does not know the path that AWS calls.",
        "XKS_PROXY_INVALID_RESPONSE" => "The proxy answers in a way that AWS does not understand.",
        "XKS_PROXY_INVALID_TLS_CONFIGURATION" => {
            "AWS does not accept the certificate or the TLS settings of the proxy."
        }
        "XKS_PROXY_NOT_REACHABLE" => "AWS does not reach the proxy at its address.",
        "XKS_PROXY_TIMED_OUT" => "The proxy does not answer AWS in time.",
        "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND" => "AWS does not find the VPC endpoint service.",
        "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION" => "The VPC endpoint service is not set up as AWS requires.",
        "CLUSTER_NOT_FOUND" => "AWS does not find the CloudHSM cluster.",
        "INSUFFICIENT_CLOUDHSM_HSMS" => "The CloudHSM cluster has no active HSM.",
        "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET" => "A subnet of the CloudHSM cluster has no free address.",
        "SUBNET_NOT_FOUND" => "A subnet of the CloudHSM cluster does not exist any more.",
        "USER_LOCKED_OUT" => "The user kmsuser of the CloudHSM cluster is locked out.",
        "USER_LOGGED_IN" => "The user kmsuser is logged in to the CloudHSM cluster.",
        "USER_NOT_FOUND" => "The CloudHSM cluster has no user kmsuser.",
        _ => "AWS's documentation explains the code.",
    }
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
