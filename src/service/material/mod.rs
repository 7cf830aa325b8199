//! The material of source keys: made here or brought by a client, checked against its kind, shown only by what is
//! public of it, and wrapped for its way into AWS. Whatever is secret is zeroed when it is done with, and is in no
//! error and no `Debug` text.

mod brought;
mod generated;
mod shown;
pub mod wrapping;

pub use shown::Encoding;

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

/// Material that is known to be of its kind: bytes for AES and HMAC, a PKCS#8 document in DER for RSA and EC.
pub struct Material {
    kind: SourceKeyKind,
    secret: Zeroizing<Vec<u8>>,
    public: Option<Vec<u8>>,
}

impl Material {
    /// New material. It takes seconds for a large RSA key, so it is not for a thread that answers requests.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate(kind: SourceKeyKind) -> Result<Self, Failure> {
        generated::generate(kind).ok_or(Failure::Internal("key material could not be made"))
    }

    /// Reads material that a client brings. AES and HMAC: as many bytes as the size says, in hexadecimal digits or
    /// base64, which their lengths tell apart. RSA and EC: an unencrypted PKCS#8 document, in PEM, or its DER in
    /// base64.
    ///
    /// # Errors
    /// When it is not that, or is of another kind; the message says what would be right, and nothing of what was sent.
    pub fn read(kind: SourceKeyKind, text: &str) -> Result<Self, Failure> {
        Ok(brought::read(kind, text).map_err(|problem| invalid("material", problem))?)
    }

    pub fn secret(&self) -> &Zeroizing<Vec<u8>> {
        &self.secret
    }

    /// Tells two materials apart: SHA-256 of the public half (DER), or of the material where there is none.
    pub fn fingerprint(&self) -> Fingerprint {
        let hash = digest(&SHA256, self.public.as_deref().unwrap_or(&self.secret));
        let mut fingerprint = Fingerprint([0; 32]);
        fingerprint.0.copy_from_slice(hash.as_ref());
        fingerprint
    }

    /// The public half in PEM, if there is one.
    pub fn public_key(&self) -> Option<String> {
        self.public.as_deref().map(|der| shown::pem("PUBLIC KEY", der).to_string())
    }

    /// Material as it was kept; its public half is kept beside it.
    pub(super) fn kept(kind: SourceKeyKind, secret: Zeroizing<Vec<u8>>) -> Self {
        Self { kind, secret, public: None }
    }

    /// A private key out of its PKCS#8 document; none if it is not one of this kind. The document is written anew, so
    /// that whatever else was in it (attributes, another version of the form) does not reach AWS.
    fn private_key(kind: SourceKeyKind, pkcs8: &[u8]) -> Option<Self> {
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

/// A curve as the provider knows it; with which hash it would sign does not matter here.
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
