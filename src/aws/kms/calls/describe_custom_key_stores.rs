//! DescribeCustomKeyStores: all stores of a region, or one by its id or name. rusoto lacks external key stores.

use serde::{Deserialize, Serialize};

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::custom_key_store::{CustomKeyStore, EntryBody};
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Page, Paging, known_entry};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeCustomKeyStores {
    pub which: WhichKeyStores,
    pub paging: Paging,
}

/// The described stores. AWS refuses an id or a name that no store has: `CustomKeyStoreNotFoundException`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichKeyStores {
    All,
    WithId(String),
    WithName(String),
}

impl AwsCall for DescribeCustomKeyStores {
    type Answer = Page<CustomKeyStore>;
    const OPERATION: AwsOperation = AwsOperation::kms("DescribeCustomKeyStores");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<CustomKeyStore>, Fault> {
        let answer: AnswerBody = wire.json(&RequestBody::of(self)).await?;
        let entries = answer.custom_key_stores.into_iter();
        let stores = entries.filter_map(|entry| known_entry("custom key store", entry_of(entry)));
        Page::of(stores.collect(), answer.truncated, answer.next_marker)
    }
}

fn entry_of(entry: serde_json::Value) -> Result<CustomKeyStore, String> {
    serde_json::from_value::<EntryBody>(entry).map_err(|error| error.to_string())?.store()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_key_store_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_key_store_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'a str>,
}

impl<'a> RequestBody<'a> {
    fn of(call: &'a DescribeCustomKeyStores) -> Self {
        let (custom_key_store_id, custom_key_store_name) = match &call.which {
            WhichKeyStores::All => (None, None),
            WhichKeyStores::WithId(id) => (Some(id.as_str()), None),
            WhichKeyStores::WithName(name) => (None, Some(name.as_str())),
        };
        let marker = call.paging.marker.as_ref().map(|marker| marker.as_str());
        Self { custom_key_store_id, custom_key_store_name, limit: call.paging.limit, marker }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerBody {
    #[serde(default)]
    custom_key_stores: Vec<serde_json::Value>,
    truncated: Option<bool>,
    next_marker: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::custom_key_store::{ConnectionState, Connectivity, KeyStoreBacking, XksProxy};
    use crate::aws::kms::fake_kms::exchange;
    use crate::aws::page::Marker;
    use crate::domain::time::Time;

    fn call(which: WhichKeyStores) -> DescribeCustomKeyStores {
        DescribeCustomKeyStores { which, paging: Paging::default() }
    }

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let paging = Paging { marker: Some(Marker::new("m")), limit: Some(9) };
        let mut all = Vec::new();
        for call in [
            DescribeCustomKeyStores { which: WhichKeyStores::All, paging },
            call(WhichKeyStores::WithId("cks-1".to_owned())),
            call(WhichKeyStores::WithName("n".to_owned())),
        ] {
            all.push(exchange(call, "{}").await.0);
        }
        insta::assert_snapshot!(all.join("\n"), @r#"
        DescribeCustomKeyStores {"Limit":9,"Marker":"m"}
        DescribeCustomKeyStores {"CustomKeyStoreId":"cks-1"}
        DescribeCustomKeyStores {"CustomKeyStoreName":"n"}
        "#);
    }

    #[tokio::test]
    async fn stores_are_read_and_an_unknown_entry_does_not_hide_them() {
        let body = json!({ "Truncated": false, "CustomKeyStores": [
            {
                "CustomKeyStoreId": "cks-1", "CustomKeyStoreName": "a", "ConnectionState": "FAILED",
                "ConnectionErrorCode": "INVALID_CREDENTIALS", "CreationDate": 1_700_000_000.125,
                "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
                "XksProxyConfiguration": { "Connectivity": "VPC_ENDPOINT_SERVICE", "AccessKeyId": "A",
                    "UriEndpoint": "https://e", "UriPath": "/kms/xks/v1", "VpcEndpointServiceName": "s" },
            },
            { "CustomKeyStoreId": "cks-2", "ConnectionState": "CONNECTED", "CustomKeyStoreType": "OF_A_NEW_TYPE" },
            { "CustomKeyStoreId": "cks-3", "ConnectionState": "CONNECTED", "CustomKeyStoreType": "EXTERNAL_KEY_STORE" },
            {
                "CustomKeyStoreId": "cks-4", "CustomKeyStoreName": "b", "ConnectionState": "UPDATING",
                "CloudHsmClusterId": "cluster-1", "TrustAnchorCertificate": "PEM",
            },
        ] });
        let page = exchange(call(WhichKeyStores::All), body).await.1;
        let proxy = XksProxy {
            endpoint: "https://e".to_owned(),
            path: "/kms/xks/v1".to_owned(),
            connectivity: Connectivity::Vpc { service: "s".to_owned(), owner: None },
            access_key_id: "A".to_owned(),
        };
        let first = CustomKeyStore {
            id: "cks-1".to_owned(),
            name: "a".to_owned(),
            connection: ConnectionState::Failed,
            connection_error: Some("INVALID_CREDENTIALS".to_owned()),
            created_at: Some(Time::from_nanos(1_700_000_000_125_000_000)),
            backing: KeyStoreBacking::Xks(proxy),
        };
        let backing = KeyStoreBacking::CloudHsm { cluster: "cluster-1".to_owned(), trust_anchor: "PEM".to_owned() };
        let second = CustomKeyStore {
            id: "cks-4".to_owned(),
            name: "b".to_owned(),
            connection: ConnectionState::Other("UPDATING".to_owned()),
            connection_error: None,
            created_at: None,
            backing,
        };
        assert_eq!(page, Page { items: vec![first, second], next: None });
    }
}
