//! EnableKey.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnableKey {
    pub key: AwsKeyId,
}

impl AwsCall for EnableKey {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("EnableKey");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request = rusoto_kms::EnableKeyRequest { key_id: self.key.to_string() };
        wire.kms(async |kms| kms.enable_key(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(sent(EnableKey { key: key() }).await, r#"EnableKey {ID}"#);
    }
}
