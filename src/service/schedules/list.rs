//! The lists of schedules and of their runs: their filters and sort orders.

use crate::domain::id::{JobId, ScheduleId};
use crate::domain::name::ScheduleName;
use crate::domain::schedule::{Cause, Run, RunOutcome, Schedule};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::service::caller::Caller;
use crate::service::list::{Candidates, Field, Listed};

impl Listed for Schedule {
    type Rows = Table<ScheduleId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "name", "operation", "run_at", "disabled", "next_run_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "name", "operation", "run_at", "disabled", "cloud_name"];
    const SEARCHES: &'static [&'static str] = &["id", "name", "operation"];
    const IDENTITIES: &'static [&'static str] = &["id", "name"];

    fn rows(state: &State) -> &Self::Rows {
        &state.schedules.all
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        let id = match member {
            "id" => ScheduleId::parse(value).ok(),
            _ => ScheduleName::parse(value).ok().and_then(|name| Some(state.schedules.named(&name)?.id)),
        };
        Box::new(id.into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(self.name.to_string()),
            "operation" => Field::Text(self.settings.work.name().to_owned()),
            "run_at" => Field::Text(self.settings.run_at.to_string()),
            "disabled" => Field::Flag(self.settings.disabled),
            "cloud_name" => Field::Text("aws".to_owned()),
            "next_run_at" => self.next_due().map_or(Field::Absent, Field::Moment),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}

impl Listed for Run {
    type Rows = Table<JobId, Self>;
    const SORTS: &'static [&'static str] = &["id", "name", "operation", "overall_status", "createdAt", "completed_at"];
    const FILTERS: &'static [&'static str] = &["id", "name", "job_config_id", "operation", "overall_status", "cause"];
    const SEARCHES: &'static [&'static str] = &["id", "name", "operation"];
    const IDENTITIES: &'static [&'static str] = &["id"];

    fn rows(state: &State) -> &Self::Rows {
        &state.schedules.runs
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(JobId::parse(value).into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(self.name.to_string()),
            "job_config_id" => Field::Text(self.schedule.to_string()),
            "operation" => Field::Text(self.operation.to_owned()),
            "overall_status" => Field::Text(status(self).to_owned()),
            "cause" => Field::Text(cause(self).to_owned()),
            "createdAt" => Field::Moment(self.started),
            "completed_at" => self.ended.as_ref().map_or(Field::Absent, |(at, _)| Field::Moment(*at)),
            _ => Field::Absent,
        }
    }
}

/// `in_progress`, `completed` or `failed`.
pub fn status(run: &Run) -> &'static str {
    match &run.ended {
        None => "in_progress",
        Some((_, RunOutcome::Done)) => "completed",
        Some((_, RunOutcome::Failed(_))) => "failed",
    }
}

/// `due`, `missed` or `asked`.
pub fn cause(run: &Run) -> &'static str {
    match run.cause {
        Cause::Due(_) => "due",
        Cause::Missed(_) => "missed",
        Cause::Asked => "asked",
    }
}
