//! DeleteCustomKeyStore. AWS refuses it unless the store is disconnected and holds no key.

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::custom_key_store::StoreIdBody;
use crate::aws::operation::AwsOperation;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteCustomKeyStore {
    pub store: String,
}

impl AwsCall for DeleteCustomKeyStore {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("DeleteCustomKeyStore");
    // AWS refuses a repetition because the store does not exist any more.
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
        let sent = exchange(DeleteCustomKeyStore { store: "cks-1".to_owned() }, "{}").await.0;
        assert_eq!(sent, r#"DeleteCustomKeyStore {"CustomKeyStoreId":"cks-1"}"#);
    }
}
