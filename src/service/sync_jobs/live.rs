//! The jobs that this run of the program is at: what each has counted so far, and how it is told to stop. It is not in
//! the log: a job that the program's end has cut off begins its open regions again.

use crate::domain::id::{JobId, KmsId};
use crate::domain::job::sync::{Counts, SyncJob, SyncPlace};
use crate::domain::place::Region;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};

/// So many regions are gone through at once, all jobs together: this bounds the memory that they take.
const REGIONS_AT_ONCE: usize = 16;

pub(in crate::service) struct Running {
    jobs: Mutex<HashMap<JobId, Arc<Live>>>,
    /// A turn for each region that is gone through.
    pub turns: Arc<Semaphore>,
}

pub(super) struct Live {
    pub job: JobId,
    /// The regions that it has to go through.
    pub regions: Vec<LiveRegion>,
    cancelled: watch::Sender<bool>,
}

/// A region that is gone through.
#[derive(Clone)]
pub(super) struct LiveRegion {
    pub place: SyncPlace,
    /// What has been counted so far.
    pub tally: Arc<Tally>,
}

#[derive(Default)]
pub(super) struct Tally {
    pub listed: Counter,
    /// Keys that were not known here.
    pub added: Counter,
    /// Keys that differed from what was known here.
    pub updated: Counter,
    /// AWS does not have them any more.
    pub gone: Counter,
    /// Keys that could not be read.
    pub errors: Counter,
}

#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Tally {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            listed: self.listed.get(),
            added: self.added.get(),
            updated: self.updated.get(),
            gone: self.gone.get(),
            errors: self.errors.get(),
        }
    }
}

impl Default for Running {
    fn default() -> Self {
        Self { jobs: Mutex::default(), turns: Arc::new(Semaphore::new(REGIONS_AT_ONCE)) }
    }
}

impl Running {
    /// A job begins to run, with its open regions.
    pub(super) fn enter(&self, job: &SyncJob) -> Arc<Live> {
        let open = job.regions.iter().filter(|part| part.end.is_none());
        let region = |place: &SyncPlace| LiveRegion { place: place.clone(), tally: Arc::default() };
        let live = Arc::new(Live {
            job: job.id,
            regions: open.map(|part| region(&part.place)).collect(),
            cancelled: watch::Sender::new(job.cancelled),
        });
        self.jobs().insert(job.id, live.clone());
        live
    }

    /// A job runs no more.
    pub(crate) fn leave(&self, id: JobId) {
        self.jobs().remove(&id);
    }

    /// A job is to stop.
    pub(crate) fn cancel(&self, id: JobId) {
        if let Some(live) = self.jobs().get(&id) {
            live.cancelled.send_replace(true);
        }
    }

    /// What each region of a job has counted: at its end, or so far.
    pub(crate) fn counts(&self, job: &SyncJob) -> Vec<Counts> {
        let live = self.jobs().get(&job.id).cloned();
        let going_on = live.iter().flat_map(|live| live.regions.iter());
        let tallies: HashMap<(KmsId, &Region), &Tally> =
            going_on.map(|part| ((part.place.kms, &part.place.region), part.tally.as_ref())).collect();
        let so_far = |place: &SyncPlace| Some(tallies.get(&(place.kms, &place.region))?.counts());
        let counts = job.regions.iter().map(|part| match &part.end {
            Some(end) => end.counts,
            None => so_far(&part.place).unwrap_or_default(),
        });
        counts.collect()
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Live>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Waits until the job is to stop.
    pub(super) async fn cancelled(&self) {
        // The sender is a member: it cannot be gone.
        let _ = self.cancelled.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}
