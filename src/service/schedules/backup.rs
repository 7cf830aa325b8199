//! The work of a run that makes a backup.

use super::Schedules;
use crate::domain::id::{JobId, ScheduleId};
use crate::domain::schedule::{BackupPlan, RunOutcome};

impl Schedules {
    /// Makes a backup, if the plan asks for nothing that is not served here.
    pub(super) async fn back_up(&self, id: ScheduleId, run: JobId, plan: &BackupPlan) -> RunOutcome {
        if let Some(reason) = plan.unserved() {
            return RunOutcome::Failed(reason);
        }
        let (backups, keep) = (self.backups.clone(), plan.retention_count);
        let made = tokio::task::spawn_blocking(move || backups.make(id, run, keep)).await;
        match made {
            Ok(Ok(path)) => {
                tracing::info!(%run, path = %path.display(), "a backup was made");
                RunOutcome::Done
            }
            Ok(Err(error)) => RunOutcome::Failed(error.to_string()),
            Err(error) => RunOutcome::Failed(format!("the backup ended early: {error}")),
        }
    }
}
