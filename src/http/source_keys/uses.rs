//! `GET /v1/vault/keys2/{id}/uses`: where a source key is used.

use super::addressed;
use crate::domain::key::aggregate::Key;
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::http::paging::{Columns, List, Listing, write_page};
use crate::service::Services;
use crate::service::access::ViewSourceKeys;
use crate::service::list::{Words, pool};
use crate::service::source_keys::uses;
use crate::service::source_keys::{SourceKeyUse, UsedAs};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use serde::Serialize;
use utoipa::ToSchema;

/// A use of a source key.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = SourceKeyUse)]
pub struct UseView {
    /// `material` (of an AWS key), `hyok_version` (of a HYOK key), `virtual_key` (without a HYOK key), or
    /// `health_check` (of a key store).
    kind: &'static str,
    /// The id of the version of the source key.
    source_key_id: String,
    /// The number of that version.
    source_key_version: u32,
    /// Whether it encrypts now: the current material, or the last version.
    current: bool,
    /// The id of the key, or of the virtual key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_id: Option<String>,
    /// AWS's id of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    keyid: Option<String>,
    /// The ARN of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    arn: Option<String>,
    /// The aliases of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alias: Option<Vec<String>>,
    /// AWS's state of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_state: Option<String>,
    /// The name of the KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms: Option<String>,
    /// The id of the KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms_id: Option<String>,
    /// The region of the key, or of the key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    region: Option<String>,
    /// AWS's id of the material, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_material_id: Option<String>,
    /// The time of the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    imported_at: Option<String>,
    /// The time at which the material expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    valid_to: Option<String>,
    /// The number of the version of the HYOK key, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hyok_version: Option<usize>,
    /// The id of the key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    custom_key_store_id: Option<String>,
    /// The name of the key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    custom_key_store_name: Option<String>,
}

/// The members of the query for the uses of a source key.
pub struct UseColumns;

impl Columns for UseColumns {
    const SORTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = uses::FILTERS;
    const WORDS: Words = uses::WORDS;
}

/// `GET /v1/vault/keys2/{id}/uses`
pub async fn list(
    auth: Authorized<ViewSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    listing: Listing<UseColumns>,
    services: Data<Services>,
) -> Result<List<UseView>, Problem> {
    let key = addressed(&auth.permit.caller().published.state, &id, &request)?;
    let query = listing.0;
    let uses = services.source_keys.uses(&auth.permit, &key, &query).await?;
    let write = move || {
        let rows = uses.iter().skip(query.skip).take(query.limit.rows()).map(UseView::of);
        write_page(&query, query.limit, uses.len(), rows)
    };
    Ok(List::of_body(pool::run(write).await??))
}

impl UseView {
    fn of(used: &SourceKeyUse) -> Self {
        let (kind, source_key_id) = (used.kind(), used.source.to_string());
        let row = Self { kind, source_key_id, source_key_version: used.version, ..Self::default() };
        match &used.what {
            UsedAs::Material { key, kms, material, current } => Self {
                current: *current,
                key_material_id: material.material.as_ref().map(ToString::to_string),
                imported_at: Some(material.imported.to_string()),
                valid_to: material.valid_to.map(|at| at.to_string()),
                ..row.of_key(key, kms)
            },
            UsedAs::HyokVersion { key, kms, number, current } => {
                Self { current: *current, hyok_version: Some(*number), ..row.of_key(key, kms) }
            }
            UsedAs::VirtualKey(made) => Self { current: true, key_id: Some(made.id.to_string()), ..row },
            UsedAs::HealthCheck { store, kms } => Self {
                current: true,
                kms: Some(kms.clone()),
                kms_id: Some(store.kms.to_string()),
                region: Some(store.region.to_string()),
                custom_key_store_id: Some(store.id.to_string()),
                custom_key_store_name: Some(store.name.to_string()),
                ..row
            },
        }
    }

    fn of_key(self, key: &Key, kms: &str) -> Self {
        let metadata = &key.metadata;
        Self {
            key_id: Some(key.id.to_string()),
            keyid: Some(key.aws_id().as_str().to_owned()),
            arn: Some(metadata.arn.to_string()),
            alias: Some(key.aliases.iter().map(|alias| alias.as_str().to_owned()).collect()),
            key_state: Some(metadata.state.as_str().to_owned()),
            kms: Some(kms.to_owned()),
            kms_id: Some(key.kms.to_string()),
            region: Some(key.region.as_str().to_owned()),
            custom_key_store_id: key.hyok.as_ref().map(|hyok| hyok.store.to_string()),
            ..self
        }
    }
}
