//! Calls of AWS to the XKS proxy in reports: joined with CloudTrail by AWS's id of the request.

use super::{REPORTS, ago, ended, rows};
use crate::cckm::aws::hyok_keys::{Prepared, prepared};
use crate::support::appliance::id;
use crate::support::lab::LabClient;
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const REGION: &str = "us-east-1";
const OTHER: &str = "eu-west-1";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";

#[test]
fn what_the_proxy_answered_is_joined_with_the_events_of_cloudtrail() {
    let prepared = prepared();
    let (admin, lab) = (&prepared.admin, LabClient::of(&prepared.appliance));
    let store = format!("{STORES}/{}", prepared.store);
    admin.send(Method::POST, &format!("{store}/link"), None).expect(200);
    admin.send(Method::POST, &format!("{store}/connect"), None).expect(200);
    let deadline = Instant::now() + Duration::from_secs(30);
    while admin.get(&store).expect(200)["aws_param"]["connection_state"] != "CONNECTED" {
        assert!(Instant::now() < deadline, "it does not connect");
        thread::sleep(Duration::from_millis(50));
    }
    admin.patch(&store, json!({"enable_success_audit_event": true})).expect(200);
    let params = json!({"custom_key_store_id": prepared.store, "source_key_id": prepared.source, "linked_state": true});
    let key = admin.post("/v1/cckm/aws/create-hyok-key", json!({"aws_param": {}, "local_hosted_params": params}));
    let key = key.expect(201);
    let encrypt =
        || lab.try_kms(REGION, "Encrypt", &json!({"KeyId": key["aws_param"]["KeyID"], "Plaintext": "aGVsbG8="})).0;
    assert_eq!(encrypt(), 200);
    admin.send(Method::POST, &format!("/v1/cckm/aws/keys/{}/block", id(&key)), None).expect(200);
    assert_eq!(encrypt(), 400);
    let trail = json!({"kms": prepared.kms, "log_group_region": REGION, "log_group_name": super::TRAIL});
    let of = |source: &Value| -> Vec<Value> {
        let body = json!({"name": "xks", "start_time": ago(600), "cloud_watch_params": [source]});
        let all = rows(admin, body);
        all.into_iter()
            .filter(|row| row["event_name"] == "Encrypt" && row["key_id"] == key["aws_param"]["KeyID"])
            .collect()
    };
    // The proxy reports what it answered a moment later.
    let deadline = Instant::now() + Duration::from_secs(30);
    let joined = loop {
        let rows = of(&trail);
        if rows.len() == 2 && rows.iter().all(|row| row["xks_result"] != "not seen") {
            break rows;
        }
        assert!(Instant::now() < deadline, "{rows:#?}");
        thread::sleep(Duration::from_millis(200));
    };
    let results: Vec<_> = joined.iter().map(|row| (&row["xks_result"], &row["origin"], &row["error_code"])).collect();
    let (none, invalid) = (json!(""), json!("KMSInvalidStateException"));
    let (served, refused, native) = (json!("served"), json!("InvalidStateException"), json!("native"));
    assert_eq!(results, [(&served, &native, &none), (&refused, &native, &invalid)]);
    assert_eq!(joined[0]["xks_key_id"], id(&key));
    // With a log group in each of two regions, each call is one row: CloudTrail's.
    let regions = json!({"regions": [REGION, OTHER]});
    admin.patch(&format!("/v1/cckm/aws/kms/{}", prepared.kms), regions).expect(200);
    let other = json!({"kms": prepared.kms, "log_group_region": OTHER, "log_group_name": super::TRAIL});
    let body = json!({"name": "both", "start_time": ago(600), "cloud_watch_params": [other, trail]});
    let both = rows(admin, body);
    let both: Vec<_> = both.iter().filter(|row| row["event_name"] == "Encrypt").cloned().collect();
    assert_eq!(both, joined);
    let all = rows(admin, json!({"name": "all", "start_time": ago(600), "cloud_watch_params": [trail]}));
    assert!(all.iter().any(|row| row["event_name"] == "BlockHyokKey" && row["manager_user"] == "admin"), "{all:#?}");
    assert!(all.iter().all(|row| row["event_name"] == "Encrypt" || row["xks_result"] != "not seen"), "{all:#?}");
    unlinked_keys_are_reported(&prepared, &trail);
    let own = of(&json!({"kms": prepared.kms}));
    assert_eq!(own.len(), 2, "{own:#?}");
    assert!(own.iter().all(|row| row["origin"] == "xks"));
    let requests = |rows: &[Value]| rows.iter().map(|row| row["request_id"].clone()).collect::<Vec<_>>();
    assert_eq!(requests(&own), requests(&joined));
    let usage =
        json!({"name": "u", "report_type": "service-report", "start_time": ago(600), "cloud_watch_params": [trail]});
    let usage = ended(admin, &id(&admin.post(REPORTS, usage).expect(202)));
    assert_eq!(usage["overall_status"], "completed");
}

/// AWS does not know such a key, so that it is no difference until somebody makes its KMS key at AWS.
fn unlinked_keys_are_reported(prepared: &Prepared, trail: &Value) {
    let (admin, lab) = (&prepared.admin, LabClient::of(&prepared.appliance));
    let params =
        json!({"custom_key_store_id": prepared.store, "source_key_id": prepared.source, "linked_state": false});
    let new = json!({"aws_param": {"Alias": "planned"}, "local_hosted_params": params});
    let key = admin.post("/v1/cckm/aws/create-hyok-key", new).expect(201);
    let report = |kind: &str| {
        let body = json!({"name": "r", "report_type": kind, "start_time": ago(600), "cloud_watch_params": [trail]});
        rows(admin, body).into_iter().filter(|row| row["alias"] == "alias/planned").collect::<Vec<_>>()
    };
    let activity = report("key-report");
    let [created] = &activity[..] else { panic!("{activity:#?}") };
    assert_eq!((&created["event_name"], &created["origin"]), (&json!("CreateHyokKey"), &json!("cckm")));
    assert_eq!((&created["manager_user"], &created["xks_key_id"]), (&json!("admin"), &json!(id(&key))));
    assert_eq!((&created["key_arn"], &created["key_id"]), (&json!(""), &json!("")), "AWS has none");
    assert_eq!(report("reconciliation-report"), [] as [Value; 0]);
    let store = admin.get(&format!("{STORES}/{}", prepared.store)).expect(200);
    let by_hand = json!({"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": id(&key),
        "CustomKeyStoreId": store["aws_param"]["custom_key_store_id"]});
    let made = lab.kms(REGION, "CreateKey", &by_hand)["KeyMetadata"].clone();
    let differences = report("reconciliation-report");
    let [made_there] = &differences[..] else { panic!("{differences:#?}") };
    assert_eq!((&made_there["kind"], &made_there["what"]), (&json!("only_in_aws"), &json!("CreateKey")));
    assert_eq!((&made_there["here"], &made_there["key_arn"]), (&json!("not linked"), &made["Arn"]), "{made_there}");
}
