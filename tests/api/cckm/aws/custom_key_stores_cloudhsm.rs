//! Custom key stores in CloudHSM clusters, which the lab simulates.

use super::custom_key_stores_sync::{Fixture, fixture};
use crate::support::appliance::id;
use crate::support::client::Client;
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const REGION: &str = "us-east-1";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const UNUSED: &str = "/v1/cckm/aws/custom-key-stores/get-unused-cloudhsm-clusters";
const CLUSTER: &str = "cluster-lab2only3abc";
pub(super) const PASSWORD: &str = "lab-only-kmsuser";

/// The certificate of the cluster in the built-in lab cloud.
fn certificate() -> String {
    let lab = std::fs::read_to_string("config/lab-cloud.toml").expect("the lab cloud");
    let lab: toml::Table = lab.parse().expect("TOML");
    lab["accounts"][0]["cloudhsm_clusters"][0]["certificate"].as_str().expect("a text").to_owned()
}

/// The body that the vendor's Terraform provider sends: with every member, empty where its user gave nothing.
pub(super) fn body(name: &str, password: &str) -> Value {
    json!({
        "id": "", "name": name, "kms": "kms", "region": REGION, "linked_state": false,
        "enable_success_audit_event": false, "key_store_password": "",
        "aws_param": {
            "custom_key_store_type": "AWS_CLOUDHSM", "cloud_hsm_cluster_id": CLUSTER, "key_store_password": password,
            "trust_anchor_certificate": certificate(), "xks_proxy_connectivity": "", "xks_proxy_uri_endpoint": "",
            "xks_proxy_vpc_endpoint_service_name": ""
        },
        "local_hosted_params": {"blocked": false, "health_check_key_id": "", "max_credentials": 0,
            "mtls_enabled": false, "partition_id": "", "source_key_tier": ""}
    })
}

pub(super) fn at(store: &Value, what: &str) -> String {
    format!("{STORES}/{}{what}", id(store))
}

fn state(store: &Value) -> &str {
    store["aws_param"]["connection_state"].as_str().expect("a state")
}

