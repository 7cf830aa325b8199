//! `/v1/cckm/aws/templates`: policies for many keys, with the lab's KMS.

use crate::support::appliance::{Appliance, id, subject};
use crate::support::client::Client;
use crate::support::kms_fixture::KmsFixture;
use serde_json::{Value, json};

const TEMPLATES: &str = "/v1/cckm/aws/templates";
const KEYS: &str = "/v1/cckm/aws/keys";
const TAG: &str = "cckm_policy_template_id";

fn at(template: &Value) -> String {
    format!("{TEMPLATES}/{}", id(template))
}

fn key(admin: &Client, members: Value) -> Value {
    let mut body = json!({"kms": "kms", "region": "eu-west-3", "aws_param": {"Description": "d"}});
    body.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
    admin.post(KEYS, body).expect(201)
}

fn tag(key: &Value) -> Option<String> {
    let tags = key["aws_param"]["Tags"].as_array()?;
    Some(tags.iter().find(|tag| tag["TagKey"] == TAG)?["TagValue"].as_str()?.to_owned())
}

#[test]
fn a_template_is_made_used_changed_by_a_push_and_deleted() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-3"]);
    let template = admin.post(TEMPLATES, json!({"name": "payroll", "kms": kms, "key_admins": ["user1"]})).expect(201);
    assert_eq!((&template["kms"], &template["kms_name"]), (&json!(kms), &json!("kms")));
    assert_eq!(template["account_id"], "123456789012");
    assert_eq!((&template["is_verified"], &template["key_admins"]), (&json!(false), &json!(["user1"])));
    assert_eq!(admin.get(&at(&template)).expect(200), template);

    let made = key(&admin, json!({"policytemplate": "payroll"}));
    assert_eq!(tag(&made), Some(id(&template)));
    let user1 = json!(["arn:aws:iam::123456789012:user/user1"]);
    assert_eq!(made["key_admins"], user1);
    assert_eq!(admin.get(&at(&template)).expect(200)["is_verified"], true);
    let plain = key(&admin, json!({}));
    let path = format!("{KEYS}/{}/policy", id(&plain));
    let changed = admin.post(&path, json!({"policytemplate": id(&template)})).expect(200);
    assert_eq!((tag(&changed), &changed["key_admins"]), (Some(id(&template)), &user1));
    let listed = admin.get(&format!("{KEYS}?{TAG}={}", id(&template))).expect(200);
    assert_eq!(listed["total"], 2);

    // Clients repeat the KMS, which cannot be changed.
    let elsewhere = appliance.kms("elsewhere", &["eu-west-1"]);
    for other in ["elsewhere", &elsewhere, "nobody's"] {
        let refused = admin.patch(&at(&template), json!({"kms": other})).refused(400, "NCERRInvalidParamValue");
        assert_eq!(refused, "kms: the KMS of a policy template cannot be changed");
    }
    let before = admin.get(&at(&template)).expect(200);
    for same in ["kms", &kms] {
        assert_eq!(admin.patch(&at(&template), json!({"kms": same})).expect(200), before);
    }

    // Clients remove a list by sending it empty.
    let body = json!({"key_admins": [], "key_users": ["user1"], "auto_push": false});
    let refused = admin.patch(&at(&template), body.clone()).refused(400, "NCERRInvalidParamValue");
    assert!(refused.starts_with("auto_push"), "{refused}");
    let mut body = body;
    body["auto_push"] = json!(true);
    let pushed = admin.patch(&at(&template), body).expect(200);
    assert_eq!(pushed["push_report"], json!({"pushed": [id(&made), id(&plain)], "failed": []}));
    assert_eq!(pushed["is_verified"], true);
    assert_eq!(admin.get(&at(&template)).expect(200), pushed);
    for key in [&made, &plain] {
        let now = admin.get(&format!("{KEYS}/{}", id(key))).expect(200);
        assert_eq!((now.get("key_admins"), &now["key_users"]), (None, &user1));
    }

    let in_use = admin.delete(&at(&template)).refused(409, "NCERRConflict");
    assert!(in_use.contains("has one or more key associated"), "{in_use}");
    // Another policy frees a key from its template, and so does the removal of the tag.
    for (key, what, body) in
        [(&made, "policy", json!({"key_admins": ["user1"]})), (&plain, "remove-tags", json!({"tags": [TAG]}))]
    {
        let freed = admin.post(&format!("{KEYS}/{}/{what}", id(key)), body).expect(200);
        assert_eq!(tag(&freed), None);
    }
    assert_eq!(admin.delete(&at(&template)).status, 204);
    admin.get(&at(&template)).refused(404, "NCERRResourceNotFound");
}

