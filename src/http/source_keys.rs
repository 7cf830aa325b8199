//! `/v1/vault/keys2`: source keys, whose material can be imported into AWS keys.

use super::answer::{Created, Json, NoContent, Unstored};
use super::body::{Body, BodyOrNone, one_of, optional, read_name};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::Authorized;
use super::json_object::{object_or_empty, read_object};
use super::paging::{self, List, Listing, members};
use super::unsupported::{Protected, Unsupported};
use crate::domain::name::SourceKeyName;
use crate::domain::refusal::Refusal;
use crate::domain::source_key::kind::{Curve, SourceKeyKind};
use crate::domain::source_key::{MaterialOrigin, SourceKey, UsageMask};
use crate::service::Services;
use crate::service::access::{ManageSourceKeys, ViewSourceKeys};
use crate::service::failure::invalid;
use crate::service::material::{Encoding, Material};
use crate::service::source_keys::{NamedBy, SourceKeyChanges, SourceKeyRequest, find};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A source key to create or change. A member that is absent has its default, or keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = SourceKeyRequest)]
pub struct SourceKeyBody {
    /// The unique name of the source key; default: `ks-` and its id.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll-2026")]
    name: Option<String>,
    /// The algorithm: `aes` (default), `rsa`, `ec`, `hmac-sha256`, `hmac-sha384` or `hmac-sha512`, in any case.
    #[serde(default, deserialize_with = "optional")]
    algorithm: Option<String>,
    /// The size in bits. The default is 256 for AES, 2048 for RSA and the length of the hash for HMAC; for EC the curve
    /// determines it.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = 256)]
    size: Option<u64>,
    /// The curve: `secp256r1` (also `prime256v1`), `secp384r1` (default), `secp521r1` or `secp256k1`; only for `ec`.
    #[serde(default, deserialize_with = "optional")]
    curveid: Option<String>,
    /// The permitted uses as a sum: 1 sign, 2 verify, 4 encrypt, 8 decrypt, 128 make MACs, 256 verify MACs, ...
    #[serde(default, rename = "usageMask", deserialize_with = "optional")]
    usage_mask: Option<u64>,
    /// Whether exports of the material are refused; imports into AWS are not affected. Cannot be set back to false.
    #[serde(default, deserialize_with = "optional")]
    unexportable: Option<bool>,
    /// Whether the deletion of the source key is refused.
    #[serde(default, deserialize_with = "optional")]
    undeletable: Option<bool>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    labels: Option<Value>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    meta: Option<Value>,
    /// Existing material, instead of new random material: bytes in hexadecimal digits or base64 for AES and HMAC; a
    /// PKCS#8 private key in PEM, or its DER in base64, for RSA and EC.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<String>, write_only)]
    material: Option<Zeroizing<String>>,
    /// The format of the material: `raw` for AES and HMAC, `pkcs8` for RSA and EC, which are the defaults.
    #[serde(default, deserialize_with = "optional")]
    format: Option<String>,
    #[serde(default, rename = "encoding")]
    #[schema(ignore)]
    _encoding: Unsupported,
}

/// The format of an export.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = ExportRequest)]
pub struct ExportBody {
    /// The format of the material: `raw` for AES and HMAC, `pkcs8` for RSA and EC, which are the defaults.
    #[serde(default, deserialize_with = "optional")]
    format: Option<String>,
    /// The encoding: `hex` (default) or `base64` for AES and HMAC; `pem` (default) or `base64` (of DER) for RSA and EC.
    #[serde(default, deserialize_with = "optional")]
    encoding: Option<String>,
}

