//! Everything that can keep a use case from its end. `http::error` gives each its status, code and text.

pub use crate::aws::failure::AwsFailure;
use crate::domain::action::Action;
use crate::domain::refusal::{AggregateRefusal, Refusal};
use crate::keyring::KeyringError;
use crate::ledger::{LedgerError, WriteError};

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No, or no good, bearer token.
    #[error("{0}")]
    Unauthenticated(#[from] TokenProblem),
    /// The caller lacks a right.
    #[error("{0}")]
    Forbidden(MissingRight),
    /// AWS refused, failed, or was not reached.
    #[error(transparent)]
    Cloud(#[from] AwsFailure),
    /// The program ended before AWS had done what was asked.
    #[error("the program ended before AWS had made the key")]
    Interrupted,
    /// AWS does not show, yet, what became of what was asked.
    #[error("what AWS has done is not known yet; it is looked for")]
    NotYetConsistent,
    #[error("too many sign-ins at once; try again in a moment")]
    Busy,
    /// The events of a change are larger than a record may be.
    #[error("the change is too large to be recorded; make it in parts")]
    TooLarge,
    /// The log takes no changes any more.
    #[error("the event log has stopped after a failure of its disk; the service must be restarted: {0}")]
    Stopped(String),
    /// The log could not be read.
    #[error("the event log could not be read")]
    Log(#[source] LedgerError),
    /// A secret could not be sealed or unsealed.
    #[error("a secret could not be sealed or unsealed")]
    Keyring(#[from] KeyringError),
    /// Something that should always work did not.
    #[error("{0}")]
    Internal(&'static str),
}

/// What is wrong with a bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    #[error("no token: send `Authorization: Bearer <jwt>`, and get one with POST /api/v1/auth/tokens")]
    Missing,
    /// Not a JWT at all.
    #[error("the token is not a JWT")]
    Malformed,
    /// Another algorithm than HS256.
    #[error("the token is not signed with HS256")]
    Algorithm,
    /// Signed with another key, or changed since.
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is for another audience")]
    Audience,
    /// From another issuer, or without the claims that ours have.
    #[error("the token's claims are not those of a token made here")]
    Claims,
    #[error("the token has expired")]
    Expired,
    /// The session is closed, or its user gone.
    #[error("the token's session is closed")]
    Revoked,
}

/// The right that a caller lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MissingRight {
    /// An action on a KMS.
    #[error("the action `{0}` is not permitted to you on this KMS")]
    Action(Action),
    /// Membership in one of these groups.
    #[error("only members of {} may do this", groups(.0))]
    Membership(Vec<&'static str>),
    /// Membership in one of these groups, or an action for which material is needed.
    #[error(
        "only members of {} may do this, and those to whom `keyupload` or `keymaterialimport` is permitted on some KMS",
        groups(.0)
    )]
    UseOfMaterial(Vec<&'static str>),
    /// The right to hand out more than one's own.
    #[error("only members of `admin` may change who is in `{0}`")]
    PrivilegedGroup(&'static str),
    /// The right to act on somebody with more rights.
    #[error("only members of `admin` may change a user who is in `{0}`")]
    PrivilegedUser(&'static str),
}

fn groups(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

impl<R: AggregateRefusal + Into<Refusal>> From<R> for Failure {
    fn from(refusal: R) -> Self {
        Failure::Refused(refusal.into())
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => Failure::Refused(refusal),
            WriteError::Stopped(stopped) => Failure::Stopped(stopped.to_string()),
            WriteError::TooLarge => Failure::TooLarge,
            WriteError::Defect => Failure::Internal("the change could not be decided on: see the log of the program"),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Failure::Log(error)
    }
}

/// A member of a request that does not hold what it should.
pub fn invalid(member: &'static str, problem: impl std::fmt::Display) -> Refusal {
    Refusal::Invalid { member, problem: problem.to_string() }
}
