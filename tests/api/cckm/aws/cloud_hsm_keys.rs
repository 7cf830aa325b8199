//! `/v1/cckm/aws/custom-key-stores/{id}/create-aws-key`: keys in a CloudHSM cluster, which the lab simulates.

use super::custom_key_stores_cloudhsm::{PASSWORD, at, body, until};
use super::custom_key_stores_sync::{Fixture, fixture};
use crate::support::appliance::{id, subject};
use crate::support::client::Answer;
use crate::support::lab::LabClient;
use claviger::service::keys::operations::STEPS;
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const REGION: &str = "us-east-1";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const KEYS: &str = "/v1/cckm/aws/keys";

/// A store in a cluster, which AWS is connected to.
struct Cluster {
    fixture: Fixture,
    store: Value,
}

fn connected() -> Cluster {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let store = admin.post(STORES, body("hsm", PASSWORD)).expect(201);
    let early = admin.post(&at(&store, "/create-aws-key"), json!({}));
    assert_eq!((early.status, &early.body["reason"]), (409, &json!("key_store_wrong_state")), "{}", early.text);
    admin.post(&at(&store, "/connect"), json!({"key_store_password": PASSWORD})).expect(200);
    let store = until(admin, &store, "CONNECTED");
    Cluster { fixture, store }
}

impl Cluster {
    fn try_create(&self, body: Value) -> Answer {
        self.fixture.prepared.admin.post(&at(&self.store, "/create-aws-key"), body)
    }

    fn post(&self, key: &Value, what: &str, body: Value) -> Answer {
        self.fixture.prepared.admin.post(&format!("{KEYS}/{}/{what}", id(key)), body)
    }

    fn get(&self, key: &Value) -> Value {
        self.fixture.prepared.admin.get(&format!("{KEYS}/{}", id(key))).expect(200)
    }

    fn total(&self, query: &str) -> Value {
        self.fixture.prepared.admin.get(&format!("{KEYS}?{query}")).expect(200)["total"].clone()
    }

