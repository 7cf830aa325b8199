//! DisconnectCustomKeyStore. AWS answers at once; DescribeCustomKeyStores shows the result later.

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::custom_key_store::StoreIdBody;
use crate::aws::operation::AwsOperation;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisconnectCustomKeyStore {
    pub store: String,
}

impl AwsCall for DisconnectCustomKeyStore {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("DisconnectCustomKeyStore");
    // AWS refuses a repetition because of the state.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

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
        let sent = exchange(DisconnectCustomKeyStore { store: "cks-1".to_owned() }, "{}").await.0;
        assert_eq!(sent, r#"DisconnectCustomKeyStore {"CustomKeyStoreId":"cks-1"}"#);
    }
}
