//! Refusals of a group: the message, the kind and the reason of each.

use super::super::id::UserId;
use super::super::name::GroupName;
use super::super::refusal::reason::reasons;
use super::system::SystemGroup;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum GroupRefusal {
    #[error("group `{0}` does not exist")]
    Unknown(String),
    #[error("name: there is a group named `{0}` already; choose another name")]
    NameTaken(GroupName),
    #[error("group `{0}` is a system group and cannot be removed or renamed")]
    IsSystem(GroupName),
    #[error("user `{}` is not in group `{group}`", .user.subject())]
    NotAMember { user: UserId, group: GroupName },
    #[error("the last member of group `{}` cannot be removed", SystemGroup::Admin.name())]
    LastAdmin,
}

reasons! { GroupRefusal =>
    Unknown: Unknown, "group_unknown", "There is no such group.";
    NameTaken: Taken of "name", "group_name_taken", "A group has the name already.";
    IsSystem: Conflict, "group_is_system", "The group is a system group.";
    NotAMember: Unknown, "member_unknown", "The user is not in the group.";
    LastAdmin: Conflict, "last_admin", "The last member of `admin` cannot be removed.";
}
