//! Schedules: create, view, change and delete them. `runner` starts the runs that are due; `rotation`, `credentials`,
//! `synchronization` and `drift` do the work of a run. The log names the schedule as the actor of all changes by
//! a run.

mod credentials;
mod drift;
mod list;
mod rotation;
mod runner;
mod synchronization;
#[cfg(test)]
mod tests;

pub use list::{cause, status};

use super::access::{self, ManageSchedules, Permit, SignedIn};
use super::backups::BackupJobs;
use super::caller::{Caller, Change, RequestContext};
use super::cloud::Cloud;
use super::failure::Failure;
use super::key_stores::KeyStores;
use super::keys::Keys;
use super::list::{Page, Query, page, pool};
use super::recorder::Recorder;
use super::sync_jobs::SyncJobs;
use super::trail::Trails;
use crate::domain::command::Command;
use crate::domain::id::{JobId, KmsId, ScheduleId};
use crate::domain::key::index::Term;
use crate::domain::name::ScheduleName;
use crate::domain::refusal::ScheduleRefusal;
use crate::domain::schedule::patch::SchedulePatch;
use crate::domain::schedule::{
    Cause, KeyOutcome, Run, Schedule, ScheduleCommand, ScheduleSettings, StoreOutcome, SynchronizationPlan, Work,
};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::ledger::Committed;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::runtime::Handle;
use uuid::Uuid;

/// The use cases of schedules. Cheap to clone.
#[derive(Clone)]
pub struct Schedules {
    recorder: Recorder,
    keys: Keys,
    key_stores: KeyStores,
    sync_jobs: SyncJobs,
    cloud: Arc<Cloud>,
    trails: Trails,
    backups: BackupJobs,
    /// Executes runs independently of the requests for them.
    runtime: Handle,
    options: Options,
}

/// Settings of the installation.
#[derive(Clone, Copy)]
pub(super) struct Options {
    /// Whether the deletion of a schedule takes its keys off it, unless the request says otherwise.
    pub release_keys_on_delete: bool,
    /// The time in seconds after which a key that AWS does not show counts as never created.
    pub consistency_wait_seconds: i64,
}

/// A schedule as one caller may view it.
pub struct ScheduleSeen {
    pub schedule: Arc<Schedule>,
    /// The number of its keys that the caller may view; `None` if it is not known, as of the past.
    pub keys: Option<usize>,
    /// The number of its key stores that the caller may view.
    pub stores: Option<usize>,
    /// Those of its KMSs that the caller may view.
    pub kms: Vec<KmsId>,
    /// The last run, as far as the caller may view it.
    pub last_run: Option<LastRun>,
    pub next_runs: Vec<Time>,
}

/// The last run of a schedule.
pub struct LastRun {
    pub run: Arc<Run>,
    /// The numbers of keys and key stores that the caller may view, whose work succeeded and failed.
    pub succeeded: usize,
    pub failed: usize,
}

/// The number of next runs that are shown.
pub const NEXT_RUNS: usize = 5;

/// The keys and key stores of schedules, as far as one caller may view them.
pub struct Coverage {
    caller: Caller,
    /// The number of keys and of key stores.
    counts: HashMap<ScheduleId, (usize, usize)>,
}

impl Schedules {
    pub(super) fn new(
        recorder: Recorder,
        keys: Keys,
        key_stores: KeyStores,
        sync_jobs: SyncJobs,
        (cloud, trails, backups): (Arc<Cloud>, Trails, BackupJobs),
        runtime: Handle,
        options: Options,
    ) -> Self {
        Self { recorder, keys, key_stores, sync_jobs, cloud, trails, backups, runtime, options }
    }

    /// Creates a schedule with these settings, changed by the patch.
    ///
    /// # Errors
    /// When the name is in use, or the settings contradict themselves.
    pub async fn create(
        &self,
        permit: &Permit<ManageSchedules>,
        context: &RequestContext,
        name: ScheduleName,
        settings: ScheduleSettings,
        patch: SchedulePatch,
    ) -> Result<ScheduleSeen, Failure> {
        let run_on = patch.run_on.clone();
        let settings = settings.patched(&permit.caller().published.state, patch)?;
        let caller = access::for_work(permit, settings.work.clone())?;
        let id = ScheduleId::new(Uuid::new_v4());
        self.command(&caller, context, id, ScheduleCommand::Create { id, name, settings: Box::new(settings), run_on })
            .await
    }

