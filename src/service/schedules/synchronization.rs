//! The work of a synchronisation run: it starts a job for the KMSs of its plan, and waits for the end of the job.

use super::Schedules;
use crate::domain::id::{JobId, KmsId};
use crate::domain::job::sync::{JobStatus, RegionOutcome, SyncJob, SyncScope};
use crate::domain::schedule::SynchronizationPlan;
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use std::time::Duration;

/// The interval at which the job is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

impl Schedules {
    /// Synchronises the KMSs of a plan, and returns the failures of regions, if there are any.
    ///
    /// # Errors
    /// The refusal of the job, or the failure of the log.
    pub(super) async fn synchronize_kms(
        &self,
        change: &Change,
        plan: &SynchronizationPlan,
        since: Time,
    ) -> Result<Option<String>, Failure> {
        let (all, kms) = match plan {
            SynchronizationPlan::All => (true, self.active_kms()),
            SynchronizationPlan::Kms(kms) => (false, kms.clone()),
        };
        let id = match self.interrupted_job(all, &kms, since) {
            Some(job) => job,
            None => self.sync_jobs.start_as(change, SyncScope::Keys, None, all, kms, None).await?.job.id,
        };
        loop {
            let job = self.recorder.state().state.sync_job(id)?.clone();
            if job.completed.is_some() {
                return Ok((job.status() == JobStatus::Failed).then(|| failures(&job)));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// The open job that this run had started before the program ended. [`SyncJobs`] has already resumed it.
    ///
    /// [`SyncJobs`]: crate::service::sync_jobs::SyncJobs
    fn interrupted_job(&self, all: bool, kms: &[KmsId], since: Time) -> Option<JobId> {
        let published = self.recorder.state();
        let mut open = published.state.jobs.sync.all().iter().filter(|job| job.completed.is_none());
        // The job may lack KMSs of the plan that could not be synchronised at that time.
        let of_plan =
            |job: &SyncJob| job.scope == SyncScope::Keys && job.kms().iter().all(|id| all || kms.contains(id));
        open.find(|job| job.by.is_none() && job.all == all && job.created >= since && of_plan(job)).map(|job| job.id)
    }

    fn active_kms(&self) -> Vec<KmsId> {
        self.recorder.state().state.kms.iter().filter(|kms| !kms.archived).map(|kms| kms.id).collect()
    }
}

fn failures(job: &SyncJob) -> String {
    let mut failed = job.regions.iter().filter_map(|region| match &region.end.as_ref()?.outcome {
        RegionOutcome::Failed(reason) => Some(format!("{}/{}: {reason}", region.place.account, region.place.region)),
        RegionOutcome::Done(_) | RegionOutcome::Left => None,
    });
    let mut listed: Vec<String> = failed.by_ref().take(LISTED_MAX).collect();
    match failed.count() {
        0 => {}
        more => listed.push(format!("and {more} more regions, listed in the synchronisation job")),
    }
    listed.join("; ")
}

/// The maximum number of regions in the reason, which must fit into a record.
const LISTED_MAX: usize = 20;
