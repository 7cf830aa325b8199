//! Key pairs in PKCS#8: RSA, elliptic curves and ML-DSA.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsBigEndian as _, AsDer, AsRawBytes as _, Pkcs8V1Der, PublicKeyX509Der};
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
use super::der::{self, Reader, SEQUENCE};
use super::spec::Spec;
use super::{ed25519_prehash, exception, ml_dsa_mu, ml_kem};
use crate::lab::refusal::Refusal;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// The parameters in the private key of a curve (RFC 5915).
const PARAMETERS: u8 = 0xa0;

#[derive(Debug, Clone, Copy)]
pub(super) enum Message<'a> {
    Raw(&'a [u8]),
    Digest(&'a [u8]),
    /// The message representative of ML-DSA.
    ExternalMu(&'a [u8]),
}

impl Message<'_> {
    /// The value of `MessageType`.
    fn kind(self) -> &'static str {
        match self {
            Message::Raw(_) => "RAW",
            Message::Digest(_) => "DIGEST",
            Message::ExternalMu(_) => "EXTERNAL_MU",
        }
    }
}

/// Generates a key pair.
///
/// # Errors
/// `UnsupportedOperationException` if the lab does not implement the spec.
pub(super) fn generate(spec: Spec) -> Result<Bytes, Refusal> {
    if let Some(generated) = ml_kem::generate(spec) {
        return generated;
    }
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
    let written = |der: Result<PublicKeyX509Der<'_>, _>| der.ok().map(|der| der.as_ref().to_vec());
    match spec {
        Spec::MlKem512 | Spec::MlKem768 | Spec::MlKem1024 => ml_kem::public_key(spec, secret),
        Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096 => {
            let pair = RsaKeyPair::from_pkcs8(secret).ok().filter(|pair| pair.public_modulus_len() == modulus(spec))?;
            written(pair.public_key().as_der())
        }
        Spec::Ed25519 => written(Ed25519KeyPair::from_pkcs8_maybe_unchecked(secret).ok()?.public_key().as_der()),
        Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87 => {
            written(PqdsaKeyPair::from_pkcs8(ml_dsa(spec)?, secret).ok()?.public_key().as_der())
        }
        _ => written(EcdsaKeyPair::from_pkcs8(curve(spec)?, secret).ok()?.public_key().as_der()),
    }
}

/// Converts a key pair in PKCS #8 from BER, which AWS accepts, to DER; `None` if it is neither.
pub(super) fn pkcs8_from_ber(secret: &[u8]) -> Option<Bytes> {
    let outer = Zeroizing::new(der::from_ber(secret)?);
    let mut members = Reader::new(Reader::new(&outer).take(SEQUENCE)?);
    let version = der::write(INTEGER, &[members.take(INTEGER)?]);
    let algorithm = der::write(SEQUENCE, &[members.take(SEQUENCE)?]);
    let inner = members.take(OCTETS)?;
    let inner = Zeroizing::new(der::from_ber(inner).unwrap_or_else(|| inner.to_vec()));
    let key = Zeroizing::new(der::write(OCTETS, &[&inner]));
    // Attributes and a public key may follow.
    Some(Zeroizing::new(der::write(SEQUENCE, &[&version, &algorithm, &key, members.rest()])))
}

