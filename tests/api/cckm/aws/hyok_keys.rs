//! `/v1/cckm/aws/create-hyok-key` and the operations on keys that AWS does not know yet, as the vendor's Terraform
//! provider uses them.

use super::custom_key_stores::source_key;
use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::Client;
use reqwest::Method;
use serde_json::{Value, json};

const KEYS: &str = "/v1/cckm/aws/keys";
const CREATE: &str = "/v1/cckm/aws/create-hyok-key";

pub(crate) struct Prepared {
    pub(crate) appliance: Appliance,
    pub(crate) admin: Client,
    pub(crate) kms: String,
    pub(crate) source: String,
    pub(crate) store: String,
}

pub(crate) fn prepared() -> Prepared {
    prepared_with(&[])
}

/// The same with these environment variables.
pub(crate) fn prepared_with(environment: &[(&str, &str)]) -> Prepared {
    let appliance = Appliance::start_with(environment);
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["us-east-1"]);
    let source = source_key(&admin, "hyok");
    let store = json!({"name": "xks", "kms": "kms", "region": "us-east-1",
        "aws_param": {"xks_proxy_uri_endpoint": "https://xks.example.com"},
        "local_hosted_params": {"health_check_key_id": source, "max_credentials": 2}});
    let store = id(&admin.post("/v1/cckm/aws/custom-key-stores", store).expect(201));
    Prepared { appliance, admin, kms, source, store }
}

impl Prepared {
    /// The body that the vendor's Terraform provider sends for a key without options.
    fn body(&self) -> Value {
        json!({
            "aws_param": {"Alias": "", "Description": null, "Policy": null, "Tags": null},
            "local_hosted_params": {"blocked": false, "custom_key_store_id": self.store, "linked_state": false,
                "source_key_id": self.source, "source_key_tier": "local"},
            "policytemplate": null, "key_admins": null, "key_users": null
        })
    }

    fn key(&self) -> Value {
        self.admin.post(CREATE, self.body()).expect(201)
    }

    fn post(&self, key: &Value, what: &str, body: Value) -> crate::support::client::Answer {
        self.admin.post(&format!("{KEYS}/{}/{what}", id(key)), body)
    }
}

