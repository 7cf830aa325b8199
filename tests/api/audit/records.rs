//! Audit records: what they show of a change, their filters and pages, and who may read them.

use crate::support::appliance::{Appliance, id, user_id};
use crate::support::client::Client;
use crate::support::kms_fixture::KmsFixture;
use serde_json::{Value, json};

const RECORDS: &str = "/v1/audit/records";

fn listed(admin: &Client, query: &str) -> (u64, Vec<Value>) {
    let answer = admin.get(&format!("{RECORDS}?{query}")).expect(200);
    let records = answer["resources"].as_array().expect("records").clone();
    (answer["total"].as_u64().expect("a total"), records)
}

#[test]
fn a_record_names_a_key_by_its_alias_and_a_webhook_by_its_name() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "cards"}));
    let named = |query: &str| listed(&fixture.admin, query).1[0]["resource_name"].clone();
    let of_key = format!("resource=key/{}", id(&key));
    assert_eq!(named(&of_key), "alias/cards");
    fixture.change(&key, "delete-alias", json!({"alias": "alias/cards"}));
    assert_eq!(named(&of_key), Value::Null);
    let webhook = json!({"name": "pager", "url": "https://pager.example.com/"});
    let webhook = fixture.admin.post("/v1/alarms/webhooks", webhook).expect(201);
    assert_eq!(named(&format!("resource=webhook/{}", id(&webhook))), "pager");
}

#[test]
fn a_record_shows_who_changed_what_from_where() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("first", &["eu-west-1"]);
    let (total, records) = listed(&admin, &format!("resource=kms/{kms}&event=Added"));
    assert_eq!(total, 1);
    let record = &records[0];
    assert_eq!(record["username"], "admin");
    assert_eq!(record["clientIP"], "127.0.0.1");
    assert!(record["session_id"].is_string(), "{record}");
    assert_eq!((&record["service"], &record["message"]), (&json!("cckm"), &json!("Added")));
    assert_eq!((&record["success"], &record["resource_name"]), (&json!(true), &json!("first")));
    let number = record["number"].as_u64().expect("a number");
    let one = admin.get(&format!("{RECORDS}/{number}")).expect(200);
    let of_list = |mut one: Value| {
        let members = one.as_object_mut().expect("an object");
        members.retain(|name, _| name != "before" && name != "after");
        one
    };
    assert_eq!(&of_list(one), record);
    let before = admin.get(&format!("{RECORDS}/{}", number - 1)).expect(200);
    assert_eq!(before["hash"], record["previousHash"]);
    assert!(!listed(&admin, "limit=1000").1.iter().any(|record| record.to_string().contains("argon2")));
}

#[test]
fn filters_select_by_time_user_source_resource_and_success() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let ann = appliance.user("ann");
    let wrong = json!({"username": "ann", "password": "wrong"});
    appliance.nobody().post("/v1/auth/tokens", wrong).refused(401, "NCERRUnauthorized");
    let all = listed(&admin, "limit=1").0;
    for (query, least, most) in [
        ("username=ann", 1, all - 1),
        ("username=nobody", 0, 0),
        ("success=false", 1, 1),
        ("success=false&event=LoginFailed&resource=user", 1, 1),
        ("success=true", all - 1, all - 1),
        ("severity=error&severity=info", 1, all),
        ("clientIP=127.0.0.1", 1, all - 1),
        ("clientIP=192.0.2.1", 0, 0),
        ("service=vault", 0, 0),
        ("createdAfter=2020-01-01T00:00:00Z", all, all),
        ("createdBefore=2020-01-01T00:00:00Z", 0, 0),
        ("after=1&before=4", 2, 2),
        ("requestId=none-of-these", 0, 0),
    ] {
        let total = listed(&admin, query).0;
        assert!((least..=most).contains(&total), "{query}: {total} of {all}");
    }
    let own = user_id(&ann);
    assert_eq!(listed(&admin, &format!("user_id={own}")).0, listed(&admin, "username=ann").0);
    assert!(listed(&admin, &format!("resource_id={own}")).0 >= 2);
    for query in ["success=maybe", "service=x", "severity=x", "createdAfter=x", "before=x", "colour=x", "sort=event"] {
        admin.get(&format!("{RECORDS}?{query}")).refused(400, "NCERRInvalidParamValue");
    }
}

