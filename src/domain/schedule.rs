//! Schedules and their runs. Two runs of one schedule never overlap. One run makes up for all times at which the
//! schedule was due while the program was not running.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::collection::{Collection, Named};
use super::cron::Cron;
use super::id::{JobId, KeyId, KeyStoreId, KmsId, ScheduleId};
use super::name::{JsonText, ScheduleName};
use super::place::Region;
use super::span::Span;
use super::table::Table;
use super::time::Time;
use imbl::Vector;
use patch::SchedulePatch;
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    pub id: ScheduleId,
    pub name: ScheduleName,
    pub settings: ScheduleSettings,
    /// The node that a client wants the runs on; it is kept for clients, and every run is on this node.
    pub run_on: String,
    /// The time up to which no run is outstanding.
    pub dealt_until: Time,
    /// The run in progress.
    pub running: Option<JobId>,
    /// The last runs, oldest first.
    pub runs: Vec<JobId>,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// The work of a schedule, and the times at which it is due.
#[derive(Clone, PartialEq, Debug)]
pub struct ScheduleSettings {
    pub description: String,
    pub run_at: Cron,
    /// The first moment at which the schedule may be due.
    pub start: Option<Time>,
    /// The last moment at which the schedule may be due.
    pub end: Option<Time>,
    /// Whether the schedule is never due.
    pub disabled: bool,
    pub work: Work,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Work {
    /// Rotate the keys that are under the schedule.
    RotateKeys(RotationPlan),
    /// Update the keys in the state from AWS.
    Synchronize(SynchronizationPlan),
    /// Rotate the credentials of the key stores that are under the schedule.
    RotateCredentials,
    /// Find what others changed at AWS, from the events of CloudTrail.
    WatchDrift(WatchPlan),
    /// Make a backup of the installation.
    BackUp(BackupPlan),
}

impl Work {
    const ROTATE_KEYS: &'static str = "cckm_key_rotation";
    const SYNCHRONIZE: &'static str = "cckm_synchronization";
    const ROTATE_CREDENTIALS: &'static str = "cckm_xks_credential_rotation";
    const WATCH_DRIFT: &'static str = "cckm_drift_watch";
    const BACK_UP: &'static str = "database_backup";

    /// The word that clients use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RotateKeys(_) => Self::ROTATE_KEYS,
            Self::Synchronize(_) => Self::SYNCHRONIZE,
            Self::RotateCredentials => Self::ROTATE_CREDENTIALS,
            Self::WatchDrift(_) => Self::WATCH_DRIFT,
            Self::BackUp(_) => Self::BACK_UP,
        }
    }

    /// Returns the name of the work that a client names so.
    pub fn name_of(text: &str) -> Option<&'static str> {
        let all = [Self::ROTATE_KEYS, Self::SYNCHRONIZE, Self::ROTATE_CREDENTIALS, Self::WATCH_DRIFT, Self::BACK_UP];
        all.into_iter().find(|name| *name == text)
    }
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RotationPlan {
    /// The validity of new material from source keys; `None` for unlimited.
    pub expiration: Option<Span>,
    /// Rotate only keys whose material expires within this time; `None` for all.
    pub expire_in: Option<Span>,
    /// Rotate only keys that were created or last rotated at least this long ago; `None` for all.
    pub rotation_after: Option<Span>,
    /// A key that is replaced keeps each alias, with a time stamp appended.
    pub retain_alias: bool,
    /// Rotate the material of the key, instead of replacing the key.
    pub rotate_material: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum SynchronizationPlan {
    All,
    Kms(Vec<KmsId>),
}

/// Where the events of a KMS are.
#[derive(Clone, PartialEq, Debug)]
pub struct WatchPlan {
    pub kms: KmsId,
    /// The CloudWatch log group to which a trail delivers.
    pub log_group: String,
    /// The region of the log group; `None` if each region of the KMS has one of that name.
    pub log_group_region: Option<Region>,
    /// How long before the end of the last run a run begins to read, in minutes: events arrive late.
    pub overlap_minutes: u32,
}

impl WatchPlan {
    pub const DEFAULT_OVERLAP_MINUTES: u32 = 60;
    /// The longest overlap, a day.
    pub const OVERLAP_MINUTES_MAX: u32 = 24 * 60;
}

/// The backup that a client wants. Members that only the vendor's manager can serve are kept, and fail the runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BackupPlan {
    pub description: String,
    /// The id of a backup key of the vendor's manager.
    pub backup_key: String,
    /// The id of a connection to a server that takes copies.
    pub connection: String,
    /// `system`, `domain`, or empty for the default, `system`.
    pub scope: String,
    /// The number of backups of the schedule to keep; 0 for the installation's setting.
    pub retention_count: u32,
    pub do_scp: bool,
    pub tied_to_hsm: bool,
    /// A choice of resources, as the client gave it.
    pub filters: Option<JsonText>,
}

