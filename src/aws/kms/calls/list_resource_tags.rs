//! ListResourceTags: the tags of a key.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Page, Paging};
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::tag::Tag;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListResourceTags {
    pub key: AwsKeyId,
    pub paging: Paging,
}

impl ListResourceTags {
    pub fn of(key: AwsKeyId) -> Self {
        Self { key, paging: Paging::default() }
    }
}

impl AwsCall for ListResourceTags {
    type Answer = Page<Tag>;
    const OPERATION: AwsOperation = AwsOperation::kms("ListResourceTags");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<Tag>, Fault> {
        let (limit, marker) = self.paging.to_rusoto();
        let request = rusoto_kms::ListResourceTagsRequest { key_id: self.key.to_string(), limit, marker };
        let answer = wire.kms(async |kms| kms.list_resource_tags(request).await).await?;
        let tags = answer.tags.unwrap_or_default().into_iter().map(|tag| Tag::new(tag.tag_key, tag.tag_value));
        Page::of(tags.collect(), answer.truncated, answer.next_marker)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::failure::AwsFailure;
    use crate::aws::fake::{Fake, Reply, access};
    use crate::aws::kms::fake_kms::{key, paris, port, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(sent(ListResourceTags::of(key())).await, "ListResourceTags {ID}");
    }

    #[tokio::test]
    async fn tags_are_read_over_all_pages() {
        let fake = Fake::answering(|asked, _| {
            let last = asked.body.contains("\"m2\"");
            let tags = json!([{"TagKey": if last { "b" } else { "a" }, "TagValue": "ü"}]);
            Reply::Http(200, json!({"Tags": tags, "Truncated": !last, "NextMarker": "m2"}).to_string())
        })
        .await;
        let (kms, access, paris) = (port(&fake.settings()), access(), paris());
        let tags = kms.pages(&access, &paris, ListResourceTags::of(key())).collect().await.expect("answered");
        assert_eq!(tags, [Tag::new("a", "ü"), Tag::new("b", "ü")]);
    }

    #[tokio::test]
    async fn a_cyclic_list_is_rejected() {
        let endless = json!({"Tags": [], "Truncated": true, "NextMarker": "m"});
        let fake = Fake::answering(move |_, _| Reply::Http(200, endless.to_string())).await;
        let (kms, access, paris) = (port(&fake.settings()), access(), paris());
        let outcome = kms.pages(&access, &paris, ListResourceTags::of(key())).collect().await;
        assert!(matches!(outcome, Err(AwsFailure::Unintelligible { .. })), "{outcome:?}");
        assert_eq!(fake.calls().len(), 2);
    }
}
