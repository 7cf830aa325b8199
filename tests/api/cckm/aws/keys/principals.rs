//! Who may use a key: `/v1/cckm/aws/keys/{id}/access` and `/grants`, and `/v1/cckm/aws/access`.

use crate::cckm::aws::synchronization_jobs::{lab, permit};
use crate::support::appliance::{id, subject};
use crate::support::kms_fixture::{ACCOUNT, AWAY, HOME, KEYS, KmsFixture, at, aws, aws_id};
use serde_json::{Value, json};

const OTHER: &str = "789012123456";

fn user() -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/user1")
}

fn role() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/test-own-role")
}

fn root() -> Value {
    json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "kms:*", "Resource": "*"})
}

fn create(fixture: &KmsFixture, statements: &[Value]) -> Value {
    let statements: Vec<Value> = std::iter::once(root()).chain(statements.iter().cloned()).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    fixture.create(json!({"Policy": policy}))
}

fn access(fixture: &KmsFixture, key: &Value, query: &str) -> Value {
    fixture.admin.get(&format!("{}{query}", at(key, "access"))).expect(200)
}

/// The entry of a statement or a grant for a principal.
fn entry<'a>(access: &'a Value, principal: &str, source: &str) -> &'a Value {
    let entries = access["entries"].as_array().expect("entries");
    let is_it = |entry: &&Value| {
        let from = [&entry["source"]["sid"], &entry["source"]["grant_name"]];
        entry["principal"] == principal && from.iter().any(|name| **name == source)
    };
    entries.iter().find(is_it).unwrap_or_else(|| panic!("{principal}, {source}: {access}"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn each_kind_of_principal_is_shown_with_its_actions_and_conditions() {
    let fixture = KmsFixture::new();
    let via = json!({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}});
    let key = create(
        &fixture,
        &[
            json!({"Sid": "Ann", "Effect": "Allow", "Principal": {"AWS": user()}, "Action": ["kms:Decrypt", "kms:Put*"],
                "Resource": "*", "Condition": via}),
            json!({"Sid": "Logs", "Effect": "Allow", "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
                "Action": "kms:GenerateDataKey*", "Resource": "*"}),
            json!({"Sid": "Abroad", "Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "kms:CreateGrant",
                "Resource": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": true}}}),
            json!({"Sid": "Web", "Effect": "Allow", "Principal": {"Federated": "accounts.google.com"},
                "Action": "kms:Decrypt", "Resource": "*"}),
            json!({"Sid": "Everyone", "Effect": "Allow", "Principal": "*", "NotAction": "kms:Decrypt",
                "Resource": "arn:aws:kms:*:*:key/another"}),
            json!({"Sid": "ButAnn", "Effect": "Deny", "NotPrincipal": {"AWS": [user(), ACCOUNT]},
                "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}),
        ],
    );
    let seen = access(&fixture, &key, "");
    assert_eq!((&seen["id"], &seen["arn"]), (&key["id"], aws(&key, "Arn")));
    assert_eq!((&seen["policy_known"], &seen["grants_known"]), (&json!(true), &json!(true)));
    assert_eq!((&seen["not_understood"], seen.get("decision")), (&json!([]), None));

    let account = entry(&seen, &format!("arn:aws:iam::{ACCOUNT}:root"), "Root");
    assert_eq!((&account["kind"], &account["delegates_to_iam"]), (&json!("account"), &json!(true)));
    assert_eq!((&account["account"], &account["action_patterns"]), (&json!(ACCOUNT), &json!(["kms:*"])));
    for (group, action) in [
        ("use", "kms:Decrypt"),
        ("administer", "kms:PutKeyPolicy"),
        ("grant", "kms:CreateGrant"),
        ("view", "kms:DescribeKey"),
    ] {
        assert!(texts(&account["actions"][group]).contains(&action), "{group}: {account}");
    }
    let ann = entry(&seen, &user(), "Ann");
    assert_eq!((&ann["kind"], &ann["effect"], &ann["applies"]), (&json!("user"), &json!("allow"), &json!(true)));
    assert_eq!(ann["actions"]["use"], json!(["kms:Decrypt"]));
    assert_eq!(ann["actions"]["administer"], json!(["kms:PutKeyPolicy"]));
    let condition = json!({"operator": "StringEquals", "key": "kms:ViaService",
        "values": ["s3.eu-west-1.amazonaws.com"],
        "text": "the service that asks for the caller is s3.eu-west-1.amazonaws.com"});
    assert_eq!(ann["conditions"], json!([condition]));
    assert_eq!(ann["source"], json!({"type": "policy", "statement": 2, "sid": "Ann"}));
    assert_eq!(entry(&seen, "logs.eu-west-1.amazonaws.com", "Logs")["kind"], "service");
    assert_eq!(entry(&seen, "accounts.google.com", "Web")["kind"], "federated");
    let abroad = entry(&seen, &format!("arn:aws:iam::{OTHER}:root"), "Abroad");
    assert_eq!((&abroad["kind"], &abroad["account"]), (&json!("account"), &json!(OTHER)));
    let everyone = entry(&seen, "*", "Everyone");
    assert_eq!((&everyone["kind"], &everyone["applies"]), (&json!("everyone"), &json!(false)));
    assert_eq!(everyone["not_action_patterns"], json!(["kms:Decrypt"]));
    let but_ann = entry(&seen, "*", "ButAnn");
    assert_eq!((&but_ann["effect"], &but_ann["except"][0]), (&json!("deny"), &json!(user())));

    let gone_id = fixture.lab.delete_principal(&user());
    fixture.post(&key, "refresh", json!({})).expect(200);
    let seen = access(&fixture, &key, "");
    assert_eq!(entry(&seen, &gone_id, "Ann")["kind"], "unknown_id");
}

#[test]
fn grants_made_at_aws_are_listed_and_a_denial_is_said() {
    let fixture = KmsFixture::new();
    let key = create(&fixture, &[]);
    let grants = |query: &str| fixture.admin.get(&format!("{}{query}", at(&key, "grants")));
    assert_eq!(grants("").expect(200)["total"], 0);
    let grant = |name: &str, grantee: &str, constraints: Value| {
        let body = json!({"KeyId": aws_id(&key), "GranteePrincipal": grantee, "Operations": ["Decrypt", "CreateGrant"],
            "Name": name, "RetiringPrincipal": user(), "Constraints": constraints});
        fixture.lab.kms(HOME, "CreateGrant", &body)["GrantId"].clone()
    };
    let plain = grant("plain", &role(), json!({}));
    grant("narrow", &user(), json!({"EncryptionContextSubset": {"team": "blue"}}));
    // More than a page of AWS.
    (0..110).for_each(|n| drop(grant(&format!("n{n}"), &user(), json!({}))));
    let list = grants("?limit=-1").expect(200);
    assert_eq!((&list["total"], list["resources"].as_array().map(Vec::len)), (&json!(112), Some(112)));
    let one = grants(&format!("?GrantId={}", plain.as_str().expect("an id"))).expect(200);
    assert_eq!(one["total"], 1);
    let row = &one["resources"][0];
    assert_eq!((&row["key_id"], &row["kms_id"]), (&key["id"], &json!(fixture.kms)));
    assert!(row["uri"].as_str().expect("a uri").starts_with("kylo:kylo:cckm:aws-key-grant:"));
    assert_eq!((&row["aws_param"]["Name"], &row["aws_param"]["GrantId"]), (&json!("plain"), &plain));
    assert_eq!(
        (&row["aws_param"]["GranteePrincipal"], &row["aws_param"]["RetiringPrincipal"]),
        (&json!(role()), &json!(user()))
    );
    assert_eq!(row["aws_param"]["Operations"], json!(["Decrypt", "CreateGrant"]));
    let narrow = grants("?Name=narrow").expect(200)["resources"][0].clone();
    assert_eq!(narrow["aws_param"]["Constraints"], json!({"EncryptionContextSubset": {"team": "blue"}}));

    let seen = access(&fixture, &key, "");
    let granted = entry(&seen, &role(), "plain");
    assert_eq!((&granted["kind"], &granted["source"]["type"]), (&json!("role"), &json!("grant")));
    assert_eq!(granted["actions"]["use"], json!(["kms:Decrypt"]));
    assert_eq!(granted["actions"]["grant"], json!(["kms:CreateGrant"]));
    assert_eq!(entry(&seen, &user(), "narrow")["conditions"][0]["text"], "in the encryption context `team` is blue");

    // There is more than a page of grants, so only those for the role are asked for.
    let before = fixture.lab.calls("kms:ListGrants");
    let of_role = access(&fixture, &key, &format!("?principal={}", role()));
    assert_eq!(entry(&of_role, &role(), "plain")["source"]["grant_id"], plain);
    assert_eq!((&of_role["grants_truncated"], fixture.lab.calls("kms:ListGrants") - before), (&json!(false), 3));
    let calls = |query: &str| {
        let before = fixture.lab.calls("kms:ListGrants");
        let total = grants(query).expect(200)["total"].as_u64().expect("a total");
        (total, fixture.lab.calls("kms:ListGrants") - before)
    };
    let id = plain.as_str().expect("an id");
    assert_eq!(calls(""), (112, 2));
    assert_eq!(calls(&format!("?GranteePrincipal={}", role())), (1, 1));
    assert_eq!(calls(&format!("?GrantId={id}")), (1, 1));
    assert_eq!(calls(&format!("?GrantId={id}&GrantId=no%20id")), (1, 2), "AWS takes one");
    assert_eq!(calls("?GrantId=no%20id"), (0, 0), "no grant has such an id");
    assert_eq!(calls(&format!("?GrantId={}", "0".repeat(64))), (0, 1));

    let denied = json!([{"service": "kms", "operation": "ListGrants", "times": 2, "answer": "deny"}]);
    fixture.lab.set_faults(&denied);
    let seen = access(&fixture, &key, "");
    assert_eq!(
        (&seen["grants_known"], entry(&seen, &format!("arn:aws:iam::{ACCOUNT}:root"), "Root")["effect"].as_str()),
        (&json!(false), Some("allow"))
    );
    assert!(seen["grants_error"].as_str().expect("a reason").contains("AccessDenied"), "{seen}");
    assert!(grants("").refused(502, "NCERRCloudError").contains("AccessDenied"));
}

#[test]
fn access_reads_a_thousand_grants_and_says_so() {
    let fixture = KmsFixture::new();
    let key = create(&fixture, &[]);
    let grant = |grantee: &str| {
        let body = json!({"KeyId": aws_id(&key), "GranteePrincipal": grantee, "Operations": ["Decrypt"]});
        fixture.lab.kms(HOME, "CreateGrant", &body);
    };
    grant(&role());
    (0..1_001).for_each(|_| grant(&user()));
    let granted = |seen: &Value| {
        let entries = seen["entries"].as_array().expect("entries").iter();
        entries.filter(|entry| entry["source"]["type"] == "grant").count()
    };
    let seen = access(&fixture, &key, "");
    assert_eq!((&seen["grants_truncated"], &seen["grants_known"], granted(&seen)), (&json!(true), &json!(true), 1_000));
    let of_role = access(&fixture, &key, &format!("?principal={}", role()));
    assert_eq!((&of_role["grants_truncated"], granted(&of_role)), (&json!(false), 1));
    assert_eq!(of_role["decision"]["use"], "allowed");
    // All grants can be for some user of an account, and those that were not read may be for one of this.
    let of_other = access(&fixture, &key, &format!("?principal={OTHER}"));
    assert_eq!(
        of_other["decision"],
        json!({"use": "not_known", "administer": "not_allowed", "grant": "not_known",
        "view": "not_known"})
    );
}

#[test]
fn access_shows_the_policy_even_where_the_grants_are_out_of_reach() {
    let fixture = KmsFixture::new();
    let key = create(&fixture, &[]);
    let kms = format!("/v1/cckm/aws/kms/{}", fixture.kms);
    fixture.admin.patch(&kms, json!({"regions": [AWAY]})).expect(200);
    let seen = access(&fixture, &key, "");
    assert_eq!(entry(&seen, &format!("arn:aws:iam::{ACCOUNT}:root"), "Root")["effect"], "allow");
    assert_eq!(seen["grants_known"], false);
    assert!(seen["grants_error"].as_str().expect("a reason").contains(HOME), "{seen}");
    let of_other = access(&fixture, &key, &format!("?principal={OTHER}"));
    assert_eq!(
        (&of_other["decision"]["use"], &of_other["decision"]["administer"]),
        (&json!("not_known"), &json!("not_allowed"))
    );
}

#[test]
fn nobody_may_use_a_key_as_a_user_who_was_deleted() {
    let fixture = KmsFixture::new();
    let ann = json!({"Effect": "Allow", "Principal": {"AWS": user()}, "Action": "kms:Decrypt", "Resource": "*"});
    let key = create(&fixture, &[ann]);
    let gone_id = fixture.lab.delete_principal(&user());
    fixture.post(&key, "refresh", json!({})).expect(200);
    let seen = access(&fixture, &key, &format!("?principal={gone_id}"));
    assert_eq!((&seen["decision"]["use"], entry_count(&seen)), (&json!("not_allowed"), 1));
}

fn entry_count(seen: &Value) -> usize {
    seen["entries"].as_array().expect("entries").len()
}

#[test]
fn a_principal_gets_a_decision_with_its_reasons() {
    let fixture = KmsFixture::new();
    let via = json!({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}});
    let key = create(
        &fixture,
        &[
            json!({"Sid": "Role", "Effect": "Allow", "Principal": {"AWS": role()}, "Action": "kms:Decrypt", "Resource": "*"}),
            json!({"Sid": "Via", "Effect": "Allow", "Principal": {"AWS": user()}, "Action": "kms:Encrypt", "Resource": "*",
                "Condition": via}),
            json!({"Sid": "NoDelete", "Effect": "Deny", "Principal": "*", "Action": "kms:Schedule*", "Resource": "*"}),
        ],
    );
    let decision = |principal: &str, action: &str| {
        let seen = access(&fixture, &key, &format!("?principal={principal}"));
        assert_eq!(seen["principal"], principal);
        let actions = seen["actions"].as_array().expect("actions").clone();
        let found = actions.iter().find(|row| row["action"] == action).unwrap_or_else(|| panic!("{action}"));
        (found["decision"].as_str().expect("a decision").to_owned(), seen)
    };
    let (decrypt, seen) = decision(&role(), "kms:Decrypt");
    assert_eq!((decrypt.as_str(), &seen["decision"]["use"]), ("allowed", &json!("allowed")));
    assert_eq!(seen["decision"]["administer"], "iam_decides");
    let sids: Vec<&Value> =
        seen["entries"].as_array().expect("entries").iter().map(|one| &one["source"]["sid"]).collect();
    assert_eq!(sids, ["Root", "Role", "NoDelete"], "only what concerns the role");
    assert!(!seen["not_considered"].as_array().expect("texts").is_empty());
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/test-own-role/one");
    assert_eq!(decision(&session, "kms:Decrypt").0, "allowed");
    assert_eq!(decision(&session, "kms:Encrypt").0, "iam_decides");
    assert_eq!(decision(&role(), "kms:ScheduleKeyDeletion").0, "denied");
    assert_eq!(decision(&user(), "kms:Encrypt").0, "depends");
    let stranger = format!("arn:aws:iam::{OTHER}:role/test-assume-role-ac");
    assert_eq!(decision(&stranger, "kms:Decrypt").0, "not_allowed");
    let grant =
        json!({"KeyId": aws_id(&key), "GranteePrincipal": stranger, "Operations": ["Decrypt"], "Name": "abroad"});
    fixture.lab.kms(HOME, "CreateGrant", &grant);
    let (decrypt, seen) = decision(&stranger, "kms:Decrypt");
    assert_eq!((decrypt.as_str(), &entry(&seen, &stranger, "abroad")["effect"]), ("iam_decides", &json!("allow")));
    // The key encrypts; it does not sign.
    assert!(seen["actions"].as_array().expect("actions").iter().all(|row| row["action"] != "kms:Sign"));

    for bad in ["*", "ann", "arn:aws:iam::123456789012:user/*"] {
        let refused = fixture.admin.get(&format!("{}?principal={bad}", at(&key, "access")));
        assert!(refused.refused(400, "NCERRInvalidParamValue").starts_with("principal: "));
    }
    let refused = fixture.admin.get(&format!("{}?principle=x", at(&key, "access")));
    assert!(refused.refused(400, "NCERRInvalidParamValue").contains("principle"));
}

#[test]
fn the_keys_that_a_principal_may_use_are_found_by_their_policies() {
    let fixture = KmsFixture::new();
    let stranger = format!("arn:aws:iam::{OTHER}:role/test-assume-role-ac");
    let plain = create(&fixture, &[]);
    let abroad = create(
        &fixture,
        &[json!({"Effect": "Allow", "Principal": {"AWS": stranger}, "Action": "kms:Decrypt", "Resource": "*"})],
    );
    let look = create(
        &fixture,
        &[json!({"Effect": "Allow", "Principal": {"AWS": stranger}, "Action": "kms:DescribeKey", "Resource": "*"})],
    );
    let find =
        |principal: &str, more: &str| fixture.admin.get(&format!("/v1/cckm/aws/access?principal={principal}{more}"));
    let list = find(&stranger, "&kms=fixture").expect(200);
    assert_eq!((&list["total"], &list["resources"][0]["id"]), (&json!(1), &abroad["id"]));
    let decision =
        json!({"use": "iam_decides", "administer": "not_allowed", "grant": "not_allowed", "view": "not_allowed"});
    assert_eq!(list["resources"][0]["decision"], decision);
    let list = find(&user(), "&limit=2").expect(200);
    assert_eq!((&list["total"], list["resources"].as_array().map(Vec::len)), (&json!(3), Some(2)));
    assert_eq!(list["resources"][0]["id"], plain["id"]);
    assert_eq!(find(&user(), "&region=eu-west-2").expect(200)["total"], 0);
    let _ = look;

    assert!(find("nobody", "").refused(400, "NCERRInvalidParamValue").starts_with("principal: "));
    fixture.admin.get("/v1/cckm/aws/access").refused(400, "NCERRInvalidParamValue");
    find(&user(), "&kms=nothing").refused(404, "NCERRResourceNotFound");
    let ann = fixture.appliance.user("ann");
    assert_eq!(ann.get(&format!("/v1/cckm/aws/access?principal={}", user())).expect(200)["total"], 0);
}

#[test]
fn our_own_managers_are_shown_to_those_who_may_change_the_key() {
    let fixture = KmsFixture::new();
    let key = create(&fixture, &[]);
    let (ann, bob) = (fixture.appliance.user("ann"), fixture.appliance.user("bob"));
    permit(&fixture.admin, &fixture.kms, &ann, &["keyupdate", "keyrotate", "reportview"]);
    permit(&fixture.admin, &fixture.kms, &bob, &["viewnative"]);
    let seen = access(&fixture, &key, "");
    let managers = seen["managed_by"].as_array().expect("managers");
    assert_eq!(managers[0], json!({"group": "admin", "actions": ["all"]}));
    assert_eq!(managers[1], json!({"group": "CCKM Admins", "actions": ["all"]}));
    assert_eq!(managers.len(), 3, "a viewer changes nothing: {seen}");
    assert_eq!(
        (&managers[2]["username"], &managers[2]["actions"]),
        (&json!("ann"), &json!(["keyupdate", "keyrotate"]))
    );
    assert_eq!(ann.get(&at(&key, "access")).expect(200)["managed_by"], seen["managed_by"]);
    let viewed = bob.get(&at(&key, "access")).expect(200);
    assert_eq!((viewed.get("managed_by"), &viewed["entries"]), (None, &seen["entries"]));
    let nobody = fixture.appliance.user("eve");
    nobody.get(&at(&key, "access")).refused(404, "NCERRResourceNotFound");
    nobody.get(&at(&key, "grants")).refused(404, "NCERRResourceNotFound");
    assert_eq!(nobody.get(&format!("{KEYS}/{}", id(&key))).status, 404);
}

#[test]
fn a_manager_is_who_may_change_the_key_by_all_entries_together() {
    let fixture = KmsFixture::new();
    let key = create(&fixture, &[]);
    for group in ["viewers", "changers"] {
        fixture.admin.post("/v1/usermgmt/groups", json!({"name": group})).expect(201);
    }
    let ann = fixture.appliance.member("ann", &["viewers"]);
    let set = |who: (&str, &str), actions: &[&str], permit: bool| {
        let change = json!({who.0: who.1, "actions": actions, "permit": permit});
        fixture.admin.post(&format!("/v1/cckm/aws/kms/{}/update-acls", fixture.kms), change).expect(200);
    };
    let ann_id = subject(&ann);
    for who in [("user_id", ann_id.as_str()), ("group", "changers")] {
        set(who, &["keyupdate"], true);
        // The permit brings the views that it needs.
        set(who, &["viewnative", "viewbyok"], false);
    }
    let managers = || access(&fixture, &key, "")["managed_by"].as_array().expect("managers")[2..].to_vec();
    let changers = json!({"group": "changers", "actions": ["keyupdate"], "needs_view": true});
    assert_eq!(managers(), std::slice::from_ref(&changers), "ann does not see the key");
    set(("group", "viewers"), &["viewnative"], true);
    let [of_ann, of_group] = managers().try_into().expect("two");
    assert_eq!((&of_ann["username"], &of_ann["actions"], of_group), (&json!("ann"), &json!(["keyupdate"]), changers));
}

#[test]
fn cloudtrail_says_who_used_a_key() {
    let fixture = KmsFixture::new();
    lab(&fixture.appliance, "cloudtrail", &json!({"delay_seconds": 0}));
    let (key, other) = (create(&fixture, &[]), create(&fixture, &[]));
    for (key, times) in [(&key, 2), (&other, 1)] {
        let body = json!({"KeyId": aws_id(key), "Plaintext": "AAAA"});
        (0..times).for_each(|_| drop(fixture.lab.kms(HOME, "Encrypt", &body)));
    }
    let failed = json!({"KeyId": aws_id(&key), "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(fixture.lab.try_kms(HOME, "Sign", &failed).0, 400);
    let group = format!("aws-cloudtrail-logs-{ACCOUNT}");
    // An event has the second of its call, and the window ends before the second of the request.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let used_by = access(&fixture, &key, &format!("?log_group={group}&days=2"))["used_by"].take();
    assert_eq!((&used_by["complete"], &used_by["log_group_region"]), (&json!(true), &json!(HOME)));
    assert!(used_by["events_read"].as_u64() >= Some(3) && used_by["skipped"] == 0, "{used_by}");
    let [used] = used_by["principals"].as_array().expect("principals").as_slice() else { panic!("{used_by}") };
    assert_eq!((&used["principal"], &used["calls"], &used["failures"]), (&json!(user()), &json!(3), &json!(1)));
    assert_eq!(used["operations"], json!({"Encrypt": 2, "Sign": 1}));
    assert_eq!((&used["last_used_operation"], &used["account"]), (&json!("Encrypt"), &json!(ACCOUNT)));
    assert!(used["last_used_at"].is_string() && used["last_used_event_id"].is_string(), "{used}");

    let at = at(&key, "access");
    // Without a log group, that of a drift watch of the KMS is read; if there is none, it is not known.
    let unknown = access(&fixture, &key, "?days=2");
    assert_eq!((&unknown["used_by_known"], unknown.get("used_by")), (&json!(false), None));
    let watch = json!({"name": "watch", "operation": "cckm_drift_watch", "run_at": "0 0 1 1 *",
        "cckm_drift_watch_params": {"kms": "fixture", "log_group": group}});
    fixture.admin.post("/v1/scheduler/job-configs", watch).expect(201);
    let watched = access(&fixture, &key, "?days=2");
    assert_eq!((&watched["used_by_known"], &watched["used_by"]["principals"]), (&json!(true), &used_by["principals"]));
    assert_eq!(access(&fixture, &key, "").get("used_by_known"), None);
    let none = fixture.admin.get(&format!("{at}?log_group=none"));
    assert!(none.refused(502, "NCERRCloudError").contains("ResourceNotFoundException"));
    for (query, member) in [
        ("log_group_region=eu-west-1", "log_group_region: "),
        ("log_group=a%20b", "log_group: "),
        ("log_group=a&days=0", "days: "),
        ("log_group=a&days=91", "days: "),
        ("log_group=a&log_group=b", "log_group: "),
        ("log_group=a&log_group_region=nowhere", "log_group_region: "),
    ] {
        let refused = fixture.admin.get(&format!("{at}?{query}")).refused(400, "NCERRInvalidParamValue");
        assert!(refused.starts_with(member), "{query}: {refused}");
    }
    let bob = fixture.appliance.user("bob");
    permit(&fixture.admin, &fixture.kms, &bob, &["viewnative"]);
    let refused = bob.get(&format!("{at}?log_group={group}")).refused(403, "NCERRInsufficientPermissions");
    assert!(refused.contains("reportcreate"), "{refused}");
}