    #[track_caller]
    fn until_unavailable(&self, key: &Value) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.get(key)["aws_param"]["KeyState"] != "Unavailable" {
            let store = || self.fixture.prepared.admin.get(&at(&self.store, "")).text;
            assert!(Instant::now() < deadline, "{}\n{}", self.get(key), store());
            thread::sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn encrypts(&self, key: &Value) {
        let encrypt = json!({"KeyId": key["aws_param"]["KeyID"], "Plaintext": "aGVsbG8="});
        let sealed = self.fixture.lab.kms(REGION, "Encrypt", &encrypt);
        let opened = self.fixture.lab.kms(REGION, "Decrypt", &json!({"CiphertextBlob": sealed["CiphertextBlob"]}));
        assert_eq!(opened["Plaintext"], "aGVsbG8=");
    }
}

#[test]
fn a_key_is_created_in_the_cluster_and_replaced_by_another_one_there() {
    let cluster = connected();
    let body = json!({"aws_param": {"Alias": "hsm-key", "Description": "d", "Policy": null,
        "Tags": [{"TagKey": "a", "TagValue": "b"}]}, "key_admins": ["user1"], "policytemplate": null});
    let blocked = cluster.try_create(json!({"local_hosted_params": {"blocked": true}}));
    assert_eq!((blocked.status, &blocked.body["member"]), (400, &json!("local_hosted_params.blocked")));
    let key = cluster.try_create(body).expect(201);
    let aws = &key["aws_param"];
    assert_eq!((&aws["Origin"], &aws["KeyState"]), (&json!("AWS_CLOUDHSM"), &json!("Enabled")));
    assert_eq!(aws["CustomKeyStoreId"], cluster.store["aws_param"]["custom_key_store_id"]);
    assert_eq!(aws["CloudHsmClusterId"], cluster.store["aws_param"]["cloud_hsm_cluster_id"]);
    assert_eq!((&aws["Alias"], &aws["Tags"][0]["TagKey"]), (&json!(["alias/hsm-key"]), &json!("a")));
    assert_eq!((&key["linked_state"], &key["blocked"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&key["custom_key_store_id"], &key["key_admins"]),
        (&json!(id(&cluster.store)), &json!(["arn:aws:iam::123456789012:user/user1"]))
    );
    assert_eq!(cluster.get(&key), key);
    cluster.encrypts(&key);
    for what in ["disable", "enable"] {
        cluster.post(&key, what, json!({})).expect(200);
    }
    for (what, body) in [("rotate", json!({"source_key_id": cluster.fixture.prepared.source})), ("block", json!({}))] {
        let refused = cluster.post(&key, what, body);
        assert_eq!(refused.status, 400, "{what}: {}", refused.text);
    }
    let new = cluster.post(&key, "rotate", json!({"description": "e", "retain_alias": true})).expect(200);
    assert_ne!(id(&new), id(&key));
    let (aws, old) = (&new["aws_param"], cluster.get(&key));
    assert_eq!((&aws["Origin"], &aws["Alias"]), (&json!("AWS_CLOUDHSM"), &json!(["alias/hsm-key"])));
    assert_eq!((&aws["Description"], &new["custom_key_store_id"]), (&json!("e"), &json!(id(&cluster.store))));
    assert_eq!(old["rotated_to"], new["id"]);
    assert!(old["aws_param"]["Alias"][0].as_str().is_some_and(|alias| alias.starts_with("alias/hsm-key-rotated-")));
    cluster.encrypts(&new);

    // A schedule does the same.
    let admin = &cluster.fixture.prepared.admin;
    let schedule = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws", "aws_param": {"rotate_material": true}}});
    let schedule = id(&admin.post("/v1/scheduler/job-configs", schedule).expect(201));
    let local = json!({"job_config_id": schedule, "auto_rotate_key_source": "local"});
    assert_eq!(cluster.post(&new, "enable-rotation-job", local).status, 400);
    cluster.post(&new, "enable-rotation-job", json!({"job_config_id": schedule})).expect(200);
    admin.post(&format!("/v1/scheduler/job-configs/{schedule}/run-now"), json!({})).expect(201);
    let deadline = Instant::now() + Duration::from_secs(20);
    while cluster.get(&new)["rotated_to"].as_str().is_none_or(str::is_empty) {
        assert!(Instant::now() < deadline, "{}", cluster.get(&new));
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(cluster.total("origin=AWS_CLOUDHSM"), json!(3));

    // Without an alias; in a store of another kind.
    assert_eq!(cluster.try_create(json!({"aws_param": {"Alias": ""}})).expect(201)["aws_param"].get("Alias"), None);
    let refused = admin.post(&format!("{STORES}/{}/create-aws-key", cluster.fixture.prepared.store), json!({}));
    assert_eq!((refused.status, &refused.body["reason"]), (422, &json!("key_store_not_cloudhsm")));
    let refused = admin.delete(&at(&cluster.store, ""));
    assert_eq!(refused.status, 409, "{}", refused.text);
    // The state of the store shows in its keys, and AWS creates none in it.
    admin.post(&at(&cluster.store, "/disconnect"), json!({})).expect(200);
    cluster.until_unavailable(&key);
    until(admin, &cluster.store, "DISCONNECTED");
    let newest = cluster.get(&new)["rotated_to"].clone();
    let refused = admin.post(&format!("{KEYS}/{}/rotate", newest.as_str().expect("an id")), json!({}));
    assert_eq!((refused.status, &refused.body["reason"]), (409, &json!("key_store_wrong_state")), "{}", refused.text);
}

/// The store is looked at once a second: when it is disconnected, and seldom in the moment in which it is connected.
#[test]
fn the_keys_of_a_store_that_was_connected_for_a_moment_become_unavailable() {
    let cluster = connected();
    let admin = &cluster.fixture.prepared.admin;
    for _ in 0..3 {
        let key = cluster.try_create(json!({})).expect(201);
        admin.post(&at(&cluster.store, "/disconnect"), json!({})).expect(200);
        cluster.until_unavailable(&key);
        until(admin, &cluster.store, "DISCONNECTED");
        thread::sleep(Duration::from_millis(1500));
        admin.post(&at(&cluster.store, "/connect"), json!({})).expect(200);
        until(admin, &cluster.store, "CONNECTED");
    }
}

#[test]
fn each_right_of_a_cloudhsm_key_is_needed() {
    let cluster = connected();
    let (appliance, admin) = (&cluster.fixture.prepared.appliance, &cluster.fixture.prepared.admin);
    let user = appliance.member("Hsm-user", &["CCKM Users"]);
    let acl = |actions: &[&str]| {
        let body = json!({"acls": [{"user_id": subject(&user), "actions": actions, "permit": true}]});
        let path = format!("/v1/cckm/aws/kms/{}/update-acls", cluster.fixture.prepared.kms);
        admin.post(&path, body).expect(200);
    };
    let key = cluster.try_create(json!({})).expect(201);
    let path = format!("{KEYS}/{}", id(&key));
    acl(&["viewkeystore", "keycreate", "hyokkeycreate", "keydelete"]);
    assert_eq!(user.post(&at(&cluster.store, "/create-aws-key"), json!({})).status, 403);
    assert_eq!(user.get(&path).status, 404, "it takes viewcloudhsmkey");
    acl(&["viewcloudhsmkey"]);
    assert_eq!(user.get(&path).expect(200)["id"], key["id"]);
    assert_eq!(user.post(&format!("{path}/schedule-deletion"), json!({"days": 7})).status, 403);
    acl(&["cloudhsmkeycreate", "cloudhsmkeydelete"]);
    user.post(&at(&cluster.store, "/create-aws-key"), json!({})).expect(201);
    user.post(&format!("{path}/schedule-deletion"), json!({"days": 7})).expect(200);
}

/// The program is killed before each call of the operation.
#[test]
fn an_interrupted_creation_in_a_cluster_is_undone_or_completed() {
    let mut cluster = connected();
    let steps = STEPS.iter().find(|steps| steps.operation == "create-in-store").expect("an operation");
    for call in steps.calls.iter().map(|call| call.name).chain(["ListAliases"]) {
        let (here, there) = (cluster.total("").as_u64().expect("a count"), cluster.fixture.lab.keys(REGION).len());
        cluster.fixture.lab.set_faults(&json!([{"service": "kms", "operation": call, "delay_ms": 120_000}]));
        let admin = cluster.fixture.prepared.admin.clone();
        let path = at(&cluster.store, "/create-aws-key");
        let body = json!({"aws_param": {"Alias": format!("before-{call}")}}).to_string().into_bytes();
        let asking = thread::spawn(move || admin.try_send(Method::POST, &path, Some(body)));
        cluster.fixture.lab.wait_until_faults_met();
        cluster.fixture.prepared.appliance.kill();
        assert!(asking.join().expect("a thread").is_err(), "{call}");
        cluster.fixture.prepared.appliance.restart();
        cluster.fixture.prepared.admin = cluster.fixture.prepared.appliance.admin();
        cluster.fixture.lab = LabClient::of(&cluster.fixture.prepared.appliance);
        let made = u64::from(call != "CreateKey");
        let deadline = Instant::now() + Duration::from_secs(20);
        while cluster.total(&format!("alias=before-{call}")) != json!(made) {
            assert!(Instant::now() < deadline, "{call}\n{}", cluster.fixture.prepared.appliance.log());
            thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(cluster.total(""), json!(here + made), "{call}");
        assert_eq!(cluster.fixture.lab.keys(REGION).len() as u64, there as u64 + made, "{call}");
    }
}
