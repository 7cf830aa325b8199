//! The body of a source key to create, of a further version, and of a change.

use super::view::{curve_name, object_type};
use crate::domain::name::SourceKeyName;
use crate::domain::refusal::Refusal;
use crate::domain::source_key::attributes::{AliasKind, AliasPatch, AttributesPatch};
use crate::domain::source_key::kind::SourceKeyKind;
use crate::domain::source_key::lifecycle::{Dates, LifecycleState};
use crate::domain::source_key::{SourceKey, SourceKeyPatch, UsageMask};
use crate::domain::time::Time;
use crate::http::body::{one_of, optional, read_name, read_time, secret};
use crate::http::json_object::read_object;
use crate::http::unsupported::{Supports, Unsupported};
use crate::service::failure::invalid;
use crate::service::material::Encoding;
use crate::service::source_keys::{FurtherVersion, SourceKeyRequest, VersionRequest};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A source key or a version to create, or a change. A member that is absent has its default, or keeps its value.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = SourceKeyRequest)]
pub struct SourceKeyBody {
    /// The unique name of the source key; default: `ks-` and its id.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll-2026")]
    name: Option<String>,
    /// The algorithm: `aes` (default), `rsa`, `ec`, `hmac-sha256`, `hmac-sha384` or `hmac-sha512`, in any case.
    #[serde(default, deserialize_with = "optional")]
    algorithm: Option<String>,
    /// The size in bits. The default is that of the material, or else 256 for AES, 2048 for RSA and the length of the
    /// hash for HMAC; for EC the curve determines it.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = 256)]
    size: Option<u64>,
    /// The curve: `secp256r1` (also `prime256v1`), `secp384r1` (default), `secp521r1` or `secp256k1`; only for `ec`.
    #[serde(default, deserialize_with = "optional")]
    curveid: Option<String>,
    /// The type of the material: `Symmetric Key` or `Private Key`, as the algorithm has it.
    #[serde(default, rename = "objectType", deserialize_with = "optional")]
    object_type: Option<String>,
    /// The permitted uses as a sum: 1 sign, 2 verify, 4 encrypt, 8 decrypt, 128 make MACs, 256 verify MACs, ...
    #[serde(default, rename = "usageMask", deserialize_with = "optional")]
    usage_mask: Option<u64>,
    /// Whether exports of the material are refused; imports into AWS are not affected. Cannot be set back to false.
    #[serde(default, deserialize_with = "optional")]
    unexportable: Option<bool>,
    /// Whether the deletion of the source key and the destruction of its material are refused.
    #[serde(default, deserialize_with = "optional")]
    undeletable: Option<bool>,
    /// A description.
    #[serde(default, deserialize_with = "optional")]
    description: Option<String>,
    /// A UUID for the use of clients; default: the id.
    #[serde(default, deserialize_with = "optional")]
    uuid: Option<String>,
    /// A further identifier for the use of clients; default: the id.
    #[serde(default, deserialize_with = "optional")]
    muid: Option<String>,
    /// A number for the use of clients.
    #[serde(default, rename = "keyId", deserialize_with = "optional")]
    key_id: Option<String>,
    /// Further names. In a change, an entry without `index` is added, one with `index` replaced, and one with `index`
    /// alone removed.
    #[serde(default, deserialize_with = "optional")]
    aliases: Option<Vec<AliasBody>>,
    /// The first state: `Pre-Active`, or `Active` (default).
    #[serde(default, deserialize_with = "optional")]
    state: Option<String>,
    /// The time from which the source key is active; default: its creation, unless `state` is `Pre-Active`.
    #[serde(default, rename = "activationDate", deserialize_with = "optional")]
    activation_date: Option<String>,
    /// The time from which a symmetric key decrypts.
    #[serde(default, rename = "processStartDate", deserialize_with = "optional")]
    process_start_date: Option<String>,
    /// The time from which a symmetric key no longer encrypts and is no longer imported into AWS.
    #[serde(default, rename = "protectStopDate", deserialize_with = "optional")]
    protect_stop_date: Option<String>,
    /// The time from which the source key is no longer active.
    #[serde(default, rename = "deactivationDate", deserialize_with = "optional")]
    deactivation_date: Option<String>,
    /// The time from which the source key is archived, and not used.
    #[serde(default, rename = "archiveDate", deserialize_with = "optional")]
    archive_date: Option<String>,
    /// The time at which the source key was found to be compromised; for new source keys only.
    #[serde(default, rename = "compromiseDate", deserialize_with = "optional")]
    compromise_date: Option<String>,
    /// The time at which a compromise is believed to have happened.
    #[serde(default, rename = "compromiseOccurrenceDate", deserialize_with = "optional")]
    compromise_occurrence_date: Option<String>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    labels: Option<Value>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    meta: Option<Value>,
    /// Existing material, instead of new random material: bytes in hexadecimal digits or base64 for AES and HMAC; a
    /// private key in PKCS#8, PKCS#1 or SEC1, as PEM or its DER in base64, for RSA and EC.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    material: Option<Zeroizing<String>>,
    /// The format of the material: `raw` for AES and HMAC; `pkcs8` or `pkcs1` (also for SEC1) for RSA and EC.
    #[serde(default, deserialize_with = "optional")]
    format: Option<String>,
    /// The encoding of the material: `hex` or `base64` for AES and HMAC; `pem` or `base64` for RSA and EC.
    #[serde(default, deserialize_with = "optional")]
    encoding: Option<String>,
    #[serde(default, rename = "destroyDate")]
    #[schema(ignore)]
    _destroy_date: Unsupported,
    #[serde(default, rename = "offset")]
    #[schema(ignore)]
    _offset: Unsupported,
}

