//! Decides the commands of jobs.

use super::bulk;
use super::command::JobCommand;
use super::event::JobEvent;
use super::sync;
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: JobCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        JobCommand::Sync(command) => {
            let (id, events) = sync::decide::decide(state, command)?;
            Ok(events.into_iter().map(|event| Event::Job(id, JobEvent::Synchronisation(event))).collect())
        }
        JobCommand::Bulk(command) => {
            let (id, events) = bulk::decide::decide(state, command)?;
            Ok(events.into_iter().map(|event| Event::Job(id, JobEvent::Bulk(event))).collect())
        }
    }
}
