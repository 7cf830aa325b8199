//! Tests of imported material: import, use, expiry, deletion and re-import.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::{hmac, signature};

use chrono::Utc;

use super::*;

const REGION: &str = "eu-west-3";
const FOREVER: &str = "KEY_MATERIAL_DOES_NOT_EXPIRE";

/// The request of ImportKeyMaterial, with wrapped material.
async fn import_request(kms: &KmsClient<'_>, id: &str, algorithm: &str, material: &[u8]) -> Value {
    let parameters = json!({ "KeyId": id, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048" });
    let given = kms.call("GetParametersForImport", parameters).await;
    let public = decoded(&given["PublicKey"]);
    let wrapped = match algorithm {
        "RSAES_OAEP_SHA_256" => oaep(&public, &OAEP_SHA256_MGF1SHA256, material),
        "RSAES_OAEP_SHA_1" => oaep(&public, &OAEP_SHA1_MGF1SHA1, material),
        "RSA_AES_KEY_WRAP_SHA_1" => wrap_with_aes_key(&public, &OAEP_SHA1_MGF1SHA1, material),
        _ => wrap_with_aes_key(&public, &OAEP_SHA256_MGF1SHA256, material),
    };
    json!({
        "KeyId": id,
        "ImportToken": given["ImportToken"],
        "EncryptedKeyMaterial": encoded(wrapped),
        "ExpirationModel": FOREVER,
    })
}

fn oaep(public: &[u8], padding: &'static OaepAlgorithm, material: &[u8]) -> Vec<u8> {
    let key = PublicEncryptingKey::from_der(public).and_then(|key| Ok(OaepPublicEncryptingKey::new(key)?));
    let key = key.expect("a public key");
    let mut wrapped = vec![0; key.ciphertext_size()];
    key.encrypt(padding, material, &mut wrapped, None).expect("it fits").to_vec()
}

fn wrap_with_aes_key(public: &[u8], padding: &'static OaepAlgorithm, material: &[u8]) -> Vec<u8> {
    let between = [9; 32];
    let mut wrapped = vec![0; material.len() + 16];
    let kek = AesKek::new(&AES_256, &between).expect("a key");
    let rest = kek.wrap_with_padding(material, &mut wrapped).expect("it fits").to_vec();
    [oaep(public, padding, &between), rest].concat()
}

fn with(mut parameters: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        parameters[name] = value.clone();
    }
    parameters
}

/// A ciphertext in the format of `kms/crypto.rs`, created from the material.
fn sealed_by_hand(id: &str, material: &[u8], context: &str, text: &[u8]) -> Vec<u8> {
    let material_id = digest(&SHA256, &[id.as_bytes(), material].concat());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, material).expect("a key"));
    let header = [&[1, 2, 2, 0, 0x78][..], material_id.as_ref(), &[1], &[9; 16]].concat();
    let (nonce, mut sealed) = ([3; NONCE_LEN], [&[0; 11], text].concat());
    let authenticated = [&header[..], context.as_bytes()].concat();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(authenticated), &mut sealed)
        .expect("a ciphertext");
    let envelope = envelope(&nonce, &sealed);
    let length = u32::try_from(envelope.len()).expect("a short text");
    [&header[..], &length.to_be_bytes(), &envelope].concat()
}