    /// Lists the schedules. Every signed-in user may, to choose a schedule for a key.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<Schedule>, Coverage), Failure> {
        let page = page(permit.caller(), query).await?;
        let caller = permit.caller().clone();
        let cover = move || {
            let all: Vec<_> = caller.published.state.schedules.all.iter().map(|schedule| schedule.id).collect();
            Coverage::of(&caller, &all)
        };
        Ok((page, pool::run(cover).await?))
    }

    /// Returns one schedule.
    ///
    /// # Errors
    /// When there is no such schedule.
    pub fn get(&self, permit: &Permit<SignedIn>, id: ScheduleId) -> Result<ScheduleSeen, Failure> {
        let caller = permit.caller();
        let schedule = caller.published.state.schedule(id)?.clone();
        Ok(Coverage::of(caller, &[schedule.id]).seen(schedule))
    }

    /// Changes the settings of a schedule.
    ///
    /// # Errors
    /// When there is no such schedule, its name or its kind of work would change, or the settings would contradict
    /// themselves.
    pub async fn update(
        &self,
        permit: &Permit<ManageSchedules>,
        context: &RequestContext,
        id: ScheduleId,
        patch: SchedulePatch,
    ) -> Result<ScheduleSeen, Failure> {
        let caller = access::for_schedule(permit, id)?;
        self.command(&caller, context, id, ScheduleCommand::Update { id, patch: Box::new(patch) }).await
    }

    /// Deletes a schedule. With `force`, its keys and key stores are removed from it first; without a value the setting
    /// decides.
    ///
    /// # Errors
    /// When it is running, or it has keys or key stores that are not to be removed.
    pub async fn delete(
        &self,
        permit: &Permit<ManageSchedules>,
        context: &RequestContext,
        id: ScheduleId,
        force: Option<bool>,
    ) -> Result<(), Failure> {
        let force = force.unwrap_or(self.options.release_keys_on_delete);
        let change = access::for_schedule(permit, id)?.change(context);
        self.append(&change, ScheduleCommand::Delete { id, force }).await.map(drop)
    }

    /// Starts a run now, and returns it.
    ///
    /// # Errors
    /// When there is no such schedule, or it is already running.
    pub async fn run_now(
        &self,
        permit: &Permit<ManageSchedules>,
        context: &RequestContext,
        id: ScheduleId,
    ) -> Result<Arc<Run>, Failure> {
        let change = access::for_schedule(permit, id)?.change(context);
        let (run, committed) = self.record_start(&change, id, Cause::Asked).await?;
        let started = run_of(&committed.published.state, run)?;
        if !change.dry_run {
            drop(self.spawn_run(id, run));
        }
        Ok(started)
    }

    /// Returns the next runs of a schedule that does not exist yet.
    pub fn preview(&self, _: &Permit<SignedIn>, settings: &ScheduleSettings) -> Vec<Time> {
        settings.next_runs(self.recorder.now(), NEXT_RUNS)
    }

    /// Lists the retained runs of all schedules.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn runs(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<Run>, Caller), Failure> {
        let caller = permit.caller();
        Ok((page(caller, query).await?, caller.clone()))
    }

    /// Returns one run.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn run(&self, permit: &Permit<SignedIn>, id: JobId) -> Result<(Arc<Run>, Caller), Failure> {
        let caller = permit.caller();
        Ok((run_of(&caller.published.state, id)?, caller.clone()))
    }

    async fn command(
        &self,
        caller: &Caller,
        context: &RequestContext,
        id: ScheduleId,
        command: ScheduleCommand,
    ) -> Result<ScheduleSeen, Failure> {
        let committed = self.append(&caller.change(context), command).await?;
        let schedule = committed.published.state.schedule(id)?.clone();
        Ok(Coverage::of(caller, &[schedule.id]).seen(schedule))
    }

    async fn append(&self, change: &Change, command: ScheduleCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Schedule(command)).await
    }
}

impl Coverage {
    fn of(caller: &Caller, schedules: &[ScheduleId]) -> Self {
        let state = &caller.published.state;
        let count = |id: &ScheduleId| {
            let keys = state.keys.find(Term::Schedule(*id)).into_iter();
            let keys = keys.filter(|key| access::sees_key(&caller.user, state, key)).count();
            let stores = state.stores_under(*id).filter_map(|store| state.key_stores.get(&store));
            let stores = stores.filter(|store| access::sees_key_store(&caller.user, state, store)).count();
            (*id, (keys, stores))
        };
        Self { caller: caller.clone(), counts: schedules.iter().map(count).collect() }
    }

    /// Of schedules of the past, whose keys and key stores are not counted.
    pub(in crate::service) fn unknown(caller: &Caller) -> Self {
        Self { caller: caller.clone(), counts: HashMap::new() }
    }

    /// Returns a schedule as the caller may view it.
    pub fn seen(&self, schedule: Arc<Schedule>) -> ScheduleSeen {
        let sees = |kms: &&KmsId| access::sees_kms_of(&self.caller.user, &self.caller.published.state, **kms);
        let kms = match &schedule.settings.work {
            Work::Synchronize(SynchronizationPlan::Kms(kms)) => kms.iter().filter(sees).copied().collect(),
            Work::WatchDrift(plan) => [plan.kms].iter().filter(sees).copied().collect(),
            Work::Synchronize(SynchronizationPlan::All)
            | Work::RotateKeys(_)
            | Work::RotateCredentials
            | Work::BackUp(_) => Vec::new(),
        };
        let (keys, stores) = self.counts.get(&schedule.id).copied().unzip();
        // The runs of the past are not those of the state.
        let last_run = keys.and_then(|_| self.last_run(&schedule));
        let next_runs = schedule.settings.next_runs(schedule.dealt_until, NEXT_RUNS);
        ScheduleSeen { keys, stores, kms, last_run, next_runs, schedule }
    }

    fn last_run(&self, schedule: &Schedule) -> Option<LastRun> {
        let (user, state) = (&self.caller.user, &self.caller.published.state);
        let run = state.schedules.runs.get(schedule.runs.last()?)?.clone();
        let keys = run.keys.iter().filter(|(key, _)| access::sees_key_of(user, state, *key));
        let keys = keys.map(|(_, outcome)| matches!(outcome, KeyOutcome::Failed(_)));
        let sees = |id| state.key_stores.get(&id).is_some_and(|store| access::sees_key_store(user, state, store));
        let stores = run.stores.iter().filter(|(store, _)| sees(*store));
        let stores = stores.map(|(_, outcome)| matches!(outcome, StoreOutcome::Failed(_)));
        let (mut succeeded, mut failed) = (0, 0);
        keys.chain(stores).for_each(|has_failed| *(if has_failed { &mut failed } else { &mut succeeded }) += 1);
        Some(LastRun { run, succeeded, failed })
    }
}

fn run_of(state: &State, id: JobId) -> Result<Arc<Run>, Failure> {
    let run = state.schedules.runs.get(&id).cloned();
    run.ok_or_else(|| ScheduleRefusal::RunUnknown(id.to_string()).into())
}
