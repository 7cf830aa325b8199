//! The filters and the sort order of a list.

use super::{Listed, Query, Words};
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::service::caller::Caller;
use crate::service::failure::{Failure, invalid};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::str::Chars;

/// The value of a member of a row, for comparisons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Absent,
    Flag(bool),
    Number(u64),
    Moment(Time),
    Text(String),
    /// Several texts; a filter matches any of them.
    Texts(Vec<String>),
}

/// The filters of a query by member. A row must match any of the values of each member.
pub(super) struct Filters<'a>(Vec<Filter<'a>>);

struct Filter<'a> {
    member: &'a str,
    values: Vec<&'a str>,
    /// The texts that the values stand for. A row matches if it has all texts of one of them.
    alternatives: Vec<Vec<Cow<'a, str>>>,
    /// The bounds of a filter by time.
    bounds: Vec<(&'static str, Bound)>,
}

/// A bound of a time. A row without a time is outside every bound.
#[derive(Clone, Copy)]
enum Bound {
    /// This time, or later.
    After(Time),
    Before(Time),
}

impl Bound {
    /// The member and the bound that a filter stands for; `None` for all other filters.
    fn of<T: Listed>(filter: &str, value: &str) -> Option<(&'static str, Result<Self, Refusal>)> {
        let filter = T::FILTERS.iter().find(|known| **known == filter)?;
        let (member, bound): (_, fn(Time) -> Self) =
            match (filter.strip_suffix("_after"), filter.strip_suffix("_before")) {
                (Some(member), _) => (member, Self::After),
                (_, Some(member)) => (member, Self::Before),
                (None, None) => return None,
            };
        T::TIMES.contains(&member).then(|| (member, moment(filter, value).map(bound)))
    }

    fn admits(self, field: &Field) -> bool {
        match (self, field) {
            (Self::After(bound), Field::Moment(at)) => *at >= bound,
            (Self::Before(bound), Field::Moment(at)) => *at < bound,
            (Self::After(_) | Self::Before(_), _) => false,
        }
    }
}

/// Reads the time in a filter.
fn moment(filter: &'static str, value: &str) -> Result<Time, Refusal> {
    let time = chrono::DateTime::parse_from_rfc3339(value)
        .map_err(|_| invalid(filter, "must be a time in the format of RFC 3339, such as 2020-11-05T05:29:17Z"))?;
    Ok(Time::of(time.to_utc()))
}

/// The values of a row that it is sorted by, and whether each is descending.
#[derive(PartialEq, Eq)]
pub(super) struct SortKey(Vec<(Field, bool)>);

/// Checks the values of a query's filters.
///
/// # Errors
/// When the query filters by a value outside [`Listed::WORDS`], or one that [`Listed::expand`] cannot read.
pub(super) fn check<T: Listed>(query: &Query, caller: &Caller) -> Result<(), Failure> {
    check_words(query, T::WORDS)?;
    for (member, value) in &query.filters {
        match Bound::of::<T>(member, value) {
            Some((_, bound)) => {
                bound?;
            }
            None => {
                T::expand(member, value, caller)?;
            }
        }
    }
    Ok(())
}

/// Checks the filters by members with a fixed set of values. Case does not count.
///
/// # Errors
/// When the query filters by another value.
pub fn check_words(query: &Query, words: Words) -> Result<(), Refusal> {
    for (member, value) in &query.filters {
        if let Some((member, words)) = words.iter().find(|(known, _)| known == member)
            && !words.iter().any(|word| word.eq_ignore_ascii_case(value))
        {
            return Err(invalid(member, format!("must be one of {}", words.join(", "))));
        }
    }
    Ok(())
}

