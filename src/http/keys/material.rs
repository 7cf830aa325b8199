//! Imported material of keys: import from a source key, delete.

use super::view::KeyView;
use crate::domain::key::material::MaterialId;
use crate::domain::key::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::http::answer::Json;
use crate::http::body::{BodyOrNone, one_of, optional, read_as, read_time};
use crate::http::error::Problem;
use crate::http::guard::OnKey;
use crate::service::Services;
use crate::service::access::{DeleteMaterial, ImportMaterial};
use crate::service::failure::invalid;
use crate::service::keys::ImportRequest;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

/// The source key whose material is imported, and the options of the import.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = ImportMaterialRequest)]
pub struct ImportBody {
    /// The name or id of the source key. Without it a new source key is made, if AWS takes new material.
    #[serde(default, alias = "source_key_id", deserialize_with = "flat::source_key_identifier")]
    source_key_identifier: Option<String>,
    /// The tier of the source key; only `local` is valid.
    #[serde(default, deserialize_with = "flat::source_key_tier")]
    source_key_tier: Option<String>,
    /// Whether the material expires.
    #[serde(default, deserialize_with = "flat::key_expiration")]
    key_expiration: Option<bool>,
    /// The time at which the material expires; required if `key_expiration` is true.
    #[serde(default, deserialize_with = "flat::valid_to")]
    valid_to: Option<String>,
    /// `NEW_KEY_MATERIAL` or `EXISTING_KEY_MATERIAL`. The default is the latter for a symmetric key that has material.
    #[serde(default, deserialize_with = "flat::import_type")]
    import_type: Option<String>,
    /// The id of the key's material to import again.
    #[serde(default, deserialize_with = "flat::key_material_id")]
    key_material_id: Option<String>,
    /// A description that AWS keeps with the material.
    #[serde(default, deserialize_with = "flat::key_material_description")]
    key_material_description: Option<String>,
}

/// The readers of the members of [`ImportBody`].
mod flat {
    crate::http::body::flattened!(
        source_key_identifier,
        source_key_tier,
        key_expiration,
        valid_to,
        import_type,
        key_material_id,
        key_material_description
    );
}

/// The material to delete.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = DeleteMaterialRequest)]
pub struct DeleteMaterialBody {
    /// The id of the material; default: the current material.
    #[serde(default, deserialize_with = "optional")]
    key_material_id: Option<String>,
}

/// `POST /v1/cckm/aws/keys/{id}/import-material`
pub async fn import_material(
    auth: OnKey<ImportMaterial>,
    body: BodyOrNone<ImportBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let request = import(body.0)?;
    let seen = services.keys.import_material(&auth.permit, &auth.context, request).await?;
    Ok(Json(KeyView::of(seen)))
}

/// `POST /v1/cckm/aws/keys/{id}/delete-material`
pub async fn delete_material(
    auth: OnKey<DeleteMaterial>,
    body: BodyOrNone<DeleteMaterialBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let material = body.0.key_material_id;
    let material = material.map(|text| read_as("key_material_id", &text, MaterialId::parse)).transpose()?;
    let seen = services.keys.change(&auth.permit, &auth.context, Operation::DeleteMaterial { material }).await?;
    Ok(Json(KeyView::of(seen)))
}

impl ImportBody {
    /// The first member of the body that asks for an import of material.
    pub fn asking(&self) -> Option<&'static str> {
        let names_time = |text: &String| !matches!(read_time("valid_to", text), Ok(None));
        [
            ("source_key_identifier", self.source_key_identifier.is_some()),
            ("source_key_tier", self.source_key_tier.is_some()),
            ("key_expiration", self.key_expiration == Some(true)),
            ("valid_to", self.valid_to.as_ref().is_some_and(names_time)),
            ("import_type", self.import_type.is_some()),
            ("key_material_id", self.key_material_id.is_some()),
            ("key_material_description", self.key_material_description.is_some()),
        ]
        .into_iter()
        .find_map(|(member, asks)| asks.then_some(member))
    }

    /// The source key, if no other member but the tier is given.
    ///
    /// # Errors
    /// The other member.
    pub(super) fn only_source(&self) -> Result<Option<&str>, &'static str> {
        let others = Self { source_key_identifier: None, source_key_tier: None, ..self.clone() };
        match (others.asking(), self.source_key_tier.as_deref()) {
            (Some(member), _) => Err(member),
            (None, None | Some("local")) => Ok(self.source_key_identifier.as_deref()),
            (None, Some(_)) => Err("source_key_tier"),
        }
    }

    /// Sets the expiration from another part of the body, unless `valid_to` is given here.
    #[must_use]
    pub fn with_expiration(self, valid_to: Option<String>) -> Self {
        Self { valid_to: self.valid_to.or(valid_to), ..self }
    }
}

/// The typed request for an import.
///
/// # Errors
/// [`Refusal`] if a member is missing or invalid.
pub fn import(body: ImportBody) -> Result<ImportRequest, Refusal> {
    if let Some(tier) = &body.source_key_tier {
        one_of("source_key_tier", tier, &[("local", ())])?;
    }
    let words = [("NEW_KEY_MATERIAL", false), ("EXISTING_KEY_MATERIAL", true)];
    let existing = body.import_type.map(|text| one_of("import_type", &text, &words)).transpose()?;
    let material = body.key_material_id;
    let valid_to = body.valid_to.map(|text| read_time("valid_to", &text)).transpose()?.flatten();
    let valid_to = match (body.key_expiration, valid_to) {
        (Some(true), None) => return Err(invalid("valid_to", "must be given together with key_expiration")),
        (Some(false), Some(_)) => return Err(invalid("valid_to", "can be given only together with key_expiration")),
        (_, valid_to) => valid_to,
    };
    Ok(ImportRequest {
        source: body.source_key_identifier,
        names_tier: body.source_key_tier.is_some(),
        valid_to,
        existing,
        material: material.map(|text| read_as("key_material_id", &text, MaterialId::parse)).transpose()?,
        description: body.key_material_description,
    })
}
