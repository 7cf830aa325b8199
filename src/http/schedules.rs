//! Schedules and their runs, which clients know as job configurations and jobs.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, clearable, one_of, optional, read_as, required};
use super::describe::{Described, Description};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::{Admitted, flag};
use super::keys::material::moment;
use super::paging::{self, List, Listing};
use crate::domain::cron::Cron;
use crate::domain::id::{JobId, ScheduleId};
use crate::domain::name::ScheduleName;
use crate::domain::schedule::{
    Cause, KeyOutcome, RotationPlan, Run, RunOutcome, Schedule, ScheduleSettings, SynchronizationPlan, Work,
};
use crate::domain::span::Span;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::{ManageSchedules, SignedIn};
use crate::service::caller::Caller;
use crate::service::failure::{Failure, invalid};
use crate::service::schedule::{self, ScheduleSeen};
use actix_web::dev::Payload;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::future::{Ready, ready};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

/// A schedule to make, or what is to change of one. Members that are not given are left as they are.
#[derive(Deserialize, ToSchema)]
#[schema(as = ScheduleRequest)]
pub struct ScheduleBody {
    /// Its name. A new schedule needs one; it cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "weekly rotation")]
    name: Option<String>,
    /// `cckm_key_rotation` or `cckm_synchronization`. A new schedule needs one; it cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "cckm_key_rotation")]
    operation: Option<String>,
    /// When it is due: five fields of cron (minute, hour, day of the month, month, day of the week), in UTC. A new
    /// schedule needs it.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "0 9 * * sat")]
    run_at: Option<String>,
    /// `any`, always.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "any")]
    run_on: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// It is not due before this moment; the empty text: due from the beginning.
    #[serde(default, deserialize_with = "clearable")]
    start_date: Option<String>,
    /// It is not due after this moment; the empty text: due for ever.
    #[serde(default, deserialize_with = "clearable")]
    end_date: Option<String>,
    /// It is not due at all.
    #[serde(default, deserialize_with = "optional")]
    disabled: Option<bool>,
    /// How keys are rotated.
    #[serde(default, deserialize_with = "optional")]
    cckm_key_rotation_params: Option<RotationBody>,
    /// What is synchronised.
    #[serde(default, deserialize_with = "optional")]
    cckm_synchronization_params: Option<SynchronizationBody>,
}

/// How keys are rotated. The empty text takes a length of time away.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = KeyRotationParams)]
pub struct RotationBody {
    /// `aws`, always.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
    /// New material that comes from here lasts so long, such as `90d` or `12h`.
    #[serde(default, deserialize_with = "clearable")]
    expiration: Option<String>,
    /// Only keys whose material lasts no longer than so.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(example = "30d")]
    expire_in: Option<String>,
    /// Only keys that were made or rotated so long ago.
    #[serde(default, deserialize_with = "clearable")]
    rotation_after: Option<String>,
    /// What concerns AWS alone.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsRotationBody>,
}

/// How keys of AWS's are rotated.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = AwsKeyRotationParams)]
pub struct AwsRotationBody {
    /// A key that is replaced keeps each alias with a time stamp behind it.
    #[serde(default, deserialize_with = "optional")]
    retain_alias: Option<bool>,
    /// The key stays, and gets new material; otherwise a new key takes its place.
    #[serde(default, deserialize_with = "optional")]
    rotate_material: Option<bool>,
}

/// What is synchronised.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = SynchronizationParams)]
pub struct SynchronizationBody {
    /// `aws`, always.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
    /// Names or ids of KMSs.
    #[serde(default, deserialize_with = "optional")]
    kms: Option<Vec<String>>,
    /// Every KMS; excludes `kms`.
    #[serde(default, deserialize_with = "optional")]
    synchronize_all: Option<bool>,
}

/// A schedule.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
pub struct ScheduleView {
    #[serde(flatten)]
    envelope: Envelope,
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
    /// `cckm_key_rotation` or `cckm_synchronization`.
    operation: &'static str,
    /// When it is due.
    run_at: String,
    /// `any`.
    run_on: &'static str,
    /// It is not due before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    start_date: Option<String>,
    /// It is not due after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    end_date: Option<String>,
    /// It is not due at all.
    disabled: bool,
    /// When it is due next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_run_at: Option<String>,
    /// Its run that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    running_job_id: Option<String>,
    /// How many keys it rotates, of those that the caller may see; `GET /v1/cckm/aws/keys?job_config_id=` lists them.
    keys_count: usize,
    /// The parameters of its operation.
    #[schema(value_type = Object)]
    job_config_params: Value,
    /// The same, by this name where keys are rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    cckm_key_rotation_params: Option<Value>,
    /// The same, by this name where KMSs are synchronised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    cckm_synchronization_params: Option<Value>,
}

