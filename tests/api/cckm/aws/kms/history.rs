//! The history of a KMS and its state at a time in the past; and the dry run.

use crate::support::appliance::{Appliance, program, run_to_end, subject};
use crate::support::client::Client;
use reqwest::Method;
use serde_json::{Value, json};

const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";

#[test]
fn a_history_says_who_did_what_and_when() {
    let appliance = Appliance::start();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let path = format!("/v1/cckm/aws/kms/{kms}");
    let (admin, ann) = (appliance.admin(), appliance.member("ann", &["CCKM Admins"]));
    let answer = ann.patch(&path, json!({"regions": ["us-east-1"]}));
    let request = answer.headers["x-request-id"].to_str().expect("text").to_owned();
    let updated = answer.expect(200)["updatedAt"].clone();
    let acl = json!({"group": "CCKM Users", "actions": ["keycreate"], "permit": true});
    ann.post(&format!("{path}/update-acls"), acl).expect(200);
    admin.post(&format!("{path}/archive"), json!({})).expect(200);
    admin.post(&format!("{path}/recover"), json!({})).expect(200);
    // A change to the same value and a refused change record nothing.
    admin.patch(&path, json!({"regions": ["us-east-1"]})).expect(200);
    admin.patch(&path, json!({"regions": []})).expect(400);

    let all = admin.get(&format!("{path}/history")).expect(200);
    assert_eq!((&all["skip"], &all["limit"], &all["total"]), (&json!(0), &json!(10), &json!(5)));
    let entries = all["resources"].as_array().expect("entries");
    let values =
        |member: &str| entries.iter().map(|entry| entry[member].as_str().unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(values("event"), ["Added", "RegionsReplaced", "AclsChanged", "Archived", "Recovered"]);
    assert_eq!(values("actor"), ["admin", "ann", "ann", "admin", "admin"]);
    assert!(values("time").is_sorted() && entries.iter().is_sorted_by_key(|entry| entry["seq"].as_u64()));
    assert_eq!(entries[1]["user_id"], subject(&ann));
    assert_eq!(entries[1]["request_id"], request);
    assert_eq!(entries[1]["time"], updated);
    assert_eq!(entries[1]["details"], json!({"to": ["us-east-1"]}));

    let page = |query: &str| admin.get(&format!("{path}/history?{query}")).expect(200)["resources"].clone();
    assert_eq!(page("skip=1&limit=2"), json!(entries[1..3]));
    assert_eq!(page("sort=-seq&limit=1"), json!(entries[4..]));
    assert_eq!(page("limit=-1"), all["resources"]);
    assert_eq!(page("skip=5"), json!([]));
    admin.get(&format!("{path}/history?sort=actor")).refused(400, "NCERRInvalidParamValue");
    admin.get(&format!("{path}/history?limit=0")).refused(400, "NCERRInvalidParamValue");
}

#[test]
fn a_history_is_seen_by_those_who_see_the_kms() {
    let appliance = Appliance::start();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let path = format!("/v1/cckm/aws/kms/{kms}");
    let (admin, bob) = (appliance.admin(), appliance.member("bob", &["CCKM Users"]));
    let asks =
        |who: &Client| [who.get(&format!("{path}/history")), who.get(&format!("{path}?at=2100-01-01T00:00:00Z"))];
    asks(&appliance.nobody()).into_iter().for_each(|answer| drop(answer.refused(401, "NCERRUnauthorized")));
    asks(&bob).into_iter().for_each(|answer| drop(answer.refused(404, "NCERRResourceNotFound")));
    let acl = json!({"user_id": subject(&bob), "actions": ["keycreate"], "permit": true});
    admin.post(&format!("{path}/update-acls"), acl).expect(200);
    asks(&bob).into_iter().for_each(|answer| drop(answer.expect(200)));
    // Who shares a KMS may ask who changed it.
    let history = bob.get(&format!("{path}/history")).expect(200);
    let actors = history["resources"].as_array().expect("entries").iter().map(|entry| &entry["actor"]);
    assert!(actors.clone().count() == 2 && actors.clone().all(|actor| actor == "admin"), "{history}");
    admin.delete(&path).expect(204);
    // Only administrators see a deleted KMS.
    asks(&bob).into_iter().for_each(|answer| drop(answer.refused(404, "NCERRResourceNotFound")));
    assert_eq!(admin.get(&format!("{path}/history?sort=-seq")).expect(200)["resources"][0]["event"], "Deleted");
    admin.get("/v1/cckm/aws/kms/0b90f8de-8617-498d-ad63-ca18eb717ae7/history").refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_kms_is_shown_as_it_was_at_any_moment() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let path = format!("/v1/cckm/aws/kms/{kms}");
    let at = |moment: &str| admin.get(&format!("{path}?at={}", moment.replace('+', "%2B")));
    let mut versions = vec![admin.get(&path).expect(200)];
    let mut note = |answer: Value| versions.push(answer);
    note(admin.patch(&path, json!({"regions": ["us-east-1", "eu-west-1"]})).expect(200));
    let acl = json!({"group": "CCKM Users", "actions": ["keycreate"], "permit": true});
    note(admin.post(&format!("{path}/update-acls"), acl).expect(200));
    note(admin.post(&format!("{path}/archive"), json!({})).expect(200));
    note(admin.post(&format!("{path}/recover"), json!({})).expect(200));
    let moments: Vec<_> = versions.iter().map(|kms| kms["updatedAt"].as_str().expect("a time").to_owned()).collect();

    let created = &moments[0];
    at("2020-01-01T00:00:00Z").refused(404, "NCERRResourceNotFound");
    at(&shifted(created, -1)).refused(404, "NCERRResourceNotFound");
    for (n, (moment, version)) in moments.iter().zip(&versions).enumerate() {
        assert_eq!(at(moment).expect(200), *version, "at its change");
        let next = moments.get(n + 1).map_or_else(|| shifted(moment, 1), |next| shifted(next, -1));
        assert_eq!(at(&next).expect(200), *version, "until just before the next");
    }
    let paris = moments[1].parse::<chrono::DateTime<chrono::FixedOffset>>().expect("a time");
    let paris = paris.with_timezone(&chrono::FixedOffset::east_opt(3600).expect("an offset")).to_rfc3339();
    assert_eq!(at(&paris).expect(200), versions[1], "{paris}");

    admin.delete(&path).expect(204);
    admin.get(&path).expect(404);
    assert_eq!(at(moments.last().expect("a moment")).expect(200), versions[4], "from before it was deleted");
    at("2100-01-01T00:00:00Z").refused(404, "NCERRResourceNotFound");
    for odd in ["yesterday", "2026-01-01", "0"] {
        at(odd).refused(400, "NCERRInvalidParamValue");
    }
}

#[test]
fn the_past_up_to_now_is_the_present() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let path = format!("/v1/cckm/aws/kms/{kms}");
    let bob = subject(&appliance.user("bob"));
    admin.post("/v1/usermgmt/groups", json!({"name": "team"})).expect(201);
    let entry = |who: &str, name: &str| json!({who: name, "actions": ["keycreate"], "permit": true});
    let acls = json!({"acls": [entry("user_id", &bob), entry("group", "team"), entry("group", "CCKM Users")]});
    let permitted = admin.post(&format!("{path}/update-acls"), acls).expect(200);
    // Rights end with their user or group, and the new name of the connection is shown.
    admin.delete(&format!("/v1/usermgmt/users/{}", bob.replace('|', "%7C"))).expect(204);
    admin.delete("/v1/usermgmt/groups/team").expect(204);
    admin.patch(&format!("{CONNECTIONS}/test_aws-connection"), json!({"name": "renamed"})).expect(200);
    let present = admin.get(&path).expect(200);
    assert_eq!(present["acls"], json!([{"group": "CCKM Users", "actions": ["viewnative", "viewbyok", "keycreate"]}]));
    assert_eq!(present["connection"], "renamed");
    assert_eq!(admin.get(&format!("{path}?at=2100-01-01T00:00:00Z")).expect(200), present);
    let then = permitted["updatedAt"].as_str().expect("a time");
    assert_eq!(admin.get(&format!("{path}?at={then}")).expect(200), permitted);
}

