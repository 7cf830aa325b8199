//! Bulk jobs, which apply one operation to many keys: start, list, show, cancel.

use super::answer::{Accepted, Json};
use super::body::{Body, one_of, optional, read_as, required};
use super::envelope::{Envelope, maybe_rfc3339};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use super::sync_jobs::job_id;
use crate::domain::id::{KeyId, TemplateId};
use crate::domain::job::bulk::{BulkJob, BulkKey, BulkTask};
use crate::domain::job::sync::JobStatus;
use crate::domain::key::days::DeletionWindow;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::SignedIn;
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
    #[schema(value_type = Vec<String>, required = true)]
    keys: Option<Vec<String>>,
    /// `enablekey`, `disablekey`, `schedulekeydeletion`, `cancelkeydeletion` or `applypolicytemplate`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true, example = "enablekey")]
    operation: Option<String>,
    /// Days until AWS deletes the keys, 7 to 30 (default 30); only for `schedulekeydeletion`.
    #[serde(default, deserialize_with = "optional")]
    days: Option<i64>,
    /// The id of the template; only for `applypolicytemplate`.
    #[serde(default, deserialize_with = "optional")]
    policy_template_id: Option<String>,
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
    /// The ids of the keys.
    keys: Vec<String>,
    /// Always `aws`.
    cloud: &'static str,
    /// `in_progress`, `completed` or `failed`; a cancelled job is `completed`, with `abort` true.
    #[schema(example = "in_progress")]
    overall_status: &'static str,
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
    let keys = required("keys", body.0.keys.as_ref())?;
    let keys = keys.iter().map(|key| read_as("keys", key, KeyId::parse)).collect::<Result<Vec<_>, _>>()?;
    let task = task(&body.0)?;
    let job = services.bulk_jobs.start(&auth.permit, &auth.context, task, keys).await?;
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

/// An operation by its name, without parameters.
#[derive(Clone, Copy, PartialEq)]
enum OperationName {
    Enable,
    Disable,
    ScheduleDeletion,
    CancelDeletion,
    ApplyTemplate,
}

const OPERATIONS: &[(&str, OperationName)] = &[
    ("enablekey", OperationName::Enable),
    ("disablekey", OperationName::Disable),
    ("schedulekeydeletion", OperationName::ScheduleDeletion),
    ("cancelkeydeletion", OperationName::CancelDeletion),
    ("applypolicytemplate", OperationName::ApplyTemplate),
];

fn task(body: &BulkBody) -> Result<BulkTask, Refusal> {
    let operation = one_of("operation", required("operation", body.operation.as_deref())?, OPERATIONS)?;
    if body.days.is_some() && operation != OperationName::ScheduleDeletion {
        return Err(invalid("days", "can be given only with the operation schedulekeydeletion"));
    }
    if body.policy_template_id.is_some() && operation != OperationName::ApplyTemplate {
        return Err(invalid("policy_template_id", "can be given only with the operation applypolicytemplate"));
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
    })
}

impl BulkJobView {
    fn of(job: &BulkJob) -> Self {
        let (days, policy_template_id) = match &job.task {
            BulkTask::ScheduleDeletion { window } => (Some(window.days()), None),
            BulkTask::ApplyTemplate { template } => (None, Some(template.to_string())),
            BulkTask::Enable | BulkTask::Disable | BulkTask::CancelDeletion => (None, None),
        };
        Self {
            envelope: Envelope::new(job.id, "cckm:bulkjob", job.id, job.created, job.updated),
            operation: job.task.name(),
            days,
            policy_template_id,
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
        Some(Err(reason)) => reason.clone(),
        None if job.completed.is_some() => "canceled".to_owned(),
        None => JobStatus::InProgress.name().to_owned(),
    }
}
