//! Groups. The system groups are in `system.rs`.

pub mod decide;
pub mod refusal;
mod system;

use super::id::UserId;
use super::name::{GroupName, JsonText};
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

#[derive(Clone, PartialEq, Debug)]
pub enum GroupEvent {
    Created {
        description: String,
        /// Attached JSON: for applications, for clients, for users.
        metadata: GroupMetadata,
    },
    /// Description or metadata were changed.
    Described {
        description: String,
        /// All of it, as it is now.
        metadata: GroupMetadata,
    },
    MemberAdded {
        user: UserId,
    },
    MemberRemoved {
        user: UserId,
    },
    /// The group is no more, nor is any membership in it.
    Removed,
}

/// JSON that clients attach to a group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupMetadata {
    pub app: Option<JsonText>,
    pub client: Option<JsonText>,
    pub user: Option<JsonText>,
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
