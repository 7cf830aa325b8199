//! Message authentication codes.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::call::{Call, Tool};
use super::request::Request;
use super::spec::Usage;
use super::usage::{PLAINTEXT, refuse_dry_run};
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

const ALGORITHMS: [&str; 4] = ["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"];

/// `GenerateMac`
pub(super) fn generate_mac(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let (name, message, algorithm) = read(request);
    let dry = request.flag("DryRun");
    request.finish()?;
    let tool = call.tool(name, Usage::GenerateVerifyMac, call.operation)?;
    let mac = hmac::sign(&key(&tool, algorithm)?, &message);
    refuse_dry_run(dry)?;
    Ok(json!({ "KeyId": tool.arn, "Mac": STANDARD.encode(mac.as_ref()), "MacAlgorithm": algorithm }))
}

/// `VerifyMac`
pub(super) fn verify_mac(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let (name, message, algorithm) = read(request);
    let mac = request.required_bytes("Mac", (1, 6144));
    let dry = request.flag("DryRun");
    request.finish()?;
    let tool = call.tool(name, Usage::GenerateVerifyMac, call.operation)?;
    hmac::verify(&key(&tool, algorithm)?, &message, &mac).map_err(|_| exception::invalid_mac(""))?;
    refuse_dry_run(dry)?;
    Ok(json!({ "KeyId": tool.arn, "MacValid": true, "MacAlgorithm": algorithm }))
}

fn read<'a>(request: &mut Request<'a>) -> (&'a str, Vec<u8>, &'a str) {
    let name = request.key_id();
    (name, request.required_bytes("Message", PLAINTEXT), request.required_choice("MacAlgorithm", &ALGORITHMS))
}

fn key(tool: &Tool, algorithm: &str) -> Result<hmac::Key, Refusal> {
    tool.require_algorithm(algorithm)?;
    let hash = match algorithm {
        "HMAC_SHA_224" => hmac::HMAC_SHA224,
        "HMAC_SHA_256" => hmac::HMAC_SHA256,
        "HMAC_SHA_384" => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    Ok(hmac::Key::new(hash, tool.secret()?))
}
