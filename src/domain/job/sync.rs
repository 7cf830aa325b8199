//! A synchronisation job, which updates the keys or the custom key stores in the state from AWS. It processes regions
//! of one or more KMSs, each region by itself.

pub mod decide;

use super::event::SyncEvent;
use super::retained::Parted;
use crate::domain::id::{JobId, KmsId, UserId};
use crate::domain::kms::Kms;
use crate::domain::place::{AccountId, Region};
use crate::domain::refusal::{JobRefusal, Refusal};
use crate::domain::time::Time;
use imbl::Vector;
use std::collections::HashSet;

#[derive(Clone, PartialEq, Debug)]
pub struct SyncJob {
    pub id: JobId,
    pub scope: SyncScope,
    /// The user who started the job; `None` if a schedule did.
    pub by: Option<UserId>,
    /// Whether all KMSs were requested.
    pub all: bool,
    /// The regions, each with its result. There may be 100 000, so copies of the job share them.
    pub regions: Vector<SyncRegion>,
    /// Whether a cancellation was requested.
    pub cancelled: bool,
    pub completed: Option<Time>,
    pub created: Time,
    /// When the job last changed.
    pub updated: Time,
    /// The index of each region in `regions`.
    pub(crate) places: imbl::HashMap<(KmsId, Region), usize>,
    /// The number of regions without a result.
    pub(crate) open: usize,
}

/// What a job updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncScope {
    Keys,
    KeyStores,
}

/// A region of a KMS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncPlace {
    pub kms: KmsId,
    pub account: AccountId,
    pub region: Region,
}

/// A region of a job.
#[derive(Clone, PartialEq, Debug)]
pub struct SyncRegion {
    pub place: SyncPlace,
    /// The number of entries that were found at AWS and were not linked before.
    pub linked: u64,
    /// The result; `None` while the region is not processed.
    pub end: Option<RegionEnd>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct RegionEnd {
    pub counts: Counts,
    pub linked: u64,
    pub outcome: RegionOutcome,
}

/// The outcome of the synchronisation of a region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegionOutcome {
    /// Everything was processed. If something could not be read, this is the first, with the reason.
    Done(Option<String>),
    /// It failed, for this reason.
    Failed(String),
    /// It stopped because the job was cancelled.
    Left,
}

/// Numbers of keys, or of key stores, in a region.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    pub listed: u64,
    /// Those that were not in the state.
    pub added: u64,
    /// Those that differed from the state.
    pub updated: u64,
    /// Those that AWS no longer has.
    pub gone: u64,
    /// Those that could not be read.
    pub errors: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobStatus {
    InProgress,
    /// The job is done, or was cancelled.
    Completed,
    /// The job is done, and some part of it failed.
    Failed,
}

impl JobStatus {
    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug)]
pub enum SyncCommand {
    Start {
        id: JobId,
        scope: SyncScope,
        /// The user who starts the job; `None` if a schedule does.
        by: Option<UserId>,
        /// Whether all KMSs were requested. `kms` then lists those of this moment.
        all: bool,
        kms: Vec<KmsId>,
        /// The regions; `None` for all that each KMS manages.
        regions: Option<Vec<Region>>,
        /// Skip the KMSs and regions that cannot be synchronised now, unless none is left. A schedule wants this.
        skip_unavailable: bool,
    },
    /// Record the result of a region.
    EndRegion {
        id: JobId,
        kms: KmsId,
        region: Region,
        end: RegionEnd,
    },
    Cancel {
        id: JobId,
    },
}

impl Parted for SyncJob {
    fn parts(&self) -> usize {
        self.regions.len()
    }
}

impl SyncJob {
    /// Whether the job has processed the keys of a region of this KMS.
    pub fn has_synchronised(&self, kms: &Kms) -> bool {
        if self.scope != SyncScope::Keys {
            return false;
        }
        let places = kms.regions.iter().filter_map(|region| self.places.get(&(kms.id, region.clone())));
        let mut ends = places.filter_map(|place| self.regions.get(*place)?.end.as_ref());
        ends.any(|end| matches!(end.outcome, RegionOutcome::Done(_)))
    }