#[test]
fn templates_are_found_by_their_filters() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-3"]);
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "root", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]});
    let with_text = admin.post(TEMPLATES, json!({"name": "text", "account_id": "123456789012", "policy": policy}));
    assert_eq!(with_text.expect(201)["policy"], policy);
    admin.post(TEMPLATES, json!({"name": "lists", "kms": "kms", "key_users": ["user1"]})).expect(201);
    for (query, names) in [
        ("", vec!["text", "lists"]),
        ("name=l*", vec!["lists"]),
        ("kms=kms", vec!["lists"]),
        (&format!("kms={kms}"), vec!["lists"]),
        ("account_id=123456789012&sort=name", vec!["lists", "text"]),
        ("account_id=789012123456", vec![]),
        ("is_verified=true", vec![]),
        ("is_verified=false", vec!["text", "lists"]),
    ] {
        let list = admin.get(&format!("{TEMPLATES}?{query}")).expect(200);
        let found: Vec<_> = list["resources"].as_array().expect("a list").iter().map(|row| &row["name"]).collect();
        assert_eq!(found, names, "{query}");
    }
}

#[test]
fn invalid_requests_name_the_member_and_change_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    appliance.kms("kms", &["eu-west-3"]);
    let template = admin.post(TEMPLATES, json!({"name": "a", "kms": "kms"})).expect(201);
    let base = |more: Value| {
        let mut body = json!({"name": "b", "kms": "kms"});
        body.as_object_mut().expect("members").extend(more.as_object().expect("members").clone());
        body
    };
    for (body, member) in [
        (json!({"kms": "kms"}), "name"),
        (json!({"name": "b"}), "kms"),
        (base(json!({"account_id": "123456789012"})), "kms"),
        (json!({"name": "b", "account_id": "12"}), "account_id"),
        (json!({"name": "b", "account_id": "789012123456"}), "account_id"),
        (base(json!({"policy": "not JSON"})), "policy"),
        (base(json!({"Policy": []})), "policy"),
        (base(json!({"policy": "{\"a\":".to_owned() + &"1".repeat(33_000) + "}"})), "policy"),
        (base(json!({"policy": {}, "key_users": ["ann"]})), "policy"),
        (base(json!({"key_users": ["no one"]})), "policy"),
        (base(json!({"external_accounts": ["7"]})), "policy"),
        (base(json!({"key_admins": "ann"})), "key_admins"),
    ] {
        let answer = admin.post(TEMPLATES, body.clone());
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert!(answer.body["message"].as_str().is_some_and(|text| text.starts_with(member)), "{}", answer.text);
    }
    admin.post(TEMPLATES, json!({"name": "b", "kms": "none"})).refused(404, "NCERRResourceNotFound");
    admin.post(TEMPLATES, json!({"name": "a", "kms": "kms"})).refused(409, "NCERRConflict");
    admin.patch(&at(&template), json!({"name": "other"})).refused(400, "NCERRInvalidParamValue");
    admin.get(&format!("{TEMPLATES}/none")).refused(400, "NCERRInvalidParamValue");
    let unknown = json!({"kms": "kms", "region": "eu-west-3", "policytemplate": "none"});
    admin.post(KEYS, unknown).refused(404, "NCERRResourceNotFound");
    let both = json!({"kms": "kms", "region": "eu-west-3", "policytemplate": "a", "key_users": ["ann"]});
    admin.post(KEYS, both).refused(400, "NCERRInvalidParamValue");
    assert_eq!(admin.get(TEMPLATES).expect(200)["total"], 1);
    assert_eq!(admin.get(&at(&template)).expect(200), template);
}

