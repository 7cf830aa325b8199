//! `GET /v1/cckm/aws/keys/{id}/rotations`: the materials of a key, newest first.

use crate::domain::key::aggregate::{ImportedMaterial, Key};
use crate::domain::key::material::MaterialState;
use crate::domain::key::metadata::Rotation;
use crate::domain::time::Time;
use crate::http::envelope::Envelope;
use crate::http::error::Problem;
use crate::http::guard::OnKey;
use crate::http::paging::{Columns, List, Listing};
use crate::service::Services;
use crate::service::access::ViewKey;
use crate::service::list::{Field, Query, arrange};
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Map, Value};
use std::cmp::Reverse;
use utoipa::ToSchema;
use uuid::Uuid;

/// One material of a key.
#[derive(Serialize, ToSchema)]
#[schema(as = Rotation)]
pub struct RotationView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The id of the KMS.
    kms_id: String,
    /// The description of the material by AWS, under AWS's names.
    #[schema(value_type = Object)]
    aws_param: Value,
    /// The tier of the source key, or empty.
    key_source: &'static str,
    /// The same as `key_source`.
    source_key_tier: &'static str,
    /// Always empty: source keys have no container.
    key_source_container_id: &'static str,
    /// Always empty: source keys have no container.
    key_source_container_name: &'static str,
    /// `native`, `cckm` or `unknown`.
    key_material_origin: &'static str,
    /// The id of the source key that the material comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    source_key_identifier: Option<String>,
    /// The same as `source_key_identifier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    local_key_id: Option<String>,
    /// The name of the source key, while it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    source_key_name: Option<String>,
    /// `success` if Claviger imported the material, or empty.
    last_import_status: &'static str,
    /// Always empty: an import that fails leaves no material.
    last_import_error: &'static str,
    /// When Claviger last imported the material.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    last_import_at: Option<String>,
}

impl Columns for Rotation {
    const SORTS: &'static [&'static str] = &[
        "RotationDate",
        "KeyMaterialId",
        "KeyMaterialState",
        "KeyMaterialDescription",
        "ImportState",
        "RotationType",
        "ExpirationModel",
        "ValidTo",
        "id",
        "key_source",
        "source_key_tier",
        "key_material_origin",
        "source_key_identifier",
        "local_key_id",
        "source_key_name",
        "last_import_status",
        "last_import_at",
        "createdAt",
        "updatedAt",
    ];
    const FILTERS: &'static [&'static str] = &[
        "id",
        "KeyMaterialId",
        "KeyMaterialState",
        "ImportState",
        "RotationType",
        "ExpirationModel",
        "key_source",
        "key_material_origin",
        "source_key_identifier",
        "source_key_name",
    ];
}

/// `GET /v1/cckm/aws/keys/{id}/rotations`
pub async fn rotations(
    auth: OnKey<ViewKey>,
    listing: Listing<Rotation>,
    services: Data<Services>,
) -> Result<List<RotationView>, Problem> {
    let rotations = services.keys.rotations(&auth.permit).await?;
    let sources = &auth.permit.caller().published.state.source_keys;
    let row = |rotation| {
        let ours = auth.permit.key().material(&rotation);
        let name = ours.and_then(|ours| Some(sources.get(&ours.source)?.made.name.to_string()));
        Row { key: auth.permit.key(), ours: ours.cloned(), source_name: name, rotation }
    };
    let rows = ordered(rotations.into_iter().map(row).collect(), &listing.0);
    let (skip, limit) = (listing.0.skip, listing.0.limit);
    List::of(&listing.0, limit, rows.len(), rows.iter().skip(skip).take(limit.rows()).map(RotationView::of))
}

/// A material, with what Claviger knows of it.
struct Row<'a> {
    key: &'a Key,
    rotation: Rotation,
    /// The import by Claviger.
    ours: Option<ImportedMaterial>,
    source_name: Option<String>,
}

/// The rows that match the filters, in the order of the query: newest first, unless it sorts.
fn ordered<'a>(mut rows: Vec<Row<'a>>, query: &Query) -> Vec<Row<'a>> {
    // Material that is pending rotation has no date yet, and is newer than all others.
    rows.sort_by_key(|row| Reverse((row.is_pending(), row.rotation.rotated_at)));
    arrange(&mut rows, query, &[], |row, member| row.field(member));
    rows
}

