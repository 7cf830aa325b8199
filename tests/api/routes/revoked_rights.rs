//! Rights that are revoked during a request, after its head was read and before its body arrives.

use crate::support::appliance::{Appliance, PASSWORD, id, subject, user_id};
use crate::support::raw_http::PartialRequest;
use crate::support::strace::Strace;
use serde_json::json;
use std::time::{Duration, Instant};

const NEW: &str = "Another-secret-4";
const SOUGHT: &str = "before it was done; nothing was changed";

#[test]
fn a_user_removed_during_a_request_cannot_change_a_password() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.member("ann", &["User Admins"]));
    let bob = user_id(&appliance.user("bob"));
    let path = format!("/v1/usermgmt/users/{bob}");
    let begun = PartialRequest::send(&appliance, &ann, "PATCH", &path, &json!({"password": NEW}));
    admin.delete(&format!("/v1/usermgmt/users/{}", user_id(&ann))).expect(204);
    let answer = begun.end();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains(SOUGHT), "{answer}");
    appliance.nobody().sign_in("bob", PASSWORD);
}

#[test]
fn a_user_who_becomes_administrator_during_a_request_is_protected() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.member("ann", &["User Admins"]));
    let bob = user_id(&appliance.user("bob"));
    let path = format!("/v1/usermgmt/users/{bob}");
    let begun = PartialRequest::send(&appliance, &ann, "PATCH", &path, &json!({"password": NEW}));
    admin.post(&format!("/v1/usermgmt/groups/admin/users/{bob}"), json!({})).expect(200);
    let answer = begun.end();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains(SOUGHT), "{answer}");
    appliance.nobody().sign_in("bob", PASSWORD);
}

#[test]
fn an_action_that_was_taken_away_meanwhile_changes_no_key() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.user("ann"));
    let kms = appliance.kms("first", &["eu-west-1"]);
    let body = json!({"kms": "first", "region": "eu-west-1", "aws_param": {"Alias": "late", "Description": "before"}});
    let key = format!("/v1/cckm/aws/keys/{}", id(&admin.post("/v1/cckm/aws/keys", body).expect(201)));
    let acls = format!("/v1/cckm/aws/kms/{kms}/update-acls");
    let entry = |actions: &[&str], permit| json!({"user_id": subject(&ann), "actions": actions, "permit": permit});
    admin.post(&acls, entry(&["view", "viewnative", "keyupdate"], true)).expect(200);
    let path = format!("{key}/update-description");
    let begun = PartialRequest::send(&appliance, &ann, "POST", &path, &json!({"description": "after"}));
    admin.post(&acls, entry(&["keyupdate"], false)).expect(200);
    let answer = begun.end();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains(SOUGHT), "{answer}");
    assert_eq!(admin.get(&key).expect(200)["aws_param"]["Description"], "before");
}

#[test]
fn a_password_change_that_becomes_due_during_a_request_stops_it() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.member("ann", &["CCKM Admins"]));
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"]));
    let begun = PartialRequest::send(&appliance, &ann, "PATCH", &kms, &json!({"regions": ["eu-west-3"]}));
    let path = format!("/v1/usermgmt/users/{}", user_id(&ann));
    admin.patch(&path, json!({"password_change_required": true})).expect(200);
    let answer = begun.end();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains(SOUGHT), "{answer}");
    assert_eq!(admin.get(&kms).expect(200)["regions"], json!(["eu-west-1"]));
}

#[test]
fn an_alias_that_has_moved_meanwhile_is_not_taken_from_where_it_is() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("first", &["eu-west-1"]);
    let body = |alias: &str| json!({"kms": "first", "region": "eu-west-1", "aws_param": {"Alias": alias}});
    let made =
        |alias: &str| format!("/v1/cckm/aws/keys/{}", id(&admin.post("/v1/cckm/aws/keys", body(alias)).expect(201)));
    let (one, two) = (made("wanted"), made("other"));
    let path = format!("{one}/delete-alias");
    let begun = PartialRequest::send(&appliance, &admin, "POST", &path, &json!({"alias": "wanted"}));
    admin.post(&format!("{two}/add-alias"), json!({"alias": "wanted"})).expect(200);
    let answer = begun.end();
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("alias/wanted"), "{answer}");
    let kept = admin.post(&format!("{two}/refresh"), json!({})).expect(200);
    assert_eq!(kept["aws_param"]["Alias"], json!(["alias/other", "alias/wanted"]));
}

/// The operation is recorded and the client disconnects; the operation continues.
#[test]
fn an_order_that_was_recorded_is_carried_out_without_its_client() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("first", &["eu-west-1"]);
    let slow = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=1500000"];
    let Some(tracer) = Strace::attach(appliance.pid(), &slow) else { return };
    let jobs = "/v1/cckm/aws/synchronization-jobs";
    PartialRequest::send(&appliance, &admin, "POST", jobs, &json!({"kms": ["first"]})).finish_and_disconnect();
    std::thread::sleep(Duration::from_millis(2500));
    drop(tracer);
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut found = admin.get(jobs).expect(200);
    assert_eq!(found["total"], 1);
    while found["resources"][0]["overall_status"] != "completed" {
        assert!(Instant::now() < deadline, "{found}");
        std::thread::sleep(Duration::from_millis(100));
        found = admin.get(jobs).expect(200);
    }
}

#[test]
fn a_session_that_was_closed_meanwhile_changes_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"]));
    let other = appliance.admin();
    let begun = PartialRequest::send(&appliance, &other, "PATCH", &kms, &json!({"regions": ["eu-west-3"]}));
    let sessions = admin.get("/v1/auth/tokens?sort=-createdAt").expect(200);
    let last = sessions["resources"][0]["id"].as_str().expect("an id").to_owned();
    admin.delete(&format!("/v1/auth/tokens/{last}")).expect(204);
    let answer = begun.end();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains(SOUGHT), "{answer}");
    assert_eq!(admin.get(&kms).expect(200)["regions"], json!(["eu-west-1"]));
}
