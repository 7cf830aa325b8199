//! `/v1/vault/keys2/{id}/export`: the material of a source key leaves, in plain or wrapped form.

use super::addressed;
use super::body::read_encoding;
use super::view::SourceKeyView;
use crate::domain::refusal::Refusal;
use crate::domain::source_key::SourceKey;
use crate::domain::source_key::kind::{AesSize, SourceKeyKind};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::http::answer::Unstored;
use crate::http::body::{BodyOrNone, one_of, optional};
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::http::unsupported::{Protected, Supports};
use crate::service::Services;
use crate::service::access::ManageSourceKeys;
use crate::service::failure::{Failure, invalid};
use crate::service::material::export_wrapping::{RsaPadding, WrappingMethod, public_key};
use crate::service::material::{Encoding, Format};
use crate::service::source_keys::{ExportRequest, ExportWrapping, NamedBy, WrappingKey, find};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// The format of an export, and the wrapping of the material.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = ExportRequest)]
#[serde(rename_all = "camelCase")]
pub struct ExportBody {
    /// The format of the material: `raw` (default) or `base64` for AES and HMAC; `pkcs8` (default) or `pkcs1` for RSA
    /// and EC. For EC, the latter is SEC1.
    #[serde(default, deserialize_with = "optional")]
    format: Option<String>,
    /// The encoding: `hex` (default) or `base64` for AES and HMAC; `pem` (default) or `base64` (of DER) for RSA and EC.
    /// Wrapped material is in base64.
    #[serde(default, deserialize_with = "optional")]
    encoding: Option<String>,
    /// `encrypt`, the only method of a wrapping.
    #[serde(default, deserialize_with = "optional")]
    wrapping_method: Option<String>,
    /// `AES/AESKEYWRAP`, `AES/AESKEYWRAPPADDING` or `RSA/RSAAESKEYWRAPPADDING`. The default for an AES key is the
    /// first, or the second if `padded` is true.
    #[serde(default, deserialize_with = "optional")]
    wrapping_encryption_algo: Option<String>,
    /// The source key that wraps the material: AES of 128 or 256 bits, or RSA.
    #[serde(default, deserialize_with = "optional")]
    wrap_key_name: Option<String>,
    /// The kind of `wrapKeyName`: `name`, `id` or `alias`; default: an id, or else a name.
    #[serde(default, rename = "wrapKeyIDType", deserialize_with = "optional")]
    wrap_key_id_type: Option<String>,
    /// Whether AES key wrap pads the material (RFC 5649).
    #[serde(default, deserialize_with = "optional")]
    padded: Option<bool>,
    /// Whether the PEM text of a private key is wrapped instead of its DER.
    #[serde(default, deserialize_with = "optional")]
    pem_wrap: Option<bool>,
    /// An RSA public key in PEM, or a certificate with one, that encrypts the material.
    #[serde(default, deserialize_with = "optional")]
    wrap_public_key: Option<String>,
    /// The padding of that encryption: `pkcs1` (default), `oaep` (SHA-1), `oaep256`, `oaep384` or `oaep512`.
    #[serde(default, deserialize_with = "optional")]
    wrap_public_key_padding: Option<String>,
    /// The options of `RSA/RSAAESKEYWRAPPADDING`.
    #[serde(default, rename = "wrapRSAAES", deserialize_with = "optional")]
    wrap_rsa_aes: Option<RsaAesBody>,
}

/// The options of a wrapping with an RSA key and a new AES key.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = RsaAesRequest)]
#[serde(rename_all = "camelCase")]
struct RsaAesBody {
    /// The size of the AES key: 128 or 256 (default).
    #[serde(default, deserialize_with = "optional")]
    aes_key_size: Option<u64>,
    /// The padding of the RSA encryption: `oaep` (SHA-1), `oaep256` (default), `oaep384` or `oaep512`.
    #[serde(default, deserialize_with = "optional")]
    padding: Option<String>,
}

impl Supports for ExportBody {
    const BUILT: &'static [&'static str] = &[
        "padded",
        "wrapKeyIDType",
        "wrapKeyName",
        "wrapPublicKey",
        "wrapPublicKeyPadding",
        "wrapRSAAES",
        "wrappingEncryptionAlgo",
        "wrappingMethod",
    ];
}

/// A source key with its material.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedSourceKey)]
pub struct ExportView {
    #[serde(flatten)]
    key: SourceKeyView,
    /// The encoding of the material: `hex`, `base64` or `pem`.
    encoding: &'static str,
    /// The material; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, read_only)]
    material: Option<Zeroizing<String>>,
}

