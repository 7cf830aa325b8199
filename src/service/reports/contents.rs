//! The rows of a finished report that a caller may view, filtered, sorted and paged. Rows are read from the file one by
//! one; a sorted answer keeps only the values to sort by of the rows that it may need.

use super::row::{Row, columns};
use super::sorting::Sorted;
use super::{Reports, pool, store_failure};
use crate::domain::action::Action;
use crate::domain::id::{KeyId, KmsId};
use crate::domain::refusal::ReportRefusal;
use crate::domain::report::{Report, ReportKind, ReportStatus};
use crate::report_store::{RowReader, StoreError};
use crate::service::access::{self, ReportPermit};
use crate::service::caller::Caller;
use crate::service::failure::Failure;
use crate::service::list::{Limit, Query};
use std::collections::HashMap;
use std::sync::Arc;

/// The members to filter by.
pub const FILTERS: &[&str] = &["key_arn", "region", "aws_account_id", "cloud_name"];

/// A page of the rows of a report.
pub struct Contents {
    pub skip: usize,
    pub limit: Limit,
    pub total: usize,
    pub rows: ContentRows,
    pub columns: &'static [&'static str],
}

/// The rows of a page, taken in chunks.
pub struct ContentRows {
    reader: RowReader,
    source: Source,
    /// The rows that are left.
    left: usize,
}

enum Source {
    /// The rows at these places of the file, from the number on.
    Picked(Vec<u64>, usize),
    /// The rows that the sieve lets through, in their order.
    Passing(Box<Sieve>),
}

impl Reports {
    /// Returns a page of the contents of a report, of the rows that the caller may view.
    ///
    /// # Errors
    /// When the report is in progress, its rows are lost, or the query sorts too many rows.
    pub async fn contents<A>(&self, permit: &ReportPermit<A>, query: &Query) -> Result<Contents, Failure> {
        let (report, caller, query) = (permit.report().clone(), permit.caller().clone(), query.clone());
        refuse_unfinished(&report)?;
        let store = self.store.clone();
        pool::run(move || {
            let sieve = Sieve::new(&report, caller, &query);
            let open = || store.reader(report.id.uuid()).map_err(|error| lost(&report, error));
            read(&report, sieve, &query, open).map_err(|failure| match failure {
                ReadError::Store(error) => lost(&report, error),
                ReadError::Failure(failure) => failure,
            })
        })
        .await?
    }

    /// Returns all rows that the caller may view, in their order.
    ///
    /// # Errors
    /// As [`Reports::contents`].
    pub async fn all_rows<A>(&self, permit: &ReportPermit<A>) -> Result<ContentRows, Failure> {
        let (report, caller) = (permit.report().clone(), permit.caller().clone());
        refuse_unfinished(&report)?;
        let query = Query::default();
        let store = self.store.clone();
        pool::run(move || {
            let sieve = Box::new(Sieve::new(&report, caller, &query));
            let reader = store.reader(report.id.uuid()).map_err(|error| lost(&report, error))?;
            Ok(ContentRows { reader, source: Source::Passing(sieve), left: usize::MAX })
        })
        .await?
    }
}

enum ReadError {
    Store(StoreError),
    Failure(Failure),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

fn read(
    report: &Report,
    mut sieve: Sieve,
    query: &Query,
    open: impl Fn() -> Result<RowReader, Failure>,
) -> Result<Contents, ReadError> {
    let (skip, limit, columns) = (query.skip, query.limit, columns(report.kind));
    let page = |total: usize, rows: ContentRows| Ok(Contents { skip, limit, total, rows, columns });
    let mut reader = open()?;
    let end = skip.saturating_add(limit.rows());
    if !query.sort.is_empty() {
        let (total, places) = sorted(&mut reader, &mut sieve, query, end)?;
        let left = places.len();
        return page(total, ContentRows { reader, source: Source::Picked(places, 0), left });
    }
    // Whoever sees every row needs no count: the report has it.
    let known = usize::try_from(report.counts.rows).ok().filter(|_| sieve.passes_all());
    let (mut total, mut places) = (0, Vec::new());
    while let Some((place, bytes)) = reader.next()? {
        if !sieve.passes_all() && !Row::decode(bytes).is_some_and(|row| sieve.passes(&row)) {
            continue;
        }
        if (skip..end).contains(&total) && limit != Limit::All {
            places.push(place);
        }
        total += 1;
        if known.is_some() && (total >= end || limit == Limit::All) {
            break;
        }
    }
    let total = known.unwrap_or(total);
    match limit {
        Limit::Rows(_) => {
            let left = places.len();
            page(total, ContentRows { reader, source: Source::Picked(places, 0), left })
        }
        Limit::All => {
            let mut rows = ContentRows { reader: open()?, source: Source::Passing(Box::new(sieve)), left: usize::MAX };
            rows.leave_out(skip)?;
            rows.left = total.saturating_sub(skip);
            page(total, rows)
        }
    }
}

/// The number of rows that pass, and the places of those of the page, in the order of the sort.
fn sorted(
    reader: &mut RowReader,
    sieve: &mut Sieve,
    query: &Query,
    end: usize,
) -> Result<(usize, Vec<u64>), ReadError> {
    let mut sorted = Sorted::new(sieve.kind, &query.sort, end);
    while let Some((place, bytes)) = reader.next()? {
        if let Some(row) = Row::decode(bytes).filter(|row| sieve.passes(row)) {
            sorted.add(&row, place).map_err(Failure::from)?;
        }
    }
    Ok(sorted.finish(query.skip).map_err(Failure::from)?)
}

fn refuse_unfinished(report: &Report) -> Result<(), Failure> {
    match report.status {
        ReportStatus::InProgress => Err(ReportRefusal::InProgress(report.name.clone()).into()),
        ReportStatus::Completed | ReportStatus::Failed(_) => Ok(()),
    }
}

/// A report that failed before its first row has no file.
fn lost(report: &Report, error: StoreError) -> Failure {
    match error {
        StoreError::Damaged => ReportRefusal::RowsLost(report.name.clone()).into(),
        StoreError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            ReportRefusal::RowsLost(report.name.clone()).into()
        }
        error => store_failure(error),
    }
}

