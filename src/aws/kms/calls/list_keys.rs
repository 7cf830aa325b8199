//! ListKeys: the keys of a region, including AWS managed keys, in AWS's order.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Page, Paging, known_entry};
use crate::domain::key::name::KeyArn;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListKeys {
    pub paging: Paging,
}

impl AwsCall for ListKeys {
    type Answer = Page<KeyArn>;
    const OPERATION: AwsOperation = AwsOperation::kms("ListKeys");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<KeyArn>, Fault> {
        let (limit, marker) = self.paging.to_rusoto();
        let request = rusoto_kms::ListKeysRequest { limit, marker };
        let answer = wire.kms(async |kms| kms.list_keys(request).await).await?;
        let arns = answer.keys.unwrap_or_default().into_iter().filter_map(|entry| entry.key_arn);
        let keys = arns.filter_map(|arn| known_entry("key", KeyArn::parse(&arn)));
        Page::of(keys.collect(), answer.truncated, answer.next_marker)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{FAMILY, ID, exchange, sent};
    use crate::aws::page::Marker;

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let paging = Paging { marker: Some(Marker::new("m2")), limit: Some(1_000) };
        assert_eq!(sent(ListKeys { paging }).await, r#"ListKeys {"Limit":1000,"Marker":"m2"}"#);
    }

    #[tokio::test]
    async fn an_unknown_entry_does_not_hide_the_others() {
        let entry = |id: &str| json!({"KeyId": id, "KeyArn": format!("arn:aws:kms:eu-west-3:123456789012:key/{id}")});
        let entries = [entry(ID), entry("of-a-new-shape"), entry(FAMILY)];
        let body = json!({"Keys": entries, "Truncated": true, "NextMarker": "m2"});
        let (_, page) = exchange(ListKeys { paging: Paging::default() }, body).await;
        assert_eq!(page.items.iter().map(|arn| arn.id().as_str()).collect::<Vec<_>>(), [ID, FAMILY]);
        assert_eq!(page.next, Some(Marker::new("m2")));
    }
}
