//! The other kinds of reports: usage, ages, differences.

use super::{TRAIL, body, made, members, order, rows, source};
use crate::support::kms_fixture::{AWAY, HOME, KEYS, KmsFixture, aws_id, key_body};
use serde_json::{Value, json};

fn sorted(row: &Value) -> Vec<&str> {
    let mut members = members(row);
    members.sort_unstable();
    members
}

#[test]
fn usage_is_grouped_by_service_key_operation_and_principal() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "alias/used"}));
    let ann = "arn:aws:iam::123456789012:user/ann";
    let more = json!({"keys": [aws_id(&key)], "operations": ["Decrypt"], "principals": [ann],
        "services": ["s3.amazonaws.com"], "failures_percent": 20});
    order(&fixture, 2_000, more);
    let rows = rows(&fixture.admin, body("service-report"));
    let of = |service: &str| {
        let is_it = |row: &&Value| row["service"] == service && row["operation"] == "Decrypt";
        rows.iter().find(is_it).unwrap_or_else(|| panic!("{service}: {rows:#?}"))
    };
    let (s3, direct) = (of("s3.amazonaws.com"), of("direct"));
    let count = |row: &Value, member: &str| row[member].as_u64().expect("a count");
    assert_eq!(count(s3, "calls") + count(direct, "calls"), 2_000);
    let failures = count(s3, "failures") + count(direct, "failures");
    assert!((200..600).contains(&failures), "{failures}: `calls` counts failed ones too");
    assert_eq!((&direct["user_identity"], &direct["alias"]), (&json!(ann), &json!("alias/used")));
    assert!(direct["first_used"].as_str() < direct["last_used"].as_str());
    let expected = [
        "alias",
        "aws_account_id",
        "calls",
        "cloud_name",
        "failures",
        "first_used",
        "key_arn",
        "key_id",
        "last_used",
        "operation",
        "region",
        "service",
        "user_identity",
    ];
    assert_eq!(sorted(direct), expected);
}

#[test]
fn ages_come_from_the_state_with_the_user_who_made_the_key() {
    let fixture = KmsFixture::new();
    let ann = fixture.appliance.member("ann", &["CCKM Admins"]);
    let key = ann.post(KEYS, key_body(json!({"Alias": "alias/ann"}))).expect(201);
    let old = fixture.create(json!({}));
    fixture.change(&old, "schedule-deletion", json!({"days": 7}));
    let native = fixture.lab.kms(HOME, "CreateKey", &json!({}));
    let sync = json!({"kms": ["fixture"]});
    let job = crate::support::appliance::id(&fixture.admin.post("/v1/cckm/aws/synchronization-jobs", sync).expect(202));
    while fixture.admin.get(&format!("/v1/cckm/aws/synchronization-jobs/{job}")).expect(200)["overall_status"]
        == "in_progress"
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let body = json!({"name": "ages", "report_type": "key-aging", "cloud_watch_params": [{"kms": "fixture"}]});
    let rows = rows(&fixture.admin, body);
    let of = |id: &str| rows.iter().find(|row| row["key_id"] == id).unwrap_or_else(|| panic!("{id}: {rows:#?}"));
    let row = of(&aws_id(&key));
    assert_eq!((&row["owner"], &row["alias"], &row["age_days"]), (&json!("ann"), &json!("alias/ann"), &json!(0)));
    assert_eq!(
        (&row["key_state"], &row["days_left"], &row["origin"]),
        (&json!("Enabled"), &Value::Null, &json!("AWS_KMS"))
    );
    let ending = of(&aws_id(&old));
    assert_eq!((&ending["days_left"], &ending["owner"]), (&json!(7), &json!("admin")), "{ending}");
    assert_ne!(ending["deletion_date"], "");
    assert_eq!(of(native["KeyMetadata"]["KeyId"].as_str().expect("an id"))["owner"], "", "nobody here made it");
    let expected = [
        "age_days",
        "alias",
        "aws_account_id",
        "cloud_name",
        "creation_date",
        "custom_key_store_id",
        "days_left",
        "deletion_date",
        "key_arn",
        "key_id",
        "key_source",
        "key_state",
        "next_rotation",
        "origin",
        "owner",
        "region",
        "rotated_at",
        "rotation_status",
        "valid_to",
    ];
    assert_eq!(sorted(row), expected);
    assert_eq!(fixture.lab.calls("logs:FilterLogEvents"), 0, "it needs no log group");
}

/// A KMS of two regions has a log group in each.
fn body_of_both_regions(kind: &str) -> Value {
    let away = json!({"kms": "fixture", "log_group_region": AWAY, "log_group_name": TRAIL});
    let mut body = body(kind);
    body["cloud_watch_params"] = json!([source(), away]);
    body
}

