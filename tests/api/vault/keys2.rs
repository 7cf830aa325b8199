//! `/v1/vault/keys2`: source keys are created, exported with an event, and shredded on deletion; their material is
//! nowhere in the clear.

mod export;
mod lifecycle;
mod uses;
mod versions;

use crate::support::appliance::{Appliance, id, program, run_to_end, subject};
use crate::support::client::Client;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const KEYS: &str = "/v1/vault/keys2";
/// 32 bytes that do not occur by chance.
const MATERIAL: &[u8; 32] = b"seven zebras ate my green bicyc!";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn at(key: &Value) -> String {
    format!("{KEYS}/{}", id(key))
}

fn make(client: &Client, body: Value) -> Value {
    client.post(KEYS, body).expect(201)
}

/// A body, and the algorithm, size, curve, object type and usage of the resulting source key.
fn kinds() -> Vec<(Value, Value)> {
    let kind = |asked, algorithm, size, curve: Option<&str>, kind, usage| {
        (asked, json!([algorithm, size, curve, kind, usage]))
    };
    let (symmetric, private) = ("Symmetric Key", "Private Key");
    vec![
        kind(json!({}), "AES", 256, None, symmetric, 12),
        kind(json!({"algorithm": "AES", "size": 128, "usageMask": 4}), "AES", 128, None, symmetric, 4),
        kind(json!({"algorithm": "aes", "size": 192}), "AES", 192, None, symmetric, 12),
        kind(json!({"algorithm": "rsa"}), "RSA", 2048, None, private, 15),
        kind(json!({"algorithm": "RSA", "size": 3072}), "RSA", 3072, None, private, 15),
        kind(json!({"algorithm": "rsa", "size": 4096}), "RSA", 4096, None, private, 15),
        kind(json!({"algorithm": "ec"}), "EC", 384, Some("secp384r1"), private, 3),
        kind(json!({"algorithm": "EC", "curveid": "secp256r1"}), "EC", 256, Some("secp256r1"), private, 3),
        kind(json!({"algorithm": "ec", "curveid": "secp521r1", "size": 521}), "EC", 521, Some("secp521r1"), private, 3),
        kind(json!({"algorithm": "ec", "curveid": "secp256k1"}), "EC", 256, Some("secp256k1"), private, 3),
        kind(json!({"algorithm": "hmac-sha256"}), "HMAC-SHA256", 256, None, symmetric, 384),
        kind(json!({"algorithm": "HMAC-SHA384"}), "HMAC-SHA384", 384, None, symmetric, 384),
        kind(json!({"algorithm": "hmac-sha512", "size": 384}), "HMAC-SHA512", 384, None, symmetric, 384),
    ]
}

#[test]
fn every_kind_is_made_found_and_read_back_by_an_export() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    for (number, (mut asked, expected)) in kinds().into_iter().enumerate() {
        let name = format!("key {number}/é");
        asked["name"] = json!(name);
        let key = make(&admin, asked);
        let shown = ["algorithm", "size", "curveid", "objectType", "usageMask"].map(|member| key[member].clone());
        assert_eq!(json!(shown), expected);
        assert_eq!(key["uri"], format!("kylo:kylo:vault:keys:{name}-v0"));
        assert_eq!(
            (&key["state"], &key["origin"], &key["neverExported"]),
            (&json!("Active"), &json!("generated"), &json!(true))
        );
        assert_eq!(key["publickey"].is_string(), expected[3] == "Private Key");
        assert!(key.get("material").is_none());
        assert_eq!(admin.get(&at(&key)).expect(200), key);

        let export = admin.post(&format!("{}/export", at(&key)), json!({"encoding": "base64"})).expect(200);
        let mut twin = json!({"algorithm": key["algorithm"], "size": key["size"], "material": export["material"]});
        if key["curveid"].is_string() {
            twin["curveid"] = key["curveid"].clone();
        }
        let twin = make(&admin, twin);
        assert_eq!(twin["origin"], "brought");
        assert_eq!(twin["name"], format!("ks-{}", id(&twin)));
        assert_eq!(
            (&twin["sha256Fingerprint"], twin.get("publickey")),
            (&key["sha256Fingerprint"], key.get("publickey"))
        );
    }
    finding(&admin);
}