#[test]
fn templates_require_keyupdate_on_the_kms() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.user("ann"));
    let kms = appliance.kms("kms", &["eu-west-3"]);
    let permit = |actions: Value| {
        let acl = json!({"user_id": subject(&ann), "actions": actions, "permit": true});
        admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acl).expect(200)
    };
    let template = admin.post(TEMPLATES, json!({"name": "a", "kms": "kms"})).expect(201);
    ann.get(&at(&template)).refused(404, "NCERRResourceNotFound");
    ann.post(TEMPLATES, json!({"name": "b", "kms": "kms"})).refused(404, "NCERRResourceNotFound");
    permit(json!(["viewnative", "keycreate"]));
    assert_eq!(ann.get(&at(&template)).expect(200), template);
    let lacking = ann.post(TEMPLATES, json!({"name": "b", "kms": "kms"}));
    assert!(lacking.refused(403, "NCERRInsufficientPermissions").contains("keyupdate"));
    ann.patch(&at(&template), json!({"key_users": ["user1"]})).refused(403, "NCERRInsufficientPermissions");
    ann.delete(&at(&template)).refused(403, "NCERRInsufficientPermissions");
    permit(json!(["keyupdate"]));
    ann.patch(&at(&template), json!({"key_users": ["user1"]})).expect(200);
    let mine = ann.post(TEMPLATES, json!({"name": "b", "account_id": "123456789012"})).expect(201);
    assert_eq!(ann.delete(&at(&mine)).status, 204);
}

/// Neither a dry run nor the template's use for a key tells whether another account has a template of this name.
#[test]
fn names_of_templates_in_other_accounts_cannot_be_told() {
    let fixture = KmsFixture::new();
    let (admin, ann) = (&fixture.admin, fixture.appliance.user("ann"));
    let other = json!({"name": "other", "account_id": "789012123456", "connection": "test_aws-connection",
        "regions": ["eu-west-1"], "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
        "assume_role_external_id": "test-ext-id"});
    admin.post("/v1/cckm/aws/kms", other).expect(201);
    admin.post(TEMPLATES, json!({"name": "hidden", "kms": "other"})).expect(201);
    let acl = json!({"user_id": subject(&ann), "actions": ["viewnative", "keyupdate"], "permit": true});
    admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", fixture.kms), acl).expect(200);
    let key = fixture.create(json!({}));
    // Of both names the same is said, apart from the name.
    let answers = ["hidden", "nowhere"].map(|name| {
        let create = |of: Value| {
            let mut body = json!({"name": name});
            body.as_object_mut().expect("members").extend(of.as_object().expect("members").clone());
            ann.post(&format!("{TEMPLATES}?dry_run=true"), body)
        };
        let policy = format!("/v1/cckm/aws/keys/{}/policy?dry_run=true", id(&key));
        let answers = [
            create(json!({"kms": "fixture"})),
            create(json!({"kms": "other"})),
            create(json!({"account_id": "789012123456"})),
            ann.post(&policy, json!({"policytemplate": name})),
            ann.get(&format!("{TEMPLATES}?name={name}")),
            ann.get(&format!("/v1/search?q={name}")),
        ];
        answers.map(|answer| {
            (answer.status, answer.body["message"].to_string().replace(name, "NAME"), answer.body["total"].clone())
        })
    });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].clone().map(|(status, ..)| status), [201, 404, 400, 404, 200, 200]);
}