/// The CMS encrypted data of a short ciphertext: all lengths have one byte.
fn envelope(nonce: &[u8], sealed: &[u8]) -> Vec<u8> {
    let length = u8::try_from(sealed.len()).expect("a short text");
    let head = [0x30, 65 + length, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6, 0xa0, 52 + length];
    let content = [0x30, 50 + length, 2, 1, 0, 0x30, 45 + length, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let algorithm = [0x30, 0x1e, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2e, 0x30, 0x11, 4, 12];
    [&head[..], &content, &algorithm, nonce, &[2, 1, 16, 0x80, length], sealed].concat()
}

#[tokio::test]
async fn the_imported_key_decrypts_a_ciphertext_of_its_material() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let material = [5; 32];
    for algorithm in ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"] {
        kms.call("ImportKeyMaterial", import_request(&kms, &id, algorithm, &material).await).await;
    }
    let key = kms.call("DescribeKey", json!({ "KeyId": id })).await["KeyMetadata"].clone();
    assert_eq!((&key["KeyState"], &key["ExpirationModel"]), (&json!("Enabled"), &json!(FOREVER)));
    let sealed = sealed_by_hand(&id, &material, "", b"text");
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": encoded(&sealed) })).await;
    assert_eq!(decoded(&opened["Plaintext"]), b"text");
    assert_eq!(opened["KeyMaterialId"], key["CurrentKeyMaterialId"]);
    let sealed = sealed_by_hand(&id, &material, r#"{"a":"b"}"#, b"text");
    let parameters = json!({ "KeyId": id, "CiphertextBlob": encoded(&sealed), "EncryptionContext": { "a": "b" } });
    assert_eq!(decoded(&kms.call("Decrypt", parameters).await["Plaintext"]), b"text");
    let without = json!({ "CiphertextBlob": encoded(&sealed) });
    assert_eq!(kms.code("Decrypt", without).await, "InvalidCiphertextException");
    let other = sealed_by_hand(&id, &[6; 32], "", b"text");
    // The ciphertext names a material that no key has.
    assert_eq!(kms.code("Decrypt", json!({ "CiphertextBlob": encoded(&other) })).await, "AccessDeniedException");
    let named = json!({ "CiphertextBlob": encoded(other), "KeyId": id });
    assert_eq!(kms.code("Decrypt", named).await, "IncorrectKeyException");
}

#[tokio::test]
async fn imported_key_pairs_and_hmac_keys_are_used() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let pair = signature::EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_ASN1_SIGNING).expect("a pair");
    let material = pair.to_pkcs8v1().expect("PKCS #8");
    let id = kms.id(json!({ "Origin": "EXTERNAL", "KeySpec": "ECC_NIST_P384", "KeyUsage": "SIGN_VERIFY" })).await;
    for algorithm in ["RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1"] {
        kms.call("ImportKeyMaterial", import_request(&kms, &id, algorithm, material.as_ref()).await).await;
    }
    let parameters = json!({ "KeyId": id, "Message": encoded("text"), "SigningAlgorithm": "ECDSA_SHA_384" });
    let theirs = decoded(&kms.call("Sign", parameters.clone()).await["Signature"]);
    let public = signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let checker = signature::UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_ASN1, public);
    checker.verify(b"text", &theirs).expect("a good signature");
    let ours = pair.sign(&SystemRandom::new(), b"text").expect("a signature");
    let verified = kms.call("Verify", with(parameters.clone(), json!({ "Signature": encoded(ours) }))).await;
    assert_eq!(verified["SignatureValid"], json!(true));

    let id = kms.id(json!({ "Origin": "EXTERNAL", "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" })).await;
    kms.call("ImportKeyMaterial", import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[4; 40]).await).await;
    let parameters = json!({ "KeyId": id, "Message": encoded("text"), "MacAlgorithm": "HMAC_SHA_256" });
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[4; 40]), b"text");
    assert_eq!(decoded(&kms.call("GenerateMac", parameters.clone()).await["Mac"]), mac.as_ref());
    kms.call("VerifyMac", with(parameters.clone(), json!({ "Mac": encoded(mac) }))).await;
    assert_eq!(kms.code("VerifyMac", with(parameters, json!({ "Mac": "eA==" }))).await, "KMSInvalidMacException");
}

