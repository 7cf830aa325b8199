//! The rules of groups.

use super::*;
use crate::domain::acl::AclChange;
use crate::domain::acl::Principal;
use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::event::KmsEvent;
use crate::domain::example::{group, group_name, joined, user, user_id};
use crate::domain::key::example::{added, kms_id};
use crate::domain::refusal::GroupRefusal;
use crate::domain::refusal::UserRefusal;
use crate::domain::scenario::{Given, given};

fn create(name: &str) -> GroupCommand {
    let (description, metadata) = (String::new(), GroupMetadata::default());
    GroupCommand::Create { name: group_name(name), description, metadata }
}

fn add(name: &str, n: u128) -> GroupCommand {
    GroupCommand::AddMember { name: group_name(name), user: user_id(n) }
}

fn take(name: &str, n: u128) -> GroupCommand {
    GroupCommand::RemoveMember { name: group_name(name), user: user_id(n) }
}

fn rename(name: &str, to: &str) -> GroupCommand {
    let patch = GroupPatch { name: Some(group_name(to)), ..GroupPatch::default() };
    GroupCommand::Update { name: group_name(name), patch }
}

fn remove(name: &str) -> GroupCommand {
    GroupCommand::Remove { name: group_name(name) }
}

#[test]
fn a_name_is_given_once() {
    given([]).when(create("ops")).then([group("ops")]);
    given([group("ops")]).when(create("ops")).then_refused(GroupRefusal::NameTaken(group_name("ops")));
}

#[test]
fn a_description_that_is_the_present_one_is_no_change() {
    let state = given([group("ops")]);
    let describe = |description: &str| {
        let patch = GroupPatch { description: Some(description.to_owned()), ..GroupPatch::default() };
        state.when(GroupCommand::Update { name: group_name("ops"), patch })
    };
    describe("").then([]);
    let (description, metadata) = ("operators".to_owned(), GroupMetadata::default());
    let described = Event::Group(group_name("ops"), GroupEvent::Described { description, metadata });
    describe("operators").then([described]);
}

#[test]
fn a_user_joins_once_and_leaves_only_what_was_joined() {
    let mut state = given([user(1), group("ops")]);
    state.when(add("ops", 1)).then([joined("ops", 1)]);
    let stranger = GroupRefusal::NotAMember { user: user_id(1), group: group_name("ops") };
    state.when(take("ops", 1)).then_refused(stranger);
    state.when(add("ops", 2)).then_refused(UserRefusal::Unknown(user_id(2).subject()));
    state.push(joined("ops", 1));
    state.when(add("ops", 1)).then([]);
    let left = Event::Group(group_name("ops"), GroupEvent::MemberRemoved { user: user_id(1) });
    state.when(take("ops", 1)).then([left.clone()]);
    let members = |state: &Given| state.group(&group_name("ops")).map(|group| group.members);
    assert_eq!(members(&state), Ok(1));
    state.push(left);
    assert_eq!(members(&state), Ok(0));
}

#[test]
fn a_group_leaves_no_right_behind_for_a_later_one_of_its_name() {
    let change =
        AclChange { principal: Principal::Group(group_name("ops")), actions: vec![Action::View], permit: true };
    let permitted = Event::Kms(kms_id(0), KmsEvent::AclsChanged { changes: vec![change.clone()] });
    let state = given([user(1), group("ops"), joined("ops", 1), added(0, &["eu-west-3"]), permitted]);
    let withdrawn = KmsEvent::AclsChanged { changes: vec![AclChange { permit: false, ..change }] };
    let events = [Event::Kms(kms_id(0), withdrawn), Event::Group(group_name("ops"), GroupEvent::Removed)];
    let state = state.when(remove("ops")).then(events);
    assert!(state.user(user_id(1)).expect("the user").groups.is_empty());
}

#[test]
fn system_groups_stay() {
    for system in SystemGroup::ALL {
        let refused = GroupRefusal::IsSystem(group_name(system.name()));
        given([group(system.name())]).when(rename(system.name(), "others")).then_refused(refused);
        let refused = GroupRefusal::IsSystem(group_name(system.name()));
        given([group(system.name())]).when(remove(system.name())).then_refused(refused);
    }
}

#[test]
fn the_last_administrator_stays_in() {
    let mut state = given([user(1), user(2), group("admin"), joined("admin", 1)]);
    state.when(take("admin", 1)).then_refused(GroupRefusal::LastAdmin);
    state.push(joined("admin", 2));
    state.when(take("admin", 1)).then_done();
}

#[test]
fn a_group_keeps_its_members_and_rights_under_a_new_name() {
    let change = |name: &str, permit| {
        let (principal, actions) = (Principal::Group(group_name(name)), vec![Action::ViewNative, Action::KeyCreate]);
        AclChange { principal, actions, permit }
    };
    let permitted = KmsEvent::AclsChanged { changes: vec![change("ops", true)] };
    let state = given([user(1), group("first"), joined("first", 1), group("ops"), joined("ops", 1), group("last")]);
    let state = state.and([added(0, &["eu-west-3"]), Event::Kms(kms_id(0), permitted), added(1, &["eu-west-3"])]);
    let renamed = Event::Group(group_name("ops"), GroupEvent::Renamed { to: group_name("keepers") });
    let transferred = KmsEvent::AclsChanged { changes: vec![change("ops", false), change("keepers", true)] };
    state.when(rename("ops", "last")).then_refused(GroupRefusal::NameTaken(group_name("last")));
    state.when(rename("ops", "ops")).then([]);
    let state = state.when(rename("ops", "keepers")).then([renamed, Event::Kms(kms_id(0), transferred)]);
    let names: Vec<_> = state.groups.iter().map(|group| group.name.to_string()).collect();
    assert_eq!(names, ["first", "keepers", "last"]);
    assert_eq!(state.group(&group_name("keepers")).map(|group| group.members), Ok(1));
    assert_eq!(state.group(&group_name("ops")), Err(GroupRefusal::Unknown("ops".to_owned()).into()));
    let user = state.user(user_id(1)).expect("the user");
    assert_eq!(user.groups, [group_name("first"), group_name("keepers")]);
    let acl = &state.kms(kms_id(0)).expect("the KMS").acl;
    assert!(acl.granted(user.id, &user.groups).permits(Action::KeyCreate));
    assert!(!acl.names(&Principal::Group(group_name("ops"))));
    state.when(take("keepers", 1)).then_done();
}

#[test]
fn metadata_is_merged() {
    let json = |text: &str| Some(JsonText::stored(text));
    let describe = |app: &str| {
        let metadata = GroupMetadata { app: json(app), ..GroupMetadata::default() };
        let patch = GroupPatch { metadata, ..GroupPatch::default() };
        GroupCommand::Update { name: group_name("ops"), patch }
    };
    let app = |state: &Given| state.group(&group_name("ops")).expect("the group").metadata.app.clone();
    let state = given([group("ops")]).when(describe(r#"{"a":1,"b":null}"#)).then_done();
    assert_eq!(app(&state), json(r#"{"a":1}"#));
    state.when(describe("{}")).then([]);
    let state = state.when(describe(r#"{"a":null,"c":{}}"#)).then_done();
    assert_eq!(app(&state), json(r#"{"c":{}}"#));
}
