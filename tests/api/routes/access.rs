//! Permissions on a KMS for users and groups: every action, the entries, and their visibility.

use crate::support::appliance::{Appliance, subject};
use crate::support::client::{Answer, Client};
use crate::support::visible_state::VisibleState;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FORBIDDEN: &str = "NCERRInsufficientPermissions";

/// Asserts that the message names `admin` and these groups.
fn assert_names(message: &str, groups: &[&str]) {
    let named = |group: &str| message.contains(&format!("`{group}`"));
    assert!(named("admin") && groups.iter().all(|group| named(group)), "{groups:?}: {message}");
}

#[test]
fn every_action_works_for_a_user_and_for_a_group_and_only_while_it_is_permitted() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("first", &["eu-west-1"]);
    appliance.kms("second", &["eu-west-2"]);
    admin.post("/v1/usermgmt/groups", json!({"name": "officers"})).expect(201);
    let (ann, bob) = (appliance.member("ann", &["officers"]), appliance.user("bob"));
    let actions = all_actions(&admin);
    assert_eq!(actions.len(), 34, "{actions:?}");
    for action in &actions {
        for principal in [json!({"user_id": subject(&ann)}), json!({"group": "officers"})] {
            let mut entry = principal.clone();
            entry["actions"] = json!([action]);
            let mut wish = entry.clone();
            wish["permit"] = json!(true);
            assert_unseen(&ann, &kms);
            let shown = permit(&admin, &kms, &wish).expect(200);
            let views = views_with(action);
            entry["actions"] = json!(views.iter().copied().chain([action.as_str()]).collect::<BTreeSet<_>>());
            let mut held = shown["acls"].clone();
            held[0]["actions"] = json!(sorted(&held[0]["actions"]));
            assert_eq!(held, json!([entry]));
            assert_eq!(permit(&admin, &kms, &wish).expect(200), shown, "once more changes nothing");
            assert_viewer(&ann, &kms, &shown);
            assert_unseen(&bob, &kms);
            wish["permit"] = json!(false);
            if !views.is_empty() {
                let left = permit(&admin, &kms, &wish).expect(200);
                assert_eq!(left["acls"][0]["actions"], json!(views), "a revoke takes what it names");
                wish["actions"] = json!(views);
            }
            assert!(permit(&admin, &kms, &wish).expect(200).get("acls").is_none(), "an entry left empty disappears");
        }
    }
    for nobody in [&ann, &bob] {
        assert_hidden(nobody, &kms);
    }
}

/// The views that a permit of this action brings.
fn views_with(action: &str) -> &'static [&'static str] {
    match action {
        "view" | "viewnative" | "viewbyok" | "viewhyokkey" | "viewcloudhsmkey" | "viewkeystore" => &[],
        "reportdownload" | "reportdelete" => &["reportview"],
        "cloudhsmkeycreate" => &["viewcloudhsmkey", "viewkeystore"],
        name if name.starts_with("report") => &[],
        name if name.starts_with("hyokkey") => &["viewhyokkey"],
        name if name.starts_with("cloudhsm") => &["viewcloudhsmkey"],
        name if name.starts_with("keystore") => &["viewkeystore"],
        _ => &["viewnative", "viewbyok"],
    }
}

fn sorted(actions: &Value) -> BTreeSet<String> {
    actions.as_array().into_iter().flatten().filter_map(|action| action.as_str().map(str::to_owned)).collect()
}

#[test]
fn the_table_of_actions_has_no_default_limit() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let whole = admin.get("/v1/cckm/aws/actions").expect(200);
    let rows = whole["resources"].as_array().expect("rows");
    // The table has the 46 rows of the seed and the row of bulk jobs.
    assert_eq!((rows.len(), &whole["total"]), (47, &json!(47)));
    let part = admin.get("/v1/cckm/aws/actions?skip=2&limit=1").expect(200);
    assert_eq!((&part["resources"], &part["total"]), (&json!([rows[2]]), &json!(47)));
    admin.get("/v1/cckm/aws/actions?limit=0").refused(400, "NCERRInvalidParamValue");
}