/// A time, moved by so many nanoseconds.
fn shifted(moment: &str, nanoseconds: i64) -> String {
    let moment: chrono::DateTime<chrono::Utc> = moment.parse().expect("a time");
    (moment + chrono::TimeDelta::nanoseconds(nanoseconds)).to_rfc3339()
}

#[test]
fn a_dry_run_answers_what_it_would_answer_and_records_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let bob = subject(&appliance.member("bob", &["CCKM Users"])).replace('|', "%7C");
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let archived = appliance.kms("archived", &["us-west-2"]);
    admin.post(&format!("/v1/cckm/aws/kms/{archived}/archive"), json!({})).expect(200);
    admin.post("/v1/usermgmt/groups", json!({"name": "team"})).expect(201);
    let keys = json!({"name": "other", "access_key_id": "AKIALABUSER1ONLYLAB1",
        "secret_access_key": "lab-only/user1/not+a+secret/of+any+use01"});
    admin.post(CONNECTIONS, keys).expect(201);
    let session = admin.get("/v1/auth/tokens?limit=1").expect(200)["resources"][0]["id"].clone();
    let before = (events(&appliance), picture(&admin), files(&appliance));

    let (path, users) = (format!("/v1/cckm/aws/kms/{kms}"), "/v1/usermgmt/users".to_owned());
    let new = |name: &str| json!({"name": name, "account_id": "123456789012", "connection": "other", "regions": ["eu-west-2"]});
    let connection = json!({"name": "third", "access_key_id": "AKIAX", "secret_access_key": "s"});
    let acl = json!({"group": "team", "actions": ["keycreate"], "permit": true});
    let changes = [
        (Method::POST, "/v1/cckm/aws/kms".to_owned(), new("new"), 201),
        (Method::PATCH, path.clone(), json!({"regions": ["us-east-1"]}), 200),
        (Method::POST, format!("{path}/update-acls"), acl, 200),
        (Method::POST, format!("{path}/archive"), json!({}), 200),
        (Method::POST, format!("/v1/cckm/aws/kms/{archived}/recover"), json!({}), 200),
        (Method::DELETE, path.clone(), json!({}), 204),
        (Method::POST, users.clone(), json!({"username": "cy", "password": "Cy-has-1-secret"}), 201),
        (Method::PATCH, format!("{users}/{bob}"), json!({"nickname": "bobby", "password": "Bob-has-1-secret"}), 200),
        (Method::DELETE, format!("{users}/{bob}"), json!({}), 204),
        (Method::POST, "/v1/usermgmt/groups".to_owned(), json!({"name": "new"}), 201),
        (Method::PATCH, "/v1/usermgmt/groups/team".to_owned(), json!({"description": "us"}), 200),
        (Method::DELETE, "/v1/usermgmt/groups/team".to_owned(), json!({}), 204),
        (Method::POST, format!("/v1/usermgmt/groups/team/users/{bob}"), json!({}), 200),
        (Method::DELETE, format!("/v1/usermgmt/groups/CCKM%20Users/users/{bob}"), json!({}), 204),
        (Method::PATCH, "/v1/usermgmt/pwdpolicies/global".to_owned(), json!({"inclusive_min_total_length": 20}), 200),
        (Method::POST, CONNECTIONS.to_owned(), connection, 201),
        (Method::PATCH, format!("{CONNECTIONS}/other"), json!({"description": "new", "secret_access_key": "s"}), 200),
        (Method::POST, format!("{CONNECTIONS}/other/test"), json!({}), 200),
        (Method::DELETE, format!("{CONNECTIONS}/other"), json!({}), 204),
        (Method::DELETE, format!("/v1/auth/tokens/{}", session.as_str().expect("an id")), json!({}), 204),
    ];
    for (method, path, body, status) in changes {
        let body = Some(body.to_string().into_bytes());
        let answer = admin.send(method.clone(), &format!("{path}?dry_run=true"), body.clone());
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        if path.ends_with(&kms) && method == Method::PATCH {
            assert_eq!(answer.body["regions"], json!(["us-east-1"]));
        }
    }
    assert_eq!((events(&appliance), picture(&admin), files(&appliance)), before);
}

