//! CreateCustomKeyStore. rusoto lacks external key stores. AWS calls the proxy before it answers.

use serde::{Deserialize, Serialize};

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::custom_key_store::{
    Connectivity, ConnectivityBody, CredentialBody, KmsuserPassword, XksCredential,
};
use crate::aws::operation::AwsOperation;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateCustomKeyStore {
    pub name: String,
    pub backing: NewKeyStoreBacking,
}

/// What backs a new store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewKeyStoreBacking {
    Xks { endpoint: String, path: String, connectivity: Connectivity, credential: XksCredential },
    CloudHsm { cluster: String, password: KmsuserPassword, trust_anchor: String },
}

impl AwsCall for CreateCustomKeyStore {
    /// The id of the store.
    type Answer = String;
    const OPERATION: AwsOperation = AwsOperation::kms("CreateCustomKeyStore");
    // AWS refuses a repetition because of the name.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<String, Fault> {
        let answer: AnswerBody = wire.json(&RequestBody::of(self)).await?;
        Ok(answer.custom_key_store_id)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    custom_key_store_name: &'a str,
    #[serde(flatten)]
    backing: BackingBody<'a>,
}

#[derive(Serialize)]
#[serde(tag = "CustomKeyStoreType", rename_all_fields = "PascalCase")]
enum BackingBody<'a> {
    #[serde(rename = "EXTERNAL_KEY_STORE")]
    Xks {
        xks_proxy_uri_endpoint: &'a str,
        xks_proxy_uri_path: &'a str,
        #[serde(flatten)]
        connectivity: ConnectivityBody<'a>,
        xks_proxy_authentication_credential: CredentialBody<'a>,
    },
    #[serde(rename = "AWS_CLOUDHSM")]
    CloudHsm { cloud_hsm_cluster_id: &'a str, key_store_password: &'a str, trust_anchor_certificate: &'a str },
}

impl<'a> RequestBody<'a> {
    fn of(call: &'a CreateCustomKeyStore) -> Self {
        let backing = match &call.backing {
            NewKeyStoreBacking::Xks { endpoint, path, connectivity, credential } => BackingBody::Xks {
                xks_proxy_uri_endpoint: endpoint,
                xks_proxy_uri_path: path,
                connectivity: ConnectivityBody::of(connectivity),
                xks_proxy_authentication_credential: CredentialBody::of(credential),
            },
            NewKeyStoreBacking::CloudHsm { cluster, password, trust_anchor } => BackingBody::CloudHsm {
                cloud_hsm_cluster_id: cluster,
                key_store_password: &password.0,
                trust_anchor_certificate: trust_anchor,
            },
        };
        Self { custom_key_store_name: &call.name, backing }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerBody {
    custom_key_store_id: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::exchange;

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let xks = |connectivity| CreateCustomKeyStore {
            name: "n".to_owned(),
            backing: NewKeyStoreBacking::Xks {
                endpoint: "https://xks.example.com".to_owned(),
                path: "/kms/xks/v1".to_owned(),
                connectivity,
                credential: XksCredential { access_key_id: "A".to_owned(), secret_access_key: "S".to_owned().into() },
            },
        };
        let vpc = Connectivity::Vpc { service: "s".to_owned(), owner: Some("123456789012".to_owned()) };
        let cluster = CreateCustomKeyStore {
            name: "n".to_owned(),
            backing: NewKeyStoreBacking::CloudHsm {
                cluster: "cluster-1".to_owned(),
                password: KmsuserPassword("open sesame".to_owned().into()),
                trust_anchor: "PEM".to_owned(),
            },
        };
        let shown = format!("{cluster:?} {:?}", xks(Connectivity::Public));
        assert!(!shown.contains("sesame") && !shown.contains("\"S\""), "{shown}");
        let answer = json!({ "CustomKeyStoreId": "cks-1" });
        let (public, id) = exchange(xks(Connectivity::Public), &answer).await;
        assert_eq!(id, "cks-1");
        let all = [public, exchange(xks(vpc), &answer).await.0, exchange(cluster, &answer).await.0];
        insta::assert_snapshot!(all.join("\n"), @r#"
        CreateCustomKeyStore {"CustomKeyStoreName":"n","CustomKeyStoreType":"EXTERNAL_KEY_STORE","XksProxyAuthenticationCredential":{"AccessKeyId":"A","RawSecretAccessKey":"S"},"XksProxyConnectivity":"PUBLIC_ENDPOINT","XksProxyUriEndpoint":"https://xks.example.com","XksProxyUriPath":"/kms/xks/v1"}
        CreateCustomKeyStore {"CustomKeyStoreName":"n","CustomKeyStoreType":"EXTERNAL_KEY_STORE","XksProxyAuthenticationCredential":{"AccessKeyId":"A","RawSecretAccessKey":"S"},"XksProxyConnectivity":"VPC_ENDPOINT_SERVICE","XksProxyUriEndpoint":"https://xks.example.com","XksProxyUriPath":"/kms/xks/v1","XksProxyVpcEndpointServiceName":"s","XksProxyVpcEndpointServiceOwner":"123456789012"}
        CreateCustomKeyStore {"CloudHsmClusterId":"cluster-1","CustomKeyStoreName":"n","CustomKeyStoreType":"AWS_CLOUDHSM","KeyStorePassword":"open sesame","TrustAnchorCertificate":"PEM"}
        "#);
    }
}
