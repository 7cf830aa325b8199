//! Everything that an administrator can see, so that a test can assert that nothing has changed.

use crate::support::client::Client;
use serde_json::Value;

/// All lists, and the number of events in the log.
#[derive(Debug, PartialEq)]
pub(crate) struct VisibleState {
    lists: Vec<Value>,
    events: u64,
}

const LISTS: [&str; 8] = [
    "/v1/cckm/aws/kms?limit=-1",
    "/v1/connectionmgmt/services/aws/connections?limit=-1",
    "/v1/usermgmt/users?limit=-1",
    "/v1/usermgmt/groups?limit=-1",
    "/v1/usermgmt/pwdpolicies?limit=-1",
    "/v1/auth/tokens?limit=-1",
    "/v1/cckm/aws/keys?limit=-1",
    "/v1/vault/keys2?limit=-1",
];

impl VisibleState {
    pub(crate) fn of(admin: &Client) -> Self {
        Self { lists: LISTS.iter().map(|list| admin.get(list).expect(200)).collect(), events: events(admin) }
    }
}

/// The number of events in the log.
pub(crate) fn events(client: &Client) -> u64 {
    let metrics = client.get("/metrics").text;
    let head = metrics.lines().find_map(|line| line.strip_prefix("claviger_ledger_head "));
    head.and_then(|number| number.trim().parse().ok()).expect("the number of the last event")
}
