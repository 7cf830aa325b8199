//! Key pairs in PKCS#8: RSA, elliptic curves and ML-DSA.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::VerificationAlgorithm;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::signature::{PqdsaKeyPair, PqdsaSigningAlgorithm, RsaEncoding, RsaKeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::crypto::Bytes;
use super::exception;
use super::spec::Spec;
use crate::lab::refusal::Refusal;

#[derive(Debug, Clone, Copy)]
pub(super) enum Message<'a> {
    Raw(&'a [u8]),
    Digest(&'a [u8]),
}

/// Generates a key pair.
///
/// # Errors
/// `UnsupportedOperationException` if the lab does not implement the spec.
pub(super) fn generate(spec: Spec) -> Result<Bytes, Refusal> {
    let random = SystemRandom::new();
    let document = match spec {
        Spec::Rsa2048 => return generate_rsa(KeySize::Rsa2048),
        Spec::Rsa3072 => return generate_rsa(KeySize::Rsa3072),
        Spec::Rsa4096 => return generate_rsa(KeySize::Rsa4096),
        Spec::Ed25519 => Ed25519KeyPair::generate_pkcs8v1(&random),
        Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87 => ml_dsa(spec)
            .ok_or(Refusal::Internal)
            .and_then(|algorithm| PqdsaKeyPair::generate(algorithm).map_err(|_| Refusal::Internal))?
            .to_pkcs8v1(),
        _ => {
            let curve = curve(spec).ok_or_else(|| no_cryptography(spec))?;
            EcdsaKeyPair::generate(curve).and_then(|pair| pair.to_pkcs8v1())
        }
    };
    document.map(|document| Zeroizing::new(document.as_ref().to_vec())).map_err(|_| Refusal::Internal)
}

fn generate_rsa(size: KeySize) -> Result<Bytes, Refusal> {
    let made = PrivateDecryptingKey::generate(size).and_then(|key| AsDer::<Pkcs8V1Der<'_>>::as_der(&key));
    made.map(|der| Zeroizing::new(der.as_ref().to_vec())).map_err(|_| Refusal::Internal)
}

/// The DER of the public key in X.509 form; `None` if the bytes are not a key pair of this spec.
pub(super) fn public_key(spec: Spec, secret: &[u8]) -> Option<Vec<u8>> {
    let der = |der: Result<PublicKeyX509Der<'_>, _>| der.ok().map(|der| der.as_ref().to_vec());
    match spec {
        Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096 => {
            let pair = RsaKeyPair::from_pkcs8(secret).ok().filter(|pair| pair.public_modulus_len() == modulus(spec))?;
            der(pair.public_key().as_der())
        }
        Spec::Ed25519 => der(Ed25519KeyPair::from_pkcs8_maybe_unchecked(secret).ok()?.public_key().as_der()),
        Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87 => {
            der(PqdsaKeyPair::from_pkcs8(ml_dsa(spec)?, secret).ok()?.public_key().as_der())
        }
        _ => der(EcdsaKeyPair::from_pkcs8(curve(spec)?, secret).ok()?.public_key().as_der()),
    }
}

/// Signs a message or a digest.
///
/// # Errors
/// `ValidationException` for a digest of the wrong length, `UnsupportedOperationException` if the lab does not
/// implement the spec or the algorithm.
pub(super) fn sign(spec: Spec, secret: &[u8], algorithm: &str, message: Message<'_>) -> Result<Vec<u8>, Refusal> {
    let wrong = |_| Refusal::Internal;
    match spec {
        Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096 => {
            let pair = RsaKeyPair::from_pkcs8(secret).map_err(|_| Refusal::Internal)?;
            let (encoding, _) = rsa(algorithm).ok_or(Refusal::Internal)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign_digest(encoding, &hashed(algorithm, message)?, &mut signature).map_err(wrong)?;
            Ok(signature)
        }
        Spec::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(secret).map_err(|_| Refusal::Internal)?;
            Ok(pair.sign(raw(algorithm, message)?).as_ref().to_vec())
        }
        Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87 => {
            let kind = ml_dsa(spec).ok_or(Refusal::Internal)?;
            let pair = PqdsaKeyPair::from_pkcs8(kind, secret).map_err(|_| Refusal::Internal)?;
            let mut signature = vec![0; pair.algorithm().signature_len()];
            let length = pair.sign(raw(algorithm, message)?, &mut signature).map_err(wrong)?;
            signature.truncate(length);
            Ok(signature)
        }
        _ => {
            let curve = curve(spec).ok_or_else(|| no_cryptography(spec))?;
            let pair = EcdsaKeyPair::from_pkcs8(curve, secret).map_err(|_| Refusal::Internal)?;
            let signature = pair.sign_digest(&hashed(algorithm, message)?).map_err(wrong)?;
            Ok(signature.as_ref().to_vec())
        }
    }
}

/// Verifies a signature.
///
/// # Errors
/// As for [`sign`].
pub(super) fn verify(
    spec: Spec,
    secret: &[u8],
    algorithm: &str,
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, Refusal> {
    let public = public_key(spec, secret).ok_or_else(|| no_cryptography(spec))?;
    let verdict = match spec {
        Spec::Ed25519 => {
            UnparsedPublicKey::new(&signature::ED25519, public).verify(raw(algorithm, message)?, signature)
        }
        Spec::MlDsa44 => {
            UnparsedPublicKey::new(&signature::ML_DSA_44, public).verify(raw(algorithm, message)?, signature)
        }
        Spec::MlDsa65 => {
            UnparsedPublicKey::new(&signature::ML_DSA_65, public).verify(raw(algorithm, message)?, signature)
        }
        Spec::MlDsa87 => {
            UnparsedPublicKey::new(&signature::ML_DSA_87, public).verify(raw(algorithm, message)?, signature)
        }
        _ => {
            let kind: &'static dyn VerificationAlgorithm = match spec {
                Spec::P256 => &signature::ECDSA_P256_SHA256_ASN1,
                Spec::P384 => &signature::ECDSA_P384_SHA384_ASN1,
                Spec::P521 => &signature::ECDSA_P521_SHA512_ASN1,
                Spec::Secp256k1 => &signature::ECDSA_P256K1_SHA256_ASN1,
                _ => rsa(algorithm).ok_or_else(|| no_cryptography(spec))?.1,
            };
            UnparsedPublicKey::new(kind, public).verify_digest(&hashed(algorithm, message)?, signature)
        }
    };
    Ok(verdict.is_ok())
}

/// The digest of a message for an algorithm, whose name ends with the hash.
fn hashed(algorithm: &str, message: Message<'_>) -> Result<Digest, Refusal> {
    let hash = if algorithm.ends_with("_384") {
        &digest::SHA384
    } else if algorithm.ends_with("_512") {
        &digest::SHA512
    } else {
        &digest::SHA256
    };
    match message {
        Message::Raw(message) => Ok(digest::digest(hash, message)),
        Message::Digest(value) => Digest::import_less_safe(value, hash)
            .map_err(|_| Refusal::Invalid(format!("Digest is invalid length for algorithm {algorithm}."))),
    }
}

/// The message itself, for algorithms that do not sign a digest.
fn raw<'a>(algorithm: &str, message: Message<'a>) -> Result<&'a [u8], Refusal> {
    match message {
        Message::Raw(message) if algorithm != "ED25519_PH_SHA_512" => Ok(message),
        _ => Err(exception::unsupported(format!(
            "the lab cloud signs with {algorithm} only if MessageType is RAW and it is not prehashed"
        ))),
    }
}

