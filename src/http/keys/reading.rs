//! Looking at keys: the list, one key, its rotations, its public half; and reading it from AWS again.

use super::view::KeyView;
use crate::domain::key::aggregate::Key;
use crate::domain::key::metadata::{Rotation, RotationStatus};
use crate::domain::key::name::AliasName;
use crate::domain::place::Region;
use crate::http::answer::{Json, NoContent};
use crate::http::body::{Body, optional, read_as, required};
use crate::http::describe::{Described, Description};
use crate::http::error::Problem;
use crate::http::guard::{Admitted, OnKey};
use crate::http::paging::{self, Columns, List, Listing};
use crate::service::Services;
use crate::service::access::{DeleteKey, SignedIn, Synchronize, ViewKey};
use crate::service::failure::invalid;
use crate::service::keys;
use actix_web::body::BoxBody;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

/// An alias that may be free.
#[derive(Deserialize, ToSchema)]
#[schema(as = AliasVerifyRequest)]
pub struct AliasVerifyBody {
    /// With or without `alias/`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll")]
    alias: Option<String>,
    /// Name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    kms: Option<String>,
    /// In which region.
    #[serde(default, deserialize_with = "optional")]
    region: Option<String>,
}

/// Whether an alias is free.
#[derive(Serialize, ToSchema)]
#[schema(as = AliasAvailability)]
pub struct AliasVerifyView {
    /// The alias.
    alias: String,
    /// No key has it.
    is_available: bool,
}

/// Whether and when AWS rotates a key.
#[derive(Serialize, ToSchema)]
#[schema(as = RotationStatus)]
#[serde(rename_all = "PascalCase")]
pub struct RotationStatusView {
    /// Its id at AWS.
    key_id: String,
    /// Whether AWS rotates it by itself.
    key_rotation_enabled: bool,
    /// When next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_rotation_date: Option<String>,
    /// Since when a rotation that was asked for is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    on_demand_rotation_start_date: Option<String>,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotation_period_in_days: Option<u16>,
}

/// One material of a key.
#[derive(Serialize, ToSchema)]
#[schema(as = Rotation)]
pub struct RotationView {
    /// As AWS tells it.
    #[schema(value_type = Object)]
    aws_param: Value,
    /// The tier of the source key, or empty.
    key_source: &'static str,
    /// `native`, `cckm` or `unknown`.
    key_material_origin: &'static str,
    /// The source key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    source_key_identifier: Option<String>,
}

impl Columns for Rotation {
    const SORTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = &[];
}

/// A public key as PEM, to be kept as a file.
pub struct PublicKeyPem {
    name: String,
    text: String,
}

/// `GET /v1/cckm/aws/keys`
pub async fn list(
    who: Admitted<SignedIn>,
    listing: Listing<Key>,
    services: Data<Services>,
) -> Result<List<KeyView>, Problem> {
    let (page, caller) = services.keys.list(&who.permit, &listing.0).await?;
    let view = move |key: &Arc<Key>| KeyView::of(keys::seen(key.clone(), &caller.published.state));
    paging::answer(page, view).await
}

/// `GET /v1/cckm/aws/keys/{id}`
pub async fn get(who: OnKey<ViewKey>, services: Data<Services>) -> Json<KeyView> {
    Json(KeyView::of(services.keys.get(&who.permit)))
}

/// `DELETE /v1/cckm/aws/keys/{id}`
pub async fn forget(who: OnKey<DeleteKey>, services: Data<Services>) -> Result<NoContent, Problem> {
    services.keys.forget(&who.permit, &who.context).await?;
    Ok(NoContent)
}

