//! `/v1/cckm/virtual/keys`

use super::aws::hyok_keys::{Prepared, prepared};
use crate::support::appliance::{id, subject};
use crate::support::client::Client;
use serde_json::{Value, json};

const VIRTUAL: &str = "/v1/cckm/virtual/keys";
const CREATE: &str = "/v1/cckm/aws/create-hyok-key";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const KEYS: &str = "/v1/cckm/aws/keys";
const NONE: &str = "00000000-0000-4000-8000-000000000000";

fn make(prepared: &Prepared) -> Value {
    prepared.admin.post(VIRTUAL, json!({"source_key_id": prepared.source, "source_key_tier": "local"})).expect(201)
}

fn hyok(prepared: &Prepared, source: &str, alias: &str) -> Value {
    json!({"aws_param": {"Alias": alias},
        "local_hosted_params": {"custom_key_store_id": prepared.store, "source_key_id": source}})
}

fn ids(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{VIRTUAL}?{query}")).expect(200);
    list["resources"].as_array().expect("rows").iter().map(id).collect()
}

fn permit(prepared: &Prepared, user: &Client, actions: Value) {
    let acl = json!({"user_id": subject(user), "actions": actions, "permit": true});
    prepared.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", prepared.kms), acl).expect(200);
}

#[test]
fn a_virtual_key_is_made_changed_and_deleted() {
    let prepared = prepared();
    let admin = &prepared.admin;
    let made = make(&prepared);
    let path = format!("{VIRTUAL}/{}", id(&made));
    assert_eq!(admin.get(&path).expect(200), made);
    let mut shown = made.clone();
    for member in ["id", "uri", "account", "application", "devAccount", "createdAt", "updatedAt"] {
        let value = shown.as_object_mut().expect("members").remove(member);
        assert!(value.is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty())), "{member}: {made}");
    }
    let rest = json!({"name": "hyok", "source_key_id": prepared.source, "source_key_tier": "local", "deletable": false,
        "version": 1, "partition_id": "", "partition_label": ""});
    assert_eq!(shown, rest);
    let versions = admin.get(&format!("{path}/versions")).expect(200);
    let only = &versions["resources"][0];
    assert_eq!((&versions["total"], &only["version"], &only["state"]), (&json!(1), &json!(1), &json!("active")));
    assert_eq!(only["source_key_id"], json!(prepared.source));

    // Its source key stays, even if that may be deleted.
    let source = format!("/v1/vault/keys2/{}", prepared.source);
    admin.patch(&source, json!({"undeletable": false})).expect(200);
    admin.delete(&format!("{STORES}/{}", prepared.store)).expect(204);
    assert!(admin.delete(&source).refused(409, "NCERRConflict").contains(&id(&made)));
    admin.delete(&path).refused(409, "NCERRConflict");
    assert_eq!(admin.patch(&path, json!({})).expect(200), made);
    assert_eq!(admin.patch(&path, json!({"deletable": true})).expect(200)["deletable"], true);
    admin.delete(&path).expect(204);
    admin.delete(&source).expect(204);
    admin.get(&path).refused(404, "NCERRResourceNotFound");
    admin.delete(&path).refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_hyok_key_is_created_with_a_virtual_key_once_and_gets_its_id() {
    let mut prepared = prepared();
    let made = make(&prepared);
    let path = format!("{VIRTUAL}/{}", id(&made));
    prepared.appliance.kill();
    prepared.appliance.restart();
    prepared.admin = prepared.appliance.admin();
    let admin = &prepared.admin;
    assert_eq!(admin.get(&path).expect(200), made, "it survives a kill");
    let key = admin.post(CREATE, hyok(&prepared, &id(&made), "first")).expect(201);
    assert_eq!((id(&key), &key["local_hosted_params"]["source_key_id"]), (id(&made), &json!(prepared.source)));
    assert_eq!(key["local_hosted_params"]["xks_key_id"], made["id"]);
    let again = admin.post(CREATE, hyok(&prepared, &id(&made), "second"));
    assert_eq!((again.status, &again.body["reason"]), (409, &json!("virtual_key_in_use")), "{}", again.text);
    assert_eq!(again.body["member"], "local_hosted_params.source_key_id");

    // It is now a view of the HYOK key.
    let shown = admin.get(&path).expect(200);
    assert_eq!(
        (&shown["name"], &shown["version"], &shown["createdAt"]),
        (&json!("first"), &json!(1), &key["createdAt"])
    );
    admin.post(&format!("{KEYS}/{}/rotate", id(&key)), json!({})).expect(200);
    assert_eq!(admin.get(&path).expect(200)["version"], 2);
    let versions = |path: &str| admin.get(&format!("{path}/versions")).expect(200);
    assert_eq!(versions(&path), versions(&format!("{KEYS}/{}", id(&key))));
    admin.patch(&path, json!({"deletable": true})).refused(409, "NCERRConflict");
    assert_eq!(admin.patch(&path, json!({"deletable": false})).expect(200)["deletable"], false);
    admin.delete(&path).refused(409, "NCERRConflict");
    admin.delete(&format!("{KEYS}/{}", id(&key))).expect(204);
    admin.get(&path).refused(404, "NCERRResourceNotFound");

    // A HYOK key that was created without one has one too.
    let other = admin.post(CREATE, hyok(&prepared, &prepared.source, "other")).expect(201);
    assert_eq!(admin.get(&format!("{VIRTUAL}/{}", id(&other))).expect(200)["name"], "other");
    let spare = make(&prepared);
    assert_eq!(ids(admin, ""), [id(&other), id(&spare)]);
    assert_eq!(ids(admin, "sort=-createdAt"), [id(&spare), id(&other)]);
    assert_eq!(ids(admin, "name=oth*"), [id(&other)]);
    assert_eq!(ids(admin, &format!("id={}", id(&spare))), [id(&spare)]);
    assert_eq!(ids(admin, &format!("source_key_id={}&limit=1&skip=1", prepared.source)), [id(&spare)]);
    assert_eq!(ids(admin, &format!("source_key_id={NONE}")), [] as [String; 0]);
}

