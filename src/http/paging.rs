//! Lists: reads `skip`, `limit`, `sort` and filters from the query, and writes a page as an answer. Long answers are
//! streamed.

use super::body::excerpt;
use super::describe::{Described, Description};
use super::error::Problem;
use crate::domain::refusal::Bounds;
use crate::service::failure::Failure;
use crate::service::list::{Limit, Listed, Page, Query, Rows, pool};
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object, Type};

/// The query for a list of `C`.
pub struct Listing<C>(pub Query, PhantomData<C>);

/// The members by which a list can be sorted and filtered.
pub trait Columns {
    const SORTS: &'static [&'static str];
    const FILTERS: &'static [&'static str];
    /// The members with a fixed set of values, and these values.
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[];
}

impl<T: Listed> Columns for T {
    const SORTS: &'static [&'static str] = T::SORTS;
    const FILTERS: &'static [&'static str] = T::FILTERS;
    const WORDS: &'static [(&'static str, &'static [&'static str])] = T::WORDS;
}

impl<C: Columns> FromRequest for Listing<C> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string(), C::SORTS, C::FILTERS).map(|query| Self(query, PhantomData)))
    }
}

/// The decoded members of a query, in order.
pub fn members(query: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query).unwrap_or_default()
}

/// Whether the query has this member with a value.
pub fn is_given(query: Option<&str>, member: &str) -> bool {
    query.is_some_and(|query| members(query).iter().any(|(name, value)| name == member && !value.is_empty()))
}

/// Reads the query of a list that has these members to sort and to filter by. Other members are refused: a filter that
/// is ignored would answer rows that the client did not ask for.
fn parse(query: &str, sorts: &[&str], filters: &[&str]) -> Result<Query, Problem> {
    let mut parsed = Query { skip: 0, limit: Limit::Rows(10), sort: Vec::new(), filters: Vec::new() };
    for (member, value) in members(query) {
        match member.as_str() {
            // Clients send members without a value.
            _ if value.is_empty() => {}
            "skip" => parsed.skip = skip(&value)?,
            "limit" => parsed.limit = limit(&value)?,
            "sort" => parsed.sort = sort(&value, sorts)?,
            // The guard of the route reads it.
            "dry_run" => {}
            name if !filters.contains(&name) => return Err(unknown_filter(name, filters)),
            _ if parsed.filters.len() >= FILTERS_MAX => return Err(too_many("query", "filters", FILTERS_MAX)),
            _ => parsed.filters.push((member, value)),
        }
    }
    Ok(parsed)
}

/// The largest number of members in `sort`; a sort keeps a value of each for every row.
const SORTS_MAX: usize = 16;

/// The largest number of filters; every row is compared with every filter.
const FILTERS_MAX: usize = 200;

fn too_many(member: &'static str, what: &str, most: usize) -> Problem {
    let limit = Some(Bounds::most(most as u64));
    Problem::Query { member: member.into(), problem: format!("must have at most {most} {what}"), limit }
}

fn unknown_filter(name: &str, filters: &[&str]) -> Problem {
    let known = match filters {
        [] => "it has no filters".to_owned(),
        _ => format!("its filters are {}", filters.join(", ")),
    };
    Problem::query(excerpt(name), format!("this list cannot be filtered by it; {known}"))
}

/// The error of a member of the query that a change does not have.
pub fn unknown_member(name: &str, known: &[&str]) -> Problem {
    let known = known.join(", ");
    Problem::query(excerpt(name), format!("this call has no such member in its query; it has {known}"))
}

fn sort(value: &str, sorts: &[&str]) -> Result<Vec<(String, bool)>, Problem> {
    let mut sort: Vec<(String, bool)> = Vec::new();
    for (member, descending) in value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(direction) {
        if !sorts.contains(&member.as_str()) {
            let known = if sorts.is_empty() { "nothing".to_owned() } else { sorts.join(", ") };
            let problem = format!("this list cannot be sorted by `{}`, but by {known}", excerpt(&member));
            return Err(Problem::query("sort", problem));
        }
        // A repeated member has no effect on the order.
        if sort.iter().any(|(known, _)| *known == member) {
            continue;
        }
        if sort.len() >= SORTS_MAX {
            return Err(too_many("sort", "members", SORTS_MAX));
        }
        sort.push((member, descending));
    }
    Ok(sort)
}

