//! Users, groups and the password policy.

use crate::support::appliance::{Appliance, PASSWORD, subject, user_id};
use crate::support::client::Client;
use crate::support::raw_http::PartialRequest;
use serde_json::{Value, json};

const USERS: &str = "/v1/usermgmt/users";
const GROUPS: &str = "/v1/usermgmt/groups";
const POLICY: &str = "/v1/usermgmt/pwdpolicies/global";

#[test]
fn a_user_is_made_found_changed_and_removed() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let made = admin
        .post(
            USERS,
            json!({"username": "Ann", "password": PASSWORD, "name": "Ann Ash", "email": "a@b.c",
        "nickname": "", "user_metadata": {"a": [1]}, "login_flags": {"prevent_ui_login": true}}),
        )
        .expect(201);
    let id = made["user_id"].as_str().expect("an id").to_owned();
    let uuid = id.strip_prefix("local|").expect("the prefix");
    assert_eq!(
        made,
        json!({
            "user_id": id, "username": "Ann", "name": "Ann Ash", "nickname": "", "email": "a@b.c",
            "email_verified": false, "user_metadata": {"a": [1]}, "app_metadata": {}, "connection": "local_account",
            "allowed_auth_methods": ["password"], "enable_cert_auth": false, "certificate_subject_dn": "",
            "is_domain_user": false, "password_policy": "global",
            "created_at": made["created_at"], "updated_at": made["created_at"], "last_login": null, "logins_count": 0,
            "failed_logins_count": 0, "account_lockout_at": null, "password_change_required": false,
            "password_changed_at": made["created_at"], "login_flags": {"prevent_ui_login": true}, "groups": [],
        })
    );
    let path = format!("{USERS}/{}", id.replace('|', "%7C"));
    for name in [path.clone(), format!("{USERS}/{uuid}"), format!("{USERS}/{id}")] {
        assert_eq!(admin.get(&name).expect(200), made, "{name}");
    }
    let ann = appliance.nobody().sign_in("ANN", PASSWORD);
    let own = ann.get("/v1/auth/self/user").expect(200);
    assert_eq!((&own["logins_count"], own["last_login"].is_string()), (&json!(1), true));
    assert_eq!(own["updated_at"], made["updated_at"], "a login changes nothing");

    let changed = admin.patch(&path, json!({"username": "Annie", "nickname": "An", "email": ""})).expect(200);
    let mut expected = own.clone();
    for (member, value) in [("username", "Annie"), ("nickname", "An"), ("email", "")] {
        expected[member] = json!(value);
    }
    expected["updated_at"] = changed["updated_at"].clone();
    assert_eq!(changed, expected);
    assert_eq!(admin.patch(&path, json!({"username": "Annie"})).expect(200), changed, "nothing differs");
    let flags = json!({"login_flags": {"prevent_ui_login": ""}});
    assert_eq!(admin.patch(&path, flags).expect(200), changed, "absent in a part, too");
    admin.patch(&path, json!({"username": "ANNIE"})).expect(200);
    assert!(admin.patch(&path, json!({"username": "Admin"})).refused(409, "NCERRConflict").contains("already"));
    admin.patch(&format!("{path}?dry_run=true"), json!({"password": "Another-secret-4"})).expect(200);
    appliance.nobody().sign_in("annie", PASSWORD);
    admin.patch(&path, json!({"password": "Another-secret-4"})).expect(200);
    appliance.nobody().sign_in("annie", "Another-secret-4");

    admin.delete(&path).expect(204);
    admin.get(&path).refused(404, "NCERRResourceNotFound");
    admin.delete(&path).refused(404, "NCERRResourceNotFound");
    let again = admin.post(USERS, json!({"username": "annie", "password": PASSWORD})).expect(201);
    assert_ne!(again["user_id"], id.as_str());
}