impl BackupPlan {
    /// What is backed up.
    pub fn scope(&self) -> &str {
        if self.scope.is_empty() { "system" } else { &self.scope }
    }

    /// Why this plan cannot be carried out here; `None` if it can.
    pub fn unserved(&self) -> Option<String> {
        let has_filters = self.filters.as_ref().is_some_and(|filters| !matches!(filters.as_str(), "[]" | "null"));
        let wanted = [
            (!self.backup_key.is_empty(), format!("backupKey `{}` is not known here", self.backup_key)),
            (!self.connection.is_empty(), format!("connection `{}` is not known here", self.connection)),
            (self.do_scp, "do_scp: backups are not sent to other servers".to_owned()),
            (self.tied_to_hsm, "tiedToHSM: there is no HSM".to_owned()),
            (has_filters, "filters: a backup has everything".to_owned()),
            (!matches!(self.scope.as_str(), "" | "system"), format!("scope `{}`: a backup has everything", self.scope)),
        ];
        let reasons: Vec<String> = wanted.into_iter().filter(|(given, _)| *given).map(|(_, reason)| reason).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// The cause of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    Due(Time),
    /// The schedule was due while the program was not running.
    Missed(Time),
    /// A user requested the run.
    Asked,
}

/// One run of a schedule.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub id: JobId,
    pub schedule: ScheduleId,
    pub name: ScheduleName,
    /// The name of the work.
    pub operation: &'static str,
    pub cause: Cause,
    pub started: Time,
    /// The time and outcome of the end; `None` while the run is in progress.
    pub ended: Option<(Time, RunOutcome)>,
    /// The outcomes of the keys so far. There may be 100 000, so copies of the run share them.
    pub keys: Vector<(KeyId, KeyOutcome)>,
    /// The keys in `keys`, as a set.
    pub(crate) treated: imbl::HashSet<KeyId>,
    /// The outcomes of the key stores so far.
    pub stores: Vec<(KeyStoreId, StoreOutcome)>,
}

impl Run {
    /// Whether the outcome of this key is recorded.
    pub fn has_treated(&self, key: KeyId) -> bool {
        self.treated.contains(&key)
    }

