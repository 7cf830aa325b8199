//! What can be asked of groups, and what not.

use super::*;
use crate::domain::acl::AclChange;
use crate::domain::action::Action;
use crate::domain::event::KmsEvent;
use crate::domain::example::{group, group_name, joined, user, user_id};
use crate::domain::key::example::{added, after, kms_id};
use crate::domain::refusal::UserRefusal;
use crate::domain::state::Command;

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

fn remove(name: &str) -> GroupCommand {
    GroupCommand::Remove { name: group_name(name) }
}

fn when(state: &State, command: GroupCommand) -> Result<Vec<Event>, Refusal> {
    state.decide(Command::Group(command))
}

#[test]
fn a_name_is_given_once() {
    assert_eq!(when(&after(&[]), create("ops")), Ok(vec![group("ops")]));
    assert_eq!(
        when(&after(&[group("ops")]), create("ops")),
        Err(Refusal::Group(GroupRefusal::NameTaken(group_name("ops"))))
    );
}

#[test]
fn a_description_that_is_the_present_one_is_no_change() {
    let state = after(&[group("ops")]);
    let describe = |description: &str| {
        let (description, metadata) = (description.to_owned(), GroupMetadata::default());
        when(&state, GroupCommand::Describe { name: group_name("ops"), description, metadata })
    };
    assert_eq!(describe(""), Ok(vec![]));
    let (description, metadata) = ("operators".to_owned(), GroupMetadata::default());
    let described = Event::Group(group_name("ops"), GroupEvent::Described { description, metadata });
    assert_eq!(describe("operators"), Ok(vec![described]));
}

#[test]
fn a_user_joins_once_and_leaves_only_what_was_joined() {
    let mut log = vec![user(1), group("ops")];
    assert_eq!(when(&after(&log), add("ops", 1)), Ok(vec![joined("ops", 1)]));
    let stranger = Refusal::Group(GroupRefusal::NotAMember { user: user_id(1), group: group_name("ops") });
    assert_eq!(when(&after(&log), take("ops", 1)), Err(stranger));
    assert_eq!(when(&after(&log), add("ops", 2)), Err(Refusal::User(UserRefusal::Unknown(user_id(2).subject()))));
    log.push(joined("ops", 1));
    assert_eq!(when(&after(&log), add("ops", 1)), Ok(vec![]));
    let left = Event::Group(group_name("ops"), GroupEvent::MemberRemoved { user: user_id(1) });
    assert_eq!(when(&after(&log), take("ops", 1)), Ok(vec![left.clone()]));
    let members = |log: &[Event]| after(log).group(&group_name("ops")).map(|group| group.members);
    assert_eq!(members(&log), Ok(1));
    log.push(left);
    assert_eq!(members(&log), Ok(0));
}

#[test]
fn a_group_leaves_no_right_behind_for_a_later_one_of_its_name() {
    let change =
        AclChange { principal: Principal::Group(group_name("ops")), actions: vec![Action::View], permit: true };
    let permitted = Event::Kms(kms_id(0), KmsEvent::AclsChanged { changes: vec![change.clone()] });
    let log = [user(1), group("ops"), joined("ops", 1), added(0, &["eu-west-3"]), permitted];
    let withdrawn = KmsEvent::AclsChanged { changes: vec![AclChange { permit: false, ..change }] };
    let events = vec![Event::Kms(kms_id(0), withdrawn), Event::Group(group_name("ops"), GroupEvent::Removed)];
    assert_eq!(when(&after(&log), remove("ops")), Ok(events.clone()));
    let state = after(&[log.as_slice(), &events].concat());
    assert!(state.user(user_id(1)).expect("the user").groups.is_empty());
}

#[test]
fn system_groups_stay() {
    for system in SystemGroup::ALL {
        let refused = Refusal::Group(GroupRefusal::IsSystem(group_name(system.name())));
        assert_eq!(when(&after(&[group(system.name())]), remove(system.name())), Err(refused));
    }
}

#[test]
fn the_last_administrator_stays_in() {
    let mut log = vec![user(1), user(2), group("admin"), joined("admin", 1)];
    assert_eq!(when(&after(&log), take("admin", 1)), Err(Refusal::Group(GroupRefusal::LastAdmin)));
    log.push(joined("admin", 2));
    assert!(when(&after(&log), take("admin", 1)).is_ok());
}
