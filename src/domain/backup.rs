//! Backups that schedules and administrators make. The files are beside the log or elsewhere; the log has who asked for
//! what, how it ended, and who deleted it.

pub mod decide;
pub mod refusal;

use super::id::{BackupId, ScheduleId};
use super::schedule::BackupPlan;
use super::table::Table;
use super::time::Time;

#[derive(Clone, PartialEq, Debug)]
pub struct Backup {
    pub id: BackupId,
    pub plan: BackupPlan,
    /// The schedule that made it, if one did.
    pub schedule: Option<ScheduleId>,
    pub status: BackupStatus,
    /// When it ended.
    pub completed: Option<Time>,
    pub created: Time,
    pub updated: Time,
}

impl Backup {
    pub fn is_in_progress(&self) -> bool {
        self.status == BackupStatus::InProgress
    }

    /// Its file, if it was made.
    pub fn file(&self) -> Option<&BackupFile> {
        match &self.status {
            BackupStatus::Completed(file) => Some(file),
            BackupStatus::InProgress | BackupStatus::Failed(_) => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BackupStatus {
    InProgress,
    Completed(BackupFile),
    Failed(String),
}

impl BackupStatus {
    /// The names that clients use.
    pub const NAMES: &'static [&'static str] = &["in_progress", "completed", "error"];

    pub const fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed(_) => "completed",
            Self::Failed(_) => "error",
        }
    }
}

/// The file of a backup, as it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupFile {
    /// Its name in the directory of backups.
    pub name: String,
    pub bytes: u64,
    /// The SHA-256 of the encrypted file, in hexadecimal.
    pub sha256: String,
    /// The number of the last record in it.
    pub records: u64,
    /// The hash of that record, in hexadecimal.
    pub head_hash: String,
}

#[derive(Clone, PartialEq, Debug)]
pub enum BackupEvent {
    Requested { plan: BackupPlan, schedule: Option<ScheduleId> },
    Made(BackupFile),
    Failed { reason: String },
    Deleted,
}

#[derive(Clone, Debug)]
pub enum BackupCommand {
    Request {
        id: BackupId,
        plan: BackupPlan,
        schedule: Option<ScheduleId>,
        /// The largest number of backups.
        most: usize,
    },
    Complete {
        id: BackupId,
        file: BackupFile,
    },
    Fail {
        id: BackupId,
        reason: String,
    },
    Delete {
        id: BackupId,
    },
}

impl Table<BackupId, Backup> {
    pub(super) fn apply(&mut self, at: Time, id: BackupId, event: &BackupEvent) {
        let mut end = |status: BackupStatus| {
            self.change(&id, |backup| {
                backup.status = status;
                backup.completed = Some(at);
                backup.updated = at;
            });
        };
        match event {
            BackupEvent::Requested { plan, schedule } => {
                let (plan, schedule, status) = (plan.clone(), *schedule, BackupStatus::InProgress);
                let backup = Backup { id, plan, schedule, status, completed: None, created: at, updated: at };
                self.insert(id, backup);
            }
            BackupEvent::Made(file) => end(BackupStatus::Completed(file.clone())),
            BackupEvent::Failed { reason } => end(BackupStatus::Failed(reason.clone())),
            BackupEvent::Deleted => drop(self.remove(&id)),
        }
    }
}

#[cfg(test)]
mod tests;
