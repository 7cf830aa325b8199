//! CancelKeyDeletion: cancels the scheduled deletion of a key, which is disabled afterwards.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelKeyDeletion {
    pub key: AwsKeyId,
}

impl AwsCall for CancelKeyDeletion {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("CancelKeyDeletion");
    // AWS refuses a repetition, because no deletion is pending any more.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request = rusoto_kms::CancelKeyDeletionRequest { key_id: self.key.to_string() };
        wire.kms(async |kms| kms.cancel_key_deletion(request).await).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(sent(CancelKeyDeletion { key: key() }).await, r#"CancelKeyDeletion {ID}"#);
    }
}