fn skip(value: &str) -> Result<usize, Problem> {
    value.parse().map_err(|_| Problem::query("skip", "must be a whole number from 0 on"))
}

fn limit(value: &str) -> Result<Limit, Problem> {
    match value.parse::<i64>() {
        Ok(-1) => Ok(Limit::All),
        Ok(rows @ 1..) => Ok(Limit::Rows(usize::try_from(rows).unwrap_or(usize::MAX))),
        _ => Err(Problem::query("limit", "must be a whole number from 1 on, or -1 for all")),
    }
}

fn direction(member: &str) -> (String, bool) {
    match member.strip_prefix('-') {
        Some(member) => (member.to_owned(), true),
        None => (member.to_owned(), false),
    }
}

/// The largest number of rows that the worker's own thread writes; this takes about half a millisecond.
const INLINE_ROWS_MAX: usize = 50;

/// The largest number of rows in an answer with `Content-Length`; longer answers are streamed.
const BUFFERED_ROWS_MAX: usize = 500;

/// The number of rows in a piece of a streamed answer: for keys, a few hundred kB.
const PIECE_ROWS: usize = 100;

/// 200 with one page of a list of `V`.
pub struct List<V> {
    response: HttpResponse,
    row: PhantomData<V>,
}

impl<V: Serialize> List<V> {
    /// A page of views that are made already.
    pub fn of(skip: usize, limit: Limit, total: usize, rows: impl Iterator<Item = V>) -> Self {
        Self::of_body(write_page(skip, limit, total, rows))
    }

    /// A page that [`write_page`] has written.
    pub fn of_body(body: Vec<u8>) -> Self {
        Self::answer(HttpResponse::Ok().content_type("application/json").body(body))
    }

    /// A page that is written already, or is going to be streamed.
    pub(super) fn answer(response: HttpResponse) -> Self {
        Self { response, row: PhantomData }
    }
}

/// Writes a page of views.
pub fn write_page<V: Serialize>(skip: usize, limit: Limit, total: usize, rows: impl Iterator<Item = V>) -> Vec<u8> {
    let mut body = head(skip, limit, total).into_bytes();
    write_rows(&mut body, rows, true);
    body.extend_from_slice(b"]}");
    body
}

/// A page as an answer. Long pages are written on the threads of [`pool`]. Streamed pages are written in pieces, each
/// once the client has read the previous one; no thread waits for a client.
///
/// # Errors
/// [`Problem`] if the pool fails before the first byte is sent.
pub async fn answer<T: Listed, V: Serialize>(
    page: Page<T>,
    view: impl Fn(&Arc<T>) -> V + Send + 'static,
) -> Result<List<V>, Problem> {
    answer_with(page, view, INLINE_ROWS_MAX).await
}

/// As [`answer`], for rows whose views take long: also short pages are written on the threads of [`pool`].
///
/// # Errors
/// As [`answer`].
pub async fn answer_apart<T: Listed, V: Serialize>(
    page: Page<T>,
    view: impl Fn(&Arc<T>) -> V + Send + 'static,
) -> Result<List<V>, Problem> {
    answer_with(page, view, 0).await
}

async fn answer_with<T: Listed, V: Serialize>(
    page: Page<T>,
    view: impl Fn(&Arc<T>) -> V + Send + 'static,
    inline: usize,
) -> Result<List<V>, Problem> {
    let Page { skip, limit, total, rows } = page;
    let (count, writer) = (rows.len(), Writer { rows, view, before: Some(head(skip, limit, total)), length: 0 });
    let mut body = HttpResponse::Ok();
    body.content_type("application/json");
    if count <= inline {
        return Ok(List::answer(body.body(writer.piece(BUFFERED_ROWS_MAX).0)));
    }
    if count <= BUFFERED_ROWS_MAX {
        return Ok(List::answer(body.body(pool::run(move || writer.piece(BUFFERED_ROWS_MAX).0).await?)));
    }
    let pieces = stream::try_unfold(Some(writer), |writer| async {
        let Some(writer) = writer else { return Ok(None) };
        let (piece, writer) = pool::run(|| writer.piece(PIECE_ROWS)).await?;
        Ok::<_, Failure>(Some((Bytes::from(piece), writer)))
    });
    Ok(List::answer(body.streaming(pieces)))
}

