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
    /// The id of the event; `attempt-<n>` for a failed attempt.
    id: String,
    /// The number of the record in the log, from 1, without gaps; null for a failed attempt.
    #[schema(required = true, example = 42)]
    number: Option<u64>,
    /// The time of the event.
    #[serde(rename = "createdAt")]
    #[schema(format = DateTime)]
    created_at: String,
    /// The part of the product: `cckm`, `admin`, `vault` or `scheduler`.
    service: &'static str,
    /// The event in words.
    #[schema(example = "Regions replaced")]
    message: String,
    /// The name of the event.
    #[schema(example = "RegionsReplaced")]
    event: String,
    /// The members of the event, or one word; secrets are `[sealed]`.
    #[schema(value_type = Value)]
    details: Value,
    /// Whether the event reports a success.
    success: bool,
    /// `info`, `warning` or `error`.
    severity: &'static str,
    /// The user who caused the event, by the name at that time; or a schedule, or `system`. Empty for an attempt of
    /// somebody unknown.
    #[schema(example = "admin")]
    username: String,
    /// The id of the user or schedule; null for `system`.
    #[schema(required = true)]
    user_id: Option<String>,
    /// The address of the client; null for events without a client, and for those of earlier versions.
    #[serde(rename = "clientIP")]
    #[schema(required = true)]
    client_ip: Option<String>,
    /// The session of the user, as far as it is known.
    #[schema(required = true)]
    session_id: Option<String>,
    /// The id of the request.
    #[serde(rename = "requestId")]
    request_id: String,
    /// The resource, such as `kms/<id>`.
    resource: String,
    /// The present name of the resource; null if it has none, or no longer exists.
    #[schema(required = true)]
    resource_name: Option<String>,
    /// The SHA-256 of the record; null for a failed attempt.
    #[schema(required = true)]
    hash: Option<String>,
    /// The SHA-256 of the record before; null for a failed attempt.
    #[serde(rename = "previousHash")]
    #[schema(required = true)]
    previous_hash: Option<String>,
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
    Ok(List::of(page.skip, page.limit, page.total, page.records.into_iter().map(AuditRecordView::of)))
}

/// `GET /v1/audit/records/{number}`
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
        Self {
            id: record.id,
            number: record.number,
            created_at: record.created_at,
            service: record.service,
            message: record.message,
            event: record.event,
            details: record.details,
            success: record.success,
            severity: record.severity,
            username: record.username,
            user_id: record.user_id,
            client_ip: record.client_ip,
            session_id: record.session_id,
            request_id: record.request_id,
            resource: record.resource,
            resource_name: record.resource_name,
            hash: record.hash,
            previous_hash: record.previous_hash,
            before: None,
            after: None,
        }
    }
}
