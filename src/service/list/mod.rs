//! Filter, sort and page over a state. An unfiltered list in order of creation costs its page; all else walks the rows.

use super::access;
use super::caller::Caller;
use super::failure::{Failure, invalid};
use crate::domain::table::Rows;
use crate::domain::time::Time;
use std::cmp::Ordering;
use std::sync::Arc;

/// How many rows at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Rows(usize),
    /// All there are (`-1`).
    All,
}

/// What a client asks of a list.
#[derive(Clone, Debug)]
pub struct Query {
    /// Rows to leave out at the start.
    pub skip: usize,
    pub limit: Limit,
    /// By which members, and whether the greatest comes first.
    pub sort: Vec<(String, bool)>,
    /// Members and what they must hold; several values for one member mean any of them.
    pub filters: Vec<(String, String)>,
}

pub struct Page<T> {
    pub skip: usize,
    pub limit: Limit,
    pub total: usize,
    /// The rows of this page.
    pub rows: Vec<Arc<T>>,
}

/// What a member of a row holds, to be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Absent,
    Flag(bool),
    Number(u64),
    Moment(Time),
    Text(String),
    /// Several texts, any of which may match.
    Texts(Vec<String>),
}

/// A row that can be listed.
pub trait Listed {
    /// What is needed besides the row to tell its members.
    type Around;
    /// The members that can be sorted by.
    const SORTS: &'static [&'static str];
    /// The members that can be filtered by.
    const FILTERS: &'static [&'static str];
    /// The members that hold one of a few words, and which: a filter that asks for another one is a mistake.
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[];
    /// What a member (one of the above) holds.
    fn field(&self, member: &str, around: &Self::Around) -> Field;
}

/// The page that the query asks for, of the rows that the caller `sees`; who administers KMSs sees all of them.
///
/// # Errors
/// As [`page`].
pub fn page_for<T>(
    caller: &Caller,
    table: &impl Rows<Row = T>,
    query: &Query,
    around: &T::Around,
    sees: impl Fn(&T) -> bool,
) -> Result<Page<T>, Failure>
where
    T: Listed + Clone,
{
    let all = access::administers_kms(&caller.user);
    page(table, query, around, (!all).then_some(&sees as &dyn Fn(&T) -> bool))
}

/// The page that the query asks for, of the rows that `sees` tells.
///
/// # Errors
/// When the query sorts by a member that cannot be sorted by, or asks for a word that the member never holds.
pub fn page<T>(
    table: &impl Rows<Row = T>,
    query: &Query,
    around: &T::Around,
    sees: Option<&dyn Fn(&T) -> bool>,
) -> Result<Page<T>, Failure>
where
    T: Listed + Clone,
{
    if let Some((member, _)) = query.sort.iter().find(|(member, _)| !T::SORTS.contains(&member.as_str())) {
        return Err(invalid("sort", format!("`{member}` cannot be sorted by; {} can", T::SORTS.join(", "))).into());
    }
    for (member, wanted) in &query.filters {
        match T::WORDS.iter().find(|(known, _)| known == member) {
            Some((member, words)) if !words.contains(&wanted.as_str()) => {
                return Err(invalid(member, format!("must be one of {}", words.join(", "))).into());
            }
            _ => {}
        }
    }
    let filters = grouped::<T>(&query.filters);
    if filters.is_empty() && query.sort.is_empty() && sees.is_none() {
        let rows = table.rows_from(query.skip).take(query.limit.rows()).cloned().collect();
        return Ok(Page { skip: query.skip, limit: query.limit, total: table.count(), rows });
    }
    let matches = |row: &&Arc<T>| {
        sees.is_none_or(|sees| sees(row))
            && filters.iter().all(|(member, wanted)| is_any_of(&row.field(member, around), member, wanted))
    };
    let mut rows: Vec<_> = table.rows().filter(matches).collect();
    if !query.sort.is_empty() {
        rows.sort_by_cached_key(|row| Order::of(row.as_ref(), &query.sort, around));
    }
    let total = rows.len();
    let rows = rows.into_iter().skip(query.skip).take(query.limit.rows()).cloned().collect();
    Ok(Page { skip: query.skip, limit: query.limit, total, rows })
}

impl Limit {
    pub fn rows(self) -> usize {
        match self {
            Limit::Rows(rows) => rows,
            Limit::All => usize::MAX,
        }
    }
}

