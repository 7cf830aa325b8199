//! UpdateKeyDescription.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateKeyDescription {
    pub key: AwsKeyId,
    pub description: String,
}

impl AwsCall for UpdateKeyDescription {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("UpdateKeyDescription");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request = rusoto_kms::UpdateKeyDescriptionRequest {
            key_id: self.key.to_string(),
            description: self.description.clone(),
        };
        wire.kms(async |kms| kms.update_key_description(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(
            sent(UpdateKeyDescription { key: key(), description: "for wages".to_owned() }).await,
            r#"UpdateKeyDescription {"Description":"for wages",ID}"#
        );
    }
}
