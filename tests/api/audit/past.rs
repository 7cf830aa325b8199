//! The past of resources: `?at=` and `/history` of each kind. Those of KMSs have more tests beside KMSs.

use crate::support::appliance::id;
use crate::support::client::{Answer, Client};
use crate::support::kms_fixture::{HOME, KmsFixture, key_body};
use reqwest::Method;
use serde_json::{Value, json};

const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";
const USERS: &str = "/v1/usermgmt/users";
const GROUPS: &str = "/v1/usermgmt/groups";
const TEMPLATES: &str = "/v1/cckm/aws/templates";
const SCHEDULES: &str = "/v1/scheduler/job-configs";
const SOURCE_KEYS: &str = "/v1/vault/keys2";
const SECRET: &str = "planted/in/the/past+of+a/connection+key00";

/// A resource that is changed and deleted.
struct Kind {
    name: &'static str,
    path: String,
    change: (Method, String, Value),
    delete: String,
    /// The event of the change, and that of the deletion.
    events: (&'static str, Option<&'static str>),
}

impl Kind {
    /// A resource that `PATCH` and `DELETE` of its own path change and delete.
    fn patched(name: &'static str, path: String, patch: Value, events: (&'static str, &'static str)) -> Self {
        let change = (Method::PATCH, path.clone(), patch);
        Self { name, delete: path.clone(), path, change, events: (events.0, Some(events.1)) }
    }
}

fn kinds(fixture: &KmsFixture) -> Vec<Kind> {
    let admin = &fixture.admin;
    let connection = json!({"name": "past", "access_key_id": "AKIALABUSER1ONLYLAB1", "secret_access_key": SECRET});
    let connection = id(&admin.post(CONNECTIONS, connection).expect(201));
    let user = json!({"username": "paula", "password": "Paula-has-1-secret"});
    let user = admin.post(USERS, user).expect(201)["user_id"].as_str().expect("an id").replace('|', "%7C");
    admin.post(GROUPS, json!({"name": "team"})).expect(201);
    admin.post(&format!("{GROUPS}/team/users/{user}"), json!({})).expect(200);
    let template = json!({"name": "policy", "account_id": "123456789012"});
    let template = id(&admin.post(TEMPLATES, template).expect(201));
    let schedule = json!({"name": "nightly", "operation": "cckm_synchronization", "run_at": "0 1 * * *",
        "cckm_synchronization_params": {"cloud_name": "aws", "kms": [fixture.kms]}});
    let schedule = id(&admin.post(SCHEDULES, schedule).expect(201));
    let source = id(&fixture.create_source_key(json!({"name": "source", "algorithm": "aes", "size": 256})));
    let key = id(&admin.post("/v1/cckm/aws/keys", key_body(json!({"Description": "before"}))).expect(201));
    let key = format!("/v1/cckm/aws/keys/{key}");
    vec![
        Kind {
            name: "key",
            change: (Method::POST, format!("{key}/update-description"), json!({"description": "after"})),
            path: key,
            // The keys of a deleted KMS are removed with it.
            delete: format!("/v1/cckm/aws/kms/{}", fixture.kms),
            events: ("OperationDone", None),
        },
        Kind::patched(
            "connection",
            format!("{CONNECTIONS}/{connection}"),
            json!({"description": "after"}),
            ("SettingsChanged", "Deleted"),
        ),
        Kind::patched("user", format!("{USERS}/{user}"), json!({"nickname": "after"}), ("ProfileChanged", "Removed")),
        Kind::patched("group", format!("{GROUPS}/team"), json!({"description": "after"}), ("Described", "Removed")),
        Kind::patched(
            "template",
            format!("{TEMPLATES}/{template}"),
            json!({"key_admins": ["user1"]}),
            ("PolicyReplaced", "Deleted"),
        ),
        Kind::patched(
            "schedule",
            format!("{SCHEDULES}/{schedule}"),
            json!({"description": "after"}),
            ("Updated", "Deleted"),
        ),
        Kind::patched(
            "source key",
            format!("{SOURCE_KEYS}/{source}"),
            json!({"labels": {"a": "after"}}),
            ("Described", "Deleted"),
        ),
    ]
}

