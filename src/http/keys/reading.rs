//! Reads of keys: the list, one key, its public key, the availability of an alias; and refreshing a key from AWS.

use super::view::KeyView;
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::name::AliasName;
use crate::domain::place::Region;
use crate::http::answer::{Json, NoContent, PublicKeyPem};
use crate::http::body::{Body, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::{Authorized, OnKey};
use crate::http::history::{InPath, at};
use crate::http::paging::{self, List, Listing};
use crate::service::Services;
use crate::service::access::{DeleteKey, SignedIn, Synchronize, ViewKey};
use crate::service::keys;
use actix_web::HttpRequest;
use actix_web::web::Data;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An alias to check.
#[derive(Deserialize, ToSchema)]
#[schema(as = AliasVerifyRequest)]
pub struct AliasVerifyBody {
    /// The alias, with or without the prefix `alias/`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll")]
    alias: Option<String>,
    /// The name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    kms: Option<String>,
    /// The region of the alias.
    #[serde(default, deserialize_with = "optional")]
    region: Option<String>,
}

/// The availability of an alias.
#[derive(Serialize, ToSchema)]
#[schema(as = AliasAvailability)]
pub struct AliasVerifyView {
    /// The alias.
    alias: String,
    /// Whether no key has the alias.
    is_available: bool,
}

/// `GET /v1/cckm/aws/keys`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Key>,
    services: Data<Services>,
) -> Result<List<KeyView>, Problem> {
    let (page, caller) = services.keys.list(&auth.permit, &listing.0).await?;
    let view = move |key: &Arc<Key>| KeyView::of(keys::seen(key.clone(), &caller.published.state));
    paging::answer(page, view).await
}

/// `GET /v1/cckm/aws/keys/{id}`
pub async fn get(auth: OnKey<ViewKey>, services: Data<Services>) -> Json<KeyView> {
    Json(KeyView::of(services.keys.get(&auth.permit)))
}

/// `GET /v1/cckm/aws/keys/{id}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<SignedIn>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let id = KeyId::of(&request, &auth.permit.caller().published.state)?;
    Ok(Json(KeyView::of(services.histories.key(&auth.permit, id, at(&request)?).await?)))
}

/// `DELETE /v1/cckm/aws/keys/{id}`
pub async fn forget(auth: OnKey<DeleteKey>, services: Data<Services>) -> Result<NoContent, Problem> {
    match auth.permit.key().hyok.is_some() {
        true => services.keys.delete_hyok(&auth.permit, &auth.context).await?,
        false => services.keys.forget(&auth.permit, &auth.context).await?,
    }
    Ok(NoContent)
}

/// `POST /v1/cckm/aws/keys/{id}/refresh`
pub async fn refresh(auth: OnKey<Synchronize>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    Ok(Json(KeyView::of(services.keys.refresh(&auth.permit, &auth.context).await?)))
}

/// `GET /v1/cckm/aws/keys/{id}/download-public-key`
pub async fn public_key(auth: OnKey<ViewKey>, services: Data<Services>) -> Result<PublicKeyPem, Problem> {
    let der = services.keys.public_key(&auth.permit).await?;
    Ok(PublicKeyPem { name: auth.permit.key().aws_id().as_str().to_owned(), text: pem(&der) })
}

/// `POST /v1/cckm/aws/alias/verify`
pub async fn verify_alias(
    auth: Authorized<SignedIn>,
    body: Body<AliasVerifyBody>,
    services: Data<Services>,
) -> Result<Json<AliasVerifyView>, Problem> {
    let alias = read_as("alias", &required("alias", body.0.alias)?, AliasName::parse_own)?;
    let region = read_as("region", &required("region", body.0.region)?, Region::parse)?;
    let kms = required("kms", body.0.kms)?;
    let is_available = services.keys.is_alias_free(&auth.permit, &kms, &region, &alias).await?;
    Ok(Json(AliasVerifyView { alias: alias.as_str().to_owned(), is_available }))
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}
