//! Refusals of a backup: the message, the kind and the reason of each.

use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum BackupRefusal {
    #[error("backup `{0}` does not exist")]
    Unknown(String),
    #[error("backup `{0}` is in progress; wait until it has ended")]
    InProgress(String),
    #[error("backup `{0}` ended in an error, so it has no file")]
    NotMade(String),
    #[error("the file of backup `{0}` is gone: it was deleted or moved by others")]
    FileGone(String),
    #[error("there are {0} backups, and there may be no more; delete one first")]
    TooMany(usize),
}

reasons! { BackupRefusal =>
    Unknown: Unknown, "backup_unknown", "There is no such backup.";
    InProgress: Conflict, "backup_in_progress", "The backup has not ended yet.";
    NotMade: Conflict, "backup_not_made", "The backup ended in an error, so it has no file.";
    FileGone: Conflict, "backup_file_gone", "The file of the backup was deleted or moved by others.";
    TooMany: Conflict, "backup_limit", "There are as many backups as there may be.";
}
