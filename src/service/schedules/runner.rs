//! The runner: starts the runs that are due, and after a restart resumes the interrupted ones. The domain, not this
//! module, refuses a second run of the same schedule at the same time.

use super::Schedules;
use crate::domain::event::Actor;
use crate::domain::id::{JobId, ScheduleId};
use crate::domain::schedule::{Cause, RunOutcome, ScheduleCommand, Work};
use crate::domain::time::Time;
use crate::ledger::Committed;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use crate::service::system_change;
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The maximum pause before the clock is read again. The clock can be set, and the machine can be suspended.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// The pause after a run that is due could not be started.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Schedules {
    /// Starts the task that runs schedules.
    pub(in crate::service) fn run_forever(&self) {
        let schedules = self.clone();
        let started = self.recorder.now();
        drop(self.resume_runs());
        self.runtime.spawn(async move {
            let mut head = schedules.recorder.ledger().watch_head();
            loop {
                drop(schedules.start_due(started).await);
                // A log that has stopped accepts nothing until the next start of the program.
                if !schedules.recorder.ledger().is_accepting() {
                    break;
                }
                let pause = schedules.until_next_due();
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    // A schedule may have been changed, or a run may have ended.
                    changed = head.changed() => match changed {
                        // The pause combines many records into one check.
                        Ok(()) => tokio::time::sleep(Duration::from_millis(50)).await,
                        Err(_) => break,
                    },
                }
            }
        });
    }

    /// Resumes the runs that were interrupted by the end of the program.
    pub(super) fn resume_runs(&self) -> Vec<JoinHandle<()>> {
        let published = self.recorder.state();
        let running =
            published.state.schedules.all.iter().filter_map(|schedule| Some((schedule.id, schedule.running?)));
        running.map(|(schedule, run)| self.spawn_run(schedule, run)).collect()
    }

    /// Starts the runs that are due. If a schedule was due one or more times before the program started, one run makes
    /// up for them.
    pub(super) async fn start_due(&self, started: Time) -> Vec<JoinHandle<()>> {
        let now = self.recorder.now();
        let published = self.recorder.state();
        let due = published.state.schedules.all.iter().filter(|schedule| schedule.running.is_none());
        let due = due.filter_map(|schedule| Some((schedule.id, schedule.next_due().filter(|due| *due <= now)?)));
        let mut runs = Vec::new();
        for (id, due) in due {
            let cause = if due < started { Cause::Missed(due) } else { Cause::Due(due) };
            match self.record_start(&system_change("schedule"), id, cause).await {
                Ok((run, _)) => runs.push(self.spawn_run(id, run)),
                // A user has started a run or deleted the schedule meanwhile.
                Err(Failure::Refused(_)) => {}
                Err(failure) => tracing::error!(schedule = %id, %failure, "a run could not be started"),
            }
        }
        runs
    }

    /// Records the start of a run.
    pub(super) async fn record_start(
        &self,
        change: &Change,
        id: ScheduleId,
        cause: Cause,
    ) -> Result<(JobId, Committed), Failure> {
        let run = JobId::new(Uuid::new_v4());
        Ok((run, self.append(change, ScheduleCommand::StartRun { id, run, cause }).await?))
    }

    /// Does the work of a run in a task, and records its outcome.
    pub(super) fn spawn_run(&self, id: ScheduleId, run: JobId) -> JoinHandle<()> {
        let schedules = self.clone();
        self.runtime.spawn(async move {
            if let Err(failure) = schedules.do_run(id, run).await {
                tracing::error!(schedule = %id, %run, %failure, "the outcome of a run could not be recorded");
            }
        })
    }

    async fn do_run(&self, id: ScheduleId, run: JobId) -> Result<(), Failure> {
        let published = self.recorder.state();
        let schedule = published.state.schedule(id)?.clone();
        let started = published.state.schedules.runs.get(&run).map_or(published.time, |run| run.started);
        tracing::info!(schedule = %schedule.name, %run, "a run starts");
        let actor = Actor::Schedule { id, name: schedule.name.clone() };
        let change = Change::of(actor, run.to_string().as_str().into());
        let outcome = match &schedule.settings.work {
            Work::RotateKeys(plan) => self.rotate_keys(&change, id, run, plan).await?,
            Work::RotateCredentials => self.rotate_credentials(&change, id, run).await?,
            Work::WatchDrift(plan) => match self.watch_drift(&change, id, plan).await {
                Ok(None) => RunOutcome::Done,
                Ok(Some(failures)) => RunOutcome::Failed(failures),
                Err(failure) => RunOutcome::Failed(failure.to_string()),
            },
            Work::BackUp(plan) => self.backups.run(&change, id, run, plan).await?,
            Work::Synchronize(plan) => match self.synchronize_kms(&change, plan, started).await {
                Ok(None) => RunOutcome::Done,
                Ok(Some(failures)) => RunOutcome::Failed(failures),
                Err(failure) => RunOutcome::Failed(failure.to_string()),
            },
        };
        if let RunOutcome::Failed(reason) = &outcome {
            tracing::warn!(schedule = %schedule.name, %run, reason, "a run failed");
        }
        self.append(&change, ScheduleCommand::FinishRun { id, run, outcome }).await.map(drop)
    }

    /// The time until the next run is due, at most [`PAUSE_MAX`]; [`RETRY_PAUSE`] if one is still due.
    pub(super) fn until_next_due(&self) -> Duration {
        let now = self.recorder.now();
        let published = self.recorder.state();
        let free = published.state.schedules.all.iter().filter(|schedule| schedule.running.is_none());
        match free.filter_map(|schedule| schedule.next_due()).min() {
            Some(due) if due <= now => RETRY_PAUSE,
            Some(due) => {
                let nanos = due.nanos().saturating_sub(now.nanos());
                Duration::from_nanos(nanos.unsigned_abs()).min(PAUSE_MAX)
            }
            None => PAUSE_MAX,
        }
    }
}
