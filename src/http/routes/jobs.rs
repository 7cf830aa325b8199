//! Endpoints of jobs and schedules.

use crate::domain::action::Action::{KeyBulkOperation, KeySynchronize};
use crate::domain::id::ScheduleId;
use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::schedules::{coverage, preview};
use crate::http::{bulk_jobs, history, schedules, sync_jobs};
use crate::service::access::RequiredRight::{
    ManageSchedules, OnEveryKms, OnSomeKey, SignedIn, ViewBulkJob, ViewSyncJob,
};

pub(super) fn jobs() -> Vec<Endpoint> {
    let (syncs, bulks) = ("/cckm/aws/synchronization-jobs", "/cckm/aws/bulkjob");
    let (sync, bulk) = ("/cckm/aws/synchronization-jobs/{id}", "/cckm/aws/bulkjob/{id}");
    let (cancel_sync, cancel_bulk) = (format!("{sync}/cancel"), format!("{bulk}/cancel"));
    vec![
        post(syncs, sync_jobs::start, "synchronizeKeys", "Start a job that reads keys from AWS")
            .needs(OnEveryKms(KeySynchronize))
            .refuses(&[409]),
        get(syncs, sync_jobs::list, "listSynchronizationJobs", "List the synchronisation jobs that the caller may see")
            .needs(SignedIn),
        get(sync, sync_jobs::get, "getSynchronizationJob", "Get a synchronisation job and its progress")
            .needs(ViewSyncJob),
        post(&cancel_sync, sync_jobs::cancel, "cancelSynchronizationJob", "Cancel a synchronisation job at once")
            .needs(ViewSyncJob)
            .refuses(&[409]),
        post(bulks, bulk_jobs::start, "startBulkJob", "Start an operation on many keys")
            .needs(OnSomeKey(KeyBulkOperation)),
        get(bulks, bulk_jobs::list, "listBulkJobs", "List the bulk jobs that the caller may see").needs(SignedIn),
        get(bulk, bulk_jobs::get, "getBulkJob", "Get a bulk job and its progress").needs(ViewBulkJob),
        post(&cancel_bulk, bulk_jobs::cancel, "cancelBulkJob", "Cancel a bulk job before its next key")
            .needs(ViewBulkJob)
            .refuses(&[409]),
    ]
}

pub(super) fn scheduler() -> Vec<Endpoint> {
    let (all, one) = ("/scheduler/job-configs", "/scheduler/job-configs/{id}");
    vec![
        post(all, schedules::create, "createSchedule", "Create a schedule").needs(ManageSchedules).refuses(&[404, 409]),
        post(
            "/scheduler/job-configs/preview",
            preview::preview,
            "previewSchedule",
            "Get the next runs of a schedule that does not exist yet",
        )
        .needs(SignedIn)
        .read_only(),
        get(
            "/scheduler/coverage",
            coverage::get,
            "getScheduleCoverage",
            "Get what rotates the keys that the caller may see, and how many nothing rotates",
        )
        .needs(SignedIn),
        get(all, schedules::list, "listSchedules", "List the schedules").needs(SignedIn),
        get(one, schedules::get, "getSchedule", "Get a schedule").needs(SignedIn).or_with(
            "at",
            "date-time",
            "The schedule as it was at this time, even if it is deleted now.",
            schedules::get_at,
        ),
        get(
            "/scheduler/job-configs/{id}/history",
            history::list::<ScheduleId>,
            "getScheduleHistory",
            "List the events of a schedule",
        )
        .needs(SignedIn),
        patch(one, schedules::update, "updateSchedule", "Change a schedule").needs(ManageSchedules),
        delete(one, schedules::delete, "deleteSchedule", "Delete a schedule; with `force`, also one that rotates keys")
            .needs(ManageSchedules)
            .refuses(&[409]),
        post("/scheduler/job-configs/{id}/run-now", schedules::run_now, "runSchedule", "Start a run of a schedule now")
            .needs(ManageSchedules)
            .refuses(&[409]),
        get("/scheduler/jobs", schedules::runs, "listScheduledJobs", "List the runs of schedules").needs(SignedIn),
        get("/scheduler/jobs/{id}", schedules::run, "getScheduledJob", "Get a run of a schedule").needs(SignedIn),
    ]
}
