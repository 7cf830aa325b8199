//! Makes reports: one task for each, a few at a time. It continues after a restart from the last checkpoint in the
//! report's file. Every report ends: with all its rows, or with the reason why it could not, and the rows until then.

use super::output::{Checkpoint, Output, lock};
use super::{Reports, store_failure};
use crate::domain::id::ReportId;
use crate::domain::report::{Report, ReportCommand, ReportCounts, ReportKind};
use crate::report_store::StoreError;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use crate::service::own_calls::asker;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The time after its creation at which a report ends in any case, however often the program was restarted.
const OLDEST_SECONDS: i64 = 7 * 86_400;

/// The time after its limit in which a report writes what it has.
const GRACE: Duration = Duration::from_secs(60);

/// The reports that are being made.
#[derive(Default)]
pub(super) struct Running(Mutex<HashMap<ReportId, Live>>);

struct Live {
    counts: Arc<Mutex<ReportCounts>>,
    task: Option<AbortHandle>,
}

impl Running {
    /// The counts so far of a report that is being made.
    pub(super) fn counts(&self, id: ReportId) -> Option<ReportCounts> {
        lock(&self.0).get(&id).map(|live| *lock(&live.counts))
    }

    /// Ends the work on a report.
    pub(super) fn stop(&self, id: ReportId) {
        if let Some(live) = lock(&self.0).remove(&id)
            && let Some(task) = live.task
        {
            task.abort();
        }
    }
}

impl Reports {
    /// Continues the reports that were being made when the program ended.
    pub(in crate::service) fn resume(&self) {
        let published = self.recorder.state();
        for report in published.state.reports.iter().filter(|report| report.is_in_progress()) {
            tracing::info!(report = %report.id, "resuming a report");
            self.launch(report, Change::resumed(&published.state, None));
        }
    }

    /// Starts the task that makes a report.
    pub(super) fn launch(&self, report: &Arc<Report>, change: Change) {
        let (reports, report) = (self.clone(), report.clone());
        let (id, counts) = (report.id, Arc::<Mutex<ReportCounts>>::default());
        let live = Live { counts: counts.clone(), task: None };
        lock(&self.running.0).insert(id, live);
        let task = self.runtime.spawn(async move {
            reports.make(&report, &change, counts).await;
            lock(&reports.running.0).remove(&id);
        });
        if let Some(live) = lock(&self.running.0).get_mut(&id) {
            live.task = Some(task.abort_handle());
        }
    }

    /// Makes a report and records its end. If the log has stopped, the report stays open for the next start.
    async fn make(&self, report: &Arc<Report>, change: &Change, live: Arc<Mutex<ReportCounts>>) {
        // A report that reads no CloudTrail does not wait for those that do.
        let is_slow =
            report.kind == ReportKind::Reconciliation || report.sources.iter().any(|source| source.log.is_some());
        let permits = if is_slow { &self.permits } else { &self.quick_permits };
        let age = self.recorder.now().seconds().saturating_sub(report.created.seconds());
        let left = Duration::from_secs(OLDEST_SECONDS.saturating_sub(age).max(0).unsigned_abs());
        let last = Instant::now() + left;
        let outcome = match tokio::time::timeout_at(last, permits.acquire()).await {
            Ok(Err(_)) => return,
            Err(_) => Err(Ended::too_old()),
            Ok(Ok(_permit)) => {
                let deadline = last.min(Instant::now() + self.settings.time_limit);
                let work = asker(change).around(self.make_rows(report, live.clone(), deadline));
                // Whoever reads pages ends at the deadline and keeps what there is; this is for all else.
                let outcome = tokio::time::timeout_at(deadline + GRACE, work).await;
                match outcome {
                    Ok(Err(_)) | Err(_) if Instant::now() >= last => Err(Ended::too_old()),
                    Ok(Err(_)) | Err(_) if Instant::now() >= deadline => {
                        let minutes = self.settings.time_limit.as_secs() / 60;
                        Err(Ended::because(format!(
                            "the report was not finished within {minutes} minutes, the limit of the settings"
                        )))
                    }
                    Ok(outcome) => outcome,
                    Err(_) => Err(Ended::too_old()),
                }
            }
        };
        let counts = *lock(&live);
        let command = match outcome {
            Ok(()) => ReportCommand::Complete { id: report.id, counts },
            Err(Ended(Failure::Stopped(_), _)) => return,
            Err(Ended(failure, reason)) => {
                let reason = reason.unwrap_or_else(|| failure.to_string());
                tracing::warn!(report = %report.id, reason, "a report ended early");
                ReportCommand::Fail { id: report.id, reason, counts }
            }
        };
        if let Err(failure) = self.command(&change.done(), command).await {
            tracing::warn!(report = %report.id, %failure, "the end of a report could not be recorded");
        }
    }

