//! Reports: create, list, show, read and delete them.
//!
//! - `runner.rs` the task that makes a report, and its end; `output.rs` its file
//! - `kinds.rs` what is read for each kind of report; `key_activity.rs`, `service_usage.rs`, `key_aging.rs`,
//!   `reconciliation.rs` (with `differences.rs`) their rows
//! - `place.rs` the keys of a KMS; `own_calls.rs`, `proxy_calls.rs`, `log_reading.rs` what is known here
//! - `quota.rs` the share of a user in the number of reports
//! - `row.rs` the rows and columns; `contents.rs` the rows that a caller may view, filtered; `sorting.rs` sorted; `pool.rs`
//!   the threads that read them

pub mod contents;
mod differences;
mod key_activity;
mod key_aging;
mod kinds;
mod list;
mod log_reading;
mod output;
mod own_calls;
mod place;
pub mod pool;
mod proxy_calls;
mod quota;
mod reconciliation;
mod row;
mod runner;
mod service_usage;
mod sorting;

pub use row::{Cell, Row, columns};

use super::access::{CreateReport, KmsPermit, Permit, ReportPermit, SignedIn, on_all};
use super::caller::{Caller, Change, RequestContext};
use super::cloud::Cloud;
use super::failure::{Failure, invalid};
use super::list::{Page, Query, page};
use super::recorder::Recorder;
use super::trail::Trails;
use crate::domain::action::Action;
use crate::domain::command::Command;
use crate::domain::id::{KmsId, ReportId};
use crate::domain::name::ReportName;
use crate::domain::report::{LogPlace, Report, ReportCommand, ReportCounts, ReportKind, ReportSource};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::ledger::Committed;
use crate::report_store::{ReportStore, StoreError};
use quota::Creators;
use runner::Running;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The bounds of reports.
#[derive(Debug, Clone, Copy)]
pub struct ReportSettings {
    /// The largest number of reports.
    pub most: usize,
    /// The time after which a report that is not finished ends with an error.
    pub time_limit: Duration,
    /// The number of reports that are made at a time; others wait.
    pub at_once: usize,
}

/// The use cases of reports. Cheap to clone.
#[derive(Clone)]
pub struct Reports {
    recorder: Recorder,
    cloud: Arc<Cloud>,
    trails: Trails,
    store: ReportStore,
    settings: ReportSettings,
    /// For reports that read CloudTrail, or all keys at AWS.
    permits: Arc<Semaphore>,
    /// For the others, which take moments.
    quick_permits: Arc<Semaphore>,
    running: Arc<Running>,
    creators: Arc<Creators>,
    /// Makes reports independently of the requests for them.
    runtime: Handle,
}

/// A report to create.
pub struct ReportRequest {
    pub name: ReportName,
    pub kind: ReportKind,
    /// A day before the end if `None`.
    pub start: Option<Time>,
    /// Now if `None`.
    pub end: Option<Time>,
    pub sources: Vec<SourceRequest>,
}

/// A KMS, by name or id, and the log group with the events of its account.
pub struct SourceRequest {
    pub kms: String,
    pub log: Option<LogPlace>,
}

/// A report with the related values that the API shows.
pub struct ReportSeen {
    pub report: Arc<Report>,
    /// The name of the KMS of each source; the id of a deleted one.
    pub kms: Vec<String>,
    /// The counts so far.
    pub counts: ReportCounts,
}

const DAY_SECONDS: i64 = 86_400;

impl Reports {
    pub(super) fn new(
        recorder: Recorder,
        cloud: Arc<Cloud>,
        trails: Trails,
        store: ReportStore,
        settings: ReportSettings,
        runtime: Handle,
    ) -> Self {
        let [permits, quick_permits] = [(); 2].map(|()| Arc::new(Semaphore::new(settings.at_once)));
        let (running, creators) = Default::default();
        Self { recorder, cloud, trails, store, settings, permits, quick_permits, running, creators, runtime }
    }

