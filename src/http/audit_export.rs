//! Audit records as a file, CSV or JSON lines.

use super::answer::Download;
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{Listing, is_given};
use super::reports::download::{Format, harmless};
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::audit::AuditExport;
use crate::service::audit::record::AuditRecord;
use crate::service::failure::Failure;
use crate::service::list::{Limit, Query};
use crate::service::reports::Cell;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use utoipa::openapi::schema::{Object, Type};

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

/// The records.
pub struct Records;

impl Described for Records {
    fn describe(to: &mut Description) {
        to.answers_with(200, "text/csv", Object::with_type(Type::String));
        to.answers_with(200, "application/x-ndjson", Object::with_type(Type::String));
    }
}

/// `GET /v1/audit/records/download`
pub async fn download(
    auth: Authorized<Administer>,
    request: HttpRequest,
    listing: Listing<AuditRecord>,
    services: Data<Services>,
) -> Result<Download<Records>, Problem> {
    // The query has no `format`: the header decides.
    let format = Format::of(&request)?;
    if !listing.0.fields.is_empty() {
        return Err(Problem::query("fields", "cannot be given here: a file has all members"));
    }
    let limit = if is_given(Some(request.query_string()), "limit") { listing.0.limit } else { Limit::All };
    let export = services.audit.export(auth.permit, &Query { limit, ..listing.0 }).await?;
    let pieces = stream::try_unfold((export, true), move |(export, is_first)| piece(export, is_first, format));
    let mut answer = HttpResponse::Ok();
    let name = format!("attachment; filename=\"audit-records.{}\"", format.suffix());
    answer.content_type(format.media_type()).insert_header((CONTENT_DISPOSITION, name));
    Ok(Download::new(answer.streaming(pieces)))
}

/// The next piece of the file; the first also has the names of the columns.
async fn piece(
    mut export: AuditExport,
    is_first: bool,
    format: Format,
) -> Result<Option<(Bytes, (AuditExport, bool))>, Failure> {
    const FAILED: Failure = Failure::Internal("a record could not be written");
    let records = export.next().await?;
    if records.is_empty() && !(is_first && format == Format::Csv) {
        return Ok(None);
    }
    let mut text = Vec::new();
    match format {
        Format::Csv => {
            let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut text);
            if is_first {
                writer.write_record(COLUMNS).map_err(|_| FAILED)?;
            }
            for record in &records {
                writer.write_record(cells(record)).map_err(|_| FAILED)?;
            }
            writer.flush().map_err(|_| FAILED)?;
        }
        Format::JsonLines => {
            for record in &records {
                serde_json::to_writer(&mut text, record).map_err(|_| FAILED)?;
                text.push(b'\n');
            }
        }
    }
    Ok(Some((Bytes::from(text), (export, false))))
}

/// The cells of a record. Names come from others: no spreadsheet must run them.
fn cells(record: &AuditRecord) -> [String; COLUMNS.len()] {
    let text = |text: &str| harmless(&Cell::Text(text.to_owned())).into_owned();
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
