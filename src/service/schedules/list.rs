//! The lists of schedules and of their runs: what can be filtered and sorted by.

use crate::domain::schedule::{Cause, Run, RunOutcome, Schedule};
use crate::domain::state::State;
use crate::service::failure::Failure;
use crate::service::list::{self, Field, Listed, Page, Query};

/// The schedules that match a query.
pub(super) fn schedules(state: &State, query: &Query) -> Result<Page<Schedule>, Failure> {
    list::page(&state.schedules.all, query, &(), None)
}

/// The runs that match a query.
pub(super) fn runs(state: &State, query: &Query) -> Result<Page<Run>, Failure> {
    list::page(&state.schedules.runs, query, &(), None)
}

impl Listed for Schedule {
    type Around = ();
    const SORTS: &'static [&'static str] =
        &["id", "name", "operation", "run_at", "disabled", "next_run_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "name", "operation", "run_at", "disabled", "cloud_name"];

    fn field(&self, member: &str, (): &()) -> Field {
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
    type Around = ();
    const SORTS: &'static [&'static str] = &["id", "name", "operation", "overall_status", "createdAt", "completed_at"];
    const FILTERS: &'static [&'static str] = &["id", "name", "job_config_id", "operation", "overall_status", "cause"];

    fn field(&self, member: &str, (): &()) -> Field {
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
