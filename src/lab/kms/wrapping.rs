//! Wrapping keys and import tokens.
//!
//! The lab does not store which call was given which wrapping key: the import token contains it, encrypted with a key of
//! the lab.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::call::{Call, Names};
use super::crypto::{self, Bytes, Slot};
use super::key::{Key, Origin};
use super::request::Request;
use super::spec::Spec;
use super::{Answer, asymmetric, exception, wrapping_keys};
use crate::lab::refusal::Refusal;

const ALGORITHMS: [&str; 6] = [
    "RSAES_PKCS1_V1_5",
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
    "SM2PKE",
];
const SIZES: [&str; 4] = ["RSA_2048", "RSA_3072", "RSA_4096", "SM2"];
const VALID_HOURS: i64 = 24;
const TOKEN_KEY: &str = "token-key";

/// The content of an import token.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    key: String,
    algorithm: String,
    size: Spec,
    until: DateTime<Utc>,
    wrapping_key: Slot,
}

/// `GetParametersForImport`
pub(super) fn get_parameters_for_import(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let algorithm = request.required_choice("WrappingAlgorithm", &ALGORITHMS);
    let size = request.required_choice("WrappingKeySpec", &SIZES);
    request.finish()?;
    let mut arn = String::new();
    call.read(name, Names::OfKeys, |key, _| {
        require_importable(key, call.region)?;
        key.require_not_deleted(call.region)?;
        require_fitting(key, algorithm, size)?;
        arn = key.arn(call.region);
        Ok(json!(null))
    })?;
    let size = Spec::named(size).ok_or(Refusal::Internal)?;
    let wrapping_key = wrapping_keys::next(size)?;
    let secret = wrapping_key.get().unwrap_or_default();
    let public = asymmetric::public_key(size, secret).ok_or(Refusal::Internal)?;
    let until = call.now + TimeDelta::hours(VALID_HOURS);
    let token = Token { key: arn.clone(), algorithm: algorithm.to_owned(), size, until, wrapping_key };
    Ok(json!({
        "KeyId": arn,
        "ImportToken": STANDARD.encode(seal(call, &token)?),
        "PublicKey": STANDARD.encode(public),
        "ParametersValidTo": super::key::seconds(until),
    }))
}

/// Requires the origin `EXTERNAL`.
///
/// # Errors
/// `UnsupportedOperationException`.
pub(super) fn require_importable(key: &Key, region: &str) -> Result<(), Refusal> {
    if key.origin == Origin::External {
        return Ok(());
    }
    let (arn, origin) = (key.arn(region), key.origin.name());
    Err(exception::unsupported(format!("{arn} origin is {origin} which is not valid for this operation.")))
}

fn require_fitting(key: &Key, algorithm: &str, size: &str) -> Result<(), Refusal> {
    let spec = key.spec.name();
    let long = matches!(key.spec, Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096);
    if algorithm == "RSAES_PKCS1_V1_5" || size == "SM2" || algorithm == "SM2PKE" {
        let why = format!("The lab cloud does not wrap with {algorithm} and {size}.");
        return Err(exception::unsupported(why));
    }
    // A private RSA key is too long for RSA encryption alone.
    let short_way = algorithm.starts_with("RSAES_");
    let p521_in_2048 = key.spec == Spec::P521 && size == "RSA_2048";
    if short_way && (long || p521_in_2048) {
        let why = format!("Wrapping algorithm {algorithm} with {size} is not valid for key spec {spec}.");
        return Err(Refusal::Invalid(why));
    }
    if !short_way && (key.spec.is_symmetric() || key.spec.is_hmac()) {
        let why = format!("Wrapping algorithm {algorithm} is not valid for key spec {spec}.");
        return Err(Refusal::Invalid(why));
    }
    Ok(())
}

/// Unwraps material with the wrapping key of a token.
///
/// # Errors
/// `InvalidImportTokenException`, `ExpiredImportTokenException`, `InvalidCiphertextException`.
pub(super) fn unwrap(call: &Call<'_>, arn: &str, token: &[u8], wrapped: &[u8]) -> Result<Bytes, Refusal> {
    let invalid = || exception::invalid_import_token("The import token is not valid for this key.");
    let token = open(call, token)?.filter(|token| token.key == arn).ok_or_else(invalid)?;
    if token.until < call.now {
        return Err(exception::expired_import_token("The import token has expired."));
    }
    let secret = token.wrapping_key.get().ok_or(Refusal::Internal)?;
    let failed = || exception::invalid_ciphertext("The key material could not be decrypted.");
    match token.algorithm.strip_prefix("RSA_AES_KEY_WRAP_") {
        None => asymmetric::decrypt(secret, &token.algorithm, wrapped).ok_or_else(failed),
        Some(hash) => {
            unwrap_with_aes_key(secret, &format!("RSAES_OAEP_{hash}"), wrapped, token.size).ok_or_else(failed)
        }
    }
}

/// Decrypts an AES key with RSA, then unwraps the material with AES key wrap with padding.
fn unwrap_with_aes_key(secret: &[u8], algorithm: &str, wrapped: &[u8], size: Spec) -> Option<Bytes> {
    let (head, rest) = wrapped.split_at_checked(asymmetric::modulus(size))?;
    let between = asymmetric::decrypt(secret, algorithm, head)?;
    let mut material = Zeroizing::new(vec![0; rest.len()]);
    let length = AesKek::new(&AES_256, &between).ok()?.unwrap_with_padding(rest, &mut material).ok()?.len();
    material.truncate(length);
    Some(material)
}

fn token_cipher(call: &Call<'_>) -> Result<LessSafeKey, Refusal> {
    let secret = call.kms.lab_secret(TOKEN_KEY, || crypto::random(32))?;
    let key = UnboundKey::new(&AES_256_GCM, secret.get().unwrap_or_default());
    key.map(LessSafeKey::new).map_err(|_| Refusal::Internal)
}

fn seal(call: &Call<'_>, token: &Token) -> Result<Vec<u8>, Refusal> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| Refusal::Internal)?;
    let mut sealed = serde_json::to_vec(token).map_err(|_| Refusal::Internal)?;
    token_cipher(call)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .map_err(|_| Refusal::Internal)?;
    Ok([&nonce[..], &sealed].concat())
}

fn open(call: &Call<'_>, sealed: &[u8]) -> Result<Option<Token>, Refusal> {
    let cipher = token_cipher(call)?;
    let opened = || {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut plain = rest.to_vec();
        let plain = cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut plain).ok()?;
        serde_json::from_slice(plain).ok()
    };
    Ok(opened())
}