/// Encrypts with the public key of an RSA key pair.
///
/// # Errors
/// `ValidationException` if the plaintext is too long.
pub(super) fn encrypt(spec: Spec, secret: &[u8], algorithm: &str, plaintext: &[u8]) -> Result<Vec<u8>, Refusal> {
    let padding = oaep(algorithm).ok_or_else(|| no_cryptography(spec))?;
    let public = public_key(spec, secret).ok_or_else(|| no_cryptography(spec))?;
    let key = PublicEncryptingKey::from_der(&public).map_err(|_| Refusal::Internal)?;
    let key = OaepPublicEncryptingKey::new(key).map_err(|_| Refusal::Internal)?;
    let longest = key.max_plaintext_size(padding);
    if plaintext.len() > longest {
        let spec = spec.name();
        let why = format!("Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {longest} bytes.");
        return Err(Refusal::Invalid(why));
    }
    let mut ciphertext = vec![0; key.ciphertext_size()];
    let length = key.encrypt(padding, plaintext, &mut ciphertext, None).map_err(|_| Refusal::Internal)?.len();
    ciphertext.truncate(length);
    Ok(ciphertext)
}

/// Decrypts with an RSA key pair; `None` if the ciphertext does not belong to this key pair and algorithm.
pub(super) fn decrypt(secret: &[u8], algorithm: &str, ciphertext: &[u8]) -> Option<Bytes> {
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(secret).ok()?).ok()?;
    let mut plaintext = Zeroizing::new(vec![0; key.min_output_size()]);
    let length = key.decrypt(oaep(algorithm)?, ciphertext, &mut plaintext, None).ok()?.len();
    plaintext.truncate(length);
    Some(plaintext)
}

