//! Decides the commands of groups.

use super::GroupCommand;
use super::system::SystemGroup;
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
            Ok(vec![Event::Group(name, GroupEvent::Created { description, metadata })])
        }
        GroupCommand::Describe { name, patch } => {
            let group = state.group(&name)?;
            let (description, metadata) = group.patched(patch);
            if group.description == description && group.metadata == metadata {
                return Ok(vec![]);
            }
            Ok(vec![Event::Group(name, GroupEvent::Described { description, metadata })])
        }
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
