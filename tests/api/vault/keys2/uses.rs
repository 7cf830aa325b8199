//! `GET /v1/vault/keys2/{id}/uses`: where a source key is used.

use crate::support::appliance::{id, subject};
use crate::support::client::Client;
use crate::support::kms_fixture::{HOME, KmsFixture, aws_id};
use serde_json::{Value, json};

const KEYS: &str = "/v1/vault/keys2";

fn uses(client: &Client, source: &Value, query: &str) -> Vec<Value> {
    let list = client.get(&format!("{KEYS}/{}/uses{query}", id(source))).expect(200);
    assert_eq!(list["total"], list["resources"].as_array().map_or(0, Vec::len), "{list}");
    list["resources"].as_array().expect("rows").clone()
}

#[test]
fn the_keys_materials_and_stores_of_a_source_key_are_listed() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let body = json!({"name": "source", "algorithm": "aes", "size": 256, "usageMask": 12, "unexportable": true,
        "undeletable": true});
    let source = fixture.create_source_key(body);
    assert_eq!(uses(admin, &source, ""), Vec::<Value>::new());
    let upload = |alias: &str| json!({"kms": "fixture", "region": HOME, "source_key_identifier": source["id"], "aws_param": {"Alias": alias}});
    let key = fixture.create_at("/v1/cckm/aws/upload-key", upload("one"));
    let other = fixture.create_at("/v1/cckm/aws/upload-key", upload("two"));
    let newer = admin.post(&format!("{KEYS}/source/versions"), json!({})).expect(201);
    fixture.change(&key, "rotate-material", json!({"source_key_identifier": newer["id"]}));
    let store = json!({"name": "store", "kms": "fixture", "region": HOME,
        "aws_param": {"xks_proxy_uri_endpoint": "https://xks.example.com"},
        "local_hosted_params": {"health_check_key_id": source["id"], "max_credentials": 2}});
    let store = admin.post("/v1/cckm/aws/custom-key-stores", store).expect(201);
    let made = json!({"source_key_id": source["id"], "source_key_tier": "local"});
    let virtual_key = admin.post("/v1/cckm/virtual/keys", made).expect(201);

    let rows = uses(admin, &newer, "");
    let short = |row: &Value| {
        let text = |member: &str| row[member].as_str().unwrap_or_default().to_owned();
        (
            text("kind"),
            row["source_key_version"].as_u64(),
            row["current"] == true,
            text("key_id"),
            text("custom_key_store_id"),
        )
    };
    let material =
        |version, current, key: &Value| ("material".to_owned(), Some(version), current, id(key), String::new());
    let expected = [
        material(1, true, &key),
        material(0, false, &key),
        material(0, true, &other),
        ("virtual_key".to_owned(), Some(0), true, id(&virtual_key), String::new()),
        ("health_check".to_owned(), Some(0), true, String::new(), id(&store)),
    ];
    assert_eq!(rows.iter().map(short).collect::<Vec<_>>(), expected);
    assert_eq!(
        (&rows[2]["keyid"], &rows[2]["alias"], &rows[2]["kms"]),
        (&json!(aws_id(&other)), &json!(["alias/two"]), &json!("fixture"))
    );
    assert!(rows[0]["key_material_id"].is_string() && rows[0]["imported_at"].is_string(), "{}", rows[0]);
    // Each version says the same; filters and pages restrict it.
    assert_eq!(uses(admin, &source, ""), rows);
    assert_eq!(uses(admin, &source, &format!("?source_key_id={}", id(&newer))), rows[..1]);
    assert_eq!(uses(admin, &source, "?kind=health_check&kind=virtual_key"), rows[3..]);
    assert_eq!(uses(admin, &source, "?kind=MATERIAL&kms=fixture"), uses(admin, &source, "?kind=material"));
    let page = admin.get(&format!("{KEYS}/source/uses?skip=1&limit=1")).expect(200);
    assert_eq!((&page["total"], &page["resources"][0]), (&json!(5), &rows[1]));
    admin.get(&format!("{KEYS}/source/uses?kind=tea")).refused(400, "NCERRInvalidParamValue");
    admin.get(&format!("{KEYS}/none/uses")).refused(404, "NCERRResourceNotFound");

    // A user sees the uses in keys that the user may view.
    let ann = fixture.appliance.user("ann");
    ann.get(&format!("{KEYS}/source/uses")).refused(403, "NCERRInsufficientPermissions");
    let permit = |actions: Value, permit: bool| {
        let entry = json!({"user_id": subject(&ann), "actions": actions, "permit": permit});
        admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", fixture.kms), entry).expect(200);
    };
    permit(json!(["keyupload"]), true);
    assert_eq!(uses(&ann, &source, ""), rows[..3]);
    permit(json!(["viewbyok"]), false);
    assert_eq!(uses(&ann, &source, ""), Vec::<Value>::new());
}
