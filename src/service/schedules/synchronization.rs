//! What a synchronisation run does: it starts a synchronisation of the KMSs that its plan names, and waits for its end.

use super::Schedules;
use crate::domain::id::{JobId, KmsId};
use crate::domain::job::sync::{JobStatus, RegionOutcome, SyncJob};
use crate::domain::schedule::SynchronizationPlan;
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use std::time::Duration;

/// How often the job is looked at.
const LOOK: Duration = Duration::from_millis(200);

impl Schedules {
    /// Brings what is known here of these KMSs in line with AWS, and says which regions failed, if any did.
    ///
    /// # Errors
    /// What stands against it.
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
        let begun = match self.cut_off(all, &kms, since) {
            Some(job) => job,
            None => self.sync_jobs.begin(change, None, all, kms, None).await?.job.id,
        };
        loop {
            let job = self.recorder.state().state.sync_job(begun)?.clone();
            if job.completed.is_some() {
                return Ok((job.status() == JobStatus::Failed).then(|| failures(&job)));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The job that this run had begun when the program ended; it has been taken up again by itself.
    fn cut_off(&self, all: bool, kms: &[KmsId], since: Time) -> Option<JobId> {
        let published = self.recorder.state();
        let mut open = published.state.jobs.sync.all().iter().filter(|job| job.completed.is_none());
        // What could not be synchronised then was left out.
        let of_plan = |job: &SyncJob| job.kms().iter().all(|id| all || kms.contains(id));
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
    let mut told: Vec<String> = failed.by_ref().take(TOLD).collect();
    match failed.count() {
        0 => {}
        more => told.push(format!("and {more} more regions, as the synchronisation job says")),
    }
    told.join("; ")
}

/// So many regions a run tells of: what it says must fit into a record.
const TOLD: usize = 20;