#[test]
fn users_are_listed_with_filters_order_and_pages() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    for (name, full, email) in [("cid", "C D", "c@x.y"), ("ann", "A B", "a@x.y"), ("bob", "B C", "a@x.y")] {
        let nickname = format!("{name}-nick");
        let body = json!({"username": name, "password": PASSWORD, "name": full, "email": email, "nickname": nickname});
        admin.post(USERS, body).expect(201);
    }
    appliance.member("ann", &["CCKM Users", "User Admins"]);
    appliance.member("bob", &["CCKM Users"]);
    for (query, total, names) in [
        ("", 4, &["admin", "cid", "ann", "bob"][..]),
        ("sort=username", 4, &["admin", "ann", "bob", "cid"]),
        ("sort=-username&limit=2", 4, &["cid", "bob"]),
        ("sort=email,-username&skip=1", 4, &["bob", "ann", "cid"]),
        ("username=*n*", 2, &["admin", "ann"]),
        ("name=A*", 2, &["admin", "ann"]),
        ("email=a@x.y", 2, &["ann", "bob"]),
        ("groups=CCKM%20Users", 2, &["ann", "bob"]),
        ("groups=User%20Admins&groups=admin", 2, &["admin", "ann"]),
        ("groups=CCKM%20Users&username=bob", 1, &["bob"]),
        ("groups=none", 0, &[]),
        ("nickname=bob-nick", 1, &["bob"]),
        ("nickname=?n?-*", 1, &["ann"]),
        ("username=???", 3, &["cid", "ann", "bob"]),
    ] {
        let page = admin.get(&format!("{USERS}?{query}")).expect(200);
        assert_eq!((&page["total"], names_of(&page, "username")), (&json!(total), texts(names)), "{query}");
    }
}

#[test]
fn groups_are_found_by_their_users_and_users_by_their_group() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let ann = appliance.member("ann", &["CCKM Users", "User Admins"]);
    let bob = appliance.member("bob", &["CCKM Users"]);
    let users_of = |query: &str| {
        let page = admin.get(&format!("{GROUPS}/CCKM%20Users/users{query}")).expect(200);
        (page["total"].clone(), names_of(&page, "username"))
    };
    assert_eq!(users_of(""), (json!(2), texts(&["ann", "bob"])));
    assert_eq!(users_of("?sort=-username&limit=1"), (json!(2), texts(&["bob"])));
    assert_eq!(users_of("?username=a*"), (json!(1), texts(&["ann"])));
    assert_eq!(users_of("?groups=User%20Admins"), (json!(1), texts(&["ann"])));
    assert_eq!(users_of("?groups=admin"), (json!(0), vec![]));
    admin.get(&format!("{GROUPS}/none/users")).refused(404, "NCERRResourceNotFound");
    admin.get(&format!("{GROUPS}/CCKM%20Users/users?of_group=admin")).refused(400, "NCERRInvalidParamValue");
    bob.get(&format!("{GROUPS}/CCKM%20Users/users")).refused(403, "NCERRInsufficientPermissions");

    let groups_of = |who: &Client, user: &str| {
        let page = who.get(&format!("{GROUPS}?sort=name&users={}", user.replace('|', "%7C"))).expect(200);
        names_of(&page, "name")
    };
    assert_eq!(groups_of(&admin, &subject(&ann)), texts(&["CCKM Users", "User Admins"]));
    assert_eq!(groups_of(&admin, "ANN"), texts(&["CCKM Users", "User Admins"]));
    assert_eq!(groups_of(&admin, "nobody"), texts(&[]));
    assert_eq!(groups_of(&bob, "bob"), texts(&["CCKM Users"]));
    assert_eq!(groups_of(&bob, "ann"), texts(&[]), "who is in which group is not for everybody");
}

