//! `/v1/cckm/aws/custom-key-stores`: stores that AWS does not know yet, as the vendor's Terraform provider makes them.

use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::Client;
use reqwest::Method;
use serde_json::{Value, json};

const STORES: &str = "/v1/cckm/aws/custom-key-stores";

fn at(store: &Value, rest: &str) -> String {
    format!("{STORES}/{}{rest}", id(store))
}

/// A source key that serves external key stores.
pub(super) fn source_key(admin: &Client, name: &str) -> String {
    let body = json!({"name": name, "algorithm": "AES", "size": 256, "usageMask": 12, "unexportable": true,
        "undeletable": true});
    id(&admin.post("/v1/vault/keys2", body).expect(201))
}

/// The body that the vendor's Terraform provider sends: every member, also those that its user did not give.
fn body(name: &str, kms: &str, source: &str) -> Value {
    json!({
        "id": "", "name": name, "kms": kms, "region": "us-east-1", "linked_state": false, "key_store_password": "",
        "enable_success_audit_event": false,
        "aws_param": {
            "cloud_hsm_cluster_id": "", "custom_key_store_type": "EXTERNAL_KEY_STORE", "key_store_password": "secret",
            "trust_anchor_certificate": "", "xks_proxy_connectivity": "VPC_ENDPOINT_SERVICE",
            "xks_proxy_uri_endpoint": "https://127.0.0.1:8443",
            "xks_proxy_vpc_endpoint_service_name": "testEndpointServiceName"
        },
        "local_hosted_params": {
            "blocked": false, "health_check_key_id": source, "max_credentials": 8, "mtls_enabled": true,
            "partition_id": "", "source_key_tier": "local"
        }
    })
}

fn prepared() -> (Appliance, Client, String, String) {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["us-east-1"]);
    let source = source_key(&admin, "hyok");
    (appliance, admin, kms, source)
}

#[test]
fn an_unlinked_store_has_the_members_that_the_vendors_provider_reads() {
    let (_appliance, admin, kms, source) = prepared();
    let mut created = admin.post(STORES, body("xks", &kms, &source)).expect(201);
    let secret = created["secret_access_key"].take();
    let secret = secret.as_str().expect("a secret");
    assert_eq!(secret.len(), 44);
    created.as_object_mut().expect("members").remove("secret_access_key");
    let store_id = id(&created);
    let path = format!("/api/v1/cckm/aws/xks-proxy-endpoints/{store_id}/kms/xks/v1");
    let ciphertext = created["local_hosted_params"]["health_check_ciphertext"].clone();
    assert!(ciphertext.as_str().is_some_and(|text| text.starts_with("v1.") && text.matches('.').count() == 3));
    let expected = json!({
        "id": store_id, "uri": format!("kylo:kylo:cckm:aws-custom-key-store:{store_id}"),
        "account": "kylo:kylo:admin:accounts:kylo", "application": "ncryptify:gemalto:admin:apps:kylo",
        "devAccount": "ncryptify:gemalto:admin:accounts:gemalto", "createdAt": created["createdAt"],
        "updatedAt": created["createdAt"], "name": "xks", "kms": "kms", "kms_id": kms, "region": "us-east-1",
        "cloud_name": "aws", "type": "LOCAL", "gone": false, "labels": {}, "enable_success_audit_event": false,
        "access_key_id": created["access_key_id"], "credential_version": 1, "credential_count": 1, "version_count": 1,
        "oldest_credentials_id": created["oldest_credentials_id"],
        "caller_rules": {"principals": [], "source_vpcs": [], "source_vpces": [], "via_services": [], "operations": []},
        "aws_param": {
            "custom_key_store_id": "", "custom_key_store_name": "xks", "custom_key_store_type": "EXTERNAL_KEY_STORE",
            "connection_state": "DISCONNECTED", "connection_error_details": "", "aws_account_id": "123456789012",
            "arn": "", "xks_proxy_connectivity": "VPC_ENDPOINT_SERVICE",
            "xks_proxy_uri_endpoint": "https://127.0.0.1:8443", "xks_proxy_uri_path": path,
            "xks_proxy_vpc_endpoint_service_name": "testEndpointServiceName",
            "xks_proxy_vpc_endpoint_service_owner": "", "cloud_hsm_cluster_id": "",
            "number_of_hsms_in_cloudhsm_cluster": 0, "trust_anchor_certificate": ""
        },
        "local_hosted_params": {
            "blocked": false, "linked_state": false, "max_credentials": 8, "mtls_enabled": true,
            "health_check_key_id": source, "health_check_ciphertext": ciphertext,
            "health_check_uri_path": format!("{path}/health"), "source_key_tier": "local", "source_container_id": "",
            "source_container_type": "local", "partition_id": "", "partition_label": ""
        }
    });
    assert_eq!(created, expected);
    assert_eq!(admin.get(&at(&created, "")).expect(200), expected);
    assert_eq!(admin.get(&format!("{STORES}/xks")).expect(200), expected);
    assert_eq!(admin.get(&format!("{STORES}?name=xks")).expect(200)["resources"], json!([expected]));
    for filter in ["type=LOCAL", "linked_state=false", "kms=kms", "connection_state=DISCONNECTED", "blocked=false"] {
        assert_eq!(admin.get(&format!("{STORES}?{filter}")).expect(200)["total"], 1, "{filter}");
    }
    for filter in ["type=REMOTE", "linked_state=true", "kms=other", "region=eu-west-1", "gone=true"] {
        assert_eq!(admin.get(&format!("{STORES}?{filter}")).expect(200)["total"], 0, "{filter}");
    }
}

