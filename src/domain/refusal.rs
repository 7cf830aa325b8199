//! The refusals of the domain. Each aggregate defines its own in its `refusal.rs`, with messages, kinds and reasons;
//! [`Refusal`] is the union of them.

pub(super) mod installation;
pub(super) mod reason;

pub use super::alarm::refusal::AlarmRefusal;
pub use super::backup::refusal::BackupRefusal;
pub use super::connection::refusal::ConnectionRefusal;
pub use super::drift::refusal::DriftRefusal;
use super::forwarder::refusal::FORWARDERS_MAX;
pub use super::forwarder::refusal::ForwarderRefusal;
pub use super::group::refusal::GroupRefusal;
pub use super::job::refusal::JobRefusal;
pub use super::key::refusal::KeyRefusal;
pub use super::key_store::refusal::KeyStoreRefusal;
pub use super::kms::refusal::KmsRefusal;
use super::name::{NAME_MAX, NameError};
use super::password::{PasswordProblem, PolicyProblem};
pub use super::report::refusal::ReportRefusal;
pub use super::schedule::refusal::ScheduleRefusal;
pub use super::session::refusal::SessionRefusal;
pub use super::source_key::refusal::SourceKeyRefusal;
pub use super::template::refusal::TemplateRefusal;
pub use super::user::refusal::UserRefusal;
use super::webhook::refusal::WEBHOOKS_MAX;
pub use super::webhook::refusal::WebhookRefusal;
pub use installation::InstallationRefusal;
pub use reason::{AggregateRefusal, Bounds, Reason, RefusalKind};

