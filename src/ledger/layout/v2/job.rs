//! Jobs: synchronisations and bulk jobs.

use super::primitives::Text;
use crate::domain::job::event as live;
use crate::domain::job::{bulk, sync};
use uuid::Uuid;

layout! {
    enum JobEvent<'a> of live::JobEvent {
        Synchronisation(event: SyncEvent<'a>),
        Bulk(event: BulkEvent<'a>),
    }
}

layout! {
    enum SyncEvent<'a> of live::SyncEvent {
        Started { by: Option<Uuid>, all: bool, places: Vec<SyncPlace<'a>> },
        RegionFinished { kms: Uuid, region: Text<'a>, counts: Counts, trouble: Option<Text<'a>> },
        RegionFailed { kms: Uuid, region: Text<'a>, counts: Counts, reason: Text<'a> },
        RegionLeft { kms: Uuid, region: Text<'a>, counts: Counts },
        CancelRequested,
        Finished,
        KeyStoresStarted { by: Option<Uuid>, all: bool, places: Vec<SyncPlace<'a>> },
        RegionLinked { kms: Uuid, region: Text<'a>, linked: u64 },
    }
}

layout! {
    enum BulkEvent<'a> of live::BulkEvent {
        Started { by: Uuid, task: BulkTask, keys: Vec<Uuid> },
        KeyDone { key: Uuid },
        KeyFailed { key: Uuid, reason: Text<'a> },
        CancelRequested,
        Finished,
    }
}

layout! {
    struct SyncPlace<'a> of sync::SyncPlace {
        kms: Uuid,
        account: Text<'a>,
        region: Text<'a>,
    }
}

layout! {
    struct Counts of sync::Counts {
        listed: u64,
        added: u64,
        updated: u64,
        gone: u64,
        errors: u64,
    }
}

layout! {
    enum BulkTask of bulk::BulkTask {
        Enable,
        Disable,
        ScheduleDeletion { window: u16 },
        CancelDeletion,
        ApplyTemplate { template: Uuid },
        AssignSchedule { schedule: Uuid },
        RemoveSchedule,
    }
}
