//! Schedules and their runs, which the API calls job configurations and jobs.

mod body;
pub mod coverage;
pub mod preview;
mod view;

use super::answer::{Created, Json, NoContent};
use super::body::{Body, read_as};
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::{Authorized, flag};
use super::history::{InPath, at};
use super::paging::{self, List, Listing};
use crate::domain::id::{JobId, ScheduleId};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::{Run, Schedule};
use crate::service::Services;
use crate::service::access::{ManageSchedules, SignedIn};
use actix_web::dev::Payload;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest};
pub use body::BackupParams;
use body::ScheduleBody;
use std::future::{Ready, ready};
use std::sync::Arc;
use utoipa::openapi::schema::{Object, Type};
use view::{RunView, ScheduleView};

/// `POST /v1/scheduler/job-configs`
pub async fn create(
    auth: Authorized<ManageSchedules>,
    body: Body<ScheduleBody>,
    services: Data<Services>,
) -> Result<Created<ScheduleView>, Problem> {
    let (name, settings, patch) = body.0.request()?;
    let made = services.schedules.create(&auth.permit, &auth.context, name, settings, patch).await?;
    Ok(Created(ScheduleView::of(&made)))
}

/// `GET /v1/scheduler/job-configs`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Schedule>,
    services: Data<Services>,
) -> Result<List<ScheduleView>, Problem> {
    let (page, coverage) = services.schedules.list(&auth.permit, &listing.0).await?;
    let view = move |schedule: &Arc<Schedule>| ScheduleView::of(&coverage.seen(schedule.clone()));
    paging::answer(page, view).await
}

/// `GET /v1/scheduler/job-configs/{id}`
pub async fn get(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<ScheduleView>, Problem> {
    Ok(Json(ScheduleView::of(&services.schedules.get(&auth.permit, schedule_id(&id)?)?)))
}

/// `GET /v1/scheduler/job-configs/{id}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<SignedIn>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<ScheduleView>, Problem> {
    let id = ScheduleId::of(&request, &auth.permit.caller().published.state)?;
    Ok(Json(ScheduleView::of(&services.histories.schedule(&auth.permit, id, at(&request)?).await?)))
}

/// `PATCH /v1/scheduler/job-configs/{id}`
pub async fn update(
    auth: Authorized<ManageSchedules>,
    id: Path<String>,
    body: Body<ScheduleBody>,
    services: Data<Services>,
) -> Result<Json<ScheduleView>, Problem> {
    let patch = body.0.patch()?;
    let seen = services.schedules.update(&auth.permit, &auth.context, schedule_id(&id)?, patch).await?;
    Ok(Json(ScheduleView::of(&seen)))
}

/// `DELETE /v1/scheduler/job-configs/{id}`
pub async fn delete(
    auth: Authorized<ManageSchedules>,
    id: Path<String>,
    force: Force,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.schedules.delete(&auth.permit, &auth.context, schedule_id(&id)?, force.0).await?;
    Ok(NoContent)
}

/// `POST /v1/scheduler/job-configs/{id}/run-now`
pub async fn run_now(
    auth: Authorized<ManageSchedules>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Created<RunView>, Problem> {
    let run = services.schedules.run_now(&auth.permit, &auth.context, schedule_id(&id)?).await?;
    Ok(Created(RunView::of(&run, auth.permit.caller())))
}

/// `GET /v1/scheduler/jobs`
pub async fn runs(
    auth: Authorized<SignedIn>,
    listing: Listing<Run>,
    services: Data<Services>,
) -> Result<List<RunView>, Problem> {
    let (page, caller) = services.schedules.runs(&auth.permit, &listing.0).await?;
    paging::answer(page, move |run: &Arc<Run>| RunView::of(run, &caller)).await
}

/// `GET /v1/scheduler/jobs/{id}`
pub async fn run(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<RunView>, Problem> {
    let id = read_as("id", &id, JobId::parse)?;
    let (run, caller) = services.schedules.run(&auth.permit, id)?;
    Ok(Json(RunView::of(&run, &caller)))
}

/// `?force`: whether to delete a schedule that rotates keys.
pub struct Force(Option<bool>);

impl FromRequest for Force {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(flag(request, "force").map(Self))
    }
}

impl Described for Force {
    fn describe(to: &mut Description) {
        let text = "Whether to delete the schedule even if it rotates keys; these keys then have no schedule. The default is a \
                    setting of the installation, `schedules.release_keys_on_delete`.";
        to.queries("force", text, Object::with_type(Type::Boolean));
        to.may_fail(&[400]);
    }
}

fn schedule_id(text: &str) -> Result<ScheduleId, Refusal> {
    read_as("id", text, ScheduleId::parse)
}
