//! Forwarding of audit records.

mod checkpoints;
mod losses;
mod outputs;
mod syslogs;

use crate::support::client::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Reads again and again until something is as expected.
#[track_caller]
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not come about");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A metric of forwarding, of one kind of destination.
#[track_caller]
fn metric(admin: &Client, name: &str, kind: &str) -> f64 {
    let text = admin.get("/metrics").text;
    let begin = format!("claviger_forwarding_{name}{{kind=\"{kind}\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&begin)).unwrap_or_else(|| panic!("{name}: {text}"));
    value.parse().expect("a number")
}

/// The values of an attribute of the records in a request of OTLP.
fn attributes(body: &Value, key: &str) -> Vec<Value> {
    let records = body["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().expect("records");
    let of_record = |record: &Value| {
        let attributes = record["attributes"].as_array().expect("attributes");
        attributes.iter().find(|one| one["key"] == key).map(|one| one["value"].clone())
    };
    records.iter().filter_map(of_record).collect()
}

/// The numbers of the records in a request of OTLP.
fn numbers_in(body: &[u8]) -> Vec<u64> {
    let numbers = attributes(&serde_json::from_slice(body).expect("JSON"), "claviger.number");
    numbers.iter().map(|value| value["intValue"].as_str().expect("a text").parse().expect("a number")).collect()
}

/// The number of the last record.
fn head(admin: &Client) -> u64 {
    let newest = admin.get("/v1/audit/records?limit=1").expect(200);
    newest["resources"][0]["number"].as_u64().expect("a number")
}

/// Makes a change, which is one record.
fn group(admin: &Client, name: &str) {
    admin.post("/v1/usermgmt/groups", json!({"name": name})).expect(201);
}
