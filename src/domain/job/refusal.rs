//! Refusals of a job: the message, the kind and the reason of each.

use super::super::id::JobId;
use super::super::place::Region;
use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum JobRefusal {
    #[error("job {0} does not exist")]
    Unknown(String),
    #[error("job {0} has ended: only a job in progress can be cancelled")]
    Ended(JobId),
    #[error("region `{region}` is being synchronised by job {job}: wait for its end, or cancel it")]
    RegionBusy { region: Region, job: JobId },
}

reasons! { JobRefusal =>
    Unknown: Unknown, "job_unknown", "There is no such job, or none that the caller may see.";
    Ended: Conflict, "job_ended", "The job has ended, and cannot be cancelled any more.";
    RegionBusy: Busy, "region_busy", "Another job synchronises the region.";
}