#[test]
fn passwords_go_in_and_never_come_out() {
    let appliance = Appliance::start();
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    let secret = "Very-Secret-4-Finding";
    let body = json!({"username": "ann", "password": secret});
    let mut answers = vec![admin.post(USERS, body.clone()).text, admin.post(USERS, body.clone()).text];
    answers.push(admin.get(USERS).text);
    answers.push(admin.patch(POLICY, json!({"inclusive_min_total_length": 30})).text);
    answers.push(admin.post(USERS, json!({"username": "bob", "password": secret})).text);
    answers.push(admin.post(USERS, json!({"username": 7, "password": secret})).text);
    answers.push(admin.post(USERS, json!({"username": "bob", "password": [secret]})).text);
    answers.push(nobody.post("/v1/auth/tokens", body).text);
    answers.push(
        nobody
            .patch(
                "/v1/auth/changepw",
                json!({"username": "ann", "password": secret,
        "new_password": secret}),
            )
            .text,
    );
    assert!(answers.iter().all(|answer| !answer.contains(secret) && !answer.contains("$argon2")), "{answers:?}");
    assert!(!appliance.log().contains(secret));
}

#[test]
fn a_group_is_made_filled_described_and_removed_with_its_rights() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (ann, kms) = (appliance.user("ann"), format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"])));
    let body = json!({"name": "key officers", "description": "d", "app_metadata": {"a": 1}});
    let made = admin.post(GROUPS, body).expect(201);
    assert_eq!(
        made,
        json!({"name": "key officers", "description": "d", "app_metadata": {"a": 1}, "client_metadata": {},
            "user_metadata": {}, "users_count": 0, "created_at": made["created_at"], "updated_at": made["created_at"]})
    );
    let (path, member) =
        (format!("{GROUPS}/key%20officers"), format!("{GROUPS}/key%20officers/users/{}", user_id(&ann)));
    for _ in 0..2 {
        let user = admin.post(&member, json!({})).expect(200);
        assert_eq!((&user["groups"], &user["username"]), (&json!(["key officers"]), &json!("ann")));
    }
    assert_eq!(admin.get(&path).expect(200)["users_count"], 1);
    let changed = admin.patch(&path, json!({"description": "", "client_metadata": {"b": 2}})).expect(200);
    assert_eq!(
        (&changed["description"], &changed["app_metadata"], &changed["client_metadata"]),
        (&json!(""), &json!({"a": 1}), &json!({"b": 2}))
    );

    let entry = json!({"group": "key officers", "actions": ["view"], "permit": true});
    admin.post(&format!("{kms}/update-acls"), entry).expect(200);
    ann.get(&kms).expect(200);
    admin.delete(&member).expect(204);
    ann.get(&kms).refused(404, "NCERRResourceNotFound");
    let absent = admin.delete(&member).refused(404, "NCERRResourceNotFound");
    assert!(absent.contains("is not in group `key officers`"), "{absent}");
    admin.post(&member, json!({})).expect(200);
    admin.delete(&path).expect(204);
    admin.get(&path).refused(404, "NCERRResourceNotFound");
    assert_eq!(ann.get("/v1/auth/self/user").expect(200)["groups"], json!([]));
    assert!(admin.get(&kms).expect(200).get("acls").is_none(), "a removed group's rights are gone");
    // A new group of the same name does not inherit the rights.
    admin.post(GROUPS, json!({"name": "key officers"})).expect(201);
    admin.post(&member, json!({})).expect(200);
    ann.get(&kms).refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_removed_users_rights_are_gone_with_it() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (ann, kms) = (appliance.user("ann"), format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"])));
    let entry = json!({"user_id": subject(&ann), "actions": ["view"], "permit": true});
    let permitted = admin.post(&format!("{kms}/update-acls"), entry).expect(200);
    assert_eq!(permitted["acls"], json!([{"user_id": subject(&ann), "actions": ["view"]}]));
    admin.delete(&format!("{USERS}/{}", user_id(&ann))).expect(204);
    assert!(admin.get(&kms).expect(200).get("acls").is_none());
}

#[test]
fn system_groups_always_exist_and_somebody_always_administers() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let system = ["admin", "CCKM Admins", "CCKM Users", "Connection Admins", "User Admins"];
    let groups = admin.get(&format!("{GROUPS}?limit=-1")).expect(200);
    assert_eq!(names_of(&groups, "name"), texts(&system));
    for name in system {
        let path = format!("{GROUPS}/{}", name.replace(' ', "%20"));
        assert!(admin.delete(&path).refused(409, "NCERRConflict").contains("system group"));
    }
    let member = format!("{GROUPS}/admin/users/{}", user_id(&admin));
    assert!(admin.delete(&member).refused(409, "NCERRConflict").contains("last member"));
    assert!(
        admin.delete(&format!("{USERS}/{}", user_id(&admin))).refused(409, "NCERRConflict").contains("last member")
    );
    let ann = appliance.member("ann", &["admin"]);
    ann.delete(&member).expect(204);
    admin.get(USERS).refused(403, "NCERRInsufficientPermissions");
    ann.delete(&format!("{USERS}/{}", user_id(&admin))).expect(204);
    let page = ann.get(&format!("{GROUPS}?name=*Admins&sort=-name&limit=2")).expect(200);
    assert_eq!((&page["total"], names_of(&page, "name")), (&json!(3), texts(&["User Admins", "Connection Admins"])));
}

