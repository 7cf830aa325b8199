//! The run of a job: its regions are read concurrently until all have ended or the job is cancelled. A cancellation
//! drops the pending calls at once, which is safe, since a synchronisation only reads from AWS.

use super::SyncJobs;
use super::live::{Live, LiveRegion};
use crate::domain::job::sync::{RegionEnd, RegionOutcome, SyncCommand, SyncJob, SyncScope};
use crate::service::caller::Change;
use crate::service::failure::Failure;
use crate::service::own_calls;
use std::sync::Arc;
use tokio::task::JoinSet;

impl SyncJobs {
    /// Resumes the jobs that were open when the program ended.
    pub(in crate::service) fn resume(&self) {
        let published = self.recorder.state();
        let state = &published.state;
        for job in state.jobs.sync.all().iter().filter(|job| job.completed.is_none()) {
            tracing::info!(job = %job.id, "resuming a synchronisation");
            self.launch(job, Change::resumed(state, job.by));
        }
    }

    pub(super) fn launch(&self, job: &SyncJob, change: Change) {
        let (live, scope) = (self.running.add(job), job.scope);
        // A cancellation before `add` found no running job.
        if self.recorder.state().state.jobs.sync.get(job.id).is_some_and(|job| job.cancelled) {
            self.running.cancel(job.id);
        }
        let jobs = self.clone();
        self.runtime.spawn(async move {
            let mut regions = JoinSet::new();
            for region in live.regions.clone() {
                let (jobs, live, change) = (jobs.clone(), live.clone(), change.clone());
                regions.spawn(async move {
                    own_calls::asker(&change).around(jobs.run_region(&live, scope, &region, &change)).await
                });
            }
            while regions.join_next().await.is_some() {}
            jobs.running.remove(live.job);
        });
    }

    /// Synchronises a region, and records its end. If the log has stopped, the region stays open.
    async fn run_region(&self, live: &Arc<Live>, scope: SyncScope, region: &LiveRegion, change: &Change) {
        let work = async {
            let _permit = self.running.permits.acquire().await;
            match scope {
                SyncScope::Keys => self.synchronise(&region.place, &region.tally, change).await,
                SyncScope::KeyStores => self.synchronise_key_stores(&region.place, &region.tally, change).await,
            }
        };
        let outcome = tokio::select! {
            biased;
            () = live.cancelled() => RegionOutcome::Left,
            done = work => match done {
                Ok(trouble) => RegionOutcome::Done(trouble),
                Err(Failure::Stopped(_)) => return,
                Err(failure) => RegionOutcome::Failed(failure.to_string()),
            },
        };
        let (kms, name) = (region.place.kms, region.place.region.clone());
        let counts = region.tally.counts();
        tracing::info!(job = %live.job, %kms, region = %name, ?outcome, ?counts, "a region has ended");
        let end = RegionEnd { counts, linked: region.tally.linked.get(), outcome };
        let command = SyncCommand::EndRegion { id: live.job, kms, region: name.clone(), end };
        if let Err(failure) = self.command(change, command).await {
            tracing::warn!(job = %live.job, %kms, region = %name, %failure, "a region's end could not be recorded");
        }
    }
}