/// A run of a schedule.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduledJob)]
pub struct RunView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of its schedule.
    name: String,
    /// Its schedule.
    job_config_id: String,
    /// What is done.
    operation: &'static str,
    /// Why it began: `due`, `missed` (while the program was not running) or `asked`.
    cause: &'static str,
    /// Since when it was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    due_at: Option<String>,
    /// `in_progress`, `completed` or `failed`.
    overall_status: &'static str,
    /// Why not all was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    completed_at: Option<String>,
    /// What became of each key that the caller may see.
    results: Vec<ResultView>,
}

/// What became of a key.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduledJobResult)]
pub struct ResultView {
    /// Which key.
    key_id: String,
    /// `Success` or the error.
    status: String,
    /// The key that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotated_to: Option<String>,
}

/// `POST /v1/scheduler/job-configs`
pub async fn create(
    who: Admitted<ManageSchedules>,
    body: Body<ScheduleBody>,
    services: Data<Services>,
) -> Result<Created<ScheduleView>, Problem> {
    let state = &who.permit.caller().published.state;
    let (name, settings) = body.0.wish(state)?;
    Ok(Created(ScheduleView::of(&services.schedules.create(&who.permit, &who.asked, name, settings).await?)))
}

/// `GET /v1/scheduler/job-configs`
pub async fn list(
    who: Admitted<SignedIn>,
    listing: Listing<Schedule>,
    services: Data<Services>,
) -> Result<List<ScheduleView>, Problem> {
    let (page, coverage) = services.schedules.list(&who.permit, &listing.0)?;
    let view = move |schedule: &Arc<Schedule>| {
        ScheduleView::of(&ScheduleSeen { keys: coverage.keys(schedule.id), schedule: schedule.clone() })
    };
    Ok(paging::answer(page, view))
}

