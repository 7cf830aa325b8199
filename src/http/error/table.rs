//! The tables of errors: rows (status, code and name) for kinds of failures, and the reasons that tell failures of one
//! row apart. The match that gives each failure its row and its reason is here too. Tests compare docs/api.md with both
//! tables.

use super::Problem;
use crate::domain::refusal::{Refusal, RefusalKind};
use crate::service::failure::{AwsFailure, Failure, MissingRight, TokenProblem};
use serde::Serialize;

/// One row of the table of statuses, codes and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub status: u16,
    /// The member `code` of the body.
    pub code: u16,
    /// The stable name in the member `codeDesc` of the body.
    pub name: &'static str,
    pub text: &'static str,
}

impl Row {
    /// The member `codeDesc` of the body: the name, its meaning and the message.
    pub fn code_desc(&self, message: &str) -> String {
        format!("{}: {}: {message}", self.name, self.text)
    }
}

const fn kind(status: u16, code: u16, name: &'static str, text: &'static str) -> Row {
    Row { status, code, name, text }
}

const BAD_REQUEST: Row = kind(400, 1, "NCERRBadRequest", "Bad HTTP request");
const INVALID: Row = kind(400, 4, "NCERRInvalidParamValue", "Invalid parameter value");
const UNAUTHORIZED: Row = kind(401, 20, "NCERRUnauthorized", "Unauthorized");
const FORBIDDEN: Row = kind(403, 15, "NCERRInsufficientPermissions", "Insufficient permissions");
const NOT_FOUND: Row = kind(404, 9, "NCERRResourceNotFound", "Resource not found");
const NO_METHOD: Row = kind(405, 5, "NCERRMethodNotAllowed", "Method not allowed");
const TOO_SLOW: Row = kind(408, 8, "NCERRRequestTimeout", "Request timeout");
const CONFLICT: Row = kind(409, 10, "NCERRConflict", "Conflict with the present state");
const STALE: Row = kind(412, 12, "NCERRPreconditionFailed", "Precondition failed");
const TOO_LARGE: Row = kind(413, 13, "NCERRRequestTooLarge", "Request too large");
const UNSUPPORTED: Row = kind(415, 16, "NCERRUnsupportedMediaType", "Unsupported media type");
const UNPROCESSABLE: Row = kind(422, 22, "NCERRUnprocessableEntity", "Unprocessable entity");
const TOO_MANY: Row = kind(429, 29, "NCERRTooManyRequests", "Too many requests");
const INTERNAL: Row = kind(500, 50, "NCERRInternalServerError", "Internal server error");
const CLOUD: Row = kind(502, 52, "NCERRCloudError", "AWS refused or failed");
const UNAVAILABLE: Row = kind(503, 53, "NCERRUnavailable", "Service unavailable");
const CLOUD_TIMEOUT: Row = kind(504, 54, "NCERRCloudTimeout", "AWS did not answer in time");

/// Every row, for the documentation and its test.
pub const ROWS: &[Row] = &[
    BAD_REQUEST,
    INVALID,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    NO_METHOD,
    TOO_SLOW,
    CONFLICT,
    STALE,
    TOO_LARGE,
    UNSUPPORTED,
    UNPROCESSABLE,
    TOO_MANY,
    INTERNAL,
    CLOUD,
    UNAVAILABLE,
    CLOUD_TIMEOUT,
];

/// The row of each kind of refusal.
fn row_of(kind: RefusalKind) -> &'static Row {
    match kind {
        RefusalKind::Invalid => &INVALID,
        RefusalKind::Contradictory => &BAD_REQUEST,
        RefusalKind::Unprocessable => &UNPROCESSABLE,
        RefusalKind::Unauthenticated => &UNAUTHORIZED,
        RefusalKind::Forbidden => &FORBIDDEN,
        RefusalKind::Unknown => &NOT_FOUND,
        RefusalKind::Taken | RefusalKind::InUse | RefusalKind::Busy | RefusalKind::Conflict => &CONFLICT,
        RefusalKind::Stale => &STALE,
        RefusalKind::Locked => &TOO_MANY,
    }
}

