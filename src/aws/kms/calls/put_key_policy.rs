//! PutKeyPolicy: replaces a key's policy.

use rusoto_kms::Kms;

use super::get_key_policy::POLICY_NAME;
use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::policy_text::PolicyText;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutKeyPolicy {
    pub key: AwsKeyId,
    pub policy: PolicyText,
    /// Whether AWS accepts a policy under which the caller cannot change the policy again.
    pub bypass_lockout_check: bool,
}

impl AwsCall for PutKeyPolicy {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("PutKeyPolicy");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request = rusoto_kms::PutKeyPolicyRequest {
            key_id: self.key.to_string(),
            policy_name: POLICY_NAME.to_owned(),
            policy: self.policy.to_string(),
            bypass_policy_lockout_safety_check: self.bypass_lockout_check.then_some(true),
        };
        wire.kms(async |kms| kms.put_key_policy(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, policy, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let call = PutKeyPolicy { key: key(), policy: policy(), bypass_lockout_check: false };
        let expected = r#"PutKeyPolicy {ID,"Policy":"{\"Statement\":[]}","PolicyName":"default"}"#;
        assert_eq!(sent(call.clone()).await, expected);
        let expected = r#"PutKeyPolicy {"BypassPolicyLockoutSafetyCheck":true,ID,"Policy":"{\"Statement\":[]}","PolicyName":"default"}"#;
        assert_eq!(sent(PutKeyPolicy { bypass_lockout_check: true, ..call }).await, expected);
    }
}