/// The resource without what the past does not have.
fn shown(mut resource: Value) -> Value {
    if let Some(members) = resource.as_object_mut() {
        members.remove("keys_count");
        members.remove("custom_key_stores_count");
    }
    resource
}

fn at(client: &Client, path: &str, moment: &str) -> Answer {
    client.get(&format!("{path}?at={}", moment.replace('+', "%2B")))
}

/// A time, moved by so many nanoseconds.
fn shifted(moment: &str, nanoseconds: i64) -> String {
    let moment: chrono::DateTime<chrono::Utc> = moment.parse().expect("a time");
    (moment + chrono::TimeDelta::nanoseconds(nanoseconds)).to_rfc3339()
}

fn history(client: &Client, path: &str) -> Vec<Value> {
    let answer = client.get(&format!("{path}/history?limit=-1")).expect(200);
    let entries = answer["resources"].as_array().expect("entries").clone();
    assert_eq!(answer["total"], entries.len());
    entries
}

#[test]
fn each_resource_is_shown_as_it_was_and_lists_its_events() {
    let fixture = KmsFixture::new();
    let (admin, eve) = (&fixture.admin, fixture.appliance.user("eve"));
    let mut kinds = kinds(&fixture);
    let mut versions = Vec::new();
    for Kind { name, path, change: (method, change, body), events, .. } in &kinds {
        let before = shown(admin.get(path).expect(200));
        let known = history(admin, path);
        let answer = admin.send(method.clone(), change, Some(body.to_string().into_bytes()));
        assert!(answer.status < 300, "{name}: {}", answer.text);
        let after = shown(admin.get(path).expect(200));
        assert_ne!(before, after, "{name}");
        let moment = after["updatedAt"].as_str().or(after["updated_at"].as_str()).expect("a time").to_owned();

        at(admin, path, "2020-01-01T00:00:00Z").refused(404, "NCERRResourceNotFound");
        at(admin, path, "yesterday").refused(400, "NCERRInvalidParamValue");
        assert_eq!(at(admin, path, &shifted(&moment, -1)).expect(200), before, "{name} before its change");
        assert_eq!(at(admin, path, &moment).expect(200), after, "{name} at its change");
        assert_eq!(at(admin, path, "2100-01-01T00:00:00Z").expect(200), after, "{name} up to now");

        let entries = history(admin, path);
        assert!(entries.len() > known.len() && entries.starts_with(&known), "{name}: {entries:?}");
        let last = entries.last().expect("an entry");
        assert_eq!((&last["event"], &last["actor"]), (&json!(events.0), &json!("admin")), "{name}");
        assert_eq!(last["time"], moment.as_str(), "{name}");
        let newest = admin.get(&format!("{path}/history?sort=-seq&limit=1")).expect(200);
        assert_eq!(newest["resources"][0], *last, "{name}");

        // Whoever may not view it may not view its past.
        let status = eve.get(path).status;
        assert_eq!(at(&eve, path, &moment).status, status, "{name}");
        let status = if *name == "group" { 403 } else { status };
        assert_eq!(eve.get(&format!("{path}/history")).status, status, "{name}");
        versions.push((moment, after, entries.len()));
    }
    let all: String = kinds.iter().map(|kind| format!("{:?}", history(admin, &kind.path))).collect();
    assert!(all.contains("[sealed]") && !all.contains("argon2") && !all.contains(SECRET) && !all.contains("Paula-has"));

    // The KMS, whose schedule names it, goes last.
    kinds.rotate_left(1);
    versions.rotate_left(1);
    for (Kind { name, path, delete, events, .. }, (moment, after, known)) in kinds.iter().zip(versions) {
        admin.delete(delete).expect(204);
        assert_eq!(admin.get(path).status, 404, "{name}");
        let then = at(admin, path, &moment).expect(200);
        // A template shows its KMS as it is now.
        assert_eq!(then, after, "{name} before it was deleted");
        assert_eq!(at(admin, path, "2100-01-01T00:00:00Z").status, 404, "{name} is deleted by then");
        let entries = history(admin, path);
        if let Some(event) = events.1 {
            assert!(entries.len() > known && entries.iter().any(|entry| entry["event"] == *event), "{name}");
        }
        for refused in [at(&eve, path, &moment), eve.get(&format!("{path}/history"))] {
            assert!([403, 404].contains(&refused.status), "{name}: {}", refused.text);
        }
    }
}