#[tokio::test]
async fn only_the_same_material_can_be_imported_again() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let first = kms.call("ImportKeyMaterial", import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await).await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    let deleted = kms.call("DeleteImportedKeyMaterial", json!({ "KeyId": id })).await;
    assert_eq!(deleted["KeyMaterialId"], first["KeyMaterialId"]);
    assert_eq!(kms.described(&id, "KeyState").await, json!("PendingImport"));
    assert_eq!(kms.described(&id, "ExpirationModel").await, Value::Null);
    let open = json!({ "CiphertextBlob": sealed["CiphertextBlob"] });
    assert_eq!(kms.code("Decrypt", open.clone()).await, "KMSInvalidStateException");
    let other = import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[2; 32]).await;
    assert_eq!(kms.code("ImportKeyMaterial", other).await, "IncorrectKeyMaterialException");
    let short = import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 31]).await;
    assert_eq!(kms.code("ImportKeyMaterial", short).await, "IncorrectKeyMaterialException");
    let same = import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await;
    let wrong_id = with(same.clone(), json!({ "KeyMaterialId": "0".repeat(64) }));
    assert_eq!(kms.code("ImportKeyMaterial", wrong_id).await, "IncorrectKeyMaterialException");
    let new = with(same.clone(), json!({ "ImportType": "NEW_KEY_MATERIAL" }));
    assert_eq!(kms.code("ImportKeyMaterial", new.clone()).await, "IncorrectKeyMaterialException");
    let both = with(new, json!({ "KeyMaterialId": first["KeyMaterialId"] }));
    assert_eq!(kms.code("ImportKeyMaterial", both).await, "ValidationException");
    let right = json!({ "ImportType": "EXISTING_KEY_MATERIAL", "KeyMaterialId": first["KeyMaterialId"] });
    kms.call("ImportKeyMaterial", with(same, right)).await;
    assert_eq!(decoded(&kms.call("Decrypt", open).await["Plaintext"]), b"text");
}

#[tokio::test]
async fn tokens_and_parameters_are_validated() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let other = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let good = import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await;
    let now = Utc::now().timestamp();
    for (more, code) in [
        (json!({ "KeyId": other }), "InvalidImportTokenException"),
        (json!({ "ImportToken": encoded("nonsense, but long enough for one") }), "InvalidImportTokenException"),
        (json!({ "EncryptedKeyMaterial": encoded([1; 256]) }), "InvalidCiphertextException"),
        (json!({ "ExpirationModel": "KEY_MATERIAL_EXPIRES" }), "ValidationException"),
        (json!({ "ExpirationModel": Value::Null }), "ValidationException"),
        (json!({ "ValidTo": now + 100 }), "ValidationException"),
        (json!({ "ExpirationModel": Value::Null, "ValidTo": now - 100 }), "ValidationException"),
        (json!({ "ExpirationModel": Value::Null, "ValidTo": now + 366 * 86_400 }), "ValidationException"),
        (json!({ "KeyMaterialDescription": "a;b" }), "ValidationException"),
        (json!({ "KeyMaterialId": "short" }), "ValidationException"),
    ] {
        assert_eq!(kms.code("ImportKeyMaterial", with(good.clone(), more.clone())).await, code, "{more}");
    }
    let own = kms.id(json!({})).await;
    let parameters = |id: &str, algorithm: &str| json!({ "KeyId": id, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048" });
    let code = kms.code("GetParametersForImport", parameters(&own, "RSAES_OAEP_SHA_256")).await;
    assert_eq!(code, "UnsupportedOperationException");
    let code = kms.code("GetParametersForImport", parameters(&id, "RSAES_PKCS1_V1_5")).await;
    assert_eq!(code, "UnsupportedOperationException");
    let rsa = kms.id(json!({ "Origin": "EXTERNAL", "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" })).await;
    assert_eq!(kms.code("GetParametersForImport", parameters(&rsa, "RSAES_OAEP_SHA_256")).await, "ValidationException");
    lab.days_ahead(2).await;
    assert_eq!(kms.code("ImportKeyMaterial", good).await, "ExpiredImportTokenException");
}

#[tokio::test]
async fn material_expires() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let until = Utc::now().timestamp() + 3 * 86_400;
    let expiring = json!({ "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": until });
    let parameters = with(import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await, expiring);
    kms.call("ImportKeyMaterial", parameters).await;
    assert_eq!(kms.described(&id, "ExpirationModel").await, json!("KEY_MATERIAL_EXPIRES"));
    assert_eq!(kms.described(&id, "ValidTo").await.as_f64(), Some(until as f64));
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    lab.days_ahead(4).await;
    assert_eq!(kms.described(&id, "KeyState").await, json!("PendingImport"));
    assert_eq!(kms.described(&id, "ValidTo").await, Value::Null);
    kms.call("ImportKeyMaterial", import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await).await;
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(decoded(&opened["Plaintext"]), b"text");
}

