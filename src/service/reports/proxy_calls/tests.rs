//! How events are joined with the calls of the proxy, and what is beyond the bound.

use super::super::key_activity;
use super::super::own_calls::OwnCallsByTime;
use super::super::row::columns;
use super::*;
use crate::call_journal::{Bounds, CallJournal};
use crate::domain::key::event::KeyEvent;
use crate::domain::key::example::{added, after, at, key_id, kms_id, region, snapshot};
use crate::domain::report::ReportKind;
use crate::ledger::Published;
use serde_json::json;
use std::sync::Arc;

/// Two keys, each in a store of its own.
fn place() -> Place {
    let key = |n: u128| {
        let mut seen = snapshot(n, "");
        seen.metadata.custom_key_store_id = Some(format!("cks-{n}"));
        seen.metadata.xks_key_id = Some(format!("xks-{n}"));
        Event::Key(key_id(n), KeyEvent::Found { kms: kms_id(0), region: region("eu-west-3"), learned: seen.all() })
    };
    let state = after(&[added(0, &["eu-west-3"]), key(1), key(2)]);
    let kms = state.kms(kms_id(0)).expect("a KMS").clone();
    Place::new(Arc::new(Published { head: 3, time: at(3), state }), kms)
}

fn arn(n: u128) -> String {
    snapshot(n, "").metadata.arn.to_string()
}

fn call(request: &str, key: u128, error: Option<&str>, second: i64) -> ProxyCall {
    ProxyCall {
        at: at(second),
        operation: "encrypt".to_owned(),
        error: error.map(str::to_owned),
        message: String::new(),
        rule: None,
        xks_key_id: Some(format!("xks-{key}")),
        access_key_id: None,
        kms_request_id: Some(request.to_owned()),
        kms_operation: Some("Encrypt".to_owned()),
        kms_key_arn: Some(arn(key)),
        principal: None,
        via_service: None,
        source_vpc: None,
        source_vpce: None,
    }
}

/// An event at a second of 1970.
fn event(name: &str, request: &str, keys: &[u128], second: i64) -> TrailEvent {
    let resources: Vec<_> = keys.iter().map(|key| json!({"ARN": arn(*key)})).collect();
    let event = json!({"eventTime": chrono::DateTime::from_timestamp(second, 0).expect("a time").to_rfc3339(),
        "eventName": name, "eventID": format!("{request}-e"), "requestID": request, "resources": resources,
        "additionalEventData": {"customKeyStoreId": "cks-1", "xksKeyId": "xks-1"}});
    TrailEvent::parse(&event.to_string()).expect("an event")
}

fn rows(place: &Place, proxy: &mut ProxyCalls, event: TrailEvent) -> Vec<[String; 4]> {
    let directory = tempfile::tempdir().expect("a directory");
    let bounds = Bounds { change_bytes: 1 << 20, read_bytes: 1 << 20, days: 1 };
    let mut own = OwnCallsByTime::new(CallJournal::open(directory.path(), bounds, None).expect("it opens"));
    let rows = key_activity::rows(place, &mut own, proxy, &[event]).expect("they are made");
    let column = |name| columns(ReportKind::KeyActivity).iter().position(|column| *column == name).expect("a column");
    let shown = ["key_arn", "custom_key_store_id", "xks_key_id", "xks_result"].map(column);
    rows.into_iter().map(|row| shown.map(|at| row.cells[at].to_string())).collect()
}

/// AWS asks the proxy twice with the id of one request: to decrypt with one key, and to encrypt with the other.
#[test]
fn each_key_of_a_re_encryption_has_its_own_answer_and_store() {
    let (place, mut proxy) = (place(), ProxyCalls::default());
    proxy.add(&place, &call("r", 1, None, 10));
    proxy.add(&place, &call("r", 2, Some("InvalidStateException"), 10));
    let of = |key: u128, result: &str| [arn(key), format!("cks-{key}"), format!("xks-{key}"), result.to_owned()];
    let found = rows(&place, &mut proxy, event("ReEncrypt", "r", &[1, 2], 10));
    assert_eq!(found, [of(1, "served"), of(2, "InvalidStateException")]);
    for key in [1, 2] {
        assert!(proxy.is_in_cloudtrail(&place, &call("r", key, None, 10)), "no row of its own follows");
    }
    assert!(!proxy.is_in_cloudtrail(&place, &call("other", 1, None, 10)));
}

#[test]
fn calls_beyond_the_bound_are_not_joined_and_the_rows_say_so() {
    let (place, mut proxy) = (place(), ProxyCalls { most: 2, ..ProxyCalls::default() });
    for (request, second) in [("a", 1_000), ("b", 5_000), ("c", 9_000), ("d", 8_000), ("e", 10_000)] {
        proxy.add(&place, &call(request, 1, None, second));
    }
    assert_eq!(proxy.calls.len(), 2);
    let mut result = |request, second| rows(&place, &mut proxy, event("Encrypt", request, &[1], second))[0][3].clone();
    assert_eq!(result("a", 1_000), "served");
    assert_eq!(result("x", 5_000), NOT_SEEN);
    for (request, second) in [("d", 8_000), ("c", 9_000), ("y", 20_000)] {
        assert_eq!(result(request, second), NOT_JOINED, "{request}");
    }
    assert!(proxy.is_in_cloudtrail(&place, &call("a", 1, None, 1_000)));
    assert!(!proxy.is_in_cloudtrail(&place, &call("b", 1, None, 5_000)), "CloudTrail does not have it");
    assert!(proxy.is_in_cloudtrail(&place, &call("c", 1, None, 9_000)), "it may have it");
    let direct = event("Encrypt", "e", &[1], 10_000);
    let key = KeyArn::parse(&arn(1)).expect("an ARN");
    assert_eq!(proxy.service(&direct, &key), Some(NOT_JOINED));
    assert_eq!(proxy.service(&event("Encrypt", "a", &[1], 1_000), &key), None, "nobody called for somebody else");
}