/// The parts of an error's answer besides its message.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    pub row: &'static Row,
    /// The stable name of the cause, in snake case. It is part of the API and does not change with the message.
    pub reason: &'static str,
    /// The condition under which an answer has this reason, for docs/api.md.
    pub when: &'static str,
}

/// Defines the causes of failures other than refusals of the domain, and the list of them.
macro_rules! causes {
    ($($cause:ident: $row:ident, $reason:literal, $when:literal;)+) => {
        $(const $cause: Cause = Cause { row: &$row, reason: $reason, when: $when };)+
        const CAUSES: &[Cause] = &[$($cause),+];
    };
}

causes! {
    BODY_INVALID: BAD_REQUEST, "body_invalid", "The body is not the expected JSON.";
    BODY_CUT_OFF: BAD_REQUEST, "body_cut_off", "The connection ended before the end of the body.";
    BODY_TOO_LARGE: TOO_LARGE, "body_too_large", "The body is larger than the limit.";
    BODY_ENCODED: UNSUPPORTED, "body_encoded", "The body has a `Content-Encoding`.";
    BODY_TOO_SLOW: TOO_SLOW, "body_too_slow", "The body did not arrive in time; the connection is closed.";
    PARAMETER_INVALID: INVALID, "parameter_invalid", "A member of the query, or `If-Match`, has an invalid value.";
    ORIGIN_FOREIGN: FORBIDDEN, "origin_foreign", "A page of another origin asks for a change, by the headers that a browser sends (`Origin`, `Sec-Fetch-Site`).";
    CONSOLE_HEADER_MISSING: FORBIDDEN, "console_header_missing", "A call with `cookies` lacks the header `X-Claviger-Console: 1`.";
    SESSION_COOKIE_MISSING: UNAUTHORIZED, "session_cookie_missing", "A session is to be renewed by its cookie, and no cookie was sent.";
    NO_ROUTE: NOT_FOUND, "not_found", "The API has no such path.";
    METHOD_NOT_ALLOWED: NO_METHOD, "method_not_allowed", "The path does not have the method.";
    TOKEN_MISSING: UNAUTHORIZED, "token_missing", "No bearer token was sent.";
    TOKEN_INVALID: UNAUTHORIZED, "token_invalid", "The bearer token was not issued by this installation.";
    TOKEN_EXPIRED: UNAUTHORIZED, "token_expired", "The bearer token has expired.";
    TOKEN_REVOKED: UNAUTHORIZED, "token_revoked", "The session of the bearer token is closed.";
    PERMISSION_MISSING: FORBIDDEN, "permission_missing", "The action that the message names is not permitted.";
    MEMBERSHIP_MISSING: FORBIDDEN, "membership_missing", "Only members of the groups that the message names may do this.";
    GROUP_PRIVILEGED: FORBIDDEN, "group_privileged", "Only members of `admin` may change who is in the group.";
    USER_PRIVILEGED: FORBIDDEN, "user_privileged", "Only members of `admin` may change a user of a privileged group.";
    AWS_REFUSED: CLOUD, "aws_refused", "AWS refused the call; its code and message are in `message`.";
    AWS_INVALID_STATE: CONFLICT, "aws_invalid_state", "AWS says that the key is in the wrong state (`KMSInvalidStateException`, `DisabledException`).";
    AWS_ALREADY_EXISTS: CONFLICT, "aws_already_exists", "AWS says that the resource exists already (`AlreadyExistsException`).";
    AWS_THROTTLED: CLOUD, "aws_throttled", "AWS throttled every attempt.";
    AWS_FAULTY: CLOUD, "aws_faulty", "AWS answered with an error of its own (5xx).";
    AWS_UNREACHABLE: CLOUD, "aws_unreachable", "AWS could not be reached, or the connection broke.";
    AWS_UNINTELLIGIBLE: CLOUD, "aws_unintelligible", "The answer of AWS could not be parsed.";
    AWS_NOT_SENT: CLOUD, "aws_not_sent", "The call is not possible with these credentials, and was not sent.";
    AWS_TIMEOUT: CLOUD_TIMEOUT, "aws_timeout", "AWS did not answer in time.";
    BUSY: TOO_MANY, "too_many_sign_ins", "Too many sign-ins at once.";
    TOO_MANY_STREAMS: TOO_MANY, "too_many_streams", "As many event streams are open as may be, of the user or of all users.";
    TOO_MANY_DOWNLOADS: TOO_MANY, "too_many_downloads", "As many downloads of audit records are open as may be.";
    TOO_MANY_CHANGES: TOO_MANY, "too_many_changes", "The user makes more changes than `server.changes_per_second` allows.";
    CHANGE_TOO_LARGE: TOO_LARGE, "change_too_large", "The change is larger than a record of the log may be.";
    SEALED: UNAVAILABLE, "sealed", "The server waits for the passphrase of its master key (`claviger unseal`).";
    LOG_STOPPED: UNAVAILABLE, "log_stopped", "The event log has stopped; the service must be restarted.";
    KEYRING_UNAVAILABLE: UNAVAILABLE, "keyring_unavailable", "The disk failed at a file of the keyring.";
    DISK_FAILED: UNAVAILABLE, "disk_failed", "The disk failed, or is full, at a file beside the log.";
    INTERRUPTED: UNAVAILABLE, "interrupted", "The program ended before AWS had completed the operation.";
    NOT_YET_CONSISTENT: UNAVAILABLE, "not_yet_consistent", "The result of the operation at AWS is not known yet.";
    LOG_UNREADABLE: INTERNAL, "log_unreadable", "The event log could not be read.";
    KEYRING_FAILED: INTERNAL, "keyring_failed", "A secret could not be sealed or unsealed.";
    INTERNAL_ERROR: INTERNAL, "internal_error", "A defect; the log of the program says more.";
}

