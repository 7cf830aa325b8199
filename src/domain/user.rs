//! Users, their passwords, and the lockout after failed logins.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::collection::{Collection, Named};
use super::group::SystemGroup;
use super::id::UserId;
use super::name::{GroupName, JsonText, PasswordPolicyName, UserName};
use super::password::{HISTORY_MAX, PasswordPolicy};
use super::sealed::Sealed;
use super::time::Time;
use patch::ProfilePatch;
use std::net::{IpAddr, Ipv6Addr};

#[derive(Clone, PartialEq, Debug)]
pub struct User {
    pub id: UserId,
    /// The name that the user signs in with.
    pub name: UserName,
    pub profile: UserProfile,
    /// The groups of the user, in the order of joining.
    pub groups: Vec<GroupName>,
    /// The sealed hash of the password.
    pub password: Sealed,
    /// The sealed hashes of previous passwords, newest first.
    pub earlier_passwords: Vec<Sealed>,
    pub password_set: Time,
    /// Whether the password must be changed before the user can sign in.
    pub must_change: bool,
    /// The name of the user's password policy; `None` for the global one.
    pub password_policy: Option<PasswordPolicyName>,
    /// The failed logins since the last successful one, by source (see [`network_of`]), for information: the lockout
    /// does not depend on them. The newest is the last. There are at most [`SOURCES_MAX`],
    /// and [`OTHER_SOURCES`].
    pub failures: Vec<Failures>,
    pub logins: u64,
    pub last_login: Option<Time>,
    /// The networks of the latest logins (see [`network_of`]), the newest last; at most [`SOURCES_MAX`].
    pub networks: Vec<String>,
    /// What the user's clients keep for the user, such as saved views.
    pub preferences: Option<JsonText>,
    pub created: Time,
    /// When the user was last changed. A login is no change.
    pub updated: Time,
}

/// The longest preferences of a user, in bytes of JSON.
pub const PREFERENCES_MAX: usize = 64 * 1024;

/// The consecutive failed logins from one network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failures {
    pub source: String,
    pub count: u32,
    pub last: Time,
}

/// The maximum number of networks whose logins, and of those whose failed logins, are kept for a user.
pub const SOURCES_MAX: usize = 32;

/// The source of failures beyond [`SOURCES_MAX`].
pub const OTHER_SOURCES: &str = "others";

/// The properties of a user besides name and password.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserProfile {
    pub full_name: String,
    pub nickname: String,
    pub email: String,
    pub email_verified: bool,
    pub user_metadata: Option<JsonText>,
    pub app_metadata: Option<JsonText>,
    /// Whether the user may not sign in to the console.
    pub prevent_ui_login: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum UserEvent {
    Created {
        name: UserName,
        profile: UserProfile,
        /// The sealed Argon2id hash (PHC string) of the password.
        password: Sealed,
        /// Whether the password must be changed before the user can sign in.
        must_change: bool,
    },
    ProfileChanged {
        /// The complete new profile.
        profile: UserProfile,
    },
    Renamed {
        to: UserName,
    },
    PasswordChanged {
        /// The sealed hash of the new password.
        password: Sealed,
        /// Whether the password must be changed before the user can sign in.
        must_change: bool,
    },
    /// The same password was hashed with the present parameters.
    PasswordRehashed {
        /// The sealed new hash.
        password: Sealed,
    },
    /// The requirement to change the password was set or lifted.
    PasswordChangeRequired {
        required: bool,
    },
    /// A login failed because of a wrong password.
    LoginFailed {
        source: String,
    },
    /// An administrator cleared the failed logins.
    LockoutCleared,
    Removed,
    /// A login succeeded and opened a session.
    LoggedIn {
        source: String,
    },
    PasswordPolicyAssigned {
        /// The name of the policy; `None` for the global one.
        policy: Option<PasswordPolicyName>,
    },
    /// The user replaced what clients keep for the user.
    PreferencesSet {
        preferences: JsonText,
    },
}

#[derive(Clone, Debug)]
pub enum UserCommand {
    Create {
        id: UserId,
        name: UserName,
        profile: ProfilePatch,
        /// The sealed hash of the password.
        password: Sealed,
        /// Whether the password must be changed before the user can sign in.
        must_change: bool,
        password_policy: Option<PasswordPolicyName>,
    },
    Update {
        id: UserId,
        name: Option<UserName>,
        profile: ProfilePatch,
        /// The sealed hash of a new password.
        password: Option<Sealed>,
        /// Whether the password must be changed before the user can sign in.
        must_change: Option<bool>,
        clear_lockout: bool,
        password_policy: Option<PasswordPolicyName>,
    },
    /// Change the profile of the user who asks. Another email address is not verified.
    UpdateOwn {
        id: UserId,
        profile: ProfilePatch,
    },
    /// Replace what clients keep for the user who asks.
    SetPreferences {
        id: UserId,
        preferences: JsonText,
    },
    /// Change the password of a user whose present password was verified.
    ChangeOwnPassword {
        id: UserId,
        /// When the verified password was set. A change since then invalidates the verification.
        password_set: Time,
        /// The sealed hash of the new password.
        password: Sealed,
        at: Time,
    },
    /// Replace the hash of the same password by one with the present parameters.
    Rehash {
        id: UserId,
        /// The hash that was verified.
        from: Sealed,
        to: Sealed,
    },
    /// Record a failed login.
    RecordFailure {
        id: UserId,
        source: String,
    },
    Remove {
        id: UserId,
    },
}

