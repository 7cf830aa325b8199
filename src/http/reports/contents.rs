//! The rows of a report as JSON.

use crate::domain::report::ReportKind;
use crate::http::body::excerpt;
use crate::http::error::Problem;
use crate::http::fields;
use crate::http::guard::OnReport;
use crate::http::paging::{Columns, List, Listing};
use crate::service::Services;
use crate::service::access::ViewReport;
use crate::service::failure::Failure;
use crate::service::list::Limit;
use crate::service::reports::contents::{Contents, FILTERS};
use crate::service::reports::{Cell, Row, columns, pool};
use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use futures_util::stream;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The rows of one piece of an answer.
const PIECE_ROWS: usize = 200;
/// The rows that are answered in one piece.
const ONE_PIECE_MAX: usize = 500;

/// The columns of all kinds of reports, to sort by.
pub struct AnyColumn;

impl Columns for AnyColumn {
    const SORTS: &'static [&'static str] = &[
        "age_days",
        "alias",
        "aws_account_id",
        "calls",
        "cloud_name",
        "creation_date",
        "custom_key_store_id",
        "days_left",
        "deletion_date",
        "error_code",
        "error_message",
        "event_id",
        "event_name",
        "event_time",
        "failures",
        "first_used",
        "here",
        "in_aws",
        "invoked_by",
        "key_arn",
        "key_id",
        "key_source",
        "key_state",
        "kind",
        "last_used",
        "manager_user",
        "next_rotation",
        "operation",
        "origin",
        "owner",
        "read_only",
        "region",
        "request_id",
        "rotated_at",
        "rotation_status",
        "service",
        "source_ip",
        "user_agent",
        "user_identity",
        "user_type",
        "valid_to",
        "what",
        "xks_key_id",
        "xks_result",
    ];
    const FILTERS: &'static [&'static str] = FILTERS;
}

/// A row of a report: its members are the columns of the report's type.
pub struct RowView {
    columns: &'static [&'static str],
    row: Row,
}

impl RowView {
    pub(super) fn of(columns: &'static [&'static str], row: Row) -> Self {
        Self { columns, row }
    }
}

impl Serialize for RowView {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.columns.len()))?;
        for (name, cell) in self.columns.iter().zip(&self.row.cells) {
            match cell {
                Cell::Absent => map.serialize_entry(name, &())?,
                Cell::Flag(flag) => map.serialize_entry(name, flag)?,
                Cell::Number(number) => map.serialize_entry(name, number)?,
                Cell::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

impl PartialSchema for RowView {
    fn schema() -> RefOr<Schema> {
        let about = ReportKind::ALL.map(|kind| format!("{}: {}", kind.name(), columns(kind).join(", ")));
        let about = format!("A row. Its members are the columns of the report's type. {}.", about.join("; "));
        let object = Object::builder().schema_type(Type::Object).description(Some(about));
        object.additional_properties(Some(AdditionalProperties::FreeForm(true))).build().into()
    }
}

impl ToSchema for RowView {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ReportRow")
    }
}

/// `GET /v1/cckm/aws/reports/{id}/contents`
pub async fn contents(
    auth: OnReport<ViewReport>,
    listing: Listing<AnyColumn>,
    services: Data<Services>,
) -> Result<List<RowView>, Problem> {
    let kind = auth.permit.report().kind;
    if let Some((member, _)) = listing.0.sort.iter().find(|(member, _)| !columns(kind).contains(&member.as_str())) {
        let known = columns(kind).join(", ");
        let problem = format!("a {} cannot be sorted by `{member}`, but by {known}", kind.name());
        return Err(Problem::query("sort", problem));
    }
    let fields = listing.0.fields.clone();
    if let Some(field) = fields.iter().find(|field| !columns(kind).contains(&field.as_str())) {
        let known = columns(kind).join(", ");
        let problem = format!("a row of a {} has no `{}`; it has {known}", kind.name(), excerpt(field));
        return Err(Problem::query("fields", problem));
    }
    let page = services.reports.contents(&auth.permit, &listing.0).await?;
    let is_short = page.limit != Limit::All && page.total.min(page.limit.rows()) <= ONE_PIECE_MAX;
    let writer = Writer { page, is_first: true, fields };
    let mut body = HttpResponse::Ok();
    body.content_type("application/json");
    if is_short {
        let (piece, _) = pool::run(move || writer.piece(ONE_PIECE_MAX)).await??;
        return Ok(List::answer(body.body(piece)));
    }
    let pieces = stream::try_unfold(Some(writer), |writer| async {
        let Some(writer) = writer else { return Ok(None) };
        let (piece, writer) = pool::run(|| writer.piece(PIECE_ROWS)).await??;
        Ok::<_, Failure>(Some((Bytes::from(piece), writer)))
    });
    Ok(List::answer(body.streaming(pieces)))
}

/// Writes a page piece by piece.
struct Writer {
    page: Contents,
    is_first: bool,
    fields: Vec<String>,
}

impl Writer {
    /// The next piece, and the writer of the remaining rows, if there are any.
    fn piece(mut self, count: usize) -> Result<(Vec<u8>, Option<Self>), Failure> {
        let mut piece = Vec::new();
        if self.is_first {
            let Contents { skip, limit, total, .. } = self.page;
            piece.extend_from_slice(crate::http::paging::head(skip, limit, total).as_bytes());
        }
        let rows = self.page.rows.take(count)?;
        let is_last = rows.len() < count || self.page.rows.is_empty();
        for row in rows {
            if !std::mem::take(&mut self.is_first) {
                piece.push(b',');
            }
            let view = RowView::of(self.page.columns, row);
            fields::write(&mut piece, &view, &self.fields)
                .map_err(|_| Failure::Internal("a row could not be written"))?;
        }
        if is_last {
            piece.extend_from_slice(b"]}");
            return Ok((piece, None));
        }
        Ok((piece, Some(self)))
    }
}
