//! Bulk jobs, which apply one operation to many keys: start, list, show, cancel.

use super::answer::{Accepted, Json};
use super::body::{Body, one_of, optional, read_as, required};
use super::envelope::{Envelope, maybe_rfc3339};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use super::sync_jobs::job_id;
use crate::domain::id::{KeyId, ScheduleId, TemplateId};
use crate::domain::job::bulk::{BulkJob, BulkKey, BulkTask};
use crate::domain::job::sync::JobStatus;
use crate::domain::key::aggregate::Key;
use crate::domain::key::days::DeletionWindow;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::bulk_jobs::Chosen;
use crate::service::failure::invalid;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// An operation and the keys to apply it to.
#[derive(Deserialize, ToSchema)]
#[schema(as = BulkJobRequest)]
pub struct BulkBody {
    /// Ids of keys (Claviger's, not AWS's); at most 100.
    #[serde(default, deserialize_with = "optional")]
    keys: Option<Vec<String>>,
    /// Filters and `search` of the list of keys, as in its query, in place of `keys`: the job takes the keys that match
    /// now and that the caller may view, at most 10 000.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "keystate=Enabled&region=eu-west-3")]
    filter: Option<String>,
    /// `enablekey`, `disablekey`, `schedulekeydeletion`, `cancelkeydeletion`, `applypolicytemplate`,
    /// `enablerotationjob` or `disablerotationjob`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true, example = "enablekey")]
    operation: Option<String>,
    /// Days until AWS deletes the keys, 7 to 30 (default 30); only for `schedulekeydeletion`.
    #[serde(default, deserialize_with = "optional")]
    days: Option<i64>,
    /// The id of the template; only for `applypolicytemplate`.
    #[serde(default, deserialize_with = "optional")]
    policy_template_id: Option<String>,
    /// The id of the schedule that is to rotate the keys; only for `enablerotationjob`.
    #[serde(default, deserialize_with = "optional")]
    job_config_id: Option<String>,
}

/// A bulk job.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkJob)]
pub struct BulkJobView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The operation that is applied to each key.
    #[schema(example = "enablekey")]
    operation: &'static str,
    /// Days until AWS deletes the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    days: Option<u16>,
    /// The template whose policy the keys get.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    policy_template_id: Option<String>,
    /// The schedule that is to rotate the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    job_config_id: Option<String>,
    /// The ids of the keys.
    keys: Vec<String>,
    /// Always `aws`.
    cloud: &'static str,
    /// `in_progress`, `completed` or `failed`; a cancelled job is `completed`, with `abort` true.
    #[schema(example = "in_progress")]
    overall_status: &'static str,
    /// The number of keys.
    keys_count: usize,
    /// The number of keys that were processed, with or without success.
    keys_done: usize,
    /// The number of keys that failed.
    keys_failed: usize,
    /// The result for each key, by its id: `Success`, or the error.
    detailed_status: BTreeMap<String, String>,
    /// The time at which the job ended; absent until then.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = String, required = false, format = DateTime)]
    completed_at: Option<Time>,
    /// Whether the job was cancelled.
    abort: bool,
}

/// `POST /v1/cckm/aws/bulkjob`
pub async fn start(
    auth: Authorized<SignedIn>,
    body: Body<BulkBody>,
    services: Data<Services>,
) -> Result<Accepted<BulkJobView>, Problem> {
    let (chosen, task) = (chosen(&body.0)?, task(&body.0)?);
    let job = services.bulk_jobs.start(&auth.permit, &auth.context, task, chosen).await?;
    Ok(Accepted(BulkJobView::of(&job)))
}

/// `GET /v1/cckm/aws/bulkjob`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<BulkJob>,
    services: Data<Services>,
) -> Result<List<BulkJobView>, Problem> {
    let page = services.bulk_jobs.list(&auth.permit, &listing.0).await?;
    paging::answer(page, |job: &Arc<BulkJob>| BulkJobView::of(job)).await
}