fn grouped<T: Listed>(filters: &[(String, String)]) -> Vec<(&str, Vec<&str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (member, wanted) in filters.iter().filter(|(member, _)| T::FILTERS.contains(&member.as_str())) {
        match groups.iter_mut().find(|(known, _)| known == member) {
            Some((_, values)) => values.push(wanted),
            None => groups.push((member, vec![wanted])),
        }
    }
    groups
}

fn is_any_of(field: &Field, member: &str, wanted: &[&str]) -> bool {
    let is = |text: &str, wanted: &str| match member {
        "name" | "username" | "alias" => matches_pattern(text, wanted),
        _ => text == wanted,
    };
    wanted.iter().any(|wanted| match field {
        Field::Absent => wanted.is_empty(),
        Field::Flag(flag) => *wanted == if *flag { "true" } else { "false" },
        Field::Number(number) => *wanted == number.to_string(),
        Field::Moment(at) => *wanted == at.to_string(),
        Field::Text(text) => is(text, wanted),
        Field::Texts(texts) => texts.iter().any(|text| is(text, wanted)),
    })
}

/// `*` stands for any text, the empty one too.
fn matches_pattern(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// A row's place among others, by several members.
#[derive(PartialEq, Eq)]
struct Order(Vec<(Field, bool)>);

impl Order {
    fn of<T: Listed>(row: &T, sort: &[(String, bool)], around: &T::Around) -> Self {
        Self(sort.iter().map(|(member, descending)| (row.field(member, around), *descending)).collect())
    }
}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Order {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_member = self.0.iter().zip(&other.0).map(|((mine, descending), (theirs, _))| match descending {
            true => theirs.cmp(mine),
            false => mine.cmp(theirs),
        });
        by_member.fold(Ordering::Equal, Ordering::then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::table::Table;

    #[derive(Clone)]
    struct Row(&'static str, u64);

    impl Listed for Row {
        type Around = ();
        const SORTS: &'static [&'static str] = &["name", "size"];
        const FILTERS: &'static [&'static str] = &["name", "size"];
        fn field(&self, member: &str, (): &()) -> Field {
            if member == "name" { Field::Text(self.0.to_owned()) } else { Field::Number(self.1) }
        }
    }

    fn ask(skip: usize, limit: Limit, sort: &[(&str, bool)], filters: &[(&str, &str)]) -> (usize, Vec<&'static str>) {
        let mut table = Table::default();
        for (n, row) in [Row("b", 2), Row("a", 1), Row("ab", 2), Row("c", 3)].into_iter().enumerate() {
            table.insert(n, row);
        }
        let sort = sort.iter().map(|(member, down)| ((*member).to_owned(), *down)).collect();
        let filters = filters.iter().map(|(member, value)| ((*member).to_owned(), (*value).to_owned())).collect();
        let page = page(&table, &Query { skip, limit, sort, filters }, &(), None).unwrap_or_else(|e| panic!("{e}"));
        (page.total, page.rows.iter().map(|row| row.0).collect())
    }

    #[test]
    fn without_wishes_rows_come_in_order_of_creation() {
        assert_eq!(ask(1, Limit::Rows(2), &[], &[]), (4, vec!["a", "ab"]));
        assert_eq!(ask(9, Limit::All, &[], &[]), (4, vec![]));
    }

    #[test]
    fn several_members_sort_and_equal_rows_keep_their_order() {
        assert_eq!(ask(0, Limit::All, &[("size", true)], &[]).1, ["c", "b", "ab", "a"]);
        assert_eq!(ask(0, Limit::All, &[("size", true), ("name", false)], &[]).1, ["c", "ab", "b", "a"]);
    }

    #[test]
    fn filters_mean_any_of_their_values_and_all_of_their_members() {
        assert_eq!(ask(0, Limit::All, &[], &[("name", "a"), ("name", "c")]), (2, vec!["a", "c"]));
        assert_eq!(ask(0, Limit::Rows(1), &[], &[("name", "*b"), ("size", "2")]), (2, vec!["b"]));
        assert_eq!(ask(0, Limit::All, &[], &[("unknown", "x")]).0, 4);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (text, pattern) in
            [("abc", "*"), ("abc", "a*c"), ("abc", "abc*"), ("abc", "*b*"), ("abab", "*ab"), ("", "*")]
        {
            assert!(matches_pattern(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("abc", "a*b"), ("abc", "ab"), ("ab", "ab*b"), ("abc", "")] {
            assert!(!matches_pattern(text, pattern), "{text} {pattern}");
        }
    }
}
