//! `/v1/vault/keys2/{id}/versions`, clones, aliases and filters.

use super::{KEYS, MATERIAL, at, data_keys, hex, make};
use crate::support::appliance::{Appliance, id};
use crate::support::client::Client;
use crate::support::kms_fixture::{HOME, KmsFixture};
use serde_json::{Value, json};

fn version(client: &Client, key: &Value, body: Value) -> Value {
    client.post(&format!("{}/versions", at(key)), body).expect(201)
}

fn total(client: &Client, query: &str) -> u64 {
    client.get(&format!("{KEYS}?{query}")).expect(200)["total"].as_u64().expect("a total")
}

#[test]
fn versions_share_a_name_and_have_material_of_their_own() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let labels = json!({"team": "a"});
    let first = make(&admin, json!({"name": "payroll", "size": 256, "labels": labels, "usageMask": 4}));
    let second = version(&admin, &first, json!({"encoding": "base64"}));
    assert_eq!((&first["version"], &second["version"]), (&json!(0), &json!(1)));
    assert_eq!((&second["name"], &second["uri"]), (&json!("payroll"), &json!("kylo:kylo:vault:keys:payroll-v1")));
    assert_eq!((&second["labels"], &second["usageMask"], &second["size"]), (&labels, &json!(4), &json!(256)));
    assert_ne!(second["id"], first["id"]);
    assert_ne!(second["sha256Fingerprint"], first["sha256Fingerprint"]);
    let third = version(&admin, &second, json!({"material": hex(MATERIAL), "format": "raw"}));
    assert_eq!((&third["version"], &third["origin"]), (&json!(2), &json!("brought")));
    let export = admin.post(&format!("{KEYS}/payroll/export?type=name"), json!({})).expect(200);
    assert_eq!(export["material"], hex(MATERIAL), "a name stands for the newest version");
    assert_eq!((&export["format"], &export["version"]), (&json!("raw"), &json!(2)));

    let all = admin.get(&format!("{}/versions", at(&first))).expect(200);
    let ids: Vec<&Value> = all["resources"].as_array().expect("rows").iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [&first["id"], &second["id"], &third["id"]]);
    let page = admin.get(&format!("{KEYS}/payroll/versions?sort=-version&limit=1")).expect(200);
    assert_eq!((&page["total"], &page["resources"][0]["version"]), (&json!(3), &json!(2)));

    let by = |path: &str| admin.get(&format!("{KEYS}/{path}")).expect(200)["version"].clone();
    assert_eq!((by("payroll"), by("payroll?version=1"), by("payroll?version=-1")), (json!(2), json!(1), json!(2)));
    assert_eq!(by(&format!("{}?version=-1", id(&first))), 2);
    assert_eq!(by("kylo:kylo:vault:keys:payroll-v1?type=uri"), 1);
    admin.get(&format!("{KEYS}/payroll?version=3")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{KEYS}/payroll?version=newest")).refused(400, "NCERRInvalidParamValue");
    assert_eq!((total(&admin, "name=payroll"), total(&admin, "version=-1")), (3, 1));
    assert_eq!(admin.get(&format!("{KEYS}?version=-1")).expect(200)["resources"][0]["id"], third["id"]);

    // Versions are revoked and deleted one by one.
    admin.post(&format!("{}/revoke", at(&second)), json!({"reason": "Superseded"})).expect(200);
    assert_eq!((total(&admin, "state=Active"), total(&admin, "state=Deactivated")), (2, 1));
    admin.delete(&format!("{KEYS}/payroll")).expect(204);
    assert_eq!((data_keys(&appliance, &third).len(), data_keys(&appliance, &second).len()), (0, 1));
    assert_eq!(admin.get(&format!("{KEYS}/payroll")).expect(200)["id"], second["id"]);
    let said = admin.post(KEYS, json!({"name": "payroll"})).refused(409, "NCERRConflict");
    assert!(said.contains("named `payroll` already"), "{said}");
}

