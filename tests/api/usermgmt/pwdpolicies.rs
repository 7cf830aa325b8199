//! Password policies, with the calls of the vendor's Terraform provider.

use crate::support::appliance::{Appliance, PASSWORD, user_id};
use crate::support::client::Answer;
use serde_json::{Value, json};

const POLICIES: &str = "/v1/usermgmt/pwdpolicies";

/// Sends the calls of the provider's test TestResourceCMPassordPolicy. The test itself cannot pass on any server: the
/// provider has no update of policies, and the test reads an attribute that its schema lacks.
#[test]
fn the_vendors_provider_creates_reads_and_deletes_policies() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (global, custom) = (format!("{POLICIES}/global"), format!("{POLICIES}/testCustomPolicyName"));
    for (each, shortest, longest, history, lifetime, change) in [(2, 10, 50, 10, 20, 100), (3, 8, 60, 5, 30, 50)] {
        // The provider sends every member. In a PATCH, the name is empty.
        let rules = json!({"policy_name": "", "failed_logins_lockout_thresholds": [0, 0, 1, 1],
            "inclusive_max_total_length": longest, "inclusive_min_digits": each, "inclusive_min_lower_case": each,
            "inclusive_min_other": each, "inclusive_min_total_length": shortest, "inclusive_min_upper_case": each,
            "password_change_min_days": change, "password_history_threshold": history, "password_lifetime": lifetime});
        has_rules(admin.patch(&global, rules.clone()), 200, "global", &rules);
        // The provider creates the policy if the answer to the PATCH is 404.
        admin.patch(&custom, rules.clone()).refused(404, "NCERRResourceNotFound");
        let mut named = rules.clone();
        named["policy_name"] = json!("testCustomPolicyName");
        has_rules(admin.post(POLICIES, named), 201, "testCustomPolicyName", &rules);
        has_rules(admin.get(&custom), 200, "testCustomPolicyName", &rules);
        // For a policy without a name in the plan, the provider reads the list.
        assert_eq!(admin.get(&format!("{POLICIES}/")).expect(200)["total"], 2);
        admin.delete(&custom).expect(204);
        admin.get(&custom).refused(404, "NCERRResourceNotFound");
        has_rules(admin.get(&global), 200, "global", &rules);
    }
}

/// Asserts the status, the name, and every member of the rules.
#[track_caller]
fn has_rules(answer: Answer, status: u16, name: &str, rules: &Value) {
    let policy = answer.expect(status);
    assert_eq!(policy["policy_name"], name);
    for (member, value) in rules.as_object().expect("an object").iter().filter(|(member, _)| *member != "policy_name") {
        assert_eq!(&policy[member], value, "{member} of {name}");
    }
}

