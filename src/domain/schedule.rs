//! Schedules: work that is done by itself when it is due, and the runs in which it was done. Two runs of one schedule
//! are never at the same time, and what was missed while nobody was there is made up for by one run.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::collection::{Collection, Named};
use super::cron::Cron;
use super::id::{JobId, KeyId, KmsId, ScheduleId};
use super::name::ScheduleName;
use super::span::Span;
use super::table::Table;
use super::time::Time;
use imbl::Vector;
use patch::SchedulePatch;
use std::sync::Arc;

/// A schedule as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    pub id: ScheduleId,
    pub name: ScheduleName,
    /// What it does, and when.
    pub settings: ScheduleSettings,
    /// Whatever was due up to here is dealt with.
    pub dealt_until: Time,
    /// Its run that is under way.
    pub running: Option<JobId>,
    /// Its runs that are still remembered, oldest first.
    pub runs: Vec<JobId>,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// What a schedule does, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct ScheduleSettings {
    pub description: String,
    pub run_at: Cron,
    /// It is not due before; none: from the beginning.
    pub start: Option<Time>,
    /// It is not due after; none: for ever.
    pub end: Option<Time>,
    /// It is not due at all.
    pub disabled: bool,
    pub work: Work,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Work {
    /// Rotates the keys that are under it.
    RotateKeys(RotationPlan),
    /// Brings what is known here in line with AWS.
    Synchronize(SynchronizationPlan),
}

impl Work {
    const ROTATE_KEYS: &'static str = "cckm_key_rotation";
    const SYNCHRONIZE: &'static str = "cckm_synchronization";