/// A source key, without its material.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceKey)]
pub struct SourceKeyView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the source key.
    name: String,
    /// Always `Active`.
    state: &'static str,
    /// The type of the material: `Symmetric Key` or `Private Key`.
    #[serde(rename = "objectType")]
    object_type: &'static str,
    /// Always 0: a source key has one version.
    version: u32,
    /// The algorithm: `AES`, `RSA`, `EC`, `HMAC-SHA256`, ...
    #[schema(example = "AES")]
    algorithm: String,
    /// The size in bits.
    #[schema(example = 256)]
    size: u32,
    /// The curve of an EC key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    curveid: Option<&'static str>,
    /// The permitted uses as a sum.
    #[serde(rename = "usageMask")]
    #[schema(example = 12)]
    usage_mask: u32,
    /// Whether exports of the material are refused.
    unexportable: bool,
    /// Whether the deletion of the source key is refused.
    undeletable: bool,
    /// Whether the material was never exported.
    #[serde(rename = "neverExported")]
    never_exported: bool,
    /// The origin of the material: `generated` by Claviger, or `brought` by a client.
    origin: &'static str,
    /// The SHA-256 of the material; for RSA and EC, of the public key (DER).
    #[serde(rename = "sha256Fingerprint")]
    sha256_fingerprint: String,
    /// The public key of an RSA or EC key, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    publickey: Option<String>,
    /// A JSON object for the use of clients.
    #[schema(value_type = Object)]
    labels: Value,
    /// A JSON object for the use of clients.
    #[schema(value_type = Object)]
    meta: Value,
}

/// A source key with its material.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedSourceKey)]
pub struct ExportView {
    #[serde(flatten)]
    key: SourceKeyView,
    /// The format of the material: `raw` or `pkcs8`.
    format: &'static str,
    /// The encoding of the material: `hex`, `base64` or `pem`.
    encoding: &'static str,
    /// The material; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, read_only)]
    material: Option<Zeroizing<String>>,
}

/// `POST /v1/vault/keys2`
pub async fn create(
    auth: Authorized<ManageSourceKeys>,
    body: Body<Protected<SourceKeyBody>>,
    services: Data<Services>,
) -> Result<Created<SourceKeyView>, Problem> {
    let key = services.source_keys.create(auth.permit, &auth.context, body.0.0.new_key()?).await?;
    Ok(Created(SourceKeyView::of(&key)))
}

/// `GET /v1/vault/keys2`
pub async fn list(
    auth: Authorized<ViewSourceKeys>,
    listing: Listing<SourceKey>,
    services: Data<Services>,
) -> Result<List<SourceKeyView>, Problem> {
    let page = services.source_keys.list(&auth.permit, &listing.0).await?;
    paging::answer(page, |key: &Arc<SourceKey>| SourceKeyView::of(key)).await
}

/// `GET /v1/vault/keys2/{id}`
pub async fn get(
    auth: Authorized<ViewSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    let key = services.source_keys.get(&auth.permit, &id, named_by(&request)?)?;
    Ok(Json(SourceKeyView::of(&key)))
}

/// `PATCH /v1/vault/keys2/{id}`
pub async fn update(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: Body<Protected<SourceKeyBody>>,
    services: Data<Services>,
) -> Result<Json<SourceKeyView>, Problem> {
    let key = find(&auth.permit.caller().published.state, &id, named_by(&request)?)?;
    let changes = body.0.0.changes(&key)?;
    let changed = services.source_keys.update(auth.permit, &auth.context, key.id, changes).await?;
    Ok(Json(SourceKeyView::of(&changed)))
}

/// `DELETE /v1/vault/keys2/{id}`
pub async fn delete(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    let key = find(&auth.permit.caller().published.state, &id, named_by(&request)?)?;
    services.source_keys.delete(auth.permit, &auth.context, key.id).await?;
    Ok(NoContent)
}

/// `POST /v1/vault/keys2/{id}/export`
pub async fn export(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: BodyOrNone<Protected<ExportBody>>,
    services: Data<Services>,
) -> Result<Unstored<ExportView>, Problem> {
    let key = find(&auth.permit.caller().published.state, &id, named_by(&request)?)?;
    let encoding = body.0.0.encoding(key.made.kind)?;
    let (key, material) = services.source_keys.export(auth.permit, &auth.context, key.id).await?;
    Ok(Unstored(ExportView::of(&key, encoding, material.as_ref())))
}

/// `?type=id|name`: whether the path has the id or the name of the source key.
fn named_by(request: &HttpRequest) -> Result<NamedBy, Problem> {
    let given = members(request.query_string()).into_iter().rfind(|(member, _)| member == "type");
    match given.as_ref().map(|(_, value)| value.as_str()) {
        None | Some("") => Ok(NamedBy::Either),
        Some("id") => Ok(NamedBy::Id),
        Some("name") => Ok(NamedBy::Name),
        Some(_) => Err(Problem::query("type", "must be `id` or `name`")),
    }
}