#[test]
fn a_version_is_of_the_kind_of_its_key_and_as_protected() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let key = make(&admin, json!({"name": "kept", "undeletable": true, "unexportable": true}));
    let second = version(&admin, &key, json!({}));
    assert_eq!((&second["undeletable"], &second["unexportable"]), (&json!(true), &json!(true)));
    let versions = format!("{}/versions", at(&key));
    for (body, text) in [
        (json!({"algorithm": "rsa"}), "algorithm: must be that of the source key"),
        (json!({"size": 128}), "size: must be that of the source key"),
        (json!({"name": "other"}), "name: must be that of the source key"),
        (json!({"material": "00".repeat(16)}), "material: must be 32 bytes"),
    ] {
        let said = admin.post(&versions, body).refused(400, "NCERRInvalidParamValue");
        assert!(said.starts_with(text), "{said}");
    }
    admin.post(&versions, json!({"wrapKeyName": "kek"})).refused(400, "NCERRBadRequest");
    admin.post(&versions, json!({"name": "kept", "algorithm": "AES", "offset": 0})).expect(201);
    assert_eq!(total(&admin, "name=kept"), 3);
}

#[test]
fn an_import_takes_the_newest_version_of_a_name_and_exactly_the_version_of_an_id() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let first = fixture.create_source_key(json!({"name": "root"}));
    let second = version(admin, &first, json!({}));
    for (source, expected) in [("root".to_owned(), &second), (id(&first), &first), (id(&second), &second)] {
        let body = json!({"kms": "fixture", "region": HOME, "source_key_identifier": source});
        let key = admin.post("/v1/cckm/aws/upload-key", body).expect(201);
        assert_eq!((&key["local_key_id"], &key["local_key_name"]), (&expected["id"], &json!("root")));
    }
}

#[test]
fn a_clone_has_the_material_and_a_name_of_its_own() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let key = make(&admin, json!({"name": "a", "material": hex(MATERIAL), "description": "d", "meta": {"m": 1}}));
    let clone = format!("{}/clone", at(&key));
    let twin = admin.post(&format!("{clone}?includeMaterial=false"), json!({"newKeyName": "b", "meta": {"n": 2}}));
    let twin = twin.expect(201);
    for same in ["sha256Fingerprint", "description", "algorithm", "usageMask", "origin", "neverExported"] {
        assert_eq!(twin[same], key[same], "{same}");
    }
    assert_eq!((&twin["name"], &twin["version"]), (&json!("b"), &json!(0)));
    assert_eq!(twin["meta"], json!({"m": 1, "n": 2}));
    admin.post(&clone, json!({"newKeyName": "a"})).refused(409, "NCERRConflict");
    let said = admin.post(&format!("{clone}?includeMaterial=true"), json!({})).refused(400, "NCERRInvalidParamValue");
    assert_eq!(said, "includeMaterial: is not supported; export the clone");
    // The material of one outlives the other's.
    admin.post(&format!("{}/destroy", at(&key)), json!({})).expect(200);
    assert_eq!(admin.post(&format!("{}/export", at(&twin)), json!({})).expect(200)["material"], hex(MATERIAL));
    let named = admin.post(&format!("{}/clone", at(&twin)), json!({})).expect(201);
    assert_eq!((&named["name"], &named["neverExported"]), (&json!(format!("ks-{}", id(&named))), &json!(false)));
}

