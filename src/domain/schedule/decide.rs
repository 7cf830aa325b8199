//! Decides the commands of schedules.

use super::patch::{BackupPatch, RotationPatch, SchedulePatch, SynchronizationPatch, WatchPatch};
use super::{
    ANY_NODE, BackupPlan, RotationPlan, Schedule, ScheduleCommand, ScheduleEvent, ScheduleSettings,
    SynchronizationPlan, WatchPlan, Work,
};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KeyStoreId, KmsId, ScheduleId};
use crate::domain::key::event::KeyEvent;
use crate::domain::key_store::event::KeyStoreEvent;
use crate::domain::patch::invalid;
use crate::domain::refusal::{Refusal, ScheduleRefusal};
use crate::domain::state::State;
use crate::domain::time::Time;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: ScheduleCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        ScheduleCommand::Create { id, name, settings, run_on } => {
            if state.schedules.named(&name).is_some() {
                return Err(ScheduleRefusal::NameTaken(name).into());
            }
            settings.check(state, None)?;
            let elsewhere = run_on.filter(|to| to != ANY_NODE).map(|to| ScheduleEvent::RunOnChanged { to });
            let events = [ScheduleEvent::Created { name, settings: *settings }].into_iter().chain(elsewhere);
            Ok(events.map(|event| Event::Schedule(id, event)).collect())
        }
        ScheduleCommand::Update { id, mut patch } => {
            let run_on = patch.run_on.take();
            let schedule = state.schedule(id)?;
            let settings = schedule.patched(state, *patch)?;
            settings.check(state, Some(&schedule.settings))?;
            let updated = (schedule.settings != settings).then_some(ScheduleEvent::Updated { settings });
            let moved = run_on.filter(|to| *to != schedule.run_on).map(|to| ScheduleEvent::RunOnChanged { to });
            Ok(updated.into_iter().chain(moved).map(|event| Event::Schedule(id, event)).collect())
        }
        ScheduleCommand::StartRun { id, run, cause } => {
            state.schedule(id)?.refuse_running()?;
            Ok(vec![Event::Schedule(id, ScheduleEvent::RunStarted { run, cause })])
        }
        ScheduleCommand::RecordKey { id, run, key, outcome } => {
            let is_recorded = state.schedules.runs.get(&run).is_some_and(|run| run.has_treated(key));
            Ok(match state.schedule(id)?.running == Some(run) && !is_recorded {
                true => vec![Event::Schedule(id, ScheduleEvent::KeyTreated { run, key, outcome })],
                false => vec![],
            })
        }
        ScheduleCommand::RecordStore { id, run, store, outcome } => {
            let is_recorded = state.schedules.runs.get(&run).is_some_and(|run| run.has_treated_store(store));
            Ok(match state.schedule(id)?.running == Some(run) && !is_recorded {
                true => vec![Event::Schedule(id, ScheduleEvent::StoreTreated { run, store, outcome })],
                false => vec![],
            })
        }
        ScheduleCommand::FinishRun { id, run, outcome } => Ok(match state.schedule(id)?.running == Some(run) {
            true => vec![Event::Schedule(id, ScheduleEvent::RunFinished { run, outcome })],
            false => vec![],
        }),
        ScheduleCommand::Delete { id, force } => delete(state, id, force),
    }
}

fn delete(state: &State, id: ScheduleId, force: bool) -> Result<Vec<Event>, Refusal> {
    let schedule = state.schedule(id)?;
    schedule.refuse_running()?;
    let keys: Vec<KeyId> = state.keys_under(id).collect();
    // A key that is gone or pending deletion is not rotated any more, so it does not keep its schedule.
    let keys_here = keys.iter().filter_map(|key| state.keys.get(key));
    let rotated = keys_here.filter(|key| !key.is_ending() && !state.is_gone(key)).count();
    if rotated > 0 && !force {
        return Err(ScheduleRefusal::HasKeys { schedule: schedule.name.clone(), keys: rotated }.into());
    }
    let stores: Vec<KeyStoreId> = state.stores_under(id).collect();
    let rotated = stores.iter().filter(|store| state.key_stores.get(store).is_some_and(|store| !store.gone)).count();
    if rotated > 0 && !force {
        return Err(ScheduleRefusal::HasStores { schedule: schedule.name.clone(), stores: rotated }.into());
    }
    let freed = keys.into_iter().map(|key| Event::Key(key, KeyEvent::RotationJobSet { job: None }));
    let off = |store| Event::KeyStore(store, KeyStoreEvent::RotationScheduleSet { schedule: None });
    Ok(freed.chain(stores.into_iter().map(off)).chain([Event::Schedule(id, ScheduleEvent::Deleted)]).collect())
}

