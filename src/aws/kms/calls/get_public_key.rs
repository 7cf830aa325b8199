//! GetPublicKey: the public key of an asymmetric key, as the DER of a SubjectPublicKeyInfo.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetPublicKey {
    pub key: AwsKeyId,
}

impl AwsCall for GetPublicKey {
    type Answer = Vec<u8>;
    const OPERATION: AwsOperation = AwsOperation::kms("GetPublicKey");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Vec<u8>, Fault> {
        let request = rusoto_kms::GetPublicKeyRequest { key_id: self.key.to_string(), grant_tokens: None };
        let answer = wire.kms(async |kms| kms.get_public_key(request).await).await?;
        let der = answer.public_key.filter(|der| !der.is_empty());
        der.map(|der| der.to_vec()).ok_or_else(|| Fault::Unintelligible("the answer has no public key".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let (sent, der) = exchange(GetPublicKey { key: key() }, json!({"KeyId": ID, "PublicKey": "a2V5"})).await;
        assert_eq!((sent.as_str(), der.as_slice()), ("GetPublicKey {ID}", &b"key"[..]));
    }
}