#[test]
fn a_difference_is_one_row_however_many_log_groups_the_kms_has() {
    let fixture = KmsFixture::new();
    let keys = [HOME, AWAY].map(|region| {
        let key = fixture.create_at(KEYS, {
            let mut body = key_body(json!({}));
            body["region"] = json!(region);
            body
        });
        fixture.lab.kms(region, "DisableKey", &json!({"KeyId": aws_id(&key)}));
        key["aws_param"]["KeyID"].clone()
    });
    let native = fixture.lab.kms(AWAY, "CreateKey", &json!({}));
    let rows = rows(&fixture.admin, body_of_both_regions("reconciliation-report"));
    let mut found: Vec<_> = rows.iter().map(|row| (row["region"].to_string(), row["what"].to_string())).collect();
    found.sort();
    let expected = [(AWAY, "CreateKey"), (AWAY, "DisableKey"), (HOME, "DisableKey")];
    let mut expected = expected.map(|(region, what)| (json!(region).to_string(), json!(what).to_string()));
    expected.sort();
    assert_eq!(found, expected, "{rows:#?}");
    assert!(rows.iter().all(|row| row["kind"] == "only_in_aws" && row["user_identity"] != ""), "{rows:#?}");
    assert!(rows.iter().any(|row| row["key_arn"] == native["KeyMetadata"]["Arn"]), "{keys:?}");
}

/// Nothing can be said of such a key, which must not look like agreement.
#[test]
fn a_key_that_cannot_be_read_has_a_row_that_says_so() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "alias/closed"}));
    fixture.lab.kms(HOME, "DisableKey", &json!({"KeyId": aws_id(&key)}));
    let deny = json!({"service": "kms", "operation": "DescribeKey", "region": HOME, "answer": "deny", "times": 1_000});
    fixture.lab.set_faults(&json!([deny]));
    let closed = rows(&fixture.admin, body("reconciliation-report"));
    let row = closed.iter().find(|row| row["alias"] == "alias/closed").unwrap_or_else(|| panic!("{closed:#?}"));
    assert_eq!((&row["kind"], &row["what"], &row["here"]), (&json!("not_readable"), &json!("key"), &json!("Enabled")));
    assert!(row["in_aws"].as_str().is_some_and(|text| text.contains("AccessDenied")), "{row}");
    assert_eq!((&row["user_identity"], &row["region"]), (&json!(""), &json!(HOME)), "{row}");
    assert!(closed.iter().all(|row| row["kind"] == "not_readable"), "{closed:#?}");
    fixture.lab.set_faults(&json!([]));
    let open = rows(&fixture.admin, body("reconciliation-report"));
    assert_eq!((open.len(), &open[0]["what"]), (1, &json!("DisableKey")), "{open:#?}");
}

#[test]
fn a_failure_of_aws_in_a_comparison_keeps_the_rows_until_then() {
    let fixture = KmsFixture::new();
    let keys: Vec<Value> = (0..30).map(|_| fixture.create(json!({}))).collect();
    for key in &keys {
        fixture.lab.kms(HOME, "DisableKey", &json!({"KeyId": aws_id(key)}));
    }
    // The first fault matches until it is used up.
    let pause = json!({"service": "kms", "operation": "GetKeyPolicy", "times": 20, "delay_ms": 1});
    let internal = json!({"service": "kms", "operation": "GetKeyPolicy", "answer": "internal", "times": 1_000});
    fixture.lab.set_faults(&json!([pause, internal]));
    let report = made(&fixture.admin, body("reconciliation-report"));
    assert_eq!(report["overall_status"], "error", "{report}");
    let rows = report["progress"]["rows"].as_u64().expect("a count");
    assert!((1..30).contains(&rows), "{report}");
}

#[test]
fn differences_name_who_made_them_and_agreement_is_no_row() {
    let fixture = KmsFixture::new();
    let (same, changed) = (fixture.create(json!({})), fixture.create(json!({"Alias": "alias/changed"})));
    assert_eq!(rows(&fixture.admin, body("reconciliation-report")), [] as [Value; 0]);
    fixture.lab.kms(HOME, "DisableKey", &json!({"KeyId": aws_id(&changed)}));
    let native = fixture.lab.kms(HOME, "CreateKey", &json!({}));
    fixture.change(&same, "disable", json!({}));
    let rows = rows(&fixture.admin, body("reconciliation-report"));
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let of = |what: &str| rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("{what}: {rows:#?}"));
    let disabled = of("DisableKey");
    assert_eq!((&disabled["kind"], &disabled["alias"]), (&json!("only_in_aws"), &json!("alias/changed")));
    assert_eq!((&disabled["here"], &disabled["in_aws"]), (&json!("Enabled"), &json!("Disabled")));
    assert!(disabled["user_identity"].as_str().is_some_and(|arn| arn.contains(":user/")), "{disabled}");
    assert_ne!((&disabled["event_time"], &disabled["request_id"]), (&json!(""), &json!("")));
    let created = of("CreateKey");
    assert_eq!((&created["kind"], &created["here"]), (&json!("only_in_aws"), &json!("")));
    assert_eq!(created["key_arn"], native["KeyMetadata"]["Arn"]);
    let expected = [
        "alias",
        "aws_account_id",
        "cloud_name",
        "event_time",
        "here",
        "in_aws",
        "key_arn",
        "kind",
        "region",
        "request_id",
        "user_identity",
        "what",
    ];
    assert_eq!(sorted(disabled), expected);
}
