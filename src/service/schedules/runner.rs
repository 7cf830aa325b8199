//! The runner: begins the runs that are due, and after a start goes on with those that the end of the program cut off.
//! That two runs of one schedule are never at the same time is decided in the log, not here.

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

/// The clock is looked at again after so long, however far away the next due time is: clocks are set, and machines are
/// put to sleep.
const LOOK: Duration = Duration::from_secs(20);

impl Schedules {
    /// Runs schedules as long as the program runs.
    pub(in crate::service) fn run_forever(&self) {
        let schedules = self.clone();
        let started = self.recorder.now();
        drop(self.resume_runs());
        self.runtime.spawn(async move {
            let mut head = schedules.recorder.ledger().watch_head();
            loop {
                drop(schedules.begin_due(started).await);
                let pause = schedules.until_next_due();
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    // A schedule may have been changed, or a run that stood in the way may have ended.
                    changed = head.changed() => match changed {
                        // Many records at once are one reason to look.
                        Ok(()) => tokio::time::sleep(Duration::from_millis(50)).await,
                        Err(_) => break,
                    },
                }
            }
        });
    }

    /// Goes on with the runs that the end of the program cut off.
    pub(super) fn resume_runs(&self) -> Vec<JoinHandle<()>> {
        let published = self.recorder.state();
        let running =
            published.state.schedules.all.iter().filter_map(|schedule| Some((schedule.id, schedule.running?)));
        running.map(|(schedule, run)| self.spawn_run(schedule, run)).collect()
    }

    /// Begins what is due. What was due before the program started has been missed: one run makes up for all of it.
    pub(super) async fn begin_due(&self, started: Time) -> Vec<JoinHandle<()>> {
        let now = self.recorder.now();
        let published = self.recorder.state();
        let due = published.state.schedules.all.iter().filter(|schedule| schedule.running.is_none());
        let due = due.filter_map(|schedule| Some((schedule.id, schedule.next_due().filter(|due| *due <= now)?)));
        let mut begun = Vec::new();
        for (id, due) in due {
            let cause = if due < started { Cause::Missed(due) } else { Cause::Due(due) };
            match self.begin(&system_change("schedule"), id, cause).await {
                Ok((run, _)) => begun.push(self.spawn_run(id, run)),
                // Somebody has asked for a run in this very moment, or deleted the schedule.
                Err(Failure::Refused(_)) => {}
                Err(failure) => tracing::error!(schedule = %id, %failure, "a run could not begin"),
            }
        }
        begun
    }

    /// Writes down that a run begins.
    pub(super) async fn begin(
        &self,
        change: &Change,
        id: ScheduleId,
        cause: Cause,
    ) -> Result<(JobId, Committed), Failure> {
        let run = JobId::new(Uuid::new_v4());
        Ok((run, self.append(change, ScheduleCommand::StartRun { id, run, cause }).await?))
    }

    /// Does the work of a run that has begun, and writes down how it ended.
    pub(super) fn spawn_run(&self, id: ScheduleId, run: JobId) -> JoinHandle<()> {
        let schedules = self.clone();
        self.runtime.spawn(async move {
            if let Err(failure) = schedules.do_run(id, run).await {
                tracing::error!(schedule = %id, %run, %failure, "a run's end could not be written down");
            }
        })
    }

    async fn do_run(&self, id: ScheduleId, run: JobId) -> Result<(), Failure> {
        let published = self.recorder.state();
        let schedule = published.state.schedule(id)?.clone();
        let begun = published.state.schedules.runs.get(&run).map_or(published.time, |run| run.started);
        tracing::info!(schedule = %schedule.name, %run, "a run begins");
        let actor = Actor::Schedule { id, name: schedule.name.clone() };
        let change = Change::of(actor, run.to_string().as_str().into());
        let outcome = match &schedule.settings.work {
            Work::RotateKeys(plan) => self.rotate_keys(&change, id, run, plan).await?,
            Work::Synchronize(plan) => match self.synchronize_kms(&change, plan, begun).await {
                Ok(None) => RunOutcome::Done,
                Ok(Some(failures)) => RunOutcome::Failed(failures),
                Err(failure) => RunOutcome::Failed(failure.to_string()),
            },
        };
        if let RunOutcome::Failed(reason) = &outcome {
            tracing::warn!(schedule = %schedule.name, %run, reason, "a run did not do all its work");
        }
        self.append(&change, ScheduleCommand::FinishRun { id, run, outcome }).await.map(drop)
    }

    /// How long it is until something is due; not longer than until the clock is to be looked at again.
    fn until_next_due(&self) -> Duration {
        let now = self.recorder.now();
        let published = self.recorder.state();
        let free = published.state.schedules.all.iter().filter(|schedule| schedule.running.is_none());
        match free.filter_map(|schedule| schedule.next_due()).min() {
            Some(due) => {
                let nanos = due.nanos().saturating_sub(now.nanos()).max(0);
                Duration::from_nanos(nanos.unsigned_abs()).min(LOOK)
            }
            None => LOOK,
        }
    }
}
