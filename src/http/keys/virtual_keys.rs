//! Virtual keys: the view of HYOK keys as keys of the key manager, and ids for HYOK keys to be.

use super::hyok::VersionView;
use crate::domain::id::SourceKeyId;
use crate::http::answer::{Created, Json, NoContent};
use crate::http::body::{Body, optional, read_as, required};
use crate::http::envelope::Envelope;
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::http::key_stores::tier;
use crate::http::paging::{Columns, List, Listing};
use crate::service::Services;
use crate::service::access::{CreateHyokKey, DeleteHyokKey, OnSomeKms, SignedIn, UpdateKey, ViewHyokKey};
use crate::service::keys::{VersionSeen, VirtualKeySeen};
use crate::service::list::{Field, arrange};
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A virtual key to make.
#[derive(Deserialize, ToSchema)]
#[schema(as = VirtualKeyRequest)]
pub struct VirtualKeyBody {
    /// The id of the source key: AES-256, unexportable, undeletable.
    #[serde(default, deserialize_with = "optional")]
    source_key_id: Option<String>,
    /// The tier of the source key: `local`, the default.
    #[serde(default, deserialize_with = "optional")]
    source_key_tier: Option<String>,
}

/// A change of a virtual key.
#[derive(Deserialize, ToSchema)]
#[schema(as = VirtualKeyChange)]
pub struct VirtualKeyPatchBody {
    /// Whether the virtual key may be deleted.
    #[serde(default, deserialize_with = "optional")]
    deletable: Option<bool>,
}

/// A virtual key.
#[derive(Serialize, ToSchema)]
#[schema(as = VirtualKey)]
pub struct VirtualKeyView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name: the first alias of the HYOK key, or else the name of the source key.
    name: String,
    /// The id of the source key that encrypts now.
    source_key_id: String,
    /// The tier of the source key.
    source_key_tier: String,
    /// Whether it may be deleted; that of a HYOK key goes with the HYOK key.
    deletable: bool,
    /// The number of the version that encrypts.
    version: u32,
    /// Always empty.
    partition_id: &'static str,
    /// Always empty.
    partition_label: &'static str,
}

impl Columns for VirtualKeySeen {
    const SORTS: &'static [&'static str] = &["id", "name", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "name", "source_key_id"];
}

/// `POST /v1/cckm/virtual/keys`
pub async fn create(
    auth: Authorized<OnSomeKms<CreateHyokKey>>,
    body: Body<VirtualKeyBody>,
    services: Data<Services>,
) -> Result<Created<VirtualKeyView>, Problem> {
    const SOURCE: &str = "source_key_id";
    let source = read_as(SOURCE, &required(SOURCE, body.0.source_key_id)?, SourceKeyId::parse)?;
    let tier = tier("source_key_tier", body.0.source_key_tier)?.unwrap_or_else(|| "local".to_owned());
    let made = services.keys.make_virtual(&auth.permit, &auth.context, source, tier).await?;
    Ok(Created(VirtualKeyView::of(&made)))
}

/// `GET /v1/cckm/virtual/keys`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<VirtualKeySeen>,
    services: Data<Services>,
) -> Result<List<VirtualKeyView>, Problem> {
    let query = &listing.0;
    let mut rows = services.keys.virtual_keys(&auth.permit);
    arrange(&mut rows, query, &[], field);
    let (skip, limit) = (query.skip, query.limit);
    List::of(query, limit, rows.len(), rows.iter().skip(skip).take(limit.rows()).map(VirtualKeyView::of))
}

/// `GET /v1/cckm/virtual/keys/{id}`
pub async fn get(
    auth: Authorized<OnSomeKms<ViewHyokKey>>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<VirtualKeyView>, Problem> {
    Ok(Json(VirtualKeyView::of(&services.keys.virtual_key(&auth.permit, &id)?)))
}

/// `GET /v1/cckm/virtual/keys/{id}/versions`
pub async fn versions(
    auth: Authorized<OnSomeKms<ViewHyokKey>>,
    id: Path<String>,
    listing: Listing<VersionSeen>,
    services: Data<Services>,
) -> Result<List<VersionView>, Problem> {
    let (id, rows) = services.keys.versions_of_virtual_key(&auth.permit, &id)?;
    VersionView::page(id, rows, &listing.0)
}

/// `PATCH /v1/cckm/virtual/keys/{id}`
pub async fn update(
    auth: Authorized<OnSomeKms<UpdateKey>>,
    id: Path<String>,
    body: Body<VirtualKeyPatchBody>,
    services: Data<Services>,
) -> Result<Json<VirtualKeyView>, Problem> {
    let deletable = body.0.deletable;
    let changed = services.keys.set_virtual_deletable(&auth.permit, &auth.context, &id, deletable).await?;
    Ok(Json(VirtualKeyView::of(&changed)))
}

/// `DELETE /v1/cckm/virtual/keys/{id}`
pub async fn delete(
    auth: Authorized<OnSomeKms<DeleteHyokKey>>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.keys.delete_virtual(&auth.permit, &auth.context, &id).await?;
    Ok(NoContent)
}

/// The value of a member by which rows are filtered or sorted.
fn field(row: &VirtualKeySeen, member: &str) -> Field {
    match member {
        "createdAt" => Field::Moment(row.created),
        "updatedAt" => Field::Moment(row.updated),
        "name" => Field::Text(row.name.clone()),
        "source_key_id" => Field::Text(row.source.to_string()),
        _ => Field::Text(row.id.to_string()),
    }
}

impl VirtualKeyView {
    fn of(seen: &VirtualKeySeen) -> Self {
        Self {
            envelope: Envelope::new(seen.id, "cckm:virtual-key", seen.id, seen.created, seen.updated),
            name: seen.name.clone(),
            source_key_id: seen.source.to_string(),
            source_key_tier: seen.source_key_tier.clone(),
            deletable: seen.deletable,
            version: seen.version,
            partition_id: "",
            partition_label: "",
        }
    }
}