    /// Creates a report, and begins to make it.
    ///
    /// # Errors
    /// When the caller lacks the right on one of the KMSs, or the times or log groups do not fit the kind.
    pub async fn create(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        request: ReportRequest,
    ) -> Result<ReportSeen, Failure> {
        let caller = permit.caller();
        let ReportRequest { name, kind, start, end, sources } = request;
        let mut wanted: Vec<ReportSource> = Vec::new();
        for SourceRequest { kms, log } in sources {
            let permit = KmsPermit::<CreateReport>::authorize_named(caller.clone(), &kms)?;
            let source = ReportSource { kms: permit.kms().id, log: checked_log(kind, permit.kms().cloud, log)? };
            // A source that is named twice would give each of its rows twice, and so would our log beside CloudTrail.
            let is_mixed =
                |known: &ReportSource| known.kms == source.kms && known.log.is_some() != source.log.is_some();
            if wanted.iter().any(is_mixed) {
                let problem = format!("names the KMS `{kms}` both with and without a log group");
                return Err(invalid("cloud_watch_params", problem).into());
            }
            if !wanted.contains(&source) {
                // Those of a KMS are read one after the other.
                let at = wanted.iter().rposition(|known| known.kms == source.kms).map_or(wanted.len(), |at| at + 1);
                wanted.insert(at, source);
            }
        }
        let now = self.recorder.now();
        let end = end.unwrap_or(now).min(now);
        let start = start.unwrap_or_else(|| end.plus_seconds(-DAY_SECONDS));
        if start > now {
            return Err(invalid("start_time", "must not be in the future").into());
        }
        let kms: Vec<KmsId> = wanted.iter().map(|source| source.kms).collect();
        let caller = on_all(caller.clone(), Action::ReportCreate, kms)?;
        self.check_share(&caller).await?;
        let id = ReportId::new(Uuid::new_v4());
        let most = self.settings.most;
        let change = caller.change(context);
        let create = ReportCommand::Create { id, name, kind, start, end, sources: wanted, most };
        let committed = self.command(&change, create).await?;
        let report = committed.published.state.report(id)?;
        if !change.dry_run {
            self.launch(report, change.done());
        }
        Ok(self.seen(report, &committed.published.state))
    }

    /// Lists the reports that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<Report>, Caller), Failure> {
        let caller = permit.caller();
        Ok((page(caller, query).await?, caller.clone()))
    }

    pub fn get<A>(&self, permit: &ReportPermit<A>) -> ReportSeen {
        self.seen(permit.report(), &permit.caller().published.state)
    }

    /// Deletes a report and its rows. If it is being made, that ends.
    ///
    /// # Errors
    /// When it was deleted meanwhile.
    pub async fn delete<A>(&self, permit: &ReportPermit<A>, context: &RequestContext) -> Result<(), Failure> {
        let (id, change) = (permit.report().id, permit.caller().change(context));
        self.command(&change, ReportCommand::Delete { id }).await?;
        if !change.dry_run {
            self.running.stop(id);
            let store = self.store.clone();
            // What the worker still does for the report writes nothing any more, so that nobody waits for it.
            let removed = tokio::task::spawn_blocking(move || store.remove(id.uuid())).await;
            if !matches!(removed, Ok(Ok(()))) {
                tracing::warn!(report = %id, ?removed, "the rows of a deleted report are removed at the next start");
            }
        }
        Ok(())
    }

    /// Returns a report with the related values that the API shows.
    pub fn seen(&self, report: &Arc<Report>, state: &State) -> ReportSeen {
        let name = |id: KmsId| state.kms.get(&id).map_or_else(|| id.to_string(), |kms| kms.name.to_string());
        ReportSeen {
            kms: report.sources.iter().map(|source| name(source.kms)).collect(),
            counts: self.running.counts(report.id).filter(|_| report.is_in_progress()).unwrap_or(report.counts),
            report: report.clone(),
        }
    }

    async fn command(&self, change: &Change, command: ReportCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Report(command)).await
    }
}

fn checked_log(
    kind: ReportKind,
    partition: crate::domain::place::Partition,
    log: Option<LogPlace>,
) -> Result<Option<LogPlace>, Failure> {
    match log {
        None if kind.needs_log_group() => {
            let problem = format!("and log_group_name must be given for a {}", kind.name());
            Err(invalid("log_group_region", problem).into())
        }
        Some(log) if log.region.partition() != partition => {
            let problem = format!("is not a region of partition `{partition}`, to which the KMS belongs");
            Err(invalid("log_group_region", problem).into())
        }
        // The ages of keys come from the state alone.
        Some(_) if kind == ReportKind::KeyAging => Ok(None),
        log => Ok(log),
    }
}

/// The failure of a report whose rows cannot be written or read.
fn store_failure(error: StoreError) -> Failure {
    match error {
        StoreError::ReportFull(most) => invalid(
            "end_time",
            format!(
                "the report has more than {most} bytes of rows, the most that the settings allow; choose a shorter time"
            ),
        )
        .into(),
        StoreError::AllFull(_) => {
            Failure::Internal("all reports together have more rows than the settings allow; delete some")
        }
        StoreError::DiskLow(_) => Failure::Internal(
            "the disk of the data directory has less free space than the settings reserve; free some, or delete reports",
        ),
        StoreError::Io(error) => {
            tracing::error!(%error, "the rows of a report cannot be written or read");
            Failure::Internal("the rows of the report could not be written or read: the disk is full or has failed")
        }
        StoreError::Deleted => Failure::Internal("the report was deleted"),
        StoreError::Damaged => Failure::Internal("the rows of the report are damaged"),
    }
}

#[cfg(test)]
mod tests;