#[track_caller]
pub(super) fn until(admin: &Client, store: &Value, wanted: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let shown = admin.get(&at(store, "")).expect(200);
        if state(&shown) == wanted {
            return shown;
        }
        assert!(Instant::now() < deadline, "not {wanted}: {shown}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The lab's cluster has this password of `kmsuser` from now on.
fn set_kmsuser(fixture: &Fixture, password: &str) {
    super::synchronization_jobs::lab(
        &fixture.prepared.appliance,
        "kmsuser",
        &json!({"cluster": CLUSTER, "password": password}),
    );
}

/// Asserts that no file of the program has a text.
fn assert_nowhere(fixture: &Fixture, secret: &str) {
    let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    assert!(!has(fixture.prepared.appliance.log().as_bytes()), "{secret} is in the log");
    let mut folders = vec![fixture.prepared.appliance.data()];
    while let Some(folder) = folders.pop() {
        // The lab's AWS has to know it.
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            let path = entry.path();
            match path.is_dir() {
                true if path.ends_with("lab-cloud") => {}
                true => folders.push(path),
                false if !path.is_file() => {}
                false => assert!(!has(&std::fs::read(&path).expect("a file")), "{secret} is in {}", path.display()),
            }
        }
    }
}

#[test]
fn a_store_in_a_cluster_is_made_connected_changed_and_deleted_at_aws() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let unused = |region: &str| admin.post(UNUSED, json!({"kms": "kms", "region": region}));
    let clusters = unused(REGION).expect(200);
    let cluster = &clusters["clusters"][0];
    assert_eq!((&cluster["ClusterId"], &cluster["State"]), (&json!(CLUSTER), &json!("ACTIVE")));
    assert_eq!(cluster["Hsms"].as_array().map(Vec::len), Some(2));
    assert!(cluster["CreateTimestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{cluster}");
    assert_eq!(cluster.get("Certificates"), None);
    assert_eq!(unused("eu-west-1").status, 400, "the KMS does not manage the region");
    fixture.lab.set_faults(&json!([{"service": "cloudhsm", "answer": "deny"}]));
    let denied = unused(REGION);
    assert!(denied.status == 502 && denied.text.contains("AccessDeniedException"), "{}", denied.text);

    let created = admin.post(STORES, body("hsm", PASSWORD)).expect(201);
    assert_eq!(created.get("secret_access_key"), None);
    assert_eq!(admin.get(&at(&created, "")).expect(200), created);
    assert_eq!((&created["type"], &created["access_key_id"]), (&json!("CloudHSM"), &json!("")));
    assert_eq!((&created["credential_count"], &created["version_count"]), (&json!(0), &json!(0)));
    let aws = &created["aws_param"];
    assert!(aws["custom_key_store_id"].as_str().is_some_and(|id| id.starts_with("cks-")), "{aws}");
    assert_eq!((&aws["custom_key_store_type"], state(&created)), (&json!("AWS_CLOUDHSM"), "DISCONNECTED"));
    assert_eq!(
        (&aws["cloud_hsm_cluster_id"], &aws["number_of_hsms_in_cloudhsm_cluster"]),
        (&json!(CLUSTER), &json!(2))
    );
    assert_eq!(aws["trust_anchor_certificate"], certificate());
    for empty in ["xks_proxy_uri_endpoint", "xks_proxy_uri_path", "xks_proxy_connectivity", "arn"] {
        assert_eq!(aws[empty], "", "{empty}");
    }
    let local = created["local_hosted_params"].as_object().expect("members");
    assert_eq!(
        (&local["linked_state"], &local["blocked"], &local["source_container_type"]),
        (&json!(true), &json!(false), &json!(""))
    );
    assert_eq!(unused(REGION).expect(200)["clusters"], json!([]));
    for what in ["/block", "/link", "/rotate-credential"] {
        admin.post(&at(&created, what), json!({})).refused(422, "NCERRUnprocessableEntity");
    }
    admin.get(&at(&created, "/health")).refused(422, "NCERRUnprocessableEntity");
    assert_eq!(
        admin.get(&format!("{STORES}?type=CloudHSM&custom_key_store_type=AWS_CLOUDHSM")).expect(200)["total"],
        1
    );

    let connecting = admin.send(Method::POST, &at(&created, "/connect"), None).expect(200);
    assert_eq!(state(&connecting), "CONNECTING");
    let connected = until(admin, &created, "CONNECTED");
    assert_eq!(connected["aws_param"]["number_of_hsms_in_cloudhsm_cluster"], 2);
    admin.delete(&at(&created, "")).refused(409, "NCERRConflict");
    assert_eq!(admin.patch(&at(&created, ""), json!({"name": "hsm-2"})).expect(200)["name"], "hsm-2");
    let there = fixture.lab.kms(REGION, "DescribeCustomKeyStores", &json!({}));
    assert_eq!(there["CustomKeyStores"][0]["CustomKeyStoreName"], "hsm-2");
    admin.post(&at(&created, "/disconnect"), json!({})).expect(200);
    until(admin, &created, "DISCONNECTED");
    admin.delete(&at(&created, "")).expect(204);
    assert_eq!(fixture.lab.kms(REGION, "DescribeCustomKeyStores", &json!({}))["CustomKeyStores"], json!([]));
    assert_eq!(unused(REGION).expect(200)["clusters"].as_array().map(Vec::len), Some(1));
    assert_nowhere(&fixture, PASSWORD);
}

#[test]
fn aws_is_told_a_password_once_and_again_only_after_it_was_wrong() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let store = admin.post(STORES, body("hsm", PASSWORD)).expect(201);
    let updates = || fixture.lab.calls("kms:UpdateCustomKeyStore");
    let connect = |password: &str| admin.post(&at(&store, "/connect"), json!({"key_store_password": password}));
    let disconnect = || {
        admin.post(&at(&store, "/disconnect"), json!({})).expect(200);
        until(admin, &store, "DISCONNECTED");
    };
    // AWS has it from the creation, and changes it when it connects: telling it again would lock the store out.
    for _ in 0..2 {
        connect(PASSWORD).expect(200);
        until(admin, &store, "CONNECTED");
        connect(PASSWORD).expect(200);
        connect("").expect(200);
        disconnect();
    }
    assert_eq!(updates(), 0);
    // An administrator of the cluster has set another one.
    set_kmsuser(&fixture, "another-password");
    connect("").expect(200);
    let failed = until(admin, &store, "FAILED");
    let details = failed["aws_param"]["connection_error_details"].as_str().expect("a text");
    assert!(details.starts_with("INVALID_CREDENTIALS: "), "{details}");
    connect("another-password").expect(200);
    until(admin, &store, "CONNECTED");
    assert_eq!(updates(), 1);
    // AWS takes none while it is connected.
    connect("a-third-password").refused(409, "NCERRConflict");
    disconnect();
    connect("another-password").expect(200);
    until(admin, &store, "CONNECTED");
    disconnect();
    assert_eq!(updates(), 1);
    // A wrong one, and then the same one, which is the right one by now.
    let wrong = json!({"aws_param": {"key_store_password": "a-third-password"}});
    assert_eq!(state(&admin.patch(&at(&store, ""), wrong.clone()).expect(200)), "DISCONNECTED");
    admin.patch(&at(&store, ""), wrong).expect(200);
    assert_eq!(updates(), 2);
    connect("").expect(200);
    until(admin, &store, "FAILED");
    set_kmsuser(&fixture, "a-third-password");
    connect("a-third-password").expect(200);
    until(admin, &store, "CONNECTED");
    assert_eq!(updates(), 3);
    for secret in [PASSWORD, "another-password", "a-third-password"] {
        assert_nowhere(&fixture, secret);
    }
    let told = fixture.events().iter().filter(|event| event.get("PasswordTold").is_some()).count();
    assert_eq!(told, 4, "the creation, two connections and a change");
}

