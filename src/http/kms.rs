//! KMSs: the endpoints of the vendor's page, and archive and recover.

mod body;
mod view;

use super::answer::{Created, Json, NoContent, Rendered};
use super::body::Body;
use super::error::Problem;
use super::guard::{Authorized, OnKms, kms_id};
use super::history::at;
use super::paging::{self, Columns, List, Listing};
use super::query::is_given;
use super::rendered;
use crate::domain::action::Action;
use crate::domain::kms::Kms;
use crate::service::Services;
use crate::service::access::{ManageKms, SignedIn, Update, View};
use crate::service::kms;
use crate::service::list::{Limit, Query};
use actix_web::HttpRequest;
use actix_web::web::Data;
pub(super) use body::assumed_role;
use body::{AccountBody, AclsBody, AddBody, UpdateBody};
use utoipa::openapi::schema::{Array, Object, Type};
use view::{AccountView, ActionView, RegionsView};

pub use view::KmsView;

/// `POST /v1/cckm/aws/accounts`
pub async fn accounts(
    auth: Authorized<ManageKms>,
    body: Body<AccountBody>,
    services: Data<Services>,
) -> Result<Json<AccountView>, Problem> {
    let validate = body.0.validates();
    let (connection, role) = body.0.connection_and_role()?;
    let account = services.kms.account(auth.permit, &connection, role.as_ref(), validate).await?;
    Ok(Json(AccountView::of(account, role)))
}

/// `POST /v1/cckm/aws/get-all-regions`
pub async fn all_regions(
    auth: Authorized<ManageKms>,
    body: Body<AccountBody>,
    services: Data<Services>,
) -> Result<Json<RegionsView>, Problem> {
    let (connection, role) = body.0.connection_and_role()?;
    let account = services.kms.account(auth.permit, &connection, role.as_ref(), false).await?;
    Ok(Json(RegionsView::of(&account)))
}

/// `POST /v1/cckm/aws/kms`
pub async fn add(
    auth: Authorized<ManageKms>,
    body: Body<AddBody>,
    services: Data<Services>,
) -> Result<Created<KmsView>, Problem> {
    let seen = services.kms.add(auth.permit, &auth.context, body.0.new_kms()?).await?;
    Ok(Created(KmsView::of(seen)))
}

/// `GET /v1/cckm/aws/kms`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Kms>,
    services: Data<Services>,
) -> Result<List<KmsView>, Problem> {
    let (page, caller) = services.kms.list(&auth.permit, &listing.0).await?;
    let view = move |kms: &_| KmsView::of(kms::seen(std::sync::Arc::clone(kms), &caller.published.state, &caller));
    paging::answer(page, view).await
}

/// `GET /v1/cckm/aws/kms/{id}` without `at`
pub async fn get(auth: OnKms<View>, services: Data<Services>) -> Result<Rendered<KmsView>, Problem> {
    rendered::kms(services.kms.get(&auth.permit))
}

/// `GET /v1/cckm/aws/kms/{id}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<SignedIn>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<KmsView>, Problem> {
    let seen = services.histories.kms(&auth.permit, kms_id(&request)?, at(&request)?).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `PATCH /v1/cckm/aws/kms/{id}`
pub async fn update(
    auth: OnKms<Update>,
    body: Body<UpdateBody>,
    services: Data<Services>,
) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.update(auth.permit, &auth.context, body.0.patch()?).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `DELETE /v1/cckm/aws/kms/{id}`
pub async fn delete(auth: OnKms<Update>, services: Data<Services>) -> Result<NoContent, Problem> {
    services.kms.delete(auth.permit, &auth.context).await?;
    Ok(NoContent)
}

/// `POST /v1/cckm/aws/kms/{id}/update-acls`
pub async fn update_acls(
    auth: OnKms<Update>,
    body: Body<AclsBody>,
    services: Data<Services>,
) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.update_acls(auth.permit, &auth.context, body.0.changes()?).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `POST /v1/cckm/aws/kms/{id}/archive`
pub async fn archive(auth: OnKms<Update>, services: Data<Services>) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.archive(auth.permit, &auth.context).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `POST /v1/cckm/aws/kms/{id}/recover`
pub async fn recover(auth: OnKms<Update>, services: Data<Services>) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.recover(auth.permit, &auth.context).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `GET /v1/cckm/aws/actions`
pub async fn actions(
    _auth: Authorized<SignedIn>,
    request: HttpRequest,
    listing: Listing<ActionView>,
) -> Result<List<ActionView>, Problem> {
    let (table, Query { skip, limit, .. }) = (ActionView::table(), &listing.0);
    // Unlike other lists, the table has no default limit.
    let limit = if is_given(Some(request.query_string()), "limit") { *limit } else { Limit::All };
    let total = table.len();
    List::of(&listing.0, limit, total, table.into_iter().skip(*skip).take(limit.rows()))
}

impl Columns for ActionView {
    const SORTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = &[];
}

/// The schema of a list of actions.
pub(super) fn action_names() -> Array {
    let names = Action::ALL.iter().map(|action| action.name());
    let name = Object::builder().schema_type(Type::String).enum_values(Some(names));
    Array::builder().items(name).description(Some("Names of actions.")).build()
}