#[test]
fn a_user_manager_cannot_gain_other_rights() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let manager = appliance.member("manager", &["User Admins"]);
    let officer = appliance.member("officer", &["CCKM Admins"]);
    for group in ["admin", "CCKM%20Admins", "Connection%20Admins"] {
        for user in [&manager, &officer] {
            let path = format!("{GROUPS}/{group}/users/{}", user_id(user));
            manager.post(&path, json!({})).refused(403, "NCERRInsufficientPermissions");
            manager.delete(&path).refused(403, "NCERRInsufficientPermissions");
        }
    }
    for above in [&admin, &officer] {
        let path = format!("{USERS}/{}", user_id(above));
        let message = manager.patch(&path, json!({"password": PASSWORD})).refused(403, "NCERRInsufficientPermissions");
        assert!(message.contains("`admin`"), "{message}");
        manager.delete(&path).refused(403, "NCERRInsufficientPermissions");
    }
    manager.get(POLICY).refused(403, "NCERRInsufficientPermissions");
    manager.patch(POLICY, json!({})).refused(403, "NCERRInsufficientPermissions");
    let made = manager.post(USERS, json!({"username": "new", "password": PASSWORD})).expect(201);
    let path = format!("{GROUPS}/CCKM%20Users/users/{}", made["user_id"].as_str().unwrap_or_default());
    manager.post(&path, json!({})).expect(200);
}

#[test]
fn new_passwords_must_satisfy_the_policy() {
    let appliance = Appliance::start();
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    let policy = admin.get(POLICY).expect(200);
    let defaults = json!({"inclusive_min_upper_case": 1, "inclusive_min_lower_case": 1, "inclusive_min_digits": 1,
        "inclusive_min_other": 1, "inclusive_min_total_length": 12, "inclusive_max_total_length": 256,
        "password_history_threshold": 0, "password_lifetime": 0, "password_change_min_days": 0,
        "policy_name": "global", "password_expiry_notification_days": 0,
        "failed_logins_lockout_thresholds": [0, 0, 0, 0, 1, 5, 15]});
    assert_eq!(policy, defaults);
    let make = |name: &str, password: &str| admin.post(USERS, json!({"username": name, "password": password}));
    for (password, reason) in [
        ("Short-secr8", "at least 12"),
        ("no-upper-case-8", "upper-case"),
        ("NO-LOWER-CASE-8", "lower-case"),
        ("No-Digits-Here", "digits"),
        ("NothingElse123", "neither letters nor digits"),
        (&"Aa1-".repeat(65), "at most 256"),
    ] {
        let message = make("ann", password).refused(422, "NCERRUnprocessableEntity");
        assert!(message.starts_with("password: ") && message.contains(reason), "{message}");
    }
    let weak = json!({"inclusive_min_upper_case": 0, "inclusive_min_lower_case": 0, "inclusive_min_digits": 0,
        "inclusive_min_other": 0, "inclusive_min_total_length": 1, "password_history_threshold": 2});
    assert_eq!(
        admin.patch(&format!("{POLICY}?dry_run=true"), weak.clone()).expect(200)["inclusive_min_total_length"],
        1
    );
    assert_eq!(admin.get(POLICY).expect(200), defaults);
    admin.patch(POLICY, weak).expect(200);
    make("ann", "a").expect(201);
    let change = |from: &str, to: &str| {
        nobody.patch("/v1/auth/changepw", json!({"username": "ann", "password": from, "new_password": to}))
    };
    change("a", "b").expect(204);
    let message = change("b", "a").refused(422, "NCERRUnprocessableEntity");
    assert!(message.starts_with("new_password: ") && message.contains("last 2"), "{message}");
    change("b", "c").expect(204);
    change("c", "a").expect(204);
    // A dry run does not compare with earlier passwords, so a user manager cannot guess them without a trace in the
    // log.
    let ann = format!("{USERS}/{}", user_id(&nobody.sign_in("ann", "a")));
    admin.patch(&format!("{ann}?dry_run=true"), json!({"password": "a"})).expect(200);
    let long = json!({"password": "a".repeat(257)});
    admin.patch(&format!("{ann}?dry_run=true"), long).refused(422, "NCERRUnprocessableEntity");
    assert!(admin.patch(&ann, json!({"password": "a"})).refused(422, "NCERRUnprocessableEntity").contains("last 2"));
    admin.patch(POLICY, json!({"password_change_min_days": 3})).expect(200);
    assert!(change("a", "d").refused(422, "NCERRUnprocessableEntity").contains("3 days"));
    nobody.sign_in("ann", "a");
}

