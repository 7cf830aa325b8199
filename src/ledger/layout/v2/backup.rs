//! Backups.

use super::primitives::Text;
use super::schedule::BackupPlan;
use crate::domain::backup as live;
use uuid::Uuid;

layout! {
    enum BackupEvent<'a> of live::BackupEvent {
        Requested { plan: BackupPlan<'a>, schedule: Option<Uuid> },
        Made(file: BackupFile<'a>),
        Failed { reason: Text<'a> },
        Deleted,
    }
}

layout! {
    struct BackupFile<'a> of live::BackupFile {
        name: Text<'a>,
        bytes: u64,
        sha256: Text<'a>,
        records: u64,
        head_hash: Text<'a>,
    }
}