impl ContentRows {
    /// Takes the next `count` rows, or all that are left.
    ///
    /// # Errors
    /// When the file is damaged or the disk fails.
    pub fn take(&mut self, count: usize) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        while rows.len() < count.min(self.left) {
            match self.one().map_err(store_failure)? {
                Some(row) => rows.push(row),
                None => {
                    self.left = 0;
                    return Ok(rows);
                }
            }
        }
        self.left -= rows.len();
        Ok(rows)
    }

    /// Whether no row is left. If the number of rows is not known, this is so only after the last one was taken.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    fn leave_out(&mut self, count: usize) -> Result<(), StoreError> {
        for _ in 0..count {
            if self.one()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn one(&mut self) -> Result<Option<Row>, StoreError> {
        match &mut self.source {
            Source::Picked(places, next) => {
                let Some(place) = places.get(*next) else { return Ok(None) };
                *next += 1;
                Row::decode(self.reader.row_at(*place)?).map(Some).ok_or(StoreError::Damaged)
            }
            Source::Passing(sieve) => {
                while let Some((_, bytes)) = self.reader.next()? {
                    let row = Row::decode(bytes).ok_or(StoreError::Damaged)?;
                    if sieve.passes(&row) {
                        return Ok(Some(row));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Decides which rows a caller gets: those of keys that the caller may view, and that match the filters.
struct Sieve {
    kind: ReportKind,
    caller: Caller,
    is_admin: bool,
    /// The filters by column: a row must match one of the values of each.
    filters: Vec<(usize, Vec<String>)>,
    keys: HashMap<KeyId, bool>,
    kms: HashMap<(KmsId, Action), bool>,
    /// The columns with the store of a key and its id there, if the kind has them.
    in_store: [Option<usize>; 2],
}

impl Sieve {
    fn new(report: &Arc<Report>, caller: Caller, query: &Query) -> Self {
        let mut filters: Vec<(usize, Vec<String>)> = Vec::new();
        for (member, value) in &query.filters {
            let Some(at) = columns(report.kind).iter().position(|column| column == member) else { continue };
            match filters.iter_mut().find(|(known, _)| *known == at) {
                Some((_, values)) => values.push(value.clone()),
                None => filters.push((at, vec![value.clone()])),
            }
        }
        let is_admin = access::administers_kms(&caller.user);
        let column = |name| columns(report.kind).iter().position(|column| *column == name);
        let in_store = ["custom_key_store_id", "xks_key_id"].map(column);
        Self { kind: report.kind, caller, is_admin, filters, keys: HashMap::new(), kms: HashMap::new(), in_store }
    }

    fn passes_all(&self) -> bool {
        self.is_admin && self.filters.is_empty()
    }

    fn passes(&mut self, row: &Row) -> bool {
        self.sees(row)
            && self.filters.iter().all(|(at, values)| {
                let cell = row.cells.get(*at).map(ToString::to_string).unwrap_or_default();
                values.contains(&cell)
            })
    }

    /// A key that is not known here could be of any kind: only whoever may view the native keys of the KMS sees it. If
    /// it is in a store, it is no native key.
    fn sees(&mut self, row: &Row) -> bool {
        if self.is_admin {
            return true;
        }
        let (user, state) = (&self.caller.user, &self.caller.published.state);
        match row.key() {
            Some(key) => *self.keys.entry(key).or_insert_with(|| access::sees_key_of(user, state, key)),
            None => {
                let is_in = |column: Option<usize>| {
                    column.and_then(|at| row.cells.get(at)).is_some_and(|cell| !cell.to_string().is_empty())
                };
                let [store, xks_key] = self.in_store;
                let needed: &[Action] = match (is_in(store), is_in(xks_key)) {
                    (_, true) => &[Action::ViewHyokKey],
                    // Either kind of store.
                    (true, false) => &[Action::ViewHyokKey, Action::ViewCloudHsmKey],
                    (false, false) => &[Action::ViewNative],
                };
                needed.iter().all(|action| {
                    *self.kms.entry((row.kms(), *action)).or_insert_with(|| {
                        state.kms.get(&row.kms()).is_some_and(|kms| access::granted(user, kms).permits(*action))
                    })
                })
            }
        }
    }
}
