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
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

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
        assert_eq!(
            (&row["source_key_tier"], &row["last_import_status"]),
            (&json!("local"), &json!("success")),
            "{row}"
        );
        assert!(row["last_import_at"].is_string() && row["local_key_id"] == row["source_key_identifier"], "{row}");
        let name = if row["source_key_identifier"] == first["id"] { "first" } else { "second" };
        assert_eq!(row["source_key_name"], name, "{row}");
        row["source_key_identifier"].clone()
    };
    assert_eq!((sources("CURRENT"), sources("PENDING_ROTATION")), (first["id"].clone(), second["id"].clone()));
    let rows = fixture.admin.get(&at(&key, "rotations")).expect(200)["resources"].take();
    assert_eq!(rows[0]["aws_param"]["KeyMaterialState"], "PENDING_ROTATION", "the newest first: {rows}");
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
    let new =
        fixture.post(&old, "rotate", json!({"source_key_id": second["id"], "source_key_tier": "local"})).expect(200);
    assert_eq!(fixture.read(&new), new);
    assert_brought(&new, &second);
    assert_eq!((&new["rotated_from"], aws(&new, "Alias")), (&old["id"], &json!(["alias/byok"])));
    assert_eq!(fixture.read(&old)["rotated_to"], new["id"]);
    let third = fixture.post(&new, "rotate", json!({"source_key_identifier": "first"})).expect(200);
    assert_brought(&third, &first);
    // Without a source key, one is made.
    let end = in_days(9);
    let fourth = fixture.post(&third, "rotate", json!({"key_expiration": true, "valid_to": end})).expect(200);
    assert_brought(&fourth, &made_source(&fixture, &fourth, &[&first, &second]));
    assert_eq!(aws(&fourth, "ValidTo").as_str().map(|at| &at[..19]), Some(&end[..19]));
    // A tier of source keys asks for one too.
    let native = fixture.create(json!({}));
    let brought = fixture.post(&native, "rotate", json!({"source_key_tier": "local"})).expect(200);
    assert_brought(&brought, &made_source(&fixture, &brought, &[&first, &second]));
    fixture.assert_agreement();
}

