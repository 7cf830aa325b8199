//! Lists: reads `skip`, `limit`, `sort`, filters and the rest from the query. `page` writes a page as an answer.

mod page;

pub(super) use page::head;
pub use page::{List, answer, answer_apart, write_page};

use super::body::excerpt;
use super::describe::{Described, Description};
use super::error::Problem;
use super::fields;
use super::query::{members, quoted};
use crate::domain::refusal::Bounds;
use crate::service::failure::invalid;
use crate::service::list::{Limit, Listed, Needle, Query, Words};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use utoipa::openapi::schema::{Array, Object, Type};

/// The query for a list of `C`.
pub struct Listing<C>(pub Query, PhantomData<C>);

/// The members by which a list can be sorted and filtered.
pub trait Columns {
    const SORTS: &'static [&'static str];
    const FILTERS: &'static [&'static str];
    /// The members with a fixed set of values, and these values.
    const WORDS: Words = &[];
    /// The members that are times, with filters by a bound.
    const TIMES: &'static [&'static str] = &[];
    /// The members that `search` looks into; a list without any cannot be searched.
    const SEARCHES: &'static [&'static str] = &[];
}

impl<T: Listed> Columns for T {
    const SORTS: &'static [&'static str] = T::SORTS;
    const FILTERS: &'static [&'static str] = T::FILTERS;
    const WORDS: Words = T::WORDS;
    const TIMES: &'static [&'static str] = T::TIMES;
    const SEARCHES: &'static [&'static str] = T::SEARCHES;
}

impl<C: Columns> FromRequest for Listing<C> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse::<C>(request.query_string()).map(|query| Self(query, PhantomData)))
    }
}

/// Reads the query of a list that has these members to sort and to filter by. Other members are refused: a filter that
/// is ignored would answer rows that the client did not ask for.
fn parse<C: Columns>(query: &str) -> Result<Query, Problem> {
    let mut parsed = Query { limit: Limit::Rows(10), ..Query::default() };
    for (member, value) in members(query) {
        match member.as_str() {
            // Clients send members without a value.
            _ if value.is_empty() => {}
            "skip" => parsed.skip = skip(&value)?,
            "limit" => parsed.limit = limit(&value)?,
            "sort" => parsed.sort = sort(&value, C::SORTS)?,
            "fields" => parsed.fields = fields::read(&value)?,
            "search" if !C::SEARCHES.is_empty() => parsed.search = search("search", &value)?,
            // The guard of the route reads it.
            "dry_run" => {}
            name if !C::FILTERS.contains(&name) => return Err(unknown_filter(name, C::FILTERS)),
            _ if parsed.filters.len() >= FILTERS_MAX => return Err(too_many("query", "filters", FILTERS_MAX)),
            _ => parsed.filters.push((member, value)),
        }
    }
    Ok(parsed)
}

/// Reads the filters and the `search` of a list from a member of a body, where they are written as in a query.
///
/// # Errors
/// [`Problem`] if there is none, or something else than these.
pub fn filters<C: Columns>(member: &'static str, query: &str) -> Result<Query, Problem> {
    let in_body = |problem: String| Problem::from(invalid(member, problem));
    if let Some((name, _)) = members(query).iter().find(|(name, _)| OF_PAGES.contains(&name.as_str())) {
        return Err(in_body(format!("must have filters and search only, not `{name}`")));
    }
    let parsed = parse::<C>(query).map_err(|problem| in_body(problem.to_string()))?;
    if parsed.filters.is_empty() && parsed.search.is_none() {
        return Err(in_body("must have a filter, such as `keystate=Enabled`".to_owned()));
    }
    Ok(Query { limit: Limit::All, ..parsed })
}

/// The members of a query that choose a page of a list, not its rows.
const OF_PAGES: [&str; 5] = ["skip", "limit", "sort", "fields", "dry_run"];

/// Reads a text to search for; `None` if it is blank.
///
/// # Errors
/// [`Problem`] if it is too long.
pub fn search(member: &'static str, value: &str) -> Result<Option<Needle>, Problem> {
    match value.chars().count() {
        0..=SEARCH_MAX => Ok(Needle::of(value)),
        _ => Err(too_many(member, "characters", SEARCH_MAX)),
    }
}

