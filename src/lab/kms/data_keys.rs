//! Data keys, data key pairs and random bytes. KMS does not store them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::call::Call;
use super::recipient::Recipient;
use super::request::Request;
use super::spec::{Spec, Usage};
use super::usage::{refuse_dry_run, seal, seal_in_kms};
use super::{Answer, asymmetric, crypto, custom_key_store, exception, ml_kem};
use crate::lab::refusal::Refusal;

const LENGTH: (i64, i64) = (1, 1024);

/// `GenerateRandom`
pub(super) fn generate_random(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let length = request.number("NumberOfBytes", LENGTH);
    let store = request.text("CustomKeyStoreId", custom_key_store::ID);
    let recipient = Recipient::read(request);
    request.finish()?;
    recipient.refuse()?;
    call.require("*")?;
    if let Some(store) = store {
        custom_key_store::require_store_for_random(call, store)?;
    }
    let Some(length) = length else {
        return Err(Refusal::Invalid("NumberOfBytes is required.".to_owned()));
    };
    let bytes = crypto::random(usize::try_from(length).unwrap_or_default())?;
    Ok(json!({ "Plaintext": STANDARD.encode(&bytes) }))
}

/// `GenerateDataKey`
pub(super) async fn generate_data_key(call: &Call<'_>, request: Request<'_>) -> Answer {
    data_key(call, request, true).await
}

/// `GenerateDataKeyWithoutPlaintext`
pub(super) async fn generate_data_key_without_plaintext(call: &Call<'_>, request: Request<'_>) -> Answer {
    data_key(call, request, false).await
}

async fn data_key(call: &Call<'_>, mut request: Request<'_>, with_plaintext: bool) -> Answer {
    let request = &mut request;
    let name = request.key_id();
    let context = request.map("EncryptionContext");
    let spec = request.choice("KeySpec", &["AES_256", "AES_128"]);
    let number = request.number("NumberOfBytes", LENGTH);
    let dry = request.flag("DryRun");
    // The operations without plaintext do not have this member.
    let recipient = if with_plaintext { Recipient::read(request) } else { Recipient::default() };
    request.finish()?;
    recipient.refuse()?;
    let length = match (spec, number) {
        (Some("AES_128"), None) => 16,
        (Some(_), None) => 32,
        (None, Some(number)) => usize::try_from(number).unwrap_or_default(),
        _ => {
            let why = "Please specify either number of bytes or key spec.";
            return Err(Refusal::Invalid(why.to_owned()));
        }
    };
    let crypto_key = call.crypto_key(name, Usage::EncryptDecrypt, call.operation)?;
    if crypto_key.spec.is_asymmetric() {
        return Err(exception::invalid_key_usage("You cannot generate a data key with an asymmetric CMK"));
    }
    let secret = crypto::random(length)?;
    let sealed = seal(call, &crypto_key, "SYMMETRIC_DEFAULT", &context, &secret, dry).await?;
    refuse_dry_run(dry)?;
    let mut answer = json!({
        "KeyId": crypto_key.arn,
        "CiphertextBlob": STANDARD.encode(sealed),
        "KeyMaterialId": crypto_key.material_id,
    });
    if with_plaintext {
        answer["Plaintext"] = json!(STANDARD.encode(&secret));
    }
    Ok(answer)
}

/// `GenerateDataKeyPair`
pub(super) fn generate_data_key_pair(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    pair(call, request, true)
}

/// `GenerateDataKeyPairWithoutPlaintext`
pub(super) fn generate_data_key_pair_without_plaintext(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    pair(call, request, false)
}

const PAIRS: [&str; 12] = [
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SM2",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];

fn pair(call: &Call<'_>, request: &mut Request<'_>, with_plaintext: bool) -> Answer {
    let name = request.key_id();
    let spec = request.required_choice("KeyPairSpec", &PAIRS);
    let context = request.map("EncryptionContext");
    let dry = request.flag("DryRun");
    // The operations without plaintext do not have this member.
    let recipient = if with_plaintext { Recipient::read(request) } else { Recipient::default() };
    request.finish()?;
    recipient.refuse()?;
    let crypto_key = call.crypto_key(name, Usage::EncryptDecrypt, call.operation)?;
    crypto_key.require_algorithm("SYMMETRIC_DEFAULT")?;
    if crypto_key.is_in_custom_key_store {
        let why = format!("{} is in a custom key store, which does not support {}.", crypto_key.arn, call.operation);
        return Err(exception::unsupported(why));
    }
    refuse_dry_run(dry)?;
    let spec = Spec::named(spec).ok_or(Refusal::Internal)?;
    let secret = asymmetric::generate(spec)?;
    let public = asymmetric::public_key(spec, &secret).ok_or(Refusal::Internal)?;
    let secret = ml_kem::pkcs8(spec, &secret).unwrap_or(secret);
    let mut answer: Value = json!({
        "KeyId": crypto_key.arn,
        "KeyPairSpec": spec.name(),
        "KeyMaterialId": crypto_key.material_id,
        "PublicKey": STANDARD.encode(public),
        "PrivateKeyCiphertextBlob": STANDARD.encode(seal_in_kms(&crypto_key, "SYMMETRIC_DEFAULT", &context, &secret)?),
    });
    if with_plaintext {
        answer["PrivateKeyPlaintext"] = json!(STANDARD.encode(&secret));
    }
    Ok(answer)
}
