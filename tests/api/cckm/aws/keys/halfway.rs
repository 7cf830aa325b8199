//! Creations and changes that cannot be completed: nothing is begun that would fail, what was begun is undone, and the
//! answer names what is left.

use crate::support::appliance::id;
use crate::support::kms_fixture::{AWAY, HOME, KEYS, KmsFixture, at, aws, aws_id, key_body, open_policy};
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;

fn denied(operation: &str) -> Value {
    json!([{"service": "kms", "operation": operation, "answer": "deny"}])
}

#[test]
fn of_parallel_creations_with_one_alias_one_makes_a_key() {
    let fixture = KmsFixture::new();
    // All requests arrive before the first one is done.
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "CreateAlias", "delay_ms": 1000}]));
    let body = key_body(json!({"Alias": "wanted"})).to_string().into_bytes();
    let ask = || {
        let (admin, body) = (fixture.admin.clone(), body.clone());
        thread::spawn(move || admin.send(Method::POST, KEYS, Some(body)))
    };
    let asking: Vec<_> = (0..8).map(|_| ask()).collect();
    let answers: Vec<_> = asking.into_iter().map(|asking| asking.join().expect("an answer")).collect();
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    for answer in refused {
        assert_eq!(answer.body["reason"], "alias_taken", "{}", answer.text);
        answer.refused(409, "NCERRConflict");
    }
    assert_eq!((fixture.lab.keys(HOME).len(), fixture.total("")), (1, 1));
    fixture.assert_agreement();
}

#[test]
fn an_alias_that_aws_has_is_refused_before_a_key_is_made() {
    let fixture = KmsFixture::new();
    fixture.create_source_key(json!({"name": "aes"}));
    let primary = fixture.create(json!({"MultiRegion": true}));
    for region in [HOME, AWAY] {
        let theirs = fixture.lab.kms(region, "CreateKey", &json!({}))["KeyMetadata"]["KeyId"].clone();
        fixture.lab.kms(region, "CreateAlias", &json!({"TargetKeyId": theirs, "AliasName": "alias/theirs"}));
    }
    let mut upload = key_body(json!({"Alias": "theirs"}));
    upload["source_key_identifier"] = json!("aes");
    let replica = json!({"replica_region": AWAY, "aws_param": {"Alias": "theirs"}});
    let requests = [
        (KEYS.to_owned(), key_body(json!({"Alias": "theirs"}))),
        ("/v1/cckm/aws/upload-key".to_owned(), upload),
        (at(&primary, "replicate-key"), replica),
    ];
    for (path, body) in requests {
        let message = fixture.admin.post(&path, body).refused(409, "NCERRConflict");
        assert_eq!(message, "alias: `alias/theirs` is taken in this region; choose another one");
    }
    assert_eq!((fixture.lab.keys(HOME).len(), fixture.lab.keys(AWAY).len(), fixture.total("")), (2, 1, 1));
    // A key that is pending deletion keeps its alias.
    let ending = fixture.create(json!({"Alias": "ending"}));
    fixture.change(&ending, "schedule-deletion", json!({"days": 7}));
    let message = fixture.admin.post(KEYS, key_body(json!({"Alias": "ending"}))).refused(409, "NCERRConflict");
    assert!(message.contains(&id(&ending)) && message.contains("pending deletion"), "{message}");
}

