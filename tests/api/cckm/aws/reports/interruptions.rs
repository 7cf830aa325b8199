//! What interrupts a report: a killed program, throttling, refusals, a KMS that goes, a deletion.

use super::service::Service;
use super::{REPORTS, TRAIL, ago, all, body, ended, made, order, source};
use crate::support::appliance::id;
use crate::support::client::Client;
use crate::support::kms_fixture::{HOME, KEYS, KmsFixture, aws_id, key_body};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

/// Slows the pages of log events down.
fn slow(fixture: &KmsFixture, times: u32, delay_ms: u64) {
    let fault = json!({"service": "logs", "operation": "FilterLogEvents", "times": times, "delay_ms": delay_ms});
    fixture.lab.set_faults(&json!([fault]));
}

/// Waits until a report has read some pages.
fn until_pages(admin: &Client, id: &str, pages: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let report = admin.get(&format!("{REPORTS}/{id}")).expect(200);
        assert_eq!(report["overall_status"], "in_progress", "it ended early: {report}");
        if report["progress"]["pages"].as_u64().is_some_and(|read| read >= pages) {
            return;
        }
        assert!(Instant::now() < deadline, "no page was read: {report}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn error(report: &Value) -> String {
    assert_eq!(report["overall_status"], "error", "{report}");
    report["error"].as_str().expect("a text").to_owned()
}

#[test]
fn reports_continue_after_sigkill_and_have_each_event_once() {
    let fixture = KmsFixture::new();
    let mut service = Service::start(&fixture.appliance.cloud, HOME);
    let key = service.admin.post(KEYS, key_body(json!({}))).expect(201);
    order(&fixture, 8_000, json!({"keys": [aws_id(&key)], "operations": ["Decrypt"]}));
    slow(&fixture, 1_000, 150);
    let start = |kind| id(&service.admin.post(REPORTS, body(kind)).expect(202));
    let (report, usage, differences) = (start("key-report"), start("service-report"), start("reconciliation-report"));
    for what in ["contents", "download"] {
        service.admin.get(&format!("{REPORTS}/{report}/{what}")).refused(409, "NCERRConflict");
    }
    until_pages(&service.admin, &report, 2);
    service.kill();
    fixture.lab.set_faults(&json!([]));
    service.restart();
    let admin = &service.admin;
    let report = ended(admin, &report);
    assert_eq!(report["overall_status"], "completed", "{report}");
    let rows = all(admin, &report, "limit=-1");
    let ids: BTreeSet<_> = rows.iter().map(|row| row["event_id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), rows.len(), "no event is there twice");
    assert_eq!(rows.iter().filter(|row| row["event_name"] == "Decrypt").count(), 8_000, "and none is missing");
    let created = rows.iter().find(|row| row["event_name"] == "CreateKey").expect("it is in the trail");
    assert_eq!((&created["origin"], &created["manager_user"]), (&json!("cckm"), &json!("admin")));
    let usage = ended(admin, &usage);
    assert_eq!(usage["overall_status"], "completed", "{usage}");
    let rows = all(admin, &usage, "limit=-1");
    let decrypts = rows.iter().filter(|row| row["operation"] == "Decrypt");
    assert_eq!(decrypts.filter_map(|row| row["calls"].as_u64()).sum::<u64>(), 8_000);
    assert_eq!(ended(admin, &differences)["overall_status"], "completed");
    assert_eq!(std::fs::read_dir(service.data().join("reports")).expect("a directory").count(), 3);
}

#[test]
fn a_refusal_of_aws_ends_a_report_with_its_code_and_the_rows_until_then() {
    let fixture = KmsFixture::new();
    let key = aws_id(&fixture.create(json!({})));
    order(&fixture, 4_000, json!({"keys": [key], "operations": ["Decrypt"]}));
    let fault = |answer: &str, times: u32| json!({"service": "logs", "operation": "FilterLogEvents", "answer": answer, "times": times});
    // The first fault matches until it is used up.
    let pause = json!({"service": "logs", "operation": "FilterLogEvents", "times": 2, "delay_ms": 1});
    fixture.lab.set_faults(&json!([pause, fault("deny", 1)]));
    let report = made(&fixture.admin, body("key-report"));
    assert!(error(&report).contains("AccessDenied"), "{report}");
    assert!(report["progress"]["rows"].as_u64().is_some_and(|rows| rows > 0), "{report}");
    let rows = all(&fixture.admin, &report, "limit=-1");
    assert_eq!(json!(rows.len()), report["progress"]["rows"]);
    let absent = json!({"kms": "fixture", "log_group_region": HOME, "log_group_name": "none"});
    for kind in ["key-report", "service-report", "reconciliation-report"] {
        let report = made(&fixture.admin, json!({"name": "r", "report_type": kind, "cloud_watch_params": [absent]}));
        assert!(error(&report).contains("ResourceNotFoundException"), "{report}");
        assert_eq!(all(&fixture.admin, &report, ""), [] as [Value; 0]);
    }
}

#[test]
fn throttling_delays_a_report_and_sessions_that_expire_are_renewed() {
    let fixture = KmsFixture::new();
    let role = json!({"name": "assumed", "regions": [HOME], "account_id": "789012123456",
        "connection": "test_aws-connection", "assume_role_arn": "arn:aws:iam::789012123456:role/test-assume-role-ac",
        "assume_role_external_id": "test-ext-id"});
    fixture.admin.post("/v1/cckm/aws/kms", role).expect(201);
    let throttle = json!({"service": "logs", "operation": "FilterLogEvents", "answer": "throttle", "times": 8});
    fixture.lab.set_faults(&json!([throttle]));
    let params =
        json!({"kms": "assumed", "log_group_region": HOME, "log_group_name": "aws-cloudtrail-logs-789012123456"});
    let body = json!({"name": "r", "start_time": ago(600), "cloud_watch_params": [params]});
    let report = made(&fixture.admin, body.clone());
    assert_eq!(report["overall_status"], "completed", "{report}");
    fixture.lab.end_sessions();
    let report = made(&fixture.admin, body);
    assert_eq!(report["overall_status"], "completed", "{report}");
}

#[test]
fn a_kms_that_goes_ends_its_reports() {
    let fixture = KmsFixture::new();
    let other = fixture.appliance.kms("other", &["us-east-1"]);
    slow(&fixture, 100, 200);
    let params = json!([
        source(),
        {"kms": "other", "log_group_region": "us-east-1", "log_group_name": TRAIL},
    ]);
    let body = json!({"name": "r", "start_time": ago(600), "cloud_watch_params": params});
    let report = id(&fixture.admin.post(REPORTS, body).expect(202));
    fixture.admin.delete(&format!("/v1/cckm/aws/kms/{other}")).expect(204);
    let report = ended(&fixture.admin, &report);
    assert!(error(&report).contains(&other), "{report}");
}

#[test]
fn a_report_that_is_being_made_can_be_deleted() {
    let fixture = KmsFixture::new();
    let key = aws_id(&fixture.create(json!({})));
    order(&fixture, 8_000, json!({"keys": [key]}));
    slow(&fixture, 1_000, 200);
    let report = id(&fixture.admin.post(REPORTS, body("key-report")).expect(202));
    until_pages(&fixture.admin, &report, 1);
    fixture.admin.delete(&format!("{REPORTS}/{report}")).expect(204);
    fixture.admin.get(&format!("{REPORTS}/{report}")).refused(404, "NCERRResourceNotFound");
    let before = fixture.lab.calls("logs:FilterLogEvents");
    thread::sleep(Duration::from_millis(1_000));
    let after = fixture.lab.calls("logs:FilterLogEvents");
    assert!(after <= before + 1, "it goes on: {before} {after}");
    assert_eq!(std::fs::read_dir(fixture.appliance.data().join("reports")).expect("a directory").count(), 0);
}

/// The log is on the same disk, and stops for good when the disk is full.
#[test]
fn a_report_ends_before_it_uses_the_reserve_of_the_disk_and_changes_go_on() {
    let fixture = KmsFixture::with(&[("CLAVIGER_REPORTS_RESERVE_MIB", "16777216")]);
    let key = fixture.create(json!({}));
    for kind in ["key-report", "service-report", "reconciliation-report", "key-aging"] {
        let report = made(&fixture.admin, body(kind));
        assert!(error(&report).contains("less free space than the settings reserve"), "{report}");
        assert_eq!(report["progress"]["rows"], 0, "{report}");
        assert_eq!(all(&fixture.admin, &report, ""), [] as [Value; 0]);
    }
    fixture.change(&key, "disable", json!({}));
}

#[test]
fn a_report_that_takes_too_long_or_is_too_large_ends() {
    let mut fixture = KmsFixture::with(&[("CLAVIGER_REPORTS_REPORT_MIB", "1"), ("CLAVIGER_REPORTS_MAX_REPORTS", "2")]);
    let key = aws_id(&fixture.create(json!({})));
    let events = json!({"keys": [key], "operations": ["Decrypt"]});
    order(&fixture, 6_000, events);
    let report = made(&fixture.admin, body("key-report"));
    assert!(error(&report).contains("more than 1048576 bytes"), "{report}");
    let rows = all(&fixture.admin, &report, "limit=-1");
    assert!(!rows.is_empty() && rows.len() < 6_000, "{}", rows.len());
    let own = json!({"name": "r", "cloud_watch_params": [{"kms": "fixture"}]});
    made(&fixture.admin, own.clone());
    let message = fixture.admin.post(REPORTS, own.clone()).refused(409, "NCERRConflict");
    assert!(message.contains('2'), "{message}");
    fixture.admin.delete(&format!("{REPORTS}/{}", id(&report))).expect(204);
    fixture.admin.post(REPORTS, own).expect(202);
    fixture.appliance.terminate();
    fixture.restart();
    assert_eq!(fixture.admin.get(REPORTS).expect(200)["total"], 2);
}
