//! Members of the vendor's API that ask for something that is not built: a wrapping of the material, a derivation, a
//! signature. To ignore one would answer material in the clear to a client that asked for protection, so each is
//! refused, unless its value asks for nothing.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

/// A member that is refused, unless it is `null`, `""`, 0, false, or empty.
#[derive(Default)]
pub struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let asks_for_nothing = match Value::deserialize(from)? {
            Value::Null | Value::Bool(false) => true,
            Value::Bool(true) => false,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(values) => values.is_empty(),
            Value::Object(members) => members.is_empty(),
        };
        match asks_for_nothing {
            true => Ok(Self),
            false => Err(D::Error::custom("is not supported; leave it out")),
        }
    }
}

/// Adds to a body of source keys the members of the vendor's API that are refused.
macro_rules! with_unsupported_members {
    ($(#[$attribute:meta])* pub struct $name:ident { $($members:tt)* }) => {
        $(#[$attribute])*
        pub struct $name {
            $($members)*
            #[serde(default, rename = "wrapKeyName")]
            #[schema(ignore)]
            _wrap_key_name: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapKeyIDType")]
            #[schema(ignore)]
            _wrap_key_id_type: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapPublicKey")]
            #[schema(ignore)]
            _wrap_public_key: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapPublicKeyPadding")]
            #[schema(ignore)]
            _wrap_public_key_padding: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapSignatureAlgo")]
            #[schema(ignore)]
            _wrap_signature_algo: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapHashAlgo")]
            #[schema(ignore)]
            _wrap_hash_algo: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapJWE")]
            #[schema(ignore)]
            _wrap_jwe: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapHKDF")]
            #[schema(ignore)]
            _wrap_hkdf: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapPBE")]
            #[schema(ignore)]
            _wrap_pbe: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrapRSAAES")]
            #[schema(ignore)]
            _wrap_rsa_aes: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrappingMethod")]
            #[schema(ignore)]
            _wrapping_method: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrappingEncryptionAlgo")]
            #[schema(ignore)]
            _wrapping_encryption_algo: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "wrappingHashAlgo")]
            #[schema(ignore)]
            _wrapping_hash_algo: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "signingAlgo")]
            #[schema(ignore)]
            _signing_algo: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "hkdfCreateParameters")]
            #[schema(ignore)]
            _hkdf_create_parameters: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "macSignBytes")]
            #[schema(ignore)]
            _mac_sign_bytes: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "macSignKeyIdentifier")]
            #[schema(ignore)]
            _mac_sign_key_identifier: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "macSignKeyIdentifierType")]
            #[schema(ignore)]
            _mac_sign_key_identifier_type: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "secretDataEncoding")]
            #[schema(ignore)]
            _secret_data_encoding: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "secretDataLink")]
            #[schema(ignore)]
            _secret_data_link: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "password")]
            #[schema(ignore)]
            _password: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "padded")]
            #[schema(ignore)]
            _padded: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "xts")]
            #[schema(ignore)]
            _xts: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "defaultIV")]
            #[schema(ignore)]
            _default_iv: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "emptyMaterial")]
            #[schema(ignore)]
            _empty_material: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "templateId")]
            #[schema(ignore)]
            _template_id: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "certType")]
            #[schema(ignore)]
            _cert_type: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "publicKeyParameters")]
            #[schema(ignore)]
            _public_key_parameters: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "rotationFrequencyDays")]
            #[schema(ignore)]
            _rotation_frequency_days: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "revocationReason")]
            #[schema(ignore)]
            _revocation_reason: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "generateKeyId")]
            #[schema(ignore)]
            _generate_key_id: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "idSize")]
            #[schema(ignore)]
            _id_size: $crate::http::unsupported::Unsupported,
            #[serde(default, rename = "allVersions")]
            #[schema(ignore)]
            _all_versions: $crate::http::unsupported::Unsupported,
        }
    };
}

pub(super) use with_unsupported_members;
