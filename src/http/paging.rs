//! `skip`, `limit`, `sort` and filters out of a query; a page into an answer. Long answers are streamed.

use super::error::Problem;
use crate::service::list::{Limit, Page, Query};
use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::stream;
use serde::Serialize;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

/// What a client asks of a list.
pub struct Listing(pub Query);

impl FromRequest for Listing {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

/// The members of a query, decoded, in order.
pub fn members(query: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query).unwrap_or_default()
}

fn parse(query: &str) -> Result<Query, Problem> {
    let mut parsed = Query { skip: 0, limit: Limit::Rows(10), sort: Vec::new(), filters: Vec::new() };
    for (member, value) in members(query) {
        match member.as_str() {
            // Real clients send members that they have no value for.
            _ if value.is_empty() => {}
            "skip" => parsed.skip = skip(&value)?,
            "limit" => parsed.limit = limit(&value)?,
            "sort" => parsed.sort = value.split(',').map(str::trim).filter(|s| !s.is_empty()).map(direction).collect(),
            _ => parsed.filters.push((member, value)),
        }
    }
    Ok(parsed)
}

fn skip(value: &str) -> Result<usize, Problem> {
    let problem = || "must be a whole number from 0 on".to_owned();
    value.parse().map_err(|_| Problem::Query { member: "skip", problem: problem() })
}

fn limit(value: &str) -> Result<Limit, Problem> {
    match value.parse::<i64>() {
        Ok(-1) => Ok(Limit::All),
        Ok(rows @ 1..) => Ok(Limit::Rows(usize::try_from(rows).unwrap_or(usize::MAX))),
        _ => Err(Problem::Query {
            member: "limit",
            problem: "must be a whole number from 1 on, or -1 for all".to_owned(),
        }),
    }
}

fn direction(member: &str) -> (String, bool) {
    match member.strip_prefix('-') {
        Some(member) => (member.to_owned(), true),
        None => (member.to_owned(), false),
    }
}

/// So many rows are written at once.
const CHUNK: usize = 500;

/// A page as an answer.
pub fn answer<T: 'static, V: Serialize>(page: Page<T>, view: impl Fn(&Arc<T>) -> V + 'static) -> HttpResponse {
    let Page { skip, limit, total, rows } = page;
    let head = head(skip, limit, total);
    if rows.len() <= CHUNK {
        let mut body = head.into_bytes();
        write_rows(&mut body, rows.iter().map(&view), true);
        body.extend_from_slice(b"]}");
        return HttpResponse::Ok().content_type("application/json").body(body);
    }
    let chunks = rows.len().div_ceil(CHUNK);
    let parts = (0..chunks).map(move |number| {
        let mut part = if number == 0 { head.clone().into_bytes() } else { Vec::new() };
        let rows = rows.iter().skip(number * CHUNK).take(CHUNK).map(&view);
        write_rows(&mut part, rows, number == 0);
        if number + 1 == chunks {
            part.extend_from_slice(b"]}");
        }
        Ok::<_, Infallible>(Bytes::from(part))
    });
    HttpResponse::Ok().content_type("application/json").streaming(stream::iter(parts))
}

fn head(skip: usize, limit: Limit, total: usize) -> String {
    let limit = match limit {
        Limit::All => "-1".to_owned(),
        Limit::Rows(rows) => rows.to_string(),
    };
    format!(r#"{{"skip":{skip},"limit":{limit},"total":{total},"resources":["#)
}

fn write_rows<V: Serialize>(body: &mut Vec<u8>, rows: impl Iterator<Item = V>, mut first: bool) {
    for row in rows {
        let before = body.len();
        if !first {
            body.push(b',');
        }
        // A view holds texts, numbers and lists only; should one ever fail to be written, it is left out whole.
        match serde_json::to_writer(&mut *body, &row) {
            Ok(()) => first = false,
            Err(_) => body.truncate(before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_defaults_and_says_what_is_wrong() {
        let query = parse("").unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!((query.skip, query.limit), (0, Limit::Rows(10)));
        let query = parse("skip=2&limit=-1&sort=-name,id&name=a%2A&name=b&region=").unwrap_or_else(|p| panic!("{p}"));
        assert_eq!((query.skip, query.limit), (2, Limit::All));
        assert_eq!(query.sort, [("name".to_owned(), true), ("id".to_owned(), false)]);
        assert_eq!(query.filters, [("name".to_owned(), "a*".to_owned()), ("name".to_owned(), "b".to_owned())]);
        for bad in ["limit=0", "limit=-2", "limit=ten", "skip=-1", "skip=1.5"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