impl Row<'_> {
    fn is_pending(&self) -> bool {
        use MaterialState::{PendingMultiRegionImportAndRotation, PendingRotation};
        matches!(self.rotation.state, Some(PendingMultiRegionImportAndRotation | PendingRotation))
    }

    /// An id that stays the same: materials have none of their own here.
    fn id(&self) -> Uuid {
        let material = self.rotation.material.as_ref().map(ToString::to_string).unwrap_or_default();
        let start = material.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default();
        uuid::Builder::from_random_bytes((self.key.id.uuid().as_u128() ^ start).to_be_bytes()).into_uuid()
    }

    fn created(&self) -> Time {
        let known = self.ours.as_ref().map(|ours| ours.imported).or(self.rotation.rotated_at);
        known.or(self.key.metadata.created_at).unwrap_or(self.key.created)
    }

    fn updated(&self) -> Time {
        self.rotation.rotated_at.map_or(self.created(), |rotated| rotated.max(self.created()))
    }

    fn tier(&self) -> &'static str {
        if self.ours.is_some() { "local" } else { "" }
    }

    fn origin(&self) -> &'static str {
        match self.ours {
            Some(_) => "cckm",
            None => self.key.material_origin().name(),
        }
    }

    fn import_status(&self) -> &'static str {
        if self.ours.is_some() { "success" } else { "" }
    }

    fn field(&self, member: &str) -> Field {
        let rotation = &self.rotation;
        let text = |value: Option<String>| value.map_or(Field::Absent, Field::Text);
        let moment = |at: Option<Time>| at.map_or(Field::Absent, Field::Moment);
        match member {
            "RotationDate" => moment(rotation.rotated_at),
            "KeyMaterialId" => text(rotation.material.as_ref().map(ToString::to_string)),
            "KeyMaterialState" => text(rotation.state.as_ref().map(ToString::to_string)),
            "KeyMaterialDescription" => text(rotation.description.clone()),
            "ImportState" => text(rotation.import_state.as_ref().map(ToString::to_string)),
            "RotationType" => text(rotation.kind.as_ref().map(ToString::to_string)),
            "ExpirationModel" => text(rotation.expiration_model.as_ref().map(ToString::to_string)),
            "ValidTo" => moment(rotation.valid_to),
            "id" => Field::Text(self.id().to_string()),
            "key_source" | "source_key_tier" => Field::Text(self.tier().to_owned()),
            "key_material_origin" => Field::Text(self.origin().to_owned()),
            "source_key_identifier" | "local_key_id" => text(self.ours.as_ref().map(|ours| ours.source.to_string())),
            "source_key_name" => text(self.source_name.clone()),
            "last_import_status" => Field::Text(self.import_status().to_owned()),
            "last_import_at" => moment(self.ours.as_ref().map(|ours| ours.imported)),
            "createdAt" => Field::Moment(self.created()),
            "updatedAt" => Field::Moment(self.updated()),
            _ => Field::Absent,
        }
    }
}

/// The members of a material that AWS describes, beside `KeyId`.
const AWS_MEMBERS: [&str; 8] = [
    "KeyMaterialId",
    "KeyMaterialState",
    "ImportState",
    "RotationDate",
    "RotationType",
    "ExpirationModel",
    "ValidTo",
    "KeyMaterialDescription",
];

impl RotationView {
    fn of(row: &Row<'_>) -> Self {
        let key_id = ("KeyId", Field::Text(row.key.aws_id().as_str().to_owned()));
        let others = AWS_MEMBERS.into_iter().map(|member| (member, row.field(member)));
        let aws_param: Map<String, Value> = [key_id]
            .into_iter()
            .chain(others)
            .filter_map(|(member, field)| match field {
                Field::Text(text) => Some((member.to_owned(), Value::String(text))),
                Field::Moment(at) => Some((member.to_owned(), Value::String(at.to_string()))),
                _ => None,
            })
            .collect();
        let source = row.ours.as_ref().map(|ours| ours.source.to_string());
        let id = row.id();
        Self {
            envelope: Envelope::new(id, "cckm:aws-key-rotation", id, row.created(), row.updated()),
            kms_id: row.key.kms.to_string(),
            aws_param: Value::Object(aws_param),
            key_source: row.tier(),
            source_key_tier: row.tier(),
            key_source_container_id: "",
            key_source_container_name: "",
            key_material_origin: row.origin(),
            source_key_identifier: source.clone(),
            local_key_id: source,
            source_key_name: row.source_name.clone(),
            last_import_status: row.import_status(),
            last_import_error: "",
            last_import_at: row.ours.as_ref().map(|ours| ours.imported.to_string()),
        }
    }
}