/// Derives the shared secret of a key pair and another public key in X.509 form; `None` if the public key is not on the
/// same curve.
///
/// # Errors
/// `UnsupportedOperationException` if the lab does not implement the spec.
pub(super) fn agree(spec: Spec, secret: &[u8], other: &[u8]) -> Result<Option<Bytes>, Refusal> {
    let curve = match spec {
        Spec::P256 => &ECDH_P256,
        Spec::P384 => &ECDH_P384,
        Spec::P521 => &ECDH_P521,
        _ => return Err(no_cryptography(spec)),
    };
    let own = agreement::PrivateKey::from_private_key_der(curve, secret).map_err(|_| Refusal::Internal)?;
    let other = agreement::UnparsedPublicKey::new(curve, other);
    Ok(agreement::agree(&own, other, (), |shared| Ok(Zeroizing::new(shared.to_vec()))).ok())
}

/// The length of the modulus of an RSA key, in bytes.
pub(super) fn modulus(spec: Spec) -> usize {
    match spec {
        Spec::Rsa2048 => 256,
        Spec::Rsa3072 => 384,
        _ => 512,
    }
}

fn curve(spec: Spec) -> Option<&'static EcdsaSigningAlgorithm> {
    Some(match spec {
        Spec::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        Spec::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        Spec::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        Spec::Secp256k1 => &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
        _ => return None,
    })
}

fn ml_dsa(spec: Spec) -> Option<&'static PqdsaSigningAlgorithm> {
    Some(match spec {
        Spec::MlDsa44 => &signature::ML_DSA_44_SIGNING,
        Spec::MlDsa65 => &signature::ML_DSA_65_SIGNING,
        Spec::MlDsa87 => &signature::ML_DSA_87_SIGNING,
        _ => return None,
    })
}

fn rsa(algorithm: &str) -> Option<(&'static dyn RsaEncoding, &'static dyn VerificationAlgorithm)> {
    Some(match algorithm {
        "RSASSA_PSS_SHA_256" => (&signature::RSA_PSS_SHA256, &signature::RSA_PSS_2048_8192_SHA256),
        "RSASSA_PSS_SHA_384" => (&signature::RSA_PSS_SHA384, &signature::RSA_PSS_2048_8192_SHA384),
        "RSASSA_PSS_SHA_512" => (&signature::RSA_PSS_SHA512, &signature::RSA_PSS_2048_8192_SHA512),
        "RSASSA_PKCS1_V1_5_SHA_256" => (&signature::RSA_PKCS1_SHA256, &signature::RSA_PKCS1_2048_8192_SHA256),
        "RSASSA_PKCS1_V1_5_SHA_384" => (&signature::RSA_PKCS1_SHA384, &signature::RSA_PKCS1_2048_8192_SHA384),
        "RSASSA_PKCS1_V1_5_SHA_512" => (&signature::RSA_PKCS1_SHA512, &signature::RSA_PKCS1_2048_8192_SHA512),
        _ => return None,
    })
}

fn oaep(algorithm: &str) -> Option<&'static OaepAlgorithm> {
    match algorithm {
        "RSAES_OAEP_SHA_1" => Some(&OAEP_SHA1_MGF1SHA1),
        "RSAES_OAEP_SHA_256" => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}

fn no_cryptography(spec: Spec) -> Refusal {
    exception::unsupported(format!("the lab cloud does not implement cryptography for key spec {}", spec.name()))
}
