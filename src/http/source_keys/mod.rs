//! `/v1/vault/keys2`: source keys, whose material can be imported into AWS keys.

mod body;
mod export;
mod lifecycle;
pub mod uses;
mod view;

pub use export::export;
pub use lifecycle::{archive, clone, destroy, reactivate, recover, revoke};

use super::answer::{Created, Json, NoContent};
use super::body::{Body, BodyOrNone};
use super::error::Problem;
use super::guard::Authorized;
use super::history::{InPath, at};
use super::paging::{self, List, Listing};
use super::query::members;
use super::unsupported::Protected;
use crate::domain::id::SourceKeyId;
use crate::domain::source_key::SourceKey;
use crate::domain::state::State;
use crate::service::Services;
use crate::service::access::{ManageSourceKeys, ViewSourceKeys};
use crate::service::source_keys::{NamedBy, find};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use body::SourceKeyBody;
use std::sync::Arc;
use view::SourceKeyView;

/// `POST /v1/vault/keys2`
pub async fn create(
    auth: Authorized<ManageSourceKeys>,
    body: Body<Protected<SourceKeyBody>>,
    services: Data<Services>,
) -> Result<Created<SourceKeyView>, Problem> {
    let (key, version) = body.0.0.new_key()?;
    let key = services.source_keys.create(auth.permit, &auth.context, key, version).await?;
    Ok(Created(SourceKeyView::of(&key, services.source_keys.now())))
}

/// `GET /v1/vault/keys2`
pub async fn list(
    auth: Authorized<ViewSourceKeys>,
    listing: Listing<SourceKey>,
    services: Data<Services>,
) -> Result<List<SourceKeyView>, Problem> {
    let page = services.source_keys.list(&auth.permit, &listing.0).await?;
    let now = services.source_keys.now();
    paging::answer(page, move |key: &Arc<SourceKey>| SourceKeyView::of(key, now)).await
}

/// `GET /v1/vault/keys2/{id}`
pub async fn get(
    auth: Authorized<ViewSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    let key = addressed(&auth.permit.caller().published.state, &id, &request)?;
    Ok(Json(SourceKeyView::of(&key, services.source_keys.now())))
}

/// `GET /v1/vault/keys2/{id}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<ViewSourceKeys>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    let (id, at) = (SourceKeyId::of(&request, &auth.permit.caller().published.state)?, at(&request)?);
    let key = services.histories.source_key(&auth.permit, id, at).await?;
    Ok(Json(SourceKeyView::of(&key, at)))
}

/// `PATCH /v1/vault/keys2/{id}`
pub async fn update(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: Body<Protected<SourceKeyBody>>,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    let key = addressed(&auth.permit.caller().published.state, &id, &request)?;
    let patch = body.0.0.patch(&key, services.source_keys.now())?;
    let changed = services.source_keys.update(auth.permit, &auth.context, key.id, patch).await?;
    Ok(Json(SourceKeyView::of(&changed, services.source_keys.now())))
}

/// `DELETE /v1/vault/keys2/{id}`
pub async fn delete(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    let key = addressed(&auth.permit.caller().published.state, &id, &request)?;
    services.source_keys.delete(auth.permit, &auth.context, key.id).await?;
    Ok(NoContent)
}

/// `GET /v1/vault/keys2/{id}/versions`
pub async fn versions(
    auth: Authorized<ViewSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    listing: Listing<SourceKey>,
    services: Data<Services>,
) -> Result<List<SourceKeyView>, Problem> {
    let key = addressed(&auth.permit.caller().published.state, &id, &request)?;
    let page = services.source_keys.versions(&auth.permit, &key, &listing.0).await?;
    let now = services.source_keys.now();
    paging::answer(page, move |key: &Arc<SourceKey>| SourceKeyView::of(key, now)).await
}

/// `POST /v1/vault/keys2/{id}/versions`
pub async fn create_version(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: BodyOrNone<Protected<SourceKeyBody>>,
    services: Data<Services>,
) -> Result<Created<SourceKeyView>, Problem> {
    let key = addressed(&auth.permit.caller().published.state, &id, &request)?;
    let new = body.0.0.new_version(&key)?;
    let version = services.source_keys.create_version(auth.permit, &auth.context, &key, new).await?;
    Ok(Created(SourceKeyView::of(&version, services.source_keys.now())))
}

/// Returns the version of a source key that a path names, with `?type=id|name|alias|uri` and `?version=`. A name stands
/// for the newest version, an id for the version with this id.
pub(super) fn addressed(state: &State, text: &str, request: &HttpRequest) -> Result<Arc<SourceKey>, Problem> {
    let given = members(request.query_string());
    let value = |name: &str| given.iter().rfind(|(member, _)| member == name).map(|(_, value)| value.as_str());
    let by = match value("type") {
        None | Some("") => NamedBy::Either,
        Some("id") => NamedBy::Id,
        Some("name") => NamedBy::Name,
        Some("alias") => NamedBy::Alias,
        Some("uri") => NamedBy::Uri,
        Some(_) => {
            return Err(Problem::query("type", "must be `id`, `name`, `alias` or `uri`"));
        }
    };
    let key = find(state, text, by)?;
    match value("version") {
        None | Some("") => Ok(key),
        Some("-1") => Ok(state.source_key_named(&key.made.name).cloned().unwrap_or(key)),
        Some(number) => {
            let problem = "must be the number of a version, or -1 for the newest one";
            let number = number.parse().map_err(|_| Problem::query("version", problem))?;
            Ok(state.source_key_version(key.id, number)?.clone())
        }
    }
}
