//! Every event that the log can contain. An event is a fact: it has resolved ids and values after defaulting, and never
//! an unsealed secret or a display name that may change.
//!
//! The events of an aggregate are defined in its own module; [`Event`] is the union of them.
//!
//! The ledger defines how events are stored: `ledger::layout` has a layout for each, and describes how to change one.

use super::alarm::{AlarmEvent, AlarmNumber};
use super::backup::BackupEvent;
pub use super::connection::ConnectionEvent;
use super::drift::DriftEvent;
use super::forwarder::ForwarderEvent;
pub use super::group::{GroupEvent, GroupMetadata};
use super::id::{
    BackupId, ConnectionId, ForwarderId, InstallationId, JobId, KeyId, KeyStoreId, KmsId, ReportId, ScheduleId,
    SessionId, SourceKeyId, TemplateId, UserId, WebhookId,
};
use super::job::event::JobEvent;
use super::key::event::KeyEvent;
use super::key_store::event::KeyStoreEvent;
pub use super::kms::KmsEvent;
use super::name::{GroupName, PasswordPolicyName, ScheduleName, UserName};
use super::password::PasswordPolicy;
pub use super::posture::PostureEvent;
use super::report::ReportEvent;
use super::schedule::ScheduleEvent;
pub use super::sealed::Sealed;
pub use super::session::{RefreshGrant, SessionEvent, TokenHash};
use super::source_key::SourceKeyEvent;
use super::template::TemplateEvent;
pub use super::user::UserEvent;
use super::webhook::WebhookEvent;
use std::fmt;

/// An event, with the id of the aggregate that it changes.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
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
    KeyStore(KeyStoreId, KeyStoreEvent),
    Posture(PostureEvent),
    Report(ReportId, ReportEvent),
    Webhook(WebhookId, WebhookEvent),
    Alarm(AlarmNumber, AlarmEvent),
    Drift(KmsId, DriftEvent),
    Backup(BackupId, BackupEvent),
    Forwarder(ForwarderId, ForwarderEvent),
}

#[derive(Clone, PartialEq, Debug)]
pub enum InstallationEvent {
    /// The first event of every log.
    Created {
        /// The audience of the tokens that this installation issues.
        id: InstallationId,
        /// The key that signs tokens, sealed.
        token_key: Sealed,
    },
    /// The global password policy changed. Only earlier versions of the program record this.
    PasswordPolicyChanged {
        /// The complete new policy.
        policy: PasswordPolicy,
    },
    /// A password policy was created or changed.
    PasswordPolicySet {
        name: PasswordPolicyName,
        /// The complete new policy.
        policy: PasswordPolicy,
        expiry_notification_days: u32,
    },
    PasswordPolicyDeleted {
        name: PasswordPolicyName,
    },
    /// Programs with this token may read the metrics; it replaces an earlier one.
    MetricsEnabled {
        /// The token, sealed.
        token: Sealed,
    },
    /// No token gives access to the metrics any more.
    MetricsDisabled,
    /// Tokens are signed with another key from now on.
    TokenKeyReplaced {
        /// The new key, sealed.
        token_key: Sealed,
    },
    /// The data keys are sealed by another master key from now on.
    MasterKeyReplaced,
    /// An operator gave the passphrase of the master key to a sealed server.
    Unsealed {
        /// How often a wrong one was given before, since the start.
        failures: u32,
    },
}

/// The history that an event belongs to.
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
    /// `key-store/<id>`
    KeyStore(KeyStoreId),
    /// `posture`
    Posture,
    /// `report/<id>`
    Report(ReportId),
    /// `webhook/<id>`
    Webhook(WebhookId),
    /// `alarm/<number>`
    Alarm(AlarmNumber),
    /// `drift/<id of the KMS>`
    Drift(KmsId),
    /// `backup/<id>`
    Backup(BackupId),
    /// `forwarder/<id>`
    Forwarder(ForwarderId),
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
            Stream::KeyStore(id) => write!(f, "key-store/{id}"),
            Stream::Posture => f.write_str("posture"),
            Stream::Report(id) => write!(f, "report/{id}"),
            Stream::Webhook(id) => write!(f, "webhook/{id}"),
            Stream::Alarm(number) => write!(f, "alarm/{number}"),
            Stream::Drift(kms) => write!(f, "drift/{kms}"),
            Stream::Backup(id) => write!(f, "backup/{id}"),
            Stream::Forwarder(id) => write!(f, "forwarder/{id}"),
        }
    }
}

impl Event {
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
            Event::KeyStore(id, _) => Stream::KeyStore(*id),
            Event::Posture(_) => Stream::Posture,
            Event::Report(id, _) => Stream::Report(*id),
            Event::Webhook(id, _) => Stream::Webhook(*id),
            Event::Alarm(number, _) => Stream::Alarm(*number),
            Event::Drift(kms, _) => Stream::Drift(*kms),
            Event::Backup(id, _) => Stream::Backup(*id),
            Event::Forwarder(id, _) => Stream::Forwarder(*id),
        }
    }
}

/// The originator of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    System,
    User {
        id: UserId,
        /// The name at the time of the event.
        name: UserName,
    },
    Schedule {
        id: ScheduleId,
        /// The name at the time of the event.
        name: ScheduleName,
    },
    /// A user whose client is known. Earlier versions recorded only the user.
    Client {
        id: UserId,
        /// The name at the time of the event.
        name: UserName,
        /// The session; `None` if the event begins one, or changes a password without one.
        session: Option<SessionId>,
        /// The address that the request came from.
        source: String,
    },
    /// Somebody on the machine of the server, by a command.
    Operator {
        /// The number of the user of the operating system who ran the command.
        uid: u32,
    },
}

impl Actor {
    /// A user, with the session and the address of the client if they are known.
    pub fn user(id: UserId, name: UserName, session: Option<SessionId>, source: Option<&str>) -> Self {
        match source {
            Some(source) => Self::Client { id, name, session, source: source.to_owned() },
            None => Self::User { id, name },
        }
    }

    /// The id of the user, if the actor is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } | Self::Client { id, .. } => Some(*id),
            Self::System | Self::Schedule { .. } | Self::Operator { .. } => None,
        }
    }

    /// The id of the user or schedule as clients write it; `None` for other actors.
    pub fn id_text(&self) -> Option<String> {
        match self {
            Self::User { id, .. } | Self::Client { id, .. } => Some(id.subject()),
            Self::Schedule { id, .. } => Some(id.to_string()),
            Self::System | Self::Operator { .. } => None,
        }
    }

    /// The address of the client, if it is known.
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Client { source, .. } => Some(source),
            Self::System | Self::User { .. } | Self::Schedule { .. } | Self::Operator { .. } => None,
        }
    }

    /// The session, if it is known.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Client { session, .. } => *session,
            Self::System | Self::User { .. } | Self::Schedule { .. } | Self::Operator { .. } => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::System => f.write_str("system"),
            Actor::User { name, .. } | Actor::Client { name, .. } => name.fmt(f),
            Actor::Schedule { name, .. } => write!(f, "schedule {name}"),
            Actor::Operator { uid } => write!(f, "operator {uid}"),
        }
    }
}
