//! The use cases of backups: ask for one, list, view, download and delete them. Schedules make theirs here too. The log
//! has who made and who deleted each; the files are what `files` knows.

use super::Backups;
use crate::domain::backup::{Backup, BackupCommand, BackupFile, BackupStatus};
use crate::domain::command::Command;
use crate::domain::id::{BackupId, JobId, ScheduleId};
use crate::domain::refusal::BackupRefusal;
use crate::domain::schedule::{BackupPlan, RunOutcome};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::ledger::Committed;
use crate::service::access::{Administer, Permit};
use crate::service::caller::{Caller, Change, RequestContext};
use crate::service::failure::Failure;
use crate::service::list::{Candidates, Field, Listed, Page, Query, page};
use crate::service::recorder::Recorder;
use crate::service::system_change;
use std::fs::File;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The number of backups at which no more are begun by hand.
const MOST: usize = 1000;

/// The beginning of the reason of a run that made its backup only.
const MADE_BUT_NOT_DELETED: &str = "the backup was made, but older ones were not deleted";

/// The use cases of backups. Cheap to clone.
#[derive(Clone)]
pub struct BackupJobs {
    recorder: Recorder,
    backups: Backups,
    /// One backup is made at a time.
    turn: Arc<Semaphore>,
    /// Makes backups independently of the requests for them.
    runtime: Handle,
}

impl BackupJobs {
    pub(in crate::service) fn new(recorder: Recorder, backups: Backups, runtime: Handle) -> Self {
        Self { recorder, backups, turn: Arc::new(Semaphore::new(1)), runtime }
    }

    /// Begins to make a backup. What the plan asks for and is not served here ends it with the reason.
    ///
    /// # Errors
    /// When there are too many backups.
    pub async fn create(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        plan: BackupPlan,
    ) -> Result<Arc<Backup>, Failure> {
        let (change, id) = (permit.caller().change(context), BackupId::new(Uuid::new_v4()));
        let request = BackupCommand::Request { id, plan, schedule: None, most: MOST };
        let committed = self.command(&change, request).await?;
        let backup = committed.published.state.backup(id)?.clone();
        if !change.dry_run {
            let (jobs, backup, change) = (self.clone(), backup.clone(), change.done());
            self.runtime.spawn(async move {
                if let Err(failure) = jobs.make(&change, &backup).await {
                    tracing::error!(backup = %backup.id, %failure, "the end of a backup could not be recorded");
                }
            });
        }
        Ok(backup)
    }

