//! Operations of key pairs: GetPublicKey, Sign, Verify and DeriveSharedSecret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::asymmetric::{self, Message};
use super::call::{Call, Names};
use super::recipient::Recipient;
use super::request::Request;
use super::spec::Usage;
use super::usage::{PLAINTEXT, refuse_dry_run};
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

/// In the order of AWS's messages.
const ALGORITHMS: [&str; 13] = [
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "ECDSA_SHA_256",
    "ECDSA_SHA_384",
    "ECDSA_SHA_512",
    "ED25519_SHA_512",
    "ED25519_PH_SHA_512",
    "SM2DSA",
    "ML_DSA_SHAKE_256",
];

/// `GetPublicKey`
pub(super) fn get_public_key(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    request.finish()?;
    let crypto_key = {
        let state = call.kms.state()?;
        let key = call.find(&state, name, Names::OfAliasesToo, call.operation)?;
        key.require_material(call.region)?;
        if !key.spec.is_asymmetric() {
            return Err(exception::unsupported(""));
        }
        call.current_crypto_key(&state, key)?
    };
    let crypto_key = call.generate_if_missing(crypto_key)?;
    let public = asymmetric::public_key(crypto_key.spec, crypto_key.secret()?).ok_or(Refusal::Internal)?;
    let mut answer = json!({ "KeyId": crypto_key.arn, "PublicKey": STANDARD.encode(public) });
    crypto_key.spec.describe(crypto_key.usage, &mut answer);
    Ok(answer)
}

/// `Sign`
pub(super) fn sign(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let parameters = SigningParameters::read(request);
    let dry = request.flag("DryRun");
    request.finish()?;
    let crypto_key = call.crypto_key(parameters.name, Usage::SignVerify, call.operation)?;
    crypto_key.require_algorithm(parameters.algorithm)?;
    let signature =
        asymmetric::sign(crypto_key.spec, crypto_key.secret()?, parameters.algorithm, parameters.message())?;
    refuse_dry_run(dry)?;
    Ok(json!({
        "KeyId": crypto_key.arn,
        "Signature": STANDARD.encode(signature),
        "SigningAlgorithm": parameters.algorithm,
    }))
}

/// `Verify`
pub(super) fn verify(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let parameters = SigningParameters::read(request);
    let signature = request.required_bytes("Signature", (1, 6144));
    let dry = request.flag("DryRun");
    request.finish()?;
    let crypto_key = call.crypto_key(parameters.name, Usage::SignVerify, call.operation)?;
    crypto_key.require_algorithm(parameters.algorithm)?;
    if !asymmetric::verify(
        crypto_key.spec,
        crypto_key.secret()?,
        parameters.algorithm,
        parameters.message(),
        &signature,
    )? {
        return Err(exception::invalid_signature(""));
    }
    refuse_dry_run(dry)?;
    Ok(json!({ "KeyId": crypto_key.arn, "SignatureValid": true, "SigningAlgorithm": parameters.algorithm }))
}

/// The common parameters of Sign and Verify.
struct SigningParameters<'a> {
    name: &'a str,
    message: Vec<u8>,
    kind: &'a str,
    algorithm: &'a str,
}

impl<'a> SigningParameters<'a> {
    fn read(request: &mut Request<'a>) -> SigningParameters<'a> {
        SigningParameters {
            name: request.key_id(),
            message: request.required_secret("Message", PLAINTEXT),
            kind: request.choice("MessageType", &["RAW", "DIGEST", "EXTERNAL_MU"]).unwrap_or("RAW"),
            algorithm: request.required_choice("SigningAlgorithm", &ALGORITHMS),
        }
    }

    fn message(&self) -> Message<'_> {
        match self.kind {
            "RAW" => Message::Raw(&self.message),
            "DIGEST" => Message::Digest(&self.message),
            _ => Message::ExternalMu(&self.message),
        }
    }
}

/// `DeriveSharedSecret`
pub(super) fn derive_shared_secret(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let algorithm = request.required_choice("KeyAgreementAlgorithm", &["ECDH"]);
    let other = request.required_bytes("PublicKey", (1, 8192));
    let dry = request.flag("DryRun");
    let recipient = Recipient::read(request);
    request.finish()?;
    recipient.refuse()?;
    let crypto_key = call.crypto_key(name, Usage::KeyAgreement, call.operation)?;
    let shared = asymmetric::agree(crypto_key.spec, crypto_key.secret()?, &other)?.ok_or_else(|| {
        // AWS answers without a message.
        Refusal::Invalid(String::new())
    })?;
    refuse_dry_run(dry)?;
    Ok(json!({
        "KeyId": crypto_key.arn,
        "SharedSecret": STANDARD.encode(&shared),
        "KeyAgreementAlgorithm": algorithm,
        "KeyOrigin": crypto_key.origin.name(),
    }))
}