/// Returns the network by which failed logins from an address are counted. For IPv6 it is the /64, all of whose
/// addresses a client usually controls. For IPv4, and IPv4 addresses mapped to IPv6, it is the IPv4 address.
pub fn network_of(source: &str) -> String {
    match source.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
            format!("{network}/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => source.to_owned(),
    }
}

impl Named for User {
    type Id = UserId;
    type Name = UserName;

    fn id(&self) -> UserId {
        self.id
    }

    fn name(&self) -> UserName {
        self.name.folded()
    }
}

impl Collection<User> {
    pub(super) fn apply(&mut self, at: Time, id: UserId, event: &UserEvent) {
        match event {
            UserEvent::Created { name, profile, password, must_change } => self.insert(User {
                id,
                name: name.clone(),
                profile: profile.clone(),
                groups: Vec::new(),
                password: password.clone(),
                earlier_passwords: Vec::new(),
                password_set: at,
                must_change: *must_change,
                password_policy: None,
                failures: Vec::new(),
                logins: 0,
                last_login: None,
                networks: Vec::new(),
                preferences: None,
                created: at,
                updated: at,
            }),
            UserEvent::Removed => drop(self.remove(&id)),
            UserEvent::ProfileChanged { .. }
            | UserEvent::Renamed { .. }
            | UserEvent::PasswordChanged { .. }
            | UserEvent::PasswordRehashed { .. }
            | UserEvent::PasswordChangeRequired { .. }
            | UserEvent::LoginFailed { .. }
            | UserEvent::LoggedIn { .. }
            | UserEvent::PasswordPolicyAssigned { .. }
            | UserEvent::PreferencesSet { .. }
            | UserEvent::LockoutCleared => self.change(&id, |user| user.apply(at, event)),
        }
    }
}

impl User {
    fn apply(&mut self, at: Time, event: &UserEvent) {
        match event {
            UserEvent::ProfileChanged { profile } => self.profile = profile.clone(),
            UserEvent::Renamed { to } => self.name = to.clone(),
            UserEvent::PasswordChanged { password, must_change } => {
                let before = std::mem::replace(&mut self.password, password.clone());
                self.earlier_passwords.insert(0, before);
                self.earlier_passwords.truncate(HISTORY_MAX as usize);
                self.password_set = at;
                self.must_change = *must_change;
            }
            UserEvent::PasswordRehashed { password } => {
                self.password = password.clone();
                return;
            }
            UserEvent::PasswordChangeRequired { required } => self.must_change = *required,
            UserEvent::LoginFailed { source } => return self.count_failure(at, source),
            UserEvent::LoggedIn { source } => return self.count_login(at, source),
            UserEvent::LockoutCleared => self.failures.clear(),
            UserEvent::PasswordPolicyAssigned { policy } => self.password_policy = policy.clone(),
            UserEvent::PreferencesSet { preferences } => {
                self.preferences = Some(preferences.clone());
                return;
            }
            UserEvent::Created { .. } | UserEvent::Removed => return,
        }
        self.updated = at;
    }

    fn count_login(&mut self, at: Time, source: &str) {
        self.logins += 1;
        self.last_login = Some(at);
        let source = network_of(source);
        self.failures.retain(|failures| failures.source != source);
        self.networks.retain(|network| *network != source);
        if self.networks.len() >= SOURCES_MAX {
            self.networks.remove(0);
        }
        self.networks.push(source);
    }

    fn count_failure(&mut self, at: Time, source: &str) {
        let mut source = network_of(source);
        let mut known = self.failures.iter().position(|failures| failures.source == source);
        if known.is_none() && self.failures.len() >= SOURCES_MAX {
            // Those beyond are counted together, so that none makes others forgotten.
            source = OTHER_SOURCES.to_owned();
            known = self.failures.iter().position(|failures| failures.source == source);
        }
        let count = known.map_or(0, |place| self.failures.remove(place).count);
        self.failures.push(Failures { source, count: count.saturating_add(1), last: at });
    }

    pub fn is_in(&self, group: SystemGroup) -> bool {
        self.groups.iter().any(|name| name.as_str() == group.name())
    }

    /// Whether the password must be changed before the user can sign in, by request or because of its age.
    pub fn password_due(&self, policy: &PasswordPolicy, at: Time) -> bool {
        let days = i64::from(policy.password_lifetime);
        self.must_change || (days > 0 && self.password_set.plus_seconds(days * 86_400) <= at)
    }
}

#[cfg(test)]
mod tests;
