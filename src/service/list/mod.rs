//! Filters, sorts and pages the rows of a state.
//!
//! The cost of a page depends on how its rows are found. An unfiltered list in order of creation that every caller may
//! view reads the rows of the page only. A filter by an identity ([`Listed::IDENTITIES`]) reads the few rows that an
//! index returns. All other queries read all rows, on a separate thread if there are many (`pool`).

mod filter;
mod made;
pub mod pool;
mod search;

pub use filter::{Field, check_words};
pub use made::arrange;
pub use search::{Match, Needle};

use super::access;
use super::caller::Caller;
use super::failure::Failure;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::table::{self, Rows as _};
use filter::{Filters, SortKey, check, is_pattern};
use std::borrow::Cow;
use std::iter;
use std::sync::Arc;

/// The number of rows that the thread of the request reads, in about a millisecond.
const ROWS_AT_ONCE: usize = 1_000;

/// The maximum number of rows of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    Rows(usize),
    /// All rows (`-1`).
    #[default]
    All,
}

/// The parameters of a list. The default is all of it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The number of rows to skip.
    pub skip: usize,
    pub limit: Limit,
    /// The members to sort by, and whether the order is descending. They are members of [`Listed::SORTS`].
    pub sort: Vec<(String, bool)>,
    /// Members of [`Listed::FILTERS`] and their required values; several values for one member match any of them.
    pub filters: Vec<(String, String)>,
    /// The text that the members of [`Listed::SEARCHES`] are searched for.
    pub search: Option<Needle>,
    /// The members to show of each row; all of them if there are none.
    pub fields: Vec<String>,
}

pub struct Page<T: Listed> {
    pub fields: Vec<String>,
    pub skip: usize,
    pub limit: Limit,
    pub total: usize,
    pub rows: Rows<T>,
}

/// The rows of a page, taken in chunks. This holds a copy of the state's table, not a copy of each row.
pub struct Rows<T: Listed> {
    all: T::Rows,
    /// The ids of the matching rows; `None` for all rows in their order.
    picked: Option<Vec<Id<T>>>,
    next: usize,
    end: usize,
}

pub type Id<T> = <<T as Listed>::Rows as table::Rows>::Id;

/// The ids that an index returns.
pub type Candidates<'a, T> = Box<dyn Iterator<Item = Id<T>> + 'a>;

/// The members with a fixed set of values, and these values.
pub type Words = &'static [(&'static str, &'static [&'static str])];

/// A row that can be listed.
pub trait Listed: Sized + 'static {
    type Rows: table::Rows<Row = Self>;
    /// The members to sort by.
    const SORTS: &'static [&'static str];
    /// The members to filter by.
    const FILTERS: &'static [&'static str];
    /// The members that `search` looks into.
    const SEARCHES: &'static [&'static str] = &[];
    /// The members with a fixed set of values, and these values. A filter with another value is refused.
    const WORDS: Words = &[];
    /// The members that are times and can be filtered by a bound: `<member>_after` and `<member>_before`, both of which
    /// are among [`Self::FILTERS`].
    const TIMES: &'static [&'static str] = &[];
    /// The members with an index that returns the few rows of a value; the most selective first.
    const IDENTITIES: &'static [&'static str] = &[];
    /// Returns whether a caller may view a row; `None` if every caller of the list may view all rows. Administrators of
    /// KMSs view all rows.
    const SEES: Option<fn(&Caller, &Self) -> bool> = None;

    fn rows(state: &State) -> &Self::Rows;

    /// The ids of all rows with this value of an identity, and possibly of other rows. The value is not a pattern.
    fn identified<'a>(_state: &'a State, _member: &str, _value: &str) -> Candidates<'a, Self> {
        Box::new(std::iter::empty())
    }

    /// The texts that the value of a filter stands for: a row matches if the member has all texts of one of the lists.
    ///
    /// # Errors
    /// When the value cannot be read.
    fn expand<'a>(_member: &str, value: &'a str, _caller: &Caller) -> Result<Vec<Vec<Cow<'a, str>>>, Refusal> {
        Ok(vec![vec![Cow::Borrowed(value)]])
    }

    /// Returns whether the row matches a filter that does not compare the value of the member of this name; `None` for
    /// all other filters.
    fn matches(&self, _filter: &str, _value: &str, _caller: &Caller) -> Option<bool> {
        None
    }

    /// Tells the texts that `search` looks into: the values of [`Self::SEARCHES`].
    fn tell_texts(&self, caller: &Caller, tell: &mut dyn FnMut(&str)) {
        for member in Self::SEARCHES {
            match self.field(member, caller) {
                Field::Text(text) => tell(&text),
                Field::Texts(texts) => texts.iter().for_each(|text| tell(text)),
                Field::Absent | Field::Flag(_) | Field::Number(_) | Field::Moment(_) => {}
            }
        }
    }

    /// How well the row matches a search, if it does.
    fn matched(&self, needle: &Needle, caller: &Caller) -> Option<Match> {
        let mut best: Option<Match> = None;
        self.tell_texts(caller, &mut |text| best = best.max(needle.matches(text)));
        best
    }

    /// The value of a member, which is one of the members above.
    fn field(&self, member: &str, caller: &Caller) -> Field;
}

