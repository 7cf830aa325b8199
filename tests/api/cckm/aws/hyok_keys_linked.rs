//! HYOK keys that AWS knows: `local_hosted_params.linked_state`, `/v1/cckm/aws/keys/{id}/link`, and the operations on
//! them, with the lab's AWS, which calls the proxy before it creates a key.

use super::hyok_keys::{Prepared, prepared};
use crate::support::appliance::id;
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
const CREATE: &str = "/v1/cckm/aws/create-hyok-key";
/// `hello` in Base64.
const TEXT: &str = "aGVsbG8=";

struct Fixture {
    prepared: Prepared,
    lab: LabClient,
}

/// A store that AWS is connected to.
fn connected() -> Fixture {
    let prepared = prepared();
    let lab = LabClient::of(&prepared.appliance);
    let fixture = Fixture { prepared, lab };
    fixture.store("link");
    fixture.connect();
    fixture
}

impl Fixture {
    fn store(&self, what: &str) -> Value {
        let path = format!("{STORES}/{}/{what}", self.prepared.store);
        self.prepared.admin.send(Method::POST, &path, None).expect(200)
    }

    fn connect(&self) {
        self.store("connect");
        self.until("CONNECTED");
    }

    #[track_caller]
    fn until(&self, state: &str) {
        let path = format!("{STORES}/{}", self.prepared.store);
        eventually(|| {
            let store = self.prepared.admin.get(&path).expect(200);
            (store["aws_param"]["connection_state"] == state, store)
        });
    }

    fn body(&self, linked: bool, aws_param: Value) -> Value {
        json!({"aws_param": aws_param, "local_hosted_params": {"custom_key_store_id": self.prepared.store,
            "source_key_id": self.prepared.source, "linked_state": linked}})
    }

    fn try_create(&self, linked: bool, aws_param: Value) -> Answer {
        self.prepared.admin.post(CREATE, self.body(linked, aws_param))
    }

    fn create(&self, linked: bool, aws_param: Value) -> Value {
        self.try_create(linked, aws_param).expect(201)
    }

    fn get(&self, key: &Value) -> Value {
        self.prepared.admin.get(&format!("{KEYS}/{}", id(key))).expect(200)
    }

    fn post(&self, key: &Value, what: &str, body: Value) -> Answer {
        self.prepared.admin.post(&format!("{KEYS}/{}/{what}", id(key)), body)
    }

    fn total(&self, query: &str) -> Value {
        self.prepared.admin.get(&format!("{KEYS}?{query}")).expect(200)["total"].clone()
    }

    /// The keys of the region at AWS that customers made.
    fn at_aws(&self) -> usize {
        self.lab.keys(REGION).len()
    }

    fn encrypt(&self, key: &Value) -> (u16, Value) {
        self.lab.try_kms(REGION, "Encrypt", &json!({"KeyId": key["aws_param"]["KeyID"], "Plaintext": TEXT}))
    }

    #[track_caller]
    fn decrypts(&self, ciphertext: &Value) {
        let decrypted = self.lab.kms(REGION, "Decrypt", &json!({"CiphertextBlob": ciphertext["CiphertextBlob"]}));
        assert_eq!(decrypted["Plaintext"], TEXT);
    }

    fn synchronise(&self) {
        let job = json!({"kms": [self.prepared.kms], "regions": [REGION]});
        let job = id(&self.prepared.admin.post("/v1/cckm/aws/synchronization-jobs", job).expect(202));
        eventually(|| {
            let job = self.prepared.admin.get(&format!("/v1/cckm/aws/synchronization-jobs/{job}")).expect(200);
            (job["overall_status"] == "completed", job)
        });
    }

    fn restart(&mut self) {
        self.prepared.appliance.kill();
        self.prepared.appliance.restart();
        self.prepared.admin = self.prepared.appliance.admin();
        self.lab = LabClient::of(&self.prepared.appliance);
    }
}