#[test]
fn a_connection_that_aws_refuses_after_it_was_told_a_password_has_ended() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let store = admin.post(STORES, body("hsm", "not-kmsusers")).expect(201);
    let connect = || admin.post(&at(&store, "/connect"), json!({"key_store_password": PASSWORD}));
    let deny = json!([{"service": "kms", "operation": "ConnectCustomKeyStore", "times": 9, "answer": "deny"}]);
    fixture.lab.set_faults(&deny);
    let refused = connect();
    assert!(refused.status == 502 && refused.text.contains("AccessDeniedException"), "{}", refused.text);
    let told = fixture.lab.calls("kms:UpdateCustomKeyStore");
    assert!(told > 0);
    // No operation is pending.
    assert_eq!(admin.patch(&at(&store, ""), json!({"name": "hsm-2"})).expect(200)["name"], "hsm-2");
    fixture.lab.set_faults(&json!([]));
    connect().expect(200);
    until(admin, &store, "CONNECTED");
    assert!(fixture.lab.calls("kms:UpdateCustomKeyStore") > told + 1, "told once more, since it was not certain");
}

#[test]
fn what_aws_would_refuse_is_refused_first_and_what_it_refuses_is_not_made() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let with = |pointer: &str, value: Value| {
        let mut body = body("hsm", PASSWORD);
        *body.pointer_mut(pointer).expect("a member") = value;
        body
    };
    for (body, status, member) in [
        (with("/name", json!("")), 400, "name"),
        (with("/name", json!("xks")), 409, "name"),
        (with("/region", json!("eu-west-1")), 400, "region"),
        (with("/aws_param/cloud_hsm_cluster_id", json!("")), 400, "aws_param.cloud_hsm_cluster_id"),
        (with("/aws_param/cloud_hsm_cluster_id", json!("cluster-0")), 400, "aws_param.cloud_hsm_cluster_id"),
        (with("/aws_param/key_store_password", json!("")), 400, "aws_param.key_store_password"),
        (with("/aws_param/key_store_password", json!("secret")), 400, "aws_param.key_store_password"),
        (with("/aws_param/key_store_password", json!("secret-".repeat(5))), 400, "aws_param.key_store_password"),
        (with("/aws_param/trust_anchor_certificate", json!("")), 400, "aws_param.trust_anchor_certificate"),
        (
            with("/aws_param/trust_anchor_certificate", json!("x".repeat(5001))),
            400,
            "aws_param.trust_anchor_certificate",
        ),
        (with("/local_hosted_params/blocked", json!(true)), 422, "local_hosted_params.blocked"),
        (with("/local_hosted_params/mtls_enabled", json!(true)), 422, "local_hosted_params.mtls_enabled"),
        (with("/enable_success_audit_event", json!(true)), 422, "enable_success_audit_event"),
    ] {
        let answer = admin.post(STORES, body);
        assert_eq!((answer.status, &answer.body["member"]), (status, &json!(member)), "{}", answer.text);
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
    for (pointer, value, code) in [
        ("/aws_param/cloud_hsm_cluster_id", "cluster-abcdefghijk", "CloudHsmClusterNotFoundException"),
        ("/aws_param/trust_anchor_certificate", "PEM", "IncorrectTrustAnchorException"),
    ] {
        let answer = admin.post(STORES, with(pointer, json!(value)));
        assert!(answer.status == 502 && answer.text.contains(code), "{}", answer.text);
    }
    assert_eq!(admin.get(STORES).expect(200)["total"], 1, "the one that was there before");
    let store = admin.post(STORES, body("hsm", PASSWORD)).expect(201);
    let taken = admin.post(STORES, body("hsm-2", PASSWORD));
    assert!(taken.status == 502 && taken.text.contains("CloudHsmClusterInUseException"), "{}", taken.text);
    let before = admin.get(&at(&store, "")).expect(200);
    for (patch, status, member) in [
        (json!({"aws_param": {"key_store_password": "short"}}), 400, "aws_param.key_store_password"),
        (json!({"aws_param": {"cloud_hsm_cluster_id": "cluster-0"}}), 400, "aws_param.cloud_hsm_cluster_id"),
        (json!({"aws_param": {"trust_anchor_certificate": "PEM"}}), 422, "aws_param.trust_anchor_certificate"),
        (
            json!({"aws_param": {"xks_proxy_uri_endpoint": "https://a.example.com"}}),
            422,
            "aws_param.xks_proxy_uri_endpoint",
        ),
        (json!({"name": "xks"}), 409, "name"),
    ] {
        let answer = admin.patch(&at(&store, ""), patch.clone());
        assert_eq!((answer.status, &answer.body["member"]), (status, &json!(member)), "{patch}: {}", answer.text);
    }
    let elsewhere = json!({"aws_param": {"cloud_hsm_cluster_id": "cluster-abcdefghijk"}});
    let answer = admin.patch(&at(&store, ""), elsewhere);
    assert!(answer.status == 502 && answer.text.contains("CloudHsmClusterNotFoundException"), "{}", answer.text);
    // The same values, and empty ones, change nothing.
    let same = json!({"name": "hsm", "aws_param": {"cloud_hsm_cluster_id": CLUSTER, "key_store_password": PASSWORD,
        "trust_anchor_certificate": certificate(), "xks_proxy_uri_endpoint": ""}});
    assert_eq!(admin.patch(&at(&store, ""), same).expect(200)["name"], "hsm");
    let mut after = admin.get(&at(&store, "")).expect(200);
    after["updatedAt"] = before["updatedAt"].clone();
    assert_eq!(after, before);
}