#[test]
fn the_rights_are_those_of_hyok_keys() {
    let prepared = prepared();
    let (admin, ann, bob) = (&prepared.admin, prepared.appliance.user("ann"), prepared.appliance.user("bob"));
    let spare = make(&prepared);
    let path = format!("{VIRTUAL}/{}", id(&spare));
    let body = json!({"source_key_id": prepared.source});
    ann.get(&path).refused(403, "NCERRInsufficientPermissions");
    ann.post(VIRTUAL, body.clone()).refused(403, "NCERRInsufficientPermissions");
    assert_eq!(ids(&ann, ""), [] as [String; 0]);
    permit(&prepared, &ann, json!(["hyokkeycreate"]));
    // The action brings the view.
    let made = ann.post(VIRTUAL, body).expect(201);
    assert_eq!(ids(&ann, ""), [id(&spare), id(&made)]);
    ann.patch(&path, json!({"deletable": true})).refused(403, "NCERRInsufficientPermissions");
    ann.delete(&path).refused(403, "NCERRInsufficientPermissions");
    permit(&prepared, &ann, json!(["keyupdate", "hyokkeydelete"]));
    ann.patch(&path, json!({"deletable": true})).expect(200);
    ann.delete(&path).expect(204);

    // That of a HYOK key is seen with viewhyokkey on the KMS of the key.
    let key = id(&admin.post(CREATE, hyok(&prepared, &id(&made), "held")).expect(201));
    let elsewhere = prepared.appliance.kms("elsewhere", &["eu-west-1"]);
    let acl = json!({"user_id": subject(&bob), "actions": ["viewhyokkey"], "permit": true});
    admin.post(&format!("/v1/cckm/aws/kms/{elsewhere}/update-acls"), acl).expect(200);
    bob.get(&format!("{VIRTUAL}/{key}")).refused(404, "NCERRResourceNotFound");
    assert_eq!(ids(&bob, ""), [] as [String; 0]);
    ann.get(&format!("{VIRTUAL}/{key}")).expect(200);
    assert_eq!(ids(&ann, ""), [key]);
}

#[test]
fn invalid_requests_name_the_member_and_change_nothing() {
    let prepared = prepared();
    let admin = &prepared.admin;
    let exportable = json!({"name": "exportable", "algorithm": "AES", "size": 256, "undeletable": true});
    let exportable = id(&admin.post("/v1/vault/keys2", exportable).expect(201));
    for (body, status, member) in [
        (json!({}), 400, "source_key_id"),
        (json!({"source_key_id": "x"}), 400, "source_key_id"),
        (json!({"source_key_id": NONE}), 404, "source_key_id"),
        (json!({"source_key_id": exportable}), 422, "source_key_id"),
        (json!({"source_key_id": prepared.source, "source_key_tier": "luna-hsm"}), 422, "source_key_tier"),
        (json!({"source_key_id": prepared.source, "source_key_tier": "dsm"}), 400, "source_key_tier"),
    ] {
        let answer = admin.post(VIRTUAL, body.clone());
        assert_eq!((answer.status, &answer.body["member"]), (status, &json!(member)), "{body}: {}", answer.text);
    }
    assert_eq!(ids(admin, ""), [] as [String; 0]);
    let made = make(&prepared);
    let path = format!("{VIRTUAL}/{}", id(&made));
    admin.patch(&path, json!({"deletable": "yes"})).expect(400);
    for nothing in [NONE, "x"] {
        let path = format!("{VIRTUAL}/{nothing}");
        admin.get(&path).refused(404, "NCERRResourceNotFound");
        admin.get(&format!("{path}/versions")).refused(404, "NCERRResourceNotFound");
        admin.patch(&path, json!({"deletable": true})).refused(404, "NCERRResourceNotFound");
        admin.delete(&path).refused(404, "NCERRResourceNotFound");
    }
    admin.get(&format!("{VIRTUAL}?version=1")).expect(400);
    admin.post(&format!("{VIRTUAL}?dry_run=true"), json!({"source_key_id": prepared.source})).expect(201);
    assert_eq!(ids(admin, ""), [id(&made)]);
}
