//! The credentials of a custom key store.

use super::view::KeyStoreView;
use crate::domain::id::ScheduleId;
use crate::domain::key_store::{Credential, KeyStore};
use crate::domain::time::Time;
use crate::http::answer::{Json, NoContent};
use crate::http::body::{Body, optional, read_as, required};
use crate::http::envelope::Envelope;
use crate::http::error::Problem;
use crate::http::guard::OnKeyStore;
use crate::http::paging::{Columns, List, Listing};
use crate::service::Services;
use crate::service::access::{UpdateKeyStore, ViewKeyStore};
use crate::service::list::{Field, arrange};
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A credential with which AWS signs its requests to the proxy.
#[derive(Serialize, ToSchema)]
#[schema(as = XksCredential)]
pub struct CredentialView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The access key id.
    access_key_id: String,
    /// The number of the credential, from 1 on.
    version: u32,
    /// The id of the store.
    custom_key_store_id: String,
    /// Whether it is the newest one, which AWS has.
    current: bool,
    /// When AWS last signed a request with it, since the program started.
    last_used_at: Option<String>,
}

impl Columns for Credential {
    const SORTS: &'static [&'static str] = &["version", "access_key_id", "createdAt"];
    const FILTERS: &'static [&'static str] = &["access_key_id"];
}

/// A schedule that rotates credentials.
#[derive(Deserialize, ToSchema)]
#[schema(as = CredentialRotationJobRequest)]
pub struct RotationJobBody {
    /// The id of the schedule.
    #[serde(default, deserialize_with = "optional")]
    job_config_id: Option<String>,
}

/// `GET /v1/cckm/aws/custom-key-stores/{id}/credentials`
pub async fn list(
    auth: OnKeyStore<ViewKeyStore>,
    listing: Listing<Credential>,
    services: Data<Services>,
) -> Result<List<CredentialView>, Problem> {
    let (store, query) = (auth.permit.store(), &listing.0);
    let mut rows: Vec<&Credential> = services.key_stores.credentials(&auth.permit)?.iter().collect();
    arrange(&mut rows, query, &[], |credential, member| match member {
        "access_key_id" => Field::Text(credential.access_key_id.clone()),
        _ => Field::Number(credential.version.into()),
    });
    let page = rows.iter().skip(query.skip).take(query.limit.rows());
    let uses = services.key_stores.credential_uses(store);
    List::of(query, query.limit, rows.len(), page.map(|credential| CredentialView::of(store, credential, &uses)))
}

/// `GET /v1/cckm/aws/custom-key-stores/{id}/credentials/{cid}`
pub async fn get(
    auth: OnKeyStore<ViewKeyStore>,
    path: Path<(String, String)>,
    services: Data<Services>,
) -> Result<Json<CredentialView>, Problem> {
    let store = auth.permit.store();
    let credential = services.key_stores.credential(&auth.permit, &path.1)?;
    Ok(Json(CredentialView::of(store, &credential, &services.key_stores.credential_uses(store))))
}

/// `DELETE /v1/cckm/aws/custom-key-stores/{id}/credentials/{cid}`
pub async fn delete(
    auth: OnKeyStore<UpdateKeyStore>,
    path: Path<(String, String)>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.key_stores.delete_credential(&auth.permit, &auth.context, &path.1).await?;
    Ok(NoContent)
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/enable-credential-rotation-job`
pub async fn enable_rotation_job(
    auth: OnKeyStore<UpdateKeyStore>,
    body: Body<RotationJobBody>,
    services: Data<Services>,
) -> Result<Json<KeyStoreView>, Problem> {
    let id = required("job_config_id", body.0.job_config_id)?;
    let id = read_as("job_config_id", &id, ScheduleId::parse)?;
    let store = services.key_stores.set_rotation_schedule(&auth.permit, &auth.context, Some(id)).await?;
    Ok(super::shown(&store, &services))
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/disable-credential-rotation-job`
pub async fn disable_rotation_job(
    auth: OnKeyStore<UpdateKeyStore>,
    services: Data<Services>,
) -> Result<Json<KeyStoreView>, Problem> {
    let store = services.key_stores.set_rotation_schedule(&auth.permit, &auth.context, None).await?;
    Ok(super::shown(&store, &services))
}

impl CredentialView {
    fn of(store: &KeyStore, credential: &Credential, uses: &[(String, Time)]) -> Self {
        let used = uses.iter().find(|(access_key_id, _)| *access_key_id == credential.access_key_id);
        let newest = store.local.as_ref().and_then(|local| local.newest_credential());
        Self {
            envelope: Envelope::new(
                credential.id,
                "cckm:aws-xks-credential",
                credential.id,
                credential.created,
                credential.created,
            ),
            access_key_id: credential.access_key_id.clone(),
            version: credential.version,
            custom_key_store_id: store.id.to_string(),
            current: newest.is_some_and(|newest| newest.id == credential.id),
            last_used_at: used.map(|(_, at)| at.to_string()),
        }
    }
}
