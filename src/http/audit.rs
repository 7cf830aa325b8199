//! Audit records: the log and the failed attempts, for administrators.

use super::answer::Json;
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{Columns, List, Listing};
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::audit::FILTERS;
use crate::service::audit::record::AuditRecord;
use actix_web::web::{Data, Path};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A record of the log, or a failed attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub struct AuditRecordView {
    #[serde(flatten)]
    record: AuditRecord,
    /// What differs of the resource, as it was before the event; only in a single record of an event that changed
    /// something. Of a key by aspect, as in the entries of the drift watch. Empty if there was no resource before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    before: Option<Map<String, Value>>,
    /// The same after the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    after: Option<Map<String, Value>>,
}

impl Columns for AuditRecord {
    const SORTS: &'static [&'static str] = &["number"];
    const FILTERS: &'static [&'static str] = FILTERS;
}

/// `GET /v1/audit/records`
pub async fn list(
    auth: Authorized<Administer>,
    listing: Listing<AuditRecord>,
    services: Data<Services>,
) -> Result<List<AuditRecordView>, Problem> {
    let page = services.audit.list(&auth.permit, &listing.0).await?;
    List::of(&listing.0, page.limit, page.total, page.records.into_iter().map(AuditRecordView::of))
}

/// `GET /v1/audit/records/{number}`, or `attempt-<n>` in place of the number.
pub async fn get(
    auth: Authorized<Administer>,
    number: Path<String>,
    services: Data<Services>,
) -> Result<Json<AuditRecordView>, Problem> {
    let (record, difference) = services.audit.get(&auth.permit, &number).await?;
    let (before, after) = difference.map(|difference| (difference.before, difference.after)).unzip();
    Ok(Json(AuditRecordView { before, after, ..AuditRecordView::of(record) }))
}

impl AuditRecordView {
    fn of(record: AuditRecord) -> Self {
        Self { record, before: None, after: None }
    }
}
