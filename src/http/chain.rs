//! The chain of the log: what is known of it, and its check.

use super::answer::{Accepted, Json};
use super::checkpoints::CheckpointView;
use super::guard::Authorized;
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::checkpoints::{Checkpoint, Outcome, Verification};
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

/// What is known of the chain of the log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditChain)]
pub struct ChainView {
    /// The number of the last record.
    #[schema(example = 42)]
    number: u64,
    /// The SHA-256 of the last record.
    hash: String,
    /// Whether the log fitted its seal when it was opened, and is sealed with each change.
    sealed: bool,
    /// The newest checkpoint.
    #[schema(required = true)]
    checkpoint: Option<CheckpointView>,
    /// The last check since the start of the program.
    #[schema(required = true)]
    verification: Option<VerificationView>,
}

/// A check of the whole log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditVerification)]
pub struct VerificationView {
    /// `in_progress`, `whole` or `broken`.
    status: &'static str,
    /// When it was started.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended; null until then.
    #[schema(required = true, format = DateTime)]
    ended_at: Option<String>,
    /// The user who started it.
    username: String,
    /// The number of records of a whole log.
    #[schema(required = true)]
    records: Option<u64>,
    /// The number of checkpoints that fit a whole log.
    #[schema(required = true)]
    checkpoints: Option<usize>,
    /// What is wrong, or why the log could not be checked.
    #[schema(required = true)]
    error: Option<String>,
}

/// `GET /v1/audit/chain`
pub async fn get(auth: Authorized<Administer>, services: Data<Services>) -> Json<ChainView> {
    let state = services.checkpoints.chain(&auth.permit);
    Json(ChainView {
        number: state.end.seq,
        hash: state.end.hash.to_string(),
        sealed: state.is_sealed,
        checkpoint: state.checkpoint.map(|checkpoint| CheckpointView::of(Checkpoint::clone(&checkpoint))),
        verification: state.verification.map(VerificationView::of),
    })
}

/// `POST /v1/audit/chain/verify`
pub async fn verify(auth: Authorized<Administer>, services: Data<Services>) -> Accepted<VerificationView> {
    Accepted(VerificationView::of(services.checkpoints.verify(&auth.permit, auth.context.dry_run)))
}

impl VerificationView {
    fn of(verification: Verification) -> Self {
        let Verification { started, by, ended } = verification;
        let (ended_at, outcome) = ended.map(|(at, outcome)| (at.to_string(), outcome)).unzip();
        let (status, records, checkpoints, error) = match outcome {
            None => ("in_progress", None, None, None),
            Some(Outcome::Whole { verified, checkpoints }) => {
                ("whole", Some(verified.records), Some(checkpoints), None)
            }
            Some(Outcome::Broken(problem)) => ("broken", None, None, Some(problem)),
        };
        Self { status, started_at: started.to_string(), ended_at, username: by, records, checkpoints, error }
    }
}
