//! What a user with a token can do to others: the number of changes and of things that one may create is bounded, and the
//! names of the program are not for users.

use crate::support::appliance::{Appliance, PASSWORD, id, subject};
use crate::support::lab::LabClient;
use serde_json::json;

const GROUPS: &str = "/v1/usermgmt/groups";

#[test]
fn the_changes_of_one_user_are_bounded_and_others_go_on() {
    let appliance = Appliance::start_with(&[("CLAVIGER_SERVER_CHANGES_PER_SECOND", "2")]);
    let ann = appliance.member("ann", &["User Admins"]);
    let answers = (0..60).map(|n| ann.post(GROUPS, json!({"name": format!("g{n}")})));
    let refused = answers.into_iter().find(|answer| answer.status != 201).expect("a refusal");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.body["reason"], "too_many_changes");
    refused.refused(429, "NCERRTooManyRequests");
    // Reads, and the changes of others, are not affected.
    ann.get(GROUPS).expect(200);
    appliance.admin().post(GROUPS, json!({"name": "another"})).expect(201);
}

#[test]
fn a_change_with_a_long_body_counts_as_several() {
    let appliance = Appliance::start_with(&[("CLAVIGER_SERVER_CHANGES_PER_SECOND", "2")]);
    let ann = appliance.member("ann", &["User Admins"]);
    // Twenty changes at first, of which each of these counts as nine. Members that nobody knows are ignored.
    let long = |name: &str| json!({"name": name, "unknown": "x".repeat(33_000)});
    let answers: Vec<_> = ["a", "b", "c"].map(|name| ann.post(GROUPS, long(name)).status).into();
    assert_eq!(answers, [201, 201, 429]);
    // A body whose length is not known counts as the longest; for somebody who was idle it is possible.
    let bob = appliance.member("bob", &["User Admins"]);
    let chunked = |name: &str| bob.post_chunked(GROUPS, &json!({"name": name}));
    assert_eq!([chunked("d").status, chunked("e").status], [201, 429]);
}

#[test]
fn no_more_is_created_than_the_limits_allow() {
    let appliance = Appliance::start_with(&[("CLAVIGER_LIMITS_SCHEDULES", "1")]);
    let admin = appliance.admin();
    let schedule = |name: &str| {
        json!({"name": name, "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
            "cckm_key_rotation_params": {"cloud_name": "aws"}})
    };
    let first = admin.post("/v1/scheduler/job-configs", schedule("first")).expect(201);
    let refused = admin.post("/v1/scheduler/job-configs", schedule("second"));
    assert_eq!((refused.status, &refused.body["reason"]), (409, &json!("limit_reached")), "{}", refused.text);
    assert_eq!(refused.body["limit"]["most"], 1, "{}", refused.text);
    admin.delete(&format!("/v1/scheduler/job-configs/{}", first["id"].as_str().expect("an id"))).expect(204);
    admin.post("/v1/scheduler/job-configs", schedule("second")).expect(201);
}