/// The reason why a command is not executed. Messages name the member, the value and the remedy.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{member}: {problem}")]
    Invalid {
        /// The member of the request.
        member: &'static str,
        /// The problem, and the values that are accepted.
        problem: String,
    },
    #[error("{member}: {problem}")]
    OutOfRange {
        /// The member of the request.
        member: &'static str,
        /// The problem, and the values that are accepted.
        problem: String,
        /// The same values as data.
        limit: Bounds,
    },
    /// A refusal of what a member of the request names.
    #[error("{refusal}")]
    OfMember { member: &'static str, refusal: Box<Refusal> },
    #[error(transparent)]
    Installation(#[from] InstallationRefusal),
    #[error(transparent)]
    Session(#[from] SessionRefusal),
    #[error(transparent)]
    User(#[from] UserRefusal),
    #[error(transparent)]
    Group(#[from] GroupRefusal),
    #[error(transparent)]
    Connection(#[from] ConnectionRefusal),
    #[error(transparent)]
    Kms(#[from] KmsRefusal),
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    #[error(transparent)]
    SourceKey(#[from] SourceKeyRefusal),
    #[error(transparent)]
    Template(#[from] TemplateRefusal),
    #[error(transparent)]
    Job(#[from] JobRefusal),
    #[error(transparent)]
    Schedule(#[from] ScheduleRefusal),
    #[error(transparent)]
    KeyStore(#[from] KeyStoreRefusal),
    #[error(transparent)]
    Report(#[from] ReportRefusal),
    #[error(transparent)]
    Webhook(#[from] WebhookRefusal),
    #[error(transparent)]
    Alarm(#[from] AlarmRefusal),
    #[error(transparent)]
    Drift(#[from] DriftRefusal),
    #[error(transparent)]
    Backup(#[from] BackupRefusal),
    #[error(transparent)]
    Forwarder(#[from] ForwarderRefusal),
}

const INVALID: Reason = Reason {
    name: "value_invalid",
    kind: RefusalKind::Invalid,
    when: "A member of the request is invalid; `member` is its name.",
    member: None,
};

impl Refusal {
    pub fn reason(&self) -> Reason {
        match self {
            Refusal::Invalid { .. } | Refusal::OutOfRange { .. } => INVALID,
            Refusal::OfMember { refusal, .. } => refusal.reason(),
            Refusal::Installation(refusal) => refusal.reason(),
            Refusal::Session(refusal) => refusal.reason(),
            Refusal::User(refusal) => refusal.reason(),
            Refusal::Group(refusal) => refusal.reason(),
            Refusal::Connection(refusal) => refusal.reason(),
            Refusal::Kms(refusal) => refusal.reason(),
            Refusal::Key(refusal) => refusal.reason(),
            Refusal::SourceKey(refusal) => refusal.reason(),
            Refusal::Template(refusal) => refusal.reason(),
            Refusal::Job(refusal) => refusal.reason(),
            Refusal::Schedule(refusal) => refusal.reason(),
            Refusal::KeyStore(refusal) => refusal.reason(),
            Refusal::Report(refusal) => refusal.reason(),
            Refusal::Webhook(refusal) => refusal.reason(),
            Refusal::Alarm(refusal) => refusal.reason(),
            Refusal::Drift(refusal) => refusal.reason(),
            Refusal::Backup(refusal) => refusal.reason(),
            Refusal::Forwarder(refusal) => refusal.reason(),
        }
    }

    /// Names the member that a refusal is of, unless the refusal names one itself.
    #[must_use]
    pub fn of(self, member: &'static str) -> Self {
        match self.member() {
            Some(_) => self,
            None => Refusal::OfMember { member, refusal: Box::new(self) },
        }
    }

    /// Returns the member of the request that is refused; `None` if the refusal is of the whole request.
    pub fn member(&self) -> Option<&'static str> {
        match self {
            Refusal::Invalid { member, .. }
            | Refusal::OutOfRange { member, .. }
            | Refusal::OfMember { member, .. }
            | Refusal::Kms(KmsRefusal::LedElsewhere { member, .. }) => Some(member),
            Refusal::Installation(InstallationRefusal::PolicyRejected(problem)) => problem.member(),
            Refusal::Installation(_)
            | Refusal::Session(_)
            | Refusal::User(_)
            | Refusal::Group(_)
            | Refusal::Connection(_)
            | Refusal::Kms(_)
            | Refusal::Key(_)
            | Refusal::SourceKey(_)
            | Refusal::Template(_)
            | Refusal::Job(_)
            | Refusal::Schedule(_)
            | Refusal::KeyStore(_)
            | Refusal::Report(_)
            | Refusal::Webhook(_)
            | Refusal::Alarm(_)
            | Refusal::Drift(_)
            | Refusal::Backup(_)
            | Refusal::Forwarder(_) => self.reason().member,
        }
    }

    /// Returns the values that the refused member can have, if they are a range.
    pub fn limit(&self) -> Option<Bounds> {
        match self {
            Refusal::OutOfRange { limit, .. } => Some(*limit),
            Refusal::OfMember { refusal, .. } => refusal.limit(),
            Refusal::User(UserRefusal::PasswordRejected(problem) | UserRefusal::NewPasswordRejected(problem)) => {
                problem.limit()
            }
            Refusal::Installation(InstallationRefusal::PolicyRejected(problem)) => problem.limit(),
            Refusal::Installation(InstallationRefusal::LimitReached { most, .. })
            | Refusal::Report(
                ReportRefusal::TooMany(most)
                | ReportRefusal::TooManyOfUser(most)
                | ReportRefusal::TooManyToSort { most, .. },
            )
            | Refusal::Backup(BackupRefusal::TooMany(most)) => Some(Bounds::most(*most as u64)),
            Refusal::Webhook(WebhookRefusal::TooMany) => Some(Bounds::most(WEBHOOKS_MAX as u64)),
            Refusal::Forwarder(ForwarderRefusal::TooMany) => Some(Bounds::most(FORWARDERS_MAX as u64)),
            Refusal::KeyStore(KeyStoreRefusal::CredentialsFull { credentials, .. }) => {
                Some(Bounds::most((*credentials).into()))
            }
            Refusal::Invalid { .. }
            | Refusal::Installation(_)
            | Refusal::Session(_)
            | Refusal::User(_)
            | Refusal::Group(_)
            | Refusal::Connection(_)
            | Refusal::Kms(_)
            | Refusal::Key(_)
            | Refusal::SourceKey(_)
            | Refusal::Template(_)
            | Refusal::Job(_)
            | Refusal::Schedule(_)
            | Refusal::KeyStore(_)
            | Refusal::Report(_)
            | Refusal::Webhook(_)
            | Refusal::Alarm(_)
            | Refusal::Drift(_)
            | Refusal::Backup(_)
            | Refusal::Forwarder(_) => None,
        }
    }

    /// Refuses a member with a name.
    pub fn name(error: &NameError, member: &'static str) -> Self {
        let problem = error.to_string();
        match error {
            NameError::TooLong(_) => {
                Refusal::OutOfRange { member, problem, limit: Bounds::between(1, NAME_MAX as u64) }
            }
            NameError::Empty | NameError::Control | NameError::Invisible(_) | NameError::Padded => {
                Refusal::Invalid { member, problem }
            }
        }
    }

    /// Returns the reasons of all refusals.
    pub fn reasons() -> impl Iterator<Item = &'static Reason> {
        let of_aggregates = [
            InstallationRefusal::REASONS,
            SessionRefusal::REASONS,
            UserRefusal::REASONS,
            GroupRefusal::REASONS,
            ConnectionRefusal::REASONS,
            KmsRefusal::REASONS,
            KeyRefusal::REASONS,
            SourceKeyRefusal::REASONS,
            TemplateRefusal::REASONS,
            JobRefusal::REASONS,
            ScheduleRefusal::REASONS,
            KeyStoreRefusal::REASONS,
            ReportRefusal::REASONS,
            WebhookRefusal::REASONS,
            AlarmRefusal::REASONS,
            DriftRefusal::REASONS,
            BackupRefusal::REASONS,
            ForwarderRefusal::REASONS,
        ];
        std::iter::once(&INVALID).chain(of_aggregates.into_iter().flatten())
    }
}

impl From<PasswordProblem> for Refusal {
    fn from(problem: PasswordProblem) -> Self {
        UserRefusal::PasswordRejected(problem).into()
    }
}

impl From<PolicyProblem> for Refusal {
    fn from(problem: PolicyProblem) -> Self {
        InstallationRefusal::PolicyRejected(problem).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::password::PasswordProblem;

    #[test]
    fn refusals_say_which_member_they_are_of_and_its_limit() {
        let of = |refusal: Refusal| (refusal.member(), refusal.limit());
        assert_eq!(of(Refusal::Invalid { member: "days", problem: String::new() }), (Some("days"), None));
        assert_eq!(of(Refusal::name(&NameError::TooLong(300), "name")), (Some("name"), Some(Bounds::between(1, 255))));
        assert_eq!(of(Refusal::name(&NameError::Padded, "username")), (Some("username"), None));
        assert_eq!(of(KmsRefusal::RegionsEmpty.into()), (Some("regions"), None));
        assert_eq!(of(KmsRefusal::SeveralChanges.into()), (None, None));
        assert_eq!(of(PasswordProblem::TooShort(8).into()), (Some("password"), Some(Bounds::least(8))));
        assert_eq!(of(WebhookRefusal::TooMany.into()), (None, Some(Bounds::most(WEBHOOKS_MAX as u64))));
        let history = Refusal::from(PolicyProblem::History);
        assert_eq!(history.member(), Some("password_history_threshold"));
        assert!(history.limit().is_some());
        let unknown = Refusal::from(ConnectionRefusal::Unknown("a".to_owned())).of("connection");
        assert_eq!(of(unknown.clone()), (Some("connection"), None));
        assert_eq!(
            (unknown.reason().name, unknown.to_string()),
            ("connection_unknown", "connection `a` does not exist".into())
        );
        assert_eq!(of(Refusal::from(KmsRefusal::RegionsEmpty).of("kms")), (Some("regions"), None));
    }
}
