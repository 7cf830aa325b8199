//! The destinations of the settings: a file, and an OpenTelemetry collector; and the metrics of all.

use super::{group, head, metric, numbers_in, until};
use crate::support::appliance::Appliance;
use crate::support::receiver::Receiver;
use crate::support::syslog_receiver::{Over, SyslogReceiver};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The records in a file and in the full ones before it, oldest first.
fn records(directory: &Path) -> Vec<Value> {
    let mut texts = Vec::new();
    for number in 0.. {
        let name = if number == 0 { "audit.jsonl".to_owned() } else { format!("audit.jsonl.{number}") };
        match std::fs::read_to_string(directory.join(name)) {
            Ok(text) => texts.push(text),
            Err(_) => break,
        }
    }
    let lines = texts.iter().rev().flat_map(|text| text.lines());
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn has_all(records: &[Value], last: u64) -> bool {
    let numbers: BTreeSet<u64> = records.iter().filter_map(|record| record["number"].as_u64()).collect();
    numbers.len() as u64 == last && numbers.contains(&1) && numbers.contains(&last)
}

#[test]
fn a_file_has_every_record_over_rotations_and_restarts() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("audit.jsonl");
    let settings = [
        ("CLAVIGER_FORWARDING_FILE", path.to_str().expect("a path")),
        ("CLAVIGER_FORWARDING_MAX_MIB", "1"),
        ("CLAVIGER_FORWARDING_KEEP", "100"),
    ];
    let mut appliance = Appliance::start_with(&settings);
    let metadata = json!({"a": "x".repeat(16_000)});
    for round in 0..3 {
        let admin = appliance.admin();
        for number in 0..60 {
            let body = json!({"name": format!("group {round} {number}"), "client_metadata": metadata});
            admin.post("/v1/usermgmt/groups", body).expect(201);
        }
        appliance.kill();
        appliance.restart_with(&settings);
    }
    let admin = appliance.admin();
    let last = head(&admin);
    let found = until(|| Some(records(directory.path())).filter(|records| has_all(records, last)));
    let shown = admin.get(&format!("/v1/audit/records/{last}")).expect(200);
    assert_eq!(found.iter().rfind(|record| record["number"] == last), Some(&shown), "as the API shows it");
    assert!(found.len() as u64 >= last, "from the first record on");
    let sizes: Vec<u64> = std::fs::read_dir(directory.path())
        .expect("files")
        .map(|file| file.and_then(|file| file.metadata()).expect("a file").len())
        .collect();
    assert!(sizes.len() >= 3 && sizes.iter().all(|size| *size <= 1024 * 1024), "{sizes:?}");
}

#[test]
fn a_collector_gets_every_record_over_failures_and_restarts() {
    let directory = tempfile::tempdir().expect("a directory");
    let headers = directory.path().join("headers");
    std::fs::write(&headers, "Authorization: Bearer collector-s3cret\n").expect("written");
    let receiver = Receiver::start();
    let settings = [
        ("CLAVIGER_FORWARDING_OTLP_URL", receiver.url()),
        ("CLAVIGER_FORWARDING_OTLP_HEADERS_FILE", headers.display().to_string()),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    receiver.answer_with(503);
    let mut appliance = Appliance::start_with(&settings);
    group(&appliance.admin(), "first");
    receiver.wait_for(2);
    let refused = receiver.received().len();
    receiver.answer_with(200);
    receiver.wait_for(refused + 1);
    for round in 0..2 {
        group(&appliance.admin(), &format!("round {round}"));
        appliance.kill();
        appliance.restart_with(&settings);
    }
    let last = head(&appliance.admin());
    let numbers = || -> BTreeSet<u64> {
        let bodies = receiver.received().into_iter().skip(refused);
        bodies.flat_map(|one| numbers_in(&one.body)).collect()
    };
    until(|| Some(numbers()).filter(|numbers| (1..=last).all(|number| numbers.contains(&number))));
    let received = receiver.received();
    assert!(received.iter().all(|one| one.headers["authorization"] == "Bearer collector-s3cret"));
    assert!(received.iter().all(|one| one.headers["content-type"] == "application/json"));
    assert!(!appliance.log().contains("s3cret"));
}

#[test]
fn metrics_show_the_lag_by_kind_and_only_with_a_token() {
    let appliance = Appliance::start_with(&[("CLAVIGER_METRICS_REQUIRE_TOKEN", "false")]);
    let admin = appliance.admin();
    let mut receiver = SyslogReceiver::start(Over::Tcp);
    let body = json!({"host": "127.0.0.1", "port": receiver.address.port(), "transport": "tcp"});
    admin.post("/v1/configs/syslogs", body).expect(201);
    let metric = |name: &str| metric(&admin, name, "tcp");
    until(|| (metric("lag_records") == 0.0 && metric("sent_total") >= 1.0).then_some(()));
    receiver.stop();
    group(&admin, "while nobody receives");
    until(|| {
        (metric("lag_records") >= 1.0 && metric("lag_seconds") > 1.0 && metric("failures_total") >= 1.0).then_some(())
    });
    receiver.start_again();
    until(|| (metric("lag_records") == 0.0 && metric("lag_seconds") == 0.0).then_some(()));
    let without = appliance.nobody().get("/metrics").text;
    assert!(without.contains("claviger_http_requests") && !without.contains("forwarding"), "{without}");
    assert!(!admin.get("/metrics").text.contains("127.0.0.1"), "no host is named");
}
