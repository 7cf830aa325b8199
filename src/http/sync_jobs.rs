//! Synchronisation jobs of keys and of custom key stores: start, list, show, cancel.

use super::answer::{Accepted, Json};
use super::body::{Body, optional, read_as};
use super::envelope::{Envelope, maybe_rfc3339};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use crate::domain::id::JobId;
use crate::domain::job::sync::{Counts, JobStatus, RegionOutcome, SyncJob, SyncRegion, SyncScope};
use crate::domain::place::Region;
use crate::domain::refusal::{Bounds, Refusal};
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::failure::{invalid, no_entries, out_of_range};
use crate::service::sync_jobs::{SyncJobSeen, SyncRequest};
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// The KMSs and regions to synchronise.
#[derive(Deserialize, ToSchema)]
#[schema(as = SynchronizationRequest)]
pub struct SyncBody {
    /// The names or ids of the KMSs.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = json!(["kms"]))]
    kms: Option<Vec<String>>,
    /// The regions of these KMSs; default: all.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = json!(["ap-south-1"]))]
    regions: Option<Vec<String>>,
    /// Synchronise all KMSs that the caller may synchronise; not together with `kms` or `regions`.
    #[serde(default, deserialize_with = "optional")]
    synchronize_all: Option<bool>,
}

/// A synchronisation job.
#[derive(Serialize, ToSchema)]
#[schema(as = SynchronizationJob)]
pub struct SyncJobView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The names of the KMSs.
    kms: Vec<String>,
    /// The regions.
    regions: Vec<String>,
    /// Whether the request was for all KMSs.
    synchronize_all: bool,
    /// `in_progress`, `completed` or `failed`; a cancelled job is `completed`, with `abort` true.
    #[schema(example = "in_progress")]
    overall_status: &'static str,
    /// The result for each region, by `<account>/<region>`; if it failed, AWS's code and message.
    detailed_status: BTreeMap<String, String>,
    /// The time at which the job ended; absent until then.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = String, required = false, format = DateTime)]
    completed_at: Option<Time>,
    /// Whether the job was cancelled.
    abort: bool,
    /// Always `aws`.
    cloud: &'static str,
    /// The numbers of keys or stores so far, by `<account>/<region>`.
    progress: BTreeMap<String, ProgressView>,
}

/// The numbers of keys or custom key stores in a region.
#[derive(Serialize, ToSchema)]
#[schema(as = SynchronizationProgress)]
pub struct ProgressView {
    /// Those that AWS listed.
    listed: u64,
    /// Those that Claviger did not know.
    added: u64,
    /// Those that had changed at AWS.
    updated: u64,
    /// Unlinked custom key stores that were found at AWS, and are linked now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    linked: Option<u64>,
    /// Those that AWS does not have any more.
    gone: u64,
    /// Those that could not be read.
    errors: u64,
    /// Why AWS does not say when some keys were last used; absent if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_use_error: Option<String>,
}

/// `POST /v1/cckm/aws/synchronization-jobs`
pub async fn start(
    auth: Authorized<SignedIn>,
    body: Body<SyncBody>,
    services: Data<Services>,
) -> Result<Accepted<SyncJobView>, Problem> {
    start_of(SyncScope::Keys, auth, body, services).await
}

/// `POST /v1/cckm/aws/custom-key-stores/synchronization-jobs`
pub async fn start_key_stores(
    auth: Authorized<SignedIn>,
    body: Body<SyncBody>,
    services: Data<Services>,
) -> Result<Accepted<SyncJobView>, Problem> {
    start_of(SyncScope::KeyStores, auth, body, services).await
}

async fn start_of(
    scope: SyncScope,
    auth: Authorized<SignedIn>,
    body: Body<SyncBody>,
    services: Data<Services>,
) -> Result<Accepted<SyncJobView>, Problem> {
    let job = services.sync_jobs.start(&auth.permit, &auth.context, scope, request(body.0)?).await?;
    Ok(Accepted(SyncJobView::of(&job)))
}

/// `GET /v1/cckm/aws/synchronization-jobs`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<SyncJob>,
    services: Data<Services>,
) -> Result<List<SyncJobView>, Problem> {
    list_of(SyncScope::Keys, auth, listing, services).await
}

/// `GET /v1/cckm/aws/custom-key-stores/synchronization-jobs`
pub async fn list_key_stores(
    auth: Authorized<SignedIn>,
    listing: Listing<SyncJob>,
    services: Data<Services>,
) -> Result<List<SyncJobView>, Problem> {
    list_of(SyncScope::KeyStores, auth, listing, services).await
}

async fn list_of(
    scope: SyncScope,
    auth: Authorized<SignedIn>,
    listing: Listing<SyncJob>,
    services: Data<Services>,
) -> Result<List<SyncJobView>, Problem> {
    let (page, caller) = services.sync_jobs.list(&auth.permit, scope, listing.0).await?;
    let jobs = services.sync_jobs.clone();
    let view = move |job: &Arc<SyncJob>| SyncJobView::of(&jobs.seen(job, &caller.published.state));
    paging::answer(page, view).await
}

