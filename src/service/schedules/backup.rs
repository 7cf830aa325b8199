//! The work of a run that makes a backup.

use super::Schedules;
use crate::domain::schedule::{BackupPlan, RunOutcome};

impl Schedules {
    /// Makes a backup, if the plan asks for nothing that is not served here.
    pub(super) fn back_up(&self, plan: &BackupPlan) -> RunOutcome {
        match plan.unserved() {
            Some(reason) => RunOutcome::Failed(reason),
            None => RunOutcome::Failed("backups by schedule are not set up".to_owned()),
        }
    }
}