#[test]
fn a_user_is_under_a_policy_of_their_own() {
    let appliance = Appliance::start();
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    let path = format!("{POLICIES}/machines");
    let body =
        json!({"policy_name": "machines", "inclusive_min_total_length": 30, "password_expiry_notification_days": 7});
    let made = admin.post(POLICIES, body.clone()).expect(201);
    let global = admin.get(&format!("{POLICIES}/global")).expect(200);
    assert_eq!(
        (&made["inclusive_min_total_length"], &made["password_expiry_notification_days"]),
        (&json!(30), &json!(7))
    );
    assert_eq!(made["inclusive_min_digits"], global["inclusive_min_digits"], "the rest is as in the global policy");
    admin.post(POLICIES, body).refused(409, "NCERRConflict");
    let list = admin.get(&format!("{POLICIES}?sort=-policy_name")).expect(200);
    assert_eq!((&list["total"], &list["resources"]), (&json!(2), &json!([made, global])));
    assert_eq!(admin.get(&format!("{POLICIES}?policy_name=machines")).expect(200)["total"], 1);

    let users = "/v1/usermgmt/users";
    let user = |password: &str| json!({"username": "ann", "password": password, "password_policy": "machines"});
    assert!(admin.post(users, user(PASSWORD)).refused(422, "NCERRUnprocessableEntity").contains("30"));
    let long = format!("{PASSWORD}-and-some-more");
    assert_eq!(admin.post(users, user(&long)).expect(201)["password_policy"], "machines");
    let ann = format!("{users}/{}", user_id(&nobody.sign_in("ann", &long)));
    let change = json!({"username": "ann", "password": long, "new_password": "Another-secret-4"});
    assert!(nobody.patch("/v1/auth/changepw", change.clone()).refused(422, "NCERRUnprocessableEntity").contains("30"));
    assert!(
        admin
            .patch(&ann, json!({"password": "Another-secret-4"}))
            .refused(422, "NCERRUnprocessableEntity")
            .contains("30")
    );
    let bob = admin.post(users, json!({"username": "bob", "password": PASSWORD})).expect(201);
    assert_eq!(bob["password_policy"], "global");

    let strict = json!({"failed_logins_lockout_thresholds": [5]});
    admin.patch(&path, strict).expect(200);
    let wrong = |name: &str| nobody.post("/v1/auth/tokens", json!({"username": name, "password": "wrong"}));
    wrong("ann").refused(401, "NCERRUnauthorized");
    wrong("ann").refused(429, "NCERRTooManyRequests");
    (0..2).for_each(|_| drop(wrong("bob").refused(401, "NCERRUnauthorized")));
    let locked = admin.get(&ann).expect(200);
    assert!(locked["account_lockout_at"].is_string(), "{locked}");

    let message = admin.delete(&path).refused(409, "NCERRConflict");
    assert!(message.contains("`machines` is that of 1 users"), "{message}");
    admin.delete(&format!("{POLICIES}/global")).refused(409, "NCERRConflict");
    let freed = admin.patch(&ann, json!({"password_policy": "global", "password": PASSWORD})).expect(200);
    assert_eq!((&freed["password_policy"], &freed["account_lockout_at"]), (&json!("global"), &Value::Null));
    nobody.sign_in("ann", PASSWORD);
    admin.delete(&format!("{path}?dry_run=true")).expect(204);
    admin.delete(&path).expect(204);
    admin.delete(&path).refused(404, "NCERRResourceNotFound");
}

/// The provider sends 0 for each member that its user left out.
#[test]
fn a_length_of_zero_changes_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let zeros = json!({"policy_name": "", "failed_logins_lockout_thresholds": null, "inclusive_max_total_length": 0,
        "inclusive_min_digits": 0, "inclusive_min_lower_case": 0, "inclusive_min_other": 0,
        "inclusive_min_total_length": 0, "inclusive_min_upper_case": 0, "password_change_min_days": 0,
        "password_history_threshold": 0, "password_lifetime": 0});
    let mut named = zeros.clone();
    named["policy_name"] = json!("zeros");
    for policy in
        [admin.patch(&format!("{POLICIES}/global"), zeros).expect(200), admin.post(POLICIES, named).expect(201)]
    {
        assert_eq!(
            (&policy["inclusive_min_total_length"], &policy["inclusive_max_total_length"]),
            (&json!(12), &json!(0))
        );
        assert_eq!(policy["failed_logins_lockout_thresholds"], json!([0, 0, 0, 0, 1, 5, 15]));
    }
}

#[test]
fn a_refused_policy_names_the_member_and_its_limit() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let refused = |body: Value| {
        let answer = admin.patch("/v1/usermgmt/pwdpolicies/global", body);
        assert_eq!(answer.status, 400, "{}", answer.text);
        (answer.body["member"].clone(), answer.body["limit"].clone())
    };
    let history = refused(json!({"password_history_threshold": 25}));
    assert_eq!(history, (json!("password_history_threshold"), json!({"most": 24})));
    let days = refused(json!({"password_expiry_notification_days": 36_501}));
    assert_eq!(days, (json!("password_expiry_notification_days"), json!({"most": 36_500})));
    let of_user = json!({"username": "ann", "password": "Correct-Horse-7-Battery", "password_policy": "none"});
    let unknown = admin.post("/v1/usermgmt/users", of_user);
    assert_eq!((&unknown.body["member"], unknown.status), (&json!("password_policy"), 404), "{}", unknown.text);
}
