//! Groups. The system groups are in `system.rs`.

pub mod refusal;
mod system;

use super::acl::Principal;
use super::cascade;
use super::event::{Event, GroupEvent, GroupMetadata};
use super::id::UserId;
use super::name::GroupName;
use super::refusal::{GroupRefusal, Refusal};
use super::state::State;
use super::table::Table;
use super::time::Time;
pub use system::SystemGroup;

/// A group. Its members are kept with the users.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// Its name, which is its identity.
    pub name: GroupName,
    pub description: String,
    pub metadata: GroupMetadata,
    /// How many users are in it.
    pub members: u64,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// What a caller wants changed of a group. A member that is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct GroupPatch {
    pub description: Option<String>,
    pub metadata: GroupMetadata,
}

/// What can be asked of groups.
#[derive(Clone, Debug)]
pub enum GroupCommand {
    Create { name: GroupName, description: String, metadata: GroupMetadata },
    Describe { name: GroupName, patch: GroupPatch },
    AddMember { name: GroupName, user: UserId },
    RemoveMember { name: GroupName, user: UserId },
    Remove { name: GroupName },
}

/// Says what would happen; does nothing.
///
/// # Errors
/// What stands against it.
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

/// Somebody must be left who may do everything.
///
/// # Errors
/// When the group `admin` has but one member.
pub fn refuse_last_admin(state: &State) -> Result<(), Refusal> {
    let admins = state.users.iter().filter(|user| user.is_in(SystemGroup::Admin)).take(2).count();
    if admins < 2 { Err(GroupRefusal::LastAdmin.into()) } else { Ok(()) }
}

impl Table<GroupName, Group> {
    /// Takes in what has happened to a group.
    pub(super) fn apply(&mut self, at: Time, name: &GroupName, event: &GroupEvent) {
        match event {
            GroupEvent::Created { description, metadata } => {
                let group = Group {
                    name: name.clone(),
                    description: description.clone(),
                    metadata: metadata.clone(),
                    members: 0,
                    created: at,
                    updated: at,
                };
                self.insert(name.clone(), group);
            }
            GroupEvent::Removed => drop(self.remove(name)),
            GroupEvent::Described { .. } | GroupEvent::MemberAdded { .. } | GroupEvent::MemberRemoved { .. } => {
                self.change(name, |group| group.apply(at, event));
            }
        }
    }
}

impl Group {
    fn patched(&self, patch: GroupPatch) -> (String, GroupMetadata) {
        let (given, now) = (patch.metadata, self.metadata.clone());
        let metadata = GroupMetadata {
            app: given.app.or(now.app),
            client: given.client.or(now.client),
            user: given.user.or(now.user),
        };
        (patch.description.unwrap_or_else(|| self.description.clone()), metadata)
    }

    fn apply(&mut self, at: Time, event: &GroupEvent) {
        match event {
            GroupEvent::Described { description, metadata } => {
                self.description = description.clone();
                self.metadata = metadata.clone();
            }
            GroupEvent::MemberAdded { .. } => self.members += 1,
            GroupEvent::MemberRemoved { .. } => self.members = self.members.saturating_sub(1),
            GroupEvent::Created { .. } | GroupEvent::Removed => return,
        }
        self.updated = at;
    }
}

#[cfg(test)]
mod tests;
