//! Groups. The system groups are in `system.rs`.

pub mod decide;
pub mod refusal;
mod system;

use super::id::UserId;
use super::name::{GroupName, JsonText};
use super::patch::merged;
use super::refusal::Refusal;
use super::table::Table;
use super::time::Time;
pub use system::SystemGroup;

/// A group. Its members are listed at the users ([`super::user::User::groups`]).
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// The name, which serves as the id.
    pub name: GroupName,
    pub description: String,
    pub metadata: GroupMetadata,
    /// The number of members.
    pub members: u64,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// A change of a group. A member that is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct GroupPatch {
    pub name: Option<GroupName>,
    pub description: Option<String>,
    /// Members to set, and with `null` to remove.
    pub metadata: GroupMetadata,
}

#[derive(Clone, PartialEq, Debug)]
pub enum GroupEvent {
    Created {
        description: String,
        metadata: GroupMetadata,
    },
    /// The description or the metadata changed.
    Described {
        description: String,
        /// The complete new metadata.
        metadata: GroupMetadata,
    },
    MemberAdded {
        user: UserId,
    },
    MemberRemoved {
        user: UserId,
    },
    /// The group was removed, and with it all memberships.
    Removed,
    /// The group got another name, under which its later events are. Its members stay.
    Renamed {
        to: GroupName,
    },
}

/// JSON that clients attach to a group, for applications, for clients and for users.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupMetadata {
    pub app: Option<JsonText>,
    pub client: Option<JsonText>,
    pub user: Option<JsonText>,
}

#[derive(Clone, Debug)]
pub enum GroupCommand {
    Create { name: GroupName, description: String, metadata: GroupMetadata },
    Update { name: GroupName, patch: GroupPatch },
    AddMember { name: GroupName, user: UserId },
    RemoveMember { name: GroupName, user: UserId },
    Remove { name: GroupName },
}

impl Table<GroupName, Group> {
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
            GroupEvent::Renamed { to } => {
                self.change(name, |group| group.apply(at, event));
                self.rename(name, to.clone());
            }
            GroupEvent::Described { .. } | GroupEvent::MemberAdded { .. } | GroupEvent::MemberRemoved { .. } => {
                self.change(name, |group| group.apply(at, event));
            }
        }
    }
}

impl GroupMetadata {
    /// Returns the metadata after the patch.
    ///
    /// # Errors
    /// When one of the objects becomes too long.
    fn patched(self, patch: Self) -> Result<Self, Refusal> {
        Ok(Self {
            app: merged("app_metadata", self.app, patch.app)?,
            client: merged("client_metadata", self.client, patch.client)?,
            user: merged("user_metadata", self.user, patch.user)?,
        })
    }
}

impl Group {
    fn described(&self, patch: GroupPatch) -> Result<(String, GroupMetadata), Refusal> {
        let metadata = self.metadata.clone().patched(patch.metadata)?;
        Ok((patch.description.unwrap_or_else(|| self.description.clone()), metadata))
    }

    fn apply(&mut self, at: Time, event: &GroupEvent) {
        match event {
            GroupEvent::Described { description, metadata } => {
                self.description = description.clone();
                self.metadata = metadata.clone();
            }
            GroupEvent::Renamed { to } => self.name = to.clone(),
            GroupEvent::MemberAdded { .. } => self.members += 1,
            GroupEvent::MemberRemoved { .. } => self.members = self.members.saturating_sub(1),
            GroupEvent::Created { .. } | GroupEvent::Removed => return,
        }
        self.updated = at;
    }
}

#[cfg(test)]
mod tests;
