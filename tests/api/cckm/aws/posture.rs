//! `/v1/cckm/aws/posture`: how the keys stand, and when AWS last saw them in use.

use super::synchronization_jobs::{end_of_job, permit};
use crate::support::appliance::{id, program, run_to_end};
use crate::support::client::Client;
use crate::support::kms_fixture::{ACCOUNT, HOME, KmsFixture, aws_id};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

const POSTURE: &str = "/v1/cckm/aws/posture";
const JOBS: &str = "/v1/cckm/aws/synchronization-jobs";
const OTHER: &str = "789012123456";

/// A policy with the account's root, and this statement.
fn policy(statement: Value) -> Value {
    let root = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "kms:*", "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [root, statement]})
}

fn allow(sid: &str, principal: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"})
}

/// The number of keys of a rule.
fn of_rule(posture: &Value, rule: &str) -> u64 {
    let findings = posture["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["rule"] == rule);
    found.unwrap_or_else(|| panic!("{rule}"))["keys"].as_u64().expect("a number")
}

/// The ids and details of the keys of a rule.
fn found(client: &Client, rule: &str) -> Vec<(String, String)> {
    let list = client.get(&format!("{POSTURE}/findings/{rule}?limit=-1")).expect(200);
    let rows = list["resources"].as_array().expect("rows").iter();
    let row = |row: &Value| (id(row), row["detail"].as_str().expect("a detail").to_owned());
    rows.map(row).collect()
}

/// Synchronises the home region and returns the job.
fn synchronise(fixture: &KmsFixture) -> Value {
    let job = fixture.admin.post(JOBS, json!({"kms": ["fixture"], "regions": [HOME]})).expect(202);
    end_of_job(&fixture.admin, &format!("{JOBS}/{}", id(&job)))
}

#[test]
fn the_keys_with_any_finding_are_listed_with_all_their_rules() {
    let fixture = KmsFixture::new();
    let open = fixture.create(json!({"Policy": policy(allow("Open", &json!("*")))}));
    let covered = fixture.create(json!({}));
    fixture.change(&covered, "enable-auto-rotation", json!({}));
    let list = fixture.admin.get(&format!("{POSTURE}/findings/any")).expect(200);
    assert_eq!((&list["total"], &list["resources"][0]["id"]), (&json!(1), &json!(id(&open))), "{list}");
    let row = &list["resources"][0];
    assert_eq!(row["rules"], json!(["policy_everyone", "no_rotation", "no_schedule"]));
    assert_eq!(
        (&row["severity"], fixture.admin.get(POSTURE).expect(200)["keys_with_findings"].as_u64()),
        (&json!("critical"), Some(1))
    );
    let one = fixture.admin.get(&format!("{POSTURE}/findings/no_schedule")).expect(200);
    assert_eq!(
        (&one["resources"][0]["rules"], &one["resources"][0]["severity"]),
        (&json!(["no_schedule"]), &json!("low"))
    );
}

#[test]
fn findings_name_their_rule_their_keys_and_what_to_do() {
    let fixture = KmsFixture::new();
    let (admin, lab) = (&fixture.admin, &fixture.lab);
    let plain = fixture.create(json!({}));
    let rotated = fixture.create(json!({}));
    fixture.change(&rotated, "enable-auto-rotation", json!({}));
    let signing = fixture.create(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}));
    let waiting = fixture.create(json!({"Origin": "EXTERNAL"}));
    let source = fixture.create_source_key(json!({"name": "source", "algorithm": "aes", "size": 256}));
    let end = (Utc::now() + TimeDelta::days(20)).to_rfc3339();
    let expiring = fixture.create_at(
        "/v1/cckm/aws/upload-key",
        json!({"kms": "fixture", "region": HOME, "source_key_identifier": source["id"], "key_expiration": true,
            "aws_param": {"ValidTo": end}}),
    );
    let ending = fixture.create(json!({}));
    fixture.change(&ending, "schedule-deletion", json!({"days": 7}));
    let with = |statement| fixture.create(json!({"Policy": policy(statement)}));
    let open = with(allow("Open", &json!({"AWS": "*"})));
    let mut narrowed = allow("Narrow", &json!({"AWS": "*"}));
    narrowed["Condition"] = json!({"StringEquals": {"kms:CallerAccount": ACCOUNT}});
    let narrowed = with(narrowed);
    let abroad = with(allow("Abroad", &json!({"AWS": format!("arn:aws:iam::{OTHER}:role/test-assume-role-ac")})));
    let role = format!("arn:aws:iam::{ACCOUNT}:role/test-own-role");
    let left = with(allow("Left", &json!({"AWS": role})));
    let gone_id = lab.delete_principal(&role);
    let mut member = allow("Member", &json!({"AWS": "*"}));
    member["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}});
    let member = with(member);
    let mut elsewhere = allow("Elsewhere", &json!({"AWS": "*"}));
    elsewhere["Resource"] = json!(format!("arn:aws:kms:{HOME}:{ACCOUNT}:key/another"));
    let elsewhere = with(elsewhere);
    let disabled = fixture.create(json!({}));
    fixture.change(&disabled, "disable", json!({}));
    synchronise(&fixture);

    let posture = admin.get(&format!("{POSTURE}?kms=fixture")).expect(200);
    assert_eq!(posture["kms"][0]["kms"], "fixture");
    assert_eq!(posture["kms"][0]["keys"], posture["keys"]);
    let customer = 13;
    let managed = fixture.total("keymanager=AWS&limit=1");
    assert_eq!(posture["keys"], customer + managed);
    assert_eq!(posture["by_region"], json!({ HOME: customer + managed }));
    assert_eq!((&posture["by_state"]["PendingImport"], &posture["by_origin"]["EXTERNAL"]), (&json!(1), &json!(2)));
    assert_eq!((&posture["by_spec"]["ECC_NIST_P256"], &posture["gone"]), (&json!(1), &json!(0)));
    assert_eq!(posture["by_age"][0], json!({"from_days": 0, "below_days": 30, "keys": customer + managed}));
    assert_eq!(posture["last_use_known"], customer);
    let first = &posture["findings"][0];
    assert_eq!((&first["rule"], &first["severity"]), (&json!("policy_everyone"), &json!("critical")));
    for finding in posture["findings"].as_array().expect("findings") {
        assert!(["title", "remedy"].iter().all(|member| finding[*member].as_str().is_some_and(|text| text.len() > 9)));
    }
    let unused = posture["findings"].as_array().and_then(|all| all.iter().find(|one| one["rule"] == "unused_90_days"));
    assert!(unused.expect("the rule")["remedy"].as_str().expect("a text").contains("no sufficient reason to delete"));
    assert_eq!(of_rule(&posture, "unused_90_days"), 0, "AWS has just begun to record");

    for (rule, keys, detail) in [
        ("policy_everyone", vec![&open], "Open"),
        ("policy_other_accounts", vec![&abroad], OTHER),
        ("policy_by_condition", vec![&member], "the caller's organization is o-a1b2c3d4e5"),
        ("policy_deleted_principals", vec![&left], gone_id.as_str()),
        ("policy_not_understood", vec![], ""),
        ("material_expiring", vec![&expiring], "the material expires on"),
        ("material_missing", vec![&waiting], "material"),
        ("pending_deletion", vec![&ending], "AWS deletes the key on"),
        ("no_rotation", vec![&plain, &open, &narrowed, &abroad, &left, &member, &elsewhere], "no schedule"),
        (
            "no_schedule",
            vec![
                &plain, &signing, &waiting, &expiring, &open, &narrowed, &abroad, &left, &member, &elsewhere, &disabled,
            ],
            "no schedule rotates the key",
        ),
    ] {
        let found = found(admin, rule);
        let ids: Vec<String> = found.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(ids, keys.into_iter().map(id).collect::<Vec<_>>(), "{rule}");
        assert_eq!(of_rule(&posture, rule), found.len() as u64, "{rule}");
        assert!(found.iter().all(|(_, text)| text.contains(detail)), "{rule}: {found:?}");
    }
    assert_eq!(posture["keys_with_findings"], customer - 1, "only one key is rotated");
    let page =
        admin.get(&format!("{POSTURE}/findings/no_schedule?skip=1&limit=2&region={HOME}&kms=fixture")).expect(200);
    assert_eq!((&page["total"], &page["resources"][0]["id"]), (&json!(11), &signing["id"]));
    assert_eq!(page["resources"].as_array().map(Vec::len), Some(2));
    assert_eq!(page["resources"][0]["key_spec"], "ECC_NIST_P256");
    assert_eq!(admin.get(&format!("{POSTURE}/findings/no_schedule?region=eu-west-2")).expect(200)["total"], 0);
}

