//! Reports: create, list, show, read, download and delete them.

mod body;
mod contents;
pub(in crate::http) mod download;
mod view;

pub use body::ReportBody;
pub use contents::contents;
pub use download::download;
pub use view::ReportView;

use super::answer::{Accepted, Json, NoContent};
use super::body::Body;
use super::error::Problem;
use super::guard::{Authorized, OnReport};
use super::paging::{self, List, Listing};
use crate::domain::report::Report;
use crate::service::Services;
use crate::service::access::{DeleteReport, SignedIn, ViewReport};
use actix_web::web::Data;
use std::sync::Arc;

/// `POST /v1/cckm/aws/reports`
pub async fn create(
    auth: Authorized<SignedIn>,
    body: Body<ReportBody>,
    services: Data<Services>,
) -> Result<Accepted<ReportView>, Problem> {
    let seen = services.reports.create(&auth.permit, &auth.context, body.0.wanted()?).await?;
    Ok(Accepted(ReportView::of(&seen)))
}

/// `GET /v1/cckm/aws/reports`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Report>,
    services: Data<Services>,
) -> Result<List<ReportView>, Problem> {
    let (page, caller) = services.reports.list(&auth.permit, &listing.0).await?;
    let reports = services.reports.clone();
    let view = move |report: &Arc<Report>| ReportView::of(&reports.seen(report, &caller.published.state));
    paging::answer(page, view).await
}

/// `GET /v1/cckm/aws/reports/{id}`
pub async fn get(auth: OnReport<ViewReport>, services: Data<Services>) -> Json<ReportView> {
    Json(ReportView::of(&services.reports.get(&auth.permit)))
}

/// `DELETE /v1/cckm/aws/reports/{id}`
pub async fn delete(auth: OnReport<DeleteReport>, services: Data<Services>) -> Result<NoContent, Problem> {
    services.reports.delete(&auth.permit, &auth.context).await?;
    Ok(NoContent)
}