/// `GET /v1/cckm/aws/bulkjob/{id}`
pub async fn get(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<BulkJobView>, Problem> {
    let job = services.bulk_jobs.get(&auth.permit, job_id(&id)?)?;
    Ok(Json(BulkJobView::of(&job)))
}

/// `POST /v1/cckm/aws/bulkjob/{id}/cancel`
pub async fn cancel(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<BulkJobView>, Problem> {
    let job = services.bulk_jobs.cancel(&auth.permit, &auth.context, job_id(&id)?).await?;
    Ok(Json(BulkJobView::of(&job)))
}

fn chosen(body: &BulkBody) -> Result<Chosen, Problem> {
    match (&body.keys, &body.filter) {
        (Some(_), Some(_)) => Err(invalid("filter", "excludes keys; give one of them").into()),
        (_, Some(filter)) => Ok(Chosen::Filter(Box::new(paging::filters::<Key>("filter", filter)?))),
        (keys, None) => {
            let keys = required("keys", keys.as_ref())?;
            let keys = keys.iter().map(|key| read_as("keys", key, KeyId::parse)).collect::<Result<Vec<_>, _>>()?;
            Ok(Chosen::Keys(keys))
        }
    }
}

/// An operation by its name, without parameters.
#[derive(Clone, Copy, PartialEq)]
enum OperationName {
    Enable,
    Disable,
    ScheduleDeletion,
    CancelDeletion,
    ApplyTemplate,
    AssignSchedule,
    RemoveSchedule,
}

const OPERATIONS: &[(&str, OperationName)] = &[
    ("enablekey", OperationName::Enable),
    ("disablekey", OperationName::Disable),
    ("schedulekeydeletion", OperationName::ScheduleDeletion),
    ("cancelkeydeletion", OperationName::CancelDeletion),
    ("applypolicytemplate", OperationName::ApplyTemplate),
    ("enablerotationjob", OperationName::AssignSchedule),
    ("disablerotationjob", OperationName::RemoveSchedule),
];

fn task(body: &BulkBody) -> Result<BulkTask, Refusal> {
    let operation = one_of("operation", required("operation", body.operation.as_deref())?, OPERATIONS)?;
    if body.days.is_some() && operation != OperationName::ScheduleDeletion {
        return Err(invalid("days", "can be given only with the operation schedulekeydeletion"));
    }
    if body.policy_template_id.is_some() && operation != OperationName::ApplyTemplate {
        return Err(invalid("policy_template_id", "can be given only with the operation applypolicytemplate"));
    }
    if body.job_config_id.is_some() && operation != OperationName::AssignSchedule {
        return Err(invalid("job_config_id", "can be given only with the operation enablerotationjob"));
    }
    Ok(match operation {
        OperationName::Enable => BulkTask::Enable,
        OperationName::Disable => BulkTask::Disable,
        OperationName::CancelDeletion => BulkTask::CancelDeletion,
        OperationName::ScheduleDeletion => {
            let window = body.days.map(DeletionWindow::parse).transpose();
            BulkTask::ScheduleDeletion {
                window: window.map_err(|problem| problem.refusal("days"))?.unwrap_or_default(),
            }
        }
        OperationName::ApplyTemplate => {
            let id = required("policy_template_id", body.policy_template_id.as_deref())?;
            BulkTask::ApplyTemplate { template: read_as("policy_template_id", id, TemplateId::parse)? }
        }
        OperationName::AssignSchedule => {
            let id = required("job_config_id", body.job_config_id.as_deref())?;
            BulkTask::AssignSchedule { schedule: read_as("job_config_id", id, ScheduleId::parse)? }
        }
        OperationName::RemoveSchedule => BulkTask::RemoveSchedule,
    })
}

impl BulkJobView {
    fn of(job: &BulkJob) -> Self {
        let (mut days, mut policy_template_id, mut job_config_id) = (None, None, None);
        match &job.task {
            BulkTask::ScheduleDeletion { window } => days = Some(window.days()),
            BulkTask::ApplyTemplate { template } => policy_template_id = Some(template.to_string()),
            BulkTask::AssignSchedule { schedule } => job_config_id = Some(schedule.to_string()),
            BulkTask::Enable | BulkTask::Disable | BulkTask::CancelDeletion | BulkTask::RemoveSchedule => {}
        }
        let (keys_done, keys_failed) = job.processed();
        Self {
            envelope: Envelope::new(job.id, "cckm:bulkjob", job.id, job.created, job.updated),
            operation: job.task.name(),
            days,
            policy_template_id,
            job_config_id,
            keys_count: job.keys.len(),
            keys_done,
            keys_failed,
            keys: job.keys.iter().map(|key| key.id.to_string()).collect(),
            cloud: "aws",
            overall_status: job.status().name(),
            detailed_status: job.keys.iter().map(|key| (key.id.to_string(), status(job, key))).collect(),
            completed_at: job.completed,
            abort: job.cancelled,
        }
    }
}

fn status(job: &BulkJob, key: &BulkKey) -> String {
    match &key.end {
        Some(Ok(())) => "Success".to_owned(),
        Some(Err(reason)) => reason.to_string(),
        None if job.completed.is_some() => "canceled".to_owned(),
        None => JobStatus::InProgress.name().to_owned(),
    }
}