/// Writes a page piece by piece.
struct Writer<T: Listed, F> {
    rows: Rows<T>,
    view: F,
    /// The text before the first row; `None` once it is written.
    before: Option<String>,
    /// The expected length of the next piece: a vector that grows is copied each time.
    length: usize,
}

impl<T: Listed, V: Serialize, F: Fn(&Arc<T>) -> V> Writer<T, F> {
    /// The next piece, and the writer of the remaining rows, if there are any.
    fn piece(mut self, rows: usize) -> (Vec<u8>, Option<Self>) {
        let first = self.before.is_some();
        let mut piece = Vec::with_capacity(self.length);
        piece.extend_from_slice(self.before.take().unwrap_or_default().as_bytes());
        write_rows(&mut piece, self.rows.take(rows).iter().map(&self.view), first);
        self.length = piece.len() + piece.len() / 8;
        if !self.rows.is_empty() {
            return (piece, Some(self));
        }
        piece.extend_from_slice(b"]}");
        (piece, None)
    }
}

pub(super) fn head(skip: usize, limit: Limit, total: usize) -> String {
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
        // A view has texts, numbers and lists only, so this does not fail. If it did, the row would be left out.
        match serde_json::to_writer(&mut *body, &row) {
            Ok(()) => first = false,
            Err(_) => body.truncate(before),
        }
    }
}

impl<V> Responder for List<V> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

impl<V: ToSchema> Described for List<V> {
    fn describe(to: &mut Description) {
        to.answers_page::<V>();
    }
}

impl<C: Columns> Described for Listing<C> {
    fn describe(to: &mut Description) {
        to.may_fail(&[400]);
        let number = |least: i64, default: i64| {
            Object::builder().schema_type(Type::Integer).minimum(Some(least)).default(Some(default.into()))
        };
        to.queries("skip", "The number of rows to leave out at the start.", number(0, 0));
        to.queries("limit", "The largest number of rows; -1 stands for all, 0 is invalid.", number(-1, 10));
        if !C::SORTS.is_empty() {
            let text = "The members to sort by, separated by commas; `-` before a member sorts descending. Members: ";
            let one = format!("-?(?:{})", C::SORTS.join("|"));
            let pattern = format!("^(?:{one})?(?:,{one})*$");
            let sort = Object::builder().schema_type(Type::String).pattern(Some(pattern));
            to.queries("sort", format!("{text}{}.", quoted(C::SORTS)), sort);
        }
        for filter in C::FILTERS {
            let text = match *filter {
                "name" | "username" | "nickname" | "email" | "alias" => {
                    "Only rows with one of these values, in which `*` stands for any text and `?` for one character."
                }
                name if name.ends_with("_after") && C::TIMES.iter().any(|member| name.starts_with(member)) => {
                    "Only rows with a time from this one on, in the format of RFC 3339."
                }
                name if name.ends_with("_before") && C::TIMES.iter().any(|member| name.starts_with(member)) => {
                    "Only rows with a time before this one, in the format of RFC 3339."
                }
                _ => "Only rows with one of these values.",
            };
            let words = C::WORDS.iter().find(|(member, _)| member == filter).map(|(_, words)| words);
            // A filter without a value is no filter.
            let values = words.map(|words| words.iter().copied().chain([""]).map(Value::from));
            let value = Object::builder().schema_type(Type::String).enum_values(values);
            to.queries(filter, text, Array::new(value));
        }
    }
}

