//! Rows as a file: CSV by RFC 4180, or JSON lines.
//!
//! Spreadsheets run cells that begin with `=`, `+`, `-` or `@`, also behind a tab or a carriage return. Names and
//! messages come from others, so that such a text gets a `'` in front.

use super::answer::Download;
use super::describe::{Described, Description};
use super::error::Problem;
use super::query::members;
use crate::service::failure::Failure;
use actix_web::dev::Payload;
use actix_web::http::header::{Accept, CONTENT_DISPOSITION, Header, Quality};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::Stream;
use serde::Serialize;
use std::borrow::Cow;
use std::future::{Ready, ready};
use utoipa::openapi::schema::{Object, Type};

/// The media types of a file of rows.
pub struct TableFile;

impl Described for TableFile {
    fn describe(to: &mut Description) {
        to.answers_with(200, "text/csv", Object::with_type(Type::String));
        to.answers_with(200, "application/x-ndjson", Object::with_type(Type::String));
    }
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

impl Format {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// Reads `format` of the query; without it, the header `Accept` decides.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
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

    /// Writes rows: as cells below the columns, if those are given, or each as a line of JSON.
    ///
    /// # Errors
    /// When a row cannot be written.
    pub fn write<R, V: Serialize>(
        self,
        columns: Option<&[&str]>,
        rows: Vec<R>,
        cells: impl Fn(&R) -> Vec<String>,
        line: impl Fn(R) -> V,
    ) -> Result<Vec<u8>, Failure> {
        const FAILED: Failure = Failure::Internal("a row could not be written");
        if self == Self::JsonLines {
            let mut text = Vec::new();
            for row in rows {
                serde_json::to_writer(&mut text, &line(row)).map_err(|_| FAILED)?;
                text.push(b'\n');
            }
            return Ok(text);
        }
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if let Some(columns) = columns {
            writer.write_record(columns).map_err(|_| FAILED)?;
        }
        for row in &rows {
            writer.write_record(cells(row)).map_err(|_| FAILED)?;
        }
        writer.into_inner().map_err(|_| FAILED)
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

/// The answer of pieces of a file. `name` has only characters that are safe in a header.
pub fn answer(
    name: &str,
    format: Format,
    pieces: impl Stream<Item = Result<Bytes, Failure>> + 'static,
) -> Download<TableFile> {
    let name = format!("attachment; filename=\"{name}.{}\"", format.suffix());
    let mut answer = HttpResponse::Ok();
    answer.content_type(format.media_type()).insert_header((CONTENT_DISPOSITION, name));
    Download::new(answer.streaming(pieces))
}

/// A text such that no spreadsheet runs it.
pub fn harmless(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_made_harmless() {
        for bad in ["=cmd(\"x\")", "+1", "-1", "@sum", "\t=1", "\r=1"] {
            assert_eq!(harmless(bad), format!("'{bad}"));
        }
        for good in ["", "a=b", " =1", "'=1"] {
            assert_eq!(harmless(good), good);
        }
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
}