#[test]
fn a_dry_run_makes_all_checks_those_of_aws_included() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let before = events(&appliance);
    let add = |account: &str, name: &str, region: &str| {
        let body =
            json!({"name": name, "account_id": account, "connection": "test_aws-connection", "regions": [region]});
        admin.post("/v1/cckm/aws/kms?dry_run=true", body)
    };
    add("123456789012", "kms", "eu-west-2").refused(409, "NCERRConflict");
    add("123456789012", "new", "eu-west-1").refused(409, "NCERRConflict");
    // Only AWS can answer these.
    add("789012123456", "new", "eu-west-2").refused(400, "NCERRInvalidParamValue");
    let role = json!({"name": "new", "account_id": "789012123456", "connection": "test_aws-connection",
        "regions": ["eu-west-2"], "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
        "assume_role_external_id": "not-the-right-one"});
    admin.post("/v1/cckm/aws/kms?dry_run=true", role).refused(502, "NCERRCloudError");
    let bob = appliance.user("bob");
    bob.delete(&format!("/v1/cckm/aws/kms/{kms}?dry_run=true")).refused(404, "NCERRResourceNotFound");
    // An invalid `dry_run` is refused, since the client may have meant a dry run.
    for query in ["dry_run=perhaps", "dry_run", "dry_run=", "dry_run=true&dry_run=false", "dry_run=TRUE"] {
        admin.delete(&format!("/v1/cckm/aws/kms/{kms}?{query}")).refused(400, "NCERRInvalidParamValue");
    }

    // Sign-in has no dry run.
    let nobody = appliance.nobody();
    let password = crate::support::appliance::PASSWORD;
    let signing_in = json!({"username": "admin", "password": password});
    nobody.post("/v1/auth/tokens?dry_run=true", signing_in).refused(400, "NCERRInvalidParamValue");
    let change = json!({"username": "admin", "password": password, "new_password": "Another-1-of-them"});
    nobody.patch("/v1/auth/changepw?dry_run=true", change).refused(400, "NCERRInvalidParamValue");
    let kms_events = |lines: &[String]| lines.iter().filter(|line| line.contains("\"stream\":\"kms/")).count();
    assert_eq!(kms_events(&events(&appliance)), kms_events(&before));
}

fn events(appliance: &Appliance) -> Vec<String> {
    let (code, out, err) = run_to_end(program().args(["events", "--data"]).arg(appliance.data()));
    assert_eq!(code, Some(0), "{err}");
    out.lines().map(str::to_owned).collect()
}

/// All lists.
fn picture(admin: &Client) -> Vec<Value> {
    ["/v1/cckm/aws/kms", "/v1/usermgmt/users", "/v1/usermgmt/groups", CONNECTIONS, "/v1/auth/tokens"]
        .map(|path| admin.get(&format!("{path}?limit=-1")).expect(200))
        .into_iter()
        .chain([admin.get("/v1/usermgmt/pwdpolicies/global").expect(200)])
        .collect()
}

/// The data keys in the keyring.
fn files(appliance: &Appliance) -> Vec<String> {
    let keyring = std::fs::read_dir(appliance.data().join("keyring")).expect("a keyring");
    let mut names: Vec<_> =
        keyring.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