/// Every cause, refusals first.
pub fn causes() -> impl Iterator<Item = Cause> {
    let refusals = Refusal::reasons();
    let refusals = refusals.map(|reason| Cause { row: row_of(reason.kind), reason: reason.name, when: reason.when });
    refusals.chain(CAUSES.iter().copied())
}

/// The cause of a problem. The match has no `_` arm: a new variant does not compile until it has its cause.
pub fn cause(problem: &Problem) -> Cause {
    match problem {
        Problem::Failure(failure) => cause_of(failure),
        Problem::Body { .. } => BODY_INVALID,
        Problem::BodyCutOff => BODY_CUT_OFF,
        Problem::BodyTooLarge(_) => BODY_TOO_LARGE,
        Problem::BodyEncoded(_) => BODY_ENCODED,
        Problem::BodyTooSlow(_) => BODY_TOO_SLOW,
        Problem::Query { .. } => PARAMETER_INVALID,
        Problem::ForeignOrigin => ORIGIN_FOREIGN,
        Problem::NoConsoleHeader => CONSOLE_HEADER_MISSING,
        Problem::NoSessionCookie => SESSION_COOKIE_MISSING,
        Problem::TooManyChanges { .. } => TOO_MANY_CHANGES,
        Problem::Sealed => SEALED,
        Problem::NoRoute(_) => NO_ROUTE,
        Problem::NoMethod { .. } => METHOD_NOT_ALLOWED,
    }
}

