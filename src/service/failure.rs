//! All failures of use cases. `http::error` gives each its status, code and text.

pub use crate::aws::failure::AwsFailure;
use crate::domain::action::Action;
use crate::domain::refusal::{AggregateRefusal, Bounds, Refusal};
use crate::keyring::KeyringError;
use crate::ledger::{LedgerError, WriteError};

/// The reason why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The bearer token is missing or invalid.
    #[error("{0}")]
    Unauthenticated(#[from] TokenProblem),
    /// The caller lacks a right.
    #[error("{0}")]
    Forbidden(MissingRight),
    /// AWS refused the call, failed, or could not be reached.
    #[error(transparent)]
    Cloud(#[from] AwsFailure),
    /// The program ended before AWS received the request.
    #[error("the program ended before AWS created the key")]
    Interrupted,
    /// AWS does not show the result of the request yet.
    #[error("AWS does not show the result yet; it is checked again later")]
    NotYetConsistent,
    /// A later step of an operation failed; `rest` says what the earlier ones left.
    #[error("{cause}; {rest}")]
    Halfway { cause: Box<Failure>, rest: String },
    #[error("too many sign-ins at once; try again in a moment")]
    Busy,
    /// The events of a change exceed the size limit of a record.
    #[error("the change is too large to be recorded; make it in parts")]
    TooLarge,
    /// The log accepts no more changes.
    #[error("the event log has stopped after a failure of its disk; the service must be restarted: {0}")]
    Stopped(String),
    /// The log could not be read.
    #[error("the event log could not be read")]
    Log(#[source] LedgerError),
    /// A secret could not be sealed or unsealed.
    #[error("{}", of_the_keyring(.0))]
    Keyring(#[from] KeyringError),
    /// The disk failed, or is full, at a file beside the log.
    #[error("{0}")]
    Disk(&'static str),
    /// As many event streams are open as may be.
    #[error("{whose} {most} event streams are open, and there may be no more")]
    TooManyStreams { most: usize, whose: &'static str },
    /// As many downloads of audit records are open as may be.
    #[error("{0} downloads of audit records are open, and there may be no more; try again once one has ended")]
    TooManyDownloads(usize),
    /// A defect, or a failure of the operating system.
    #[error("{0}")]
    Internal(&'static str),
}

/// What callers are told of a failure of the keyring; the log has the rest.
fn of_the_keyring(error: &KeyringError) -> &'static str {
    if error.is_of_the_disk() {
        "a secret could not be kept or read: the disk failed at a file of the keyring"
    } else {
        "a secret could not be sealed or unsealed"
    }
}

/// The reason why a bearer token is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    #[error("no token: send `Authorization: Bearer <jwt>`, and get one with POST /api/v1/auth/tokens")]
    Missing,
    #[error("the token is not a JWT")]
    Malformed,
    #[error("the token is not signed with HS256")]
    Algorithm,
    /// The token was signed with another key, or was changed.
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is for another audience")]
    Audience,
    /// The token has another issuer, or lacks a claim.
    #[error("the token's claims are not those of a token of this installation")]
    Claims,
    #[error("the token has expired")]
    Expired,
    /// The session is closed, or its user was removed.
    #[error("the token's session is closed")]
    Revoked,
}

/// The right that a caller lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MissingRight {
    /// An action on a KMS.
    #[error("the action `{0}` is not permitted to you on this KMS")]
    Action(Action),
    /// An action on at least one KMS.
    #[error("the action `{0}` is not permitted to you on any KMS")]
    ActionOnSomeKms(Action),
    /// Membership in one of these groups.
    #[error("only members of {} may do this", groups(.0))]
    Membership(Vec<&'static str>),
    /// Membership in one of these groups, or an action that uses key material.
    #[error(
        "only members of {} may do this, and those to whom `keyupload` or `keymaterialimport` is permitted on some KMS",
        groups(.0)
    )]
    UseOfMaterial(Vec<&'static str>),
    /// The right to change the members of a privileged group.
    #[error("only members of `admin` may change who is in `{0}`")]
    PrivilegedGroup(&'static str),
    /// The right to change a member of a privileged group.
    #[error("only members of `admin` may change a user who is in `{0}`")]
    PrivilegedUser(&'static str),
}

fn groups(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

impl Failure {
    /// Adds what the earlier steps of the operation left.
    #[must_use]
    pub fn leaving(self, rest: impl Into<String>) -> Self {
        Self::Halfway { cause: Box::new(self), rest: rest.into() }
    }
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

impl Failure {
    /// Names the member of the request that a refusal is of, unless the refusal names one itself.
    #[must_use]
    pub fn of(self, member: &'static str) -> Self {
        match self {
            Failure::Refused(refusal) => Failure::Refused(refusal.of(member)),
            other => other,
        }
    }
}

/// The refusal of a member whose value is outside a range.
pub fn out_of_range(member: &'static str, limit: Bounds, problem: impl std::fmt::Display) -> Refusal {
    Refusal::OutOfRange { member, problem: problem.to_string(), limit }
}

/// The refusal of a text that is too long.
pub fn too_long(member: &'static str, most: usize) -> Refusal {
    out_of_range(member, Bounds::most(most as u64), format!("must not be longer than {most} characters"))
}

/// The refusal of a list without entries.
pub fn no_entries(member: &'static str) -> Refusal {
    out_of_range(member, Bounds::least(1), "must have at least one entry")
}

/// The refusal of an invalid value in a member of a request.
pub fn invalid(member: &'static str, problem: impl std::fmt::Display) -> Refusal {
    Refusal::Invalid { member, problem: problem.to_string() }
}