impl ScheduleSettings {
    /// Checks the settings. KMSs that the schedule had before may have been deleted since.
    fn check(&self, state: &State, before: Option<&Self>) -> Result<(), Refusal> {
        if let (Some(start), Some(end)) = (self.start, self.end)
            && start > end
        {
            return Err(Refusal::Invalid { member: "end_date", problem: "must not be before start_date".to_owned() });
        }
        match &self.work {
            Work::Synchronize(SynchronizationPlan::Kms(ids)) => {
                let known = before.map(|before| &before.work);
                let is_new = |id: &&KmsId| match known {
                    Some(Work::Synchronize(SynchronizationPlan::Kms(before))) => !before.contains(id),
                    _ => true,
                };
                ids.iter().filter(is_new).try_for_each(|id| state.kms(*id).map(drop))
            }
            Work::WatchDrift(plan) => {
                let is_known =
                    before.is_some_and(|before| matches!(&before.work, Work::WatchDrift(was) if was.kms == plan.kms));
                if is_known { Ok(()) } else { state.kms(plan.kms).map(drop) }
            }
            Work::Synchronize(SynchronizationPlan::All)
            | Work::RotateKeys(_)
            | Work::RotateCredentials
            | Work::BackUp(_) => Ok(()),
        }
    }
}

impl Schedule {
    fn refuse_running(&self) -> Result<(), Refusal> {
        match self.running {
            Some(run) => Err(ScheduleRefusal::Running { schedule: self.name.clone(), run }.into()),
            None => Ok(()),
        }
    }
}

/// AWS's limit for imported material.
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
    /// Returns the settings after the patch.
    ///
    /// # Errors
    /// When the patch is for other work, names a KMS that does not exist, or leaves nothing to synchronise.
    pub fn patched(&self, state: &State, patch: SchedulePatch) -> Result<Self, Refusal> {
        let now = self.clone();
        now.work.refuse_params_of_other_work(&patch)?;
        let work = match now.work {
            Work::RotateKeys(plan) => Work::RotateKeys(plan.patched(patch.rotation.unwrap_or_default())?),
            Work::Synchronize(plan) => {
                Work::Synchronize(plan.patched(state, patch.synchronization.unwrap_or_default())?)
            }
            Work::RotateCredentials => Work::RotateCredentials,
            Work::WatchDrift(plan) => Work::WatchDrift(plan.patched(state, patch.watch.unwrap_or_default())?),
            Work::BackUp(plan) => Work::BackUp(plan.patched(patch.backup.unwrap_or_default())),
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

impl Work {
    /// Refuses parameters that belong to other work.
    fn refuse_params_of_other_work(&self, patch: &SchedulePatch) -> Result<(), Refusal> {
        let given = [
            ("cckm_key_rotation_params", patch.rotation.is_some(), matches!(self, Self::RotateKeys(_))),
            ("cckm_synchronization_params", patch.synchronization.is_some(), matches!(self, Self::Synchronize(_))),
            ("cckm_drift_watch_params", patch.watch.is_some(), matches!(self, Self::WatchDrift(_))),
            ("database_backup_params", patch.backup.is_some(), matches!(self, Self::BackUp(_))),
            (
                "cckm_xks_credential_rotation_params",
                patch.has_credential_params,
                matches!(self, Self::RotateCredentials),
            ),
        ];
        match given.into_iter().find(|(_, is_given, is_of_work)| *is_given && !is_of_work) {
            Some((member, ..)) => Err(invalid(member, format!("does not go with the operation {}", self.name()))),
            None => Ok(()),
        }
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
            return Err(invalid("expiration", "must be at most 365 days, AWS's limit"));
        }
        Ok(plan)
    }
}

impl WatchPlan {
    fn patched(self, state: &State, patch: WatchPatch) -> Result<Self, Refusal> {
        let kms = match patch.kms {
            Some(name) => state.kms_by_id_or_name(&name).map_err(|refusal| refusal.of("kms"))?.id,
            None => self.kms,
        };
        if kms.uuid().is_nil() {
            return Err(invalid("cckm_drift_watch_params.kms", "must be given"));
        }
        let log_group = patch.log_group.unwrap_or(self.log_group);
        if log_group.is_empty() {
            return Err(invalid("cckm_drift_watch_params.log_group", "must be given"));
        }
        let overlap_minutes = patch.overlap_minutes.unwrap_or(self.overlap_minutes);
        if !(1..=Self::OVERLAP_MINUTES_MAX).contains(&overlap_minutes) {
            let problem = format!("must be from 1 to {}", Self::OVERLAP_MINUTES_MAX);
            return Err(invalid("cckm_drift_watch_params.overlap_minutes", problem));
        }
        Ok(Self {
            kms,
            log_group,
            log_group_region: patch.log_group_region.over(self.log_group_region),
            overlap_minutes,
        })
    }
}

impl BackupPlan {
    /// The plan with the members that are given.
    #[must_use]
    pub fn patched(self, patch: BackupPatch) -> Self {
        Self {
            description: patch.description.unwrap_or(self.description),
            backup_key: patch.backup_key.unwrap_or(self.backup_key),
            connection: patch.connection.unwrap_or(self.connection),
            scope: patch.scope.unwrap_or(self.scope),
            retention_count: patch.retention_count.unwrap_or(self.retention_count),
            do_scp: patch.do_scp.unwrap_or(self.do_scp),
            tied_to_hsm: patch.tied_to_hsm.unwrap_or(self.tied_to_hsm),
            filters: patch.filters.or(self.filters),
        }
    }
}

impl SynchronizationPlan {
    fn patched(self, state: &State, patch: SynchronizationPatch) -> Result<Self, Refusal> {
        let plan = match patch {
            SynchronizationPatch::Keep => self,
            SynchronizationPatch::All => Self::All,
            SynchronizationPatch::Kms(names) => {
                let ids = names.iter().map(|name| Ok(state.kms_by_id_or_name(name)?.id));
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