#[test]
fn attributes_and_aliases_are_kept_changed_and_found() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let uuid = "0b90f8de-8617-498d-ad63-ca18eb717ae7";
    let body = json!({"name": "a", "description": "payroll", "uuid": uuid, "muid": "m-1", "keyId": "42",
        "objectType": "Symmetric Key", "aliases": [{"alias": "one", "type": "string"}, {"alias": "x:y", "type": "uri"}]});
    let key = make(&admin, body);
    let aliases = json!([{"alias": "one", "index": 0, "type": "string"}, {"alias": "x:y", "index": 1, "type": "uri"}]);
    assert_eq!(key["aliases"], aliases);
    let shown = ["description", "uuid", "muid", "keyId", "format"].map(|member| key[member].clone());
    assert_eq!(json!(shown), json!(["payroll", uuid, "m-1", "42", "raw"]));
    assert_eq!(admin.get(&format!("{KEYS}/x:y?type=alias")).expect(200), key);
    let plain = make(&admin, json!({"name": "b", "algorithm": "ec"}));
    assert_eq!((&plain["uuid"], &plain["muid"]), (&plain["id"], &plain["id"]));
    assert_eq!((&plain["format"], &plain["keyId"]), (&json!("pkcs8"), &json!("")));

    let change = json!({"description": "d", "muid": "m-2", "keyId": 43.to_string(), "uuid": uuid,
        "aliases": [{"index": 0}, {"alias": "two"}]});
    let changed = admin.patch(&at(&key), change).expect(200);
    let aliases = json!([{"alias": "x:y", "index": 1, "type": "uri"}, {"alias": "two", "index": 2, "type": "string"}]);
    assert_eq!((&changed["aliases"], &changed["muid"], &changed["keyId"]), (&aliases, &json!("m-2"), &json!("43")));
    let said = admin.post(KEYS, json!({"aliases": [{"alias": "two"}]})).refused(409, "NCERRConflict");
    assert_eq!(said, "aliases: a source key with the alias `two` exists already");
    version(&admin, &key, json!({"aliases": [{"alias": "two"}]}));
    for body in [
        json!({"uuid": "7"}),
        json!({"keyId": "x"}),
        json!({"aliases": [{}]}),
        json!({"aliases": [{"alias": "a", "type": "x"}]}),
    ] {
        admin.post(KEYS, body.clone()).refused(400, "NCERRInvalidParamValue");
        admin.patch(&at(&plain), body).refused(400, "NCERRInvalidParamValue");
    }

    for (query, expected) in [
        (format!("uuid={uuid}"), 1),
        (format!("uuid={}", id(&plain)), 1),
        ("muid=m-2".to_owned(), 1),
        ("muid=m-1".to_owned(), 0),
        ("keyId=43".to_owned(), 1),
        ("version=0".to_owned(), 2),
        ("version=1".to_owned(), 1),
        ("version=-1".to_owned(), 2),
        ("objectType=Private%20Key".to_owned(), 1),
        ("alias=t*".to_owned(), 2),
        ("neverExported=false".to_owned(), 0),
        ("createdAfter=2020-01-01T00:00:00Z".to_owned(), 3),
        ("createdBefore=2020-01-01T00:00:00Z".to_owned(), 0),
        (format!("createdAfter={}", key["createdAt"].as_str().expect("a time")), 2),
        (format!("createdBefore={}", plain["createdAt"].as_str().expect("a time")), 1),
        ("deactivationAfter=2020-01-01T00:00:00Z".to_owned(), 0),
    ] {
        assert_eq!(total(&admin, &query), expected, "{query}");
    }
    for query in ["createdAfter=yesterday", "objectType=Certificate", "state=active%20"] {
        admin.get(&format!("{KEYS}?{query}")).refused(400, "NCERRInvalidParamValue");
    }
}

/// What a client sends without a size is taken for what it is, and comes back in the formats that clients ask for.
#[test]
fn material_comes_in_and_goes_out_in_every_form() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let hmac = make(&admin, json!({"algorithm": "hmac-sha256", "material": "6b".repeat(48)}));
    assert_eq!((&hmac["size"], &hmac["algorithm"]), (&json!(384), &json!("HMAC-SHA256")));
    let made = make(&admin, json!({"algorithm": "hmac-sha512", "size": 1024}));
    let export = |key: &Value, body: Value| admin.post(&format!("{}/export", at(key)), body).expect(200);
    assert_eq!(export(&made, json!({}))["material"].as_str().map(str::len), Some(256));
    let base64 = export(&hmac, json!({"format": "base64"}));
    assert_eq!((&base64["encoding"], &base64["format"]), (&json!("base64"), &json!("raw")));
    assert_eq!(export(&hmac, json!({"format": "base64", "encoding": "hex"}))["material"], "6b".repeat(48));

    for (body, label) in [
        (json!({"algorithm": "rsa", "size": 3072}), "RSA PRIVATE KEY"),
        (json!({"algorithm": "ec", "curveid": "secp521r1"}), "EC PRIVATE KEY"),
    ] {
        let key = make(&admin, body.clone());
        let traditional = export(&key, json!({"format": "pkcs1"}));
        let text = traditional["material"].as_str().expect("PEM");
        assert!(text.starts_with(&format!("-----BEGIN {label}-----\n")), "{text}");
        assert_eq!(traditional["format"], "pkcs1");
        let bundle = format!("\u{feff}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\nkey:\n{text}");
        let again = make(&admin, json!({"algorithm": body["algorithm"], "material": bundle.replace('\n', "\r\n")}));
        for same in ["sha256Fingerprint", "size", "algorithm", "publickey"] {
            assert_eq!(again[same], key[same], "{same}");
        }
        assert_eq!(export(&again, json!({}))["material"], export(&key, json!({"format": "PKCS8"}))["material"]);
    }
}