/// Returns the page of a query, of the rows that the caller may view.
///
/// # Errors
/// When the query filters by a value that the member cannot have.
pub async fn page<T: Listed>(caller: &Caller, query: &Query) -> Result<Page<T>, Failure> {
    page_of(T::rows(&caller.published.state), caller, query).await
}

/// Returns the page of a query, of some of the rows.
///
/// # Errors
/// As [`page`].
pub async fn page_of<T: Listed>(all: &T::Rows, caller: &Caller, query: &Query) -> Result<Page<T>, Failure> {
    check::<T>(query, caller)?;
    let filters = Filters::of::<T>(query, caller);
    let is_whole = filters.is_empty() && query.search.is_none();
    if is_whole && query.sort.is_empty() && sees::<T>(caller).is_none() {
        return Ok(Page::of(query, all.count(), all, None));
    }
    let candidates = candidates::<T>(&caller.published.state, &filters);
    let is_short = candidates.is_some() || all.count() <= ROWS_AT_ONCE;
    let few = candidates.map(|candidates| candidates.take(ROWS_AT_ONCE + 1).collect::<Vec<_>>());
    if is_short && few.as_ref().is_none_or(|few| few.len() <= ROWS_AT_ONCE) {
        return Ok(find(all, caller, query, few));
    }
    let (all, caller, query) = (all.clone(), caller.clone(), query.clone());
    let read = move || {
        let candidates = self::candidates::<T>(&caller.published.state, &Filters::of::<T>(&query, &caller));
        find(&all, &caller, &query, candidates.map(Iterator::collect))
    };
    pool::run(read).await
}

