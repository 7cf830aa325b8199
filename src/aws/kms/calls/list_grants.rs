//! ListGrants: the grants of a key.

use std::collections::HashMap;

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::moment;
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Page, Paging};
use crate::domain::key::grant::{KeyGrant, Pairs};
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListGrants {
    pub key: AwsKeyId,
    /// Only the grant with this id.
    pub id: Option<String>,
    /// Only grants for this principal, by its ARN.
    pub grantee: Option<String>,
    pub paging: Paging,
}

impl ListGrants {
    pub fn of(key: AwsKeyId) -> Self {
        Self { key, id: None, grantee: None, paging: Paging::first(100) }
    }
}

impl AwsCall for ListGrants {
    type Answer = Page<KeyGrant>;
    const OPERATION: AwsOperation = AwsOperation::kms("ListGrants");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<KeyGrant>, Fault> {
        let (limit, marker) = self.paging.to_rusoto();
        let request = rusoto_kms::ListGrantsRequest {
            key_id: self.key.to_string(),
            grant_id: self.id.clone(),
            grantee_principal: self.grantee.clone(),
            limit,
            marker,
        };
        let answer = wire.kms(async |kms| kms.list_grants(request).await).await?;
        let grants = answer.grants.unwrap_or_default().into_iter().map(grant_of);
        Page::of(grants.collect(), answer.truncated, answer.next_marker)
    }
}

fn grant_of(entry: rusoto_kms::GrantListEntry) -> KeyGrant {
    let constraints = entry.constraints.unwrap_or_default();
    let sorted = |pairs: Option<HashMap<String, String>>| pairs.map(|pairs| pairs.into_iter().collect::<Pairs>());
    KeyGrant {
        id: entry.grant_id.unwrap_or_default(),
        name: entry.name.unwrap_or_default(),
        created_at: entry.creation_date.map(moment),
        grantee: entry.grantee_principal.unwrap_or_default(),
        retiring: entry.retiring_principal,
        issuing_account: entry.issuing_account.unwrap_or_default(),
        operations: entry.operations.unwrap_or_default(),
        context_subset: sorted(constraints.encryption_context_subset),
        context_equals: sorted(constraints.encryption_context_equals),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key};
    use crate::aws::page::Marker;

    #[tokio::test]
    async fn the_request_matches_the_api_and_grants_are_read() {
        let body = json!({"Truncated": true, "NextMarker": "m3", "Grants": [{"KeyId": ID, "GrantId": "0a", "Name": "",
            "CreationDate": 1_700_000_000.5, "GranteePrincipal": "arn:aws:iam::123456789012:role/app",
            "IssuingAccount": "arn:aws:iam::123456789012:root", "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"team": "blue"}}}]});
        let paging = Paging { marker: Some(Marker::new("m2")), limit: Some(100) };
        let (sent, page) = exchange(ListGrants { paging, ..ListGrants::of(key()) }, body).await;
        assert_eq!(sent, r#"ListGrants {ID,"Limit":100,"Marker":"m2"}"#);
        let [grant] = page.items.as_slice() else { panic!("one grant: {page:?}") };
        assert_eq!((grant.id.as_str(), grant.operations.as_slice()), ("0a", &["Decrypt".to_owned()][..]));
        assert_eq!(grant.context_subset, Some([("team".to_owned(), "blue".to_owned())].into()));
        assert_eq!((grant.retiring.as_ref(), page.next), (None, Some(Marker::new("m3"))));
    }

    #[tokio::test]
    async fn filters_are_passed_on() {
        let role = "arn:aws:iam::123456789012:role/app".to_owned();
        let call = ListGrants { id: Some("0a".to_owned()), grantee: Some(role), ..ListGrants::of(key()) };
        let (sent, page) = exchange(call, json!({"Truncated": false, "Grants": []})).await;
        assert!(sent.contains(r#""GrantId":"0a""#), "{sent}");
        assert!(sent.contains(r#""GranteePrincipal":"arn:aws:iam::123456789012:role/app""#), "{sent}");
        assert!(page.items.is_empty() && page.next.is_none());
    }
}
