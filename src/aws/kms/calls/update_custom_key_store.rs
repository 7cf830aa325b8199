//! UpdateCustomKeyStore. rusoto lacks external key stores. AWS calls the proxy with the new settings before it answers.

use serde::Serialize;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::custom_key_store::{
    Connectivity, ConnectivityBody, CredentialBody, KmsuserPassword, XksCredential,
};
use crate::aws::operation::AwsOperation;

/// The changes of a store. AWS leaves what is `None` as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateCustomKeyStore {
    pub store: String,
    pub name: Option<String>,
    pub endpoint: Option<String>,
    pub path: Option<String>,
    /// A change to a public endpoint removes the VPC endpoint service. AWS demands an endpoint too.
    pub connectivity: Option<Connectivity>,
    pub credential: Option<XksCredential>,
    pub cluster: Option<String>,
    pub password: Option<KmsuserPassword>,
}

impl AwsCall for UpdateCustomKeyStore {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("UpdateCustomKeyStore");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        wire.json_without_answer(&RequestBody::of(self)).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    custom_key_store_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_custom_key_store_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_proxy_uri_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_proxy_uri_path: Option<&'a str>,
    #[serde(flatten)]
    connectivity: ConnectivityBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_proxy_authentication_credential: Option<CredentialBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_hsm_cluster_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_store_password: Option<&'a str>,
}

impl<'a> RequestBody<'a> {
    fn of(call: &'a UpdateCustomKeyStore) -> Self {
        Self {
            custom_key_store_id: &call.store,
            new_custom_key_store_name: call.name.as_deref(),
            xks_proxy_uri_endpoint: call.endpoint.as_deref(),
            xks_proxy_uri_path: call.path.as_deref(),
            connectivity: call.connectivity.as_ref().map(ConnectivityBody::of).unwrap_or_default(),
            xks_proxy_authentication_credential: call.credential.as_ref().map(CredentialBody::of),
            cloud_hsm_cluster_id: call.cluster.as_deref(),
            key_store_password: call.password.as_ref().map(|password| password.0.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::exchange;

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let nothing = UpdateCustomKeyStore { store: "cks-1".to_owned(), ..UpdateCustomKeyStore::default() };
        let xks = UpdateCustomKeyStore {
            name: Some("n".to_owned()),
            endpoint: Some("https://xks.example.com".to_owned()),
            path: Some("/kms/xks/v1".to_owned()),
            connectivity: Some(Connectivity::Public),
            credential: Some(XksCredential { access_key_id: "A".to_owned(), secret_access_key: "S".to_owned().into() }),
            ..nothing.clone()
        };
        let cluster = UpdateCustomKeyStore {
            cluster: Some("cluster-1".to_owned()),
            password: Some(KmsuserPassword("P".to_owned().into())),
            ..nothing.clone()
        };
        let mut all = Vec::new();
        for call in [nothing, xks, cluster] {
            all.push(exchange(call, "{}").await.0);
        }
        insta::assert_snapshot!(all.join("\n"), @r#"
        UpdateCustomKeyStore {"CustomKeyStoreId":"cks-1"}
        UpdateCustomKeyStore {"CustomKeyStoreId":"cks-1","NewCustomKeyStoreName":"n","XksProxyAuthenticationCredential":{"AccessKeyId":"A","RawSecretAccessKey":"S"},"XksProxyConnectivity":"PUBLIC_ENDPOINT","XksProxyUriEndpoint":"https://xks.example.com","XksProxyUriPath":"/kms/xks/v1"}
        UpdateCustomKeyStore {"CloudHsmClusterId":"cluster-1","CustomKeyStoreId":"cks-1","KeyStorePassword":"P"}
        "#);
    }
}