#[test]
fn a_reader_gets_the_posture_of_the_keys_that_the_reader_may_view() {
    let mut fixture = KmsFixture::new();
    fixture.create(json!({}));
    let waiting = fixture.create(json!({"Origin": "EXTERNAL"}));
    let other = fixture.appliance.kms("other", &["us-east-1"]);
    let ann = fixture.appliance.user("ann");
    let nothing = ann.get(POSTURE).expect(200);
    assert_eq!((&nothing["keys"], &nothing["kms"]), (&json!(0), &json!([])));
    ann.get(&format!("{POSTURE}?kms=fixture")).refused(404, "NCERRResourceNotFound");
    ann.get(&format!("{POSTURE}/findings/no_schedule?kms=fixture")).refused(404, "NCERRResourceNotFound");

    permit(&fixture.admin, &fixture.kms, &ann, &["viewbyok"]);
    let posture = ann.get(POSTURE).expect(200);
    assert_eq!((&posture["keys"], &posture["by_origin"]), (&json!(1), &json!({"EXTERNAL": 1})));
    assert_eq!(posture["kms"].as_array().map(Vec::len), Some(1));
    assert_eq!(found(&ann, "no_schedule").into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [id(&waiting)]);
    ann.get(&format!("{POSTURE}?kms={other}")).refused(404, "NCERRResourceNotFound");

    // The trend is counted at a start, once a day, and shown to who sees the whole KMS.
    assert_eq!(fixture.admin.get(POSTURE).expect(200)["trend"], json!([]));
    for _ in 0..2 {
        fixture.appliance.terminate();
        fixture.restart();
        let day = trend_day(&fixture.admin);
        assert_eq!((&day["keys"], &day["keys_with_findings"]), (&json!(2), &json!(2)));
        assert_eq!(day["findings"], json!({"no_rotation": 1, "no_schedule": 2, "material_missing": 1}));
        assert_eq!(day["day"], Utc::now().format("%Y-%m-%d").to_string());
    }
    let counted = fixture.appliance.log().matches("could not be counted").count();
    let events = run_to_end(program().args(["events", "--stream", "posture", "--data"]).arg(fixture.appliance.data()));
    assert_eq!((counted, events.0, events.1.lines().count()), (0, Some(0), 1), "{}", events.2);
    let ann = fixture.appliance.user("bob");
    permit(&fixture.admin, &fixture.kms, &ann, &["viewbyok"]);
    let posture = ann.get(POSTURE).expect(200);
    assert_eq!((posture["kms"][0].get("trend"), &posture["trend"]), (None, &json!([])));
    permit(&fixture.admin, &fixture.kms, &ann, &["viewnative", "viewhyokkey", "viewcloudhsmkey"]);
    let posture = ann.get(POSTURE).expect(200);
    assert_eq!(posture["kms"][0]["trend"][0]["keys"], 2);
}