/// Words in backticks, separated by commas.
pub fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::group::Group;
    use crate::domain::name::GroupName;
    use crate::domain::table::Table;
    use crate::domain::time::Time;
    use actix_web::body::{BodySize, MessageBody, to_bytes};
    use serde_json::json;

    fn group(n: usize) -> (GroupName, Group) {
        let name = GroupName::parse(&format!("g{n}")).unwrap_or_else(|problem| panic!("{problem}"));
        let at = Time::from_nanos(0);
        let (description, metadata) = (String::new(), Default::default());
        (name.clone(), Group { name, description, metadata, members: 0, created: at, updated: at })
    }

    #[actix_web::test]
    async fn a_page_is_the_same_text_whether_it_is_streamed_or_not() {
        let (inline, buffered) = (INLINE_ROWS_MAX, BUFFERED_ROWS_MAX);
        let whole = [0, inline, inline + 1, buffered].map(|count| (count, false));
        let streamed = [1, PIECE_ROWS, PIECE_ROWS + 1].map(|more| (buffered + more, true));
        for (count, is_streamed) in whole.into_iter().chain(streamed) {
            let mut groups = Table::default();
            (0..count).map(group).for_each(|(name, group)| groups.insert(name, group));
            let page = Page::of_rows(Limit::All, &groups);
            let list = answer(page, |group: &Arc<Group>| group.name.to_string()).await;
            let body = list.unwrap_or_else(|problem| panic!("{problem}")).response.into_body();
            assert_eq!(body.size() == BodySize::Stream, is_streamed, "{count}");
            let text = to_bytes(body).await.unwrap_or_else(|problem| panic!("{problem}"));
            let names: Vec<String> = (0..count).map(|n| format!("g{n}")).collect();
            let expected = format!(r#"{{"skip":0,"limit":-1,"total":{count},"resources":{}}}"#, json!(names));
            assert_eq!(text, expected.as_bytes(), "{count}");
        }
    }

    #[actix_web::test]
    async fn rows_that_take_long_are_never_written_by_the_worker_itself() {
        let mut groups = Table::default();
        (0..2).map(group).for_each(|(name, group)| groups.insert(name, group));
        let here = || format!("{:?}", std::thread::current().id());
        let view = move |_: &Arc<Group>| here();
        let texts = [
            answer(Page::of_rows(Limit::All, &groups), view).await,
            answer_apart(Page::of_rows(Limit::All, &groups), view).await,
        ];
        let mut is_here = Vec::new();
        for list in texts {
            let body = list.unwrap_or_else(|problem| panic!("{problem}")).response.into_body();
            let text = to_bytes(body).await.unwrap_or_else(|problem| panic!("{problem}"));
            is_here.push(String::from_utf8_lossy(&text).contains(&here()));
        }
        assert_eq!(is_here, [true, false]);
    }

    #[test]
    fn a_query_has_defaults_and_says_what_is_wrong() {
        let read = |query: &str| parse(query, &["name", "id"], &["name", "region"]);
        let query = read("").unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!((query.skip, query.limit), (0, Limit::Rows(10)));
        let query = read("skip=2&limit=-1&sort=-name,id&name=a%2A&name=b&region=").unwrap_or_else(|p| panic!("{p}"));
        assert_eq!((query.skip, query.limit), (2, Limit::All));
        assert_eq!(query.sort, [("name".to_owned(), true), ("id".to_owned(), false)]);
        assert_eq!(query.filters, [("name".to_owned(), "a*".to_owned()), ("name".to_owned(), "b".to_owned())]);
        for bad in ["limit=0", "limit=-2", "limit=ten", "skip=-1", "skip=1.5"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn members_that_a_list_does_not_have_are_refused() {
        let message = |query: &str, filters: &[&str]| match parse(query, &["name"], filters) {
            Ok(_) => panic!("{query} is taken"),
            Err(problem) => problem.to_string(),
        };
        let filters = ["name", "region"];
        assert_eq!(
            message("name=a&uuid=b", &filters),
            "uuid: this list cannot be filtered by it; its filters are name, region"
        );
        assert_eq!(message("Name=a", &[]), "Name: this list cannot be filtered by it; it has no filters");
        assert_eq!(message("sort=-region", &filters), "sort: this list cannot be sorted by `region`, but by name");
        let taken = parse("dry_run=true&uuid=&name=a", &[], &filters).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(taken.filters, [("name".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn the_number_of_filters_and_of_members_to_sort_by_is_limited() {
        let many: Vec<String> = (0..=SORTS_MAX).map(|n| format!("m{n}")).collect();
        let sorts: Vec<&str> = many.iter().map(String::as_str).chain(["name", "id"]).collect();
        let parse = |query: &str| parse(query, &sorts, &["name"]);
        let query = parse(&format!("sort={}", "name,-name,id,".repeat(3000))).unwrap_or_else(|p| panic!("{p}"));
        assert_eq!(query.sort, [("name".to_owned(), false), ("id".to_owned(), false)]);
        assert!(parse(&format!("sort={}", many.join(","))).is_err());
        assert!(parse(&"name=a&".repeat(FILTERS_MAX)).is_ok());
        assert!(parse(&"name=a&".repeat(FILTERS_MAX + 1)).is_err());
    }
}
