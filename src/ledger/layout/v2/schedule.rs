//! Schedules.

use super::primitives::{Moment, Span, Text};
use crate::domain::schedule as live;
use uuid::Uuid;

layout! {
    enum ScheduleEvent<'a> of live::ScheduleEvent {
        Created { name: Text<'a>, settings: ScheduleSettings<'a> },
        Updated { settings: ScheduleSettings<'a> },
        RunStarted { run: Uuid, cause: Cause },
        KeyTreated { run: Uuid, key: Uuid, outcome: KeyOutcome<'a> },
        RunFinished { run: Uuid, outcome: RunOutcome<'a> },
        Deleted,
        RunOnChanged { to: Text<'a> },
        StoreTreated { run: Uuid, store: Uuid, outcome: StoreOutcome<'a> },
    }
}

layout! {
    struct ScheduleSettings<'a> of live::ScheduleSettings {
        description: Text<'a>,
        run_at: Text<'a>,
        start: Option<Moment>,
        end: Option<Moment>,
        disabled: bool,
        work: Work<'a>,
    }
}

layout! {
    enum Work<'a> of live::Work {
        RotateKeys(plan: RotationPlan),
        Synchronize(plan: SynchronizationPlan),
        RotateCredentials,
        WatchDrift(plan: WatchPlan<'a>),
        BackUp(plan: BackupPlan<'a>),
    }
}

layout! {
    struct BackupPlan<'a> of live::BackupPlan {
        description: Text<'a>,
        backup_key: Text<'a>,
        connection: Text<'a>,
        scope: Text<'a>,
        retention_count: u32,
        do_scp: bool,
        tied_to_hsm: bool,
        filters: Option<Text<'a>>,
    }
}

layout! {
    struct WatchPlan<'a> of live::WatchPlan {
        kms: Uuid,
        log_group: Text<'a>,
        log_group_region: Option<Text<'a>>,
        overlap_minutes: u32,
    }
}

layout! {
    struct RotationPlan of live::RotationPlan {
        expiration: Option<Span>,
        expire_in: Option<Span>,
        rotation_after: Option<Span>,
        retain_alias: bool,
        rotate_material: bool,
    }
}

layout! {
    enum SynchronizationPlan of live::SynchronizationPlan {
        All,
        Kms(kms: Vec<Uuid>),
    }
}

layout! {
    enum Cause of live::Cause {
        Due(at: Moment),
        Missed(at: Moment),
        Asked,
    }
}

layout! {
    enum RunOutcome<'a> of live::RunOutcome {
        Done,
        Failed(reason: Text<'a>),
    }
}

layout! {
    enum KeyOutcome<'a> of live::KeyOutcome {
        MaterialRotated,
        ReplacedBy(key: Uuid),
        Failed(reason: Text<'a>),
    }
}

layout! {
    enum StoreOutcome<'a> of live::StoreOutcome {
        CredentialRotated,
        Failed(reason: Text<'a>),
    }
}