    /// The word that clients use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RotateKeys(_) => Self::ROTATE_KEYS,
            Self::Synchronize(_) => Self::SYNCHRONIZE,
        }
    }

    /// The name of some work that is written so.
    pub fn name_of(text: &str) -> Option<&'static str> {
        [Self::ROTATE_KEYS, Self::SYNCHRONIZE].into_iter().find(|name| *name == text)
    }
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RotationPlan {
    /// New material that comes from here lasts so long; none: for ever.
    pub expiration: Option<Span>,
    /// Only keys whose material lasts no longer than so; none: all.
    pub expire_in: Option<Span>,
    /// Only keys that were made or rotated so long ago; none: all.
    pub rotation_after: Option<Span>,
    /// A key that is replaced keeps each alias with a time stamp behind it.
    pub retain_alias: bool,
    /// The key stays, and gets new material; otherwise a new key takes its place.
    pub rotate_material: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum SynchronizationPlan {
    All,
    Kms(Vec<KmsId>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    Due(Time),
    /// It had been due while the program was not running.
    Missed(Time),
    Asked,
}

/// One run of a schedule.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub id: JobId,
    pub schedule: ScheduleId,
    pub name: ScheduleName,
    /// What was done: the work's name.
    pub operation: &'static str,
    pub cause: Cause,
    pub started: Time,
    /// When and how it ended; none: it goes on.
    pub ended: Option<(Time, RunOutcome)>,
    /// What became of each key so far. There may be 100 000: a copy of the run shares them.
    pub keys: Vector<(KeyId, KeyOutcome)>,
    pub(crate) treated: imbl::HashSet<KeyId>,
}

impl Run {
    /// Is it written down what became of this key?
    pub fn has_treated(&self, key: KeyId) -> bool {
        self.treated.contains(&key)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunOutcome {
    Done,
    /// Not all was done, and why.
    Failed(String),
}

/// What became of one key in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyOutcome {
    MaterialRotated,
    /// This key has taken its place.
    ReplacedBy(KeyId),
    /// It was not rotated, and why.
    Failed(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum ScheduleEvent {
    Created {
        name: ScheduleName,
        /// What it does, and when.
        settings: ScheduleSettings,
    },
    /// It does something else, or at other times.
    Updated {
        /// All of it, as it is now.
        settings: ScheduleSettings,
    },
    RunStarted {
        run: JobId,
        cause: Cause,
    },
    /// A run was done with one key.
    KeyTreated {
        run: JobId,
        key: KeyId,
        outcome: KeyOutcome,
    },
    RunFinished {
        run: JobId,
        outcome: RunOutcome,
    },
    /// The schedule is no more. Its runs are remembered.
    Deleted,
}

/// What can be asked of schedules.
#[derive(Clone, Debug)]
pub enum ScheduleCommand {
    Create {
        id: ScheduleId,
        name: ScheduleName,
        /// What it is to do, and when.
        settings: ScheduleSettings,
    },
    /// Let it do something else, or at other times.
    Update {
        id: ScheduleId,
        patch: Box<SchedulePatch>,
    },
    StartRun {
        id: ScheduleId,
        run: JobId,
        cause: Cause,
    },
    /// Write down that a run is done with a key.
    NoteKey {
        id: ScheduleId,
        run: JobId,
        key: KeyId,
        outcome: KeyOutcome,
    },
    /// Write down that a run has ended.
    FinishRun {
        id: ScheduleId,
        run: JobId,
        outcome: RunOutcome,
    },
    Delete {
        id: ScheduleId,
        /// Keys that are under it are under none then.
        force: bool,
    },
}

/// So many runs of a schedule are remembered; the log has them all.
pub const RUNS_MAX: usize = 100;

impl ScheduleSettings {
    /// Returns the settings of a new schedule of which only this much is known.
    pub const fn new(run_at: Cron, work: Work) -> Self {
        Self { description: String::new(), run_at, start: None, end: None, disabled: false, work }
    }

    /// Do the two come due at the same times?
    fn is_due_like(&self, other: &Self) -> bool {
        (&self.run_at, self.start, self.end, self.disabled) == (&other.run_at, other.start, other.end, other.disabled)
    }
}

impl Schedule {
    /// When it is due next, which may have been a while ago; none: never again.
    pub fn next_due(&self) -> Option<Time> {
        let ScheduleSettings { run_at, start, end, disabled, .. } = &self.settings;
        if *disabled {
            return None;
        }
        // Being due exactly at the start counts.
        let from = start.map_or(self.dealt_until, |start| self.dealt_until.max(start.just_before()));
        run_at.next_after(from).filter(|due| end.is_none_or(|end| *due <= end))
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

/// All schedules, and the runs that are remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedules {
    pub all: Collection<Schedule>,
    /// Their runs, in the order in which they began.
    pub runs: Table<JobId, Run>,
    /// Runs of schedules that are gone, the oldest first.
    ownerless: imbl::Vector<JobId>,
}

/// So many runs of schedules that are gone are remembered.
const OWNERLESS_MAX: usize = 1000;

impl Schedules {
    /// Puts schedules and runs together again, in their order.
    pub fn restored(schedules: Vec<Schedule>, remembered: Vec<Run>, ownerless: Vec<JobId>) -> Self {
        let mut runs = Table::default();
        remembered.into_iter().for_each(|run| runs.insert(run.id, run));
        Self { all: schedules.into_iter().collect(), runs, ownerless: ownerless.into_iter().collect() }
    }

    /// Returns the runs of schedules that are gone, the oldest first.
    pub fn ownerless(&self) -> impl Iterator<Item = &JobId> {
        self.ownerless.iter()
    }

    /// The schedule of this name.
    pub fn named(&self, name: &ScheduleName) -> Option<&Arc<Schedule>> {
        self.all.named(name)
    }

    /// Takes in what has happened.
    pub fn apply(&mut self, at: Time, id: ScheduleId, event: &ScheduleEvent) {
        match event {
            ScheduleEvent::Created { name, settings } => {
                let schedule = Schedule {
                    id,
                    name: name.clone(),
                    settings: settings.clone(),
                    dealt_until: at,
                    running: None,
                    runs: Vec::new(),
                    created: at,
                    updated: at,
                };
                self.all.insert(schedule);
            }
            ScheduleEvent::Updated { settings } => self.all.change(&id, |schedule| {
                // What would have been due by the new times in the past is not made up for.
                if !schedule.settings.is_due_like(settings) {
                    schedule.dealt_until = at;
                }
                schedule.settings = settings.clone();
                schedule.updated = at;
            }),
            ScheduleEvent::RunStarted { run, cause } => self.start(at, id, *run, *cause),
            ScheduleEvent::KeyTreated { run, key, outcome } => {
                self.runs.change(run, |run| {
                    run.keys.push_back((*key, outcome.clone()));
                    run.treated.insert(*key);
                });
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