fn cause_of(failure: &Failure) -> Cause {
    match failure {
        Failure::Refused(refusal) => {
            let reason = refusal.reason();
            Cause { row: row_of(reason.kind), reason: reason.name, when: reason.when }
        }
        Failure::Unauthenticated(problem) => match problem {
            TokenProblem::Missing => TOKEN_MISSING,
            TokenProblem::Malformed
            | TokenProblem::Algorithm
            | TokenProblem::Signature
            | TokenProblem::Audience
            | TokenProblem::Claims => TOKEN_INVALID,
            TokenProblem::Expired => TOKEN_EXPIRED,
            TokenProblem::Revoked => TOKEN_REVOKED,
        },
        Failure::Forbidden(missing) => match missing {
            MissingRight::Action(_) | MissingRight::ActionOnSomeKms(_) => PERMISSION_MISSING,
            MissingRight::Membership(_) | MissingRight::UseOfMaterial(_) => MEMBERSHIP_MISSING,
            MissingRight::PrivilegedGroup(_) => GROUP_PRIVILEGED,
            MissingRight::PrivilegedUser(_) => USER_PRIVILEGED,
        },
        Failure::Cloud(cloud) => cause_at_aws(cloud),
        Failure::Busy => BUSY,
        Failure::TooManyStreams { .. } => TOO_MANY_STREAMS,
        Failure::TooManyDownloads(_) => TOO_MANY_DOWNLOADS,
        Failure::TooLarge => CHANGE_TOO_LARGE,
        Failure::Stopped(_) => LOG_STOPPED,
        Failure::Interrupted => INTERRUPTED,
        Failure::NotYetConsistent => NOT_YET_CONSISTENT,
        Failure::Halfway { cause, .. } => cause_of(cause),
        Failure::Log(_) => LOG_UNREADABLE,
        Failure::Keyring(error) if error.is_of_the_disk() => KEYRING_UNAVAILABLE,
        Failure::Keyring(_) => KEYRING_FAILED,
        Failure::Disk(_) => DISK_FAILED,
        Failure::Internal(_) => INTERNAL_ERROR,
    }
}

fn cause_at_aws(failure: &AwsFailure) -> Cause {
    match failure {
        failure if failure.is_invalid_state() => AWS_INVALID_STATE,
        failure if failure.is_already_there() => AWS_ALREADY_EXISTS,
        AwsFailure::Refused { .. } => AWS_REFUSED,
        AwsFailure::Throttled { .. } => AWS_THROTTLED,
        AwsFailure::Faulty { .. } => AWS_FAULTY,
        AwsFailure::Timeout { .. } => AWS_TIMEOUT,
        AwsFailure::Unreachable { .. } => AWS_UNREACHABLE,
        AwsFailure::Unintelligible { .. } => AWS_UNINTELLIGIBLE,
        AwsFailure::NotSent { .. } => AWS_NOT_SENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn documentation() -> String {
        std::fs::read_to_string("docs/api.md").expect("the documentation")
    }

    #[test]
    fn the_documentation_shows_every_row() {
        let shown = documentation();
        let shown = shown.lines().filter(|line| line.contains("| `NCERR"));
        let shown: Vec<_> = shown.map(|line| line.rsplitn(3, '|').nth(2).unwrap_or_default().trim()).collect();
        let rows = ROWS.iter().map(|row| format!("| {} | {} | `{}`", row.status, row.code, row.name));
        assert_eq!(shown, rows.collect::<Vec<_>>());
    }

    #[test]
    fn the_documentation_shows_every_reason() {
        let table = causes().fold("| reason | status | when |\n|---|---|---|\n".to_owned(), |table, cause| {
            table + &format!("| `{}` | {} | {} |\n", cause.reason, cause.row.status, cause.when)
        });
        assert!(documentation().contains(&table), "docs/api.md, under Errors, has another table than:\n{table}");
    }

    #[test]
    fn a_reason_stands_for_one_cause_and_is_in_snake_case() {
        let mut seen = BTreeSet::new();
        for cause in causes() {
            assert!(cause.reason.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", cause.reason);
            assert!(seen.insert(cause.reason), "{} is there twice", cause.reason);
        }
    }
}