#[tokio::test]
async fn new_material_is_pending_until_a_rotation() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let new = |description: &str| json!({ "ImportType": "NEW_KEY_MATERIAL", "KeyMaterialDescription": description });
    let one = with(import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await, new("one"));
    let one = kms.call("ImportKeyMaterial", one).await["KeyMaterialId"].clone();
    assert_eq!(kms.code("RotateKeyOnDemand", json!({ "KeyId": id })).await, "KMSInvalidStateException");
    let two = with(import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[2; 32]).await, new("two"));
    let two = kms.call("ImportKeyMaterial", two).await["KeyMaterialId"].clone();
    let three = with(import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[3; 32]).await, new("three"));
    assert_eq!(kms.code("ImportKeyMaterial", three).await, "KMSInvalidStateException");
    let states = || async {
        let parameters = json!({ "KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL" });
        let all = kms.call("ListKeyRotations", parameters).await["Rotations"].clone();
        let entries = all.as_array().expect("a list").iter().map(|entry| {
            let text = |member: &str| entry[member].as_str().unwrap_or_default().to_owned();
            (text("KeyMaterialDescription"), text("KeyMaterialState") + " " + &text("ImportState"))
        });
        entries.collect::<BTreeMap<_, _>>()
    };
    let expected = |one: &str, two: &str| BTreeMap::from([("one".into(), one.into()), ("two".into(), two.into())]);
    assert_eq!(states().await, expected("CURRENT IMPORTED", "PENDING_ROTATION IMPORTED"));
    assert_eq!(kms.described(&id, "CurrentKeyMaterialId").await, one);
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    kms.call("RotateKeyOnDemand", json!({ "KeyId": id })).await;
    assert_eq!(states().await, expected("NON_CURRENT IMPORTED", "CURRENT IMPORTED"));
    assert_eq!(kms.described(&id, "CurrentKeyMaterialId").await, two);
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(opened["KeyMaterialId"], one);
    // A key can be used only if all its associated material is imported.
    kms.call("DeleteImportedKeyMaterial", json!({ "KeyId": id, "KeyMaterialId": one })).await;
    assert_eq!(states().await, expected("NON_CURRENT PENDING_IMPORT", "CURRENT IMPORTED"));
    assert_eq!(kms.described(&id, "KeyState").await, json!("PendingImport"));
    kms.call("ImportKeyMaterial", import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await).await;
    assert_eq!(kms.described(&id, "KeyState").await, json!("Enabled"));
    // Pending material is not associated with the key yet.
    let three = with(import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[3; 32]).await, new("three"));
    let three = kms.call("ImportKeyMaterial", three).await["KeyMaterialId"].clone();
    kms.call("DeleteImportedKeyMaterial", json!({ "KeyId": id, "KeyMaterialId": three })).await;
    assert_eq!(states().await, expected("NON_CURRENT IMPORTED", "CURRENT IMPORTED"));
    assert_eq!(kms.described(&id, "KeyState").await, json!("Enabled"));
}

#[tokio::test]
async fn new_material_of_a_multi_region_key_must_be_imported_everywhere_before_a_rotation() {
    let lab = Lab::start().await;
    let (kms, there) = (lab.kms(REGION), lab.kms("eu-west-1"));
    let id = kms.id(json!({ "Origin": "EXTERNAL", "MultiRegion": true })).await;
    assert_eq!(
        kms.code("ReplicateKey", json!({ "KeyId": id, "ReplicaRegion": "eu-west-1" })).await,
        "KMSInvalidStateException"
    );
    kms.call("ImportKeyMaterial", import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await).await;
    kms.call("ReplicateKey", json!({ "KeyId": id, "ReplicaRegion": "eu-west-1" })).await;
    lab.days_ahead(1).await;
    assert_eq!(there.described(&id, "KeyState").await, json!("PendingImport"));
    let new = json!({ "ImportType": "NEW_KEY_MATERIAL" });
    let directly = with(import_request(&there, &id, "RSAES_OAEP_SHA_256", &[2; 32]).await, new.clone());
    assert_ne!(there.code("ImportKeyMaterial", directly).await, "");
    there.call("ImportKeyMaterial", import_request(&there, &id, "RSAES_OAEP_SHA_256", &[1; 32]).await).await;
    assert_eq!(there.described(&id, "KeyState").await, json!("Enabled"));
    kms.call("ImportKeyMaterial", with(import_request(&kms, &id, "RSAES_OAEP_SHA_256", &[2; 32]).await, new)).await;
    let pending = || async {
        let parameters = json!({ "KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL" });
        kms.call("ListKeyRotations", parameters).await["Rotations"][1]["KeyMaterialState"].clone()
    };
    assert_eq!(pending().await, json!("PENDING_MULTI_REGION_IMPORT_AND_ROTATION"));
    assert_eq!(kms.code("RotateKeyOnDemand", json!({ "KeyId": id })).await, "KMSInvalidStateException");
    there.call("ImportKeyMaterial", import_request(&there, &id, "RSAES_OAEP_SHA_256", &[2; 32]).await).await;
    assert_eq!(pending().await, json!("PENDING_ROTATION"));
    kms.call("RotateKeyOnDemand", json!({ "KeyId": id })).await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    let opened = there.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(decoded(&opened["Plaintext"]), b"text");
}

