//! ImportKeyMaterial: imports wrapped material. rusoto lacks the id of the material and the import type.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::Blob;
use crate::aws::operation::AwsOperation;
use crate::domain::key::material::{ImportType, MaterialId};
use crate::domain::key::name::AwsKeyId;
use crate::domain::time::Time;

#[derive(Clone, PartialEq, Eq)]
pub struct ImportKeyMaterial {
    pub key: AwsKeyId,
    /// The import token of the wrapping key.
    pub token: Vec<u8>,
    pub wrapped: Vec<u8>,
    /// The expiry of the material, in whole seconds; never if `None`.
    pub expires: Option<Time>,
    /// Whether the material is new to the key. The first material of a key needs no type.
    pub import_type: Option<ImportType>,
    /// The id of the material, if it is imported again.
    pub material: Option<MaterialId>,
    pub description: Option<String>,
}

impl ImportKeyMaterial {
    /// A key's first material, which does not expire.
    pub fn first(key: AwsKeyId, token: Vec<u8>, wrapped: Vec<u8>) -> Self {
        Self { key, token, wrapped, expires: None, import_type: None, material: None, description: None }
    }
}

impl fmt::Debug for ImportKeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportKeyMaterial")
            .field("key", &self.key)
            .field("expires", &self.expires)
            .field("import_type", &self.import_type)
            .field("material", &self.material)
            .finish_non_exhaustive()
    }
}

impl AwsCall for ImportKeyMaterial {
    /// AWS's id of the material, if AWS returns one.
    type Answer = Option<MaterialId>;
    const OPERATION: AwsOperation = AwsOperation::kms("ImportKeyMaterial");
    // Every call may add a material.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Option<MaterialId>, Fault> {
        let answer: AnswerBody = wire.json(&RequestBody::of(self)).await?;
        Ok(answer.key_material_id.as_deref().map(MaterialId::new))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    key_id: &'a str,
    import_token: Blob<'a>,
    encrypted_key_material: Blob<'a>,
    expiration_model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_description: Option<&'a str>,
}

impl<'a> RequestBody<'a> {
    fn of(import: &'a ImportKeyMaterial) -> Self {
        Self {
            key_id: import.key.as_str(),
            import_token: Blob(&import.token),
            encrypted_key_material: Blob(&import.wrapped),
            expiration_model: match import.expires {
                Some(_) => "KEY_MATERIAL_EXPIRES",
                None => "KEY_MATERIAL_DOES_NOT_EXPIRE",
            },
            valid_to: import.expires.map(|moment| moment.seconds()),
            import_type: import.import_type.as_ref().map(|word| word.as_str()),
            key_material_id: import.material.as_ref().map(|id| id.as_str()),
            key_material_description: import.description.as_deref(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerBody {
    key_material_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key, sent};

    #[test]
    fn wrapped_material_and_tokens_are_not_shown() {
        let key = AwsKeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").expect("an id");
        let shown = format!("{:?}", ImportKeyMaterial::first(key, b"token".to_vec(), b"wrapped".to_vec()));
        assert!(shown.ends_with("expires: None, import_type: None, material: None, .. }"), "{shown}");
        assert!(!shown.contains("116, 111") && !shown.contains("119, 114"), "{shown}");
    }

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let first = ImportKeyMaterial::first(key(), b"token".to_vec(), b"wrapped".to_vec());
        let again = ImportKeyMaterial {
            expires: Some(Time::from_nanos(1_800_000_000_900_000_000)),
            import_type: Some(ImportType::ExistingKeyMaterial),
            material: Some(MaterialId::new("0f")),
            description: Some("batch 7".to_owned()),
            ..first.clone()
        };
        insta::assert_snapshot!([sent(first).await, sent(again).await].join("\n"), @r#"
        ImportKeyMaterial {"EncryptedKeyMaterial":"d3JhcHBlZA==","ExpirationModel":"KEY_MATERIAL_DOES_NOT_EXPIRE","ImportToken":"dG9rZW4=",ID}
        ImportKeyMaterial {"EncryptedKeyMaterial":"d3JhcHBlZA==","ExpirationModel":"KEY_MATERIAL_EXPIRES","ImportToken":"dG9rZW4=","ImportType":"EXISTING_KEY_MATERIAL",ID,"KeyMaterialDescription":"batch 7","KeyMaterialId":"0f","ValidTo":1800000000}
        "#);
    }

    #[tokio::test]
    async fn the_id_of_the_material_is_read() {
        let call = ImportKeyMaterial::first(key(), vec![1], vec![2]);
        let (_, material) = exchange(call, json!({"KeyId": ID, "KeyMaterialId": "0c"})).await;
        assert_eq!(material, Some(MaterialId::new("0c")));
    }
}
