//! Tests of the lab's database.

use std::process::Command;
use std::time::Instant;

use super::xks_proxy::{Proxy, plan_with, store, with};
use super::*;

const REGION: &str = "eu-west-3";

async fn start(directory: &std::path::Path) -> Lab {
    start_with(LabPlan::built_in(), directory).await
}

async fn start_with(plan: LabPlan, directory: &std::path::Path) -> Lab {
    let listen = "127.0.0.1:0".parse().expect("an address");
    Lab { cloud: LabCloud::start(plan, listen, Some(directory), None).await.expect("a lab") }
}

#[tokio::test]
async fn a_restart_preserves_the_state() {
    let directory = tempfile::tempdir().expect("a directory");
    let lab = start(directory.path()).await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "MultiRegion": true })).await;
    kms.call("ReplicateKey", json!({ "KeyId": id, "ReplicaRegion": "eu-west-1" })).await;
    kms.call("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": id })).await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    let rsa = kms.id(json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" })).await;
    let public = kms.call("GetPublicKey", json!({ "KeyId": rsa })).await;
    let going = kms.id(json!({})).await;
    kms.call("ScheduleKeyDeletion", json!({ "KeyId": going, "PendingWindowInDays": 7 })).await;
    lab.days_ahead(2).await;
    let key = kms.call("DescribeKey", json!({ "KeyId": "alias/a" })).await;
    let ebs = kms.described("alias/aws/ebs", "KeyId").await;
    let taken =
        LabCloud::start(LabPlan::built_in(), "127.0.0.1:0".parse().expect("an address"), Some(directory.path()), None);
    assert!(matches!(taken.await, Err(LabError::Keys(_))), "two labs on one directory");
    lab.cloud.stop().await;

    let lab = start(directory.path()).await;
    let (kms, there) = (lab.kms(REGION), lab.kms("eu-west-1"));
    assert_eq!(kms.call("DescribeKey", json!({ "KeyId": "alias/a" })).await, key);
    assert_eq!(kms.described("alias/aws/ebs", "KeyId").await, ebs);
    assert_eq!(kms.call("GetPublicKey", json!({ "KeyId": rsa })).await, public);
    let opened = there.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(decoded(&opened["Plaintext"]), b"text");
    let (_, clock) = lab.control(Method::GET, "/_lab/clock", &Value::Null).await;
    assert_eq!(clock, json!({ "ahead_seconds": 2 * 86_400 }));
    assert_eq!(kms.described(&going, "KeyState").await, json!("PendingDeletion"));
    lab.days_ahead(8).await;
    assert_eq!(kms.code("DescribeKey", json!({ "KeyId": going })).await, "NotFoundException");
}

#[tokio::test]
async fn a_restart_preserves_custom_key_stores() {
    let proxy = Proxy::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let lab = start_with(plan_with(""), directory.path()).await;
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let kms = lab.kms(REGION);
    let id = kms.new_store(store("a")).await;
    kms.connect(&id).await;
    let parameters = json!({ "CustomKeyStoreId": id, "Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "key-1" });
    let key = kms.create(parameters).await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": key["KeyId"], "Plaintext": encoded("text") })).await;
    let connected = kms.store(&id).await;
    let other = json!({ "XksProxyUriEndpoint": "https://other.lab.internal", "CustomKeyStoreName": "b" });
    let other = kms.new_store(with(store("b"), other)).await;
    // The attempt to connect is interrupted before the proxy answers.
    let closed = proxy.gate.acquire_many(1000).await.expect("the gate");
    kms.call("ConnectCustomKeyStore", json!({ "CustomKeyStoreId": other })).await;
    lab.cloud.stop().await;
    drop(closed);

    let lab = start_with(plan_with(""), directory.path()).await;
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let kms = lab.kms(REGION);
    assert_eq!(kms.store(&id).await, connected);
    assert_eq!(kms.call("DescribeKey", json!({ "KeyId": key["KeyId"] })).await["KeyMetadata"], key);
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(decoded(&opened["Plaintext"]), b"text");
    assert_eq!(kms.settled(&other, "CONNECTING").await["ConnectionState"], "CONNECTED");
}

#[tokio::test]
async fn many_keys_are_created_and_listed_quickly() {
    let directory = tempfile::tempdir().expect("a directory");
    let lab = start(directory.path()).await;
    let kms = lab.kms(REGION);
    let began = Instant::now();
    for _ in 0..20 {
        let made = (0..25).map(|_| kms.id(json!({ "KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY" })));
        futures_util::future::join_all(made).await;
    }
    let page = kms.call("ListKeys", json!({ "Limit": 1000 })).await;
    assert_eq!((page["Keys"].as_array().map(Vec::len), &page["Truncated"]), (Some(504), &json!(false)));
    // The limit is generous. The test fails if key pairs are generated at creation, or if keys are written twice.
    assert!(began.elapsed().as_secs() < 120, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_restart_preserves_events_of_cloudtrail() {
    let directory = tempfile::tempdir().expect("a directory");
    let user = Keys::of("user1");
    let events = async |lab: &Lab| lab.events(&user, "123456789012", REGION).await;
    let lab = start(directory.path()).await;
    for operation in ["ListKeys", "ListAliases", "ListKeys"] {
        lab.kms(REGION).call(operation, json!({})).await;
    }
    let before = events(&lab).await;
    assert_eq!(before.len(), 3);
    lab.cloud.stop().await;
    let lab = start(directory.path()).await;
    assert_eq!(events(&lab).await, before);
    lab.kms(REGION).call("ListAliases", json!({})).await;
    let after = events(&lab).await;
    assert_eq!((&after[..3], &after[3]["eventName"]), (&before[..], &json!("ListAliases")));
    lab.cloud.stop().await;
    // A smaller bound drops the oldest ones.
    let plan =
        include_str!("../../../config/lab-cloud.toml").replace("[cloudtrail]\n", "[cloudtrail]\nmax_events = 2\n");
    let lab = start_with(LabPlan::parse(&plan).expect("a plan"), directory.path()).await;
    assert_eq!(events(&lab).await, after[2..]);
    assert_eq!(lab.control(Method::DELETE, "/_lab/cloudtrail", &Value::Null).await.0, 204);
    lab.cloud.stop().await;
    let lab = start(directory.path()).await;
    assert_eq!(events(&lab).await, Vec::<Value>::new());
}

/// The files are copied when the answer is there: a lab that is killed then leaves them so.
#[tokio::test]
async fn a_change_and_its_event_are_on_the_disk_when_it_is_answered() {
    let (running, killed) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let lab = start(running.path()).await;
    let id = lab.kms(REGION).id(json!({})).await;
    let copy = killed.path().join("copy");
    let copied = Command::new("cp").arg("-R").args([running.path(), &copy]).status();
    assert!(copied.expect("cp runs").success());
    let lab = start(&copy).await;
    let events = lab.events(&Keys::of("user1"), "123456789012", REGION).await;
    assert_eq!(events.iter().map(|event| &event["eventName"]).collect::<Vec<_>>(), ["CreateKey"]);
    assert_eq!(lab.kms(REGION).described(&id, "KeyState").await, "Enabled");
}