fn finding(admin: &Client) {
    let total = |query: &str| admin.get(&format!("{KEYS}?{query}")).expect(200)["total"].as_u64().expect("a total");
    let all = 2 * kinds().len() as u64;
    assert_eq!(total(""), all);
    assert_eq!((total("name=key%20*"), total("state=Active"), total("state=Destroyed")), (all / 2, all, 0));
    assert_eq!((total("algorithm=AES"), total("algorithm=aes&size=192"), total("algorithm=hmac-SHA512")), (6, 2, 2));
    assert_eq!((total("curveid=secp521r1"), total("size=256&algorithm=ec")), (2, 4));
    let page = admin.get(&format!("{KEYS}?sort=-size,name&limit=1")).expect(200);
    assert_eq!(page["resources"][0]["size"], 4096);

    let by_name = format!("{KEYS}/key%200%2F%C3%A9");
    let key = admin.get(&by_name).expect(200);
    assert_eq!(admin.get(&format!("{by_name}?type=name")).expect(200), key);
    assert_eq!(admin.get(&format!("{}?type=id", at(&key))).expect(200), key);
    admin.get(&format!("{by_name}?type=id")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{}?type=name", at(&key))).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{by_name}?type=alias")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{by_name}?type=slug")).refused(400, "NCERRInvalidParamValue");

    // A key whose name is the id of another key does not hide that key.
    let id = id(&key);
    let impostor = make(admin, json!({"name": id}));
    assert_eq!(admin.get(&format!("{KEYS}/{id}")).expect(200), key);
    assert_eq!(admin.get(&format!("{KEYS}/{id}?type=name")).expect(200), impostor);
}

#[test]
fn keys_are_imported_changed_exported_and_shredded() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    let body =
        json!({"name": "zebra", "format": "raw", "material": hex(MATERIAL), "labels": {"team": "a"}, "meta": ""});
    let zebra = make(&admin, body);
    // The digest was computed with another program.
    assert_eq!(zebra["sha256Fingerprint"], ZEBRA_SHA_256);
    assert_eq!((&zebra["labels"], &zebra["meta"]), (&json!({"team": "a"}), &json!({})));
    let export = format!("{}/export", at(&zebra));
    let said = admin.post(&export, json!({})).expect(200);
    assert_eq!(
        (&said["material"], &said["encoding"], &said["format"]),
        (&json!(hex(MATERIAL)), &json!("hex"), &json!("raw"))
    );
    assert_eq!(said["neverExported"], false);

    let rsa = PrivateDecryptingKey::generate(KeySize::Rsa3072).expect("a key");
    let der = rsa.as_der().expect("DER");
    let body = json!({"name": "rsa", "algorithm": "rsa", "size": 3072, "format": "PKCS8", "material": STANDARD.encode(der.as_ref())});
    let rsa = make(&admin, body);
    // The body is optional.
    let pem = admin.send(Method::POST, &format!("{}/export?type=id", at(&rsa)), None);
    assert_eq!(pem.headers["cache-control"], "no-store");
    let pem = pem.expect(200)["material"].as_str().expect("PEM").to_owned();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n") && pem.ends_with("\n-----END PRIVATE KEY-----\n"));
    assert_eq!(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>(), STANDARD.encode(der.as_ref()));

    assert_nowhere_in_the_clear(&appliance, &[MATERIAL, der.as_ref()]);
    appliance.terminate();
    appliance.restart();
    let admin = appliance.admin();
    assert_eq!(admin.post(&export, json!({"encoding": "HEX"})).expect(200)["material"], hex(MATERIAL));
    let exports: Vec<_> =
        events(&appliance, &zebra).into_iter().filter(|line| line["event"].to_string().contains("Exported")).collect();
    assert_eq!(exports.len(), 2);
    assert!(exports.iter().all(|line| line["actor"] == "admin" && line["actor_id"] == subject(&admin)), "{exports:?}");

    described(&admin, &zebra);
    deleted(&appliance, &admin, &zebra, &rsa);
}