fn in_days(days: i64) -> String {
    (Utc::now() + TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The source key of a key, which is none of these.
#[track_caller]
fn made_source(fixture: &KmsFixture, key: &Value, others: &[&Value]) -> Value {
    let id = key["local_key_id"].as_str().unwrap_or_else(|| panic!("it has no source key: {key}"));
    assert!(others.iter().all(|other| other["id"] != id), "{key}");
    fixture.admin.get(&format!("/v1/vault/keys2/{id}")).expect(200)
}

/// The source keys of a key's materials by the state of the material.
fn sources(fixture: &KmsFixture, key: &Value) -> BTreeMap<String, String> {
    let rows = fixture.admin.get(&at(key, "rotations")).expect(200)["resources"].take();
    let rows = rows.as_array().expect("rows").iter().map(|row| {
        let state = row["aws_param"]["KeyMaterialState"].as_str().expect("a state");
        (state.to_owned(), row["source_key_identifier"].as_str().unwrap_or_default().to_owned())
    });
    rows.collect()
}

#[test]
fn an_import_without_a_source_key_makes_one_that_fits() {
    let fixture = KmsFixture::new();
    for (spec, usage) in [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("RSA_3072", "SIGN_VERIFY"),
        ("ECC_NIST_P384", "SIGN_VERIFY"),
        ("HMAC_384", "GENERATE_VERIFY_MAC"),
    ] {
        let key = fixture.create(json!({"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage}));
        let end = in_days(9);
        let body = json!({"source_key_tier": "local", "key_expiration": true, "valid_to": end});
        let filled = fixture.change(&key, "import-material", body);
        let source = made_source(&fixture, &filled, &[]);
        assert_brought(&filled, &source);
        assert_eq!(aws(&filled, "ValidTo").as_str().map(|at| &at[..19]), Some(&end[..19]), "{spec}");
        // AWS takes the same material only, once the key has lost it.
        assert_waits(&fixture.change(&key, "delete-material", json!({})));
        assert_brought(&fixture.change(&key, "import-material", json!({})), &source);
        if spec == "SYMMETRIC_DEFAULT" {
            let both = fixture.change(&key, "import-material", json!({}));
            assert_eq!((&both["local_key_id"], aws(&both, "KeyState")), (&source["id"], &json!("Enabled")));
            let sources = sources(&fixture, &key);
            assert!(sources["PENDING_ROTATION"] != sources["CURRENT"] && !sources["PENDING_ROTATION"].is_empty());
        }
    }
    assert_eq!(fixture.admin.get("/v1/vault/keys2").expect(200)["total"], 5);
    // A source key whose material AWS has refused is deleted again.
    let key = fixture.create(json!({"Origin": "EXTERNAL"}));
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "ImportKeyMaterial", "answer": "deny"}]));
    fixture.post(&key, "import-material", json!({})).refused(502, "NCERRCloudError");
    assert_eq!(fixture.admin.get("/v1/vault/keys2").expect(200)["total"], 5);
    let dry = fixture.post(&key, "import-material?dry_run=true", json!({}));
    assert_eq!((dry.status, fixture.read(&key)["aws_param"]["KeyState"].clone()), (200, json!("PendingImport")));
    assert_eq!(fixture.admin.get("/v1/vault/keys2").expect(200)["total"], 5);
}

#[test]
fn material_is_imported_and_rotated_to_in_one_call() {
    let fixture = KmsFixture::new();
    let (first, second) =
        (fixture.create_source_key(json!({"name": "first"})), fixture.create_source_key(json!({"name": "second"})));
    let key = upload(&fixture, &first, json!({}));
    let status = || fixture.admin.get(&at(&key, "rotate-material/status"));
    status().refused(404, "NCERRResourceNotFound");
    let end = in_days(9);
    let body = json!({"source_key_identifier": "second", "source_key_tier": "local", "key_expiration": true,
        "valid_to": end, "key_material_description": "the second one"});
    let rotated = fixture.change(&key, "rotate-material", body);
    assert_brought(&rotated, &second);
    assert_eq!(aws(&rotated, "ValidTo").as_str().map(|at| &at[..19]), Some(&end[..19]));
    assert_eq!(status().expect(200), json!({"overall_status": "success", "error_details": ""}));
    let id = |source: &Value| source["id"].as_str().expect("an id").to_owned();
    let expected = [("CURRENT", id(&second)), ("NON_CURRENT", id(&first))].map(|(state, id)| (state.to_owned(), id));
    assert_eq!(sources(&fixture, &key), BTreeMap::from(expected));
    let rows = fixture.admin.get(&at(&key, "rotations")).expect(200)["resources"].take();
    assert!(rows.to_string().contains("the second one"), "{rows}");

    // Without a body: the material that waits, or that of a new source key.
    let third = fixture.create_source_key(json!({"name": "third"}));
    fixture.change(
        &key,
        "import-material",
        json!({"source_key_identifier": "third", "import_type": "NEW_KEY_MATERIAL"}),
    );
    assert_brought(&fixture.change(&key, "rotate-material", json!({})), &third);
    let fourth = fixture.change(&key, "rotate-material", json!({}));
    assert_brought(&fourth, &made_source(&fixture, &fourth, &[&first, &second, &third]));
}

#[test]
fn a_rotation_whose_import_or_last_step_fails_says_what_is_left() {
    let fixture = KmsFixture::new();
    let first = fixture.create_source_key(json!({"name": "first"}));
    fixture.create_source_key(json!({"name": "second"}));
    let key = upload(&fixture, &first, json!({}));
    let status = || fixture.admin.get(&at(&key, "rotate-material/status")).expect(200);
    let body = json!({"source_key_identifier": "second"});
    let deny = |operation: &str| {
        fixture.lab.set_faults(&json!([{"service": "kms", "operation": operation, "answer": "deny"}]));
    };
    deny("ImportKeyMaterial");
    fixture.post(&key, "rotate-material", body.clone()).refused(502, "NCERRCloudError");
    let failed = status();
    assert_eq!(failed["overall_status"], "failed");
    assert!(failed["error_details"].as_str().is_some_and(|text| text.contains("AccessDenied")), "{failed}");
    assert!(fixture.read(&key)["rotation_status"].as_str().is_some_and(|status| status.starts_with("FAILED: ")));
    deny("RotateKeyOnDemand");
    let message = fixture.post(&key, "rotate-material", body).refused(502, "NCERRCloudError");
    assert!(
        message.ends_with("the material was imported, and the next rotation makes it the current one"),
        "{message}"
    );
    assert_eq!(status()["overall_status"], "failed");
    let rotated = fixture.change(&key, "rotate-material", json!({}));
    assert_eq!((&rotated["local_key_name"], status()["overall_status"].clone()), (&json!("second"), json!("success")));
    // Nothing is imported into a key that AWS would not rotate then.
    fixture.change(&key, "disable", json!({}));
    let calls = fixture.lab.calls("kms:ImportKeyMaterial");
    let message = fixture.post(&key, "rotate-material", json!({"source_key_identifier": "first"}));
    assert!(message.refused(409, "NCERRConflict").contains("Disabled"));
    assert_eq!(fixture.lab.calls("kms:ImportKeyMaterial"), calls);
}

#[test]
fn replicas_get_later_materials_too_and_know_their_sources() {
    let mut fixture = KmsFixture::new();
    let (first, second) =
        (fixture.create_source_key(json!({"name": "first"})), fixture.create_source_key(json!({"name": "second"})));
    let end = in_days(9);
    let body = json!({"key_expiration": true, "valid_to": end, "aws_param": {"MultiRegion": true}});
    let primary = upload(&fixture, &first, body);
    let replica = fixture.create_at(&at(&primary, "replicate-key"), json!({"replica_region": AWAY}));
    assert_brought(&replica, &first);
    assert_eq!(aws(&replica, "ValidTo"), aws(&primary, "ValidTo"));
    let new = json!({"source_key_identifier": "second", "import_type": "NEW_KEY_MATERIAL"});
    fixture.change(&primary, "import-material", new);
    let id = |source: &Value| source["id"].as_str().expect("an id").to_owned();
    let states = |current: &Value, other: &str, of: &Value| {
        BTreeMap::from([("CURRENT".to_owned(), id(current)), (other.to_owned(), id(of))])
    };
    for key in [&primary, &replica] {
        assert_eq!(sources(&fixture, key), states(&first, "PENDING_ROTATION", &second));
        assert_eq!(fixture.read(key)["local_key_id"], first["id"], "the other one is not current yet");
    }
    // AWS says which material it was, although the request does not.
    let again = json!({"source_key_identifier": "second", "import_type": "EXISTING_KEY_MATERIAL"});
    fixture.change(&replica, "import-material", again);
    assert_eq!(sources(&fixture, &replica), states(&first, "PENDING_ROTATION", &second));
    assert_eq!(fixture.read(&replica)["local_key_id"], first["id"]);
    assert_brought(&fixture.change(&primary, "rotate-material", json!({})), &second);
    assert_eq!(sources(&fixture, &replica), states(&second, "NON_CURRENT", &first));
    let third = fixture.change(&primary, "rotate-material", json!({"source_key_tier": "local"}));
    assert_brought(&third, &made_source(&fixture, &third, &[&first, &second]));

    // What AWS refuses at first is made up for later.
    let other = upload(&fixture, &first, json!({"aws_param": {"MultiRegion": true}}));
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "ImportKeyMaterial", "region": AWAY,
        "answer": "deny"}]));
    let waiting = fixture.create_at(&at(&other, "replicate-key"), json!({"replica_region": AWAY}));
    assert_waits(&waiting);
    fixture.appliance.kill();
    fixture.restart();
    let deadline = Instant::now() + Duration::from_secs(20);
    while aws(&fixture.read(&waiting), "KeyState") != "Enabled" {
        assert!(Instant::now() < deadline, "{}", fixture.appliance.log());
        thread::sleep(Duration::from_millis(50));
    }
    assert_brought(&fixture.read(&waiting), &first);
    fixture.assert_agreement();
}