/// `POST /v1/vault/keys2/{id}/export`
pub async fn export(
    auth: Authorized<ManageSourceKeys>,
    id: Path<String>,
    request: HttpRequest,
    body: BodyOrNone<Protected<ExportBody>>,
    services: Data<Services>,
) -> Result<Unstored<ExportView>, Problem> {
    let state = &auth.permit.caller().published.state;
    let key = addressed(state, &id, &request)?;
    let export = body.0.0.request(state, key.made.kind)?;
    let (format, encoding) = (export.format, export.encoding);
    let (key, material) = services.source_keys.export(auth.permit, &auth.context, key.id, export).await?;
    Ok(Unstored(ExportView::of(&key, services.source_keys.now(), format, encoding, material)))
}

impl ExportBody {
    fn request(&self, state: &State, kind: SourceKeyKind) -> Result<ExportRequest, Failure> {
        let (format, encoding) = self.form(kind)?;
        let wrapping = self.wrapping(state, kind)?;
        if wrapping.is_none() {
            return Ok(ExportRequest { format, encoding, wrapping });
        }
        if self.encoding.is_some() && encoding != Encoding::Base64 {
            return Err(invalid("encoding", "must be `base64` for wrapped material").into());
        }
        Ok(ExportRequest { format, encoding: Encoding::Base64, wrapping })
    }

    fn form(&self, kind: SourceKeyKind) -> Result<(Format, Encoding), Refusal> {
        let formats: &[_] = match kind.is_asymmetric() {
            true => &[("pkcs8", (Format::Pkcs8, Encoding::Pem)), ("pkcs1", (Format::Pkcs1, Encoding::Pem))],
            false => &[("raw", (Format::Raw, Encoding::Hex)), ("base64", (Format::Raw, Encoding::Base64))],
        };
        let usual = formats[0].1;
        let format = self.format.as_deref();
        let (format, usual) = format.map_or(Ok(usual), |text| one_of("format", &text.to_lowercase(), formats))?;
        let encoding = self.encoding.as_deref().map_or(Ok(usual), |text| read_encoding(kind, text))?;
        Ok((format, encoding))
    }

    /// The wrapping that the client asks for. A member that asks for one without a wrapping key is refused, so that no
    /// material leaves in the clear by mistake.
    fn wrapping(&self, state: &State, kind: SourceKeyKind) -> Result<Option<ExportWrapping>, Failure> {
        if let Some(method) = &self.wrapping_method {
            one_of("wrappingMethod", method, &[("encrypt", ())])?;
        }
        let padded = self.padded == Some(true);
        let given = [
            ("wrappingMethod", self.wrapping_method.is_some()),
            ("wrappingEncryptionAlgo", self.wrapping_encryption_algo.is_some()),
            ("wrapKeyIDType", self.wrap_key_id_type.is_some()),
            ("padded", padded),
            ("pemWrap", self.pem_wrap == Some(true)),
            ("wrapPublicKeyPadding", self.wrap_public_key_padding.is_some()),
            ("wrapRSAAES", self.rsa_aes_options().is_some()),
        ];
        let (key, method) = match (&self.wrap_key_name, &self.wrap_public_key) {
            (Some(_), Some(_)) => {
                return Err(invalid("wrapPublicKey", "cannot be given together with wrapKeyName").into());
            }
            (None, None) => match given.iter().find(|(_, given)| *given) {
                Some((member, _)) => return Err(invalid(member, "needs a wrapKeyName or a wrapPublicKey").into()),
                None => return Ok(None),
            },
            (Some(name), None) => self.source_key(state, name)?,
            (None, Some(pem)) => {
                let problem = "must be an RSA public key of 2048 bits or more, or a certificate with one, in PEM";
                let der = public_key(pem).ok_or_else(|| invalid("wrapPublicKey", problem))?;
                (WrappingKey::Public(der), self.rsa_method(kind)?)
            }
        };
        let is_aes = matches!(method, WrappingMethod::AesKeyWrap | WrappingMethod::AesKeyWrapPadded);
        for (member, misplaced) in [
            ("padded", padded && method != WrappingMethod::AesKeyWrapPadded),
            ("pemWrap", self.pem_wrap == Some(true) && !kind.is_asymmetric()),
            ("wrapPublicKeyPadding", self.wrap_public_key_padding.is_some() && is_aes),
            ("wrapRSAAES", self.rsa_aes_options().is_some() && !matches!(method, WrappingMethod::RsaAes { .. })),
        ] {
            if misplaced {
                return Err(invalid(member, "does not belong to this wrapping").into());
            }
        }
        Ok(Some(ExportWrapping { method, key, is_pem: self.pem_wrap == Some(true) }))
    }