impl Supports for SourceKeyBody {}

/// An alias of a source key.
#[derive(Deserialize, ToSchema)]
#[schema(as = SourceKeyAliasRequest)]
struct AliasBody {
    /// The alias.
    #[serde(default, deserialize_with = "optional")]
    alias: Option<String>,
    /// The number of an existing alias.
    #[serde(default, deserialize_with = "optional")]
    index: Option<u32>,
    /// The type: `string` (default) or `uri`.
    #[serde(default, rename = "type", deserialize_with = "optional")]
    kind: Option<String>,
}

impl SourceKeyBody {
    pub(super) fn new_key(self) -> Result<(SourceKeyRequest, VersionRequest), Refusal> {
        let kind = SourceKeyKind::parse(self.algorithm.as_deref(), self.size, self.curveid.as_deref())?;
        self.refuse_other_form(kind)?;
        let is_size_open = self.size.is_none() && self.curveid.is_none();
        let version = VersionRequest { is_size_open, ..self.version(kind)? };
        let key = SourceKeyRequest {
            name: self.name.map(|name| read_name("name", &name, SourceKeyName::parse)).transpose()?,
            kind,
            usage: self.usage_mask.map(UsageMask::parse).transpose()?,
            unexportable: self.unexportable.unwrap_or(false),
            undeletable: self.undeletable.unwrap_or(false),
            labels: read_object("labels", self.labels)?,
            meta: read_object("meta", self.meta)?,
            supplied: self.material,
        };
        Ok((key, version))
    }

    pub(super) fn new_version(self, key: &SourceKey) -> Result<FurtherVersion, Refusal> {
        self.refuse_other_kind(key, "must be that of the source key, which its versions share")?;
        self.refuse_other_form(key.made.kind)?;
        let version = self.version(key.made.kind)?;
        Ok(FurtherVersion {
            usage: self.usage_mask.map(UsageMask::parse).transpose()?,
            unexportable: self.unexportable.unwrap_or(false),
            undeletable: self.undeletable.unwrap_or(false),
            labels: read_object("labels", self.labels)?,
            meta: read_object("meta", self.meta)?,
            version,
            supplied: self.material,
        })
    }