#[test]
fn each_kind_of_thing_has_a_limit() {
    let limits = ["TEMPLATES", "SOURCE_KEYS", "CONNECTIONS", "KMS", "KEY_STORES", "OPEN_JOBS"];
    let names: Vec<String> = limits.iter().map(|limit| format!("CLAVIGER_LIMITS_{limit}")).collect();
    let mut settings: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    // The lab has a connection, every installation a global policy, the user `admin` and two groups.
    settings.extend([("CLAVIGER_LIMITS_PASSWORD_POLICIES", "2"), ("CLAVIGER_LIMITS_USERS", "2")]);
    let appliance = Appliance::start_with(&settings);
    let admin = appliance.admin();
    let kms = |name: &str, regions: &[&str]| {
        json!({"name": name, "regions": regions, "account_id": "123456789012",
            "connection": "test_aws-connection"})
    };
    let connection = json!({"name": "second", "products": ["cckm"], "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "none"});
    let source_key = |name: &str| json!({"name": name, "algorithm": "AES", "unexportable": true, "undeletable": true});
    let health_check_key = id(&admin.post("/v1/vault/keys2", source_key("one")).expect(201));
    let store = |name: &str| {
        json!({"name": name, "kms": "one", "region": "eu-west-3", "linked_state": false,
            "aws_param": {"xks_proxy_uri_endpoint": "https://xks.example.com"},
            "local_hosted_params": {"health_check_key_id": health_check_key, "max_credentials": 2}})
    };
    let user = |name: &str| json!({"username": name, "password": "Another-secret-4-tests"});
    let template = |name: &str| json!({"name": name, "kms": "one", "key_users": ["user1"]});
    let all = [
        ("kms", "/v1/cckm/aws/kms", Some(kms("one", &["eu-west-3", "eu-west-1"])), kms("two", &["us-east-1"])),
        ("connections", "/v1/connectionmgmt/services/aws/connections", None, connection),
        ("source_keys", "/v1/vault/keys2", None, source_key("two")),
        ("templates", "/v1/cckm/aws/templates", Some(template("one")), template("two")),
        ("key_stores", "/v1/cckm/aws/custom-key-stores", Some(store("one")), store("two")),
        ("users", "/v1/usermgmt/users", Some(user("one")), user("two")),
        (
            "password_policies",
            "/v1/usermgmt/pwdpolicies",
            Some(json!({"policy_name": "one"})),
            json!({"policy_name": "two"}),
        ),
    ];
    for (setting, path, first, second) in all {
        first.into_iter().for_each(|first| drop(admin.post(path, first).expect(201)));
        let refused = admin.post(path, second);
        assert_eq!(
            (refused.status, &refused.body["reason"]),
            (409, &json!("limit_reached")),
            "{setting}: {}",
            refused.text
        );
        assert!(refused.text.contains(&format!("limits.{setting} ")), "{}", refused.text);
    }
    // A job that does not end yet.
    let slow = json!([{"service": "kms", "operation": "ListKeys", "times": 4, "delay_ms": 3_000}]);
    LabClient::of(&appliance).set_faults(&slow);
    let job = |region: &str| {
        let body = json!({"kms": ["one"], "regions": [region]});
        admin.post("/v1/cckm/aws/synchronization-jobs", body)
    };
    job("eu-west-3").expect(202);
    let refused = job("eu-west-1");
    assert_eq!((refused.status, &refused.body["reason"]), (409, &json!("limit_reached")), "{}", refused.text);
}

#[test]
fn the_names_of_the_program_and_invisible_characters_are_refused() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let user = |name: &str| json!({"username": name, "password": "Another-secret-4-tests"});
    for name in ["system", "Schedule nightly", "operator"] {
        let refused = admin.post("/v1/usermgmt/users", user(name));
        assert_eq!((refused.status, &refused.body["reason"]), (409, &json!("user_name_reserved")), "{}", refused.text);
    }
    for name in ["ad\u{200b}min", "\u{202e}nimda", "admin\u{fe0f}"] {
        let message = admin.post("/v1/usermgmt/users", user(name)).refused(400, "NCERRInvalidParamValue");
        assert!(message.contains("invisible characters"), "{message}");
        // Whatever has a name.
        let source_key = json!({"name": name, "algorithm": "AES", "size": 256, "usageMask": 12});
        let schedule = json!({"name": name, "operation": "cckm_key_rotation", "run_at": "0 9 * * sat",
            "cckm_key_rotation_params": {"cloud_name": "aws"}});
        let connection = json!({"name": name, "products": ["cckm"], "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "none"});
        for (path, body) in [
            (GROUPS, json!({"name": name})),
            ("/v1/usermgmt/pwdpolicies", json!({"policy_name": name})),
            ("/v1/vault/keys2", source_key),
            ("/v1/scheduler/job-configs", schedule),
            ("/v1/connectionmgmt/services/aws/connections", connection),
            ("/v1/alarms/webhooks", json!({"name": name, "url": "https://127.0.0.1:9/"})),
        ] {
            let message = admin.post(path, body).refused(400, "NCERRInvalidParamValue");
            assert!(message.contains("invisible characters"), "{path}: {message}");
        }
    }
}

#[test]
fn one_more_session_than_allowed_closes_the_least_recently_used_one() {
    let appliance = Appliance::start_with(&[("CLAVIGER_LIMITS_SESSIONS_PER_USER", "2")]);
    let ann = appliance.member("ann", &["User Admins"]);
    let sign_in = || appliance.nobody().sign_in("ann", PASSWORD);
    let second = sign_in();
    ann.get(GROUPS).expect(200);
    sign_in().get(GROUPS).expect(200);
    assert_eq!([ann.get(GROUPS).status, second.get(GROUPS).status], [401, 200]);
}

#[test]
fn the_external_id_of_a_role_is_for_administrators() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = json!({"name": "far", "account_id": "789012123456", "connection": "test_aws-connection",
        "regions": ["eu-west-1"], "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
        "assume_role_external_id": "test-ext-id"});
    let kms = admin.post("/v1/cckm/aws/kms", kms).expect(201);
    let path = format!("/v1/cckm/aws/kms/{}", kms["id"].as_str().expect("an id"));
    let ann = appliance.user("ann");
    let acl = json!({"user_id": subject(&ann), "actions": ["viewnative"], "permit": true});
    admin.post(&format!("{path}/update-acls"), acl).expect(200);
    let created = kms["createdAt"].as_str().expect("a time");
    let pages = ["", "/history"].map(|page| format!("{path}{page}"));
    for page in pages.into_iter().chain(["/v1/cckm/aws/kms".to_owned(), format!("{path}?at={created}")]) {
        assert!(admin.get(&page).expect(200).to_string().contains("test-ext-id"), "{page}");
        let seen = ann.get(&page).expect(200).to_string();
        assert!(seen.contains("789012123456") && !seen.contains("test-ext-id"), "{page}: {seen}");
    }
    for page in ["/v1/search?q=far", "/v1/search?q=test-ext-id", "/v1/events?after=0"] {
        let answer = ann.get(page);
        assert!(answer.status == 200 && !answer.text.contains("test-ext-id"), "{page}: {}", answer.text);
    }
    ann.get("/v1/audit/records?message=test-ext-id").refused(403, "NCERRInsufficientPermissions");
}