#[test]
fn the_past_of_a_user_has_the_groups_and_that_of_a_group_its_names() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let bob = admin.post(USERS, json!({"username": "bob", "password": "Bob-has-1-secret"})).expect(201);
    let bob = format!("{USERS}/{}", bob["user_id"].as_str().expect("an id").replace('|', "%7C"));
    admin.post(GROUPS, json!({"name": "first"})).expect(201);
    let member = format!("{GROUPS}/first/users/{}", bob.rsplit('/').next().expect("an id"));
    admin.post(&member, json!({})).expect(200);
    admin.patch(&format!("{GROUPS}/first"), json!({"name": "second"})).expect(200);
    admin.delete(&format!("{GROUPS}/second")).expect(204);
    let entries = history(admin, &bob);
    let events: Vec<_> = entries.iter().map(|entry| entry["event"].as_str().expect("a name")).collect();
    assert_eq!(events, ["Created", "MemberAdded"]);
    assert_eq!(entries[1]["resource"], "group/first");
    let joined = entries[1]["time"].as_str().expect("a time");
    assert_eq!(at(admin, &bob, &shifted(joined, -1)).expect(200)["groups"], json!([]));
    assert_eq!(at(admin, &bob, joined).expect(200)["groups"], json!(["first"]));
    let names = history(admin, &format!("{GROUPS}/second"));
    let renamed = names[0]["time"].as_str().expect("a time");
    assert_eq!((&names[0]["event"], &names[1]["event"]), (&json!("Renamed"), &json!("Removed")));
    assert_eq!(at(admin, &bob, renamed).expect(200)["groups"], json!(["second"]));
    assert_eq!(at(admin, &bob, "2100-01-01T00:00:00Z").expect(200)["groups"], json!([]));
    let second = at(admin, &format!("{GROUPS}/second"), renamed).expect(200);
    assert_eq!((&second["users_count"], &second["name"]), (&json!(1), &json!("second")));
    at(admin, &format!("{GROUPS}/second"), joined).refused(404, "NCERRResourceNotFound");
    assert_eq!(at(admin, &format!("{GROUPS}/first"), joined).expect(200)["name"], "first");
}

#[test]
fn the_past_survives_a_restart_and_hides_what_the_caller_may_not_see() {
    let mut fixture = KmsFixture::new();
    let key = fixture.create(json!({"Description": "one"}));
    let path = format!("/v1/cckm/aws/keys/{}", id(&key));
    let schedule = json!({"name": "nightly", "operation": "cckm_synchronization", "run_at": "0 1 * * *",
        "cckm_synchronization_params": {"cloud_name": "aws", "kms": [fixture.kms]}});
    let schedule = format!("{SCHEDULES}/{}", id(&fixture.admin.post(SCHEDULES, schedule).expect(201)));
    let before = history(&fixture.admin, &path);
    assert!(fixture.appliance.terminate().success());
    fixture.restart();
    assert_eq!(history(&fixture.admin, &path), before);
    assert_eq!(before.last().map(|entry| &entry["event"]), Some(&json!("OperationDone")));
    let eve = fixture.appliance.user("eve");
    assert!(!format!("{:?}", history(&eve, &schedule)).contains(&fixture.kms));
    assert!(format!("{:?}", history(&fixture.admin, &schedule)).contains(&fixture.kms));
    // A viewer of other keys of the KMS may be granted this one, and sees its past then.
    eve.get(&format!("{path}/history")).refused(404, "NCERRResourceNotFound");
    let who = eve.get("/v1/auth/self/user").expect(200)["user_id"].clone();
    let acl = json!({"user_id": who, "actions": ["view"], "permit": true});
    fixture.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", fixture.kms), acl).expect(200);
    assert_eq!(history(&eve, &path), before);
    assert_eq!(fixture.admin.get(&path).expect(200)["region"], HOME);
}
