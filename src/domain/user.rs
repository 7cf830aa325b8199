//! Users: who signs in, with what they are known by, and what their failed logins lead to.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::collection::{Collection, Named};
use super::group::SystemGroup;
use super::id::UserId;
use super::name::{GroupName, JsonText, UserName};
use super::password::{HISTORY_MAX, PasswordPolicy};
use super::sealed::Sealed;
use super::time::Time;
use patch::ProfilePatch;
use std::net::{IpAddr, Ipv6Addr};

/// A user as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct User {
    pub id: UserId,
    /// What it signs in with.
    pub name: UserName,
    pub profile: UserProfile,
    /// The groups it is in, in the order of joining.
    pub groups: Vec<GroupName>,
    /// The password's hash, sealed.
    pub password: Sealed,
    /// Earlier ones, newest first.
    pub earlier_passwords: Vec<Sealed>,
    /// When the password was set.
    pub password_set: Time,
    /// Must it be changed before anything else?
    pub must_change: bool,
    /// Failed logins since the last good one, by source (see [`network_of`]); the newest last, at most [`SOURCES_MAX`].
    pub failures: Vec<Failures>,
    pub logins: u64,
    pub last_login: Option<Time>,
    pub created: Time,
    /// When it was last changed (a login changes nothing).
    pub updated: Time,
}

/// Failed logins in a row from one address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failures {
    pub source: String,
    pub count: u32,
    pub last: Time,
}

/// Of so many addresses failures are remembered for one user.
pub const SOURCES_MAX: usize = 32;

/// What is known of a user besides name and password.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserProfile {
    pub full_name: String,
    pub nickname: String,
    pub email: String,
    pub email_verified: bool,
    pub user_metadata: Option<JsonText>,
    pub app_metadata: Option<JsonText>,
    /// May not use the console.
    pub prevent_ui_login: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum UserEvent {
    Created {
        /// What the user signs in with.
        name: UserName,
        /// What else is known of the user.
        profile: UserProfile,
        /// The password's Argon2id hash (PHC string), sealed.
        password: Sealed,
        /// Must change the password before anything else.
        must_change: bool,
    },
    ProfileChanged {
        /// All of it, as it is now.
        profile: UserProfile,
    },
    /// The user signs in with another name.
    Renamed { to: UserName },
    PasswordChanged {
        /// Its hash, sealed.
        password: Sealed,
        /// Must change it again before anything else.
        must_change: bool,
    },
    /// The same password, hashed with today's parameters.
    PasswordRehashed {
        /// Its hash, sealed.
        password: Sealed,
    },
    /// Whether the password must be changed before anything else.
    PasswordChangeRequired { required: bool },
    /// A wrong password was given for this user.
    LoginFailed { source: String },
    /// An administrator forgave the failed logins.
    LockoutCleared,
    /// The user is no more.
    Removed,
    /// The right password was given, and a session opened.
    LoggedIn { source: String },
}

/// What can be asked of users.
#[derive(Clone, Debug)]
pub enum UserCommand {
    Create {
        id: UserId,
        /// What it signs in with.
        name: UserName,
        profile: UserProfile,
        /// The password's hash, sealed.
        password: Sealed,
        /// Must change it first.
        must_change: bool,
    },
    Update {
        id: UserId,
        name: Option<UserName>,
        profile: ProfilePatch,
        /// A new password's hash, sealed.
        password: Option<Sealed>,
        /// Must change it first, or need not any more.
        must_change: Option<bool>,
        clear_lockout: bool,
    },
    /// A user changes the own password, having proved to know the present one.
    ChangeOwnPassword {
        id: UserId,
        /// When the present one, which was proved, was set: a change since then makes the proof void.
        proved: Time,
        /// The new one's hash, sealed.
        password: Sealed,
        at: Time,
    },
    /// Hash the same password with today's parameters.
    Rehash {
        id: UserId,
        /// The hash that was checked.
        from: Sealed,
        to: Sealed,
    },
    NoteFailure {
        id: UserId,
        source: String,
    },
    Remove {
        id: UserId,
    },
}

/// As what failed logins from an address are counted: of IPv6 the first half, for whoever has one address there has all
/// that begin so; an IPv4 address that is written as one of IPv6 is that of IPv4. Else the address itself.
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
    /// Takes in what has happened to a user.
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
                failures: Vec::new(),
                logins: 0,
                last_login: None,
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
            UserEvent::Created { .. } | UserEvent::Removed => return,
        }
        self.updated = at;
    }

    fn count_login(&mut self, at: Time, source: &str) {
        self.logins += 1;
        self.last_login = Some(at);
        let source = network_of(source);
        self.failures.retain(|failures| failures.source != source);
    }

    fn count_failure(&mut self, at: Time, source: &str) {
        let source = network_of(source);
        let known = self.failures.iter().position(|failures| failures.source == source);
        let count = known.map_or(0, |place| self.failures.remove(place).count);
        // The fewest make room, of those the oldest: who is locked must not unlock itself from elsewhere.
        if self.failures.len() >= SOURCES_MAX
            && let Some((fewest, _)) = self.failures.iter().enumerate().min_by_key(|(_, failures)| failures.count)
        {
            self.failures.remove(fewest);
        }
        self.failures.push(Failures { source, count: count.saturating_add(1), last: at });
    }

    /// Is the user in this system group?
    pub fn is_in(&self, group: SystemGroup) -> bool {
        self.groups.iter().any(|name| name.as_str() == group.name())
    }

    /// Until when logins from this address are not even tried.
    pub fn locked_until(&self, policy: &PasswordPolicy, source: &str) -> Option<Time> {
        let failures = self.failures_from(source)?;
        policy.locked_until(failures.count, failures.last)
    }

    /// The failed logins in a row from this address.
    pub fn failures_from(&self, source: &str) -> Option<&Failures> {
        let source = network_of(source);
        self.failures.iter().find(|failures| failures.source == source)
    }

    /// When the newest lockout, from whichever address, began; none unless one is on.
    pub fn lockout_since(&self, policy: &PasswordPolicy, at: Time) -> Option<Time> {
        let on = |f: &&Failures| policy.locked_until(f.count, f.last).is_some_and(|until| until > at);
        self.failures.iter().filter(on).map(|failures| failures.last).max()
    }

    /// Must the password be changed before anything else, by order or by its age?
    pub fn password_due(&self, policy: &PasswordPolicy, at: Time) -> bool {
        let days = i64::from(policy.password_lifetime);
        self.must_change || (days > 0 && self.password_set.plus_seconds(days * 86_400) <= at)
    }
}

#[cfg(test)]
mod tests;