#[test]
fn one_patch_changes_several_members_and_one_patch_changes_them_back() {
    let (_appliance, admin, kms, source) = prepared();
    let other = source_key(&admin, "other");
    let created = admin.post(STORES, body("xks", &kms, &source)).expect(201);
    let before = admin.get(&at(&created, "")).expect(200);
    let patch = |name: &str, audit: bool, mtls: bool, key: &str, aws: Value| {
        json!({"id": "", "kms": "", "region": "", "name": name, "enable_success_audit_event": audit,
            "linked_state": false, "key_store_password": "", "aws_param": aws,
            "local_hosted_params": {"blocked": false, "health_check_key_id": key, "max_credentials": 0,
                "mtls_enabled": mtls, "partition_id": "", "source_key_tier": ""}})
    };
    let public = json!({"xks_proxy_connectivity": "PUBLIC_ENDPOINT", "xks_proxy_uri_endpoint": "https://192.0.2.7",
        "xks_proxy_vpc_endpoint_service_name": "", "custom_key_store_type": "", "trust_anchor_certificate": ""});
    let changed = admin.patch(&at(&created, ""), patch("xks-2", true, false, &other, public)).expect(200);
    assert_eq!((&changed["name"], &changed["enable_success_audit_event"]), (&json!("xks-2"), &json!(true)));
    let (aws, local) = (&changed["aws_param"], &changed["local_hosted_params"]);
    assert_eq!(aws["custom_key_store_name"], "xks-2");
    assert_eq!(aws["xks_proxy_uri_endpoint"], "https://192.0.2.7");
    assert_eq!(aws["xks_proxy_connectivity"], "PUBLIC_ENDPOINT");
    assert_eq!(aws["xks_proxy_vpc_endpoint_service_name"], "");
    assert_eq!((&local["mtls_enabled"], &local["health_check_key_id"]), (&json!(false), &json!(other)));
    assert_ne!(local["health_check_ciphertext"], before["local_hosted_params"]["health_check_ciphertext"]);
    assert_eq!(admin.get(&at(&created, "")).expect(200), changed);

    let vpc = json!({"xks_proxy_connectivity": "VPC_ENDPOINT_SERVICE",
        "xks_proxy_uri_endpoint": "https://127.0.0.1:8443",
        "xks_proxy_vpc_endpoint_service_name": "testEndpointServiceName"});
    let mut back = admin.patch(&at(&created, ""), patch("xks", false, true, &source, vpc)).expect(200);
    back["updatedAt"] = before["updatedAt"].clone();
    let mut expected = before;
    let shown = back["local_hosted_params"]["health_check_ciphertext"].clone();
    expected["local_hosted_params"]["health_check_ciphertext"] = shown;
    assert_eq!(back, expected);
    // Nothing changes by itself, or by a patch of nothing.
    let stays = admin.patch(&at(&created, ""), json!({"name": "", "aws_param": {}})).expect(200);
    assert_eq!(admin.get(&at(&created, "")).expect(200), stays);
}

