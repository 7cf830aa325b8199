//! Errors as answers: one enum in; status, code, name, reason and text out. No other place turns a failure into an
//! answer.

mod table;

use crate::domain::refusal::{Refusal, SessionRefusal};
use crate::service::failure::Failure;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
pub use table::{Cause, ROWS, Row, cause, causes};
use utoipa::openapi::schema::{Object, Type};

/// Why a request gets an error for an answer.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The use case failed.
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
    /// Why, in one word of snake case that stays when messages change.
    #[schema(schema_with = reasons)]
    reason: &'static str,
    /// What is wrong, with which member, and what would be right.
    #[schema(example = "AWS KMS 0b90f8de-8617-498d-ad63-ca18eb717ae7 does not exist")]
    message: String,
}

fn reasons() -> Object {
    Object::builder()
        .schema_type(Type::String)
        .description(Some("Why, in one word of snake case that stays when messages change."))
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
        answer.json(ErrorBody { code: row.code, code_desc: row.code_desc(), reason, message: self.to_string() })
    }
}