    fn source_key(&self, state: &State, name: &str) -> Result<(WrappingKey, WrappingMethod), Failure> {
        let kinds = [("name", NamedBy::Name), ("id", NamedBy::Id), ("alias", NamedBy::Alias)];
        let by = self.wrap_key_id_type.as_deref();
        let by = by.map_or(Ok(NamedBy::Either), |kind| one_of("wrapKeyIDType", kind, &kinds))?;
        let key = find(state, name, by)?;
        let method = match key.made.kind {
            SourceKeyKind::Aes(AesSize::Aes128 | AesSize::Aes256) => {
                let algorithms = [
                    ("AES/AESKEYWRAP", WrappingMethod::AesKeyWrap),
                    ("AES/AESKEYWRAPPADDING", WrappingMethod::AesKeyWrapPadded),
                ];
                match &self.wrapping_encryption_algo {
                    Some(algorithm) => one_of("wrappingEncryptionAlgo", algorithm, &algorithms)?,
                    None if self.padded == Some(true) => WrappingMethod::AesKeyWrapPadded,
                    None => WrappingMethod::AesKeyWrap,
                }
            }
            SourceKeyKind::Rsa(_) => self.rsa_aes()?,
            SourceKeyKind::Aes(AesSize::Aes192) | SourceKeyKind::Ec(_) | SourceKeyKind::Hmac(..) => {
                let problem = format!("must be AES of 128 or 256 bits, or RSA, and is {}", key.made.kind.description());
                return Err(invalid("wrapKeyName", problem).into());
            }
        };
        Ok((WrappingKey::Source(key.id), method))
    }

    /// The options of RSA with AES; `None` if the client sends none or empty ones.
    fn rsa_aes_options(&self) -> Option<&RsaAesBody> {
        let is_given = |options: &&RsaAesBody| options.aes_key_size.is_some() || options.padding.is_some();
        self.wrap_rsa_aes.as_ref().filter(is_given)
    }

    /// The method with a public key of the client: encryption for short material, or a new AES key in between.
    fn rsa_method(&self, kind: SourceKeyKind) -> Result<WrappingMethod, Refusal> {
        if self.wrapping_encryption_algo.is_some() {
            return self.rsa_aes();
        }
        if kind.is_asymmetric() {
            let problem = "must be `RSA/RSAAESKEYWRAPPADDING`: private keys are too long for RSA alone";
            return Err(invalid("wrappingEncryptionAlgo", problem));
        }
        let padding = self.wrap_public_key_padding.as_deref();
        let padding = padding.map(|text| one_of("wrapPublicKeyPadding", text, &RsaPadding::WORDS)).transpose()?;
        Ok(WrappingMethod::Rsa(padding.unwrap_or(RsaPadding::Pkcs1)))
    }

    fn rsa_aes(&self) -> Result<WrappingMethod, Refusal> {
        const ALGORITHM: &str = "RSA/RSAAESKEYWRAPPADDING";
        let Some(algorithm) = &self.wrapping_encryption_algo else {
            return Err(invalid("wrappingEncryptionAlgo", format!("must be `{ALGORITHM}` for an RSA key")));
        };
        one_of("wrappingEncryptionAlgo", algorithm, &[(ALGORITHM, ())])?;
        if self.wrap_public_key_padding.is_some() {
            return Err(invalid("wrapPublicKeyPadding", "is in wrapRSAAES for this wrapping"));
        }
        let options = self.rsa_aes_options();
        let aes_bytes = match options.and_then(|options| options.aes_key_size) {
            None | Some(0 | 256) => 32,
            Some(128) => 16,
            Some(other) => return Err(invalid("wrapRSAAES", format!("aesKeySize must be 128 or 256, not {other}"))),
        };
        let padding = options.and_then(|options| options.padding.as_deref());
        // All paddings but PKCS#1.
        let padding = padding.map(|text| one_of("wrapRSAAES", text, &RsaPadding::WORDS[..4])).transpose()?;
        Ok(WrappingMethod::RsaAes { aes_bytes, padding: padding.unwrap_or(RsaPadding::OaepSha256) })
    }
}

impl ExportView {
    fn of(key: &SourceKey, at: Time, format: Format, encoding: Encoding, material: Option<Zeroizing<String>>) -> Self {
        Self {
            key: SourceKeyView::of(key, at).in_format(format.name()),
            encoding: match encoding {
                Encoding::Hex => "hex",
                Encoding::Base64 => "base64",
                Encoding::Pem => "pem",
            },
            material,
        }
    }
}