#[test]
fn a_patch_refuses_other_values_of_what_is_fixed_and_says_which_call_is_right() {
    let (appliance, admin, kms, source) = prepared();
    appliance.kms("other", &["eu-west-1"]);
    let created = admin.post(STORES, body("xks", &kms, &source)).expect(201);
    let before = admin.get(&at(&created, "")).expect(200);
    for (patch, part) in [
        (json!({"kms": "other"}), "cannot be changed"),
        (json!({"region": "eu-west-1"}), "cannot be changed"),
        (json!({"id": source}), "cannot be changed"),
        (json!({"linked_state": true}), "/link"),
        (json!({"aws_param": {"custom_key_store_type": "AWS_CLOUDHSM"}}), "cannot be changed"),
        (json!({"local_hosted_params": {"blocked": true}}), "/block"),
        (json!({"local_hosted_params": {"max_credentials": 9}}), "cannot be changed"),
        (json!({"local_hosted_params": {"source_key_tier": "hsm-luna"}}), "cannot be changed"),
        (json!({"local_hosted_params": {"partition_id": "p"}}), "cannot be changed"),
    ] {
        let refused = admin.patch(&at(&created, ""), patch.clone()).refused(422, "NCERRUnprocessableEntity");
        assert!(refused.contains(part), "{patch}: {refused}");
    }
    let same = json!({"kms": kms, "region": "us-east-1", "id": id(&created),
        "local_hosted_params": {"max_credentials": "8", "source_key_tier": "local"}});
    assert_eq!(admin.patch(&at(&created, ""), same).expect(200), before);
}

#[test]
fn invalid_stores_are_refused_and_nothing_is_made() {
    let (_appliance, admin, kms, source) = prepared();
    let exportable = id(&admin.post("/v1/vault/keys2", json!({"name": "exportable", "algorithm": "AES"})).expect(201));
    let with = |pointer: &str, value: Value| {
        let mut body = body("xks", &kms, &source);
        *body.pointer_mut(pointer).expect("a member") = value;
        body
    };
    for (body, status, member) in [
        (with("/name", json!("")), 400, "name"),
        (with("/kms", json!("nobody's")), 404, "kms"),
        (with("/region", json!("eu-west-1")), 400, "region"),
        (with("/aws_param/xks_proxy_uri_endpoint", json!("")), 400, "aws_param.xks_proxy_uri_endpoint"),
        (with("/aws_param/xks_proxy_uri_endpoint", json!("http://a")), 400, "aws_param.xks_proxy_uri_endpoint"),
        (with("/aws_param/xks_proxy_uri_endpoint", json!("https://a/b")), 400, "aws_param.xks_proxy_uri_endpoint"),
        (with("/aws_param/xks_proxy_connectivity", json!("PRIVATE")), 400, "aws_param.xks_proxy_connectivity"),
        (
            with("/aws_param/xks_proxy_vpc_endpoint_service_name", json!("")),
            400,
            "aws_param.xks_proxy_vpc_endpoint_service_name",
        ),
        (with("/aws_param/custom_key_store_type", json!("HSM")), 400, "aws_param.custom_key_store_type"),
        (with("/local_hosted_params/health_check_key_id", json!("x")), 400, "local_hosted_params.health_check_key_id"),
        (
            with("/local_hosted_params/health_check_key_id", json!(exportable)),
            422,
            "local_hosted_params.health_check_key_id",
        ),
        (with("/local_hosted_params/max_credentials", json!(0)), 400, "local_hosted_params.max_credentials"),
        (with("/local_hosted_params/max_credentials", json!(1)), 400, "local_hosted_params.max_credentials"),
        (with("/local_hosted_params/max_credentials", json!("21")), 400, "local_hosted_params.max_credentials"),
        (with("/local_hosted_params/max_credentials", json!("many")), 400, "local_hosted_params"),
        (with("/local_hosted_params/source_key_tier", json!("luna-hsm")), 422, "local_hosted_params.source_key_tier"),
    ] {
        let answer = admin.post(STORES, body.clone());
        assert_eq!((answer.status, &answer.body["member"]), (status, &json!(member)), "{body}: {}", answer.text);
    }
    assert_eq!(admin.get(STORES).expect(200)["total"], 0);
    admin.post(STORES, body("xks", &kms, &source)).expect(201);
    assert_eq!(admin.post(STORES, body("xks", &kms, &source)).expect(409)["member"], "name");
}