#[test]
fn an_unlinked_key_has_the_members_that_the_vendors_provider_reads() {
    let prepared = prepared();
    let mut body = prepared.body();
    body["aws_param"] = json!({"Alias": "tf-hyok-1", "Description": "create description",
        "Tags": [{"TagKey": "TagKey1", "TagValue": "TagValue1"}]});
    body["local_hosted_params"]["blocked"] = json!(true);
    let key = prepared.admin.post(CREATE, body).expect(201);
    let (aws, local) = (&key["aws_param"], &key["local_hosted_params"]);
    assert_eq!((&key["linked_state"], &key["blocked"], &key["gone"]), (&json!(false), &json!(true), &json!(false)));
    assert_eq!((&key["custom_key_store_id"], &key["labels"]), (&json!(prepared.store), &json!({})));
    assert_eq!((&key["kms_id"], &key["region"]), (&json!(prepared.kms), &json!("us-east-1")));
    assert_eq!((&key["local_key_id"], &key["local_key_name"]), (&json!(prepared.source), &json!("hyok")));
    assert_eq!((&key["key_source"], &key["key_material_origin"]), (&json!("local"), &json!("cckm")));
    for empty in ["Arn", "KeyID", "CustomKeyStoreId"] {
        assert_eq!(aws[empty], "", "{empty}");
    }
    assert_eq!(aws["XksKeyConfiguration"], json!({"Id": ""}));
    assert_eq!((&aws["KeyState"], &aws["Enabled"]), (&json!("Enabled"), &json!(true)));
    assert_eq!((&aws["Origin"], &aws["KeySpec"]), (&json!("EXTERNAL_KEY_STORE"), &json!("SYMMETRIC_DEFAULT")));
    assert_eq!((&aws["Alias"], &aws["Description"]), (&json!(["alias/tf-hyok-1"]), &json!("create description")));
    assert_eq!(aws["Tags"], json!([{"TagKey": "TagKey1", "TagValue": "TagValue1"}]));
    assert_eq!(aws["Policy"]["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::123456789012:root");
    let expected = json!({"custom_key_store_id": prepared.store, "source_key_id": prepared.source,
        "source_key_tier": "local", "blocked": true, "linked_state": false, "version": 1, "xks_key_id": id(&key)});
    assert_eq!(*local, expected);
    assert_eq!(prepared.admin.get(&format!("{KEYS}/{}", id(&key))).expect(200), key);
    let listed = prepared.admin.get(&format!("{KEYS}?id={}", id(&key))).expect(200);
    assert_eq!(listed["resources"], json!([key]));
    for (filter, total) in [
        ("linked_state=false", 1),
        ("linked_state=true", 0),
        ("blocked=true", 1),
        ("origin=EXTERNAL_KEY_STORE", 1),
        (&format!("custom_key_store_id={}", prepared.store), 1),
        ("custom_key_store_name=xks", 1),
    ] {
        assert_eq!(prepared.admin.get(&format!("{KEYS}?{filter}")).expect(200)["total"], total, "{filter}");
    }
}

#[test]
fn a_key_is_blocked_and_unblocked_without_a_body_and_stays_so_over_a_restart() {
    let mut prepared = prepared();
    let key = prepared.key();
    let path = format!("{KEYS}/{}", id(&key));
    let send = |admin: &Client, what: &str| admin.send(Method::POST, &format!("{path}/{what}"), None).expect(200);
    for _ in 0..2 {
        assert_eq!(send(&prepared.admin, "block")["blocked"], true);
    }
    prepared.appliance.kill();
    prepared.appliance.restart();
    let admin = prepared.appliance.admin();
    let blocked = admin.get(&path).expect(200);
    assert_eq!((&blocked["blocked"], &blocked["local_hosted_params"]["blocked"]), (&json!(true), &json!(true)));
    assert_eq!(send(&admin, "unblock")["blocked"], false);
    let native = json!({"kms": "kms", "region": "us-east-1", "aws_param": {}});
    let native = id(&admin.post(KEYS, native).expect(201));
    let refused = admin.post(&format!("{KEYS}/{native}/block"), json!({}));
    assert_eq!((refused.status, &refused.body["reason"]), (400, &json!("key_not_hyok")));
}

#[test]
fn a_rotation_makes_a_version_of_the_same_source_key_or_takes_another() {
    let prepared = prepared();
    let key = prepared.key();
    let rotated = prepared.post(&key, "rotate", json!({"source_key_tier": "local"})).expect(200);
    assert_eq!(rotated["local_hosted_params"]["version"], 2);
    assert_eq!(rotated["local_hosted_params"]["source_key_id"], prepared.source);
    assert!(rotated["rotated_at"].is_string());
    let other = source_key(&prepared.admin, "other");
    let rotated = prepared.post(&key, "rotate", json!({"source_key_id": other})).expect(200);
    assert_eq!(rotated["local_hosted_params"]["version"], 3);
    assert_eq!((&rotated["local_key_id"], &rotated["local_key_name"]), (&json!(other), &json!("other")));
    let versions = prepared.admin.get(&format!("{KEYS}/{}/versions", id(&key))).expect(200);
    let rows = versions["resources"].as_array().expect("rows");
    let shown = |n: usize| {
        let row = &rows[n];
        (
            row["version"].clone(),
            row["state"].clone(),
            row["source_key_name"].clone(),
            row["source_key_version"].clone(),
        )
    };
    assert_eq!(versions["total"], 3);
    assert_eq!(shown(0), (json!(3), json!("active"), json!("other"), json!(1)));
    assert_eq!(shown(1), (json!(2), json!("retired"), json!("hyok"), json!(2)));
    assert_eq!(shown(2), (json!(1), json!("retired"), json!("hyok"), json!(1)));
    assert_eq!((&rows[1]["source_key_id"], &rows[1]["last_encrypt_at"]), (&json!(prepared.source), &json!(null)));
    let oldest_first = prepared.admin.get(&format!("{KEYS}/{}/versions?sort=version&limit=1", id(&key))).expect(200);
    assert_eq!(oldest_first["resources"][0]["version"], 1);
    for body in
        [json!({"retain_alias": true}), json!({"valid_to": "2030-01-01T00:00:00Z"}), json!({"description": "d"})]
    {
        let refused = prepared.post(&key, "rotate", body.clone());
        assert_eq!((refused.status, &refused.body["reason"]), (422, &json!("hyok_rotation_member")), "{body}");
    }
}

#[test]
fn what_needs_aws_waits_until_the_key_is_linked() {
    let prepared = prepared();
    let key = prepared.key();
    let before = prepared.admin.get(&format!("{KEYS}/{}", id(&key))).expect(200);
    let schedule = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "end_date": "2026-03-07T00:00:00Z"});
    let schedule = id(&prepared.admin.post("/v1/scheduler/job-configs", schedule).expect(201));
    for (what, body) in [
        ("enable", json!({})),
        ("disable", json!({})),
        ("update-description", json!({"description": "d"})),
        ("policy", json!({})),
        ("add-tags", json!({"tags": [{"tag_key": "a", "tag_value": "b"}]})),
        ("add-alias", json!({"alias": "a"})),
        ("schedule-deletion", json!({"days": 7})),
        ("refresh", json!({})),
        ("enable-rotation-job", json!({"job_config_id": schedule, "auto_rotate_key_source": "local"})),
        ("replicate-key", json!({"replica_region": "us-west-2"})),
    ] {
        let answer = prepared.post(&key, what, body);
        assert!([400, 409].contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
    }
    // A synchronisation does not take it for a key that AWS has deleted.
    let job = prepared.admin.post("/v1/cckm/aws/synchronization-jobs", json!({"kms": ["kms"]})).expect(202);
    let job = format!("/v1/cckm/aws/synchronization-jobs/{}", id(&job));
    while prepared.admin.get(&job).expect(200)["overall_status"] == "in_progress" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(prepared.admin.get(&format!("{KEYS}/{}", id(&key))).expect(200), before);
}

