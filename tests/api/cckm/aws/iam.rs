//! `/v1/cckm/aws/get-iam-users` and `/get-iam-roles`: the IAM users and roles of a KMS's account, in AWS's own format.

use crate::support::appliance::{Appliance, subject};
use serde_json::json;

const USERS: &str = "/v1/cckm/aws/get-iam-users";
const ROLES: &str = "/v1/cckm/aws/get-iam-roles";

#[test]
fn users_and_roles_come_in_awss_form_page_by_page() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-3"]);
    // Clients send 0 for "no limit" and an empty text for "no marker".
    let all = json!({"kms": kms, "path_prefix": "", "max_items": 0, "marker": ""});
    let users = admin.post(USERS, all.clone()).expect(200);
    assert_eq!(users["IsTruncated"], false);
    let user = &users["Users"][0];
    for member in ["Path", "UserName", "UserId", "Arn"] {
        assert!(user[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {user}");
    }
    assert!(user["Arn"].as_str().is_some_and(|arn| arn.starts_with("arn:aws:iam::123456789012:user/")), "{user}");
    let roles = admin.post(ROLES, all).expect(200)["Roles"].as_array().expect("roles").clone();
    let (mut paged, mut marker) = (Vec::new(), json!(null));
    loop {
        let page = admin.post(ROLES, json!({"kms": "kms", "max_items": 1, "marker": marker})).expect(200);
        paged.extend(page["Roles"].as_array().expect("roles").clone());
        marker = page["Marker"].clone();
        if page["IsTruncated"] == false {
            break;
        }
    }
    assert_eq!(paged, roles);
    let none = admin.post(USERS, json!({"kms": "kms", "path_prefix": "/nobody/"})).expect(200);
    assert_eq!(none["Users"], json!([]));
}

#[test]
fn users_with_any_action_on_the_kms_may_list_principals() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.user("ann"));
    let kms = appliance.kms("kms", &["eu-west-3"]);
    ann.post(USERS, json!({"kms": "kms"})).refused(404, "NCERRResourceNotFound");
    let acl = json!({"user_id": subject(&ann), "actions": ["reportview"], "permit": true});
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acl).expect(200);
    ann.post(USERS, json!({"kms": "kms"})).expect(200);
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/archive"), json!({})).expect(200);
    admin.post(ROLES, json!({"kms": "kms"})).refused(409, "NCERRConflict");
}

#[test]
fn invalid_requests_name_the_member() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    for (body, member) in [
        (json!({}), "kms"),
        (json!({"kms": "kms", "max_items": 1001}), "max_items"),
        (json!({"kms": "kms", "max_items": -1}), "max_items"),
        (json!({"kms": "kms", "max_items": "ten"}), "max_items"),
        (json!({"kms": "kms", "path_prefix": "ops"}), "path_prefix"),
        (json!({"kms": "kms", "marker": "m".repeat(5000)}), "marker"),
    ] {
        for path in [USERS, ROLES] {
            let answer = admin.post(path, body.clone());
            assert_eq!(answer.status, 400, "{body}: {}", answer.text);
            assert!(answer.body["message"].as_str().is_some_and(|text| text.starts_with(member)), "{}", answer.text);
        }
    }
    admin.post(USERS, json!({"kms": "none"})).refused(404, "NCERRResourceNotFound");
}
