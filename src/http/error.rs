//! Errors as answers: [`Problem`] becomes a status, a code, a name, a reason and a message. No other module turns a
//! failure into an answer.

mod table;

use crate::domain::refusal::{Bounds, Refusal, SessionRefusal};
use crate::service::failure::Failure;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::borrow::Cow;
pub use table::{Cause, ROWS, Row, cause, causes};
use utoipa::openapi::schema::{Object, Type};

/// The error of a request.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The use case failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The body is not the expected JSON. `member` is the member with the wrong value, if the body is JSON.
    #[error("{}", in_member(.member, .problem))]
    Body { member: Option<String>, problem: String },
    /// The body is larger than the limit, in bytes.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The body has a `Content-Encoding`.
    #[error("the body must not be encoded: Content-Encoding `{0}` is not read")]
    BodyEncoded(String),
    /// The connection ended before the end of the body.
    #[error("the body is incomplete")]
    BodyCutOff,
    /// The body did not arrive within the limit, in seconds.
    #[error("the body did not arrive within {0} s")]
    BodyTooSlow(u64),
    /// A member of the query has an invalid value; `problem` says which values are valid.
    #[error("{member}: {problem}")]
    Query { member: Cow<'static, str>, problem: String, limit: Option<Bounds> },
    /// A page of another origin asks for a change.
    #[error("a page of another origin asked for this, in a browser; only pages of this host may")]
    ForeignOrigin,
    /// A call that uses the session cookie lacks the header that only pages of this host can send.
    #[error(
        "cookies: the header `X-Claviger-Console: 1` is missing; only pages of this host may use the session cookie"
    )]
    NoConsoleHeader,
    /// There is no session cookie.
    #[error("cookies: no session cookie was sent; sign in")]
    NoSessionCookie,
    /// The user makes more changes than one may in some time.
    #[error("too many changes of one user: try again in {seconds} s")]
    TooManyChanges { seconds: u64 },
    /// The master key is not known yet.
    #[error("the server is sealed; give it the passphrase on its machine, with `claviger unseal`")]
    Sealed,
    /// Nothing is served at this path.
    #[error("there is no API at {0}")]
    NoRoute(String),
    /// The path is served, but not with this method.
    #[error("the method {method} is not allowed here; allowed are {allowed}")]
    NoMethod { method: String, allowed: String },
}

impl Problem {
    /// The error of a member of the query.
    pub fn query(member: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Problem::Query { member: member.into(), problem: problem.into(), limit: None }
    }

    /// The error of a body that is not the expected JSON object.
    pub fn body(problem: impl Into<String>) -> Self {
        Problem::Body { member: None, problem: problem.into() }
    }

    /// The member of the request that is wrong.
    fn member(&self) -> Option<&str> {
        match self {
            Problem::Failure(Failure::Refused(refusal)) => refusal.member(),
            Problem::Body { member, .. } => member.as_deref(),
            Problem::Query { member, .. } => Some(member),
            _ => None,
        }
    }

    /// The values that the member can have, if they are a range.
    fn limit(&self) -> Option<Bounds> {
        match self {
            Problem::Failure(Failure::Refused(refusal)) => refusal.limit(),
            Problem::Query { limit, .. } => *limit,
            Problem::Failure(Failure::TooManyStreams { most, .. } | Failure::TooManyDownloads(most)) => {
                Some(Bounds::most(*most as u64))
            }
            _ => None,
        }
    }
}

fn in_member(member: &Option<String>, problem: &str) -> String {
    match member {
        Some(member) => format!("{member}: {problem}"),
        None => problem.to_owned(),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem::Failure(Failure::Refused(refusal))
    }
}

/// The body of every error.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// A number for the kind of error.
    #[schema(example = 9)]
    code: u16,
    /// A stable name, a colon, the meaning of the name, a colon, and the message: some clients show only this member.
    #[serde(rename = "codeDesc")]
    #[schema(
        example = "NCERRResourceNotFound: Resource not found: AWS KMS 0b90f8de-8617-498d-ad63-ca18eb717ae7 does not exist"
    )]
    code_desc: String,
    /// The stable name of the cause, in snake case.
    #[schema(schema_with = reasons)]
    reason: &'static str,
    /// The member that is wrong, what is wrong with it, and which values are valid.
    #[schema(example = "AWS KMS 0b90f8de-8617-498d-ad63-ca18eb717ae7 does not exist")]
    message: String,
    /// The member of the request that is wrong; absent if it is not a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "name")]
    member: Option<String>,
    /// The values that the member can have, if they are a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    limit: Option<BoundsView>,
}

/// A range: of a number, or of the number of characters, bytes or entries.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Bounds)]
pub struct BoundsView {
    /// The least that is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    least: Option<u64>,
    /// The most that is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 255)]
    most: Option<u64>,
}

impl BoundsView {
    fn of(Bounds { least, most }: Bounds) -> Self {
        Self { least, most }
    }
}

fn reasons() -> Object {
    Object::builder()
        .schema_type(Type::String)
        .description(Some("The stable name of the cause, in snake case."))
        .enum_values(Some(causes().map(|cause| cause.reason)))
        .build()
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(cause(self).row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let Cause { row, reason, .. } = cause(self);
        let mut answer = HttpResponse::build(self.status_code());
        if row.status == 401 {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        match self {
            Problem::Failure(Failure::Refused(Refusal::Session(SessionRefusal::LoginLocked { seconds }))) => {
                answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Problem::TooManyChanges { seconds } => {
                answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Problem::Failure(Failure::Busy) => {
                answer.insert_header((header::RETRY_AFTER, "1"));
            }
            Problem::Failure(Failure::TooManyStreams { .. } | Failure::TooManyDownloads(_)) => {
                answer.insert_header((header::RETRY_AFTER, "15"));
            }
            // The server does not wait for the rest of the body.
            Problem::BodyTooSlow(_) => {
                answer.force_close();
            }
            Problem::NoMethod { allowed, .. } => {
                answer.insert_header((header::ALLOW, allowed.as_str()));
            }
            _ => {}
        }
        let message = self.to_string();
        answer.json(ErrorBody {
            code: row.code,
            code_desc: row.code_desc(&message),
            reason,
            message,
            member: self.member().map(str::to_owned),
            limit: self.limit().map(BoundsView::of),
        })
    }
}
