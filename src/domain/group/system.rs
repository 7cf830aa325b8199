//! The system groups, which always exist and have built-in rights.

use crate::domain::name::GroupName;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SystemGroup {
    Admin,
    /// May do everything on every KMS.
    CckmAdmins,
    /// A group without built-in rights, meant for the access control lists of KMSs.
    CckmUsers,
    ConnectionAdmins,
    UserAdmins,
}

impl SystemGroup {
    pub const ALL: [SystemGroup; 5] =
        [Self::Admin, Self::CckmAdmins, Self::CckmUsers, Self::ConnectionAdmins, Self::UserAdmins];

    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::CckmAdmins => "CCKM Admins",
            Self::CckmUsers => "CCKM Users",
            Self::ConnectionAdmins => "Connection Admins",
            Self::UserAdmins => "User Admins",
        }
    }

    pub const fn description(self) -> &'static str {
        match self {
            Self::Admin => "may do everything",
            Self::CckmAdmins => "may do everything on every KMS",
            Self::CckmUsers => "users of cloud keys; what they may do is permitted on each KMS",
            Self::ConnectionAdmins => "manage connections",
            Self::UserAdmins => "manage users and groups",
        }
    }

    /// The system group of that name.
    pub fn of(name: &GroupName) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name.as_str())
    }

    /// Whether the group has rights beyond the management of users. Only members of `admin` may add members to it.
    pub const fn is_privileged(self) -> bool {
        matches!(self, Self::Admin | Self::CckmAdmins | Self::ConnectionAdmins)
    }
}