/// Waits until something is so, and fails with what was seen last.
#[track_caller]
fn eventually(mut look: impl FnMut() -> (bool, Value)) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (is_so, seen) = look();
        if is_so {
            return;
        }
        assert!(Instant::now() < deadline, "{seen}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_linked_key_is_created_at_aws_and_works_there_as_any_key() {
    let fixture = connected();
    let aws_param = json!({"Alias": "linked", "Description": "d", "Tags": [{"TagKey": "a", "TagValue": "b"}]});
    let key = fixture.create(true, aws_param);
    let (aws, local) = (&key["aws_param"], &key["local_hosted_params"]);
    assert_eq!((&key["linked_state"], &local["linked_state"]), (&json!(true), &json!(true)));
    assert_eq!((&aws["Origin"], &aws["KeyState"]), (&json!("EXTERNAL_KEY_STORE"), &json!("Enabled")));
    assert_eq!(aws["XksKeyConfiguration"], json!({"Id": id(&key)}));
    assert_eq!((&aws["Alias"], &aws["Description"]), (&json!(["alias/linked"]), &json!("d")));
    assert_eq!(aws["Tags"], json!([{"TagKey": "a", "TagValue": "b"}]));
    assert!(aws["Arn"].as_str().is_some_and(|arn| arn.ends_with(aws["KeyID"].as_str().expect("an id"))), "{aws}");
    assert_ne!(aws["KeyID"], json!(id(&key)));
    assert_eq!(key["custom_key_store_id"], json!(fixture.prepared.store));
    assert_eq!(fixture.get(&key), key);
    assert_eq!((fixture.total("linked_state=true"), fixture.total("alias=linked")), (json!(1), json!(1)));
    assert_eq!(fixture.total(&format!("keyid={}", aws["KeyID"].as_str().expect("an id"))), json!(1));

    let (status, first) = fixture.encrypt(&key);
    assert_eq!(status, 200, "{first}");
    let rotated = fixture.post(&key, "rotate", json!({})).expect(200);
    assert_eq!(
        (&rotated["local_hosted_params"]["version"], &rotated["aws_param"]["KeyID"]),
        (&json!(2), &aws["KeyID"])
    );
    let (status, second) = fixture.encrypt(&key);
    assert_eq!(status, 200, "{second}");
    fixture.decrypts(&first);
    fixture.decrypts(&second);
    fixture.post(&key, "block", json!({})).expect(200);
    let (status, refused) = fixture.encrypt(&key);
    assert_eq!((status, &refused["__type"]), (400, &json!("KMSInvalidStateException")));
    fixture.post(&key, "unblock", json!({})).expect(200);

    for (what, body) in [
        ("disable", json!({})),
        ("enable", json!({})),
        ("update-description", json!({"description": "e"})),
        ("add-alias", json!({"alias": "second"})),
        ("add-tags", json!({"tags": [{"tag_key": "c", "tag_value": "d"}]})),
        ("policy", json!({"key_admins": ["user1"]})),
        ("refresh", json!({})),
    ] {
        let answer = fixture.post(&key, what, body);
        assert_eq!(answer.status, 200, "{what}: {}", answer.text);
    }
    assert_eq!(fixture.get(&key)["aws_param"]["Description"], "e");
    // The key at AWS would lose its material.
    fixture.prepared.admin.delete(&format!("{KEYS}/{}", id(&key))).refused(409, "NCERRConflict");
    fixture.post(&key, "link", json!({})).refused(409, "NCERRConflict");
    fixture.post(&key, "schedule-deletion", json!({"days": 7})).expect(200);
    assert_eq!(fixture.get(&key)["aws_param"]["KeyState"], "PendingDeletion");
    assert_eq!(fixture.prepared.admin.get(&format!("{KEYS}/{}/versions", id(&key))).expect(200)["total"], 2);
}