/// `GET /v1/cckm/aws/synchronization-jobs/{id}`
pub async fn get(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<SyncJobView>, Problem> {
    Ok(Json(SyncJobView::of(&services.sync_jobs.get(&auth.permit, SyncScope::Keys, job_id(&id)?)?)))
}

/// `GET /v1/cckm/aws/custom-key-stores/synchronization-jobs/{id}`
pub async fn get_key_stores(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<SyncJobView>, Problem> {
    Ok(Json(SyncJobView::of(&services.sync_jobs.get(&auth.permit, SyncScope::KeyStores, job_id(&id)?)?)))
}

/// `POST /v1/cckm/aws/synchronization-jobs/{id}/cancel`
pub async fn cancel(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<SyncJobView>, Problem> {
    let (jobs, id) = (&services.sync_jobs, job_id(&id)?);
    Ok(Json(SyncJobView::of(&jobs.cancel(&auth.permit, &auth.context, SyncScope::Keys, id).await?)))
}

/// `POST /v1/cckm/aws/custom-key-stores/synchronization-jobs/{id}/cancel`
pub async fn cancel_key_stores(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<SyncJobView>, Problem> {
    let (jobs, id) = (&services.sync_jobs, job_id(&id)?);
    Ok(Json(SyncJobView::of(&jobs.cancel(&auth.permit, &auth.context, SyncScope::KeyStores, id).await?)))
}

/// The id of the job in the path.
///
/// # Errors
/// [`Refusal`] if the text is not an id.
pub fn job_id(text: &str) -> Result<JobId, Refusal> {
    read_as("id", text, JobId::parse)
}

fn request(body: SyncBody) -> Result<SyncRequest, Refusal> {
    let SyncBody { kms, regions, synchronize_all } = body;
    if synchronize_all == Some(true) {
        return match (kms, regions) {
            (None, None) => Ok(SyncRequest::All),
            _ => Err(invalid("synchronize_all", "can not be given together with kms or regions")),
        };
    }
    let kms = kms.ok_or_else(|| invalid("kms", "or synchronize_all must be given"))?;
    if kms.is_empty() {
        return Err(no_entries("kms"));
    }
    let regions = match regions {
        Some(names) if names.is_empty() => {
            return Err(out_of_range("regions", Bounds::least(1), "must have at least one entry, or be absent"));
        }
        Some(names) => {
            Some(names.iter().map(|name| read_as("regions", name, Region::parse)).collect::<Result<Vec<_>, _>>()?)
        }
        None => None,
    };
    Ok(SyncRequest::Some { kms, regions })
}

impl SyncJobView {
    fn of(seen: &SyncJobSeen) -> Self {
        let job = &seen.job;
        let progress = |(part, (counts, linked)): (&SyncRegion, &(Counts, u64))| {
            (name(part), ProgressView::of(job.scope, part, counts, *linked))
        };
        let mut regions: Vec<String> = Vec::new();
        for region in job.regions.iter().map(|part| part.place.region.to_string()) {
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        Self {
            envelope: Envelope::new(job.id, "cckm:synchronize", job.id, job.created, job.updated),
            kms: seen.kms.clone(),
            regions,
            synchronize_all: job.all,
            overall_status: job.status().name(),
            detailed_status: job.regions.iter().map(|part| (name(part), status(job.scope, part))).collect(),
            completed_at: job.completed,
            abort: job.cancelled,
            cloud: "aws",
            progress: job.regions.iter().zip(&seen.counts).map(progress).collect(),
        }
    }
}

impl ProgressView {
    fn of(scope: SyncScope, part: &SyncRegion, counts: &Counts, linked: u64) -> Self {
        let Counts { listed, added, updated, gone, errors } = *counts;
        let linked = (scope == SyncScope::KeyStores).then_some(linked);
        let last_use_error = last_use_error(scope, part).map(str::to_owned);
        Self { listed, added, updated, linked, gone, errors, last_use_error }
    }
}

fn name(part: &SyncRegion) -> String {
    format!("{}/{}", part.place.account, part.place.region)
}

/// The vendor's text, which clients compare.
const SUCCESS: &str = "region synchronized successfully";

/// Why the last use of keys is not known, if all keys were read.
fn last_use_error(scope: SyncScope, part: &SyncRegion) -> Option<&str> {
    let end = part.end.as_ref().filter(|end| scope == SyncScope::Keys && end.counts.errors == 0)?;
    match &end.outcome {
        RegionOutcome::Done(reason) => reason.as_deref(),
        RegionOutcome::Failed(_) | RegionOutcome::Left => None,
    }
}

fn status(scope: SyncScope, part: &SyncRegion) -> String {
    let Some(end) = &part.end else { return JobStatus::InProgress.name().to_owned() };
    match &end.outcome {
        RegionOutcome::Done(Some(trouble)) if scope == SyncScope::KeyStores => {
            format!("region synchronized; {trouble}")
        }
        // All keys were read, but not when they were last used.
        RegionOutcome::Done(_) if last_use_error(scope, part).is_some() => SUCCESS.to_owned(),
        RegionOutcome::Done(None) => SUCCESS.to_owned(),
        RegionOutcome::Done(Some(trouble)) => {
            format!("region synchronized; {} keys could not be read, the first: {trouble}", end.counts.errors)
        }
        RegionOutcome::Failed(reason) => reason.clone(),
        RegionOutcome::Left => "canceled".to_owned(),
    }
}
