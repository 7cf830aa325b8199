//! Wraps material for an import into AWS, with the public key that AWS returns for one import (GetParametersForImport).

use super::Failure;
use crate::domain::source_key::kind::SourceKeyKind;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rand::fill;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use zeroize::Zeroizing;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrapping {
    /// Encrypts the material with AWS's RSA key. AES and HMAC material is short enough for it.
    Oaep,
    /// Encrypts the material with a new AES key, and that with AWS's RSA key. RSA and EC documents are longer.
    AesKeyWrap,
}

impl Wrapping {
    /// The wrapping of material of this kind.
    pub const fn of(kind: SourceKeyKind) -> Self {
        if kind.is_asymmetric() { Self::AesKeyWrap } else { Self::Oaep }
    }

    /// AWS's name of the wrapping algorithm.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oaep => "RSAES_OAEP_SHA_256",
            Self::AesKeyWrap => "RSA_AES_KEY_WRAP_SHA_256",
        }
    }

    /// Wraps material with AWS's public key (DER, SubjectPublicKeyInfo): the bytes that ImportKeyMaterial takes.
    ///
    /// # Errors
    /// When the public key is not an RSA key, or the material is too long for it.
    pub fn wrap(self, material: &[u8], public_key: &[u8]) -> Result<Vec<u8>, Failure> {
        let wrapped = match self {
            Self::Oaep => oaep(material, public_key),
            Self::AesKeyWrap => aes_key_wrap(material, public_key),
        };
        wrapped.ok_or(Failure::Internal("key material could not be wrapped with the public key that AWS returned"))
    }
}

/// PKCS#11's CKM_RSA_AES_KEY_WRAP: the wrapped AES key, followed by the material wrapped with it (RFC 5649).
fn aes_key_wrap(material: &[u8], public_key: &[u8]) -> Option<Vec<u8>> {
    let mut key = Zeroizing::new([0; 32]);
    fill(key.as_mut_slice()).ok()?;
    let mut wrapped = oaep(key.as_slice(), public_key)?;
    let mut body = vec![0; material.len() + 15];
    let body = AesKek::new(&AES_256, key.as_slice()).ok()?.wrap_with_padding(material, &mut body).ok()?;
    wrapped.extend_from_slice(body);
    Some(wrapped)
}

fn oaep(plaintext: &[u8], public_key: &[u8]) -> Option<Vec<u8>> {
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(public_key).ok()?).ok()?;
    let mut ciphertext = vec![0; key.ciphertext_size()];
    let length = key.encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut ciphertext, None).ok()?.len();
    ciphertext.truncate(length);
    Some(ciphertext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::source_key::kind::{Curve, HmacHash, HmacSize, RsaSize};
    use crate::service::material::Material;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};

    /// The AWS side of an import.
    struct Importer(PrivateDecryptingKey);

    impl Importer {
        fn new() -> Self {
            Self(PrivateDecryptingKey::generate(KeySize::Rsa4096).expect("a key"))
        }

        fn public_key(&self) -> Vec<u8> {
            let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().expect("DER");
            der.as_ref().to_vec()
        }

        fn decrypt(&self, ciphertext: &[u8]) -> Vec<u8> {
            let key = OaepPrivateDecryptingKey::new(self.0.clone()).expect("a key");
            let mut plaintext = vec![0; key.min_output_size()];
            key.decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut plaintext, None).expect("it decrypts").to_vec()
        }

        fn unwrap(&self, wrapped: &[u8]) -> Vec<u8> {
            let (key, body) = wrapped.split_at(self.0.key_size_bytes());
            let kek = AesKek::new(&AES_256, &self.decrypt(key)).expect("an AES-256 key");
            let mut plaintext = vec![0; body.len()];
            kek.unwrap_with_padding(body, &mut plaintext).expect("it unwraps").to_vec()
        }
    }

    #[test]
    fn aws_unwraps_wrapped_material() {
        let aws = Importer::new();
        let kinds = [
            SourceKeyKind::parse(None, None, None).expect("AES-256"),
            SourceKeyKind::Hmac(HmacHash::Sha512, HmacSize::Full),
            SourceKeyKind::Rsa(RsaSize::Rsa2048),
            SourceKeyKind::Ec(Curve::Secp521r1),
            SourceKeyKind::Ec(Curve::Secp256k1),
        ];
        for kind in kinds {
            let material = Material::generate(kind).expect("material");
            let wrapping = Wrapping::of(kind);
            let wrapped = wrapping.wrap(material.secret(), &aws.public_key()).expect("it wraps");
            let unwrapped = match wrapping {
                Wrapping::Oaep => aws.decrypt(&wrapped),
                Wrapping::AesKeyWrap => aws.unwrap(&wrapped),
            };
            assert_eq!((unwrapped == **material.secret(), wrapping.name().is_empty()), (true, false), "{kind:?}");
            let again = wrapping.wrap(material.secret(), &aws.public_key()).expect("it wraps");
            assert_ne!(wrapped, again, "two wrappings of one material differ");
        }
    }

    #[test]
    fn an_invalid_public_key_and_material_that_is_too_long_are_refused() {
        assert!(Wrapping::Oaep.wrap(&[1; 32], b"no key").is_err());
        assert!(Wrapping::AesKeyWrap.wrap(&[1; 32], &[]).is_err());
        let aws = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key").public_key();
        let der: PublicKeyX509Der<'_> = aws.as_der().expect("DER");
        assert!(Wrapping::Oaep.wrap(&[1; 1000], der.as_ref()).is_err());
        assert!(Wrapping::AesKeyWrap.wrap(&[1; 1000], der.as_ref()).is_ok());
    }
}
