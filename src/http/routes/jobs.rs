//! Endpoints of jobs, and of the schedules that begin some of them.

use crate::domain::action::Action::{KeyBulkOperation, KeySynchronize};
use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::{bulk_jobs, schedules, sync_jobs};
use crate::service::access::RequiredRight::{
    ManageSchedules, OnEveryKms, OnSomeKey, SignedIn, ViewBulkJob, ViewSyncJob,
};

pub(super) fn jobs() -> Vec<Endpoint> {
    let (syncs, bulks) = ("/cckm/aws/synchronization-jobs", "/cckm/aws/bulkjob");
    let (sync, bulk) = ("/cckm/aws/synchronization-jobs/{id}", "/cckm/aws/bulkjob/{id}");
    let (cancel_sync, cancel_bulk) = (format!("{sync}/cancel"), format!("{bulk}/cancel"));
    vec![
        post(syncs, sync_jobs::start, "synchronizeKeys", "Bring what is known of keys in line with AWS")
            .needs(OnEveryKms(KeySynchronize))
            .refuses(&[409]),
        get(syncs, sync_jobs::list, "listSynchronizationJobs", "List the synchronisation jobs that the caller may see")
            .needs(SignedIn),
        get(sync, sync_jobs::get, "getSynchronizationJob", "Show a synchronisation job, and how far it is")
            .needs(ViewSyncJob),
        post(&cancel_sync, sync_jobs::cancel, "cancelSynchronizationJob", "Let a synchronisation job stop at once")
            .needs(ViewSyncJob)
            .refuses(&[409]),
        post(bulks, bulk_jobs::start, "startBulkJob", "Do the same to many keys").needs(OnSomeKey(KeyBulkOperation)),
        get(bulks, bulk_jobs::list, "listBulkJobs", "List the bulk jobs that the caller may see").needs(SignedIn),
        get(bulk, bulk_jobs::get, "getBulkJob", "Show a bulk job, and how far it is").needs(ViewBulkJob),
        post(&cancel_bulk, bulk_jobs::cancel, "cancelBulkJob", "Let a bulk job stop before its next key")
            .needs(ViewBulkJob)
            .refuses(&[409]),
    ]
}

pub(super) fn scheduler() -> Vec<Endpoint> {
    let (all, one) = ("/scheduler/job-configs", "/scheduler/job-configs/{id}");
    vec![
        post(all, schedules::create, "createSchedule", "Make a schedule").needs(ManageSchedules).refuses(&[404, 409]),
        get(all, schedules::list, "listSchedules", "List the schedules").needs(SignedIn),
        get(one, schedules::get, "getSchedule", "Show a schedule").needs(SignedIn),
        patch(one, schedules::update, "updateSchedule", "Change what a schedule does, or when").needs(ManageSchedules),
        delete(one, schedules::delete, "deleteSchedule", "Delete a schedule that no key is under; with `force`, any")
            .needs(ManageSchedules)
            .refuses(&[409]),
        post("/scheduler/job-configs/{id}/run-now", schedules::run_now, "runSchedule", "Begin a run of a schedule now")
            .needs(ManageSchedules)
            .refuses(&[409]),
        get("/scheduler/jobs", schedules::runs, "listScheduledJobs", "List the runs of schedules").needs(SignedIn),
        get("/scheduler/jobs/{id}", schedules::run, "getScheduledJob", "Show a run of a schedule").needs(SignedIn),
    ]
}