fn described(admin: &Client, zebra: &Value) {
    let updated = admin.patch(&at(zebra), json!({"meta": {"owner": 7}, "name": "zebra"})).expect(200);
    assert_eq!((&updated["labels"], &updated["meta"]), (&json!({"team": "a"}), &json!({"owner": 7})));
    assert_eq!(updated["unexportable"], false);
    assert!(updated["updatedAt"].as_str() > zebra["updatedAt"].as_str());
    assert_eq!(admin.patch(&format!("{KEYS}/zebra"), json!({"unexportable": true})).expect(200)["unexportable"], true);
    assert_eq!(admin.patch(&at(zebra), json!({"unexportable": true})).expect(200)["unexportable"], true);
    let said = admin.patch(&at(zebra), json!({"unexportable": false})).refused(409, "NCERRConflict");
    assert_eq!(said, "source key `zebra` is unexportable, and stays so: its material leaves only into AWS keys");
    let said = admin.post(&format!("{}/export", at(zebra)), json!({})).refused(409, "NCERRConflict");
    assert!(said.contains("`zebra` is unexportable"), "{said}");
    for fixed in ["name", "algorithm", "curveid", "material"] {
        let said = admin.patch(&at(zebra), json!({fixed: "another"})).refused(400, "NCERRInvalidParamValue");
        assert!(said.starts_with(&format!("{fixed}: cannot be changed")), "{said}");
    }
}

fn deleted(appliance: &Appliance, admin: &Client, zebra: &Value, rsa: &Value) {
    let kept = make(admin, json!({"name": "kept", "undeletable": true}));
    let said = admin.delete(&at(&kept)).refused(409, "NCERRConflict");
    assert_eq!(said, "source key `kept`: key is not deletable");

    for key in [zebra, rsa] {
        assert_eq!(data_keys(appliance, key).len(), 1);
        admin.delete(&format!("{}?dry_run=true", at(key))).expect(204);
        assert_eq!(data_keys(appliance, key).len(), 1);
        admin.delete(&at(key)).expect(204);
        assert_eq!(data_keys(appliance, key), Vec::<PathBuf>::new());
        admin.get(&at(key)).refused(404, "NCERRResourceNotFound");
        admin.delete(&at(key)).refused(404, "NCERRResourceNotFound");
        admin.post(&format!("{}/export", at(key)), json!({})).refused(404, "NCERRResourceNotFound");
    }
    assert_eq!(data_keys(appliance, &kept).len(), 1);
    // The name is available again.
    make(admin, json!({"name": "zebra"}));
}

