//! GetKeyPolicy.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::policy_text::PolicyText;

/// The name of a key's only policy.
pub(super) const POLICY_NAME: &str = "default";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetKeyPolicy {
    pub key: AwsKeyId,
}

impl AwsCall for GetKeyPolicy {
    type Answer = PolicyText;
    const OPERATION: AwsOperation = AwsOperation::kms("GetKeyPolicy");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<PolicyText, Fault> {
        let request =
            rusoto_kms::GetKeyPolicyRequest { key_id: self.key.to_string(), policy_name: POLICY_NAME.to_owned() };
        let answer = wire.kms(async |kms| kms.get_key_policy(request).await).await?;
        PolicyText::returned(&answer.policy.unwrap_or_default())
            .map_err(|error| Fault::Unintelligible(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{exchange, key};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let (sent, policy) = exchange(GetKeyPolicy { key: key() }, json!({"Policy": "{}"})).await;
        assert_eq!(sent, r#"GetKeyPolicy {ID,"PolicyName":"default"}"#);
        assert_eq!(policy.as_str(), "{}");
    }
}
