//! A change of a schedule. A member that is `None` stays as it is.

use crate::domain::cron::Cron;
use crate::domain::name::JsonText;
use crate::domain::patch::Patch;
use crate::domain::place::Region;
use crate::domain::span::Span;
use crate::domain::time::Time;

#[derive(Clone, Debug, Default)]
pub struct SchedulePatch {
    /// The present name; another one is refused.
    pub name: Option<String>,
    /// The name of the present work; another one is refused.
    pub operation: Option<String>,
    pub description: Option<String>,
    pub run_at: Option<Cron>,
    pub run_on: Option<String>,
    pub start: Patch<Time>,
    pub end: Patch<Time>,
    pub disabled: Option<bool>,
    /// A change of the plan of a schedule that rotates keys.
    pub rotation: Option<RotationPatch>,
    /// A change of the plan of a schedule that synchronises keys.
    pub synchronization: Option<SynchronizationPatch>,
    /// A change of the plan of a schedule that watches for drift.
    pub watch: Option<WatchPatch>,
    /// A change of the plan of a schedule that makes backups.
    pub backup: Option<BackupPatch>,
    /// Whether parameters of a schedule that rotates credentials are given. They have nothing to change.
    pub has_credential_params: bool,
}

#[derive(Clone, Debug, Default)]
pub struct RotationPatch {
    pub expiration: Patch<Span>,
    pub expire_in: Patch<Span>,
    pub rotation_after: Patch<Span>,
    pub retain_alias: Option<bool>,
    pub rotate_material: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct WatchPatch {
    /// The name or id of a KMS.
    pub kms: Option<String>,
    pub log_group: Option<String>,
    pub log_group_region: Patch<Region>,
    pub overlap_minutes: Option<u32>,
}

#[derive(Clone, Debug, Default)]
pub struct BackupPatch {
    pub description: Option<String>,
    pub backup_key: Option<String>,
    pub connection: Option<String>,
    pub scope: Option<String>,
    pub retention_count: Option<u32>,
    pub do_scp: Option<bool>,
    pub tied_to_hsm: Option<bool>,
    pub filters: Option<JsonText>,
}

#[derive(Clone, Debug, Default)]
pub enum SynchronizationPatch {
    #[default]
    Keep,
    All,
    /// The names or ids of KMSs.
    Kms(Vec<String>),
}
