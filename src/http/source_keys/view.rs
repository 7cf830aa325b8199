//! A source key in answers.

use crate::domain::source_key::attributes::KeyAlias;
use crate::domain::source_key::kind::{Curve, SourceKeyKind};
use crate::domain::source_key::lifecycle::Lifecycle;
use crate::domain::source_key::{MaterialOrigin, SourceKey};
use crate::domain::time::Time;
use crate::http::envelope::{Envelope, maybe_rfc3339};
use crate::http::json_object::object_or_empty;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A version of a source key, without its material.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceKey)]
pub struct SourceKeyView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the source key, which its versions share.
    name: String,
    /// The description.
    description: String,
    /// A UUID: the client's, or the id.
    uuid: String,
    /// A further identifier: the client's, or the id.
    muid: String,
    /// The number that the client gave the key; may be empty.
    #[serde(rename = "keyId")]
    key_id: String,
    /// The further names.
    aliases: Vec<AliasView>,
    /// The state: `Pre-Active`, `Active`, `Deactivated`, `Compromised` or `Destroyed`.
    state: &'static str,
    #[serde(flatten)]
    dates: DatesView,
    /// The type of the material: `Symmetric Key` or `Private Key`.
    #[serde(rename = "objectType")]
    object_type: &'static str,
    /// The number of the version, from 0 on.
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
    /// The format of the material: `raw` or `pkcs8`; in an export, that of the exported material.
    format: &'static str,
    /// The permitted uses as a sum.
    #[serde(rename = "usageMask")]
    #[schema(example = 12)]
    usage_mask: u32,
    /// Whether exports of the material are refused.
    unexportable: bool,
    /// Whether the deletion of the source key and the destruction of its material are refused.
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

/// A further name of a source key.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceKeyAlias)]
struct AliasView {
    /// The alias.
    alias: String,
    /// The number by which it is changed.
    index: u32,
    /// The type: `string` or `uri`.
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The dates of a source key, as far as they are set.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceKeyDates)]
#[serde(rename_all = "camelCase")]
struct DatesView {
    /// The time from which the source key is active.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    activation_date: Option<Time>,
    /// The time from which a symmetric key decrypts.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    process_start_date: Option<Time>,
    /// The time from which a symmetric key no longer encrypts.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    protect_stop_date: Option<Time>,
    /// The time from which the source key is no longer active.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    deactivation_date: Option<Time>,
    /// The time from which the source key is archived.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    archive_date: Option<Time>,
    /// The time at which the source key was revoked because of a compromise.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    compromise_date: Option<Time>,
    /// The time at which the compromise is believed to have happened.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    compromise_occurrence_date: Option<Time>,
    /// The time at which the material was destroyed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    destroy_date: Option<Time>,
    /// The reason of the last revocation, unless the key was reactivated since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revocation_reason: Option<&'static str>,
    /// The explanation of that revocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revocation_message: Option<String>,
}

impl SourceKeyView {
    /// A source key at a time, on which its state depends.
    pub(super) fn of(key: &SourceKey, at: Time) -> Self {
        let (made, attributes) = (&key.made, &key.attributes);
        let or_id = |given: &Option<String>| given.clone().unwrap_or_else(|| key.id.to_string());
        let named = format!("{}-v{}", made.name, key.version);
        Self {
            envelope: Envelope::new(key.id, "vault:keys", named, key.created, key.updated),
            name: made.name.to_string(),
            description: attributes.description.clone(),
            uuid: or_id(&attributes.uuid),
            muid: or_id(&attributes.muid),
            key_id: attributes.key_id.clone().unwrap_or_default(),
            aliases: attributes.aliases.iter().map(AliasView::of).collect(),
            state: key.lifecycle.state(at).name(),
            dates: DatesView::of(&key.lifecycle),
            object_type: object_type(made.kind),
            version: key.version,
            algorithm: made.kind.algorithm().to_uppercase(),
            size: made.kind.bits(),
            curveid: curve_name(made.kind),
            format: format_of(made.kind),
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

impl SourceKeyView {
    pub(super) fn in_format(self, format: &'static str) -> Self {
        Self { format, ..self }
    }
}

impl AliasView {
    fn of(alias: &KeyAlias) -> Self {
        Self { alias: alias.alias.clone(), index: alias.index, kind: alias.kind.name() }
    }
}

impl DatesView {
    fn of(lifecycle: &Lifecycle) -> Self {
        let revocation = lifecycle.revocation.as_ref();
        Self {
            activation_date: lifecycle.activation,
            process_start_date: lifecycle.process_start,
            protect_stop_date: lifecycle.protect_stop,
            deactivation_date: lifecycle.deactivation,
            archive_date: lifecycle.archive,
            compromise_date: lifecycle.compromise,
            compromise_occurrence_date: lifecycle.compromise_occurrence,
            destroy_date: lifecycle.destroy,
            revocation_reason: revocation.map(|revocation| revocation.reason.name()),
            revocation_message: revocation.map(|revocation| revocation.message.clone()),
        }
    }
}

pub(super) const fn object_type(kind: SourceKeyKind) -> &'static str {
    if kind.is_asymmetric() { "Private Key" } else { "Symmetric Key" }
}

pub(super) const fn format_of(kind: SourceKeyKind) -> &'static str {
    if kind.is_asymmetric() { "pkcs8" } else { "raw" }
}

pub(super) fn curve_name(kind: SourceKeyKind) -> Option<&'static str> {
    kind.curve().map(Curve::name)
}
