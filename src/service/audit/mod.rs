//! The audit trail: the records of the log for administrators.
//!
//! - `record`: one record as it is shown and forwarded
//! - `columns`: what filters ask for, of every record
//! - `filter`: the filters

mod columns;
mod filter;
pub mod record;

pub use filter::FILTERS;

use super::access::{Administer, Permit};
use super::failure::Failure;
use super::list::{Limit, Query, pool};
use super::recorder::Recorder;
use crate::domain::refusal::{InstallationRefusal, Refusal};
use columns::Columns;
use filter::Wanted;
use record::AuditRecord;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// The most records of a page: each is read from the disk.
pub const PAGE_MAX: usize = 1000;
/// The number of records in one read of the log.
const BATCH: usize = 1000;
/// The pause between two reads that fill the columns in the background.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause after all records were read.
const IDLE: Duration = Duration::from_secs(1);

/// One page of audit records.
pub struct AuditPage {
    pub skip: usize,
    pub limit: Limit,
    /// The number of all records that match.
    pub total: usize,
    pub records: Vec<AuditRecord>,
}

/// The use cases of audit records. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    recorder: Recorder,
    columns: Arc<RwLock<Columns>>,
    /// Held while the columns grow.
    growing: Arc<Mutex<()>>,
}

impl Audit {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder, columns: Arc::default(), growing: Arc::default() }
    }

    /// Fills the columns in the background, so that the first filter need not wait.
    pub(super) fn follow_forever(&self, runtime: &Handle) {
        let audit = self.clone();
        runtime.spawn(async move {
            loop {
                match audit.grow().await {
                    Ok(true) => tokio::time::sleep(PAUSE).await,
                    Ok(false) => tokio::time::sleep(IDLE).await,
                    Err(error) => {
                        tracing::error!(error = &error as &dyn std::error::Error, "the audit records cannot be read");
                        tokio::time::sleep(60 * IDLE).await;
                    }
                }
            }
        });
    }

    /// The number of the last record in the columns.
    fn known(&self) -> u64 {
        self.columns.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Adds the next records to the columns; returns whether there were any.
    async fn grow(&self) -> Result<bool, Failure> {
        let _growing = self.growing.lock().await;
        let known = self.known();
        if known >= self.recorder.state().head {
            return Ok(false);
        }
        let records = self.recorder.ledger().read_range(known + 1, BATCH).await?;
        let mut columns = self.columns.write().unwrap_or_else(PoisonError::into_inner);
        records.iter().for_each(|record| columns.push(record));
        Ok(!records.is_empty())
    }

    /// Lists records of the log, newest first unless sorted by `number`.
    ///
    /// # Errors
    /// When a filter has an invalid value, or the log cannot be read.
    pub async fn list(&self, permit: &Permit<Administer>, query: &Query) -> Result<AuditPage, Failure> {
        filter::check(&query.filters)?;
        let oldest_first = query.sort.first().is_some_and(|(_, descending)| !descending);
        let limit = Limit::Rows(query.limit.rows().min(PAGE_MAX));
        let (skip, rows) = (query.skip, limit.rows());
        let head = permit.caller().published.head;
        let (total, mut numbers) = if query.filters.is_empty() {
            let places = (skip as u64..head).take(rows);
            let numbers = places.map(|place| if oldest_first { place + 1 } else { head - place }).collect();
            (usize::try_from(head).unwrap_or(usize::MAX), numbers)
        } else {
            while self.known() < head && self.grow().await? {}
            let (columns, filters) = (self.columns.clone(), query.filters.clone());
            pool::run(move || {
                let columns = columns.read().unwrap_or_else(PoisonError::into_inner);
                find(&columns, &filters, head, oldest_first, skip, rows)
            })
            .await??
        };
        numbers.sort_unstable();
        let found = self.recorder.ledger().read_many(&numbers).await?;
        let state = &permit.caller().published.state;
        let mut records: Vec<_> = found.iter().map(|record| AuditRecord::of(record, state)).collect();
        if !oldest_first {
            records.reverse();
        }
        Ok(AuditPage { skip, limit, total, records })
    }

    /// Returns one record, by its number.
    ///
    /// # Errors
    /// When there is no such record, or the log cannot be read.
    pub async fn get(&self, permit: &Permit<Administer>, number: &str) -> Result<AuditRecord, Failure> {
        let unknown = || {
            let number = number.chars().take(20).collect();
            Failure::from(Refusal::from(InstallationRefusal::AuditRecordUnknown(number)))
        };
        let parsed = number.parse::<u64>().map_err(|_| unknown())?;
        let record = self.recorder.ledger().read_one(parsed).await?.ok_or_else(unknown)?;
        Ok(AuditRecord::of(&record, &permit.caller().published.state))
    }
}

/// The number of records up to `head` that match, and the numbers of those on the page.
fn find(
    columns: &Columns,
    filters: &[(String, String)],
    head: u64,
    oldest_first: bool,
    skip: usize,
    rows: usize,
) -> Result<(usize, Vec<u64>), Failure> {
    let wanted = Wanted::of(filters, columns)?;
    let last = wanted.before.map_or(head, |before| head.min(before.saturating_sub(1)));
    let (mut total, mut numbers) = (0, Vec::new());
    let mut look = |number: u64| {
        if columns.row(number).is_some_and(|row| wanted.matches(row)) {
            if total >= skip && numbers.len() < rows {
                numbers.push(number);
            }
            total += 1;
        }
    };
    let first = wanted.after.saturating_add(1);
    if oldest_first {
        (first..=last).for_each(&mut look)
    } else {
        (first..=last).rev().for_each(&mut look)
    }
    Ok((total, numbers))
}
