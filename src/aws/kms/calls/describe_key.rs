//! DescribeKey. rusoto's answer lacks the current material, the MAC algorithms and other members.

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::KeyIdBody;
use crate::aws::kms::key_metadata::KeyMetadataAnswer;
use crate::aws::operation::AwsOperation;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::{AliasName, AwsKeyId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeKey {
    pub key: KeyOrAlias,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrAlias {
    Key(AwsKeyId),
    Alias(AliasName),
}

impl DescribeKey {
    pub fn of(key: AwsKeyId) -> Self {
        Self { key: KeyOrAlias::Key(key) }
    }

    /// Describes the key of an alias. AWS answers `NotFoundException` if the alias does not exist.
    pub fn behind(alias: AliasName) -> Self {
        Self { key: KeyOrAlias::Alias(alias) }
    }
}

impl AwsCall for DescribeKey {
    type Answer = KeyMetadata;
    const OPERATION: AwsOperation = AwsOperation::kms("DescribeKey");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<KeyMetadata, Fault> {
        let key_id = match &self.key {
            KeyOrAlias::Key(key) => key.as_str(),
            KeyOrAlias::Alias(alias) => alias.as_str(),
        };
        wire.json::<KeyMetadataAnswer>(&KeyIdBody { key_id }).await?.metadata()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{alias, exchange, key, metadata};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let answer = json!({"KeyMetadata": metadata()});
        assert_eq!(exchange(DescribeKey::of(key()), &answer).await.0, "DescribeKey {ID}");
        let behind = exchange(DescribeKey::behind(alias()), &answer).await.0;
        assert_eq!(behind, r#"DescribeKey {"KeyId":"alias/payroll"}"#);
    }
}