#[test]
fn a_key_keeps_its_store_and_its_source_key_until_it_is_deleted() {
    let prepared = prepared();
    let key = prepared.key();
    let store = format!("/v1/cckm/aws/custom-key-stores/{}", prepared.store);
    let refused = prepared.admin.delete(&store).refused(409, "NCERRConflict");
    assert!(refused.contains("1 keys"), "{refused}");
    let source = format!("/v1/vault/keys2/{}", prepared.source);
    prepared.admin.patch(&source, json!({"undeletable": false})).expect(200);
    let refused = prepared.admin.delete(&source).refused(409, "NCERRConflict");
    assert!(refused.contains(&id(&key)) && refused.contains("`xks`"), "{refused}");
    prepared.admin.delete(&format!("{KEYS}/{}", id(&key))).expect(204);
    prepared.admin.get(&format!("{KEYS}/{}", id(&key))).refused(404, "NCERRResourceNotFound");
    prepared.admin.delete(&store).expect(204);
    prepared.admin.delete(&source).expect(204);
}

#[test]
fn a_key_is_seen_with_viewhyokkey_and_each_right_is_needed() {
    let prepared = prepared();
    let ann = prepared.appliance.user("ann");
    let permit = |actions: Value| {
        let acls = json!({"acls": [{"user_id": subject(&ann), "actions": actions, "permit": true}]});
        prepared.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", prepared.kms), acls).expect(200);
    };
    ann.post(CREATE, prepared.body()).refused(404, "NCERRResourceNotFound");
    permit(json!(["viewnative", "viewkeystore"]));
    ann.post(CREATE, prepared.body()).refused(403, "NCERRInsufficientPermissions");
    let key = prepared.key();
    let path = format!("{KEYS}/{}", id(&key));
    ann.get(&path).refused(404, "NCERRResourceNotFound");
    permit(json!(["viewhyokkey"]));
    ann.get(&path).expect(200);
    ann.post(&format!("{path}/block"), json!({})).refused(403, "NCERRInsufficientPermissions");
    permit(json!(["keydelete"]));
    let refused = ann.delete(&path).refused(403, "NCERRInsufficientPermissions");
    assert!(refused.contains("hyokkeydelete"), "{refused}");
    permit(json!(["hyokkeyblockunblock", "hyokkeydelete", "hyokkeycreate"]));
    ann.post(&format!("{path}/block"), json!({})).expect(200);
    ann.delete(&path).expect(204);
    ann.post(CREATE, prepared.body()).expect(201);
}

#[test]
fn invalid_keys_are_refused_and_nothing_is_made() {
    let prepared = prepared();
    let with = |pointer: &str, value: Value| {
        let mut body = prepared.body();
        *body.pointer_mut(pointer).expect("a member") = value;
        body
    };
    let exportable = id(&prepared.admin.post("/v1/vault/keys2", json!({"algorithm": "AES"})).expect(201));
    for (body, status, member) in [
        (with("/local_hosted_params/custom_key_store_id", json!("")), 400, "local_hosted_params.custom_key_store_id"),
        (
            with("/local_hosted_params/custom_key_store_id", json!(prepared.source)),
            404,
            "local_hosted_params.custom_key_store_id",
        ),
        (with("/local_hosted_params/source_key_id", json!("x")), 400, "local_hosted_params.source_key_id"),
        (with("/local_hosted_params/source_key_id", json!(prepared.store)), 404, "local_hosted_params.source_key_id"),
        (with("/local_hosted_params/source_key_id", json!(exportable)), 422, "local_hosted_params.source_key_id"),
        (with("/local_hosted_params/source_key_tier", json!("hsm-luna")), 422, "local_hosted_params.source_key_tier"),
        (with("/local_hosted_params/source_key_tier", json!("tape")), 400, "local_hosted_params.source_key_tier"),
        (with("/aws_param/Alias", json!("alias/aws/s3")), 400, "aws_param.Alias"),
    ] {
        let answer = prepared.admin.post(CREATE, body.clone());
        assert_eq!((answer.status, &answer.body["member"]), (status, &json!(member)), "{body}: {}", answer.text);
    }
    assert_eq!(prepared.admin.get(KEYS).expect(200)["total"], 0);
}
