//! Rights that are withdrawn while a request is under way: its head was read before, its body comes after.

use crate::appliance::{Appliance, PASSWORD, id, subject, user_id};
use crate::wire::Begun;
use serde_json::json;

const NEW: &str = "Another-secret-4";
const SOUGHT: &str = "before it was done; nothing was changed";

#[test]
fn who_was_removed_meanwhile_changes_nobodys_password() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.member("ann", &["User Admins"]));
    let bob = user_id(&appliance.user("bob"));
    let path = format!("/v1/usermgmt/users/{bob}");
    let begun = Begun::send(&appliance, &ann, "PATCH", &path, &json!({"password": NEW}));
    admin.delete(&format!("/v1/usermgmt/users/{}", user_id(&ann))).expect(204);
    let told = begun.end();
    assert!(told.starts_with("HTTP/1.1 403 ") && told.contains(SOUGHT), "{told}");
    appliance.nobody().sign_in("bob", PASSWORD);
}

#[test]
fn who_became_an_administrator_meanwhile_is_not_changed_by_less() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.member("ann", &["User Admins"]));
    let bob = user_id(&appliance.user("bob"));
    let path = format!("/v1/usermgmt/users/{bob}");
    let begun = Begun::send(&appliance, &ann, "PATCH", &path, &json!({"password": NEW}));
    admin.post(&format!("/v1/usermgmt/groups/admin/users/{bob}"), json!({})).expect(200);
    let told = begun.end();
    assert!(told.starts_with("HTTP/1.1 403 ") && told.contains(SOUGHT), "{told}");
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
    let begun = Begun::send(&appliance, &ann, "POST", &path, &json!({"description": "after"}));
    admin.post(&acls, entry(&["keyupdate"], false)).expect(200);
    let told = begun.end();
    assert!(told.starts_with("HTTP/1.1 403 ") && told.contains(SOUGHT), "{told}");
    assert_eq!(admin.get(&key).expect(200)["aws_param"]["Description"], "before");
}

#[test]
fn a_session_that_was_closed_meanwhile_changes_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"]));
    let other = appliance.admin();
    let begun = Begun::send(&appliance, &other, "PATCH", &kms, &json!({"regions": ["eu-west-3"]}));
    let sessions = admin.get("/v1/auth/tokens?sort=-createdAt").expect(200);
    let last = sessions["resources"][0]["id"].as_str().expect("an id").to_owned();
    admin.delete(&format!("/v1/auth/tokens/{last}")).expect(204);
    let told = begun.end();
    assert!(told.starts_with("HTTP/1.1 403 ") && told.contains(SOUGHT), "{told}");
    assert_eq!(admin.get(&kms).expect(200)["regions"], json!(["eu-west-1"]));
}