#[test]
fn a_store_that_was_made_by_hand_is_found_with_its_hsms() {
    let fixture = fixture();
    let made = json!({"CustomKeyStoreName": "by-hand", "CloudHsmClusterId": CLUSTER, "KeyStorePassword": PASSWORD,
        "TrustAnchorCertificate": certificate()});
    fixture.lab.kms(REGION, "CreateCustomKeyStore", &made);
    assert_eq!(fixture.synchronise()["added"], 1);
    let admin = &fixture.prepared.admin;
    let store = admin.get(&format!("{STORES}/by-hand")).expect(200);
    assert_eq!(
        (&store["type"], &store["aws_param"]["number_of_hsms_in_cloudhsm_cluster"]),
        (&json!("CloudHSM"), &json!(2))
    );
    assert_eq!(store["aws_param"]["cloud_hsm_cluster_id"], CLUSTER);
    // It is not known which password AWS was told.
    admin.post(&at(&store, "/connect"), json!({"key_store_password": PASSWORD})).expect(200);
    until(admin, &store, "CONNECTED");
    assert_eq!(fixture.lab.calls("kms:UpdateCustomKeyStore"), 1);
    // A key in it keeps it.
    let create = json!({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store["aws_param"]["custom_key_store_id"]});
    fixture.lab.kms(REGION, "CreateKey", &create);
    let keys = admin.post("/v1/cckm/aws/synchronization-jobs", json!({"kms": ["kms"]})).expect(202);
    super::synchronization_jobs::end_of_job(admin, &format!("/v1/cckm/aws/synchronization-jobs/{}", id(&keys)));
    admin.post(&at(&store, "/disconnect"), json!({})).expect(200);
    until(admin, &store, "DISCONNECTED");
    let refused = admin.delete(&at(&store, "")).refused(409, "NCERRConflict");
    assert!(refused.contains("has 1 keys"), "{refused}");
    // Without the permission to see clusters the HSMs are not counted anew.
    fixture.lab.set_faults(&json!([{"service": "cloudhsm", "answer": "deny"}]));
    let job = admin.post(&format!("{STORES}/synchronization-jobs"), json!({"kms": ["kms"]})).expect(202);
    let job = super::synchronization_jobs::end_of_job(admin, &format!("{STORES}/synchronization-jobs/{}", id(&job)));
    let shown = job["detailed_status"]["123456789012/us-east-1"].as_str().expect("a text");
    assert!(job["overall_status"] == "completed" && shown.contains("AccessDeniedException"), "{job}");
    assert_eq!(admin.get(&at(&store, "")).expect(200)["aws_param"]["number_of_hsms_in_cloudhsm_cluster"], 2);
}

