//! DeleteImportedKeyMaterial. rusoto lacks the id of the material.

use serde::Serialize;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::material::MaterialId;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteImportedKeyMaterial {
    pub key: AwsKeyId,
    /// The material to delete; the current one if `None`.
    pub material: Option<MaterialId>,
}

impl AwsCall for DeleteImportedKeyMaterial {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("DeleteImportedKeyMaterial");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let key_material_id = self.material.as_ref().map(MaterialId::as_str);
        wire.json_without_answer(&RequestBody { key_id: self.key.as_str(), key_material_id }).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let call = DeleteImportedKeyMaterial { key: key(), material: None };
        assert_eq!(sent(call.clone()).await, "DeleteImportedKeyMaterial {ID}");
        let material = Some(MaterialId::new("0f"));
        let expected = r#"DeleteImportedKeyMaterial {ID,"KeyMaterialId":"0f"}"#;
        assert_eq!(sent(DeleteImportedKeyMaterial { material, ..call }).await, expected);
    }
}
