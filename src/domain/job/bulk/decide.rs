//! Decides the commands of bulk jobs.

use super::{BulkCommand, check_keys};
use crate::domain::id::JobId;
use crate::domain::job::event::BulkEvent;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;

/// Returns the job and the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: BulkCommand) -> Result<(JobId, Vec<BulkEvent>), Refusal> {
    match command {
        BulkCommand::Start { id, by, task, keys, by_filter } => {
            check_keys(&keys, by_filter)?;
            for key in keys.iter().filter_map(|key| state.keys.get(key)) {
                state.kms(key.kms)?.refuse_archived()?;
            }
            Ok((id, vec![BulkEvent::Started { by, task, keys }]))
        }
        BulkCommand::EndKey { id, key, end } => Ok((id, state.bulk_job(id)?.end_key(key, end))),
        BulkCommand::Cancel { id } => Ok((id, state.bulk_job(id)?.cancel()?)),
        BulkCommand::Finish { id } => {
            let job = state.bulk_job(id)?;
            Ok((id, if job.completed.is_some() { vec![] } else { vec![BulkEvent::Finished] }))
        }
    }
}
