//! Forwarding of audit records.

mod outputs;
mod syslogs;

use crate::support::client::Client;
use serde_json::json;

/// The number of the last record.
fn head(admin: &Client) -> u64 {
    let newest = admin.get("/v1/audit/records?limit=1").expect(200);
    newest["resources"][0]["number"].as_u64().expect("a number")
}

/// Makes a change, which is one record.
fn group(admin: &Client, name: &str) {
    admin.post("/v1/usermgmt/groups", json!({"name": name})).expect(201);
}