/// Whether a key pair in PKCS #8 describes its curve by parameters rather than by name, which AWS refuses.
pub(super) fn has_explicit_parameters(secret: &[u8]) -> bool {
    let explicit = || {
        let mut members = Reader::new(Reader::new(secret).take(SEQUENCE)?);
        members.take(INTEGER)?;
        let mut algorithm = Reader::new(members.take(SEQUENCE)?);
        algorithm.take(OBJECT_IDENTIFIER)?;
        let mut key = Reader::new(Reader::new(members.take(OCTETS)?).take(SEQUENCE)?);
        key.take(INTEGER)?;
        key.take(OCTETS)?;
        let inner = key.take(PARAMETERS).unwrap_or_default();
        Some(algorithm.rest().first() == Some(&SEQUENCE) || inner.first() == Some(&SEQUENCE))
    };
    explicit().unwrap_or_default()
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
            pair.sign_digest(encoding, &hashed(spec, algorithm, message)?, &mut signature).map_err(wrong)?;
            Ok(signature)
        }
        Spec::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(secret).map_err(|_| Refusal::Internal)?;
            match ed25519_message(algorithm, message)? {
                Message::Digest(prehash) => {
                    let seed = pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(wrong)?;
                    let public = pair.public_key().as_ref();
                    ed25519_prehash::sign(seed.as_ref(), public, prehash).ok_or(Refusal::Internal)
                }
                Message::Raw(text) | Message::ExternalMu(text) => Ok(pair.sign(text).as_ref().to_vec()),
            }
        }
        Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87 => {
            let kind = ml_dsa(spec).ok_or(Refusal::Internal)?;
            let pair = PqdsaKeyPair::from_pkcs8(kind, secret).map_err(|_| Refusal::Internal)?;
            let text = match ml_dsa_message(spec, message)? {
                Message::ExternalMu(mu) => {
                    let expanded = pair.private_key().as_raw_bytes().map_err(wrong)?;
                    return ml_dsa_mu::sign(spec, expanded.as_ref(), mu).ok_or(Refusal::Internal);
                }
                Message::Raw(text) | Message::Digest(text) => text,
            };
            let mut signature = vec![0; pair.algorithm().signature_len()];
            let length = pair.sign(text, &mut signature).map_err(wrong)?;
            signature.truncate(length);
            Ok(signature)
        }
        _ => {
            let curve = curve(spec).ok_or_else(|| no_cryptography(spec))?;
            let pair = EcdsaKeyPair::from_pkcs8(curve, secret).map_err(|_| Refusal::Internal)?;
            let signature = pair.sign_digest(&hashed(spec, algorithm, message)?).map_err(wrong)?;
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
        Spec::Ed25519 => match ed25519_message(algorithm, message)? {
            Message::Digest(prehash) => {
                return Ok(ed25519_prehash::verify(raw_public_key(&public), prehash, signature));
            }
            Message::Raw(text) | Message::ExternalMu(text) => {
                UnparsedPublicKey::new(&signature::ED25519, public).verify(text, signature)
            }
        },
        Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87 => match ml_dsa_message(spec, message)? {
            Message::ExternalMu(mu) => return Ok(ml_dsa_mu::verify(spec, raw_public_key(&public), mu, signature)),
            Message::Raw(text) | Message::Digest(text) => {
                let kind: &'static dyn VerificationAlgorithm = match spec {
                    Spec::MlDsa44 => &signature::ML_DSA_44,
                    Spec::MlDsa65 => &signature::ML_DSA_65,
                    _ => &signature::ML_DSA_87,
                };
                UnparsedPublicKey::new(kind, public).verify(text, signature)
            }
        },
        _ => {
            let kind: &'static dyn VerificationAlgorithm = match spec {
                Spec::P256 => &signature::ECDSA_P256_SHA256_ASN1,
                Spec::P384 => &signature::ECDSA_P384_SHA384_ASN1,
                Spec::P521 => &signature::ECDSA_P521_SHA512_ASN1,
                Spec::Secp256k1 => &signature::ECDSA_P256K1_SHA256_ASN1,
                _ => rsa(algorithm).ok_or_else(|| no_cryptography(spec))?.1,
            };
            UnparsedPublicKey::new(kind, public).verify_digest(&hashed(spec, algorithm, message)?, signature)
        }
    };
    Ok(verdict.is_ok())
}

/// The digest of a message for an algorithm, whose name ends with the hash.
fn hashed(spec: Spec, algorithm: &str, message: Message<'_>) -> Result<Digest, Refusal> {
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
        Message::ExternalMu(_) => Err(incompatible_with_spec(spec, message)),
    }
}

/// The message for an Ed25519 algorithm: one of them signs messages, the other digests.
fn ed25519_message<'a>(algorithm: &str, message: Message<'a>) -> Result<Message<'a>, Refusal> {
    match (algorithm, message) {
        ("ED25519_SHA_512", Message::Raw(_)) => Ok(message),
        ("ED25519_PH_SHA_512", Message::Digest(digest)) if digest.len() == ed25519_prehash::DIGEST_LENGTH => {
            Ok(message)
        }
        ("ED25519_PH_SHA_512", Message::Digest(_)) => {
            Err(Refusal::Invalid(format!("Digest is invalid length for algorithm {algorithm}.")))
        }
        _ => {
            let kind = message.kind();
            Err(Refusal::Invalid(format!("Message type {kind} is incompatible with algorithm {algorithm}.")))
        }
    }
}

/// The message for ML-DSA, which signs messages and their representatives.
fn ml_dsa_message(spec: Spec, message: Message<'_>) -> Result<Message<'_>, Refusal> {
    match message {
        Message::Raw(_) => Ok(message),
        Message::ExternalMu(mu) if mu.len() == ml_dsa_mu::LENGTH => Ok(message),
        Message::ExternalMu(_) => {
            Err(Refusal::Invalid(format!("An external mu must have {} bytes.", ml_dsa_mu::LENGTH)))
        }
        Message::Digest(_) => Err(incompatible_with_spec(spec, message)),
    }
}

fn incompatible_with_spec(spec: Spec, message: Message<'_>) -> Refusal {
    let (kind, spec) = (message.kind(), spec.name());
    Refusal::Invalid(format!("Message type {kind} is incompatible with key spec {spec}."))
}

/// The key in the X.509 form of a public key.
fn raw_public_key(public: &[u8]) -> &[u8] {
    let bits = || {
        let mut members = Reader::new(Reader::new(public).take(SEQUENCE)?);
        members.take(SEQUENCE)?;
        // The first byte says that all bits are used.
        members.take(BIT_STRING)?.get(1..)
    };
    bits().unwrap_or_default()
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