#[test]
fn credentials_are_added_and_deleted_but_for_the_newest_and_secrets_are_shown_once() {
    let (_appliance, admin, kms, source) = prepared();
    let mut two = body("xks", &kms, &source);
    two["local_hosted_params"]["max_credentials"] = json!("2");
    let created = admin.post(STORES, two).expect(201);
    let first = created["oldest_credentials_id"].clone();
    let rotated = admin.post(&at(&created, "/rotate-credential"), json!({})).expect(200);
    assert_ne!(rotated["secret_access_key"], created["secret_access_key"]);
    assert_ne!(rotated["access_key_id"], created["access_key_id"]);
    assert_eq!((&rotated["credential_version"], &rotated["credential_count"]), (&json!(2), &json!(2)));
    assert_eq!(rotated["oldest_credentials_id"], first);
    let full = admin.post(&at(&created, "/rotate-credential"), json!({})).refused(409, "NCERRConflict");
    assert!(full.contains(first.as_str().expect("an id")), "{full}");

    let listed = admin.get(&at(&created, "/credentials?sort=-version")).expect(200);
    assert!(!listed.to_string().contains("secret_access_key"));
    let rows = listed["resources"].as_array().expect("rows");
    assert_eq!((&rows[0]["version"], &rows[0]["current"]), (&json!(2), &json!(true)));
    assert_eq!(
        (&rows[1]["version"], &rows[1]["current"], &rows[1]["last_used_at"]),
        (&json!(1), &json!(false), &json!(null))
    );
    let by_key = format!("/credentials?access_key_id={}", created["access_key_id"].as_str().expect("an id"));
    assert_eq!(admin.get(&at(&created, &by_key)).expect(200)["resources"][0]["id"], first);
    let one = |row: &Value| at(&created, &format!("/credentials/{}", id(row)));
    assert_eq!(admin.get(&one(&rows[0])).expect(200), rows[0]);
    admin.delete(&one(&rows[0])).refused(409, "NCERRConflict");
    admin.delete(&one(&rows[1])).expect(204);
    admin.delete(&one(&rows[1])).refused(404, "NCERRResourceNotFound");
    let now = admin.get(&at(&created, "")).expect(200);
    assert_eq!((&now["credential_count"], &now["version_count"]), (&json!(1), &json!(2)));
}

#[test]
fn a_store_is_blocked_and_deleted_and_its_kms_stays_as_long_as_the_store() {
    let (mut appliance, admin, kms, source) = prepared();
    let created = admin.post(STORES, body("xks", &kms, &source)).expect(201);
    let is_blocked = |answer: Value| answer["local_hosted_params"]["blocked"].clone();
    for _ in 0..2 {
        assert_eq!(is_blocked(admin.send(Method::POST, &at(&created, "/block"), None).expect(200)), true);
    }
    appliance.kill();
    appliance.restart();
    let admin = appliance.admin();
    assert_eq!(is_blocked(admin.get(&at(&created, "")).expect(200)), true);
    assert_eq!(is_blocked(admin.post(&at(&created, "/unblock"), json!({})).expect(200)), false);
    let refused = admin.delete(&format!("/v1/cckm/aws/kms/{kms}")).refused(409, "NCERRConflict");
    assert!(refused.contains("`xks`"), "{refused}");
    let unlinked = admin.post(&at(&created, "/enable-credential-rotation-job"), json!({"job_config_id": source}));
    assert_eq!(unlinked.refused(409, "NCERRConflict"), "key store `xks` is not linked to AWS yet: link it first");
    admin.delete(&at(&created, "")).expect(204);
    let gone = admin.get(&at(&created, "")).refused(404, "NCERRResourceNotFound");
    assert!(gone.contains("Resource not found"), "{gone}");
    admin.delete(&format!("/v1/cckm/aws/kms/{kms}")).expect(204);
}

#[test]
fn only_users_with_viewkeystore_see_a_store() {
    let (appliance, admin, kms, source) = prepared();
    let created = admin.post(STORES, body("xks", &kms, &source)).expect(201);
    let ann = appliance.user("ann");
    let acls = |actions: Value| json!({"acls": [{"user_id": subject(&ann), "actions": actions, "permit": true}]});
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acls(json!(["viewnative"]))).expect(200);
    assert_eq!(ann.get(STORES).expect(200)["total"], 0);
    let hidden = ann.get(&format!("{STORES}/xks")).refused(404, "NCERRResourceNotFound");
    assert!(hidden.ends_with("`xks`"), "{hidden}");
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acls(json!(["viewkeystore"]))).expect(200);
    assert_eq!(ann.get(STORES).expect(200)["total"], 1);
    ann.post(&at(&created, "/block"), json!({})).refused(403, "NCERRInsufficientPermissions");
}
