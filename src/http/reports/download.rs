//! The rows of a report as a file: CSV by RFC 4180, or JSON lines.
//!
//! Spreadsheets run cells that begin with `=`, `+`, `-` or `@`, also behind a tab or a carriage return. Names and
//! messages come from others, so that such a text gets a `'` in front. Numbers are ours, and stay as they are.

use super::contents::RowView;
use crate::http::answer::Download;
use crate::http::describe::{Described, Description};
use crate::http::error::Problem;
use crate::http::guard::OnReport;
use crate::http::paging::members;
use crate::service::Services;
use crate::service::access::DownloadReport;
use crate::service::failure::Failure;
use crate::service::reports::contents::ContentRows;
use crate::service::reports::{Cell, Row, columns, pool};
use actix_web::dev::Payload;
use actix_web::http::header::{Accept, CONTENT_DISPOSITION, Header, Quality};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::stream;
use std::borrow::Cow;
use std::future::{Ready, ready};
use utoipa::openapi::schema::{Object, Type};

/// The rows of one piece of an answer.
const PIECE_ROWS: usize = 500;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

impl Format {
    pub(in crate::http) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    pub(in crate::http) const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// Reads `format` of the query; without it, the header `Accept` decides.
    pub(in crate::http) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let given = members(request.query_string());
        let mut formats = given.iter().filter(|(name, value)| name == "format" && !value.is_empty());
        match (formats.next().map(|(_, value)| value.as_str()), formats.next()) {
            (Some("csv"), None) => return Ok(Self::Csv),
            (Some("jsonl"), None) => return Ok(Self::JsonLines),
            (None, _) => {}
            _ => return Err(Problem::query("format", "must be csv or jsonl, and given once")),
        }
        // What cannot be read asks for nothing.
        let accept = Accept::parse(request).unwrap_or_else(|_| Accept::star());
        let lines = JSON_LINES.iter().map(|kind| quality(&accept, kind)).max();
        Ok(if lines > Some(quality(&accept, CSV)) { Self::JsonLines } else { Self::Csv })
    }
}

/// The media types of each format.
const CSV: &str = "text/csv";
const JSON_LINES: &[&str] = &["application/x-ndjson", "application/jsonl", "application/x-jsonlines"];

/// How much a client wants a media type. The range that says most about it counts, as RFC 9110 demands.
fn quality(accept: &Accept, kind: &str) -> Quality {
    let main = kind.split_once('/').map_or("", |(main, _)| main);
    let fit = |range: &str| match range {
        range if range == kind => Some(2),
        "*/*" => Some(0),
        range => (range.strip_suffix("/*") == Some(main)).then_some(1),
    };
    let fitting = accept.iter().filter_map(|range| Some((fit(range.item.essence_str())?, range.quality)));
    fitting.max().map_or(Quality::ZERO, |(_, quality)| quality)
}

impl FromRequest for Format {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Described for Format {
    fn describe(to: &mut Description) {
        to.may_fail(&[400]);
        let about = "`csv` or `jsonl`; by default the header `Accept` decides, and then CSV.";
        to.queries("format", about, Object::with_type(Type::String));
    }
}

/// The rows of a report.
pub struct Rows;

impl Described for Rows {
    fn describe(to: &mut Description) {
        to.answers_with(200, "text/csv", Object::with_type(Type::String));
        to.answers_with(200, "application/x-ndjson", Object::with_type(Type::String));
    }
}

/// `GET /v1/cckm/aws/reports/{id}/download`
pub async fn download(
    auth: OnReport<DownloadReport>,
    format: Format,
    services: Data<Services>,
) -> Result<Download<Rows>, Problem> {
    let report = auth.permit.report().clone();
    let rows = services.reports.all_rows(&auth.permit).await?;
    let name = format!("attachment; filename=\"{}.{}\"", file_name(report.name.as_str()), format.suffix());
    let writer = Writer { rows, format, columns: columns(report.kind), is_first: true };
    let pieces = stream::try_unfold(Some(writer), |writer| async {
        let Some(writer) = writer else { return Ok(None) };
        let (piece, writer) = pool::run(|| writer.piece()).await??;
        Ok::<_, Failure>(Some((Bytes::from(piece), writer)))
    });
    let mut answer = HttpResponse::Ok();
    answer.content_type(format.media_type()).insert_header((CONTENT_DISPOSITION, name));
    Ok(Download::new(answer.streaming(pieces)))
}

/// The name of a report, reduced to characters that are safe in a header and in a file's name.
fn file_name(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    if name.trim_matches(['.', '_']).is_empty() { "report".to_owned() } else { name }
}

/// Writes the file piece by piece.
struct Writer {
    rows: ContentRows,
    format: Format,
    columns: &'static [&'static str],
    is_first: bool,
}

