//! The material of source keys: generated here or supplied by a client, checked against its kind, and wrapped for
//! imports into AWS. Secret bytes are zeroed after use, and no error or `Debug` text contains them.

mod der;
pub(in crate::service) mod encoding;
pub mod export_wrapping;
mod generated;
mod private_key;
mod supplied;
pub mod wrapping;

pub(in crate::service) use encoding::base64;
pub use encoding::{Encoding, Format};
pub use supplied::WantedKind;

use super::failure::{Failure, invalid};
use crate::domain::source_key::Fingerprint;
use crate::domain::source_key::kind::{Curve, SourceKeyKind};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PrivateDecryptingKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use std::fmt;
use zeroize::Zeroizing;

/// Material that is checked against its kind: bytes for AES and HMAC, a PKCS#8 document in DER for RSA and EC.
pub struct Material {
    kind: SourceKeyKind,
    secret: Zeroizing<Vec<u8>>,
    public: Option<Vec<u8>>,
}

impl Material {
    /// Generates new material. A large RSA key takes seconds, so call this on a blocking thread.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate(kind: SourceKeyKind) -> Result<Self, Failure> {
        generated::generate(kind).ok_or(Failure::Internal("key material could not be generated"))
    }

    /// Reads material that a client supplies. AES and HMAC: the bytes of the key in hexadecimal digits or base64;
    /// without an encoding, the length of the text distinguishes the two. RSA and EC: an unencrypted private key in
    /// PKCS#8, PKCS#1 or SEC1, as PEM or its DER (or BER) in base64; text around the PEM block and certificates do not
    /// matter.
    ///
    /// # Errors
    /// When the text is in another form or the material is of another kind. The message says what is expected, and
    /// contains nothing of the text.
    pub fn read(wanted: WantedKind, encoding: Option<Encoding>, text: &str) -> Result<Self, Failure> {
        Ok(supplied::read(wanted, encoding, text).map_err(|problem| invalid("material", problem))?)
    }

    pub fn kind(&self) -> SourceKeyKind {
        self.kind
    }

    pub fn secret(&self) -> &Zeroizing<Vec<u8>> {
        &self.secret
    }

    /// The SHA-256 of the public key in DER, or of the material itself for symmetric kinds.
    pub fn fingerprint(&self) -> Fingerprint {
        let hash = digest(&SHA256, self.public.as_deref().unwrap_or(&self.secret));
        let mut fingerprint = Fingerprint([0; 32]);
        fingerprint.0.copy_from_slice(hash.as_ref());
        fingerprint
    }

    /// The public key in PEM, if the kind is asymmetric.
    pub fn public_key(&self) -> Option<String> {
        self.public.as_deref().map(|der| encoding::pem("PUBLIC KEY", der).to_string())
    }

    /// The public key as the DER of a SubjectPublicKeyInfo.
    pub(super) fn public_der(&self) -> Option<&[u8]> {
        self.public.as_deref()
    }

    /// Material without a public key: symmetric material, or stored material, whose public key is stored separately.
    pub(super) fn from_bytes(kind: SourceKeyKind, secret: Zeroizing<Vec<u8>>) -> Self {
        Self { kind, secret, public: None }
    }

    /// Reads a private key from its PKCS#8 document; `None` if it is not of this kind. The document is encoded again,
    /// so that attributes and other versions of the format do not reach AWS.
    pub(super) fn private_key(kind: SourceKeyKind, pkcs8: &[u8]) -> Option<Self> {
        let (secret, public) = match kind {
            SourceKeyKind::Rsa(_) => {
                let key = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
                if key.key_size_bits() != kind.bits() as usize {
                    return None;
                }
                let written = key.as_der().ok()?;
                let public: PublicKeyX509Der<'_> = key.public_key().as_der().ok()?;
                (Zeroizing::new(written.as_ref().to_vec()), public.as_ref().to_vec())
            }
            SourceKeyKind::Ec(curve) => {
                let key = EcdsaKeyPair::from_pkcs8(signing(curve), pkcs8).ok()?;
                let written = key.to_pkcs8v1().ok()?;
                let public: PublicKeyX509Der<'_> = key.public_key().as_der().ok()?;
                (Zeroizing::new(written.as_ref().to_vec()), public.as_ref().to_vec())
            }
            SourceKeyKind::Aes(_) | SourceKeyKind::Hmac(..) => return None,
        };
        Some(Self { kind, secret, public: Some(public) })
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({:?})", self.kind)
    }
}

/// The provider's algorithm of a curve. The algorithm includes a hash, which is not used here.
fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::Secp256r1 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::Secp384r1 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::Secp521r1 => &ECDSA_P521_SHA512_ASN1_SIGNING,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    }
}

#[cfg(test)]
mod tests;
