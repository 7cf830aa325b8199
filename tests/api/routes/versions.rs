//! Versions of resources: `ETag` of one, and `If-Match` on its changes: nobody overwrites what she has not seen.

use crate::support::client::{Answer, Client};
use crate::support::kms_fixture::{KmsFixture, at};
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;

const STALE: (u16, &str) = (412, "NCERRPreconditionFailed");

fn etag(client: &Client, path: &str) -> String {
    tag_of(&client.get(path)).unwrap_or_else(|| panic!("{path} has no ETag"))
}

fn tag_of(answer: &Answer) -> Option<String> {
    answer.headers.get("etag").map(|tag| tag.to_str().expect("a text").to_owned())
}

fn change(client: &Client, method: Method, path: &str, version: &str, body: Value) -> Answer {
    client.with_header("If-Match", version).send(method, path, Some(body.to_string().into_bytes()))
}

fn path(base: &str, resource: &Value, id: &str) -> String {
    format!("/v1/{base}/{}", resource[id].as_str().expect("an id").replace('|', "%7C"))
}

#[test]
fn a_change_of_what_somebody_else_has_changed_is_refused() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let rotation = json!({"name": "weekly", "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
        "cckm_key_rotation_params": {"cloud_name": "aws"}});
    let template = json!({"name": "t", "kms": fixture.kms, "key_admins": ["user1"]});
    let hook = json!({"name": "h", "url": "https://hooks.example.com/h"});
    let syslog = json!({"host": "syslog.example.com", "transport": "udp"});
    let made = |path: &str, body: Value| admin.post(&format!("/v1/{path}"), body).expect(201);
    let user = made("usermgmt/users", json!({"username": "ann", "password": "Versions-1234!"}));
    let group = made("usermgmt/groups", json!({"name": "team a"}));
    let schedule = made("scheduler/job-configs", rotation);
    let source = fixture.create_source_key(json!({"name": "source"}));
    let connections = admin.get("/v1/connectionmgmt/services/aws/connections").expect(200);
    let connection = &connections["resources"][0];
    let (template, hook) = (made("cckm/aws/templates", template), made("alarms/webhooks", hook));
    let syslog = made("configs/syslogs", syslog);
    let table = vec![
        (
            format!("/v1/cckm/aws/kms/{}", fixture.kms),
            json!({"regions": ["eu-west-3"]}),
            json!({"regions": ["eu-west-2"]}),
        ),
        (path("usermgmt/users", &user, "user_id"), json!({"nickname": "a"}), json!({"nickname": "b"})),
        ("/v1/usermgmt/groups/team%20a".to_owned(), json!({"description": "a"}), json!({"description": "b"})),
        (path("scheduler/job-configs", &schedule, "id"), json!({"description": "a"}), json!({"description": "b"})),
        (path("vault/keys2", &source, "id"), json!({"meta": {"x": "1"}}), json!({"meta": {"x": "2"}})),
        (
            path("connectionmgmt/services/aws/connections", connection, "id"),
            json!({"description": "a"}),
            json!({"description": "b"}),
        ),
        (
            path("cckm/aws/templates", &template, "id"),
            json!({"key_admins": ["user2"]}),
            json!({"key_admins": ["user1"]}),
        ),
        (path("alarms/webhooks", &hook, "id"), json!({"name": "i"}), json!({"name": "j"})),
        (path("configs/syslogs", &syslog, "id"), json!({"port": 1}), json!({"port": 2})),
    ];
    assert_eq!(group["name"], "team a");
    for (path, first, second) in table {
        let seen = etag(admin, &path);
        let again = etag(admin, &path);
        assert_eq!(seen, again, "{path}: a read changes nothing");
        change(admin, Method::PATCH, &path, &seen, first.clone()).expect(200);
        let newest = etag(admin, &path);
        assert_ne!(newest, seen, "{path}");
        let before = admin.get(&path).expect(200);
        let refused = change(admin, Method::PATCH, &path, &seen, second.clone());
        let message = refused.refused(STALE.0, STALE.1);
        assert!(message.contains(newest.trim_matches('"')), "{path}: {message}");
        let dry = format!("{path}?dry_run=true");
        change(admin, Method::PATCH, &dry, &seen, second.clone()).refused(STALE.0, STALE.1);
        assert_eq!(admin.get(&path).expect(200), before, "{path}: nothing is changed");
        // Any of several, whatever there is, and no header at all.
        change(admin, Method::PATCH, &dry, &format!("{seen}, {newest}"), second.clone()).expect(200);
        change(admin, Method::PATCH, &dry, "*", second.clone()).expect(200);
        change(admin, Method::PATCH, &dry, &newest, second.clone()).expect(200);
        admin.patch(&path, second).expect(200);
    }
}

