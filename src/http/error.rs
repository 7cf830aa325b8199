//! The error table: one enum in; status, code, name and text out. No other place turns a failure into an answer.

use crate::domain::refusal::{Refusal, RefusalKind, SessionRefusal};
use crate::service::failure::{AwsFailure, Failure};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// Why a request gets an error for an answer.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The use case did not come to its end.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The body is not the JSON that is expected.
    #[error("{0}")]
    Body(String),
    /// The body is larger than is taken.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The body is packed.
    #[error("the body must not be encoded: Content-Encoding `{0}` is not read")]
    BodyEncoded(String),
    /// The body did not arrive whole.
    #[error("the body did not arrive whole")]
    BodyCutOff,
    /// The body did not arrive in time.
    #[error("the body did not arrive within {0} s")]
    BodyTooSlow(u64),
    /// A member of the query does not hold what it should.
    #[error("{member}: {problem}")]
    Query {
        /// Which member.
        member: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// Nothing is served at this path.
    #[error("there is no API at {0}")]
    NoRoute(String),
    /// The path is served, but not with this method.
    #[error("{method} is not served here, but {allowed}")]
    NoMethod {
        /// Which method.
        method: String,
        /// Which ones are served there.
        allowed: String,
    },
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem::Failure(Failure::Refused(refusal))
    }
}

/// One row of the table: what a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub status: u16,
    /// The number in the body.
    pub code: u16,
    /// The stable name that clients look for.
    pub name: &'static str,
    pub text: &'static str,
}

impl Row {
    /// The name and what it means, as clients read it.
    pub fn code_desc(&self) -> String {
        format!("{}: {}", self.name, self.text)
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
const TOO_LARGE: Row = kind(413, 13, "NCERRRequestTooLarge", "Request too large");
const UNSUPPORTED: Row = kind(415, 16, "NCERRUnsupportedMediaType", "Unsupported media type");
const UNPROCESSABLE: Row = kind(422, 22, "NCERRUnprocessableEntity", "Unprocessable entity");
const TOO_MANY: Row = kind(429, 29, "NCERRTooManyRequests", "Too many requests");
const INTERNAL: Row = kind(500, 50, "NCERRInternalServerError", "Internal server error");
const CLOUD: Row = kind(502, 52, "NCERRCloudError", "AWS refused or failed");
const UNAVAILABLE: Row = kind(503, 53, "NCERRUnavailable", "Service unavailable");
const CLOUD_TIMEOUT: Row = kind(504, 54, "NCERRCloudTimeout", "AWS did not answer in time");

/// Every row there is, for the documentation and its test.
pub const ROWS: &[Row] = &[
    BAD_REQUEST,
    INVALID,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    NO_METHOD,
    TOO_SLOW,
    CONFLICT,
    TOO_LARGE,
    UNSUPPORTED,
    UNPROCESSABLE,
    TOO_MANY,
    INTERNAL,
    CLOUD,
    UNAVAILABLE,
    CLOUD_TIMEOUT,
];

/// One row for each thing that can go wrong. No `_` arm: what is new does not compile until it has its row.
pub fn row(problem: &Problem) -> &'static Row {
    match problem {
        Problem::Failure(failure) => row_of_failure(failure),
        Problem::Body(_) | Problem::BodyCutOff => &BAD_REQUEST,
        Problem::BodyTooLarge(_) => &TOO_LARGE,
        Problem::BodyEncoded(_) => &UNSUPPORTED,
        Problem::BodyTooSlow(_) => &TOO_SLOW,
        Problem::Query { .. } => &INVALID,
        Problem::NoRoute(_) => &NOT_FOUND,
        Problem::NoMethod { .. } => &NO_METHOD,
    }
}

fn row_of_failure(failure: &Failure) -> &'static Row {
    match failure {
        Failure::Refused(refusal) => row_of_kind(refusal.reason().kind),
        Failure::Unauthenticated(_) => &UNAUTHORIZED,
        Failure::Forbidden(_) => &FORBIDDEN,
        Failure::Cloud(AwsFailure::Timeout { .. }) => &CLOUD_TIMEOUT,
        Failure::Cloud(cloud) if cloud.is_invalid_state() || cloud.is_already_there() => &CONFLICT,
        Failure::Cloud(
            AwsFailure::Refused { .. }
            | AwsFailure::Throttled { .. }
            | AwsFailure::Faulty { .. }
            | AwsFailure::Unreachable { .. }
            | AwsFailure::Unintelligible { .. }
            | AwsFailure::NotSent { .. },
        ) => &CLOUD,
        Failure::Busy => &TOO_MANY,
        Failure::TooLarge => &TOO_LARGE,
        Failure::Stopped(_) | Failure::Interrupted | Failure::NotYetConsistent => &UNAVAILABLE,
        Failure::Log(_) | Failure::Keyring(_) | Failure::Internal(_) => &INTERNAL,
    }
}

/// The row of each kind of refusal.
fn row_of_kind(kind: RefusalKind) -> &'static Row {
    match kind {
        RefusalKind::Invalid => &INVALID,
        RefusalKind::Contradictory => &BAD_REQUEST,
        RefusalKind::Unprocessable => &UNPROCESSABLE,
        RefusalKind::Unauthenticated => &UNAUTHORIZED,
        RefusalKind::Forbidden => &FORBIDDEN,
        RefusalKind::Unknown => &NOT_FOUND,
        RefusalKind::Taken | RefusalKind::InUse | RefusalKind::Busy | RefusalKind::Conflict => &CONFLICT,
        RefusalKind::Locked => &TOO_MANY,
    }
}

/// The body of every error.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// A number for the kind of error.
    #[schema(example = 9)]
    code: u16,
    /// A stable name, a colon, and what it means.
    #[serde(rename = "codeDesc")]
    #[schema(example = "NCERRResourceNotFound: Resource not found")]
    code_desc: String,
    /// What is wrong, with which member, and what would be right.
    #[schema(example = "AWS KMS 0b90f8de-8617-498d-ad63-ca18eb717ae7 does not exist")]
    message: String,
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(row(self).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let row = row(self);
        let mut answer = HttpResponse::build(self.status_code());
        if row.status == 401 {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        match self {
            Problem::Failure(Failure::Refused(Refusal::Session(SessionRefusal::LoginLocked { seconds }))) => {
                answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Problem::Failure(Failure::Busy) => {
                answer.insert_header((header::RETRY_AFTER, "1"));
            }
            // The rest of the body is not waited for.
            Problem::BodyTooSlow(_) => {
                answer.force_close();
            }
            Problem::NoMethod { allowed, .. } => {
                answer.insert_header((header::ALLOW, allowed.as_str()));
            }
            _ => {}
        }
        answer.json(ErrorBody { code: row.code, code_desc: row.code_desc(), message: self.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table that clients read is this one.
    #[test]
    fn the_documentation_shows_every_row() {
        let shown = std::fs::read_to_string("docs/api.md").expect("the documentation");
        let shown = shown.lines().filter(|line| line.contains("| `NCERR"));
        let shown: Vec<_> = shown.map(|line| line.rsplitn(3, '|').nth(2).unwrap_or_default().trim()).collect();
        let rows = ROWS.iter().map(|row| format!("| {} | {} | `{}`", row.status, row.code, row.name));
        assert_eq!(shown, rows.collect::<Vec<_>>());
    }
}
