//! The running jobs: their counts and their cancellation. This is in memory only; a job that the end of the program
//! interrupts restarts its open regions.

use crate::domain::id::{JobId, KmsId};
use crate::domain::job::sync::{Counts, SyncJob, SyncPlace};
use crate::domain::place::Region;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};

/// The maximum number of regions that all jobs together read concurrently. It limits the memory that they use.
const REGIONS_AT_ONCE: usize = 16;

pub(in crate::service) struct Running {
    jobs: Mutex<HashMap<JobId, Arc<Live>>>,
    /// A permit for each region that is being read.
    pub permits: Arc<Semaphore>,
}

pub(super) struct Live {
    pub job: JobId,
    /// The regions to read.
    pub regions: Vec<LiveRegion>,
    cancelled: watch::Sender<bool>,
}

/// A region of a running job.
#[derive(Clone)]
pub(super) struct LiveRegion {
    pub place: SyncPlace,
    pub tally: Arc<Tally>,
}

/// The counts of a region while it is read.
#[derive(Default)]
pub(super) struct Tally {
    pub listed: Counter,
    /// Keys or stores that had no entry here.
    pub added: Counter,
    /// Those that differed from their entries.
    pub updated: Counter,
    /// Those that AWS no longer has.
    pub gone: Counter,
    /// Those that could not be read.
    pub errors: Counter,
    /// Stores that were not linked before.
    pub linked: Counter,
}

#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
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
        Self { jobs: Mutex::default(), permits: Arc::new(Semaphore::new(REGIONS_AT_ONCE)) }
    }
}

impl Running {
    /// Adds a job, with its open regions.
    pub(super) fn add(&self, job: &SyncJob) -> Arc<Live> {
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

    /// Removes a job that has ended.
    pub(super) fn remove(&self, id: JobId) {
        self.jobs().remove(&id);
    }

    /// Cancels a job, if it is running.
    pub(super) fn cancel(&self, id: JobId) {
        if let Some(live) = self.jobs().get(&id) {
            live.cancelled.send_replace(true);
        }
    }

    /// The counts of each region of a job, and the number of its newly linked entries: the final ones, or the current
    /// ones.
    pub(super) fn counts(&self, job: &SyncJob) -> Vec<(Counts, u64)> {
        let live = self.jobs().get(&job.id).cloned();
        let regions = live.iter().flat_map(|live| live.regions.iter());
        let tallies: HashMap<(KmsId, &Region), &Tally> =
            regions.map(|part| ((part.place.kms, &part.place.region), part.tally.as_ref())).collect();
        let current = |place: &SyncPlace| {
            let tally = tallies.get(&(place.kms, &place.region))?;
            Some((tally.counts(), tally.linked.get()))
        };
        let counts = job.regions.iter().map(|part| match &part.end {
            Some(end) => (end.counts, end.linked),
            None => current(&part.place).unwrap_or_default(),
        });
        counts.collect()
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Live>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Waits until the job is cancelled.
    pub(super) async fn cancelled(&self) {
        // `self` holds the sender, so the channel is open.
        let _ = self.cancelled.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}
