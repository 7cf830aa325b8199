//! Decides the commands of forwarders.

use super::refusal::{FORWARDERS_MAX, ForwarderRefusal};
use super::{Forwarder, ForwarderCommand, ForwarderEvent, ForwarderSettings, Transport};
use crate::domain::event::Event;
use crate::domain::id::ForwarderId;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: ForwarderCommand) -> Result<Vec<Event>, Refusal> {
    let (id, event) = match command {
        ForwarderCommand::Create { id, settings } => {
            if state.forwarders.len() >= FORWARDERS_MAX {
                return Err(ForwarderRefusal::TooMany.into());
            }
            check(&settings)?;
            (id, Some(ForwarderEvent::Created { settings }))
        }
        ForwarderCommand::Update { id, patch } => {
            let before = &forwarder(state, id)?.settings;
            let settings = before.clone().patched(patch);
            check(&settings)?;
            (id, (settings != *before).then_some(ForwarderEvent::Updated { settings }))
        }
        ForwarderCommand::Delete { id } => (forwarder(state, id)?.id, Some(ForwarderEvent::Deleted)),
    };
    Ok(event.into_iter().map(|event| Event::Forwarder(id, event)).collect())
}

/// Returns a forwarder.
///
/// # Errors
/// When there is none.
pub fn forwarder(state: &State, id: ForwarderId) -> Result<&Arc<Forwarder>, Refusal> {
    state.forwarders.get(&id).ok_or_else(|| ForwarderRefusal::Unknown(id.to_string()).into())
}

/// Without authorities of its own, a receiver could be anybody.
fn check(settings: &ForwarderSettings) -> Result<(), Refusal> {
    match settings.transport {
        Transport::Tls if settings.ca_certificates.is_empty() => Err(ForwarderRefusal::CaRequired.into()),
        Transport::Udp | Transport::Tcp | Transport::Tls => Ok(()),
    }
}