    /// Whether the outcome of this key store is recorded.
    pub fn has_treated_store(&self, store: KeyStoreId) -> bool {
        self.stores.iter().any(|(treated, _)| *treated == store)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunOutcome {
    Done,
    /// A part of the work was not done, for this reason.
    Failed(String),
}

/// The outcome of one key in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyOutcome {
    MaterialRotated,
    ReplacedBy(KeyId),
    /// The key was not rotated, for this reason.
    Failed(String),
}

/// The outcome of one key store in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreOutcome {
    CredentialRotated,
    /// The credential was not rotated, for this reason.
    Failed(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum ScheduleEvent {
    Created {
        name: ScheduleName,
        settings: ScheduleSettings,
    },
    Updated {
        /// The complete new settings.
        settings: ScheduleSettings,
    },
    RunStarted {
        run: JobId,
        cause: Cause,
    },
    /// A run has processed a key.
    KeyTreated {
        run: JobId,
        key: KeyId,
        outcome: KeyOutcome,
    },
    RunFinished {
        run: JobId,
        outcome: RunOutcome,
    },
    /// The schedule was deleted. Its runs stay in the state.
    Deleted,
    /// A client asked for another node.
    RunOnChanged {
        to: String,
    },
    /// A run has processed a key store.
    StoreTreated {
        run: JobId,
        store: KeyStoreId,
        outcome: StoreOutcome,
    },
}

/// The `run_on` of a schedule that may run on any node, the default.
pub const ANY_NODE: &str = "any";

#[derive(Clone, Debug)]
pub enum ScheduleCommand {
    Create {
        id: ScheduleId,
        name: ScheduleName,
        settings: Box<ScheduleSettings>,
        run_on: Option<String>,
    },
    Update {
        id: ScheduleId,
        patch: Box<SchedulePatch>,
    },
    StartRun {
        id: ScheduleId,
        run: JobId,
        cause: Cause,
    },
    /// Record that a run has processed a key.
    RecordKey {
        id: ScheduleId,
        run: JobId,
        key: KeyId,
        outcome: KeyOutcome,
    },
    /// Record that a run has processed a key store.
    RecordStore {
        id: ScheduleId,
        run: JobId,
        store: KeyStoreId,
        outcome: StoreOutcome,
    },
    /// Record the end of a run.
    FinishRun {
        id: ScheduleId,
        run: JobId,
        outcome: RunOutcome,
    },
    Delete {
        id: ScheduleId,
        /// Delete the schedule even if keys or key stores are under it; they are then under none.
        force: bool,
    },
}

/// The maximum number of runs of a schedule in the state. The log has all runs.
pub const RUNS_MAX: usize = 100;

impl ScheduleSettings {
    /// Returns default settings with these times and this work.
    pub const fn new(run_at: Cron, work: Work) -> Self {
        Self { description: String::new(), run_at, start: None, end: None, disabled: false, work }
    }

    /// Returns the next runs after a moment, so many at most; none if it is disabled.
    pub fn next_runs(&self, after: Time, count: usize) -> Vec<Time> {
        self.runs(after, self.end, count)
    }

    /// Returns the runs after a moment, up to another one, so many at most; none if it is disabled.
    pub fn runs_until(&self, after: Time, until: Time, count: usize) -> Vec<Time> {
        self.runs(after, Some(self.end.map_or(until, |end| end.min(until))), count)
    }

    fn runs(&self, after: Time, end: Option<Time>, count: usize) -> Vec<Time> {
        if self.disabled {
            return Vec::new();
        }
        // The start itself counts.
        let from = self.start.map_or(after, |start| after.max(start.just_before()));
        self.run_at.next_runs(from, end, count)
    }

    /// Whether both settings are due at the same times.
    fn is_due_like(&self, other: &Self) -> bool {
        (&self.run_at, self.start, self.end, self.disabled) == (&other.run_at, other.start, other.end, other.disabled)
    }
}

impl Schedule {
    /// Returns the next time at which the schedule is due. It may be in the past. `None` if the schedule is never due
    /// again.
    pub fn next_due(&self) -> Option<Time> {
        self.next_due_from(self.dealt_until)
    }

    /// Returns the first time at which the schedule is going to be due that is not before this moment.
    pub fn next_due_from(&self, moment: Time) -> Option<Time> {
        self.settings.next_runs(self.dealt_until.max(moment.just_before()), 1).pop()
    }
}

impl Named for Schedule {
    type Id = ScheduleId;
    type Name = ScheduleName;

    fn id(&self) -> ScheduleId {
        self.id
    }

    fn name(&self) -> ScheduleName {
        self.name.clone()
    }
}

/// All schedules, and their last runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedules {
    pub all: Collection<Schedule>,
    /// The runs, in the order in which they began.
    pub runs: Table<JobId, Run>,
    /// The runs of deleted schedules, oldest first.
    ownerless: imbl::Vector<JobId>,
}

/// The maximum number of runs of deleted schedules in the state.
const OWNERLESS_MAX: usize = 1000;

impl Schedules {
    /// Restores schedules and runs from a snapshot, in their order.
    pub fn restored(schedules: Vec<Schedule>, remembered: Vec<Run>, ownerless: Vec<JobId>) -> Self {
        let mut runs = Table::default();
        remembered.into_iter().for_each(|run| runs.insert(run.id, run));
        Self { all: schedules.into_iter().collect(), runs, ownerless: ownerless.into_iter().collect() }
    }

