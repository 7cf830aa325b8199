//! RotateKeyOnDemand: rotates a key immediately. rusoto lacks the operation.

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::KeyIdBody;
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotateKeyOnDemand {
    pub key: AwsKeyId,
}

impl AwsCall for RotateKeyOnDemand {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("RotateKeyOnDemand");
    // Every call creates a material.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        wire.json_without_answer(&KeyIdBody::of(&self.key)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(sent(RotateKeyOnDemand { key: key() }).await, r#"RotateKeyOnDemand {ID}"#);
    }
}
