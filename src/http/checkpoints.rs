//! Checkpoints of the log: signed statements for those who keep them where this machine cannot change them.

use super::answer::{Created, PublicKeyPem};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{Columns, List, Listing};
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::checkpoints::Checkpoint;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

/// A checkpoint of the log. Saved as a file, it is what `claviger verify --checkpoint` takes.
#[derive(Serialize, ToSchema)]
#[schema(as = Checkpoint)]
pub struct CheckpointView {
    /// The version of the format.
    #[schema(example = 1)]
    claviger_checkpoint: u32,
    /// The id of the installation.
    installation: String,
    /// The number of the record.
    #[schema(example = 42)]
    number: u64,
    /// The SHA-256 of the record.
    hash: String,
    /// The time at which the checkpoint was made.
    #[schema(format = DateTime)]
    time: String,
    /// The SHA-256 of the public key in DER.
    key: String,
    /// The signature by Ed25519, in base64.
    signature: String,
}

impl Columns for Checkpoint {
    const SORTS: &'static [&'static str] = &["number"];
    const FILTERS: &'static [&'static str] = &[];
}

/// `POST /v1/audit/checkpoints`
pub async fn create(
    auth: Authorized<Administer>,
    services: Data<Services>,
) -> Result<Created<CheckpointView>, Problem> {
    let made = services.checkpoints.create(&auth.permit, auth.context.dry_run).await?;
    Ok(Created(CheckpointView::of(Checkpoint::clone(&made))))
}

/// `GET /v1/audit/checkpoints`
pub async fn list(
    auth: Authorized<Administer>,
    listing: Listing<Checkpoint>,
    services: Data<Services>,
) -> Result<List<CheckpointView>, Problem> {
    let page = services.checkpoints.list(&auth.permit, &listing.0).await?;
    List::of(&listing.0, page.limit, page.total, page.checkpoints.into_iter().map(CheckpointView::of))
}

/// `GET /v1/audit/checkpoints/key`
pub async fn key(_auth: Authorized<Administer>, services: Data<Services>) -> PublicKeyPem {
    PublicKeyPem { name: "claviger-checkpoints".to_owned(), text: services.checkpoints.public_key().pem() }
}

impl CheckpointView {
    pub(super) fn of(checkpoint: Checkpoint) -> Self {
        let Checkpoint { claviger_checkpoint, installation, number, hash, time, key, signature } = checkpoint;
        Self { claviger_checkpoint, installation, number, hash, time, key, signature }
    }
}
