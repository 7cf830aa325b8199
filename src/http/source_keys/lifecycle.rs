//! `/v1/vault/keys2/{id}/…`: changes of the state of a source key, and its clone.

use super::addressed;
use super::body::date;
use super::view::SourceKeyView;
use crate::domain::name::SourceKeyName;
use crate::domain::source_key::lifecycle::{ReactivationReason, Revocation, RevocationReason};
use crate::http::answer::{Created, Json};
use crate::http::body::{Body, BodyOrNone, excerpt, one_of, optional, read_name, required};
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::http::json_object::read_object;
use crate::http::query::members;
use crate::http::unsupported::{Protected, Supports};
use crate::service::Services;
use crate::service::access::ManageSourceKeys;
use crate::service::failure::invalid;
use crate::service::source_keys::Transition;
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The revocation of a source key.
#[derive(Deserialize, ToSchema)]
#[schema(as = SourceKeyRevocation)]
pub struct RevokeBody {
    /// The reason: `Unspecified`, `KeyCompromise`, `CACompromise`, `AffiliationChanged`, `Superseded`,
    /// `CessationOfOperation` or `PrivilegeWithdrawn`. A compromise makes the key `Compromised`, others `Deactivated`.
    #[serde(default, deserialize_with = "optional")]
    reason: Option<String>,
    /// An explanation.
    #[serde(default, deserialize_with = "optional")]
    message: Option<String>,
    /// The time at which a compromise is believed to have happened; default: the creation of the key.
    #[serde(default, rename = "compromiseOccurrenceDate", deserialize_with = "optional")]
    compromise_occurrence_date: Option<String>,
}

impl Supports for RevokeBody {}

/// The reactivation of a source key.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = ReactivateRequest)]
pub struct ReactivateBody {
    /// The reason: `DeactivatedToActive` (default), `ActiveProtectStopToActive` or `DeactivatedToActiveProtectStop`.
    #[serde(default, deserialize_with = "optional")]
    reason: Option<String>,
    /// An explanation.
    #[serde(default, deserialize_with = "optional")]
    message: Option<String>,
}

impl Supports for ReactivateBody {}

/// The clone of a source key.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = CloneRequest)]
pub struct CloneBody {
    /// The name of the new source key; default: `ks-` and its id.
    #[serde(default, rename = "newKeyName", deserialize_with = "optional")]
    new_key_name: Option<String>,
    /// A JSON object for the use of clients, merged into that of the original.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    meta: Option<Value>,
}

impl Supports for CloneBody {}

/// The longest explanation, in characters.
const MESSAGE_MAX: usize = 1024;

/// `POST /v1/vault/keys2/{id}/revoke`
pub async fn revoke(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: Body<Protected<RevokeBody>>,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    let body = body.0.0;
    let reason = one_of("reason", &required("reason", body.reason)?, &RevocationReason::WORDS)?;
    let revocation = Revocation { reason, message: message(body.message)? };
    let occurred = date("compromiseOccurrenceDate", body.compromise_occurrence_date.as_deref())?;
    change(auth, &id, &request, &services, Transition::Revoke { revocation, occurred }).await
}

/// `POST /v1/vault/keys2/{id}/reactivate`
pub async fn reactivate(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: BodyOrNone<Protected<ReactivateBody>>,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    let body = body.0.0;
    let reason = body.reason.map(|text| one_of("reason", &text, &ReactivationReason::WORDS)).transpose()?;
    let reason = reason.unwrap_or(ReactivationReason::DeactivatedToActive);
    let transition = Transition::Reactivate { reason, message: message(body.message)? };
    change(auth, &id, &request, &services, transition).await
}

/// `POST /v1/vault/keys2/{id}/archive`
pub async fn archive(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    change(auth, &id, &request, &services, Transition::Archive).await
}

/// `POST /v1/vault/keys2/{id}/recover`
pub async fn recover(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    change(auth, &id, &request, &services, Transition::Recover).await
}

/// `POST /v1/vault/keys2/{id}/destroy`
pub async fn destroy(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    change(auth, &id, &request, &services, Transition::Destroy).await
}

/// `POST /v1/vault/keys2/{id}/clone`
pub async fn clone(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: BodyOrNone<Protected<CloneBody>>,
    services: Data<Services>,
) -> Result<Created<SourceKeyView>, Problem> {
    let asks = |(member, value): &(String, String)| member == "includeMaterial" && !matches!(&**value, "" | "false");
    if members(request.query_string()).iter().any(asks) {
        return Err(Problem::query("includeMaterial", "is not supported; export the clone"));
    }
    let key = addressed(&auth.permit.caller().published.state, &id, &request)?;
    let name = body.0.0.new_key_name.map(|name| read_name("newKeyName", &name, SourceKeyName::parse)).transpose()?;
    let meta = read_object("meta", body.0.0.meta)?;
    let clone = services.source_keys.clone_of(auth.permit, &auth.context, &key, name, meta).await?;
    Ok(Created(SourceKeyView::of(&clone, services.source_keys.now())))
}

async fn change(
    auth: Authorized<ManageSourceKeys>,
    id: &str,
    request: &HttpRequest,
    services: &Services,
    transition: Transition,
) -> Result<Json<SourceKeyView>, Problem> {
    let key = addressed(&auth.permit.caller().published.state, id, request)?;
    let key = services.source_keys.transition(auth.permit, &auth.context, key.id, transition).await?;
    Ok(Json(SourceKeyView::of(&key, services.source_keys.now())))
}

fn message(given: Option<String>) -> Result<String, Problem> {
    let text = given.unwrap_or_default();
    if text.chars().count() > MESSAGE_MAX {
        let problem = format!("must not be longer than {MESSAGE_MAX} characters: `{}…`", excerpt(&text));
        return Err(invalid("message", problem).into());
    }
    Ok(text)
}