#[test]
fn a_password_is_taken_without_effect_while_a_store_is_connected_that_was_found() {
    let fixture = fixture();
    let made = json!({"CustomKeyStoreName": "by-hand", "CloudHsmClusterId": CLUSTER, "KeyStorePassword": PASSWORD,
        "TrustAnchorCertificate": certificate()});
    let made = fixture.lab.kms(REGION, "CreateCustomKeyStore", &made);
    let admin = &fixture.prepared.admin;
    fixture.lab.kms(REGION, "ConnectCustomKeyStore", &made);
    assert_eq!(fixture.synchronise()["added"], 1);
    let store = admin.get(&format!("{STORES}/by-hand")).expect(200);
    let connect = || admin.post(&at(&store, "/connect"), json!({"key_store_password": PASSWORD}));
    let connecting = connect().expect(200);
    assert!(matches!(state(&connecting), "CONNECTING" | "CONNECTED"), "{connecting}");
    until(admin, &store, "CONNECTED");
    assert_eq!(state(&connect().expect(200)), "CONNECTED");
    // AWS replaced it when it connected: told again, it would lock the store out.
    admin.post(&at(&store, "/disconnect"), json!({})).expect(200);
    until(admin, &store, "DISCONNECTED");
    connect().expect(200);
    until(admin, &store, "CONNECTED");
    assert_eq!(fixture.lab.calls("kms:UpdateCustomKeyStore"), 0);
    let other = json!({"key_store_password": "another-password"});
    admin.post(&at(&store, "/connect"), other).refused(409, "NCERRConflict");
}