#[test]
fn invalid_requests_are_refused_and_change_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    make(&admin, json!({"name": "taken"}));
    let exact = "material: must be 32 bytes for aes of 256 bits: 64 hexadecimal digits, or 44 characters of base64";
    let aes = "material: must be a key in hexadecimal digits or base64; the sizes of aes in bits are 128, 192, 256";
    let key = "material: must be an unencrypted private key in PKCS#8, PKCS#1 or SEC1, as PEM or its DER in base64";
    let table = [
        (json!({"name": " padded"}), "name: must not begin or end with white space"),
        (json!({"name": "x".repeat(256)}), "name: must not be longer than 255 characters, and this one has 256"),
        (
            json!({"algorithm": "des"}),
            "algorithm: `des` is not one of `aes`, `rsa`, `ec`, `hmac-sha256`, `hmac-sha384`, `hmac-sha512`",
        ),
        (json!({"size": 512}), "size: 512 is not a size of `aes`: 128, 192, 256 are"),
        (json!({"algorithm": "rsa", "size": 1024}), "size: 1024 is not a size of `rsa`: 2048, 3072, 4096 are"),
        (
            json!({"algorithm": "ec", "size": 384, "curveid": "secp256r1"}),
            "size: 384 is not the size of `secp256r1`, which is 256",
        ),
        (
            json!({"algorithm": "ec", "curveid": "x"}),
            "curveid: `x` is not one of `secp256r1`, `secp384r1`, `secp521r1`, `secp256k1`",
        ),
        (json!({"curveid": "secp256r1"}), "curveid: is for the algorithm `ec` only, not for `aes`"),
        (json!({"usageMask": 4_194_304}), "usageMask: must be a sum of bits up to 4194303, and 4194304 is more"),
        (json!({"labels": ["a"]}), "labels: must be a JSON object"),
        (json!({"meta": {"m": "x".repeat(17_000)}}), "meta: must not be longer than 16384 bytes, and has 17008"),
        (json!({"format": "pkcs8"}), "format: `pkcs8` is not one of `raw`"),
        (json!({"algorithm": "ec", "format": "pkcs12"}), "format: `pkcs12` is not one of `pkcs8`, `pkcs1`"),
        (json!({"objectType": "Secret Data"}), "objectType: `Secret Data` is not one of `Symmetric Key`"),
        (json!({"encoding": "pem"}), "encoding: `pem` is not one of `hex`, `base64`"),
        (json!({"material": "00", "size": 256}), exact),
        (json!({"material": "00"}), aes),
        (json!({"material": "zz".repeat(32)}), aes),
        (json!({"material": "=".repeat(44)}), aes),
        (json!({"algorithm": "rsa", "material": "?"}), key),
        (json!({"algorithm": "rsa", "material": "AAAA"}), key),
    ];
    for (body, expected) in table {
        assert_eq!(admin.post(KEYS, body).refused(400, "NCERRInvalidParamValue"), expected);
    }
    for body in [
        json!({"size": -1}),
        json!({"size": "big"}),
        json!({"unexportable": "yes"}),
        json!({"material": {}}),
        json!([]),
    ] {
        admin.post(KEYS, body).refused(400, "NCERRBadRequest");
    }
    admin.post(KEYS, json!({"material": "0".repeat(2_000_000)})).refused(413, "NCERRRequestTooLarge");
    let said = admin.post(KEYS, json!({"name": "taken"})).refused(409, "NCERRConflict");
    assert_eq!(said, "name: there is a source key named `taken` already; choose another name");

    let export = format!("{KEYS}/taken/export");
    for body in [json!({"encoding": "pem"}), json!({"format": "pkcs8"}), json!({"format": "pkcs1"})] {
        admin.post(&export, body).refused(400, "NCERRInvalidParamValue");
    }
    admin.send(Method::POST, &export, Some(b"[]".to_vec())).refused(400, "NCERRBadRequest");
    admin.get(&format!("{KEYS}/nothing")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{KEYS}?sort=material")).refused(400, "NCERRInvalidParamValue");

    // A dry run shows the result, stores nothing and returns no material.
    let seen = admin.post(&format!("{KEYS}?dry_run=true"), json!({"name": "dry"})).expect(201);
    assert_eq!(seen["name"], "dry");
    assert_eq!(data_keys(&appliance, &seen).len(), 0);
    let seen = admin.post(&format!("{export}?dry_run=true"), json!({})).expect(200);
    assert_eq!((&seen["name"], seen.get("material")), (&json!("taken"), None));
    assert_eq!(admin.get(&format!("{KEYS}/taken")).expect(200)["neverExported"], true);
    assert_eq!(admin.get(KEYS).expect(200)["total"], 1);
}

#[test]
fn key_administrators_manage_source_keys_and_users_of_material_see_them() {
    let appliance = Appliance::start();
    let (admin, manager) = (appliance.admin(), appliance.member("mia", &["CCKM Admins"]));
    let key = make(&manager, json!({"name": "shared"}));
    manager.post(&format!("{}/export", at(&key)), json!({})).expect(200);
    appliance.nobody().get(KEYS).refused(401, "NCERRUnauthorized");

    let ann = appliance.user("ann");
    let kms = appliance.kms("lab", &["eu-west-1"]);
    let permit = |action: &str, permit: bool| {
        let body = json!({"user_id": subject(&ann), "actions": [action], "permit": permit});
        admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), body).expect(200);
    };
    let said = ann.get(KEYS).refused(403, "NCERRInsufficientPermissions");
    assert!(said.contains("`keyupload` or `keymaterialimport`"), "{said}");
    permit("keycreate", true);
    ann.get(&at(&key)).refused(403, "NCERRInsufficientPermissions");
    for action in ["keyupload", "keymaterialimport"] {
        permit(action, true);
        assert_eq!(ann.get(KEYS).expect(200)["total"], 1);
        assert_eq!(ann.get(&at(&key)).expect(200)["name"], "shared");
        ann.post(KEYS, json!({})).refused(403, "NCERRInsufficientPermissions");
        ann.patch(&at(&key), json!({})).refused(403, "NCERRInsufficientPermissions");
        ann.post(&format!("{}/export", at(&key)), json!({})).refused(403, "NCERRInsufficientPermissions");
        ann.delete(&at(&key)).refused(403, "NCERRInsufficientPermissions");
        permit(action, false);
        ann.get(KEYS).refused(403, "NCERRInsufficientPermissions");
    }
}

