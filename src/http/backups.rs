//! Backups: ask for one, list, view, download and delete them.

use super::answer::{Accepted, Download, Json, NoContent};
use super::body::{Body, read_as};
use super::describe::{Described, Description};
use super::envelope::{Envelope, maybe_rfc3339};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, List, Listing};
use super::schedules::BackupParams;
use crate::domain::backup::{Backup, BackupFile, BackupStatus};
use crate::domain::id::BackupId;
use crate::domain::name::JsonText;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::Administer;
use crate::service::backups::BackupJobs;
use crate::service::list::pool;
use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, Object, SchemaFormat, Type};

/// A backup.
#[derive(Serialize, ToSchema)]
#[schema(as = Backup)]
pub struct BackupView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The description that the request gave.
    description: String,
    /// What is in it: `system`.
    #[schema(example = "system")]
    scope: String,
    /// The backup key of the request; backups with one end in an error.
    #[serde(rename = "backupKey")]
    backup_key: String,
    /// The connection of the request; backups with one end in an error.
    connection: String,
    /// Whether the backup was to be sent to another server.
    do_scp: bool,
    /// Whether the backup was to be for one HSM.
    #[serde(rename = "tiedToHSM")]
    tied_to_hsm: bool,
    /// The choice of resources of the request.
    #[schema(value_type = Vec<Object>)]
    filters: Value,
    /// `in_progress`, `completed` or `error`.
    #[schema(example = "completed")]
    status: &'static str,
    /// Why there is no backup; otherwise empty.
    error: String,
    /// The time at which it ended; absent until then.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = String, required = false, format = DateTime)]
    completed_at: Option<Time>,
    /// The schedule that made it; empty if an administrator asked for it.
    #[serde(rename = "jobConfigID")]
    job_config: String,
    /// The name of its file; empty if there is none.
    file: String,
    /// Whether its file was deleted, moved or cut by others.
    file_gone: bool,
    /// The number of bytes of its file.
    size: u64,
    /// The SHA-256 of its file.
    sha256: String,
    /// The number of the last record in it.
    head: u64,
    /// The hash of that record.
    head_hash: String,
    /// The version of this program.
    #[serde(rename = "productVersion")]
    product_version: &'static str,
}

impl BackupView {
    fn of(backup: &Backup, jobs: &BackupJobs) -> Self {
        let (plan, error) = match &backup.status {
            BackupStatus::Failed(reason) => (&backup.plan, reason.clone()),
            BackupStatus::InProgress | BackupStatus::Completed(_) => (&backup.plan, String::new()),
        };
        let nothing = || BackupFile {
            name: String::new(),
            bytes: 0,
            sha256: String::new(),
            records: 0,
            head_hash: String::new(),
        };
        let file = backup.file().cloned().unwrap_or_else(nothing);
        Self {
            envelope: Envelope::new(backup.id, "admin:backups", backup.id, backup.created, backup.updated),
            description: plan.description.clone(),
            scope: plan.scope().to_owned(),
            backup_key: plan.backup_key.clone(),
            connection: plan.connection.clone(),
            do_scp: plan.do_scp,
            tied_to_hsm: plan.tied_to_hsm,
            filters: plan.filters.as_ref().map_or_else(|| json!([]), JsonText::value),
            status: backup.status.name(),
            error,
            completed_at: backup.completed,
            job_config: backup.schedule.map(|id| id.to_string()).unwrap_or_default(),
            file_gone: jobs.is_file_gone(backup),
            file: file.name,
            size: file.bytes,
            sha256: file.sha256,
            head: file.records,
            head_hash: file.head_hash,
            product_version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// `POST /v1/backups`
pub async fn create(
    auth: Authorized<Administer>,
    body: Body<BackupParams>,
    services: Data<Services>,
) -> Result<Accepted<BackupView>, Problem> {
    let backup = services.backups.create(&auth.permit, &auth.context, body.0.plan()?).await?;
    Ok(Accepted(BackupView::of(&backup, &services.backups)))
}

/// `GET /v1/backups`
pub async fn list(
    auth: Authorized<Administer>,
    listing: Listing<Backup>,
    services: Data<Services>,
) -> Result<List<BackupView>, Problem> {
    let page = services.backups.list(&auth.permit, &listing.0).await?;
    let jobs = services.backups.clone();
    paging::answer_apart(page, move |backup: &Arc<Backup>| BackupView::of(backup, &jobs)).await
}

/// `GET /v1/backups/{id}`
pub async fn get(
    auth: Authorized<Administer>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<BackupView>, Problem> {
    let backup = services.backups.get(&auth.permit, backup_id(&id)?)?;
    // It looks for the file, on a disk that may be slow.
    Ok(Json(pool::run(move || BackupView::of(&backup, &services.backups)).await?))
}

/// `DELETE /v1/backups/{id}`
pub async fn delete(
    auth: Authorized<Administer>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.backups.delete(&auth.permit, &auth.context, backup_id(&id)?).await?;
    Ok(NoContent)
}

/// The encrypted file of a backup.
pub struct Encrypted;

impl Described for Encrypted {
    fn describe(to: &mut Description) {
        let bytes = Object::builder()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .build();
        to.answers_with(200, "application/octet-stream", bytes);
    }
}

/// The bytes of one piece of an answer.
const PIECE_BYTES: u64 = 256 * 1024;

/// `GET /v1/backups/{id}/download`
pub async fn download(
    auth: Authorized<Administer>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Download<Encrypted>, Problem> {
    let (file, open) = services.backups.open(&auth.permit, backup_id(&id)?).await?;
    let pieces = stream::try_unfold(open, |open| async {
        let read = tokio::task::spawn_blocking(|| piece(open)).await.map_err(io::Error::other)??;
        Ok::<_, io::Error>(read.map(|(bytes, open)| (Bytes::from(bytes), open)))
    });
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, "application/octet-stream"));
    answer.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)));
    Ok(Download::new(answer.body(SizedStream::new(file.bytes, Box::pin(pieces)))))
}

/// The next bytes of a file, which continues; `None` at its end.
fn piece(mut file: File) -> io::Result<Option<(Vec<u8>, File)>> {
    let mut bytes = Vec::new();
    let read = file.by_ref().take(PIECE_BYTES).read_to_end(&mut bytes)?;
    Ok((read > 0).then_some((bytes, file)))
}

fn backup_id(text: &str) -> Result<BackupId, Refusal> {
    read_as("id", text, BackupId::parse)
}
