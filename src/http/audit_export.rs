//! Audit records as a file, CSV or JSON lines.

use super::answer::Download;
use super::error::Problem;
use super::guard::Authorized;
use super::paging::Listing;
use super::query::is_given;
use super::table_file::{Format, TableFile, answer, harmless};
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::audit::AuditExport;
use crate::service::audit::record::AuditRecord;
use crate::service::failure::Failure;
use crate::service::list::{Limit, Query, pool};
use actix_web::HttpRequest;
use actix_web::web::{Bytes, Data};
use futures_util::stream;

/// The columns of the CSV.
const COLUMNS: [&str; 18] = [
    "number",
    "id",
    "createdAt",
    "service",
    "message",
    "event",
    "success",
    "severity",
    "username",
    "user_id",
    "clientIP",
    "session_id",
    "requestId",
    "resource",
    "resource_name",
    "details",
    "hash",
    "previousHash",
];

/// `GET /v1/audit/records/download`
pub async fn download(
    auth: Authorized<Administer>,
    request: HttpRequest,
    listing: Listing<AuditRecord>,
    services: Data<Services>,
) -> Result<Download<TableFile>, Problem> {
    // The query has no `format`: the header decides.
    let format = Format::of(&request)?;
    if !listing.0.fields.is_empty() {
        return Err(Problem::query("fields", "cannot be given here: a file has all members"));
    }
    let limit = if is_given(Some(request.query_string()), "limit") { listing.0.limit } else { Limit::All };
    let export = services.audit.export(auth.permit, &Query { limit, ..listing.0 }).await?;
    let pieces = stream::try_unfold((export, true), move |(export, is_first)| piece(export, is_first, format));
    Ok(answer("audit-records", format, pieces))
}

/// The next piece of the file; the first also has the names of the columns. A thread of the pool writes it: a batch of
/// records would keep the worker from other requests.
async fn piece(
    mut export: AuditExport,
    is_first: bool,
    format: Format,
) -> Result<Option<(Bytes, (AuditExport, bool))>, Failure> {
    let records = export.next().await?;
    if records.is_empty() && !(is_first && format == Format::Csv) {
        return Ok(None);
    }
    let columns = is_first.then_some(&COLUMNS[..]);
    let write = move || format.write(columns, records, |record| cells(record).into(), |record| record);
    Ok(Some((Bytes::from(pool::run(write).await??), (export, false))))
}

/// The cells of a record. Names come from others: no spreadsheet must run them.
fn cells(record: &AuditRecord) -> [String; COLUMNS.len()] {
    let text = |text: &str| harmless(text).into_owned();
    let option = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
    [
        record.number.map(|number| number.to_string()).unwrap_or_default(),
        record.id.clone(),
        record.created_at.clone(),
        record.service.to_owned(),
        record.message.clone(),
        record.event.clone(),
        record.success.to_string(),
        record.severity.to_owned(),
        text(&record.username),
        option(&record.user_id),
        option(&record.client_ip),
        option(&record.session_id),
        text(&record.request_id),
        text(&record.resource),
        option(&record.resource_name),
        text(&record.details.to_string()),
        option(&record.hash),
        option(&record.previous_hash),
    ]
}
