//! ConnectCustomKeyStore. AWS answers at once; DescribeCustomKeyStores shows the result minutes later.

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::custom_key_store::StoreIdBody;
use crate::aws::operation::AwsOperation;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectCustomKeyStore {
    pub store: String,
}

impl AwsCall for ConnectCustomKeyStore {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("ConnectCustomKeyStore");
    // A store that is connecting or connected accepts the call.
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        wire.json_without_answer(&StoreIdBody::of(&self.store)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::exchange;

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let sent = exchange(ConnectCustomKeyStore { store: "cks-1".to_owned() }, "{}").await.0;
        assert_eq!(sent, r#"ConnectCustomKeyStore {"CustomKeyStoreId":"cks-1"}"#);
    }
}
