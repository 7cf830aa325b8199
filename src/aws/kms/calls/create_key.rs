//! CreateKey. rusoto lacks HMAC keys, ML-DSA keys and external key stores.

use serde::Serialize;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::{NewKeyBody, TagBody};
use crate::aws::kms::key_metadata::KeyMetadataAnswer;
use crate::aws::operation::AwsOperation;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::operation::NewKey;

#[derive(Debug, Clone, PartialEq)]
pub struct CreateKey {
    /// The new key. Its aliases are ignored: CreateAlias creates them.
    pub new: NewKey,
    /// The custom key store of the key; AWS's own if `None`.
    pub custom_key_store_id: Option<String>,
    /// The id of the external key in an external key store.
    pub xks_key_id: Option<String>,
}

impl CreateKey {
    /// A key in AWS's own key store.
    pub fn of(new: NewKey) -> Self {
        Self { new, custom_key_store_id: None, xks_key_id: None }
    }

    /// A symmetric key with default settings.
    #[cfg(test)]
    pub fn plain() -> Self {
        use crate::domain::key::aws_enums::Origin;
        use crate::domain::key::spec::{KeySpec, KeyUsage};
        Self::of(NewKey {
            aliases: Vec::new(),
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsage::EncryptDecrypt,
            origin: Origin::AwsKms,
            description: String::new(),
            multi_region: false,
            policy: None,
            bypass_lockout_check: false,
            tags: Vec::new(),
        })
    }
}

impl AwsCall for CreateKey {
    type Answer = KeyMetadata;
    const OPERATION: AwsOperation = AwsOperation::kms("CreateKey");
    // Every call creates a key.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<KeyMetadata, Fault> {
        wire.json::<KeyMetadataAnswer>(&RequestBody::of(self)).await?.metadata()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    key_spec: &'a str,
    key_usage: &'a str,
    origin: &'a str,
    multi_region: bool,
    #[serde(flatten)]
    new: NewKeyBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_key_store_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_key_id: Option<&'a str>,
}

impl<'a> RequestBody<'a> {
    fn of(call: &'a CreateKey) -> Self {
        let new = &call.new;
        Self {
            key_spec: new.spec.as_str(),
            key_usage: new.usage.as_str(),
            origin: new.origin.as_str(),
            multi_region: new.multi_region,
            new: NewKeyBody {
                description: &new.description,
                policy: new.policy.as_ref().map(|policy| policy.as_str()),
                bypass_policy_lockout_safety_check: new.bypass_lockout_check,
                tags: TagBody::all(&new.tags),
            },
            custom_key_store_id: call.custom_key_store_id.as_deref(),
            xks_key_id: call.xks_key_id.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{exchange, metadata, policy};
    use crate::domain::key::aws_enums::Origin;
    use crate::domain::key::spec::{KeySpec, KeyUsage};
    use crate::domain::key::tag::Tag;

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let new = NewKey {
            spec: KeySpec::Hmac256,
            usage: KeyUsage::GenerateVerifyMac,
            origin: Origin::External,
            description: "d".to_owned(),
            multi_region: true,
            policy: Some(policy()),
            bypass_lockout_check: true,
            tags: vec![Tag::new("team", "ops")],
            ..CreateKey::plain().new
        };
        let custom_key_store_id = Some("cks-1".to_owned());
        let full = CreateKey { new, custom_key_store_id, xks_key_id: Some("xks".to_owned()) };
        let answer = json!({"KeyMetadata": metadata()});
        let plain = exchange(CreateKey::plain(), &answer).await.0;
        insta::assert_snapshot!([plain, exchange(full, &answer).await.0].join("\n"), @r#"
        CreateKey {"Description":"","KeySpec":"SYMMETRIC_DEFAULT","KeyUsage":"ENCRYPT_DECRYPT","MultiRegion":false,"Origin":"AWS_KMS"}
        CreateKey {"BypassPolicyLockoutSafetyCheck":true,"CustomKeyStoreId":"cks-1","Description":"d","KeySpec":"HMAC_256","KeyUsage":"GENERATE_VERIFY_MAC","MultiRegion":true,"Origin":"EXTERNAL","Policy":"{\"Statement\":[]}","Tags":[{"TagKey":"team","TagValue":"ops"}],"XksKeyId":"xks"}
        "#);
    }
}