/// The ids of the rows that can match; `None` if no filter is by an identity.
fn candidates<'a, T: Listed>(state: &'a State, filters: &Filters<'_>) -> Option<Candidates<'a, T>> {
    T::IDENTITIES.iter().find_map(|member| {
        let values = filters.values(member)?;
        let exact = values.iter().all(|value| !is_pattern(member, value));
        let found: Vec<_> = values.iter().filter(|_| exact).map(|value| T::identified(state, member, value)).collect();
        exact.then(|| Box::new(found.into_iter().flatten()) as Candidates<'a, T>)
    })
}

/// Whether a caller may view a row; `None` if the caller may view all of them.
pub(in crate::service) fn sees<T: Listed>(caller: &Caller) -> Option<fn(&Caller, &T) -> bool> {
    T::SEES.filter(|_| !access::administers_kms(&caller.user))
}

/// Looks rows up before they are asked for, many at a time: while one is not in the processor's cache, it waits for the
/// next ones too.
fn looked_up_ahead<R>(mut rows: impl Iterator<Item = R>) -> impl Iterator<Item = R> {
    const AT_A_TIME: usize = 256;
    iter::from_fn(move || Some(rows.by_ref().take(AT_A_TIME).collect::<Vec<_>>()).filter(|some| !some.is_empty()))
        .flatten()
}

fn find<T: Listed>(all: &T::Rows, caller: &Caller, query: &Query, candidates: Option<Vec<Id<T>>>) -> Page<T> {
    let (filters, sees) = (Filters::of::<T>(query, caller), sees::<T>(caller));
    let matches = |row: &Arc<T>| {
        query.search.as_ref().is_none_or(|needle| row.matched(needle, caller).is_some())
            && sees.is_none_or(|sees| sees(caller, row))
            && filters.match_row(row.as_ref(), caller)
    };
    let rows: Box<dyn Iterator<Item = (Id<T>, &Arc<T>)>> = match candidates {
        Some(candidates) => Box::new(all.pick(candidates).into_iter()),
        None => Box::new(looked_up_ahead(all.rows_from(0)).map(|(id, row)| (id.clone(), row))),
    };
    // Rows that are equal in all members of the sort are in order of creation.
    let key = |row: &Arc<T>, number: u64| (SortKey::new(&query.sort, |member| row.field(member, caller)), number);
    let matching = rows.filter(|(_, row)| matches(row)).zip(0..);
    let mut found: Vec<_> = matching.map(|((id, row), number)| (key(row, number), id)).collect();
    let total = found.len();
    let end = query.skip.saturating_add(query.limit.rows()).min(total);
    if 0 < end && end < total {
        // What is beyond the page needs no order.
        found.select_nth_unstable_by(end - 1, |(one, _), (other, _)| one.cmp(other));
    }
    found.truncate(end);
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let picked = found.into_iter().skip(query.skip).map(|(_, id)| id).collect();
    Page::of(query, total, all, Some(picked))
}

impl<T: Listed> Page<T> {
    #[cfg(test)]
    pub(crate) fn of_rows(limit: Limit, rows: &T::Rows) -> Self {
        let query = Query { limit, ..Query::default() };
        Self::of(&query, rows.count(), rows, None)
    }

    /// The page of a query that has no sort, of the rows with these ids, which have been filtered already.
    pub(in crate::service) fn of_picked(query: &Query, all: &T::Rows, ids: Vec<Id<T>>) -> Self {
        let total = ids.len();
        let picked = ids.into_iter().skip(query.skip).take(query.limit.rows()).collect();
        Self::of(query, total, all, Some(picked))
    }

    fn of(query: &Query, total: usize, all: &T::Rows, picked: Option<Vec<Id<T>>>) -> Self {
        let (next, end) = match &picked {
            Some(picked) => (0, picked.len()),
            None => (query.skip.min(total), query.skip.saturating_add(query.limit.rows()).min(total)),
        };
        let rows = Rows { all: all.clone(), picked, next, end };
        Page { fields: query.fields.clone(), skip: query.skip, limit: query.limit, total, rows }
    }
}

impl<T: Listed> Rows<T> {
    /// The number of rows that are left.
    pub fn len(&self) -> usize {
        self.end - self.next
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the next `count` rows, or all that are left.
    pub fn take(&mut self, count: usize) -> Vec<Arc<T>> {
        let (from, to) = (self.next, self.end.min(self.next.saturating_add(count)));
        self.next = to;
        match &self.picked {
            Some(picked) => picked[from..to].iter().filter_map(|id| self.all.row(id)).cloned().collect(),
            None => self.all.rows_from(from).take(to - from).map(|(_, row)| row.clone()).collect(),
        }
    }
}

impl Limit {
    pub fn rows(self) -> usize {
        match self {
            Limit::Rows(rows) => rows,
            Limit::All => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests;
