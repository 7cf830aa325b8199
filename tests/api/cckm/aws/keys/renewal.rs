//! Since when keys have their material, who renews it next, and when.

use crate::support::kms_fixture::{HOME, KEYS, KmsFixture, aws_id};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

/// The ids of the keys that a query finds.
pub(super) fn ids(fixture: &KmsFixture, query: &str) -> Vec<Value> {
    let list = fixture.admin.get(&format!("{KEYS}?limit=-1&{query}")).expect(200);
    list["resources"].as_array().expect("keys").iter().map(|key| key["id"].clone()).collect()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

fn schedule(fixture: &KmsFixture, name: &str, run_at: &str, params: Value) -> Value {
    let body = json!({"name": name, "operation": "cckm_key_rotation", "run_at": run_at,
        "cckm_key_rotation_params": params});
    fixture.admin.post("/v1/scheduler/job-configs", body).expect(201)
}

#[test]
fn keys_say_who_renews_their_material_and_when() {
    let fixture = KmsFixture::new();
    let (plain, by_aws, scheduled) = (fixture.create(json!({})), fixture.create(json!({})), fixture.create(json!({})));
    assert_eq!((&plain["rotated_by"], &plain["next_rotation_at"]), (&json!("none"), &Value::Null));
    assert_eq!(plain["material_since"], plain["aws_param"]["CreationDate"]);

    let by_aws = fixture.change(&by_aws, "enable-auto-rotation", json!({"rotation_period_in_days": 90}));
    assert_eq!(by_aws["rotated_by"], "aws");
    let next = by_aws["next_rotation_at"].as_str().expect("a time").to_owned();

    // It comes due before AWS's rotation, and is not forgotten when it is disabled.
    let yearly = schedule(&fixture, "hourly", "0 * * * *", json!({"cloud_name": "aws"}));
    let scheduled = fixture.change(&scheduled, "enable-rotation-job", json!({"job_config_id": yearly["id"]}));
    assert_eq!(scheduled["rotated_by"], "schedule");
    assert_eq!(scheduled["next_rotation_at"], yearly["next_run_at"]);

    assert_eq!(ids(&fixture, "rotated_by=none"), [plain["id"].clone()]);
    assert_eq!(ids(&fixture, "rotated_by=aws"), [by_aws["id"].clone()]);
    assert_eq!(ids(&fixture, "rotated_by=schedule&rotated_by=aws").len(), 2);
    let sorted = ids(&fixture, "sort=-next_rotation_at");
    assert_eq!(sorted, [by_aws["id"].clone(), scheduled["id"].clone(), plain["id"].clone()]);
    assert_eq!(ids(&fixture, &format!("next_rotation_at_before={next}")), [scheduled["id"].clone()]);
    assert_eq!(ids(&fixture, &format!("next_rotation_at_after={next}")), [by_aws["id"].clone()]);
    let path = format!("/v1/scheduler/job-configs/{}", id(&yearly));
    fixture.admin.patch(&path, json!({"disabled": true})).expect(200);
    assert_eq!(fixture.read(&scheduled)["rotated_by"], "none");
    for bad in ["rotated_by=me", "valid_to_before=soon", "material_since_after=2020"] {
        fixture.admin.get(&format!("{KEYS}?{bad}")).refused(400, "NCERRInvalidParamValue");
    }
}

#[test]
fn the_age_of_material_follows_its_rotations_here_and_at_aws() {
    let fixture = KmsFixture::new();
    let (ours, theirs, still) = (fixture.create(json!({})), fixture.create(json!({})), fixture.create(json!({})));
    let since = |key: &Value| {
        let shown = fixture.read(key)["material_since"].clone();
        shown.as_str().expect("a time").parse::<DateTime<Utc>>().expect("a time")
    };
    let before = since(&ours);
    fixture.change(&ours, "rotate-material", json!({}));
    assert!(since(&ours) > before);
    let before = since(&theirs);
    fixture.lab.kms(HOME, "RotateKeyOnDemand", &json!({"KeyId": aws_id(&theirs)}));
    assert_eq!(since(&theirs), before, "it was not read yet");
    fixture.change(&theirs, "refresh", json!({}));
    assert!(since(&theirs) > before);
    fixture.change(&still, "refresh", json!({}));
    assert_eq!(fixture.read(&still)["material_since"], still["material_since"]);
    assert_eq!(ids(&fixture, "sort=material_since")[0], still["id"]);
    let end = since(&ours).min(since(&theirs)).to_rfc3339_opts(SecondsFormat::AutoSi, true);
    assert_eq!(ids(&fixture, &format!("material_since_before={end}")), [still["id"].clone()]);
    assert_eq!(ids(&fixture, &format!("material_since_after={end}")).len(), 2);
}

#[test]
fn keys_are_found_by_the_end_of_their_material() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({"Origin": "EXTERNAL"}));
    fixture.create(json!({}));
    let end = (Utc::now() + Duration::days(20)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let key = fixture.change(&key, "import-material", json!({"key_expiration": true, "valid_to": end}));
    assert_eq!(key["valid_to"], end);
    assert_eq!(ids(&fixture, &format!("valid_to_after={end}")), [key["id"].clone()]);
    assert!(ids(&fixture, &format!("valid_to_before={end}")).is_empty());
    assert_eq!(ids(&fixture, "valid_to_before=2200-01-01T00:00:00Z"), [key["id"].clone()]);
    assert_eq!(ids(&fixture, "sort=-valid_to")[0], key["id"]);
}