#[test]
fn changes_of_different_rules_of_the_policy_at_the_same_time_are_all_kept() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let started = PartialRequest::send(&appliance, &admin, "PATCH", POLICY, &json!({"password_lifetime": 90}));
    admin.patch(POLICY, json!({"inclusive_min_total_length": 14})).expect(200);
    let answer = started.end();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let policy = admin.get(POLICY).expect(200);
    assert_eq!((&policy["inclusive_min_total_length"], &policy["password_lifetime"]), (&json!(14), &json!(90)));
}

/// Everybody sees the names of groups, since permissions are granted to them; only user managers see users.
#[test]
fn everybody_sees_groups_and_oneself_but_not_others() {
    let appliance = Appliance::start();
    let (ann, admin): (Client, Client) = (appliance.user("ann"), appliance.admin());
    assert_eq!(ann.get(GROUPS).expect(200)["total"], 5);
    assert_eq!(ann.get("/v1/auth/self/user").expect(200)["username"], "ann");
    for path in [USERS.to_owned(), format!("{USERS}/{}", user_id(&ann)), format!("{USERS}/{}", user_id(&admin))] {
        let message = ann.get(&path).refused(403, "NCERRInsufficientPermissions");
        assert!(message.contains("`User Admins`"), "{message}");
    }
}

fn names_of(page: &Value, member: &str) -> Vec<String> {
    let rows = page["resources"].as_array().expect("rows");
    rows.iter().map(|row| row[member].as_str().expect("a name").to_owned()).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn users_change_their_own_profile_and_nothing_else() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.user("ann"));
    let own = "/v1/auth/self/user";
    let path = format!("{USERS}/{}", user_id(&ann));
    let verified = json!({"email": "a@b.c", "email_verified": true, "user_metadata": {"a": 1, "b": {"c": 2}}});
    admin.patch(&path, verified).expect(200);
    let body = json!({"name": "Ann Ash", "nickname": "An", "user_metadata": {"a": null, "b": {"d": 3}}});
    let changed = ann.patch(own, body).expect(200);
    assert_eq!(
        (&changed["name"], &changed["nickname"], &changed["email"]),
        (&json!("Ann Ash"), &json!("An"), &json!("a@b.c"))
    );
    assert_eq!((&changed["user_metadata"], &changed["email_verified"]), (&json!({"b": {"d": 3}}), &json!(true)));
    assert_eq!(ann.get(own).expect(200), changed);
    for member in ["username", "password", "app_metadata", "login_flags", "password_policy", "email_verified"] {
        let message = ann.patch(own, json!({"name": "Eve", member: "x"})).refused(400, "NCERRInvalidParamValue");
        assert!(message.starts_with(&format!("{member}: ")), "{message}");
    }
    assert_eq!(ann.patch(own, json!({"password": "", "username": null})).expect(200), changed, "not given");
    ann.patch(&format!("{own}?dry_run=true"), json!({"name": "Eve"})).expect(200);
    assert_eq!(ann.get(own).expect(200), changed);
    let moved = ann.patch(own, json!({"email": "d@e.f"})).expect(200);
    assert_eq!((&moved["email"], &moved["email_verified"]), (&json!("d@e.f"), &json!(false)));
}