    /// Lists the backups.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<Administer>, query: &Query) -> Result<Page<Backup>, Failure> {
        page(permit.caller(), query).await
    }

    /// Returns one backup.
    ///
    /// # Errors
    /// When there is no such backup.
    pub fn get(&self, permit: &Permit<Administer>, id: BackupId) -> Result<Arc<Backup>, Failure> {
        Ok(permit.caller().published.state.backup(id)?.clone())
    }

    /// Whether the file of a backup that was made is gone, or has another length.
    pub fn is_file_gone(&self, backup: &Backup) -> bool {
        backup.file().is_some_and(|file| !self.backups.has(file))
    }

    /// Opens the file of a backup.
    ///
    /// # Errors
    /// When there is none.
    pub async fn open(&self, permit: &Permit<Administer>, id: BackupId) -> Result<(BackupFile, File), Failure> {
        let backup = self.get(permit, id)?;
        let file = match &backup.status {
            BackupStatus::Completed(file) => file.clone(),
            BackupStatus::InProgress => return Err(refused(BackupRefusal::InProgress(id.to_string()))),
            BackupStatus::Failed(_) => return Err(refused(BackupRefusal::NotMade(id.to_string()))),
        };
        let (backups, wanted) = (self.backups.clone(), file.clone());
        let open = tokio::task::spawn_blocking(move || backups.open(&wanted)).await.ok().flatten();
        Ok((file, open.ok_or_else(|| refused(BackupRefusal::FileGone(id.to_string())))?))
    }

    /// Deletes a backup, its file first.
    ///
    /// # Errors
    /// When it is in progress, or the disk fails.
    pub async fn delete(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        id: BackupId,
    ) -> Result<(), Failure> {
        let change = permit.caller().change(context);
        // Refuses what may not be deleted, before the file goes.
        self.command(&Change { dry_run: true, ..change.clone() }, BackupCommand::Delete { id }).await?;
        if !change.dry_run {
            self.remove_recorded(&change, id).await?;
        }
        Ok(())
    }

    /// Makes the backup of a run of a schedule, and deletes those of the schedule beyond the ones to keep.
    ///
    /// # Errors
    /// When the log fails.
    pub(in crate::service) async fn run(
        &self,
        change: &Change,
        schedule: ScheduleId,
        run: JobId,
        plan: &BackupPlan,
    ) -> Result<RunOutcome, Failure> {
        // The backup of a run that continues after a restart is the same one.
        let (id, plan) = (BackupId::new(run.uuid()), plan.clone());
        let keep = self.backups.keep(plan.retention_count);
        let request = BackupCommand::Request { id, plan, schedule: Some(schedule), most: usize::MAX };
        let backup = match self.command(change, request).await {
            Ok(committed) => committed.published.state.backup(id)?.clone(),
            Err(Failure::Refused(refusal)) => return Ok(RunOutcome::Failed(refusal.to_string())),
            Err(failure) => return Err(failure),
        };
        let outcome = match &backup.status {
            BackupStatus::InProgress => self.make(change, &backup).await?,
            // The program ended after the backup had: making it again would remove its file.
            BackupStatus::Completed(_) => RunOutcome::Done,
            BackupStatus::Failed(reason) => RunOutcome::Failed(reason.clone()),
        };
        // After a failure, older ones stay; only the list of failures is cut.
        for made in [true, false].into_iter().filter(|made| !made || outcome == RunOutcome::Done) {
            for old in self.beyond(schedule, made, keep) {
                match self.remove_recorded(change, old).await {
                    Ok(()) => {}
                    // The run must end: a schedule with an open run does not begin another.
                    Err(Failure::Disk(problem)) => {
                        return Ok(RunOutcome::Failed(format!("{MADE_BUT_NOT_DELETED}: {problem}")));
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        if outcome == RunOutcome::Done {
            let backups = self.backups.clone();
            let pruned = tokio::task::spawn_blocking(move || backups.prune(schedule, keep)).await;
            if let Ok(Err(error)) = pruned {
                return Ok(RunOutcome::Failed(format!("{MADE_BUT_NOT_DELETED}: {error}")));
            }
        }
        Ok(outcome)
    }

    /// Records the end of backups that were in progress when the program ended. Those of schedules continue with their
    /// runs.
    pub(in crate::service) fn end_interrupted(&self) {
        let jobs = self.clone();
        self.runtime.spawn(async move {
            let published = jobs.recorder.state();
            let open = published.state.backups.iter().filter(|backup| backup.is_in_progress());
            for id in open.filter(|backup| backup.schedule.is_none()).map(|backup| backup.id) {
                let backups = jobs.backups.clone();
                let removed = tokio::task::spawn_blocking(move || backups.remove(id)).await;
                if !matches!(removed, Ok(Ok(()))) {
                    tracing::warn!(backup = %id, ?removed, "the file of an interrupted backup could not be removed");
                }
                let reason = "the program ended before the backup was complete".to_owned();
                if let Err(failure) = jobs.command(&system_change("backup"), BackupCommand::Fail { id, reason }).await {
                    tracing::error!(backup = %id, %failure, "the end of a backup could not be recorded");
                }
            }
        });
    }

    /// Makes the file of a backup and records the end.
    async fn make(&self, change: &Change, backup: &Backup) -> Result<RunOutcome, Failure> {
        let (id, schedule) = (backup.id, backup.schedule);
        let made = match backup.plan.unserved() {
            Some(reason) => Err(reason),
            None => {
                let turn = self.turn.clone().acquire_owned().await;
                let backups = self.backups.clone();
                let made = tokio::task::spawn_blocking(move || {
                    // The work continues if the task ends, so it keeps its turn.
                    let _turn = turn;
                    backups.make(id, schedule)
                });
                match made.await {
                    Ok(made) => made.map_err(|error| error.to_string()),
                    Err(error) => Err(format!("the backup ended early: {error}")),
                }
            }
        };
        let (command, outcome) = match made {
            Ok(file) => {
                tracing::info!(backup = %id, file = file.name, "a backup was made");
                (BackupCommand::Complete { id, file }, RunOutcome::Done)
            }
            Err(reason) => {
                tracing::warn!(backup = %id, reason, "a backup ended in an error");
                (BackupCommand::Fail { id, reason: reason.clone() }, RunOutcome::Failed(reason))
            }
        };
        self.command(change, command).await?;
        Ok(outcome)
    }

    /// The backups of a schedule that were made, or that failed, beyond the newest ones.
    fn beyond(&self, schedule: ScheduleId, made: bool, keep: usize) -> Vec<BackupId> {
        let published = self.recorder.state();
        let of_schedule = published.state.backups.iter().filter(|backup| backup.schedule == Some(schedule));
        let ended = of_schedule.filter(|backup| !backup.is_in_progress() && backup.file().is_some() == made);
        let mut ended: Vec<_> = ended.map(|backup| (backup.created, backup.id)).collect();
        ended.sort_by_key(|(created, _)| *created);
        let beyond = ended.len().saturating_sub(keep);
        ended.into_iter().take(beyond).map(|(_, id)| id).collect()
    }

    /// Removes the file of a backup, and records its deletion.
    async fn remove_recorded(&self, change: &Change, id: BackupId) -> Result<(), Failure> {
        let backups = self.backups.clone();
        match tokio::task::spawn_blocking(move || backups.remove(id)).await {
            Ok(Ok(())) => {}
            removed => {
                tracing::error!(backup = %id, ?removed, "the file of a backup could not be removed");
                return Err(Failure::Disk("the file of the backup could not be removed"));
            }
        }
        self.command(change, BackupCommand::Delete { id }).await.map(drop)
    }

    async fn command(&self, change: &Change, command: BackupCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Backup(command)).await
    }
}

fn refused(refusal: BackupRefusal) -> Failure {
    Failure::Refused(refusal.into())
}

impl Listed for Backup {
    type Rows = Table<BackupId, Self>;
    const SORTS: &'static [&'static str] = &["id", "status", "scope", "jobConfigID", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "status", "scope", "jobConfigID"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[("status", BackupStatus::NAMES)];
    const SEARCHES: &'static [&'static str] = &["id", "jobConfigID"];
    const IDENTITIES: &'static [&'static str] = &["id"];

    fn rows(state: &State) -> &Self::Rows {
        &state.backups
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(BackupId::parse(value).into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "status" => Field::Text(self.status.name().to_owned()),
            "scope" => Field::Text(self.plan.scope().to_owned()),
            "jobConfigID" => self.schedule.map_or(Field::Absent, |id| Field::Text(id.to_string())),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