/// The largest number of characters to search for.
const SEARCH_MAX: usize = 255;

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

impl<C: Columns> Described for Listing<C> {
    fn describe(to: &mut Description) {
        to.may_fail(&[400]);
        let number = |least: i64, default: i64| {
            Object::builder().schema_type(Type::Integer).minimum(Some(least)).default(Some(default.into()))
        };
        to.queries("skip", "The number of rows to leave out at the start.", number(0, 0));
        let limit = number(-1, 10).maximum(Some(i64::MAX));
        to.queries("limit", "The largest number of rows; -1 stands for all, 0 is invalid.", limit);
        let text = "The members to show of each row, separated by commas, such as `id`, or `aws_param.KeyState` for a \
                    member of a member; all by default.";
        to.queries("fields", text, Object::with_type(Type::String));
        if !C::SEARCHES.is_empty() {
            let text = "Only rows that have this text, regardless of case, in one of these members: ";
            let search = Object::builder().schema_type(Type::String).max_length(Some(SEARCH_MAX));
            to.queries("search", format!("{text}{}.", quoted(C::SEARCHES)), search);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_defaults_and_says_what_is_wrong() {
        struct Two;
        impl Columns for Two {
            const SORTS: &'static [&'static str] = &["name", "id"];
            const FILTERS: &'static [&'static str] = &["name", "region"];
            const SEARCHES: &'static [&'static str] = &["name"];
        }
        let read = parse::<Two>;
        let query = read("search=%20Pay%20&fields=id,name").unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!((query.search, query.fields), (Needle::of("pay"), vec!["id".to_owned(), "name".to_owned()]));
        assert!(read(&format!("search={}", "x".repeat(SEARCH_MAX + 1))).is_err());
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

    /// A list with a sort by name, and filters.
    struct WithFilters;
    impl Columns for WithFilters {
        const SORTS: &'static [&'static str] = &["name"];
        const FILTERS: &'static [&'static str] = &["name", "region"];
    }

    /// A list without filters.
    struct WithoutFilters;
    impl Columns for WithoutFilters {
        const SORTS: &'static [&'static str] = &["name"];
        const FILTERS: &'static [&'static str] = &[];
    }

    #[test]
    fn members_that_a_list_does_not_have_are_refused() {
        let message = |parsed: Result<Query, Problem>| match parsed {
            Ok(query) => panic!("{query:?} is taken"),
            Err(problem) => problem.to_string(),
        };
        assert_eq!(
            message(parse::<WithFilters>("name=a&uuid=b")),
            "uuid: this list cannot be filtered by it; its filters are name, region"
        );
        assert_eq!(
            message(parse::<WithoutFilters>("Name=a")),
            "Name: this list cannot be filtered by it; it has no filters"
        );
        assert!(message(parse::<WithoutFilters>("search=a")).starts_with("search: "));
        let sorted = message(parse::<WithFilters>("sort=-region"));
        assert_eq!(sorted, "sort: this list cannot be sorted by `region`, but by name");
        let taken = parse::<WithFilters>("dry_run=true&uuid=&name=a").unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(taken.filters, [("name".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn the_number_of_filters_and_of_members_to_sort_by_is_limited() {
        let many: Vec<String> = (0..=SORTS_MAX).map(|n| format!("m{n}")).collect();
        let sorts: Vec<&str> = many.iter().map(String::as_str).chain(["name", "id"]).collect();
        let sorted = sort(&"name,-name,id,".repeat(3000), &sorts).unwrap_or_else(|p| panic!("{p}"));
        assert_eq!(sorted, [("name".to_owned(), false), ("id".to_owned(), false)]);
        assert!(sort(&many.join(","), &sorts).is_err());
        assert!(parse::<WithFilters>(&"name=a&".repeat(FILTERS_MAX)).is_ok());
        assert!(parse::<WithFilters>(&"name=a&".repeat(FILTERS_MAX + 1)).is_err());
    }
}