impl SourceKeyBody {
    fn new_key(self) -> Result<SourceKeyRequest, Refusal> {
        let kind = SourceKeyKind::parse(self.algorithm.as_deref(), self.size, self.curveid.as_deref())?;
        refuse_format(kind, self.format.as_deref())?;
        Ok(SourceKeyRequest {
            name: self.name.map(|name| read_name("name", &name, SourceKeyName::parse)).transpose()?,
            kind,
            usage: self.usage_mask.map(UsageMask::parse).transpose()?,
            unexportable: self.unexportable.unwrap_or(false),
            undeletable: self.undeletable.unwrap_or(false),
            labels: read_object("labels", self.labels)?,
            meta: read_object("meta", self.meta)?,
            supplied: self.material,
        })
    }

    fn changes(self, key: &SourceKey) -> Result<SourceKeyChanges, Refusal> {
        let made = &key.made;
        let curve = made.kind.curve().map(Curve::name);
        let unchanged = [
            ("name", self.name.is_none_or(|name| name == made.name.as_str())),
            ("algorithm", self.algorithm.is_none_or(|name| name.eq_ignore_ascii_case(made.kind.algorithm()))),
            ("size", self.size.is_none_or(|size| size == u64::from(made.kind.bits()))),
            ("curveid", self.curveid.is_none_or(|name| Some(name.as_str()) == curve)),
            ("usageMask", self.usage_mask.is_none_or(|mask| mask == u64::from(made.usage.bits()))),
            ("undeletable", self.undeletable.is_none_or(|undeletable| undeletable == made.undeletable)),
            ("material", self.material.is_none()),
        ];
        if let Some((member, _)) = unchanged.iter().find(|(_, unchanged)| !unchanged) {
            return Err(invalid(member, "cannot be changed; labels, meta and unexportable can"));
        }
        Ok(SourceKeyChanges {
            labels: read_object("labels", self.labels)?,
            meta: read_object("meta", self.meta)?,
            unexportable: self.unexportable,
        })
    }
}

impl ExportBody {
    fn encoding(&self, kind: SourceKeyKind) -> Result<Encoding, Refusal> {
        refuse_format(kind, self.format.as_deref())?;
        let (usual, words) = match kind.is_asymmetric() {
            true => (Encoding::Pem, [("pem", Encoding::Pem), ("base64", Encoding::Base64)]),
            false => (Encoding::Hex, [("hex", Encoding::Hex), ("base64", Encoding::Base64)]),
        };
        self.encoding.as_deref().map_or(Ok(usual), |text| one_of("encoding", &text.to_lowercase(), &words))
    }
}

const fn format_of(kind: SourceKeyKind) -> &'static str {
    if kind.is_asymmetric() { "pkcs8" } else { "raw" }
}

fn refuse_format(kind: SourceKeyKind, format: Option<&str>) -> Result<(), Refusal> {
    let known = [(format_of(kind), ())];
    format.map_or(Ok(()), |format| one_of("format", &format.to_lowercase(), &known))
}

impl SourceKeyView {
    fn of(key: &SourceKey) -> Self {
        let made = &key.made;
        Self {
            envelope: Envelope::new(key.id, "vault:keys", format!("{}-v0", made.name), key.created, key.updated),
            name: made.name.to_string(),
            state: SourceKey::STATE,
            object_type: if made.kind.is_asymmetric() { "Private Key" } else { "Symmetric Key" },
            version: 0,
            algorithm: made.kind.algorithm().to_uppercase(),
            size: made.kind.bits(),
            curveid: made.kind.curve().map(Curve::name),
            usage_mask: made.usage.bits(),
            unexportable: made.unexportable,
            undeletable: made.undeletable,
            never_exported: !key.exported,
            origin: match made.origin {
                MaterialOrigin::Generated => "generated",
                MaterialOrigin::Brought => "brought",
            },
            sha256_fingerprint: made.fingerprint.to_string(),
            publickey: made.public_key.clone(),
            labels: object_or_empty(made.labels.as_ref()),
            meta: object_or_empty(made.meta.as_ref()),
        }
    }
}

impl ExportView {
    fn of(key: &SourceKey, encoding: Encoding, material: Option<&Material>) -> Self {
        Self {
            key: SourceKeyView::of(key),
            format: format_of(key.made.kind),
            encoding: match encoding {
                Encoding::Hex => "hex",
                Encoding::Base64 => "base64",
                Encoding::Pem => "pem",
            },
            material: material.map(|material| material.text(encoding)),
        }
    }
}