#[test]
fn metadata_of_users_and_groups_is_merged() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let path = format!("{USERS}/{}", user_id(&appliance.user("ann")));
    admin.post(GROUPS, json!({"name": "officers"})).expect(201);
    for (path, members) in [
        (path, &["user_metadata", "app_metadata"][..]),
        (format!("{GROUPS}/officers"), &["user_metadata", "app_metadata", "client_metadata"]),
    ] {
        for member in members {
            let merge = |patch: Value| admin.patch(&path, json!({*member: patch})).expect(200)[*member].clone();
            assert_eq!(merge(json!({"a": 1, "b": "x"})), json!({"a": 1, "b": "x"}), "{member}");
            assert_eq!(merge(json!({})), json!({"a": 1, "b": "x"}), "{member}");
            assert_eq!(merge(json!({"a": null, "c": [null]})), json!({"b": "x", "c": [null]}), "{member}");
        }
    }
}

#[test]
fn a_renamed_group_keeps_its_members_and_rights() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (ann, kms) = (appliance.user("ann"), format!("/v1/cckm/aws/kms/{}", appliance.kms("first", &["eu-west-1"])));
    admin.post(GROUPS, json!({"name": "officers", "description": "d"})).expect(201);
    admin.post(&format!("{GROUPS}/officers/users/{}", user_id(&ann)), json!({})).expect(200);
    let entry = json!({"group": "officers", "actions": ["viewnative", "keycreate"], "permit": true});
    admin.post(&format!("{kms}/update-acls"), entry).expect(200);
    admin.patch(&format!("{GROUPS}/officers?dry_run=true"), json!({"name": "keepers"})).expect(200);
    let renamed = admin.patch(&format!("{GROUPS}/officers"), json!({"name": "keepers"})).expect(200);
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("keepers"), &json!("d")));
    assert_eq!(renamed["users_count"], 1);
    assert_eq!(admin.get(&format!("{GROUPS}/keepers")).expect(200), renamed);
    admin.get(&format!("{GROUPS}/officers")).refused(404, "NCERRResourceNotFound");
    assert_eq!(ann.get("/v1/auth/self/user").expect(200)["groups"], json!(["keepers"]), "in the same session");
    assert_eq!(ann.get(&kms).expect(200)["acls"][0]["group"], "keepers");
    // A new group of the old name has no rights.
    admin.post(GROUPS, json!({"name": "officers"})).expect(201);
    admin.delete(&format!("{GROUPS}/keepers/users/{}", user_id(&ann))).expect(204);
    admin.post(&format!("{GROUPS}/officers/users/{}", user_id(&ann)), json!({})).expect(200);
    ann.get(&kms).refused(404, "NCERRResourceNotFound");
    let system = admin.patch(&format!("{GROUPS}/CCKM%20Users"), json!({"name": "others"}));
    assert!(system.refused(409, "NCERRConflict").contains("system group"));
    admin.patch(&format!("{GROUPS}/CCKM%20Users"), json!({"name": "CCKM Users", "description": "x"})).expect(200);
}

/// The vendor's Terraform provider sends every member, and `full_name` for the name.
#[test]
fn a_user_is_made_as_the_vendors_provider_asks() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let body = json!({"user_id": "", "full_name": "Ann Ash", "username": "ann", "nickname": "", "email": "a@b.c",
        "password": PASSWORD, "is_domain_user": false, "login_flags": {"prevent_ui_login": false},
        "password_change_required": false, "user_metadata": null});
    assert_eq!(admin.post(USERS, body).expect(201)["name"], "Ann Ash");
}
