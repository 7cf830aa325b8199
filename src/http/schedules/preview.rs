//! `POST /v1/scheduler/job-configs/preview`: when a schedule would run, before it exists.

use super::body::date;
use crate::domain::cron::Cron;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::{RotationPlan, ScheduleSettings, Work};
use crate::http::answer::Json;
use crate::http::body::{Body, clearable, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::failure::invalid;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The times of a schedule, as in the request for one.
#[derive(Deserialize, ToSchema)]
#[schema(as = SchedulePreviewRequest)]
pub struct PreviewBody {
    /// Five fields of cron (minute, hour, day of the month, month, day of the week), in UTC.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "0 9 * * sat")]
    run_at: Option<String>,
    /// The start of the period in which the schedule would run.
    #[serde(default, deserialize_with = "clearable")]
    start_date: Option<String>,
    /// The end of the period in which the schedule would run.
    #[serde(default, deserialize_with = "clearable")]
    end_date: Option<String>,
}

/// When a schedule would run.
#[derive(Serialize, ToSchema)]
#[schema(as = SchedulePreview)]
pub struct PreviewView {
    /// The expression as it would be stored.
    #[schema(example = "0 9 * * sat")]
    run_at: String,
    /// The expression in words, in English; times are in UTC.
    #[schema(example = "every Saturday at 09:00")]
    run_at_words: String,
    /// The next five runs; fewer if the period ends before.
    next_runs: Vec<String>,
}

impl PreviewBody {
    fn settings(self) -> Result<ScheduleSettings, Refusal> {
        let run_at = read_as("run_at", &required("run_at", self.run_at)?, Cron::parse)?;
        // The work does not matter here.
        let mut settings = ScheduleSettings::new(run_at, Work::RotateKeys(RotationPlan::default()));
        settings.start = date("start_date", self.start_date)?.over(None);
        settings.end = date("end_date", self.end_date)?.over(None);
        if settings.start.zip(settings.end).is_some_and(|(start, end)| end < start) {
            return Err(invalid("end_date", "must not be before start_date"));
        }
        Ok(settings)
    }
}

/// `POST /v1/scheduler/job-configs/preview`
pub async fn preview(
    auth: Authorized<SignedIn>,
    body: Body<PreviewBody>,
    services: Data<Services>,
) -> Result<Json<PreviewView>, Problem> {
    let settings = body.0.settings()?;
    let runs = services.schedules.preview(&auth.permit, &settings);
    Ok(Json(PreviewView {
        run_at: settings.run_at.to_string(),
        run_at_words: settings.run_at.words(),
        next_runs: runs.iter().map(ToString::to_string).collect(),
    }))
}