#[test]
fn a_creation_that_aws_refuses_halfway_is_undone() {
    let fixture = KmsFixture::new();
    fixture.create_source_key(json!({"name": "aes"}));
    let primary = fixture.create(json!({"MultiRegion": true}));
    let mut upload = key_body(json!({}));
    upload["source_key_identifier"] = json!("aes");
    let requests = [
        ("CreateAlias", KEYS.to_owned(), key_body(json!({"Alias": "one"}))),
        ("ImportKeyMaterial", "/v1/cckm/aws/upload-key".to_owned(), upload),
        (
            "CreateAlias",
            at(&primary, "replicate-key"),
            json!({"replica_region": AWAY, "aws_param": {"Alias": "replica"}}),
        ),
    ];
    for (number, (refused, path, body)) in requests.into_iter().enumerate() {
        fixture.lab.set_faults(&denied(refused));
        let message = fixture.admin.post(&path, body).refused(502, "NCERRCloudError");
        let ending = fixture.admin.get(&format!("{KEYS}?keystate=PendingDeletion&sort=-createdAt")).expect(200);
        assert_eq!(ending["total"], number + 1, "{refused}: {message}");
        let undone = &ending["resources"][0];
        let told = format!("key {} ({}), which was made before, is deleted in 7 days", id(undone), aws_id(undone));
        assert!(message.contains("AccessDenied") && message.ends_with(&told), "{message}");
        let events = fixture.events(&format!("key/{}", id(undone)));
        let failed = events.iter().find(|(name, _)| name == "OperationFailed").expect("an outcome");
        assert!(failed.1["reason"].as_str().is_some_and(|reason| reason.ends_with(&told)), "{failed:?}");
    }
    fixture.assert_agreement();
    // The aliases are free.
    fixture.create(json!({"Alias": "one"}));
}

#[test]
fn a_creation_that_cannot_be_undone_names_the_key_that_is_left() {
    let fixture = KmsFixture::new();
    let faults = ["CreateAlias", "ScheduleKeyDeletion"].map(|operation| denied(operation)[0].clone());
    fixture.lab.set_faults(&json!(faults));
    let message = fixture.admin.post(KEYS, key_body(json!({"Alias": "one"}))).refused(502, "NCERRCloudError");
    let left = &fixture.admin.get(KEYS).expect(200)["resources"][0];
    let told = format!("key {} ({}), which was made before, is still there: ", id(left), aws_id(left));
    assert!(message.contains(&told) && message.contains("ScheduleKeyDeletion"), "{message}");
    assert_eq!(aws(left, "KeyState"), "Enabled");
    fixture.assert_agreement();
}

#[test]
fn a_key_that_is_pending_deletion_gets_a_policy_and_keeps_its_template() {
    let fixture = KmsFixture::new();
    let template = json!({"name": "mine", "kms": "fixture", "key_users": ["user1"]});
    fixture.admin.post("/v1/cckm/aws/templates", template).expect(201);
    let (plain, templated) = (fixture.create(json!({})), fixture.create(json!({})));
    fixture.change(&templated, "policy", json!({"policytemplate": "mine"}));
    for key in [&plain, &templated] {
        fixture.change(key, "schedule-deletion", json!({"days": 7}));
    }
    let changed = fixture.change(&plain, "policy", json!({"Policy": open_policy()}));
    assert_eq!(aws(&changed, "Policy"), &open_policy());
    fixture.change(&templated, "policy", json!({"policytemplate": "mine"}));
    // AWS changes no tags of such a key, so a change of the template is refused, and nothing is changed.
    for (key, body) in [(&plain, json!({"policytemplate": "mine"})), (&templated, json!({"Policy": open_policy()}))] {
        let before = fixture.read(key);
        let message = fixture.post(key, "policy", body).refused(409, "NCERRConflict");
        assert!(message.contains("pending deletion"), "{message}");
        assert_eq!(fixture.change(key, "refresh", json!({}))["aws_param"], before["aws_param"]);
    }
}

#[test]
fn a_policy_whose_tag_is_refused_is_put_and_the_answer_says_so() {
    let fixture = KmsFixture::new();
    let template = json!({"name": "mine", "kms": "fixture", "key_users": ["user1"]});
    fixture.admin.post("/v1/cckm/aws/templates", template).expect(201);
    let key = fixture.create(json!({}));
    fixture.lab.set_faults(&denied("TagResource"));
    let message = fixture.post(&key, "policy", json!({"policytemplate": "mine"})).refused(502, "NCERRCloudError");
    assert!(message.ends_with("the policy was put, but the tag `cckm_policy_template_id` is as it was"), "{message}");
    assert!(fixture.read(&key)["key_users"].is_array());
    // Nobody has a tag to lose, so none is taken.
    let calls = fixture.lab.calls("kms:UntagResource");
    fixture.change(&key, "policy", json!({"Policy": open_policy()}));
    assert_eq!(fixture.lab.calls("kms:UntagResource"), calls);
}
