//! UpdateAlias: moves an alias to another key of the same type and usage.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::{AliasName, AwsKeyId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateAlias {
    pub alias: AliasName,
    /// The new target of the alias.
    pub key: AwsKeyId,
}

impl AwsCall for UpdateAlias {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("UpdateAlias");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request =
            rusoto_kms::UpdateAliasRequest { alias_name: self.alias.to_string(), target_key_id: self.key.to_string() };
        wire.kms(async |kms| kms.update_alias(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{alias, key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        assert_eq!(
            sent(UpdateAlias { alias: alias(), key: key() }).await,
            r#"UpdateAlias {"AliasName":"alias/payroll","TargetKeyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}"#
        );
    }
}
