//! Entries with an index of their own parts. The index is not stored: it is rebuilt from the parts.

use super::super::v2::primitives::{Moment, Text};
use super::super::v2::schedule::{Cause, KeyOutcome, RunOutcome, StoreOutcome};
use super::super::{Impossible, IntoLive, LayoutOf};
use super::entries::{SyncRegion, SyncScope};
use crate::domain::job::sync;
use crate::domain::schedule;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct SyncJob<'a> {
    id: Uuid,
    scope: SyncScope,
    by: Option<Uuid>,
    all: bool,
    regions: Vec<SyncRegion<'a>>,
    cancelled: bool,
    completed: Option<Moment>,
    created: Moment,
    updated: Moment,
}

impl<'a> LayoutOf<'a, sync::SyncJob> for SyncJob<'a> {
    fn of(live: &'a sync::SyncJob) -> Self {
        // All members are named, so that a new one does not compile until it is handled here.
        let sync::SyncJob { id, scope, by, all, regions, cancelled, completed, created, updated, places: _, open: _ } =
            live;
        Self {
            id: LayoutOf::of(id),
            scope: LayoutOf::of(scope),
            by: LayoutOf::of(by),
            all: *all,
            regions: regions.iter().map(LayoutOf::of).collect(),
            cancelled: *cancelled,
            completed: LayoutOf::of(completed),
            created: LayoutOf::of(created),
            updated: LayoutOf::of(updated),
        }
    }
}

impl IntoLive<sync::SyncJob> for SyncJob<'_> {
    fn into_live(self) -> Result<sync::SyncJob, Impossible> {
        let regions: Vec<sync::SyncRegion> = self.regions.into_live()?;
        let place = |region: &sync::SyncRegion| (region.place.kms, region.place.region.clone());
        Ok(sync::SyncJob {
            id: self.id.into_live()?,
            scope: self.scope.into_live()?,
            by: self.by.into_live()?,
            all: self.all,
            places: regions.iter().enumerate().map(|(n, region)| (place(region), n)).collect(),
            open: regions.iter().filter(|region| region.end.is_none()).count(),
            regions: regions.into_iter().collect(),
            cancelled: self.cancelled,
            completed: self.completed.into_live()?,
            created: self.created.into_live()?,
            updated: self.updated.into_live()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Run<'a> {
    id: Uuid,
    schedule: Uuid,
    name: Text<'a>,
    operation: Text<'a>,
    cause: Cause,
    started: Moment,
    ended: Option<(Moment, RunOutcome<'a>)>,
    keys: Vec<(Uuid, KeyOutcome<'a>)>,
    stores: Vec<(Uuid, StoreOutcome<'a>)>,
}

impl<'a> LayoutOf<'a, schedule::Run> for Run<'a> {
    fn of(live: &'a schedule::Run) -> Self {
        let schedule::Run { id, schedule, name, operation, cause, started, ended, keys, treated: _, stores } = live;
        Self {
            id: LayoutOf::of(id),
            schedule: LayoutOf::of(schedule),
            name: LayoutOf::of(name),
            operation: Text::from(*operation),
            cause: LayoutOf::of(cause),
            started: LayoutOf::of(started),
            ended: LayoutOf::of(ended),
            keys: keys.iter().map(LayoutOf::of).collect(),
            stores: LayoutOf::of(stores),
        }
    }
}

impl IntoLive<schedule::Run> for Run<'_> {
    fn into_live(self) -> Result<schedule::Run, Impossible> {
        let operation: String = self.operation.into_live()?;
        let operation = schedule::Work::name_of(&operation)
            .ok_or_else(|| Impossible::because(format!("no schedule does `{operation}`")))?;
        let keys: Vec<(crate::domain::id::KeyId, schedule::KeyOutcome)> = self.keys.into_live()?;
        Ok(schedule::Run {
            id: self.id.into_live()?,
            schedule: self.schedule.into_live()?,
            name: self.name.into_live()?,
            operation,
            cause: self.cause.into_live()?,
            started: self.started.into_live()?,
            ended: self.ended.into_live()?,
            treated: keys.iter().map(|(key, _)| *key).collect(),
            keys: keys.into_iter().collect(),
            stores: self.stores.into_live()?,
        })
    }
}