#[test]
fn changes_of_keys_at_aws_take_a_version_too() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let key = fixture.create(json!({}));
    let seen = etag(admin, &at(&key, ""));
    assert_eq!(
        seen,
        format!("\"{}\"", key["updatedAt"].as_str().expect("a time")),
        "the version is the member updatedAt"
    );
    let tags = json!({"tags": [{"tag_key": "a", "tag_value": "1"}]});
    let tagged = change(admin, Method::POST, &at(&key, "add-tags"), &seen, tags).expect(200);
    let stale = change(admin, Method::POST, &at(&key, "disable"), &seen, json!({}));
    stale.refused(STALE.0, STALE.1);
    assert_eq!(fixture.read(&key), tagged);
    let newest = format!("\"{}\"", tagged["updatedAt"].as_str().expect("a time"));
    // A rotation has several records; all of them belong to one change.
    let rotated = change(admin, Method::POST, &at(&key, "rotate"), &newest, json!({})).expect(200);
    assert_ne!(rotated["id"], key["id"]);
    change(admin, Method::POST, &at(&key, "disable"), &newest, json!({})).refused(STALE.0, STALE.1);
}

#[test]
fn of_many_who_saw_the_same_version_one_changes_it() {
    let fixture = KmsFixture::new();
    let path = format!("/v1/cckm/aws/kms/{}", fixture.kms);
    let seen = etag(&fixture.admin, &path);
    let answers: Vec<u16> = thread::scope(|scope| {
        let (path, seen, admin) = (&path, &seen, &fixture.admin);
        let ask = |n: usize| {
            let region = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1"][n % 4];
            let regions = json!({ "regions": [region] });
            scope.spawn(move || change(admin, Method::PATCH, path, seen, regions).status)
        };
        let threads: Vec<_> = (0..8).map(ask).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 412).count(), 7, "{answers:?}");
}

#[test]
fn a_version_that_is_not_understood_is_refused() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let path = format!("/v1/cckm/aws/kms/{}", fixture.kms);
    let before = admin.get(&path).expect(200);
    let regions = json!({"regions": ["eu-west-1"]});
    for bad in ["2020-11-05T05:29:17Z", "\"", "", "\"a\", b"] {
        let answer = change(admin, Method::PATCH, &path, bad, regions.clone());
        assert!(answer.refused(400, "NCERRInvalidParamValue").starts_with("If-Match: "), "{bad}");
    }
    let weak = format!("W/{}", etag(admin, &path));
    for other in ["\"a\"", "\"2020-11-05T05:29:17Z\"", &weak] {
        change(admin, Method::PATCH, &path, other, regions.clone()).refused(STALE.0, STALE.1);
    }
    // A call that creates something has no version to compare.
    let answer = change(admin, Method::POST, "/v1/usermgmt/groups", "\"a\"", json!({"name": "g"}));
    answer.refused(400, "NCERRInvalidParamValue");
    admin.get("/v1/usermgmt/groups/g").refused(404, "NCERRResourceNotFound");
    assert_eq!(admin.get(&path).expect(200), before);
    let past = admin.get(&format!("{path}?at=2200-01-01T00:00:00Z"));
    assert_eq!(tag_of(&past), None, "the past has no version");
}
