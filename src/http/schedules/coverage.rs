//! `GET /v1/scheduler/coverage`: what rotates the keys.

use crate::http::answer::Json;
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::http::posture::PostureQuery;
use crate::service::Services;
use crate::service::access::SignedIn;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

/// The keys that the caller may view, by what rotates them.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduleCoverage)]
pub struct CoverageView {
    /// The time of the answer.
    at: String,
    /// The keys of customers that AWS has. Each is in one of the following numbers.
    keys: u64,
    /// The keys that a schedule is going to rotate.
    rotated_by_schedules: u64,
    /// The keys that AWS rotates, and no schedule does.
    rotated_by_aws: u64,
    /// The keys that nothing rotates, although a schedule could; `GET /v1/cckm/aws/posture/findings/no_schedule` lists
    /// them.
    rotated_by_nothing: u64,
    /// The keys that no schedule can rotate, or that need no rotation: replicas, keys that were replaced or are pending
    /// deletion.
    not_applicable: u64,
    /// The schedules that rotate keys.
    schedules: Vec<CoveringScheduleView>,
}

/// A schedule, and the number of keys under it.
#[derive(Serialize, ToSchema)]
#[schema(as = CoveringSchedule)]
struct CoveringScheduleView {
    /// The id of the schedule.
    job_config_id: String,
    /// The name of the schedule.
    name: String,
    /// Whether it is going to run: it is not disabled and has not ended.
    active: bool,
    /// The time of the next run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_run_at: Option<String>,
    /// The keys under it; `GET /v1/cckm/aws/keys?job_config_id=` lists them.
    keys: u64,
    /// The runs of the next 365 days, the first 60 of them.
    runs: Vec<String>,
    /// Whether `runs` has all runs of the next 365 days.
    runs_complete: bool,
}

/// `GET /v1/scheduler/coverage`
pub async fn get(
    auth: Authorized<SignedIn>,
    query: PostureQuery,
    services: Data<Services>,
) -> Result<Json<CoverageView>, Problem> {
    let coverage = services.posture.coverage(&auth.permit, &query.0).await?;
    let schedules = coverage.schedules.iter().map(|covering| {
        let next = covering.schedule.next_due();
        CoveringScheduleView {
            job_config_id: covering.schedule.id.to_string(),
            name: covering.schedule.name.to_string(),
            active: next.is_some(),
            next_run_at: next.map(|at| at.to_string()),
            keys: covering.keys,
            runs: covering.runs.iter().map(ToString::to_string).collect(),
            runs_complete: covering.runs_complete,
        }
    });
    Ok(Json(CoverageView {
        at: coverage.at.to_string(),
        keys: coverage.keys.total(),
        rotated_by_schedules: coverage.keys.by_schedules,
        rotated_by_aws: coverage.keys.by_aws,
        rotated_by_nothing: coverage.keys.by_nothing,
        not_applicable: coverage.keys.not_applicable,
        schedules: schedules.collect(),
    }))
}
