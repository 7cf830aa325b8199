//! Decides the commands of reports.

use super::{ReportCommand, ReportEvent};
use crate::domain::event::Event;
use crate::domain::patch::invalid;
use crate::domain::refusal::{Refusal, ReportRefusal};
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: ReportCommand) -> Result<Vec<Event>, Refusal> {
    let (id, event) = match command {
        ReportCommand::Create { id, name, kind, start, end, sources, most } => {
            if end <= start {
                return Err(invalid("end_time", "must be after start_time"));
            }
            for source in &sources {
                state.kms(source.kms)?.refuse_archived()?;
            }
            if state.reports.len() >= most {
                return Err(ReportRefusal::TooMany(most).into());
            }
            (id, ReportEvent::Created { name, kind, start, end, sources })
        }
        // A report that ended otherwise, or was deleted, stays as it is.
        ReportCommand::Complete { id, .. } | ReportCommand::Fail { id, .. }
            if !state.reports.get(&id).is_some_and(|report| report.is_in_progress()) =>
        {
            return Ok(Vec::new());
        }
        ReportCommand::Complete { id, counts } => (id, ReportEvent::Completed { counts }),
        ReportCommand::Fail { id, reason, counts } => (id, ReportEvent::Failed { reason, counts }),
        ReportCommand::Delete { id } => (state.report(id)?.id, ReportEvent::Deleted),
    };
    Ok(vec![Event::Report(id, event)])
}
