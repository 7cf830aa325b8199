//! The audit trail: the records of the log, and the failed attempts beside them, for administrators.
//!
//! - `change`: what an event changed, before and after
//! - `attempts`: which attempts are recorded; `merge`: the pages of records and attempts together
//! - `record`: one record as it is shown and forwarded
//! - `columns`: what filters ask for, of every record
//! - `filter`: the filters; `export`: all that match, in pieces

mod attempts;
mod change;
mod columns;
mod export;
mod filter;
mod merge;
pub mod record;

pub use attempts::{Attempts, Refused};
pub use change::Difference;
pub use export::AuditExport;
pub use filter::FILTERS;

use super::access::{Administer, Permit};
use super::failure::Failure;
use super::list::{Limit, Query, pool};
use super::recorder::Recorder;
use crate::attempt_log::AttemptLog;
use crate::domain::refusal::{InstallationRefusal, Refusal};
use columns::Columns;
use export::EXPORTS_MAX;
use merge::Place;
use record::{ATTEMPT, AuditRecord};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};

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
    /// The requests that were refused.
    pub attempts: Attempts,
    columns: Arc<RwLock<Columns>>,
    /// Held while the columns grow.
    growing: Arc<Mutex<()>>,
    /// How many more exports may be open.
    exports: Arc<Semaphore>,
}

impl Audit {
    pub(super) fn new(recorder: Recorder, attempts: AttemptLog) -> Self {
        let attempts = Attempts::new(recorder.clone(), attempts);
        let exports = Arc::new(Semaphore::new(EXPORTS_MAX));
        Self { recorder, attempts, columns: Arc::default(), growing: Arc::default(), exports }
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
        records.iter().for_each(|record| columns.push_record(record));
        Ok(!records.is_empty())
    }

    /// Lists records of the log and failed attempts, newest first unless sorted by `number`. Those of one second are in
    /// the order of their numbers, records before attempts.
    ///
    /// # Errors
    /// When a filter has an invalid value, or the log cannot be read.
    pub async fn list(&self, permit: &Permit<Administer>, query: &Query) -> Result<AuditPage, Failure> {
        filter::check(&query.filters)?;
        let oldest_first = query.sort.first().is_some_and(|(_, descending)| !descending);
        let limit = Limit::Rows(query.limit.rows().min(PAGE_MAX));
        let (skip, rows) = (query.skip, limit.rows());
        let head = permit.caller().published.head;
        let attempts = self.attempts.clone();
        let attempted = pool::run(move || attempts.current()).await??;
        let none = attempted.read().unwrap_or_else(PoisonError::into_inner).numbers.is_empty();
        let (total, places) = if query.filters.is_empty() && none {
            let places = (skip as u64..head).take(rows);
            let places = places.map(|place| Place::Record(if oldest_first { place + 1 } else { head - place }));
            (usize::try_from(head).unwrap_or(usize::MAX), places.collect())
        } else {
            while self.known() < head && self.grow().await? {}
            let (columns, filters) = (self.columns.clone(), query.filters.clone());
            pool::run(move || {
                let columns = columns.read().unwrap_or_else(PoisonError::into_inner);
                let attempted = attempted.read().unwrap_or_else(PoisonError::into_inner);
                merge::find(&columns, &attempted, &filters, head, oldest_first, skip, rows)
            })
            .await??
        };
        let records = self.read(permit, &places).await?;
        Ok(AuditPage { skip, limit, total, records })
    }

    /// Reads what is on a page.
    async fn read(&self, permit: &Permit<Administer>, places: &[Place]) -> Result<Vec<AuditRecord>, Failure> {
        let (mut numbers, mut attempts) = (Vec::new(), Vec::new());
        for place in places {
            match place {
                Place::Record(number) => numbers.push(*number),
                Place::Attempt(number) => attempts.push(*number),
            }
        }
        numbers.sort_unstable();
        attempts.sort_unstable();
        let state = &permit.caller().published.state;
        let found = self.recorder.ledger().read_many(&numbers).await?;
        let mut all: HashMap<_, _> =
            found.iter().map(|record| (Place::Record(record.seq), AuditRecord::of(record, state))).collect();
        if !attempts.is_empty() {
            let own = self.attempts.clone();
            let found = pool::run(move || own.read_many(&attempts)).await??;
            all.extend(found.iter().map(|one| (Place::Attempt(one.number), AuditRecord::of_attempt(one))));
        }
        Ok(places.iter().filter_map(|place| all.remove(place)).collect())
    }

    /// Returns one record by its number, with what it changed, or one failed attempt by its id.
    ///
    /// # Errors
    /// When there is no such record, or the log cannot be read.
    pub async fn get(
        &self,
        permit: &Permit<Administer>,
        id: &str,
    ) -> Result<(AuditRecord, Option<Difference>), Failure> {
        let unknown = || {
            let id = id.chars().take(30).collect();
            Failure::from(Refusal::from(InstallationRefusal::AuditRecordUnknown(id)))
        };
        if let Some(number) = id.strip_prefix(ATTEMPT) {
            let place = Place::Attempt(number.parse().map_err(|_| unknown())?);
            let found = self.read(permit, &[place]).await?.pop();
            return found.map(|attempt| (attempt, None)).ok_or_else(unknown);
        }
        let number = id.parse().map_err(|_| unknown())?;
        let ledger = self.recorder.ledger();
        let record = ledger.read_one(number).await?.ok_or_else(unknown)?;
        let difference = change::of(ledger, &record).await?;
        Ok((AuditRecord::of(&record, &permit.caller().published.state), difference))
    }
}
