//! ListKeyRotations: all materials of a key, including the first one and those that are pending rotation.

use serde::{Deserialize, Serialize};

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::moment;
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Marker, Page, Paging};
use crate::domain::key::aws_enums::ExpirationModel;
use crate::domain::key::material::{ImportState, MaterialId, MaterialState, RotationKind};
use crate::domain::key::metadata::Rotation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListKeyRotations {
    pub key: AwsKeyId,
    pub paging: Paging,
}

impl ListKeyRotations {
    pub fn of(key: AwsKeyId) -> Self {
        Self { key, paging: Paging::default() }
    }
}

impl AwsCall for ListKeyRotations {
    type Answer = Page<Rotation>;
    const OPERATION: AwsOperation = AwsOperation::kms("ListKeyRotations");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<Rotation>, Fault> {
        let answer: AnswerBody = wire
            .json(&RequestBody {
                key_id: self.key.as_str(),
                include_key_material: "ALL_KEY_MATERIAL",
                limit: self.paging.limit,
                marker: self.paging.marker.as_ref().map(Marker::as_str),
            })
            .await?;
        let rows = answer.rotations.into_iter().map(RotationBody::rotation);
        Page::of(rows.collect(), answer.truncated, answer.next_marker)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    key_id: &'a str,
    include_key_material: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerBody {
    #[serde(default)]
    rotations: Vec<RotationBody>,
    next_marker: Option<String>,
    truncated: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RotationBody {
    key_material_id: Option<String>,
    key_material_description: Option<String>,
    key_material_state: Option<String>,
    import_state: Option<String>,
    expiration_model: Option<String>,
    valid_to: Option<f64>,
    rotation_date: Option<f64>,
    rotation_type: Option<String>,
}

impl RotationBody {
    fn rotation(self) -> Rotation {
        Rotation {
            material: self.key_material_id.as_deref().map(MaterialId::new),
            state: self.key_material_state.as_deref().map(MaterialState::parse),
            import_state: self.import_state.as_deref().map(ImportState::parse),
            rotated_at: self.rotation_date.map(moment),
            kind: self.rotation_type.as_deref().map(RotationKind::parse),
            expiration_model: self.expiration_model.as_deref().map(ExpirationModel::parse),
            valid_to: self.valid_to.map(moment),
            description: self.key_material_description,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let paging = Paging { marker: Some(Marker::new("m2")), limit: Some(1_000) };
        let expected = r#"ListKeyRotations {"IncludeKeyMaterial":"ALL_KEY_MATERIAL",ID,"Limit":1000,"Marker":"m2"}"#;
        assert_eq!(sent(ListKeyRotations { key: key(), paging }).await, expected);
    }

    #[tokio::test]
    async fn materials_are_read() {
        let body = json!({"Truncated": false, "Rotations": [
            {"KeyId": ID, "KeyMaterialId": "0a", "KeyMaterialState": "CURRENT", "RotationDate": 1_700_000_000.5,
             "RotationType": "ON_DEMAND", "ImportState": "IMPORTED", "ExpirationModel": "KEY_MATERIAL_EXPIRES",
             "ValidTo": 1_800_000_000.0, "KeyMaterialDescription": "second"},
            {"KeyId": ID, "KeyMaterialId": "0b", "KeyMaterialState": "NON_CURRENT"}]});
        let (_, page) = exchange(ListKeyRotations::of(key()), body).await;
        let [second, first] = page.items.as_slice() else { panic!("two materials: {page:?}") };
        assert_eq!(second.state, Some(MaterialState::Current));
        assert_eq!(second.kind, Some(RotationKind::OnDemand));
        assert_eq!(second.import_state, Some(ImportState::Imported));
        assert_eq!(second.description.as_deref(), Some("second"));
        assert_eq!(first.material, Some(MaterialId::new("0b")));
        assert_eq!((first.rotated_at, first.kind.clone()), (None, None));
    }
}
