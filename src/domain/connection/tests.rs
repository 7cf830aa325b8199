//! The rules of connections.

use super::*;
use crate::domain::event::Event;
use crate::domain::example::{connected, connection_name, settings};
use crate::domain::key::example::{added, at, connection_id};
use crate::domain::name::KmsName;
use crate::domain::place::{Arn, RoleArn};
use crate::domain::refusal::{ConnectionRefusal, Refusal};
use crate::domain::scenario::given;
use uuid::Uuid;

const OTHER: ConnectionId = ConnectionId::new(Uuid::from_u128(1));

fn create(id: ConnectionId, name: &str) -> ConnectionCommand {
    let (name, settings) = (connection_name(name), settings(Partition::Aws));
    ConnectionCommand::Create { id, name, settings, secret: Sealed(vec![1]), roles_anywhere: None }
}

fn update(name: Option<&str>, patch: ConnectionPatch, secret: Option<Sealed>) -> ConnectionCommand {
    let roles_anywhere = RolesAnywhereChange::Keep;
    ConnectionCommand::Update { id: connection_id(), name: name.map(connection_name), patch, secret, roles_anywhere }
}

fn events(events: impl IntoIterator<Item = ConnectionEvent>) -> Vec<Event> {
    events.into_iter().map(|event| Event::Connection(connection_id(), event)).collect()
}

#[test]
fn a_name_is_given_once_and_is_free_again_after_the_deletion() {
    given([]).when(create(connection_id(), "lab")).then([connected()]);
    let taken = ConnectionRefusal::NameTaken(connection_name("lab"));
    given([connected()]).when(create(OTHER, "lab")).then_refused(taken);
    let deleted = Event::Connection(connection_id(), ConnectionEvent::Deleted);
    given([connected(), deleted]).when(create(OTHER, "lab")).then_done();
}

#[test]
fn only_what_differs_is_recorded() {
    let state = given([connected()]);
    state.when(update(Some("lab"), ConnectionPatch::default(), None)).then(events([]));
    let described = ConnectionSettings { description: "for keys".to_owned(), ..settings(Partition::Aws) };
    let patch = ConnectionPatch { description: Some("for keys".to_owned()), ..ConnectionPatch::default() };
    let renamed = ConnectionEvent::Renamed { to: connection_name("aws") };
    let changed = ConnectionEvent::SettingsChanged { settings: described };
    let replaced = ConnectionEvent::SecretReplaced { secret: Sealed(vec![2]) };
    state.when(update(Some("aws"), patch, Some(Sealed(vec![2])))).then(events([renamed, changed, replaced]));
}

#[test]
fn a_new_name_must_be_free_and_frees_the_old_one() {
    let made = ConnectionEvent::Created {
        name: connection_name("other"),
        settings: settings(Partition::Aws),
        secret: Sealed(vec![1]),
    };
    let mut state = given([connected(), Event::Connection(OTHER, made)]);
    let taken = ConnectionRefusal::NameTaken(connection_name("other"));
    state.when(update(Some("other"), ConnectionPatch::default(), None)).then_refused(taken);
    state.push(Event::Connection(connection_id(), ConnectionEvent::Renamed { to: connection_name("new") }));
    assert!(state.connection_named(&connection_name("lab")).is_none());
    assert_eq!(state.connection_named(&connection_name("new")).map(|found| found.id), Some(connection_id()));
}

#[test]
fn a_connection_in_use_keeps_its_partition_and_is_not_deleted() {
    let (unused, used) = (given([connected()]), given([connected(), added(0, &["eu-west-3"])]));
    let elsewhere =
        || update(None, ConnectionPatch { cloud: Some(Partition::AwsCn), ..ConnectionPatch::default() }, None);
    let delete = || ConnectionCommand::Delete { id: connection_id() };
    let by = || vec![KmsName::parse("kms-0").expect("a name")];
    unused.when(elsewhere()).then_done();
    let fixed = ConnectionRefusal::CloudFixed { connection: connection_name("lab"), by: by() };
    used.when(elsewhere()).then_refused(fixed);
    unused.when(delete()).then(events([ConnectionEvent::Deleted]));
    let in_use = ConnectionRefusal::InUse { connection: connection_name("lab"), by: by() };
    used.when(delete()).then_refused(in_use);
}

#[test]
fn a_test_is_noted_and_is_no_change_of_the_connection() {
    let error = Some("AccessDenied".to_owned());
    let note = ConnectionCommand::RecordTest { id: connection_id(), error: error.clone() };
    let tested = ConnectionEvent::Tested { error: error.clone() };
    given([connected()]).when(note.clone()).then(events([tested.clone()]));
    let state = given([connected(), Event::Connection(connection_id(), tested)]);
    let connection = state.connection(connection_id()).expect("the connection");
    assert_eq!((connection.updated, &connection.last_test), (at(1), &Some(LastTest { at: at(2), error })));
    given([]).when(note).then_refused(ConnectionRefusal::Unknown(connection_id().to_string()));
}

#[test]
fn a_certificate_is_recorded_if_it_fits_the_connection_and_differs() {
    let arn = |text: &str| Arn::parse(text).expect("an ARN");
    let access = RolesAnywhere {
        role: RoleArn::parse("arn:aws:iam::123456789012:role/keys").expect("a role"),
        profile: arn("arn:aws:rolesanywhere:eu-west-3:123456789012:profile/a"),
        trust_anchor: arn("arn:aws:rolesanywhere:eu-west-3:123456789012:trust-anchor/b"),
        certificate: "a certificate".to_owned(),
        private_key: Sealed(vec![3]),
    };
    let change = |roles_anywhere: RolesAnywhereChange| ConnectionCommand::Update {
        id: connection_id(),
        name: None,
        patch: ConnectionPatch::default(),
        secret: None,
        roles_anywhere,
    };
    let set = || RolesAnywhereChange::Set(Box::new(access.clone()));
    let is_set = ConnectionEvent::RolesAnywhereSet { to: Box::new(access.clone()) };
    let mut state = given([connected()]);
    state.when(change(RolesAnywhereChange::Remove)).then(events([]));
    state.when(change(set())).then(events([is_set.clone()]));
    let elsewhere = RolesAnywhere { profile: access.trust_anchor.clone(), ..access.clone() };
    let refused = state.when(change(RolesAnywhereChange::Set(Box::new(elsewhere)))).refusal();
    assert!(matches!(refused, Refusal::Invalid { member: roles_anywhere::PROFILE, .. }), "{refused:?}");
    state.push(Event::Connection(connection_id(), is_set));
    state.when(change(set())).then(events([]));
    let moved = ConnectionCommand::Update {
        id: connection_id(),
        name: None,
        patch: ConnectionPatch { cloud: Some(Partition::AwsCn), ..ConnectionPatch::default() },
        secret: None,
        roles_anywhere: RolesAnywhereChange::Keep,
    };
    let refused = state.when(moved).refusal();
    assert!(matches!(refused, Refusal::Invalid { member: roles_anywhere::ROLE, .. }), "{refused:?}");
    state.when(change(RolesAnywhereChange::Remove)).then(events([ConnectionEvent::RolesAnywhereRemoved]));
}