    pub fn started(id: JobId, at: Time, event: &SyncEvent) -> Option<Self> {
        let (scope, by, all, places) = match event {
            SyncEvent::Started { by, all, places } => (SyncScope::Keys, by, all, places),
            SyncEvent::KeyStoresStarted { by, all, places } => (SyncScope::KeyStores, by, all, places),
            SyncEvent::RegionFinished { .. }
            | SyncEvent::RegionFailed { .. }
            | SyncEvent::RegionLeft { .. }
            | SyncEvent::RegionLinked { .. }
            | SyncEvent::CancelRequested
            | SyncEvent::Finished => return None,
        };
        let region = |place: &SyncPlace| SyncRegion { place: place.clone(), linked: 0, end: None };
        Some(Self {
            id,
            scope,
            by: *by,
            all: *all,
            regions: places.iter().map(region).collect(),
            cancelled: false,
            // Older versions did not record `Finished` for a job without regions.
            completed: places.is_empty().then_some(at),
            created: at,
            updated: at,
            places: places.iter().map(|place| (place.kms, place.region.clone())).zip(0..).collect(),
            open: places.len(),
        })
    }

    /// Updates the job with an event that follows its start.
    pub fn apply(&mut self, at: Time, event: &SyncEvent) {
        match event {
            SyncEvent::RegionFinished { kms, region, counts, trouble } => {
                self.set_end(*kms, region, *counts, RegionOutcome::Done(trouble.clone()));
            }
            SyncEvent::RegionFailed { kms, region, counts, reason } => {
                self.set_end(*kms, region, *counts, RegionOutcome::Failed(reason.clone()));
            }
            SyncEvent::RegionLeft { kms, region, counts } => self.set_end(*kms, region, *counts, RegionOutcome::Left),
            SyncEvent::CancelRequested => self.cancelled = true,
            SyncEvent::Finished => self.completed = Some(at),
            SyncEvent::RegionLinked { kms, region, linked } => {
                self.change_region(*kms, region, |part| part.linked = *linked);
            }
            SyncEvent::Started { .. } | SyncEvent::KeyStoresStarted { .. } => return,
        }
        self.updated = at;
    }

    pub fn status(&self) -> JobStatus {
        let failed = |part: &SyncRegion| matches!(&part.end, Some(RegionEnd { outcome: RegionOutcome::Failed(_), .. }));
        match self.completed {
            None => JobStatus::InProgress,
            Some(_) if self.regions.iter().any(failed) => JobStatus::Failed,
            Some(_) => JobStatus::Completed,
        }
    }

    /// Returns the KMSs of the job in the requested order.
    pub fn kms(&self) -> Vec<KmsId> {
        let mut seen = HashSet::new();
        self.regions.iter().map(|part| part.place.kms).filter(|id| seen.insert(*id)).collect()
    }

    fn end_region(&self, kms: KmsId, region: Region, end: RegionEnd) -> Vec<SyncEvent> {
        let is_open = self.region(kms, &region).is_some_and(|part| part.end.is_none());
        // The result was recorded before.
        if !is_open || self.completed.is_some() {
            return vec![];
        }
        let RegionEnd { counts, linked, outcome } = end;
        let mut events = Vec::new();
        if linked > 0 {
            events.push(SyncEvent::RegionLinked { kms, region: region.clone(), linked });
        }
        events.push(match outcome {
            RegionOutcome::Done(trouble) => SyncEvent::RegionFinished { kms, region, counts, trouble },
            RegionOutcome::Failed(reason) => SyncEvent::RegionFailed { kms, region, counts, reason },
            RegionOutcome::Left => SyncEvent::RegionLeft { kms, region, counts },
        });
        if self.open == 1 {
            events.push(SyncEvent::Finished);
        }
        events
    }

    fn cancel(&self) -> Result<Vec<SyncEvent>, Refusal> {
        match (self.completed, self.cancelled) {
            (Some(_), _) => Err(JobRefusal::Ended(self.id).into()),
            (None, true) => Ok(vec![]),
            (None, false) => Ok(vec![SyncEvent::CancelRequested]),
        }
    }

    fn region(&self, kms: KmsId, region: &Region) -> Option<&SyncRegion> {
        self.regions.get(*self.places.get(&(kms, region.clone()))?)
    }

    fn set_end(&mut self, kms: KmsId, region: &Region, counts: Counts, outcome: RegionOutcome) {
        let mut was_open = false;
        self.change_region(kms, region, |part| {
            let end = RegionEnd { counts, linked: part.linked, outcome };
            was_open = part.end.replace(end).is_none();
        });
        if was_open {
            self.open -= 1;
        }
    }