/// `GET /v1/scheduler/job-configs/{id}`
pub async fn get(
    who: Admitted<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<ScheduleView>, Problem> {
    Ok(Json(ScheduleView::of(&services.schedules.get(&who.permit, schedule_id(&id)?)?)))
}

/// `PATCH /v1/scheduler/job-configs/{id}`
pub async fn amend(
    who: Admitted<ManageSchedules>,
    id: Path<String>,
    body: Body<ScheduleBody>,
    services: Data<Services>,
) -> Result<Json<ScheduleView>, Problem> {
    let state = &who.permit.caller().published.state;
    let amend = |schedule: &Schedule| body.0.amended(state, schedule);
    let seen = services.schedules.amend(&who.permit, &who.asked, schedule_id(&id)?, amend).await?;
    Ok(Json(ScheduleView::of(&seen)))
}

/// `DELETE /v1/scheduler/job-configs/{id}`
pub async fn delete(
    who: Admitted<ManageSchedules>,
    id: Path<String>,
    force: Force,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.schedules.delete(&who.permit, &who.asked, schedule_id(&id)?, force.0).await?;
    Ok(NoContent)
}

/// `POST /v1/scheduler/job-configs/{id}/run-now`
pub async fn run_now(
    who: Admitted<ManageSchedules>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Created<RunView>, Problem> {
    let run = services.schedules.run_now(&who.permit, &who.asked, schedule_id(&id)?).await?;
    Ok(Created(RunView::of(&run, who.permit.caller())))
}

/// `GET /v1/scheduler/jobs`
pub async fn runs(
    who: Admitted<SignedIn>,
    listing: Listing<Run>,
    services: Data<Services>,
) -> Result<List<RunView>, Problem> {
    let (page, caller) = services.schedules.runs(&who.permit, &listing.0)?;
    Ok(paging::answer(page, move |run: &Arc<Run>| RunView::of(run, &caller)))
}

/// `GET /v1/scheduler/jobs/{id}`
pub async fn run(
    who: Admitted<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<RunView>, Problem> {
    let id = read_as("id", &id, JobId::parse)?;
    let (run, caller) = services.schedules.run(&who.permit, id)?;
    Ok(Json(RunView::of(&run, &caller)))
}

/// Is a schedule deleted although keys are under it?
pub struct Force(bool);

impl FromRequest for Force {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(flag(request, "force").map(Self))
    }
}

impl Described for Force {
    fn describe(to: &mut Description) {
        let text = "Keys that are under the schedule are under none then.";
        to.queries("force", text, Object::with_type(Type::Boolean));
        to.may_fail(&[400]);
    }
}

fn schedule_id(text: &str) -> Result<ScheduleId, Failure> {
    read_as("id", text, ScheduleId::parse)
}

impl ScheduleBody {
    fn wish(mut self, state: &State) -> Result<(ScheduleName, ScheduleSettings), Failure> {
        let name = read_as("name", &required("name", self.name.take())?, ScheduleName::parse)?;
        let rotates = one_of("operation", &required("operation", self.operation.take())?, OPERATIONS)?;
        let work = match rotates {
            true => Work::RotateKeys(RotationPlan::default()),
            // Which KMSs, the parameters must say.
            false => Work::Synchronize(SynchronizationPlan::Kms(Vec::new())),
        };
        let (run_at, description) = (required("run_at", self.run_at.take())?, String::new());
        let run_at = read_as("run_at", &run_at, Cron::parse)?;
        let blank = ScheduleSettings { description, run_at, start: None, end: None, disabled: false, work };
        Ok((name, self.settings(state, blank)?))
    }

    fn amended(self, state: &State, schedule: &Schedule) -> Result<ScheduleSettings, Failure> {
        let differs = |given: &Option<String>, known: &str| given.as_ref().is_some_and(|given| given != known);
        if differs(&self.name, schedule.name.as_str()) {
            return Err(invalid("name", "the name of a schedule cannot be changed"));
        }
        if differs(&self.operation, schedule.settings.work.name()) {
            return Err(invalid("operation", "the operation of a schedule cannot be changed"));
        }
        self.settings(state, schedule.settings.clone())
    }

    /// The settings with what is given put in.
    fn settings(self, state: &State, now: ScheduleSettings) -> Result<ScheduleSettings, Failure> {
        if let Some(run_on) = &self.run_on {
            one_of("run_on", run_on, &[("any", ())])?;
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(invalid("description", "must not be longer than 1024 characters"));
        }
        let work = match (now.work, self.cckm_key_rotation_params, self.cckm_synchronization_params) {
            (Work::RotateKeys(plan), params, None) => Work::RotateKeys(params.unwrap_or_default().plan(plan)?),
            (Work::Synchronize(plan), None, params) => Work::Synchronize(params.unwrap_or_default().plan(state, plan)?),
            (Work::RotateKeys(_), _, Some(_)) => {
                return Err(invalid("cckm_synchronization_params", "does not go with the operation cckm_key_rotation"));
            }
            (Work::Synchronize(_), Some(_), _) => {
                return Err(invalid("cckm_key_rotation_params", "does not go with the operation cckm_synchronization"));
            }
        };
        Ok(ScheduleSettings {
            description: self.description.unwrap_or(now.description),
            run_at: self.run_at.map_or(Ok(now.run_at), |text| read_as("run_at", &text, Cron::parse))?,
            start: changed(self.start_date, now.start, |text| moment("start_date", text))?,
            end: changed(self.end_date, now.end, |text| moment("end_date", text))?,
            disabled: self.disabled.unwrap_or(now.disabled),
            work,
        })
    }
}

/// Is it the rotation of keys?
const OPERATIONS: &[(&str, bool)] = &[("cckm_key_rotation", true), ("cckm_synchronization", false)];

/// What a member that may be emptied comes to: absent, as now; empty, nothing; else what it says.
fn changed<T>(
    given: Option<String>,
    now: Option<T>,
    read: impl FnOnce(&str) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    match given.as_deref() {
        None => Ok(now),
        Some("") => Ok(None),
        Some(text) => read(text).map(Some),
    }
}

fn check_cloud(name: Option<&String>) -> Result<(), Failure> {
    name.map_or(Ok(()), |name| one_of("cloud_name", name, &[("aws", ())]))
}

impl RotationBody {
    fn plan(self, now: RotationPlan) -> Result<RotationPlan, Failure> {
        check_cloud(self.cloud_name.as_ref())?;
        let aws = self.aws_param.unwrap_or_default();
        let plan = RotationPlan {
            expiration: changed(self.expiration, now.expiration, |text| read_as("expiration", text, Span::parse))?,
            expire_in: changed(self.expire_in, now.expire_in, |text| read_as("expire_in", text, Span::parse))?,
            rotation_after: changed(self.rotation_after, now.rotation_after, |text| {
                read_as("rotation_after", text, Span::parse)
            })?,
            retain_alias: aws.retain_alias.unwrap_or(now.retain_alias),
            rotate_material: aws.rotate_material.unwrap_or(now.rotate_material),
        };
        let start = Time::from_nanos(0);
        if plan.expiration.is_some_and(|span| span.after(start) > start.plus_seconds(365 * 86_400)) {
            return Err(invalid("expiration", "must be no longer than 365 days, as AWS has it"));
        }
        Ok(plan)
    }
}

impl SynchronizationBody {
    fn plan(self, state: &State, now: SynchronizationPlan) -> Result<SynchronizationPlan, Failure> {
        check_cloud(self.cloud_name.as_ref())?;
        let all = self.synchronize_all.unwrap_or(false);
        let plan = match self.kms.filter(|kms| !kms.is_empty()) {
            Some(_) if all => return Err(invalid("kms", "and synchronize_all exclude each other; give one of them")),
            Some(kms) => SynchronizationPlan::Kms(schedule::named_kms(state, &kms)?),
            None if all => SynchronizationPlan::All,
            None => now,
        };
        match plan {
            SynchronizationPlan::Kms(kms) if kms.is_empty() => {
                Err(invalid("cckm_synchronization_params.kms", "or synchronize_all must be given"))
            }
            plan => Ok(plan),
        }
    }
}

impl ScheduleView {
    fn of(seen: &ScheduleSeen) -> Self {
        let schedule: &Schedule = &seen.schedule;
        let settings = &schedule.settings;
        let params = params(&settings.work);
        let rotates = matches!(settings.work, Work::RotateKeys(_));
        Self {
            envelope: Envelope::new(
                schedule.id,
                "scheduler:job-configs",
                schedule.id,
                schedule.created,
                schedule.updated,
            ),
            name: schedule.name.to_string(),
            description: settings.description.clone(),
            operation: settings.work.name(),
            run_at: settings.run_at.to_string(),
            run_on: "any",
            start_date: settings.start.map(|at| at.to_string()),
            end_date: settings.end.map(|at| at.to_string()),
            disabled: settings.disabled,
            next_run_at: schedule.next_due().map(|at| at.to_string()),
            running_job_id: schedule.running.map(|run| run.to_string()),
            keys_count: seen.keys,
            cckm_key_rotation_params: rotates.then(|| params.clone()),
            cckm_synchronization_params: (!rotates).then(|| params.clone()),
            job_config_params: params,
        }
    }
}

fn params(work: &Work) -> Value {
    let mut all = Map::new();
    all.insert("cloud_name".to_owned(), json!("aws"));
    match work {
        Work::RotateKeys(plan) => {
            for (name, span) in [
                ("expiration", plan.expiration),
                ("expire_in", plan.expire_in),
                ("rotation_after", plan.rotation_after),
            ] {
                if let Some(span) = span {
                    all.insert(name.to_owned(), json!(span.to_string()));
                }
            }
            let aws = json!({"retain_alias": plan.retain_alias, "rotate_material": plan.rotate_material});
            all.insert("aws_param".to_owned(), aws);
        }
        Work::Synchronize(SynchronizationPlan::All) => drop(all.insert("synchronize_all".to_owned(), json!(true))),
        Work::Synchronize(SynchronizationPlan::Kms(kms)) => {
            let ids: Vec<String> = kms.iter().map(ToString::to_string).collect();
            all.insert("kms".to_owned(), json!(ids));
        }
    }
    Value::Object(all)
}

impl RunView {
    /// A run as its viewer may see it.
    fn of(run: &Run, viewer: &Caller) -> Self {
        let ended = run.ended.as_ref();
        let results = run.keys.iter().filter(|(key, _)| schedule::sees_outcome(viewer, *key));
        Self {
            envelope: Envelope::new(
                run.id,
                "scheduler:jobs",
                run.id,
                run.started,
                ended.map_or(run.started, |(at, _)| *at),
            ),
            name: run.name.to_string(),
            job_config_id: run.schedule.to_string(),
            operation: run.operation,
            cause: schedule::cause(run),
            due_at: match run.cause {
                Cause::Due(at) | Cause::Missed(at) => Some(at.to_string()),
                Cause::Asked => None,
            },
            overall_status: schedule::status(run),
            error: ended.and_then(|(_, outcome)| match outcome {
                RunOutcome::Done => None,
                RunOutcome::Failed(reason) => Some(reason.clone()),
            }),
            completed_at: ended.map(|(at, _)| at.to_string()),
            results: results
                .map(|(key, outcome)| ResultView {
                    key_id: key.to_string(),
                    status: match outcome {
                        KeyOutcome::Failed(reason) => reason.clone(),
                        KeyOutcome::MaterialRotated | KeyOutcome::ReplacedBy(_) => "Success".to_owned(),
                    },
                    rotated_to: match outcome {
                        KeyOutcome::ReplacedBy(new) => Some(new.to_string()),
                        _ => None,
                    },
                })
                .collect(),
        }
    }
}
