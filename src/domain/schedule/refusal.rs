//! Refusals of a schedule: the message, the kind and the reason of each.

use super::super::id::JobId;
use super::super::name::ScheduleName;
use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ScheduleRefusal {
    #[error("schedule {0} does not exist")]
    Unknown(String),
    #[error("name: there is a schedule named `{0}` already; choose another name")]
    NameTaken(ScheduleName),
    #[error("job_config_id: schedule `{0}` does not rotate keys: its operation is not cckm_key_rotation")]
    NotRotating(ScheduleName),
    #[error(
        "job_config_id: schedule `{0}` does not rotate credentials: its operation is not cckm_xks_credential_rotation"
    )]
    NotRotatingCredentials(ScheduleName),
    #[error("schedule `{schedule}` rotates {keys} keys: take them off it first, or repeat with ?force=true")]
    HasKeys { schedule: ScheduleName, keys: usize },
    #[error(
        "schedule `{schedule}` rotates the credentials of {stores} key stores: take them off it first, or repeat with \
         ?force=true"
    )]
    HasStores { schedule: ScheduleName, stores: usize },
    #[error("schedule `{schedule}` runs at the moment: job {run}")]
    Running { schedule: ScheduleName, run: JobId },
    #[error("job {0} does not exist")]
    RunUnknown(String),
}

reasons! { ScheduleRefusal =>
    Unknown: Unknown, "schedule_unknown", "There is no such schedule.";
    NameTaken: Taken of "name", "schedule_name_taken", "A schedule has the name already.";
    NotRotating: Invalid of "job_config_id", "schedule_not_rotating", "The schedule does not rotate keys.";
    NotRotatingCredentials: Invalid of "job_config_id", "schedule_not_rotating_credentials", "The schedule does not rotate credentials.";
    HasKeys: InUse, "schedule_has_keys", "The schedule rotates keys.";
    HasStores: InUse, "schedule_has_key_stores", "The schedule rotates credentials of key stores.";
    Running: Busy, "schedule_running", "The schedule runs at the moment.";
    RunUnknown: Unknown, "run_unknown", "There is no such run of a schedule.";
}