/// A key pair of P-256 whose curve is described by its parameters, from
/// `openssl ecparam -name prime256v1 -genkey -param_enc explicit -noout | openssl pkcs8 -topk8 -nocrypt -outform DER`.
const EXPLICIT: &str = "MIIBeQIBADCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////MFsE\
    IP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG\
    5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7L\
    tkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBBG0wawIBAQQgpqIuV7rSepcy4lI6BzcnyEsCaJOI\
    +tWAa1yFpg3wFS+hRANCAAR0uKDI3uaW+4lPz/5rdqYNdPaD0b0iCAD0CKF5tP1ae6Vcdl5Bx/FoqbcV5sXxW+17rADrnesA63ru\
    E3qSsl5T";

#[tokio::test]
async fn a_key_pair_is_imported_from_ber_and_not_with_explicit_parameters() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let wanted = json!({ "Origin": "EXTERNAL", "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" });
    let id = kms.id(wanted).await;
    let algorithm = "RSA_AES_KEY_WRAP_SHA_256";
    let explicit = STANDARD.decode(EXPLICIT).expect("base 64");
    let refused = kms.code("ImportKeyMaterial", import_request(&kms, &id, algorithm, &explicit).await).await;
    assert_eq!(refused, "IncorrectKeyMaterialException");
    let pair = signature::EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING).expect("a pair");
    let der = pair.to_pkcs8v1().expect("PKCS #8").as_ref().to_vec();
    // The outer sequence has one byte of length in DER, or two. In BER it may be open-ended.
    let content = if der[1] < 0x80 { &der[2..] } else { &der[3..] };
    let ber = [&[0x30, 0x80][..], content, &[0, 0]].concat();
    kms.call("ImportKeyMaterial", import_request(&kms, &id, algorithm, &ber).await).await;
    let parameters = json!({ "KeyId": id, "Message": encoded("text"), "SigningAlgorithm": "ECDSA_SHA_256" });
    let theirs = decoded(&kms.call("Sign", parameters).await["Signature"]);
    let public = signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let checker = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, public);
    checker.verify(b"text", &theirs).expect("a good signature");
    // The same pair in DER is the same material.
    kms.call("ImportKeyMaterial", import_request(&kms, &id, algorithm, &der).await).await;
}

#[tokio::test]
async fn each_import_has_a_wrapping_key_of_its_own() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let ask = json!({ "KeyId": id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048" });
    let one = kms.call("GetParametersForImport", ask.clone()).await;
    let mut two = kms.call("GetParametersForImport", ask.clone()).await;
    // The process has two keys, and other tests may ask for one in between.
    for _ in 0..20 {
        if two["PublicKey"] != one["PublicKey"] {
            break;
        }
        two = kms.call("GetParametersForImport", ask.clone()).await;
    }
    assert_ne!(one["PublicKey"], two["PublicKey"]);
    let wrapped = encoded(oaep(&decoded(&one["PublicKey"]), &OAEP_SHA256_MGF1SHA256, &[1; 32]));
    let with_token = |token: &Value| json!({ "KeyId": id, "ImportToken": token, "EncryptedKeyMaterial": wrapped, "ExpirationModel": FOREVER });
    assert_eq!(kms.code("ImportKeyMaterial", with_token(&two["ImportToken"])).await, "InvalidCiphertextException");
    kms.call("ImportKeyMaterial", with_token(&one["ImportToken"])).await;
}