/// The only day of the trend, once it is counted.
fn trend_day(admin: &Client) -> Value {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let posture = admin.get(POSTURE).expect(200);
        if let [day] = posture["trend"].as_array().expect("a trend").as_slice() {
            return day.clone();
        }
        assert!(std::time::Instant::now() < deadline, "{posture}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_bad_query_for_the_posture_is_refused() {
    let fixture = KmsFixture::new();
    let refused = |path: &str| fixture.admin.get(path).refused(400, "NCERRInvalidParamValue");
    assert!(refused(&format!("{POSTURE}?kmz=fixture")).contains("kmz"));
    assert!(refused(&format!("{POSTURE}/findings/tidiness")).contains("policy_everyone"));
    refused(&format!("{POSTURE}/findings/no_schedule?limit=0"));
    refused(&format!("{POSTURE}/findings/no_schedule?severity=low"));
    fixture.admin.get(&format!("{POSTURE}?kms=nothing")).refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_synchronisation_reads_the_last_use_and_records_it_once() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    assert_eq!(key.get("usage_tracked_since"), None, "it is not known before it was read");
    synchronise(&fixture);
    let unused = fixture.read(&key);
    assert!(unused["usage_tracked_since"].is_string() && unused.get("last_used_at").is_none(), "{unused}");
    assert_eq!(unused["updatedAt"], key["updatedAt"], "to be used is no change");

    let encrypt = || {
        let body = json!({"KeyId": aws_id(&key), "Plaintext": "AAAA"});
        fixture.lab.kms(HOME, "Encrypt", &body);
    };
    encrypt();
    let job = synchronise(&fixture);
    let progress = &job["progress"][format!("{ACCOUNT}/{HOME}")];
    assert_eq!((&progress["updated"], &progress["errors"]), (&json!(0), &json!(0)), "{job}");
    let used = fixture.read(&key);
    assert_eq!(used["last_used_operation"], "Encrypt");
    assert!(used["last_used_at"].is_string() && used["last_used_event_id"].is_string(), "{used}");
    // A further use within a week adds nothing to the log.
    let before = fixture.events("key/").len();
    encrypt();
    synchronise(&fixture);
    assert_eq!(
        (fixture.events("key/").len(), fixture.read(&key)["last_used_at"].clone()),
        (before, used["last_used_at"].clone())
    );
}

#[test]
fn a_denied_last_use_fails_no_synchronisation_and_is_said_once() {
    let fixture = KmsFixture::new();
    let keys: Vec<Value> = (0..3).map(|_| fixture.create(json!({}))).collect();
    let denied = json!([{"service": "kms", "operation": "GetKeyLastUsage", "times": 1000, "answer": "deny"}]);
    fixture.lab.set_faults(&denied);
    let job = synchronise(&fixture);
    assert_eq!(job["overall_status"], "completed", "{job}");
    let region = format!("{ACCOUNT}/{HOME}");
    assert_eq!(job["detailed_status"][&region], "region synchronized successfully");
    let reason = job["progress"][&region]["last_use_error"].as_str().expect("a text").to_owned();
    assert!(reason.contains("the last use of 3 of its keys is not known"), "{reason}");
    assert_eq!(reason.matches("AccessDenied").count(), 1, "{reason}");
    for key in &keys {
        assert_eq!(fixture.read(key).get("usage_tracked_since"), None);
    }
    let posture = fixture.admin.get(POSTURE).expect(200);
    assert_eq!((of_rule(&posture, "unused_90_days"), &posture["last_use_known"]), (0, &json!(0)));
    // A single key is read all the same.
    let refreshed = fixture.post(&keys[0], "refresh", json!({})).expect(200);
    assert_eq!(refreshed.get("usage_tracked_since"), None);
    fixture.lab.set_faults(&json!([]));
    let refreshed = fixture.post(&keys[0], "refresh", json!({})).expect(200);
    assert!(refreshed["usage_tracked_since"].is_string(), "{refreshed}");
}