    pub(super) fn patch(self, key: &SourceKey, now: Time) -> Result<SourceKeyPatch, Refusal> {
        const FIXED: &str = "cannot be changed";
        self.refuse_other_kind(key, FIXED)?;
        self.refuse_other_form(key.made.kind)?;
        let state = key.lifecycle.state(now).name();
        if self.material.is_some() {
            return Err(invalid("material", "cannot be changed; POST to its versions makes a new version"));
        }
        if self.state.as_ref().is_some_and(|other| other != state) {
            return Err(invalid("state", "cannot be changed; dates, revoke, reactivate and destroy change it"));
        }
        let uuid = key.attributes.uuid.clone().unwrap_or_else(|| key.id.to_string());
        if self.uuid.as_ref().is_some_and(|other| *other != uuid) {
            return Err(invalid("uuid", FIXED));
        }
        let VersionRequest { mut attributes, dates, .. } = self.version(key.made.kind)?;
        attributes.uuid = None;
        Ok(SourceKeyPatch {
            labels: read_object("labels", self.labels)?,
            meta: read_object("meta", self.meta)?,
            unexportable: self.unexportable,
            undeletable: self.undeletable,
            usage: self.usage_mask.map(UsageMask::parse).transpose()?,
            attributes,
            dates,
        })
    }

    fn refuse_other_kind(&self, key: &SourceKey, problem: &str) -> Result<(), Refusal> {
        let made = &key.made;
        let same = [
            ("name", self.name.as_ref().is_none_or(|name| name == made.name.as_str())),
            ("algorithm", self.algorithm.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(made.kind.algorithm()))),
            ("size", self.size.is_none_or(|size| size == u64::from(made.kind.bits()))),
            ("curveid", self.curveid.is_none() || self.curveid.as_deref() == curve_name(made.kind)),
        ];
        same.iter().find(|(_, same)| !same).map_or(Ok(()), |(member, _)| Err(invalid(member, problem)))
    }

    fn refuse_other_form(&self, kind: SourceKeyKind) -> Result<(), Refusal> {
        if let Some(given) = &self.object_type {
            one_of("objectType", given, &[(object_type(kind), ())])?;
        }
        let formats: &[_] = if kind.is_asymmetric() { &[("pkcs8", ()), ("pkcs1", ())] } else { &[("raw", ())] };
        self.format.as_deref().map_or(Ok(()), |format| one_of("format", &format.to_lowercase(), formats))
    }

    fn version(&self, kind: SourceKeyKind) -> Result<VersionRequest, Refusal> {
        let aliases = self.aliases.as_deref().unwrap_or_default();
        let states = LifecycleState::ALL.map(|state| (state.name(), state));
        Ok(VersionRequest {
            attributes: AttributesPatch {
                description: self.description.clone(),
                uuid: self.uuid.clone(),
                muid: self.muid.clone(),
                key_id: self.key_id.clone(),
                aliases: aliases.iter().map(AliasBody::patch).collect::<Result<_, _>>()?,
            },
            dates: Dates {
                activation: date("activationDate", self.activation_date.as_deref())?,
                process_start: date("processStartDate", self.process_start_date.as_deref())?,
                protect_stop: date("protectStopDate", self.protect_stop_date.as_deref())?,
                deactivation: date("deactivationDate", self.deactivation_date.as_deref())?,
                archive: date("archiveDate", self.archive_date.as_deref())?,
                compromise: date("compromiseDate", self.compromise_date.as_deref())?,
                compromise_occurrence: date("compromiseOccurrenceDate", self.compromise_occurrence_date.as_deref())?,
            },
            state: self.state.as_deref().map(|state| one_of("state", state, &states)).transpose()?,
            is_size_open: false,
            encoding: self.encoding.as_deref().map(|text| read_encoding(kind, text)).transpose()?,
        })
    }
}

impl AliasBody {
    fn patch(&self) -> Result<AliasPatch, Refusal> {
        let kind = self.kind.as_deref().map(|kind| one_of("aliases", kind, &AliasKind::WORDS)).transpose()?;
        Ok(AliasPatch { alias: self.alias.clone(), index: self.index, kind })
    }
}

pub(super) fn read_encoding(kind: SourceKeyKind, text: &str) -> Result<Encoding, Refusal> {
    let own = if kind.is_asymmetric() { ("pem", Encoding::Pem) } else { ("hex", Encoding::Hex) };
    one_of("encoding", &text.to_lowercase(), &[own, ("base64", Encoding::Base64)])
}

/// Reads a date; `None` if it is absent, or Go's zero time.
pub(super) fn date(member: &'static str, text: Option<&str>) -> Result<Option<Time>, Refusal> {
    Ok(text.map(|text| read_time(member, text)).transpose()?.flatten())
}
