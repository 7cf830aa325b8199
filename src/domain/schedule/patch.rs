//! What a caller wants changed of a schedule. A member that is none stays as it is.

use super::{RotationPlan, Schedule, ScheduleSettings, SynchronizationPlan, Work};
use crate::domain::cron::Cron;
use crate::domain::patch::{Patch, invalid};
use crate::domain::refusal::Refusal;
use crate::domain::span::Span;
use crate::domain::state::State;
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

/// AWS keeps imported material no longer.
const EXPIRATION_MAX_DAYS: i64 = 365;

impl Schedule {
    /// Returns the settings after the patch.
    ///
    /// # Errors
    /// When the name or the work would change, or what [`ScheduleSettings::patched`] says.
    pub fn patched(&self, state: &State, patch: SchedulePatch) -> Result<ScheduleSettings, Refusal> {
        let differs = |given: &Option<String>, known: &str| given.as_ref().is_some_and(|given| given != known);
        if differs(&patch.name, self.name.as_str()) {
            return Err(invalid("name", "the name of a schedule cannot be changed"));
        }
        if differs(&patch.operation, self.settings.work.name()) {
            return Err(invalid("operation", "the operation of a schedule cannot be changed"));
        }
        self.settings.patched(state, patch)
    }
}

impl ScheduleSettings {
    /// Returns the settings of a new schedule of which only this much is known.
    pub const fn new(run_at: Cron, work: Work) -> Self {
        Self { description: String::new(), run_at, start: None, end: None, disabled: false, work }
    }

    /// Returns the settings after the patch.
    ///
    /// # Errors
    /// When the patch is for other work, names a KMS that does not exist, or leaves nothing to synchronise.
    pub fn patched(&self, state: &State, patch: SchedulePatch) -> Result<Self, Refusal> {
        let now = self.clone();
        let work = match (now.work, patch.rotation, patch.synchronization) {
            (Work::RotateKeys(plan), patch, None) => Work::RotateKeys(plan.patched(patch.unwrap_or_default())?),
            (Work::Synchronize(plan), None, patch) => {
                Work::Synchronize(plan.patched(state, patch.unwrap_or_default())?)
            }
            (Work::RotateKeys(_), _, Some(_)) => {
                return Err(invalid("cckm_synchronization_params", "does not go with the operation cckm_key_rotation"));
            }
            (Work::Synchronize(_), Some(_), _) => {
                return Err(invalid("cckm_key_rotation_params", "does not go with the operation cckm_synchronization"));
            }
        };
        Ok(Self {
            description: patch.description.unwrap_or(now.description),
            run_at: patch.run_at.unwrap_or(now.run_at),
            start: patch.start.over(now.start),
            end: patch.end.over(now.end),
            disabled: patch.disabled.unwrap_or(now.disabled),
            work,
        })
    }
}

impl RotationPlan {
    fn patched(self, patch: RotationPatch) -> Result<Self, Refusal> {
        let plan = Self {
            expiration: patch.expiration.over(self.expiration),
            expire_in: patch.expire_in.over(self.expire_in),
            rotation_after: patch.rotation_after.over(self.rotation_after),
            retain_alias: patch.retain_alias.unwrap_or(self.retain_alias),
            rotate_material: patch.rotate_material.unwrap_or(self.rotate_material),
        };
        let start = Time::from_nanos(0);
        let latest = start.plus_seconds(EXPIRATION_MAX_DAYS * 86_400);
        if plan.expiration.is_some_and(|span| span.after(start) > latest) {
            return Err(invalid("expiration", "must be no longer than 365 days, as AWS has it"));
        }
        Ok(plan)
    }
}

impl SynchronizationPlan {
    fn patched(self, state: &State, patch: SynchronizationPatch) -> Result<Self, Refusal> {
        let plan = match patch {
            SynchronizationPatch::Keep => self,
            SynchronizationPatch::All => Self::All,
            SynchronizationPatch::Kms(names) => {
                let ids = names.iter().map(|name| Ok(state.kms_called(name)?.id));
                Self::Kms(ids.collect::<Result<_, Refusal>>()?)
            }
        };
        match plan {
            Self::Kms(kms) if kms.is_empty() => {
                Err(invalid("cckm_synchronization_params.kms", "or synchronize_all must be given"))
            }
            Self::Kms(_) | Self::All => Ok(plan),
        }
    }
}