    /// Returns the runs of deleted schedules, oldest first.
    pub fn ownerless(&self) -> impl Iterator<Item = &JobId> {
        self.ownerless.iter()
    }

    pub fn named(&self, name: &ScheduleName) -> Option<&Arc<Schedule>> {
        self.all.named(name)
    }

    pub fn apply(&mut self, at: Time, id: ScheduleId, event: &ScheduleEvent) {
        match event {
            ScheduleEvent::Created { name, settings } => {
                let schedule = Schedule {
                    id,
                    name: name.clone(),
                    settings: settings.clone(),
                    run_on: ANY_NODE.to_owned(),
                    dealt_until: at,
                    running: None,
                    runs: Vec::new(),
                    created: at,
                    updated: at,
                };
                self.all.insert(schedule);
            }
            ScheduleEvent::Updated { settings } => self.all.change(&id, |schedule| {
                // No run makes up for past times of the new settings.
                if !schedule.settings.is_due_like(settings) {
                    schedule.dealt_until = at;
                }
                schedule.settings = settings.clone();
                schedule.updated = at;
            }),
            ScheduleEvent::RunOnChanged { to } => self.all.change(&id, |schedule| {
                schedule.run_on = to.clone();
                schedule.updated = at;
            }),
            ScheduleEvent::RunStarted { run, cause } => self.start(at, id, *run, *cause),
            ScheduleEvent::KeyTreated { run, key, outcome } => {
                self.runs.change(run, |run| {
                    run.keys.push_back((*key, outcome.clone()));
                    run.treated.insert(*key);
                });
            }
            ScheduleEvent::StoreTreated { run, store, outcome } => {
                self.runs.change(run, |run| run.stores.push((*store, outcome.clone())));
            }
            ScheduleEvent::RunFinished { run, outcome } => {
                self.runs.change(run, |run| run.ended = Some((at, outcome.clone())));
                self.all.change(&id, |schedule| schedule.running = None);
            }
            ScheduleEvent::Deleted => {
                if let Some(schedule) = self.all.remove(&id) {
                    self.ownerless.extend(schedule.runs.iter().copied());
                }
                while self.ownerless.len() > OWNERLESS_MAX {
                    let oldest = self.ownerless.pop_front();
                    oldest.and_then(|run| self.runs.remove(&run));
                }
            }
        }
    }

    fn start(&mut self, at: Time, id: ScheduleId, run: JobId, cause: Cause) {
        let Some(schedule) = self.all.get(&id) else { return };
        let (name, operation) = (schedule.name.clone(), schedule.settings.work.name());
        let begun = Run {
            id: run,
            schedule: id,
            name,
            operation,
            cause,
            started: at,
            ended: None,
            keys: Vector::new(),
            treated: Default::default(),
            stores: Vec::new(),
        };
        self.runs.insert(run, begun);
        let mut forgotten = None;
        self.all.change(&id, |schedule| {
            schedule.running = Some(run);
            schedule.runs.push(run);
            if schedule.runs.len() > RUNS_MAX {
                forgotten = Some(schedule.runs.remove(0));
            }
            if cause != Cause::Asked {
                schedule.dealt_until = at;
            }
        });
        if let Some(forgotten) = forgotten {
            self.runs.remove(&forgotten);
        }
    }
}

#[cfg(test)]
mod tests;
