//! ML-KEM key pairs (FIPS 203), and the operations Encapsulate and Decapsulate.
//!
//! The secret is the decapsulation key as bytes, which contains the encapsulation key.

use aws_lc_rs::kem::{Algorithm, DecapsulationKey, EncapsulationKey, ML_KEM_512, ML_KEM_768, ML_KEM_1024};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::call::Call;
use super::crypto::Bytes;
use super::der::{self, SEQUENCE};
use super::request::Request;
use super::spec::{Spec, Usage};
use super::usage::refuse_dry_run;
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

const NAMES: [&str; 1] = ["ML_KEM"];
const CIPHERTEXT: (usize, usize) = (1, 6144);
/// The hash of the encapsulation key and the implicit rejection value at the end of a decapsulation key.
const AFTER_PUBLIC: usize = 64;

/// The parameters of a spec, the length of its encapsulation key, and the last number of its OID.
fn parameters(spec: Spec) -> Option<(&'static Algorithm, usize, u8)> {
    Some(match spec {
        Spec::MlKem512 => (&ML_KEM_512, 800, 1),
        Spec::MlKem768 => (&ML_KEM_768, 1184, 2),
        Spec::MlKem1024 => (&ML_KEM_1024, 1568, 3),
        _ => return None,
    })
}

/// Generates a key pair; `None` if the spec is another one.
pub(super) fn generate(spec: Spec) -> Option<Result<Bytes, Refusal>> {
    let (algorithm, ..) = parameters(spec)?;
    let bytes = DecapsulationKey::generate(algorithm).and_then(|key| key.key_bytes());
    Some(bytes.map(|bytes| Zeroizing::new(bytes.as_ref().to_vec())).map_err(|_| Refusal::Internal))
}

/// The encapsulation key in X.509 form (RFC 9935); `None` if the spec is another one.
pub(super) fn public_key(spec: Spec, secret: &[u8]) -> Option<Vec<u8>> {
    let bits = [&[0], raw_public_key(spec, secret)?].concat();
    Some(der::write(SEQUENCE, &[&identifier(spec)?, &der::write(3, &[&bits])]))
}

/// The key pair in PKCS #8 (RFC 9935), as an expanded key; `None` if the spec is another one.
pub(super) fn pkcs8(spec: Spec, secret: &[u8]) -> Option<Bytes> {
    let key = der::write(4, &[&der::write(4, &[secret])]);
    Some(Zeroizing::new(der::write(SEQUENCE, &[&[2, 1, 0], &identifier(spec)?, &key])))
}

fn identifier(spec: Spec) -> Option<Vec<u8>> {
    let (.., number) = parameters(spec)?;
    Some(der::write(SEQUENCE, &[&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, number]]))
}

fn raw_public_key(spec: Spec, secret: &[u8]) -> Option<&[u8]> {
    let (_, length, _) = parameters(spec)?;
    let end = secret.len().checked_sub(AFTER_PUBLIC)?;
    secret.get(end.checked_sub(length)?..end)
}

/// `Encapsulate`
pub(super) fn encapsulate(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let algorithm = request.required_choice("EncapsulationAlgorithm", &NAMES);
    let dry = request.flag("DryRun");
    request.finish()?;
    let crypto_key = call.crypto_key(name, Usage::EncapsulateDecapsulate, call.operation)?;
    crypto_key.require_algorithm(algorithm)?;
    refuse_dry_run(dry)?;
    let (kind, ..) = parameters(crypto_key.spec).ok_or(Refusal::Internal)?;
    let public = raw_public_key(crypto_key.spec, crypto_key.secret()?).ok_or(Refusal::Internal)?;
    let key = EncapsulationKey::new(kind, public).map_err(|_| Refusal::Internal)?;
    let (ciphertext, shared) = key.encapsulate().map_err(|_| Refusal::Internal)?;
    Ok(json!({
        "KeyId": crypto_key.arn,
        "SharedSecret": STANDARD.encode(shared.as_ref()),
        "SharedSecretCiphertextBlob": STANDARD.encode(ciphertext.as_ref()),
        "EncapsulationAlgorithm": algorithm,
    }))
}

/// `Decapsulate`
pub(super) fn decapsulate(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let ciphertext = request.required_bytes("SharedSecretCiphertextBlob", CIPHERTEXT);
    let algorithm = request.required_choice("EncapsulationAlgorithm", &NAMES);
    let dry = request.flag("DryRun");
    request.finish()?;
    let crypto_key = call.crypto_key(name, Usage::EncapsulateDecapsulate, call.operation)?;
    crypto_key.require_algorithm(algorithm)?;
    let (kind, ..) = parameters(crypto_key.spec).ok_or(Refusal::Internal)?;
    let key = DecapsulationKey::new(kind, crypto_key.secret()?).map_err(|_| Refusal::Internal)?;
    // A ciphertext of another key gives another secret, as FIPS 203 says. Only a wrong length is refused.
    let shared = key.decapsulate(ciphertext.as_slice().into()).map_err(|_| exception::invalid_ciphertext(""))?;
    refuse_dry_run(dry)?;
    Ok(json!({
        "KeyId": crypto_key.arn,
        "SharedSecret": STANDARD.encode(shared.as_ref()),
        "EncapsulationAlgorithm": algorithm,
    }))
}
