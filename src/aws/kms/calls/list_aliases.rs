//! ListAliases: the aliases of a region or of a key. A page has up to 100 entries.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Page, Paging, known_entry};
use crate::domain::key::name::{AliasName, AwsKeyId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAliases {
    /// The key whose aliases are listed; all keys of the region if `None`.
    pub key: Option<AwsKeyId>,
    pub paging: Paging,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub name: AliasName,
    /// The key; `None` for an alias of AWS whose key does not exist yet.
    pub target: Option<AwsKeyId>,
}

impl AwsCall for ListAliases {
    type Answer = Page<Alias>;
    const OPERATION: AwsOperation = AwsOperation::kms("ListAliases");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<Alias>, Fault> {
        let (limit, marker) = self.paging.to_rusoto();
        let key_id = self.key.as_ref().map(ToString::to_string);
        let request = rusoto_kms::ListAliasesRequest { key_id, limit, marker };
        let answer = wire.kms(async |kms| kms.list_aliases(request).await).await?;
        let read = answer.aliases.unwrap_or_default().into_iter().filter_map(|entry| {
            let name = known_entry("alias", AliasName::parse(&entry.alias_name.unwrap_or_default()))?;
            let target = entry.target_key_id.and_then(|id| AwsKeyId::parse(&id).ok());
            Some(Alias { name, target })
        });
        Page::of(read.collect(), answer.truncated, answer.next_marker)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(sent(ListAliases { key: None, paging: Paging::default() }).await, "ListAliases {}");
        let of_key = ListAliases { key: Some(key()), paging: Paging::first(100) };
        assert_eq!(sent(of_key).await, r#"ListAliases {ID,"Limit":100}"#);
    }

    #[tokio::test]
    async fn an_alias_of_aws_may_have_no_key() {
        let body = json!({"Truncated": false, "Aliases": [
            {"AliasName": "alias/aws/s3", "AliasArn": "arn:aws:kms:eu-west-3:123456789012:alias/aws/s3"},
            {"AliasName": "alias/a", "TargetKeyId": ID, "CreationDate": 1.5}]});
        let (_, page) = exchange(ListAliases { key: None, paging: Paging::default() }, body).await;
        assert!(page.items[0].name.is_of_aws() && page.items[0].target.is_none());
        assert_eq!((page.items[1].target.clone(), page.next), (Some(key()), None));
    }
}