impl<'a> Filters<'a> {
    /// The filters of a query that [`check`] has accepted.
    pub(super) fn of<T: Listed>(query: &'a Query, caller: &Caller) -> Self {
        let mut filters: Vec<Filter<'_>> = Vec::new();
        for (member, value) in &query.filters {
            let (bound, alternatives) = match Bound::of::<T>(member, value) {
                Some((bounded, bound)) => (bound.ok().map(|bound| (bounded, bound)), Vec::new()),
                None => (None, T::expand(member, value, caller).unwrap_or_default()),
            };
            match filters.iter_mut().find(|known| known.member == member) {
                Some(known) => {
                    known.values.push(value);
                    known.alternatives.extend(alternatives);
                    known.bounds.extend(bound);
                }
                None => {
                    let bounds = bound.into_iter().collect();
                    filters.push(Filter { member, values: vec![value], alternatives, bounds });
                }
            }
        }
        Self(filters)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn values(&self, member: &str) -> Option<&[&'a str]> {
        self.0.iter().find(|known| known.member == member).map(|known| known.values.as_slice())
    }

    pub(super) fn match_row<T: Listed>(&self, row: &T, caller: &Caller) -> bool {
        self.0.iter().all(|Filter { member, values, alternatives, bounds }| {
            if let [(bounded, _), ..] = bounds[..] {
                let field = row.field(bounded, caller);
                return bounds.iter().any(|(_, bound)| bound.admits(&field));
            }
            let own = |value: &&str| row.matches(member, value, caller);
            if values.iter().any(|value| own(value).is_some()) {
                return values.iter().any(|value| own(value) == Some(true));
            }
            let compare = comparison(member, T::WORDS);
            let field = row.field(member, caller);
            alternatives.iter().any(|texts| texts.iter().all(|text| is(&field, text, compare)))
        })
    }
}

/// Returns whether a filter's value is a pattern, in which `*` stands for any text and `?` for any character.
pub(super) fn is_pattern(member: &str, value: &str) -> bool {
    takes_patterns(member) && value.contains(['*', '?'])
}

/// Returns whether the value of a member matches the value of a filter.
pub(super) fn matches_value(member: &str, words: Words, field: &Field, value: &str) -> bool {
    is(field, value, comparison(member, words))
}

/// How the texts of a member are compared with the value of a filter.
fn comparison(member: &str, words: Words) -> fn(&str, &str) -> bool {
    match member {
        _ if takes_patterns(member) => matches_pattern,
        _ if words.iter().any(|(known, _)| *known == member) => str::eq_ignore_ascii_case,
        _ => |text, value| text == value,
    }
}

fn takes_patterns(member: &str) -> bool {
    matches!(member, "name" | "username" | "nickname" | "email" | "alias")
}

fn is(field: &Field, value: &str, compare: fn(&str, &str) -> bool) -> bool {
    match field {
        Field::Absent => value.is_empty(),
        Field::Flag(flag) => value == if *flag { "true" } else { "false" },
        Field::Number(number) => value == number.to_string(),
        Field::Moment(at) => value == at.to_string(),
        Field::Text(text) => compare(text, value),
        Field::Texts(texts) => texts.iter().any(|text| compare(text, value)),
    }
}

/// Matches a pattern in which `*` stands for any text, including the empty one, and `?` for any one character. The time
/// is at most the product of the two lengths.
fn matches_pattern(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    // The place to continue from when a character does not match: after the last star, one character further on.
    let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let (before, mut after) = (text.clone(), pattern.clone());
        match (after.next(), text.next()) {
            (Some('*'), _) => {
                text = before.clone();
                pattern = after.clone();
                retry = Some((before, after));
            }
            (Some(expected), Some(found)) if expected == '?' || expected == found => pattern = after,
            (None, None) => return true,
            _ => {
                let Some((from, star)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                (text, pattern) = (from.clone(), star.clone());
            }
        }
    }
}

impl SortKey {
    /// The key of a row with these values.
    pub(super) fn new(sort: &[(String, bool)], value: impl Fn(&str) -> Field) -> Self {
        Self(sort.iter().map(|(member, descending)| (value(member), *descending)).collect())
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
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
    use super::matches_pattern;

    #[test]
    fn a_star_stands_for_any_text_and_a_question_mark_for_any_character() {
        for (text, pattern) in [
            ("abc", "*"),
            ("abc", "a*c"),
            ("abc", "abc*"),
            ("abc", "*b*"),
            ("abab", "*ab"),
            ("", "*"),
            ("abc", "a?c"),
            ("äöü", "?ö?"),
            ("abcabd", "a*?d"),
            ("abc", "???*"),
        ] {
            assert!(matches_pattern(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("abc", "a*b"), ("abc", "ab"), ("ab", "ab*b"), ("abc", "")] {
            assert!(!matches_pattern(text, pattern), "{text} {pattern}");
        }
    }
}
