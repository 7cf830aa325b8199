//! Bring your own key: material of source keys in AWS keys, its expiration, reimport and deletion; and the proof that
//! AWS uses exactly that material.

use crate::support::client::Client;
use crate::support::kms_fixture::{AWAY, HOME, KmsFixture, at, aws, aws_id};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, RsaKeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

/// The body for a source key, the key spec for its material, and a key usage.
fn kinds() -> Vec<(Value, &'static str, &'static str)> {
    let rsa = |size: u32| json!({"algorithm": "rsa", "size": size});
    let ec = |curve: &str| json!({"algorithm": "ec", "curveid": curve});
    vec![
        (json!({"algorithm": "aes", "size": 256}), "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        (rsa(2048), "RSA_2048", "SIGN_VERIFY"),
        (rsa(3072), "RSA_3072", "ENCRYPT_DECRYPT"),
        (rsa(4096), "RSA_4096", "SIGN_VERIFY"),
        (ec("secp256r1"), "ECC_NIST_P256", "SIGN_VERIFY"),
        (ec("secp384r1"), "ECC_NIST_P384", "KEY_AGREEMENT"),
        (ec("secp521r1"), "ECC_NIST_P521", "SIGN_VERIFY"),
        (ec("secp256k1"), "ECC_SECG_P256K1", "SIGN_VERIFY"),
        (json!({"algorithm": "hmac-sha256"}), "HMAC_256", "GENERATE_VERIFY_MAC"),
        (json!({"algorithm": "hmac-sha384"}), "HMAC_384", "GENERATE_VERIFY_MAC"),
        (json!({"algorithm": "hmac-sha512"}), "HMAC_512", "GENERATE_VERIFY_MAC"),
    ]
}

fn upload(fixture: &KmsFixture, source: &Value, more: Value) -> Value {
    let mut body = json!({"kms": "fixture", "region": HOME, "source_key_identifier": source["id"],
        "source_key_tier": "local"});
    for (member, value) in more.as_object().expect("members") {
        body[member] = value.clone();
    }
    fixture.create_at("/v1/cckm/aws/upload-key", body)
}

/// Asserts that the key has the material of this source key, and that AWS uses it.
#[track_caller]
fn assert_brought(key: &Value, source: &Value) {
    assert_eq!((aws(key, "KeyState"), aws(key, "Origin")), (&json!("Enabled"), &json!("EXTERNAL")), "{key}");
    assert_eq!((&key["key_source"], &key["key_material_origin"]), (&json!("local"), &json!("cckm")));
    assert_eq!((&key["local_key_id"], &key["local_key_name"]), (&source["id"], &source["name"]));
}

/// A key that is pending import.
#[track_caller]
fn assert_waits(key: &Value) {
    assert_eq!((aws(key, "KeyState"), aws(key, "Enabled")), (&json!("PendingImport"), &json!(false)), "{key}");
}

#[test]
fn every_kind_of_source_key_is_uploaded_and_imported() {
    let fixture = KmsFixture::new();
    for (wanted, spec, usage) in kinds() {
        let source = fixture.create_source_key(wanted);
        let key = upload(&fixture, &source, json!({"aws_param": {"KeyUsage": usage}}));
        assert_eq!((aws(&key, "KeySpec"), aws(&key, "KeyUsage")), (&json!(spec), &json!(usage)), "the spec follows");
        assert_brought(&key, &source);
        assert_eq!(aws(&key, "ExpirationModel"), "KEY_MATERIAL_DOES_NOT_EXPIRE");

        let waiting = fixture.create(json!({"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage}));
        assert_waits(&waiting);
        assert!(waiting.get("local_key_id").is_none());
        let filled = fixture.change(&waiting, "import-material", json!({"source_key_identifier": source["name"]}));
        assert_brought(&filled, &source);
        if spec.starts_with("RSA") || spec.starts_with("ECC") {
            let pem = |key: &Value| fixture.admin.get(&at(key, "download-public-key")).text;
            assert_eq!(pem(&key).trim(), source["publickey"].as_str().expect("a PEM").trim());
            assert_eq!(pem(&filled), pem(&key));
        }
    }
    assert_eq!(fixture.total("key_source=local&key_material_origin=cckm"), 2 * kinds().len() as u64);
    fixture.assert_agreement();
}

#[test]
fn material_that_expires_leaves_its_key_waiting_until_it_is_imported_again() {
    let fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({"name": "short"}));
    let end = (Utc::now() + TimeDelta::days(10)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let key = upload(&fixture, &source, json!({"key_expiration": true, "aws_param": {"ValidTo": end}}));
    assert_brought(&key, &source);
    assert_eq!(aws(&key, "ExpirationModel"), "KEY_MATERIAL_EXPIRES");
    assert_eq!(aws(&key, "ValidTo").as_str().map(|at| &at[..19]), Some(&end[..19]));
    let material = aws(&key, "CurrentKeyMaterialId").as_str().expect("an id").to_owned();

    fixture.lab.move_clock(11);
    assert_waits(&fixture.change(&key, "refresh", json!({})));
    let other = fixture.create_source_key(json!({"name": "other"}));
    let body = |source: &Value| json!({"source_key_identifier": source["id"], "import_type": "EXISTING_KEY_MATERIAL"});
    let message = fixture.post(&key, "import-material", body(&other)).refused(502, "NCERRCloudError");
    assert!(message.contains("IncorrectKeyMaterialException"), "{message}");
    let again = fixture.change(&key, "import-material", body(&source));
    assert_brought(&again, &source);
    assert_eq!((aws(&again, "ValidTo"), aws(&again, "CurrentKeyMaterialId")), (&Value::Null, &json!(material)));
    let waiting = fixture.change(&key, "delete-material", json!({"key_material_id": material}));
    assert_waits(&waiting);
    let mut body = body(&source);
    body["key_material_id"] = json!(material);
    assert_brought(&fixture.change(&key, "import-material", body), &source);
}

#[test]
fn new_material_waits_for_a_rotation_and_each_material_names_its_source() {
    let fixture = KmsFixture::new();
    let (first, second) =
        (fixture.create_source_key(json!({"name": "first"})), fixture.create_source_key(json!({"name": "second"})));
    let key = upload(&fixture, &first, json!({}));
    let body = json!({"source_key_identifier": "second", "import_type": "NEW_KEY_MATERIAL",
        "key_material_description": "the second one"});
    let both = fixture.change(&key, "import-material", body);
    assert_eq!(aws(&both, "CurrentKeyMaterialId"), aws(&key, "CurrentKeyMaterialId"));
    let sources = |state: &str| {
        let rows = fixture.admin.get(&at(&key, "rotations")).expect(200)["resources"].take();
        let row = rows.as_array().expect("rows").iter().find(|row| row["aws_param"]["KeyMaterialState"] == state);
        let row = row.unwrap_or_else(|| panic!("no {state} in {rows}")).clone();
        assert_eq!((&row["key_source"], &row["key_material_origin"]), (&json!("local"), &json!("cckm")), "{row}");
        row["source_key_identifier"].clone()
    };
    assert_eq!((sources("CURRENT"), sources("PENDING_ROTATION")), (first["id"].clone(), second["id"].clone()));
    let rotated = fixture.change(&key, "rotate-material", json!({}));
    assert_ne!(aws(&rotated, "CurrentKeyMaterialId"), aws(&key, "CurrentKeyMaterialId"));
    assert_eq!((sources("NON_CURRENT"), sources("CURRENT")), (first["id"].clone(), second["id"].clone()));
    assert_brought(&rotated, &second);

    // Without its older material the key cannot decrypt older ciphertexts, so AWS disables it.
    let old = aws(&key, "CurrentKeyMaterialId");
    assert_waits(&fixture.change(&key, "delete-material", json!({"key_material_id": old})));
    let body = json!({"source_key_identifier": "first", "import_type": "EXISTING_KEY_MATERIAL"});
    fixture.change(&key, "import-material", body);
    assert_eq!((sources("NON_CURRENT"), sources("CURRENT")), (first["id"].clone(), second["id"].clone()));
}

/// AWS's default for a key that has material.
#[test]
fn an_import_without_a_type_is_of_the_material_that_the_key_has() {
    let fixture = KmsFixture::new();
    let (source, other) =
        (fixture.create_source_key(json!({"name": "mine"})), fixture.create_source_key(json!({"name": "other"})));
    let now = Utc::now();
    let end = |days| (now + TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let key = upload(&fixture, &source, json!({"key_expiration": true, "aws_param": {"ValidTo": end(10)}}));
    let body = json!({"source_key_identifier": source["id"], "key_expiration": true, "valid_to": end(20),
        "import_type": ""});
    let later = fixture.change(&key, "import-material", body);
    assert_eq!(aws(&later, "ValidTo").as_str().map(|at| &at[..19]), Some(&end(20)[..19]));
    assert_brought(&later, &source);
    let refused = fixture.post(&key, "import-material", json!({"source_key_identifier": other["id"]}));
    assert!(refused.refused(502, "NCERRCloudError").contains("IncorrectKeyMaterialException"));
}

#[test]
fn material_is_deleted_and_comes_back() {
    let fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({"algorithm": "hmac-sha256"}));
    let key = upload(&fixture, &source, json!({}));
    assert_waits(&fixture.change(&key, "delete-material", json!({})));
    assert_brought(&fixture.change(&key, "import-material", json!({"source_key_identifier": source["id"]})), &source);
}

#[test]
fn a_key_with_our_material_is_replaced_by_one_with_other_material() {
    let fixture = KmsFixture::new();
    let (first, second) =
        (fixture.create_source_key(json!({"name": "first"})), fixture.create_source_key(json!({"name": "second"})));
    let old = upload(&fixture, &first, json!({"aws_param": {"Alias": "byok"}}));
    let message = fixture.post(&old, "rotate", json!({})).refused(400, "NCERRInvalidParamValue");
    assert!(message.starts_with("source_key_id"), "{message}");
    let new =
        fixture.post(&old, "rotate", json!({"source_key_id": second["id"], "source_key_tier": "local"})).expect(200);
    assert_eq!(fixture.read(&new), new);
    assert_brought(&new, &second);
    assert_eq!((&new["rotated_from"], aws(&new, "Alias")), (&old["id"], &json!(["alias/byok"])));
    assert_eq!(fixture.read(&old)["rotated_to"], new["id"]);
    let third = fixture.post(&new, "rotate", json!({"source_key_identifier": "first"})).expect(200);
    assert_brought(&third, &first);
    fixture.assert_agreement();
}

#[test]
fn a_replica_of_a_key_with_our_material_gets_the_same_material() {
    let fixture = KmsFixture::new();
    let (source, other) =
        (fixture.create_source_key(json!({"name": "family"})), fixture.create_source_key(json!({"name": "other"})));
    let primary = upload(&fixture, &source, json!({"aws_param": {"MultiRegion": true}}));
    let replica = fixture.create_at(&at(&primary, "replicate-key"), json!({"replica_region": AWAY}));
    assert_waits(&replica);
    let message = fixture.post(&replica, "import-material", json!({"source_key_identifier": other["id"]}));
    message.refused(502, "NCERRCloudError");
    let filled = fixture.change(&replica, "import-material", json!({"source_key_identifier": source["id"]}));
    assert_brought(&filled, &source);
    let sealed = fixture.lab.kms(HOME, "Encrypt", &json!({"KeyId": aws_id(&primary), "Plaintext": "QUJD"}));
    let opened = fixture.lab.kms(AWAY, "Decrypt", &json!({"CiphertextBlob": sealed["CiphertextBlob"]}));
    assert_eq!(opened["Plaintext"], "QUJD");
}

// --- The proof -----------------------------------------------------------------------------------------------------

/// The material of a source key: its bytes, or the PKCS #8 document.
fn exported(admin: &Client, source: &Value) -> Vec<u8> {
    let path = format!("/v1/vault/keys2/{}/export", source["id"].as_str().expect("an id"));
    let answer = admin.post(&path, json!({"encoding": "base64"})).expect(200);
    let text = answer["material"].as_str().expect("a text");
    STANDARD.decode(text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).expect("base64")
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("a text")).expect("base64")
}

const MESSAGE: &[u8] = b"only who has the material can have made this";

#[test]
fn aws_decrypts_what_was_encrypted_with_the_source_keys_material() {
    let fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({"name": "proof"}));
    let key = upload(&fixture, &source, json!({}));
    let material = exported(&fixture.admin, &source);
    let (id, context) = (aws_id(&key), r#"{"purpose":"proof"}"#);
    // The format is documented in `src/lab/kms/crypto.rs`.
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &material).expect("32 bytes"));
    let (nonce, mut sealed) = ([7; NONCE_LEN], MESSAGE.to_vec());
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context.as_bytes()), &mut sealed)
        .expect("a ciphertext");
    let material_id = digest(&SHA256, &[id.as_bytes(), &material].concat());
    let length = u8::try_from(id.len()).expect("a short id");
    let blob = [b"LAB1", &[length][..], id.as_bytes(), material_id.as_ref(), &nonce, &sealed].concat();
    let ask = json!({"CiphertextBlob": STANDARD.encode(blob), "EncryptionContext": {"purpose": "proof"}});
    assert_eq!(bytes(&fixture.lab.kms(HOME, "Decrypt", &ask)["Plaintext"]), MESSAGE);
    assert_eq!(aws(&key, "CurrentKeyMaterialId"), &json!(hex(material_id.as_ref())));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn signatures_and_codes_of_the_source_key_and_of_the_aws_key_are_the_same() {
    let fixture = KmsFixture::new();
    let lab = &fixture.lab;
    let message = STANDARD.encode(MESSAGE);

    let source = fixture.create_source_key(json!({"algorithm": "rsa", "size": 2048}));
    let key = upload(&fixture, &source, json!({"aws_param": {"KeyUsage": "SIGN_VERIFY"}}));
    let pair = RsaKeyPair::from_pkcs8(&exported(&fixture.admin, &source)).expect("an RSA key");
    let ask = json!({"KeyId": aws_id(&key), "Message": message, "SigningAlgorithm": "RSASSA_PSS_SHA_256"});
    let signed = bytes(&lab.kms(HOME, "Sign", &ask)["Signature"]);
    let public = UnparsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, signature::KeyPair::public_key(&pair));
    public.verify(MESSAGE, &signed).expect("its own signature");
    let mut own = vec![0; pair.public_modulus_len()];
    pair.sign(&signature::RSA_PSS_SHA256, &SystemRandom::new(), MESSAGE, &mut own).expect("a signature");
    assert_verified(&fixture, ask, "Verify", "Signature", &own);

    let source = fixture.create_source_key(json!({"algorithm": "ec", "curveid": "secp256r1"}));
    let key = upload(&fixture, &source, json!({"aws_param": {"KeyUsage": "SIGN_VERIFY"}}));
    let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &exported(&fixture.admin, &source));
    let pair = pair.expect("a P-256 key");
    let ask = json!({"KeyId": aws_id(&key), "Message": message, "SigningAlgorithm": "ECDSA_SHA_256"});
    let signed = bytes(&lab.kms(HOME, "Sign", &ask)["Signature"]);
    let public = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, signature::KeyPair::public_key(&pair));
    public.verify(MESSAGE, &signed).expect("its own signature");
    let own = pair.sign(&SystemRandom::new(), MESSAGE).expect("a signature");
    assert_verified(&fixture, ask, "Verify", "Signature", own.as_ref());

    let source = fixture.create_source_key(json!({"algorithm": "hmac-sha384"}));
    let key = upload(&fixture, &source, json!({}));
    let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA384, &exported(&fixture.admin, &source)), MESSAGE);
    let ask = json!({"KeyId": aws_id(&key), "Message": message, "MacAlgorithm": "HMAC_SHA_384"});
    assert_eq!(bytes(&lab.kms(HOME, "GenerateMac", &ask)["Mac"]), own.as_ref());
    assert_verified(&fixture, ask, "VerifyMac", "Mac", own.as_ref());
}

/// Asserts that AWS verifies a signature or MAC that was made with the source key, and rejects another one.
fn assert_verified(fixture: &KmsFixture, mut ask: Value, operation: &str, member: &str, own: &[u8]) {
    ask[member] = json!(STANDARD.encode(own));
    let answer = fixture.lab.kms(HOME, operation, &ask);
    assert!(answer["SignatureValid"] == true || answer["MacValid"] == true, "{answer}");
    ask["Message"] = json!(STANDARD.encode(b"something else"));
    assert_eq!(fixture.lab.try_kms(HOME, operation, &ask).0, 400);
}
