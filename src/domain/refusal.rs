//! The refusals of the domain. Each aggregate defines its own in its `refusal.rs`, with messages, kinds and reasons;
//! [`Refusal`] is the union of them.

pub(super) mod installation;
pub(super) mod reason;

pub use super::connection::refusal::ConnectionRefusal;
pub use super::group::refusal::GroupRefusal;
pub use super::job::refusal::JobRefusal;
pub use super::key::refusal::KeyRefusal;
pub use super::kms::refusal::KmsRefusal;
use super::password::{PasswordProblem, PolicyProblem};
pub use super::schedule::refusal::ScheduleRefusal;
pub use super::session::refusal::SessionRefusal;
pub use super::source_key::refusal::SourceKeyRefusal;
pub use super::template::refusal::TemplateRefusal;
pub use super::user::refusal::UserRefusal;
pub use installation::InstallationRefusal;
pub use reason::{AggregateRefusal, Reason, RefusalKind};

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
}

const INVALID: Reason = Reason {
    name: "value_invalid",
    kind: RefusalKind::Invalid,
    when: "A member of the request is invalid; the message begins with its name.",
};

impl Refusal {
    pub fn reason(&self) -> Reason {
        match self {
            Refusal::Invalid { .. } => INVALID,
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