#[test]
fn pages_by_number_neither_repeat_nor_miss_a_record_while_others_come() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let head = listed(&admin, "limit=1").0;
    let (mut before, mut seen) = (head + 1, Vec::new());
    loop {
        let (_, records) = listed(&admin, &format!("limit=3&before={before}"));
        let Some(last) = records.last() else { break };
        before = last["number"].as_u64().expect("a number");
        seen.extend(records.iter().filter_map(|record| record["number"].as_u64()));
        admin.post("/v1/usermgmt/groups", json!({"name": format!("g{before}")})).expect(201);
    }
    assert_eq!(seen, (1..=head).rev().collect::<Vec<_>>());
    let (_, oldest) = listed(&admin, "sort=number&limit=2");
    assert_eq!((&oldest[0]["number"], &oldest[1]["number"]), (&json!(1), &json!(2)));
    let (_, skipped) = listed(&admin, "sort=number&skip=1&limit=1");
    assert_eq!(skipped[0]["number"], 2);
}

#[test]
fn only_administrators_read_audit_records() {
    let appliance = Appliance::start();
    let officer = appliance.member("officer", &["CCKM Admins", "User Admins"]);
    for path in [RECORDS.to_owned(), format!("{RECORDS}/1")] {
        appliance.nobody().get(&path).refused(401, "NCERRUnauthorized");
        officer.get(&path).refused(403, "NCERRInsufficientPermissions");
    }
    for number in ["0", "999999", "x", "-1"] {
        appliance.admin().get(&format!("{RECORDS}/{number}")).refused(404, "NCERRResourceNotFound");
    }
}

#[test]
fn a_single_record_shows_what_it_changed() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let newest = |query: &str| {
        let (_, records) = listed(admin, &format!("limit=1&{query}"));
        let number = records[0]["number"].as_u64().expect("a number");
        assert!(records[0].get("before").is_none());
        admin.get(&format!("{RECORDS}/{number}")).expect(200)
    };
    let kms = format!("/v1/cckm/aws/kms/{}", fixture.kms);
    admin.patch(&kms, json!({"regions": ["eu-west-1"]})).expect(200);
    let record = newest("resource=kms&event=RegionsReplaced");
    assert_eq!(record["before"], json!({"regions": ["eu-west-1", "eu-west-2"]}));
    assert_eq!(record["after"], json!({"regions": ["eu-west-1"]}));

    let key = fixture.create(json!({"Description": "one"}));
    fixture.change(&key, "update-description", json!({"description": "two"}));
    let record = newest("resource=key&event=OperationDone");
    assert_eq!((&record["before"], &record["after"]), (&json!({"description": "one"}), &json!({"description": "two"})));
    // A request that waits for AWS has changed nothing yet.
    assert!(newest("resource=key&event=OperationRequested").get("before").is_none());

    admin.post("/v1/usermgmt/groups", json!({"name": "team", "description": "one"})).expect(201);
    let record = newest("resource=group/team");
    assert_eq!((&record["before"], &record["after"]["description"]), (&json!({}), &json!("one")));
    admin.patch("/v1/usermgmt/groups/team", json!({"name": "crew"})).expect(200);
    let record = newest("event=Renamed");
    assert_eq!((&record["before"], &record["after"]), (&json!({"name": "team"}), &json!({"name": "crew"})));
    admin.delete("/v1/usermgmt/groups/crew").expect(204);
    let record = newest("resource=group/crew&event=Removed");
    assert_eq!((&record["before"]["description"], &record["after"]), (&json!("one"), &json!({})));

    let bob = user_id(&fixture.appliance.user("bob"));
    let patch = json!({"password": "Bob-has-2-secrets", "nickname": "bobby"});
    admin.patch(&format!("/v1/usermgmt/users/{bob}"), patch).expect(200);
    let record = newest("event=ProfileChanged");
    assert_eq!(record["after"], json!({"profile": {"nickname": "bobby"}}));
    let record = newest("event=PasswordChanged");
    assert!(record["after"]["password_set"].is_string() && !record.to_string().contains("argon2"), "{record}");
}