#[test]
fn an_unlinked_key_is_linked_with_what_it_was_created_with_or_with_something_else() {
    let fixture = connected();
    let planned = json!({"Alias": "planned", "Description": "planned", "Tags": [{"TagKey": "a", "TagValue": "b"}]});
    let key = fixture.create(false, planned);
    let (before, one) = (fixture.at_aws(), fixture.post(&key, "block", json!({})).expect(200));
    assert_eq!(one["linked_state"], false);
    // AWS asks the proxy before it creates the key, and the key is blocked.
    let refused = fixture.post(&key, "link", json!({}));
    assert_eq!(refused.status, 502, "{}", refused.text);
    assert!(refused.text.contains("XksKeyInvalidConfigurationException"), "{}", refused.text);
    fixture.post(&key, "unblock", json!({})).expect(200);
    // What asks for protection is not ignored.
    for (body, member) in [
        (json!({"local_hosted_params": {"blocked": true}}), "local_hosted_params.blocked"),
        (json!({"caller_rules": {"principals": ["arn:aws:iam::*:user/nobody"]}}), "caller_rules"),
    ] {
        let refused = fixture.post(&key, "link", body);
        assert_eq!((refused.status, &refused.body["member"]), (400, &json!(member)), "{}", refused.text);
    }
    assert_eq!((fixture.get(&key)["linked_state"].clone(), fixture.at_aws()), (json!(false), before));
    let empty = json!({"aws_param": {"Alias": "", "Description": "", "Policy": null, "Tags": null},
        "BypassPolicyLockoutSafetyCheck": null, "key_admins": null, "policytemplate": null});
    let linked = fixture.post(&key, "link", empty).expect(200);
    assert_eq!((&linked["id"], &linked["linked_state"]), (&key["id"], &json!(true)));
    assert_eq!(fixture.get(&key), linked);
    let aws = &linked["aws_param"];
    assert_eq!((&aws["Alias"], &aws["Description"]), (&json!(["alias/planned"]), &json!("planned")));
    assert_eq!((&aws["Tags"], fixture.at_aws()), (&json!([{"TagKey": "a", "TagValue": "b"}]), before + 1));
    assert_eq!(fixture.encrypt(&linked).0, 200);
    fixture.post(&key, "link", json!({})).refused(409, "NCERRConflict");

    let other = fixture.create(false, json!({"Alias": "other", "Tags": [{"TagKey": "a", "TagValue": "b"}]}));
    let change = json!({"aws_param": {"Alias": "changed", "Description": "changed", "Tags": [{"TagKey": "c", "TagValue": "d"}],
        "Policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": "kms:*",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Sid": "mine"}]}}});
    let aws = fixture.post(&other, "link", change).expect(200)["aws_param"].clone();
    assert_eq!((&aws["Alias"], &aws["Description"]), (&json!(["alias/changed"]), &json!("changed")));
    assert_eq!(aws["Tags"], json!([{"TagKey": "c", "TagValue": "d"}]));
    assert_eq!(aws["Policy"]["Statement"][0]["Sid"], "mine");

    // A template may have changed since the key was created.
    let admin = &fixture.prepared.admin;
    let template = json!({"name": "template", "kms": "kms", "key_admins": ["user1"]});
    let template = id(&admin.post("/v1/cckm/aws/templates", template).expect(201));
    let mut body = fixture.body(false, json!({"Alias": "templated"}));
    body["policytemplate"] = json!(template);
    let templated = admin.post(CREATE, body).expect(201);
    admin.patch(&format!("/v1/cckm/aws/templates/{template}"), json!({"key_admins": ["no-regions"]})).expect(200);
    let tags = json!({"aws_param": {"Tags": [{"TagKey": "a", "TagValue": "b"}]}});
    let linked = fixture.post(&templated, "link", tags).expect(200);
    assert_eq!(linked["key_admins"], json!(["arn:aws:iam::123456789012:user/no-regions"]));
    let tag = json!({"TagKey": "cckm_policy_template_id", "TagValue": template});
    assert!(linked["aws_param"]["Tags"].as_array().is_some_and(|tags| tags.contains(&tag)), "{linked}");

    let native =
        fixture.prepared.admin.post(KEYS, json!({"kms": "kms", "region": REGION, "aws_param": {}})).expect(201);
    let refused = fixture.post(&native, "link", json!({}));
    assert_eq!((refused.status, &refused.body["reason"]), (400, &json!("key_not_hyok")));
}

#[test]
fn a_key_is_linked_only_if_its_store_is_connected() {
    let prepared = prepared();
    let lab = LabClient::of(&prepared.appliance);
    let fixture = Fixture { prepared, lab };
    let key = fixture.create(false, json!({}));
    let refused = |reason: &str| {
        for answer in [fixture.post(&key, "link", json!({})), fixture.try_create(true, json!({}))] {
            assert_eq!((answer.status, &answer.body["reason"]), (409, &json!(reason)), "{}", answer.text);
        }
        assert_eq!(fixture.total(""), json!(1));
    };
    refused("key_store_unlinked");
    fixture.store("link");
    refused("key_store_wrong_state");
    fixture.connect();
    fixture.post(&key, "link", json!({})).expect(200);
    // The state of the store shows in its keys, and ends with it.
    let is = |state: &str| {
        eventually(|| {
            let key = fixture.get(&key);
            (key["aws_param"]["KeyState"] == state, key)
        });
    };
    is("Enabled");
    fixture.store("disconnect");
    is("Unavailable");
    fixture.until("DISCONNECTED");
    let answer = fixture.try_create(true, json!({}));
    assert_eq!((answer.status, &answer.body["reason"]), (409, &json!("key_store_wrong_state")), "{}", answer.text);
    fixture.connect();
    is("Enabled");
}

#[test]
fn of_a_new_key_that_aws_refuses_nothing_stays() {
    let fixture = connected();
    let before = fixture.at_aws();
    fixture.store("block");
    let refused = fixture.try_create(true, json!({"Alias": "refused"}));
    assert_eq!(refused.status, 502, "{}", refused.text);
    fixture.store("unblock");
    let denied = json!({"service": "kms", "operation": "CreateKey", "answer": "deny"});
    fixture.lab.set_faults(&json!([denied]));
    let refused = fixture.try_create(true, json!({"Alias": "refused"}));
    assert_eq!(refused.status, 502, "{}", refused.text);
    assert_eq!((fixture.total(""), fixture.at_aws()), (json!(0), before));
    let text = "x".repeat(9000);
    let long = fixture.try_create(true, json!({"Description": text}));
    assert_eq!((long.status, &long.body["member"]), (400, &json!("aws_param.Description")));
    fixture
        .prepared
        .admin
        .post(&format!("{CREATE}?dry_run=true"), fixture.body(true, json!({})))
        .refused(400, "NCERRInvalidParamValue");
    assert_eq!((fixture.total(""), fixture.at_aws()), (json!(0), before));
    // The alias is free.
    fixture.create(true, json!({"Alias": "refused"}));
}

/// The program is killed before each call of the operation, for a key that is new and for one that exists.
#[test]
fn an_interrupted_link_is_undone_or_completed() {
    let mut fixture = connected();
    let steps = STEPS.iter().find(|steps| steps.operation == "link").expect("an operation");
    let calls = steps.calls.iter().map(|call| call.name).chain(["ListAliases"]);
    for (number, (call, is_new)) in calls.flat_map(|call| [(call, true), (call, false)]).enumerate() {
        let shown = format!("{call}, new: {is_new}");
        let aws_param = json!({"Alias": format!("killed-{number}")});
        let (path, body) = match is_new {
            true => (CREATE.to_owned(), fixture.body(true, aws_param)),
            false => (format!("{KEYS}/{}/link", id(&fixture.create(false, aws_param))), json!({})),
        };
        let (here, there) = (fixture.total("").as_u64().expect("a count"), fixture.at_aws());
        fixture.lab.set_faults(&json!([{"service": "kms", "operation": call, "delay_ms": 120_000}]));
        let (admin, body) = (fixture.prepared.admin.clone(), body.to_string().into_bytes());
        let asking = thread::spawn(move || admin.try_send(Method::POST, &path, Some(body)));
        fixture.lab.wait_until_faults_met();
        fixture.restart();
        assert!(asking.join().expect("a thread").is_err(), "{shown}");
        let made = usize::from(call != "CreateKey");
        let listed = format!("alias=killed-{number}");
        if made == 0 && is_new {
            eventually(|| (fixture.total(&listed) == json!(0), json!(shown)));
        } else {
            eventually(|| {
                let keys = fixture.prepared.admin.get(&format!("{KEYS}?{listed}")).expect(200);
                (keys["resources"][0]["linked_state"] == json!(made == 1), keys)
            });
        }
        let added = u64::from(is_new) * made as u64;
        assert_eq!((fixture.total(""), fixture.at_aws()), (json!(here + added), there + made), "{shown}");
        if made == 1 {
            let key = fixture.prepared.admin.get(&format!("{KEYS}?{listed}")).expect(200)["resources"][0].clone();
            assert_eq!(key["aws_param"]["XksKeyConfiguration"]["Id"], key["id"], "{shown}");
            assert_eq!(fixture.encrypt(&key).0, 200, "{shown}");
        } else if !is_new {
            let key = fixture.prepared.admin.get(&format!("{KEYS}?{listed}")).expect(200)["resources"][0].clone();
            eventually(|| {
                let linked = fixture.post(&key, "link", json!({}));
                (linked.status == 200, linked.body)
            });
        }
    }
}

#[test]
fn a_synchronisation_links_a_key_that_was_made_at_aws_by_hand() {
    let fixture = connected();
    let key = fixture.create(false, json!({"Alias": "planned"}));
    let store = fixture.prepared.admin.get(&format!("{STORES}/{}", fixture.prepared.store)).expect(200);
    let create = json!({"Origin": "EXTERNAL_KEY_STORE", "Description": "by hand", "XksKeyId": id(&key),
        "CustomKeyStoreId": store["aws_param"]["custom_key_store_id"]});
    let made = fixture.lab.kms(REGION, "CreateKey", &create)["KeyMetadata"].clone();
    fixture.synchronise();
    let linked = fixture.get(&key);
    assert_eq!((&linked["linked_state"], &linked["aws_param"]["KeyID"]), (&json!(true), &made["KeyId"]));
    assert_eq!(linked["aws_param"]["Description"], "by hand");
    assert_eq!(fixture.total(&format!("keyid={}", made["KeyId"].as_str().expect("an id"))), json!(1));
    let rows =
        fixture.prepared.admin.get(&format!("{KEYS}?custom_key_store_id={}", fixture.prepared.store)).expect(200);
    assert_eq!(rows["total"], 1);
    fixture.synchronise();
    assert_eq!(fixture.get(&key)["linked_state"], true);
}

/// AWS calls the proxy while the call that creates the key is open.
#[test]
fn one_worker_thread_is_enough_to_link_a_key() {
    let mut fixture = connected();
    fixture.prepared.appliance.kill();
    fixture.prepared.appliance.restart_with(&[("CLAVIGER_SERVER_WORKERS", "1"), ("CLAVIGER_XKS_WORKERS", "1")]);
    fixture.prepared.admin = fixture.prepared.appliance.admin();
    fixture.lab = LabClient::of(&fixture.prepared.appliance);
    let key = fixture.create(true, json!({}));
    assert_eq!(fixture.encrypt(&key).0, 200);
    let other = fixture.create(false, json!({}));
    fixture.post(&other, "link", json!({})).expect(200);
}

#[test]
fn a_schedule_gives_a_linked_key_a_new_version() {
    let fixture = connected();
    let admin = &fixture.prepared.admin;
    let schedule = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    let schedule = id(&admin.post("/v1/scheduler/job-configs", schedule).expect(201));
    let (key, unlinked) = (fixture.create(true, json!({})), fixture.create(false, json!({})));
    let job = |source: &str| json!({"job_config_id": schedule, "auto_rotate_key_source": source});
    fixture.post(&unlinked, "enable-rotation-job", job("local")).refused(409, "NCERRConflict");
    assert_eq!(fixture.get(&unlinked)["labels"], json!({}));
    let native = fixture.post(&key, "enable-rotation-job", job("native"));
    assert_eq!((native.status, &native.body["member"]), (400, &json!("auto_rotate_key_source")));
    let (_, before) = fixture.encrypt(&key);
    let under = fixture.post(&key, "enable-rotation-job", json!({"job_config_id": schedule})).expect(200);
    assert_eq!(under["labels"]["auto_rotate_key_source"], "local");
    admin.post(&format!("/v1/scheduler/job-configs/{schedule}/run-now"), json!({})).expect(201);
    eventually(|| {
        let key = fixture.get(&key);
        (key["local_hosted_params"]["version"] == 2, key)
    });
    let after = fixture.get(&key);
    assert_eq!(
        (&after["aws_param"]["KeyID"], &after["rotation_status"]),
        (&key["aws_param"]["KeyID"], &json!("SUCCESSFUL"))
    );
    fixture.decrypts(&before);
}
