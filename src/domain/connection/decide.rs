//! Decides the commands of connections.

use super::roles_anywhere::RolesAnywhereChange;
use super::{Connection, ConnectionCommand, ConnectionSettings};
use crate::domain::event::{ConnectionEvent, Event, Sealed};
use crate::domain::id::ConnectionId;
use crate::domain::name::ConnectionName;
use crate::domain::refusal::{ConnectionRefusal, Refusal};
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: ConnectionCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        ConnectionCommand::Create { id, name, settings, secret, roles_anywhere } => {
            refuse_taken(state, &name)?;
            let set = match roles_anywhere {
                Some(to) => {
                    to.check(&settings)?;
                    Some(ConnectionEvent::RolesAnywhereSet { to })
                }
                None => None,
            };
            let created = ConnectionEvent::Created { name, settings, secret };
            Ok([created].into_iter().chain(set).map(|event| Event::Connection(id, event)).collect())
        }
        ConnectionCommand::Update { id, name, patch, secret, roles_anywhere } => {
            let connection = state.connection(id)?;
            let settings = connection.settings.patched(patch)?;
            update(state, connection, name, settings, secret, roles_anywhere)
        }
        ConnectionCommand::RecordTest { id, error } => {
            state.connection(id)?;
            Ok(vec![Event::Connection(id, ConnectionEvent::Tested { error })])
        }
        ConnectionCommand::Delete { id } => {
            let connection = state.connection(id)?;
            match users_of(state, id).as_slice() {
                [] => Ok(vec![Event::Connection(id, ConnectionEvent::Deleted)]),
                by => Err(ConnectionRefusal::InUse { connection: connection.name.clone(), by: by.to_vec() }.into()),
            }
        }
    }
}

fn update(
    state: &State,
    connection: &Connection,
    name: Option<ConnectionName>,
    settings: ConnectionSettings,
    secret: Option<Sealed>,
    roles_anywhere: RolesAnywhereChange,
) -> Result<Vec<Event>, Refusal> {
    let mut events = Vec::new();
    let set = match &roles_anywhere {
        RolesAnywhereChange::Keep => connection.roles_anywhere.as_deref(),
        RolesAnywhereChange::Set(to) => Some(&**to),
        RolesAnywhereChange::Remove => None,
    };
    if let Some(set) = set {
        set.check(&settings)?;
    }
    if let Some(to) = name.filter(|name| *name != connection.name) {
        refuse_taken(state, &to)?;
        events.push(ConnectionEvent::Renamed { to });
    }
    if settings.cloud != connection.settings.cloud {
        let by = users_of(state, connection.id);
        if !by.is_empty() {
            return Err(ConnectionRefusal::CloudFixed { connection: connection.name.clone(), by }.into());
        }
    }
    if settings != connection.settings {
        events.push(ConnectionEvent::SettingsChanged { settings });
    }
    if let Some(secret) = secret {
        events.push(ConnectionEvent::SecretReplaced { secret });
    }
    match roles_anywhere {
        RolesAnywhereChange::Set(to) if connection.roles_anywhere.as_ref() != Some(&to) => {
            events.push(ConnectionEvent::RolesAnywhereSet { to });
        }
        RolesAnywhereChange::Remove if connection.roles_anywhere.is_some() => {
            events.push(ConnectionEvent::RolesAnywhereRemoved);
        }
        RolesAnywhereChange::Keep | RolesAnywhereChange::Set(_) | RolesAnywhereChange::Remove => {}
    }
    Ok(events.into_iter().map(|event| Event::Connection(connection.id, event)).collect())
}

fn refuse_taken(state: &State, name: &ConnectionName) -> Result<(), Refusal> {
    match state.connections.named(name) {
        Some(_) => Err(ConnectionRefusal::NameTaken(name.clone()).into()),
        None => Ok(()),
    }
}

fn users_of(state: &State, id: ConnectionId) -> Vec<crate::domain::name::KmsName> {
    state.kms.iter().filter(|kms| kms.connection == id).map(|kms| kms.name.clone()).take(10).collect()
}
