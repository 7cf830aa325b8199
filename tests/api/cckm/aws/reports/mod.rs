//! `/v1/cckm/aws/reports`: reports of keys and their use.

mod activity;
mod bad_input;
mod contents;
mod interruptions;
mod kinds;
mod rights;
mod service;
mod xks;

use crate::support::appliance::id;
use crate::support::client::Client;
use crate::support::kms_fixture::{HOME, KmsFixture};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const REPORTS: &str = "/v1/cckm/aws/reports";
const TRAIL: &str = "aws-cloudtrail-logs-123456789012";

/// The log group of the fixture's region.
fn source() -> Value {
    json!({"kms": "fixture", "log_group_region": HOME, "log_group_name": TRAIL})
}

/// A report of the last hour with the log group of the fixture's region.
fn body(kind: &str) -> Value {
    json!({"name": "daily", "report_type": kind, "start_time": ago(3_600), "cloud_watch_params": [source()]})
}

/// A time before now, in RFC 3339.
fn ago(seconds: i64) -> String {
    (Utc::now() - TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Creates a report and waits for its end.
#[track_caller]
fn made(client: &Client, body: Value) -> Value {
    let report = client.post(REPORTS, body).expect(202);
    assert_eq!(report["overall_status"], "in_progress");
    ended(client, &id(&report))
}

/// Waits until a report has ended.
#[track_caller]
fn ended(client: &Client, id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let report = client.get(&format!("{REPORTS}/{id}")).expect(200);
        if report["overall_status"] != "in_progress" {
            return report;
        }
        assert!(Instant::now() < deadline, "it goes on and on: {report}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The completed report of this body, and its rows.
#[track_caller]
fn rows(client: &Client, body: Value) -> Vec<Value> {
    let report = made(client, body);
    assert_eq!((&report["overall_status"], &report["error"]), (&json!("completed"), &json!("")), "{report}");
    all(client, &report, "limit=-1")
}

#[track_caller]
fn all(client: &Client, report: &Value, query: &str) -> Vec<Value> {
    let page = client.get(&format!("{REPORTS}/{}/contents?{query}", id(report))).expect(200);
    page["resources"].as_array().expect("rows").clone()
}

/// The members of a row, in order.
fn members(row: &Value) -> Vec<&str> {
    row.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Orders synthetic events in the trail of the fixture's region, spread over the last half hour.
fn order(fixture: &KmsFixture, count: u64, more: Value) {
    let mut order = json!({
        "account": "123456789012", "region": HOME, "count": count, "start": ago(1_800), "end": ago(60),
    });
    for (name, value) in more.as_object().expect("members") {
        order[name] = value.clone();
    }
    fixture.lab.order_events(&order);
}
