//! UntagResource: removes tags. AWS ignores tags that the key does not have.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntagResource {
    pub key: AwsKeyId,
    pub tag_keys: Vec<String>,
}

impl AwsCall for UntagResource {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("UntagResource");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request =
            rusoto_kms::UntagResourceRequest { key_id: self.key.to_string(), tag_keys: self.tag_keys.clone() };
        wire.kms(async |kms| kms.untag_resource(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(
            sent(UntagResource { key: key(), tag_keys: vec!["team".to_owned()] }).await,
            r#"UntagResource {ID,"TagKeys":["team"]}"#
        );
    }
}