#[test]
fn a_replica_of_a_key_with_our_material_gets_the_same_material() {
    let fixture = KmsFixture::new();
    let (source, other) =
        (fixture.create_source_key(json!({"name": "family"})), fixture.create_source_key(json!({"name": "other"})));
    let primary = upload(&fixture, &source, json!({"aws_param": {"MultiRegion": true}}));
    let replica = fixture.create_at(&at(&primary, "replicate-key"), json!({"replica_region": AWAY}));
    assert_brought(&replica, &source);
    let message = fixture.post(&replica, "import-material", json!({"source_key_identifier": other["id"]}));
    message.refused(502, "NCERRCloudError");
    // Clients that import the material themselves find it there.
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

const MESSAGE: &[u8] = b"made with the material";

#[test]
fn aws_decrypts_what_was_encrypted_with_the_source_keys_material() {
    let fixture = KmsFixture::new();
    let source = fixture.create_source_key(json!({"name": "proof"}));
    let key = upload(&fixture, &source, json!({}));
    let material = exported(&fixture.admin, &source);
    let (id, context) = (aws_id(&key), r#"{"purpose":"proof"}"#);
    // The format is documented in `src/lab/kms/crypto.rs`.
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &material).expect("32 bytes"));
    let material_id = digest(&SHA256, &[id.as_bytes(), &material].concat());
    let header = [&[1, 2, 2, 0, 0x78][..], material_id.as_ref(), &[1], &[9; 16]].concat();
    let (nonce, mut sealed) = ([7; NONCE_LEN], [&[0; 11], MESSAGE].concat());
    let authenticated = [&header[..], context.as_bytes()].concat();
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(authenticated), &mut sealed)
        .expect("a ciphertext");
    let envelope = envelope(&nonce, &sealed);
    let length = u32::try_from(envelope.len()).expect("a short text");
    let blob = [&header[..], &length.to_be_bytes(), &envelope].concat();
    let ask = json!({"CiphertextBlob": STANDARD.encode(blob), "EncryptionContext": {"purpose": "proof"}});
    assert_eq!(bytes(&fixture.lab.kms(HOME, "Decrypt", &ask)["Plaintext"]), MESSAGE);
    assert_eq!(aws(&key, "CurrentKeyMaterialId"), &json!(hex(material_id.as_ref())));
}

/// The CMS encrypted data of a short ciphertext: all lengths have one byte.
fn envelope(nonce: &[u8], sealed: &[u8]) -> Vec<u8> {
    let length = u8::try_from(sealed.len()).expect("a short text");
    let head = [0x30, 65 + length, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6, 0xa0, 52 + length];
    let content = [0x30, 50 + length, 2, 1, 0, 0x30, 45 + length, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let algorithm = [0x30, 0x1e, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2e, 0x30, 0x11, 4, 12];
    [&head[..], &content, &algorithm, nonce, &[2, 1, 16, 0x80, length], sealed].concat()
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