/// The actions of the vendor's table, and `view`, which its examples use.
fn all_actions(client: &Client) -> BTreeSet<String> {
    let table = client.get("/v1/cckm/aws/actions").expect(200);
    let rows = table["resources"].as_array().expect("rows").iter();
    let named = rows.flat_map(|row| row["actions"].as_array().expect("actions")).map(|action| action.as_str());
    let mut actions: BTreeSet<_> = named.map(|action| action.expect("a name").to_owned()).collect();
    assert!(actions.contains("keybulkoperation"));
    actions.insert("view".to_owned());
    actions
}

/// Asserts that the caller sees the KMS and only its own rights there, and cannot change it.
fn assert_viewer(client: &Client, kms: &str, shown: &Value) {
    let path = format!("/v1/cckm/aws/kms/{kms}");
    assert_eq!(&client.get(&path).expect(200), shown);
    let list = client.get("/v1/cckm/aws/kms").expect(200);
    assert_eq!((&list["total"], &list["resources"]), (&json!(1), &json!([shown])));
    for message in [
        client.patch(&path, json!({"regions": ["eu-west-3"]})).refused(403, FORBIDDEN),
        client.delete(&path).refused(403, FORBIDDEN),
        permit(client, kms, &json!({"group": "officers", "actions": ["keydelete"], "permit": true}))
            .refused(403, FORBIDDEN),
    ] {
        assert_names(&message, &["CCKM Admins"]);
    }
}

fn assert_unseen(client: &Client, kms: &str) {
    let list = client.get("/v1/cckm/aws/kms").expect(200);
    assert_eq!((&list["total"], &list["resources"]), (&json!(0), &json!([])));
    client.get(&format!("/v1/cckm/aws/kms/{kms}")).refused(404, "NCERRResourceNotFound");
}

/// Asserts that the caller cannot distinguish the KMS from one that does not exist.
fn assert_hidden(client: &Client, kms: &str) {
    let never = "00000000-0000-4000-8000-000000000000";
    assert_unseen(client, kms);
    for (method, end) in [
        (Method::GET, ""),
        (Method::GET, "?at=2099-01-01T00:00:00Z"),
        (Method::GET, "/history"),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/update-acls"),
        (Method::POST, "/archive"),
    ] {
        let ask =
            |kms: &str| client.send(method.clone(), &format!("/v1/cckm/aws/kms/{kms}{end}"), Some(b"{}".to_vec()));
        let (hidden, unknown) =
            (ask(kms).refused(404, "NCERRResourceNotFound"), ask(never).refused(404, "NCERRResourceNotFound"));
        assert_eq!(hidden.replace(kms, never), unknown, "{method} {end}");
    }
}

