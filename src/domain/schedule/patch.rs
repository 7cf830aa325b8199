//! What a caller wants changed of a schedule. A member that is none stays as it is.

use crate::domain::cron::Cron;
use crate::domain::patch::Patch;
use crate::domain::span::Span;
use crate::domain::time::Time;

#[derive(Clone, Debug, Default)]
pub struct SchedulePatch {
    /// The name that it has: another one is refused.
    pub name: Option<String>,
    /// The work that it does: another one is refused.
    pub operation: Option<String>,
    pub description: Option<String>,
    pub run_at: Option<Cron>,
    pub start: Patch<Time>,
    pub end: Patch<Time>,
    pub disabled: Option<bool>,
    /// Goes with the rotation of keys only.
    pub rotation: Option<RotationPatch>,
    /// Goes with synchronisation only.
    pub synchronization: Option<SynchronizationPatch>,
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
pub enum SynchronizationPatch {
    #[default]
    Keep,
    All,
    /// The names or ids of KMSs.
    Kms(Vec<String>),
}
