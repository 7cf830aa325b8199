//! TagResource: adds tags or changes their values.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::tag::Tag;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagResource {
    pub key: AwsKeyId,
    pub tags: Vec<Tag>,
}

impl AwsCall for TagResource {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("TagResource");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let tags = self.tags.iter();
        let tags = tags.map(|tag| rusoto_kms::Tag { tag_key: tag.key.clone(), tag_value: tag.value.clone() });
        let request = rusoto_kms::TagResourceRequest { key_id: self.key.to_string(), tags: tags.collect() };
        wire.kms(async |kms| kms.tag_resource(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(
            sent(TagResource { key: key(), tags: vec![Tag::new("team", "ops")] }).await,
            r#"TagResource {ID,"Tags":[{"TagKey":"team","TagValue":"ops"}]}"#
        );
    }
}
