//! The chain of the log and its check.

use crate::support::appliance::Appliance;
use crate::support::client::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CHAIN: &str = "/v1/audit/chain";

/// Waits for the end of the check.
fn verified(admin: &Client) -> Value {
    let began = Instant::now();
    loop {
        let verification = admin.get(CHAIN).expect(200)["verification"].clone();
        if verification["status"] != "in_progress" {
            return verification;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the check does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_whole_log_is_checked_with_its_checkpoints() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let before = admin.get(CHAIN).expect(200);
    assert_eq!((&before["sealed"], &before["verification"]), (&json!(true), &Value::Null));
    let checkpoint = admin.post("/v1/audit/checkpoints", json!({})).expect(201);
    let dry = admin.post("/v1/audit/chain/verify?dry_run=true", json!({})).expect(202);
    assert_eq!(dry["status"], "in_progress");
    assert_eq!(admin.get(CHAIN).expect(200)["verification"], Value::Null, "a dry run starts nothing");
    let number = admin.get(CHAIN).expect(200)["number"].as_u64().expect("a number");
    admin.post("/v1/audit/chain/verify", json!({})).expect(202);
    let verification = verified(&admin);
    assert_eq!((&verification["status"], &verification["error"]), (&json!("whole"), &Value::Null), "{verification}");
    assert_eq!(verification["username"], "admin");
    assert!(verification["checkpoints"].as_u64() >= Some(1), "{verification}");
    assert!(verification["records"].as_u64() >= checkpoint["number"].as_u64(), "{verification}");
    let chain = admin.get(CHAIN).expect(200);
    assert_eq!(chain["checkpoint"], checkpoint);
    assert_eq!(chain["number"], number, "a check is no record");
    let record = admin.get(&format!("/v1/audit/records/{number}")).expect(200);
    assert_eq!(record["hash"], chain["hash"]);
}

#[test]
fn a_checkpoint_that_the_log_contradicts_is_found() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    admin.post("/v1/audit/checkpoints", json!({})).expect(201);
    let path = appliance.data().join("checkpoints.jsonl");
    appliance.terminate();
    let text = std::fs::read_to_string(&path).expect("the checkpoints");
    // As if somebody had exchanged a signed line for another: the signature does not fit the number.
    std::fs::write(&path, text.replacen("\"number\":", "\"number\":1", 1)).expect("written");
    appliance.restart();
    let admin = appliance.admin();
    admin.post("/v1/audit/chain/verify", json!({})).expect(202);
    let verification = verified(&admin);
    assert_eq!(verification["status"], "broken", "{verification}");
    let error = verification["error"].as_str().unwrap_or_default();
    assert!(error.contains("records are whole, but the checkpoint"), "{verification}");
    assert!(error.contains("cannot be believed"), "{verification}");
}