    async fn make_rows(
        &self,
        report: &Arc<Report>,
        live: Arc<Mutex<ReportCounts>>,
        deadline: Instant,
    ) -> Result<(), Ended> {
        let mut output = self.open_output(report, live.clone(), deadline).await?;
        let begun = output.checkpoint();
        match self.write_rows(report, &output).await {
            // AWS's tokens are valid for a day: without one, the report begins again.
            Err(failure)
                if !begun.token.is_empty() && is_stale_token(&failure) && output.checkpoint().pages == begun.pages =>
            {
                tracing::info!(report = %report.id, "the token of a page is not valid any more: the report begins again");
                self.on_worker({
                    let output = output.clone();
                    move || output.replace(&[], |checkpoint| *checkpoint = Checkpoint::default())
                })
                .await?;
                output = self.open_output(report, live, deadline).await?;
                self.write_rows(report, &output).await?;
            }
            Err(failure) => {
                // The rows until then are kept. Those in the file count, not those that were about to be written.
                let keep = move || {
                    let file = lock(&output.file);
                    *lock(&output.live) = file.1.counts();
                    file.0.sync().map_err(store_failure)
                };
                let _ = self.on_worker(keep).await;
                return Err(failure.into());
            }
            Ok(()) => {}
        }
        Ok(self.on_worker(move || lock(&output.file).0.sync().map_err(store_failure)).await?)
    }

    async fn open_output(
        &self,
        report: &Report,
        live: Arc<Mutex<ReportCounts>>,
        deadline: Instant,
    ) -> Result<Output, Failure> {
        let (store, id) = (self.store.clone(), report.id.uuid());
        let open = move || -> Result<_, StoreError> {
            let (mut writer, found) = store.writer(id)?;
            let checkpoint = found.as_deref().and_then(Checkpoint::decode);
            if found.is_some() && checkpoint.is_none() {
                tracing::info!(report = %id, "another version of the program began the report: it begins again");
                writer.replace(&[] as &[&[u8]], &Checkpoint::default().encode())?;
            }
            Ok((writer, checkpoint.unwrap_or_default()))
        };
        let (writer, checkpoint) = self.on_worker(move || open().map_err(store_failure)).await?;
        *lock(&live) = checkpoint.counts();
        Ok(Output { file: Arc::new(Mutex::new((writer, checkpoint))), live, deadline })
    }

    pub(super) async fn on_worker<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.trails.worker().run(job).await?
    }
}

/// The reason why a report ended early.
struct Ended(Failure, Option<String>);

impl Ended {
    fn too_old() -> Self {
        Self::because("the report was not finished within a week after its creation".to_owned())
    }

    fn because(reason: String) -> Self {
        Self(Failure::Internal("the report ended early"), Some(reason))
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self(failure, None)
    }
}

fn is_stale_token(failure: &Failure) -> bool {
    matches!(failure, Failure::Cloud(aws) if aws.is("InvalidParameterException"))
}
