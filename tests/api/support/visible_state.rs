//! All that an administrator can see at once, so that a test can say that nothing has changed.

use crate::support::client::Client;
use serde_json::Value;

/// The whole of the lists, the policy, and how many events the log has.
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
    "/v1/usermgmt/pwdpolicies/global",
    "/v1/auth/tokens?limit=-1",
    "/v1/cckm/aws/keys?limit=-1",
    "/v1/vault/keys2?limit=-1",
];

impl VisibleState {
    pub(crate) fn of(admin: &Client) -> Self {
        Self { lists: LISTS.iter().map(|list| admin.get(list).expect(200)).collect(), events: events(admin) }
    }
}

/// How many events the log has.
pub(crate) fn events(client: &Client) -> u64 {
    let metrics = client.get("/metrics").text;
    let head = metrics.lines().find_map(|line| line.strip_prefix("claviger_ledger_head "));
    head.and_then(|number| number.trim().parse().ok()).expect("the number of the last event")
}
