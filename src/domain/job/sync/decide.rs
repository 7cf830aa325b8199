//! Decides the commands of synchronisation jobs.

use super::{SyncCommand, SyncPlace, SyncScope};
use crate::domain::id::{JobId, KmsId};
use crate::domain::job::event::SyncEvent;
use crate::domain::place::Region;
use crate::domain::refusal::{JobRefusal, KmsRefusal, Refusal};
use crate::domain::state::State;
use std::collections::{HashMap, HashSet};

/// Returns the job and the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: SyncCommand) -> Result<(JobId, Vec<SyncEvent>), Refusal> {
    match command {
        SyncCommand::Start { id, scope, by, all, kms, regions, skip_unavailable } => {
            let places = places(state, scope, &kms, regions.as_deref(), skip_unavailable)?;
            // A job without regions is finished at once.
            let finished = places.is_empty().then_some(SyncEvent::Finished);
            let started = match scope {
                SyncScope::Keys => SyncEvent::Started { by, all, places },
                SyncScope::KeyStores => SyncEvent::KeyStoresStarted { by, all, places },
            };
            Ok((id, [started].into_iter().chain(finished).collect()))
        }
        SyncCommand::EndRegion { id, kms, region, end } => Ok((id, state.sync_job(id)?.end_region(kms, region, end))),
        SyncCommand::Cancel { id } => Ok((id, state.sync_job(id)?.cancel()?)),
    }
}

fn places(
    state: &State,
    scope: SyncScope,
    wanted: &[KmsId],
    regions: Option<&[Region]>,
    skip_unavailable: bool,
) -> Result<Vec<SyncPlace>, Refusal> {
    let open = Open::of(state, scope);
    let (mut places, mut taken, mut left_out) = (Vec::new(), HashSet::new(), None);
    for id in wanted.iter().filter(|id| taken.insert(**id)) {
        match open.places_of(state, *id, regions, skip_unavailable) {
            Ok(of_kms) => places.extend(of_kms),
            Err(refusal) if skip_unavailable => left_out = left_out.or(Some(refusal)),
            Err(refusal) => return Err(refusal),
        }
    }
    if let Some(refusal) = left_out.filter(|_| places.is_empty()) {
        return Err(refusal);
    }
    let missing = |region: &&Region| !places.iter().any(|place: &SyncPlace| place.region == **region);
    if let Some(region) = regions.into_iter().flatten().find(missing)
        && let Some(kms) = wanted.first()
    {
        return Err(unmanaged(region, state.kms(*kms)?));
    }
    Ok(places)
}

fn unmanaged(region: &Region, kms: &crate::domain::kms::Kms) -> Refusal {
    Refusal::Kms(KmsRefusal::RegionNotManaged {
        region: region.clone(),
        kms: kms.name.clone(),
        managed: kms.regions.clone(),
    })
}

/// The regions of the jobs in progress of one scope. Only one job at a time may synchronise a region: two would do the
/// same work.
struct Open<'a>(HashMap<(KmsId, &'a Region), JobId>);

impl<'a> Open<'a> {
    fn of(state: &'a State, scope: SyncScope) -> Self {
        let open = state.jobs.sync.all().iter().filter(|job| job.completed.is_none() && job.scope == scope);
        let parts = open.flat_map(|job| job.regions.iter().map(|part| (job.id, part)));
        let places = parts.filter(|(_, part)| part.end.is_none());
        Self(places.map(|(job, part)| ((part.place.kms, &part.place.region), job)).collect())
    }

    fn places_of(
        &self,
        state: &State,
        id: KmsId,
        regions: Option<&[Region]>,
        skip_unavailable: bool,
    ) -> Result<Vec<SyncPlace>, Refusal> {
        let kms = state.kms(id)?;
        kms.refuse_archived()?;
        let (mut places, mut busy) = (Vec::new(), None);
        for region in kms.regions.iter().filter(|region| regions.is_none_or(|wanted| wanted.contains(region))) {
            match self.0.get(&(id, region)) {
                Some(job) => {
                    busy = busy.or(Some(Refusal::Job(JobRefusal::RegionBusy { region: region.clone(), job: *job })));
                }
                None => places.push(SyncPlace { kms: id, account: kms.account, region: region.clone() }),
            }
        }
        match (busy, regions.and_then(<[Region]>::first)) {
            (Some(busy), _) if !skip_unavailable || places.is_empty() => Err(busy),
            (None, Some(region)) if places.is_empty() => Err(unmanaged(region, kms)),
            _ => Ok(places),
        }
    }
}