    fn change_region(&mut self, kms: KmsId, region: &Region, change: impl FnOnce(&mut SyncRegion)) {
        let place = self.places.get(&(kms, region.clone())).copied();
        if let Some(part) = place.and_then(|place| self.regions.get_mut(place)) {
            change(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Event, KmsEvent};
    use crate::domain::job::event::JobEvent;
    use crate::domain::key::example::{ACCOUNT, added, kms_id, region};
    use crate::domain::refusal::KmsRefusal;
    use crate::domain::scenario::{Decided, Given, given};
    use uuid::Uuid;

    fn job_id(n: u128) -> JobId {
        JobId::new(Uuid::from_u128(n))
    }

    fn start(n: u128, kms: &[u128], regions: Option<&[&str]>) -> SyncCommand {
        let kms = kms.iter().map(|n| kms_id(*n)).collect();
        let regions = regions.map(|names| names.iter().map(|name| region(name)).collect());
        start_of(SyncScope::Keys, n, kms, regions)
    }

    fn start_of(scope: SyncScope, n: u128, kms: Vec<KmsId>, regions: Option<Vec<Region>>) -> SyncCommand {
        SyncCommand::Start { id: job_id(n), scope, by: None, all: false, kms, regions, skip_unavailable: false }
    }

    fn place(kms: u128, name: &str) -> SyncPlace {
        SyncPlace { kms: kms_id(kms), account: AccountId::parse(ACCOUNT).expect("an account"), region: region(name) }
    }

    fn end(n: u128, name: &str, outcome: RegionOutcome) -> SyncCommand {
        let end = RegionEnd { counts: Counts { listed: 7, ..Counts::default() }, linked: 0, outcome };
        SyncCommand::EndRegion { id: job_id(n), kms: kms_id(0), region: region(name), end }
    }

    /// The state with two KMSs, after these commands.
    fn after_commands(commands: impl IntoIterator<Item = SyncCommand>) -> Given {
        let kms = [added(0, &["eu-west-3", "eu-west-1"]), added(1, &["us-east-1"])];
        given(kms).after_all(commands)
    }

    fn places_of(started: Decided) -> Vec<SyncPlace> {
        match started.events().remove(0) {
            Event::Job(_, JobEvent::Synchronisation(SyncEvent::Started { places, .. })) => places,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_job_goes_through_all_regions_or_those_that_are_asked_for() {
        let all = places_of(after_commands([]).when(start(1, &[0, 1], None)));
        assert_eq!(all, [place(0, "eu-west-3"), place(0, "eu-west-1"), place(1, "us-east-1")]);
        let some = places_of(after_commands([]).when(start(1, &[0, 1], Some(&["us-east-1", "eu-west-1"]))));
        assert_eq!(some, [place(0, "eu-west-1"), place(1, "us-east-1")]);
    }

    #[test]
    fn a_region_that_none_manages_and_a_kms_that_manages_none_are_refused() {
        for regions in [["eu-west-3", "sa-east-1"], ["eu-west-3", "eu-west-1"]] {
            let refused = after_commands([]).when(start(1, &[0, 1], Some(&regions))).refusal();
            assert!(matches!(refused, Refusal::Kms(KmsRefusal::RegionNotManaged { .. })), "{refused:?}");
        }
        let archived = Event::Kms(kms_id(0), KmsEvent::Archived);
        let refused = given([added(0, &["eu-west-3"]), archived]).when(start(1, &[0], None)).refusal();
        assert!(matches!(refused, Refusal::Kms(KmsRefusal::Archived(_))));
    }

    #[test]
    fn one_job_at_a_time_goes_through_a_region() {
        let taken = JobRefusal::RegionBusy { region: region("eu-west-3"), job: job_id(1) };
        let started = after_commands([start(1, &[0], Some(&["eu-west-3"]))]);
        started.when(start(2, &[0], None)).then_refused(taken);
        let other = started.when(start(2, &[0], Some(&["eu-west-1"])));
        assert_eq!(places_of(other), [place(0, "eu-west-1")]);
        let ended = started.when(end(1, "eu-west-3", RegionOutcome::Done(None))).then_done();
        assert_eq!(places_of(ended.when(start(2, &[0], None))).len(), 2);
    }

    #[test]
    fn a_job_for_key_stores_is_beside_one_for_keys_and_counts_what_it_links() {
        let stores = |n| start_of(SyncScope::KeyStores, n, vec![kms_id(0)], Some(vec![region("eu-west-3")]));
        let state = after_commands([start(1, &[0], None), stores(2)]);
        let taken = JobRefusal::RegionBusy { region: region("eu-west-3"), job: job_id(2) };
        state.when(stores(3)).then_refused(taken);
        let linked = RegionEnd { counts: Counts::default(), linked: 3, outcome: RegionOutcome::Done(None) };
        let end = SyncCommand::EndRegion { id: job_id(2), kms: kms_id(0), region: region("eu-west-3"), end: linked };
        let state = state.after_all([end]);
        let job = state.sync_job(job_id(2)).expect("a job");
        assert_eq!(job.regions[0].end.as_ref().map(|end| end.linked), Some(3));
        assert!(job.scope == SyncScope::KeyStores && job.completed.is_some());
        // A KMS is synchronised once its keys are.
        let kms = state.kms(kms_id(0)).expect("a KMS");
        assert!(state.jobs.last_sync(kms).is_none());
    }

    #[test]
    fn a_job_ends_with_its_last_region_and_fails_if_one_did() {
        let (failed, done) = (RegionOutcome::Failed("no".to_owned()), RegionOutcome::Done(None));
        let state = after_commands([start(1, &[0], None), end(1, "eu-west-1", failed)]);
        assert_eq!(state.sync_job(job_id(1)).expect("a job").status(), JobStatus::InProgress);
        let last = state.when(end(1, "eu-west-3", done.clone()));
        assert_eq!(last.events().len(), 2, "the region's end and the job's");
        let state = last.then_done();
        let job = state.sync_job(job_id(1)).expect("a job");
        assert_eq!(job.status(), JobStatus::Failed);
        assert_eq!(job.regions[0].end.as_ref().map(|end| end.counts.listed), Some(7));
        let ended = after_commands([start(1, &[0], Some(&["eu-west-3"])), end(1, "eu-west-3", done.clone())]);
        ended.when(end(1, "eu-west-3", done)).then([]);
    }

    #[test]
    fn what_cannot_be_synchronised_now_is_left_out_where_nobody_asks() {
        let two = [added(0, &["eu-west-3", "us-east-1"]), added(1, &["eu-west-1"])];
        let state = given(two).and([Event::Kms(kms_id(1), KmsEvent::Archived)]);
        let start = |n: u128, kms: &[u128], skip_unavailable| {
            let kms = kms.iter().map(|n| kms_id(*n)).collect();
            SyncCommand::Start {
                id: job_id(n),
                scope: SyncScope::Keys,
                by: None,
                all: false,
                kms,
                regions: None,
                skip_unavailable,
            }
        };
        let archived = |refusal| matches!(refusal, Refusal::Kms(KmsRefusal::Archived(_)));
        assert!(archived(state.when(start(1, &[0, 1], false)).refusal()));
        let places = places_of(state.when(start(1, &[0, 1, 7], true)));
        assert_eq!(places.iter().map(|place| place.kms).collect::<Vec<_>>(), [kms_id(0), kms_id(0)]);
        assert!(archived(state.when(start(1, &[1], true)).refusal()));
        let busy = state.after_all([start(1, &[0, 1, 7], true)]).when(start(2, &[0], true)).refusal();
        assert!(matches!(busy, Refusal::Job(JobRefusal::RegionBusy { job, .. }) if job == job_id(1)));
    }

    #[test]
    fn a_cancelled_job_is_completed_once_its_regions_are_left() {
        let cancel = SyncCommand::Cancel { id: job_id(1) };
        let state = after_commands([start(1, &[0], Some(&["eu-west-3"])), cancel.clone()]);
        let job = state.sync_job(job_id(1)).expect("a job");
        assert!(job.cancelled && job.completed.is_none());
        state.when(cancel.clone()).then([]);
        let left = end(1, "eu-west-3", RegionOutcome::Left);
        let state = state.when(left).then_done();
        assert_eq!(state.sync_job(job_id(1)).expect("a job").status(), JobStatus::Completed);
        state.when(cancel).then_refused(JobRefusal::Ended(job_id(1)));
    }

    /// The end of one region must not copy all regions of a large job.
    #[test]
    fn a_region_that_ends_leaves_the_others_where_they_are() {
        let places = (0..2_000).map(|n| place(n, "eu-west-3")).collect();
        let mut job =
            SyncJob::started(job_id(1), Time::from_nanos(1), &SyncEvent::Started { by: None, all: true, places })
                .expect("a job");
        let before = job.clone();
        job.set_end(kms_id(7), &region("eu-west-3"), Counts::default(), RegionOutcome::Left);
        let kept = before.regions.iter().zip(&job.regions).filter(|(before, after)| std::ptr::eq(*before, *after));
        assert!(kept.count() > 1_800, "the regions are shared, but for a leaf of them");
        assert_eq!((job.open, before.open), (1_999, 2_000));
    }
}
