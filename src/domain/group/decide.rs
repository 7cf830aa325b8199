//! Decides the commands of groups.

use super::system::SystemGroup;
use super::{GroupCommand, GroupMetadata, GroupPatch};
use crate::domain::acl::Principal;
use crate::domain::cascade;
use crate::domain::event::{Event, GroupEvent};
use crate::domain::name::GroupName;
use crate::domain::refusal::{GroupRefusal, Refusal};
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: GroupCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        GroupCommand::Create { name, description, metadata } => {
            if state.groups.get(&name).is_some() {
                return Err(GroupRefusal::NameTaken(name).into());
            }
            let metadata = GroupMetadata::default().patched(metadata)?;
            Ok(vec![Event::Group(name, GroupEvent::Created { description, metadata })])
        }
        GroupCommand::Update { name, patch } => update(state, name, patch),
        GroupCommand::AddMember { name, user } => {
            state.group(&name)?;
            let in_already = state.user(user)?.groups.contains(&name);
            Ok(if in_already { vec![] } else { vec![Event::Group(name, GroupEvent::MemberAdded { user })] })
        }
        GroupCommand::RemoveMember { name, user } => {
            state.group(&name)?;
            if !state.user(user)?.groups.contains(&name) {
                return Err(GroupRefusal::NotAMember { user, group: name }.into());
            }
            if SystemGroup::of(&name) == Some(SystemGroup::Admin) {
                refuse_last_admin(state)?;
            }
            Ok(vec![Event::Group(name, GroupEvent::MemberRemoved { user })])
        }
        GroupCommand::Remove { name } => remove(state, name),
    }
}

fn update(state: &State, name: GroupName, mut patch: GroupPatch) -> Result<Vec<Event>, Refusal> {
    let group = state.group(&name)?;
    let to = patch.name.take().filter(|to| *to != name);
    let (description, metadata) = group.described(patch)?;
    let mut events = Vec::new();
    if group.description != description || group.metadata != metadata {
        events.push(Event::Group(name.clone(), GroupEvent::Described { description, metadata }));
    }
    if let Some(to) = to {
        events.extend(rename(state, name, to)?);
    }
    Ok(events)
}

fn rename(state: &State, name: GroupName, to: GroupName) -> Result<Vec<Event>, Refusal> {
    if SystemGroup::of(&name).is_some() {
        return Err(GroupRefusal::IsSystem(name).into());
    }
    if state.groups.get(&to).is_some() {
        return Err(GroupRefusal::NameTaken(to).into());
    }
    let rights = cascade::transfer_rights(state, Principal::Group(name.clone()), Principal::Group(to.clone()));
    let rights: Vec<Event> = rights.collect();
    Ok([Event::Group(name, GroupEvent::Renamed { to })].into_iter().chain(rights).collect())
}

fn remove(state: &State, name: GroupName) -> Result<Vec<Event>, Refusal> {
    state.group(&name)?;
    if SystemGroup::of(&name).is_some() {
        return Err(GroupRefusal::IsSystem(name).into());
    }
    let rights = cascade::withdraw_rights(state, Principal::Group(name.clone()));
    Ok(rights.chain([Event::Group(name, GroupEvent::Removed)]).collect())
}

/// Refuses the removal of the last administrator, without whom nobody could administer the installation.
///
/// # Errors
/// When the group `admin` has fewer than two members.
pub fn refuse_last_admin(state: &State) -> Result<(), Refusal> {
    let admins = state.users.iter().filter(|user| user.is_in(SystemGroup::Admin)).take(2).count();
    if admins < 2 { Err(GroupRefusal::LastAdmin.into()) } else { Ok(()) }
}
