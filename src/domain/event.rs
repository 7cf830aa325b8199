//! Every event that the log can hold. An event is a fact: resolved ids, values after defaulting, never a secret in
//! the clear, never a display name that may change.
//!
//! How they are written is the ledger's: `ledger::layout` has a layout for each, and says how an event is changed.

use super::acl::AclChange;
use super::connection::ConnectionSettings;
use super::id::{
    ConnectionId, InstallationId, JobId, KeyId, KmsId, RefreshTokenId, ScheduleId, SessionId, SourceKeyId, TemplateId,
    UserId,
};
use super::job::event::JobEvent;
use super::key::event::KeyEvent;
use super::kms::AssumedRole;
use super::name::{ConnectionName, GroupName, JsonText, KmsName, ScheduleName, UserName};
use super::password::PasswordPolicy;
use super::place::{AccountId, Arn, Partition, Region};
use super::schedule::ScheduleEvent;
use super::source_key::SourceKeyEvent;
use super::template::TemplateEvent;
use super::user::UserProfile;
use std::fmt;

/// What happened, and to whom.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The installation as a whole.
    Installation(InstallationEvent),
    User(UserId, UserEvent),
    Group(GroupName, GroupEvent),
    Session(SessionId, SessionEvent),
    Connection(ConnectionId, ConnectionEvent),
    Kms(KmsId, KmsEvent),
    Key(KeyId, KeyEvent),
    SourceKey(SourceKeyId, SourceKeyEvent),
    Job(JobId, JobEvent),
    Template(TemplateId, TemplateEvent),
    Schedule(ScheduleId, ScheduleEvent),
}

/// A secret that the keyring has sealed: bytes that tell nothing without it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// The SHA-256 of a refresh token, which is 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum InstallationEvent {
    /// The first event of every log.
    Created {
        /// The audience of the tokens made here.
        id: InstallationId,
        /// The key that signs tokens, sealed.
        token_key: Sealed,
    },
    /// The rules for passwords and lockout were changed.
    PasswordPolicyChanged {
        /// All of them, as they are now.
        policy: PasswordPolicy,
    },
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

#[derive(Clone, PartialEq, Debug)]
pub enum SessionEvent {
    Opened {
        user: UserId,
        source: String,
        /// The refresh token given with it.
        refresh: RefreshGrant,
        /// Attached to the token by the client.
        labels: Vec<String>,
    },
    /// The refresh token was used for a new access token.
    Refreshed,
    /// The refresh token was used and replaced by a new one.
    RefreshReplaced { refresh: RefreshGrant },
    /// The session is over: its tokens are worth nothing.
    Closed,
}

/// A refresh token as it is kept: never itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshGrant {
    /// By which its owner names it.
    pub id: RefreshTokenId,
    pub hash: TokenHash,
    /// Seconds from its making to its end; none: no such end.
    pub lifetime_seconds: Option<u64>,
    /// Seconds without use after which it ends; none: no such end.
    pub unused_seconds: Option<u64>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ConnectionEvent {
    Created {
        name: ConnectionName,
        /// All that is not secret.
        settings: ConnectionSettings,
        /// The secret access key, sealed.
        secret: Sealed,
    },
    SettingsChanged {
        /// All of them, as they are now.
        settings: ConnectionSettings,
    },
    Renamed {
        to: ConnectionName,
    },
    /// A new secret access key.
    SecretReplaced {
        /// The new one, sealed.
        secret: Sealed,
    },
    /// AWS was asked whether the connection works.
    Tested {
        /// None: it does. Otherwise why not.
        error: Option<String>,
    },
    /// The connection is no more.
    Deleted,
}

#[derive(Clone, PartialEq, Debug)]
pub enum KmsEvent {
    /// An AWS account, with some of its regions, came under management.
    Added {
        name: KmsName,
        account: AccountId,
        /// As whom AWS knows us there.
        arn: Arn,
        connection: ConnectionId,
        /// The role assumed for it, if any.
        role: Option<AssumedRole>,
        /// The regions, in the order given.
        regions: Vec<Region>,
        cloud: Partition,
    },
    RegionsReplaced {
        /// All of them, as they are now.
        to: Vec<Region>,
    },
    /// Another connection to the same account.
    ConnectionReplaced {
        to: ConnectionId,
        /// As whom AWS knows us now.
        arn: Arn,
    },
    /// Another role in the same account, or none.
    RoleReplaced {
        to: Option<AssumedRole>,
        /// As whom AWS knows us now.
        arn: Arn,
    },
    /// Permissions were given and taken, together.
    AclsChanged {
        /// In this order.
        changes: Vec<AclChange>,
    },
    /// Put away: viewed, recovered or deleted, nothing else.
    Archived,
    Recovered,
    /// No longer under management. AWS itself was not touched.
    Deleted,
}

/// To whose history an event belongs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Stream {
    /// `installation`
    Installation,
    /// `user/<id>`
    User(UserId),
    /// `group/<name>`
    Group(GroupName),
    /// `session/<id>`
    Session(SessionId),
    /// `connection/<id>`
    Connection(ConnectionId),
    /// `kms/<id>`
    Kms(KmsId),
    /// `key/<id>`
    Key(KeyId),
    /// `source-key/<id>`
    SourceKey(SourceKeyId),
    /// `job/<id>`
    Job(JobId),
    /// `template/<id>`
    Template(TemplateId),
    /// `schedule/<id>`
    Schedule(ScheduleId),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stream::Installation => f.write_str("installation"),
            Stream::User(id) => write!(f, "user/{id}"),
            Stream::Group(name) => write!(f, "group/{name}"),
            Stream::Session(id) => write!(f, "session/{id}"),
            Stream::Connection(id) => write!(f, "connection/{id}"),
            Stream::Kms(id) => write!(f, "kms/{id}"),
            Stream::Key(id) => write!(f, "key/{id}"),
            Stream::SourceKey(id) => write!(f, "source-key/{id}"),
            Stream::Job(id) => write!(f, "job/{id}"),
            Stream::Template(id) => write!(f, "template/{id}"),
            Stream::Schedule(id) => write!(f, "schedule/{id}"),
        }
    }
}

impl Event {
    /// To whose history it belongs.
    pub fn stream(&self) -> Stream {
        match self {
            Event::Installation(_) => Stream::Installation,
            Event::User(id, _) => Stream::User(*id),
            Event::Group(name, _) => Stream::Group(name.clone()),
            Event::Session(id, _) => Stream::Session(*id),
            Event::Connection(id, _) => Stream::Connection(*id),
            Event::Kms(id, _) => Stream::Kms(*id),
            Event::Key(id, _) => Stream::Key(*id),
            Event::SourceKey(id, _) => Stream::SourceKey(*id),
            Event::Job(id, _) => Stream::Job(*id),
            Event::Template(id, _) => Stream::Template(*id),
            Event::Schedule(id, _) => Stream::Schedule(*id),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    System,
    /// A user, under the name of that time.
    User {
        id: UserId,
        /// The name at that time.
        name: UserName,
    },
    /// A schedule, under the name of that time.
    Schedule {
        id: ScheduleId,
        /// The name at that time.
        name: ScheduleName,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::System => f.write_str("system"),
            Actor::User { name, .. } => name.fmt(f),
            Actor::Schedule { name, .. } => write!(f, "schedule {name}"),
        }
    }
}
