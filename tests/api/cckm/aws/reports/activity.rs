//! The report of key activity: whose events are whose, with and without a log group.

use super::{ago, body, made, members, order, rows};
use crate::support::appliance::id;
use crate::support::kms_fixture::{HOME, KmsFixture, aws_id};
use serde_json::{Value, json};

fn named<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["event_name"] == name).collect()
}

/// Changes of ours are known by their request ids, also after the program was killed. Those of others are not.
#[test]
fn our_calls_are_told_from_those_of_others_also_after_sigkill() {
    let mut fixture = KmsFixture::new();
    let key = fixture.create(json!({"Alias": "alias/ours"}));
    fixture.change(&key, "disable", json!({}));
    let plaintext = json!({"KeyId": aws_id(&key), "Plaintext": "aGVsbG8="});
    assert_eq!(fixture.lab.try_kms(HOME, "Encrypt", &plaintext).0, 400, "the key is disabled");
    fixture.lab.kms(HOME, "EnableKey", &json!({"KeyId": aws_id(&key)}));
    // The lab writes the events of its CloudTrail to the disk twice a second.
    std::thread::sleep(std::time::Duration::from_secs(2));
    fixture.appliance.kill();
    fixture.restart();
    let rows = rows(&fixture.admin, body("key-report"));
    let [ours] = named(&rows, "DisableKey")[..] else { panic!("{rows:#?}") };
    assert_eq!((&ours["origin"], &ours["manager_user"]), (&json!("cckm"), &json!("admin")), "{ours}");
    assert_eq!((&ours["key_id"], &ours["alias"]), (&json!(aws_id(&key)), &json!("alias/ours")));
    assert_eq!((&ours["read_only"], &ours["error_code"], &ours["region"]), (&json!(false), &json!(""), &json!(HOME)));
    let [theirs] = named(&rows, "EnableKey")[..] else { panic!("{rows:#?}") };
    assert_eq!((&theirs["origin"], &theirs["manager_user"]), (&json!("native"), &json!("")), "{theirs}");
    assert_eq!(theirs["user_type"], "IAMUser");
    let [failed] = named(&rows, "Encrypt")[..] else { panic!("{rows:#?}") };
    assert_eq!((&failed["error_code"], &failed["origin"]), (&json!("DisabledException"), &json!("native")), "{failed}");
    let reads = rows.iter().filter(|row| row["event_name"] == "DescribeKey");
    assert!(reads.clone().count() > 0 && reads.into_iter().all(|row| row["origin"] == "cckm"));
    let expected = [
        "event_time",
        "event_name",
        "origin",
        "key_arn",
        "key_id",
        "alias",
        "aws_account_id",
        "region",
        "cloud_name",
        "user_type",
        "user_identity",
        "manager_user",
        "source_ip",
        "user_agent",
        "invoked_by",
        "error_code",
        "error_message",
        "read_only",
        "request_id",
        "event_id",
        "custom_key_store_id",
        "xks_key_id",
        "xks_result",
    ];
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let mut shown = members(ours);
    shown.sort_unstable();
    assert_eq!(shown, expected);
}

/// Reads that a user asks for are the user's, also those that are no operation on a key.
#[test]
fn a_read_names_the_user_who_asked_for_it() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let ann = fixture.appliance.member("ann", &["CCKM Admins"]);
    ann.get(&format!("/v1/cckm/aws/keys/{}/grants", id(&key))).expect(200);
    ann.post(&format!("/v1/cckm/aws/keys/{}/refresh", id(&key)), json!({})).expect(200);
    let rows = rows(&fixture.admin, body("key-report"));
    let asked = |name| {
        let users = named(&rows, name).into_iter().map(|row| row["manager_user"].as_str().expect("a name"));
        users.collect::<std::collections::BTreeSet<_>>()
    };
    assert!(asked("ListGrants").contains("ann"), "{rows:#?}");
    assert!(asked("DescribeKey").contains("ann"), "{rows:#?}");
    assert!(rows.iter().all(|row| row["origin"] == "cckm"), "{rows:#?}");
}

#[test]
fn without_a_log_group_a_report_has_our_own_operations() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    fixture.change(&key, "disable", json!({}));
    fixture.lab.kms(HOME, "EnableKey", &json!({"KeyId": aws_id(&key)}));
    let rows = rows(&fixture.admin, json!({"name": "own", "cloud_watch_params": [{"kms": fixture.kms}]}));
    let names: Vec<_> = rows.iter().map(|row| row["event_name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["CreateKey", "DisableKey"], "{rows:#?}");
    assert!(rows.iter().all(|row| row["origin"] == "cckm" && row["manager_user"] == "admin"), "{rows:#?}");
    assert!(rows.iter().all(|row| row["key_id"] == aws_id(&key)));
    assert_eq!(fixture.lab.calls("logs:FilterLogEvents"), 0);
}

#[test]
fn only_the_window_and_the_regions_of_the_kms_are_reported_and_an_event_counts_once() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    order(&fixture, 200, json!({"keys": [aws_id(&key)], "operations": ["Decrypt"]}));
    // A key of another account in the same trail.
    let foreign = "arn:aws:kms:eu-west-1:789012123456:key/0987dcba-09fe-87dc-65ba-ab0987654321";
    order(&fixture, 50, json!({"keys": [foreign], "operations": ["Encrypt"]}));
    let decrypts = |rows: &[Value]| named(rows, "Decrypt").len();
    let all = rows(&fixture.admin, body("key-report"));
    assert_eq!((decrypts(&all), named(&all, "Encrypt").len()), (200, 0));
    let mut ids: Vec<_> = all.iter().map(|row| row["event_id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
    let mut half = body("key-report");
    half["end_time"] = json!(ago(930));
    let part = decrypts(&rows(&fixture.admin, half));
    assert!((80..=120).contains(&part), "{part}");
    let mut twice = body("key-report");
    twice["cloud_watch_params"] = json!([super::source(), super::source()]);
    assert_eq!(decrypts(&rows(&fixture.admin, twice)), 200, "a source that is named twice is read once");
}

#[test]
fn short_and_empty_pages_are_read_to_the_last_one() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    order(&fixture, 3_000, json!({"keys": [aws_id(&key)], "operations": ["Decrypt"]}));
    let fault =
        |answer, times| json!({"service": "logs", "operation": "FilterLogEvents", "answer": answer, "times": times});
    fixture.lab.set_faults(&json!([fault("empty_page", 3), fault("short_page", 4), fault("throttle", 6)]));
    let report = made(&fixture.admin, body("key-report"));
    assert_eq!(report["overall_status"], "completed", "{report}");
    assert!(report["progress"]["pages"].as_u64().is_some_and(|pages| pages >= 9), "{report}");
    let page = fixture.admin.get(&format!("{}/{}/contents?limit=1", super::REPORTS, id(&report))).expect(200);
    assert!(page["total"].as_u64().is_some_and(|total| total >= 3_000), "{page}");
}
