//! Decides the commands of backups.

use super::{BackupCommand, BackupEvent};
use crate::domain::event::Event;
use crate::domain::refusal::{BackupRefusal, Refusal};
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: BackupCommand) -> Result<Vec<Event>, Refusal> {
    let (id, event) = match command {
        // A run that continues after a restart continues its backup.
        BackupCommand::Request { id, .. } if state.backups.get(&id).is_some() => return Ok(Vec::new()),
        BackupCommand::Request { most, .. } if state.backups.len() >= most => {
            return Err(BackupRefusal::TooMany(most).into());
        }
        BackupCommand::Request { id, plan, schedule, .. } => (id, BackupEvent::Requested { plan, schedule }),
        BackupCommand::Complete { id, .. } | BackupCommand::Fail { id, .. }
            if !state.backups.get(&id).is_some_and(|backup| backup.is_in_progress()) =>
        {
            return Ok(Vec::new());
        }
        BackupCommand::Complete { id, file } => (id, BackupEvent::Made(file)),
        BackupCommand::Fail { id, reason } => (id, BackupEvent::Failed { reason }),
        BackupCommand::Delete { id } => {
            if state.backup(id)?.is_in_progress() {
                return Err(BackupRefusal::InProgress(id.to_string()).into());
            }
            (id, BackupEvent::Deleted)
        }
    };
    Ok(vec![Event::Backup(id, event)])
}