/// `POST /v1/cckm/aws/keys/{id}/refresh`
pub async fn refresh(who: OnKey<Synchronize>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    Ok(Json(KeyView::of(services.keys.refresh(&who.permit, &who.context).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/get-key-rotation-status`
pub async fn rotation_status(
    who: OnKey<ViewKey>,
    services: Data<Services>,
) -> Result<Json<RotationStatusView>, Problem> {
    let status = services.keys.rotation_status(&who.permit).await?;
    Ok(Json(RotationStatusView::of(who.permit.key(), &status)))
}

/// `GET /v1/cckm/aws/keys/{id}/rotations`
pub async fn rotations(
    who: OnKey<ViewKey>,
    listing: Listing<Rotation>,
    services: Data<Services>,
) -> Result<List<RotationView>, Problem> {
    if let Some((member, _)) = listing.0.sort.first() {
        return Err(invalid("sort", format!("`{member}` cannot be sorted by: materials come in AWS's order")).into());
    }
    let rotations = services.keys.rotations(&who.permit).await?;
    let (skip, limit) = (listing.0.skip, listing.0.limit);
    let view = |rotation: &Rotation| RotationView::of(who.permit.key(), rotation);
    Ok(List::of(skip, limit, rotations.len(), rotations.iter().skip(skip).take(limit.rows()).map(view)))
}

/// `GET /v1/cckm/aws/keys/{id}/download-public-key`
pub async fn public_key(who: OnKey<ViewKey>, services: Data<Services>) -> Result<PublicKeyPem, Problem> {
    let der = services.keys.public_key(&who.permit).await?;
    Ok(PublicKeyPem { name: who.permit.key().aws_id().as_str().to_owned(), text: pem(&der) })
}

/// `POST /v1/cckm/aws/alias/verify`
pub async fn verify_alias(
    who: Admitted<SignedIn>,
    body: Body<AliasVerifyBody>,
    services: Data<Services>,
) -> Result<Json<AliasVerifyView>, Problem> {
    let alias = read_as("alias", &required("alias", body.0.alias)?, AliasName::parse_own)?;
    let region = read_as("region", &required("region", body.0.region)?, Region::parse)?;
    let kms = required("kms", body.0.kms)?;
    let is_available = services.keys.is_alias_free(&who.permit, &kms, &region, &alias).await?;
    Ok(Json(AliasVerifyView { alias: alias.as_str().to_owned(), is_available }))
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

impl RotationStatusView {
    fn of(key: &Key, status: &RotationStatus) -> Self {
        Self {
            key_id: key.aws_id().as_str().to_owned(),
            key_rotation_enabled: status.enabled,
            next_rotation_date: status.next.map(|at| at.to_string()),
            on_demand_rotation_start_date: status.on_demand_started.map(|at| at.to_string()),
            rotation_period_in_days: status.period.map(|period| period.days()),
        }
    }
}

impl RotationView {
    fn of(key: &Key, rotation: &Rotation) -> Self {
        let ours = key.material(rotation);
        let mut all = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                all.insert(name.to_owned(), Value::String(value));
            }
        };
        put("KeyId", Some(key.aws_id().as_str().to_owned()));
        put("KeyMaterialId", rotation.material.as_ref().map(ToString::to_string));
        put("KeyMaterialState", rotation.state.as_ref().map(ToString::to_string));
        put("ImportState", rotation.import_state.as_ref().map(ToString::to_string));
        put("RotationDate", rotation.rotated_at.map(|at| at.to_string()));
        put("RotationType", rotation.kind.as_ref().map(ToString::to_string));
        put("ExpirationModel", rotation.expiration_model.as_ref().map(ToString::to_string));
        put("ValidTo", rotation.valid_to.map(|at| at.to_string()));
        put("KeyMaterialDescription", rotation.description.clone());
        Self {
            aws_param: Value::Object(all),
            key_source: if ours.is_some() { "local" } else { "" },
            key_material_origin: match ours {
                Some(_) => "cckm",
                None => key.material_origin().name(),
            },
            source_key_identifier: ours.map(|ours| ours.source.to_string()),
        }
    }
}

const PEM: &str = "application/x-pem-file";

impl Responder for PublicKeyPem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let disposition = format!("attachment; filename=\"{}.pem\"", self.name);
        HttpResponse::Ok().content_type(PEM).insert_header(("Content-Disposition", disposition)).body(self.text)
    }
}

impl Described for PublicKeyPem {
    fn describe(to: &mut Description) {
        to.answers_with(200, PEM, Object::with_type(Type::String));
    }
}