/// `printf %s 'seven zebras ate my green bicyc!' | sha256sum`
const ZEBRA_SHA_256: &str = "4f9a5b8b6473739ed4c9c111cc3b344535f2bd99fef4a51a9e80471a284b542c";

/// Asserts that no file has the material, as bytes or in any usual encoding.
fn assert_nowhere_in_the_clear(appliance: &Appliance, materials: &[&[u8]]) {
    let mut texts: Vec<(PathBuf, Vec<u8>)> =
        files(&appliance.data()).into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect();
    texts.push((PathBuf::from("the log"), appliance.log().into_bytes()));
    let data = appliance.data();
    let (code, output, _) = run_to_end(program().args(["events", "--data"]).arg(&data));
    assert_eq!(code, Some(0));
    assert!(output.contains("source-key/"), "{output}");
    texts.push((PathBuf::from("the events"), output.into_bytes()));
    let has = |text: &[u8], needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    // The search works: it finds the name, which is not secret and occurs in the ledger and in the events.
    assert!(texts.iter().filter(|(_, text)| has(text, b"zebra")).count() >= 2);
    for material in materials {
        // The excerpt begins at a multiple of three bytes, so base64 encodes it as it does alone.
        let start = material.len() / 6 * 3;
        let part = &material[start..start + 15];
        for needle in [part.to_vec(), hex(part).into_bytes(), STANDARD.encode(part).into_bytes()] {
            for (path, text) in &texts {
                assert!(!has(text, &needle), "{}", path.display());
            }
        }
    }
}

/// The events of a source key, by `claviger events`.
fn events(appliance: &Appliance, key: &Value) -> Vec<Value> {
    let (data, stream) = (appliance.data(), format!("source-key/{}", id(key)));
    let (code, output, errors) = run_to_end(program().args(["events", "--stream", &stream, "--data"]).arg(&data));
    assert_eq!(code, Some(0), "{errors}");
    output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The files of the keyring with the id of a source key.
fn data_keys(appliance: &Appliance, key: &Value) -> Vec<PathBuf> {
    files(&appliance.data()).into_iter().filter(|path| path.to_string_lossy().contains(&id(key))).collect()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// To ignore such a member would answer material in the clear to a client that asked for its protection.
#[test]
fn what_asks_for_protection_and_is_not_built_is_refused_by_name() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let key = admin.post(KEYS, json!({"name": "payroll"})).expect(201);
    let export = format!("{KEYS}/{}/export", id(&key));
    for (member, value) in [
        ("wrapPBE", json!({"purpose": "a password"})),
        ("wrappingHashAlgo", json!("sha256")),
        ("macSignKeyIdentifier", json!("mac")),
        ("password", json!("a password")),
        ("wrapWithALaterMethod", json!(true)),
        // These are built for exports only.
        ("wrapKeyName", json!("kek")),
        ("wrappingMethod", json!("encrypt")),
        ("padded", json!(true)),
    ] {
        if !["wrapKeyName", "wrappingMethod", "padded"].contains(&member) {
            let message = admin.post(&export, json!({member: value})).refused(400, "NCERRBadRequest");
            assert!(message.starts_with(member) && !message.contains("a password"), "{message}");
        }
        let body = json!({"name": "other", "material": hex(MATERIAL), member: value});
        let message = admin.post(KEYS, body).refused(400, "NCERRBadRequest");
        assert!(message.starts_with(member) && !message.contains("a password"), "{message}");
    }
    assert_eq!(admin.get(&format!("{KEYS}/{}", id(&key))).expect(200)["neverExported"], true, "nothing was exported");
    for member in ["destroyDate", "offset", "emptyMaterial"] {
        let message = admin.post(KEYS, json!({member: 1})).refused(400, "NCERRBadRequest");
        assert!(message.starts_with(member), "{message}");
    }
    // Clients that send every member send these values for what their user left out.
    let nothing = json!({"wrapKeyName": "", "padded": false, "idSize": 0, "wrapPBE": null, "secretDataLink": [],
        "wrapRSAAES": {}, "pemWrap": false, "wrappingMethod": ""});
    admin.post(&export, nothing.clone()).expect(200);
    admin.patch(&format!("{KEYS}/{}", id(&key)), nothing).expect(200);
}