impl Writer {
    /// The next piece, and the writer of the remaining rows, if there are any.
    fn piece(mut self) -> Result<(Vec<u8>, Option<Self>), Failure> {
        const FAILED: Failure = Failure::Internal("a row could not be written");
        let rows = self.rows.take(PIECE_ROWS)?;
        let is_last = rows.len() < PIECE_ROWS;
        let piece = match self.format {
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
                if std::mem::take(&mut self.is_first) {
                    writer.write_record(self.columns).map_err(|_| FAILED)?;
                }
                for Row { cells, .. } in &rows {
                    writer.write_record(cells.iter().map(|cell| harmless(cell).into_owned())).map_err(|_| FAILED)?;
                }
                writer.into_inner().map_err(|_| FAILED)?
            }
            Format::JsonLines => {
                let mut piece = Vec::new();
                for row in rows {
                    serde_json::to_writer(&mut piece, &RowView::of(self.columns, row)).map_err(|_| FAILED)?;
                    piece.push(b'\n');
                }
                piece
            }
        };
        Ok((piece, (!is_last).then_some(self)))
    }
}

/// The text of a cell, such that no spreadsheet runs it.
pub(in crate::http) fn harmless(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => Cow::Owned(format!("'{text}")),
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Absent | Cell::Flag(_) | Cell::Number(_) => Cow::Owned(cell.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_made_harmless() {
        let text = |text: &str| harmless(&Cell::Text(text.to_owned())).into_owned();
        for bad in ["=cmd(\"x\")", "+1", "-1", "@sum", "\t=1", "\r=1"] {
            assert_eq!(text(bad), format!("'{bad}"));
        }
        for good in ["", "a=b", " =1", "'=1"] {
            assert_eq!(text(good), good);
        }
        assert_eq!(harmless(&Cell::Number(-3)), "-3");
        assert_eq!(harmless(&Cell::Absent), "");
    }

    #[test]
    fn the_format_is_the_one_that_the_client_wants_more() {
        let of = |accept: &[&str]| {
            let mut request = TestRequest::default();
            for line in accept {
                request = request.append_header(("accept", *line));
            }
            Format::of(&request.to_http_request()).unwrap_or_else(|_| panic!("{accept:?}"))
        };
        for (accept, expected) in [
            (&[][..], Format::Csv),
            (&["*/*"], Format::Csv),
            (&["application/json"], Format::Csv),
            (&["application/jsonlx"], Format::Csv),
            (&["application/jsonl"], Format::JsonLines),
            (&["text/html, application/x-ndjson"], Format::JsonLines),
            (&["text/html", "application/x-ndjson; charset=utf-8"], Format::JsonLines),
            (&["application/x-ndjson;q=0"], Format::Csv),
            (&["application/x-ndjson, text/csv"], Format::Csv),
            (&["application/x-ndjson;q=0.9, text/csv;q=0.8"], Format::JsonLines),
            (&["application/x-ndjson;q=0.8, text/*;q=0.9"], Format::Csv),
            (&["*/*, text/csv;q=0.1"], Format::JsonLines),
            (&["text/*, text/csv;q=0, application/*;q=0.2"], Format::JsonLines),
            (&["chunk#;e"], Format::Csv),
        ] {
            assert_eq!(of(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_files_name_has_safe_characters_only() {
        assert_eq!(file_name("daily.v2-x_1"), "daily.v2-x_1");
        assert_eq!(file_name("a/b\"c\r\nd é"), "a_b_c__d__");
        assert_eq!((file_name(".."), file_name("é")), ("report".to_owned(), "report".to_owned()));
    }
}
