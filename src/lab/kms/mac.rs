//! Message authentication codes.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::call::{Call, CryptoKey};
use super::request::Request;
use super::spec::Usage;
use super::usage::{PLAINTEXT, refuse_dry_run};
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

/// In the order of AWS's messages.
const ALGORITHMS: [&str; 4] = ["HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"];

/// `GenerateMac`
pub(super) fn generate_mac(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let (name, message, algorithm) = read(request);
    let dry = request.flag("DryRun");
    request.finish()?;
    let crypto_key = call.crypto_key(name, Usage::GenerateVerifyMac, call.operation)?;
    let mac = hmac::sign(&key(&crypto_key, algorithm)?, &message);
    refuse_dry_run(dry)?;
    Ok(json!({ "KeyId": crypto_key.arn, "Mac": STANDARD.encode(mac.as_ref()), "MacAlgorithm": algorithm }))
}

/// `VerifyMac`
pub(super) fn verify_mac(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let (name, message, algorithm) = read(request);
    let mac = request.required_bytes("Mac", (1, 6144));
    let dry = request.flag("DryRun");
    request.finish()?;
    let crypto_key = call.crypto_key(name, Usage::GenerateVerifyMac, call.operation)?;
    hmac::verify(&key(&crypto_key, algorithm)?, &message, &mac).map_err(|_| exception::invalid_mac(""))?;
    refuse_dry_run(dry)?;
    Ok(json!({ "KeyId": crypto_key.arn, "MacValid": true, "MacAlgorithm": algorithm }))
}

fn read<'a>(request: &mut Request<'a>) -> (&'a str, Vec<u8>, &'a str) {
    let name = request.key_id();
    (name, request.required_secret("Message", PLAINTEXT), request.required_choice("MacAlgorithm", &ALGORITHMS))
}

fn key(crypto_key: &CryptoKey, algorithm: &str) -> Result<hmac::Key, Refusal> {
    crypto_key.require_algorithm(algorithm)?;
    let hash = match algorithm {
        "HMAC_SHA_224" => hmac::HMAC_SHA224,
        "HMAC_SHA_256" => hmac::HMAC_SHA256,
        "HMAC_SHA_384" => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    Ok(hmac::Key::new(hash, crypto_key.secret()?))
}