#[test]
fn entries_of_one_request_apply_in_order_and_all_or_none() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("first", &["eu-west-1"]);
    let ann = subject(&appliance.user("ann"));
    let user = |actions: Value, permit: bool| json!({"user_id": ann, "actions": actions, "permit": permit});
    let group = |actions: Value, permit: bool| json!({"group": "CCKM Users", "actions": actions, "permit": permit});
    let several = json!({"acls": [
        user(json!(["view", "keycreate"]), true), group(json!(["keyrotate"]), true),
        user(json!(["keycreate", "keydelete"]), false), user(json!(["keyupload"]), true),
    ]});
    let acls = json!([{"user_id": ann, "actions": ["view", "keyupload"]}, {"group": "CCKM Users", "actions": ["viewnative", "viewbyok", "keyrotate"]}]);
    let shown = permit(&admin, &kms, &several).expect(200);
    let sorted = |acls: &Value| -> Vec<BTreeSet<String>> {
        let entries = acls.as_array().expect("entries").iter();
        entries.map(|e| e["actions"].as_array().expect("actions").iter().map(Value::to_string).collect()).collect()
    };
    assert_eq!(sorted(&shown["acls"]), sorted(&acls), "{shown}");
    let before = VisibleState::of(&admin);
    for bad in [
        user(json!(["fly"]), true),
        json!({"group": "nobody's", "actions": ["view"], "permit": true}),
        json!({"user_id": "local|00000000-0000-4000-8000-000000000000", "actions": ["view"], "permit": false}),
        json!({"user_id": ann, "group": "CCKM Users", "actions": ["view"], "permit": true}),
        json!({"actions": ["view"], "permit": true}),
        json!({"user_id": ann, "actions": ["view"]}),
        json!({"user_id": ann, "permit": true}),
        json!({"user_id": ann, "actions": [], "permit": true}),
        json!(7),
        Value::Null,
    ] {
        let patch = json!({"acls": [group(json!(["keydelete"]), true), user(json!(["view"]), false), bad]});
        let answer = permit(&admin, &kms, &patch);
        assert!([400, 404].contains(&answer.status), "{patch}: {}", answer.text);
    }
    assert_eq!(VisibleState::of(&admin), before);
    // Each half of `view` can be revoked separately.
    let halved = permit(&admin, &kms, &user(json!(["viewnative", "keyupload"]), false)).expect(200);
    assert_eq!(halved["acls"][0], json!({"user_id": ann, "actions": ["viewbyok"]}));
}

#[test]
fn each_sees_the_entries_that_hold_for_oneself_and_administrators_see_all() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("first", &["eu-west-1"]);
    let (ann, bob) = (appliance.member("ann", &["CCKM Users"]), appliance.user("bob"));
    let entries = [
        json!({"user_id": subject(&ann), "actions": ["view"]}),
        json!({"user_id": subject(&bob), "actions": ["viewnative", "viewbyok", "keycreate"]}),
        json!({"group": "CCKM Users", "actions": ["viewnative", "viewbyok", "keydelete"]}),
        json!({"group": "User Admins", "actions": ["reportview"]}),
    ];
    for entry in &entries {
        let mut wish = entry.clone();
        wish["permit"] = json!(true);
        permit(&admin, &kms, &wish).expect(200);
    }
    let seen = |client: &Client| client.get(&format!("/v1/cckm/aws/kms/{kms}")).expect(200)["acls"].take();
    assert_eq!(seen(&admin), json!(entries));
    assert_eq!(seen(&appliance.member("officer", &["CCKM Admins"])), json!(entries));
    assert_eq!(seen(&ann), json!([entries[0], entries[2]]));
    assert_eq!(seen(&bob), json!([entries[1]]));
    let then = |client: &Client| client.get(&format!("/v1/cckm/aws/kms/{kms}?at=2099-01-01T00:00:00Z")).expect(200);
    assert_eq!(then(&ann)["acls"], json!([entries[0], entries[2]]));
}

#[test]
fn the_history_hides_the_permissions_of_others_from_a_viewer() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("first", &["eu-west-1"]);
    let ann = appliance.user("ann");
    permit(&admin, &kms, &json!({"group": "User Admins", "actions": ["keyrotate"], "permit": true})).expect(200);
    permit(&admin, &kms, &json!({"user_id": subject(&ann), "actions": ["view"], "permit": true})).expect(200);
    let changes = |client: &Client| -> Vec<Value> {
        let history = client.get(&format!("/v1/cckm/aws/kms/{kms}/history")).expect(200);
        let entries = history["resources"].as_array().expect("entries").iter();
        entries
            .filter(|entry| entry["event"] == "AclsChanged")
            .map(|entry| entry["details"]["changes"].clone())
            .collect()
    };
    let [everything, own] = [changes(&admin), changes(&ann)];
    assert_eq!((everything.len(), own.len()), (2, 2));
    assert_eq!((&own[0], &own[1]), (&json!([]), &everything[1]));
    assert!(everything[0].to_string().contains("User Admins"));
}

fn permit(client: &Client, kms: &str, wish: &Value) -> Answer {
    client.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), wish.clone())
}
