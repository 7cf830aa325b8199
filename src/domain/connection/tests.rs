//! What can be asked of connections, and what not.

use super::*;
use crate::domain::example::{connected, connection_name, settings};
use crate::domain::key::example::{added, after, at, connection_id};
use crate::domain::name::KmsName;
use crate::domain::state::Command;
use uuid::Uuid;

const OTHER: ConnectionId = ConnectionId::new(Uuid::from_u128(1));

fn create(id: ConnectionId, name: &str) -> ConnectionCommand {
    let (name, settings) = (connection_name(name), settings(Partition::Aws));
    ConnectionCommand::Create { id, name, settings, secret: Sealed(vec![1]) }
}

fn update(name: Option<&str>, settings: ConnectionSettings, secret: Option<Sealed>) -> ConnectionCommand {
    ConnectionCommand::Update { id: connection_id(), name: name.map(connection_name), settings, secret }
}

fn when(state: &State, command: ConnectionCommand) -> Result<Vec<Event>, Refusal> {
    state.decide(Command::Connection(command))
}

fn events(events: impl IntoIterator<Item = ConnectionEvent>) -> Result<Vec<Event>, Refusal> {
    Ok(events.into_iter().map(|event| Event::Connection(connection_id(), event)).collect())
}

#[test]
fn a_name_is_given_once_and_is_free_again_after_the_deletion() {
    assert_eq!(when(&after(&[]), create(connection_id(), "lab")), Ok(vec![connected()]));
    let taken = Refusal::Connection(ConnectionRefusal::NameTaken(connection_name("lab")));
    assert_eq!(when(&after(&[connected()]), create(OTHER, "lab")), Err(taken));
    let deleted = Event::Connection(connection_id(), ConnectionEvent::Deleted);
    assert!(when(&after(&[connected(), deleted]), create(OTHER, "lab")).is_ok());
}

#[test]
fn only_what_differs_is_recorded() {
    let state = after(&[connected()]);
    assert_eq!(when(&state, update(Some("lab"), settings(Partition::Aws), None)), events([]));
    let described = ConnectionSettings { description: "for keys".to_owned(), ..settings(Partition::Aws) };
    let all = when(&state, update(Some("aws"), described.clone(), Some(Sealed(vec![2]))));
    let renamed = ConnectionEvent::Renamed { to: connection_name("aws") };
    let changed = ConnectionEvent::SettingsChanged { settings: described };
    let replaced = ConnectionEvent::SecretReplaced { secret: Sealed(vec![2]) };
    assert_eq!(all, events([renamed, changed, replaced]));
}

#[test]
fn a_new_name_must_be_free_and_frees_the_old_one() {
    let made = ConnectionEvent::Created {
        name: connection_name("other"),
        settings: settings(Partition::Aws),
        secret: Sealed(vec![1]),
    };
    let mut log = vec![connected(), Event::Connection(OTHER, made)];
    let taken = Refusal::Connection(ConnectionRefusal::NameTaken(connection_name("other")));
    assert_eq!(when(&after(&log), update(Some("other"), settings(Partition::Aws), None)), Err(taken));
    log.push(Event::Connection(connection_id(), ConnectionEvent::Renamed { to: connection_name("new") }));
    let state = after(&log);
    assert!(state.connection_named(&connection_name("lab")).is_none());
    assert_eq!(state.connection_named(&connection_name("new")).map(|found| found.id), Some(connection_id()));
}

#[test]
fn a_connection_in_use_keeps_its_partition_and_is_not_deleted() {
    let (unused, used) = (after(&[connected()]), after(&[connected(), added(0, &["eu-west-3"])]));
    let elsewhere = || update(None, settings(Partition::AwsCn), None);
    let delete = || ConnectionCommand::Delete { id: connection_id() };
    let by = || vec![KmsName::parse("kms-0").expect("a name")];
    assert!(when(&unused, elsewhere()).is_ok());
    let fixed = Refusal::Connection(ConnectionRefusal::CloudFixed { connection: connection_name("lab"), by: by() });
    assert_eq!(when(&used, elsewhere()), Err(fixed));
    assert_eq!(when(&unused, delete()), events([ConnectionEvent::Deleted]));
    let in_use = Refusal::Connection(ConnectionRefusal::InUse { connection: connection_name("lab"), by: by() });
    assert_eq!(when(&used, delete()), Err(in_use));
}

#[test]
fn a_test_is_noted_and_is_no_change_of_the_connection() {
    let error = Some("AccessDenied".to_owned());
    let note = ConnectionCommand::NoteTest { id: connection_id(), error: error.clone() };
    let tested = ConnectionEvent::Tested { error: error.clone() };
    assert_eq!(when(&after(&[connected()]), note.clone()), events([tested.clone()]));
    let state = after(&[connected(), Event::Connection(connection_id(), tested)]);
    let connection = state.connection(connection_id()).expect("the connection");
    assert_eq!((connection.updated, &connection.last_test), (at(1), &Some(LastTest { at: at(2), error })));
    assert_eq!(
        when(&after(&[]), note),
        Err(Refusal::Connection(ConnectionRefusal::Unknown(connection_id().to_string())))
    );
}
