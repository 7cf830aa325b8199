//! Tests of the connection of external key stores: its states, its failures, and what each state allows.

use super::xks_proxy::{ID, PATH, Proxy, SECRET, lab_and_proxy, lab_with, operations, store, update, with, with_id};
use super::*;

const REGION: &str = "eu-west-3";
const ISE: &str = "CustomKeyStoreInvalidStateException";

#[tokio::test]
async fn connecting_takes_time_on_the_clock_of_the_lab() {
    let proxy = Proxy::start().await;
    let lab = lab_with("connection_seconds = 600\n").await;
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let kms = lab.kms(REGION);
    let id = kms.new_store(store("slow")).await;
    kms.call("ConnectCustomKeyStore", with_id(&id)).await;
    assert_eq!(kms.store(&id).await["ConnectionState"], "CONNECTING");
    // Again, without effect.
    assert_eq!(kms.call("ConnectCustomKeyStore", with_id(&id)).await, json!({}));
    lab.seconds_ahead(590).await;
    assert_eq!(kms.store(&id).await["ConnectionState"], "CONNECTING");
    lab.seconds_ahead(601).await;
    assert_eq!(kms.settled(&id, "CONNECTING").await["ConnectionState"], "CONNECTED");
    assert_eq!(kms.call("ConnectCustomKeyStore", with_id(&id)).await, json!({}));
    kms.call("DisconnectCustomKeyStore", with_id(&id)).await;
    assert_eq!(kms.store(&id).await["ConnectionState"], "DISCONNECTING");
    lab.seconds_ahead(1300).await;
    assert_eq!(kms.store(&id).await["ConnectionState"], "DISCONNECTED");
    // A store that is disconnected while it connects does not become connected.
    kms.call("ConnectCustomKeyStore", with_id(&id)).await;
    kms.call("DisconnectCustomKeyStore", with_id(&id)).await;
    lab.seconds_ahead(2600).await;
    assert_eq!(kms.store(&id).await["ConnectionState"], "DISCONNECTED");
}

/// Calls an operation in each state. Returns the codes, and `ok` for success.
async fn in_each_state(operation: &str, parameters: impl Fn(&str) -> Value) -> [String; 5] {
    let proxy = Proxy::start().await;
    let lab = lab_with("connection_seconds = 600\n").await;
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let kms = lab.kms(REGION);
    let mut ids = Vec::new();
    let states = ["DISCONNECTED", "CONNECTING", "CONNECTED", "DISCONNECTING", "FAILED"];
    for state in states {
        let endpoint = format!("https://{}.lab.internal", state.to_lowercase());
        ids.push(kms.new_store(with(store(state), json!({ "XksProxyUriEndpoint": endpoint }))).await);
    }
    kms.call("ConnectCustomKeyStore", with_id(&ids[2])).await;
    kms.call("ConnectCustomKeyStore", with_id(&ids[3])).await;
    // The creations, and the two attempts to connect that succeed.
    while proxy.behaviour().seen.len() < states.len() + 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    proxy.answer_with("health", 500, json!({ "errorName": "InternalException" }));
    kms.call("ConnectCustomKeyStore", with_id(&ids[4])).await;
    lab.seconds_ahead(601).await;
    for id in &ids[2..] {
        kms.settled(id, "CONNECTING").await;
    }
    proxy.answer_rightly();
    kms.call("ConnectCustomKeyStore", with_id(&ids[1])).await;
    kms.call("DisconnectCustomKeyStore", with_id(&ids[3])).await;
    let mut codes = Vec::new();
    for (id, state) in ids.iter().zip(states) {
        let before = kms.store(id).await;
        assert_eq!(before["ConnectionState"], state);
        let (status, answer) = kms.post(operation, parameters(id)).await;
        codes.push(if status == 200 { "ok".to_owned() } else { answer["__type"].as_str().expect("a code").to_owned() });
        if status != 200 {
            assert_eq!(kms.store(id).await, before, "a refusal changes nothing");
        }
    }
    codes.try_into().expect("five codes")
}

#[tokio::test]
async fn each_state_allows_what_aws_allows() {
    assert_eq!(in_each_state("ConnectCustomKeyStore", with_id).await, ["ok", "ok", "ok", ISE, ISE]);
    assert_eq!(in_each_state("DisconnectCustomKeyStore", with_id).await, [ISE, "ok", "ok", ISE, "ok"]);
    assert_eq!(in_each_state("DeleteCustomKeyStore", with_id).await, ["ok", ISE, ISE, ISE, ISE]);
    let name = |id: &str| update(id, json!({ "NewCustomKeyStoreName": format!("new {id}") }));
    assert_eq!(in_each_state("UpdateCustomKeyStore", name).await, ["ok", ISE, "ok", ISE, ISE]);
    let credential = json!({ "AccessKeyId": ID, "RawSecretAccessKey": SECRET });
    let credential =
        |id: &str| update(id, json!({ "XksProxyAuthenticationCredential": credential, "XksProxyUriPath": PATH }));
    assert_eq!(in_each_state("UpdateCustomKeyStore", credential).await, ["ok", ISE, "ok", ISE, ISE]);
    let endpoint = |id: &str| update(id, json!({ "XksProxyUriEndpoint": "https://new.lab.internal" }));
    assert_eq!(in_each_state("UpdateCustomKeyStore", endpoint).await, ["ok", ISE, ISE, ISE, ISE]);
    let key = |id: &str| json!({ "CustomKeyStoreId": id, "Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "key-1" });
    assert_eq!(in_each_state("CreateKey", key).await, [ISE, ISE, "ok", ISE, ISE]);
}

#[tokio::test]
async fn a_connection_that_fails_says_why() {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    let id = kms.new_store(store("a")).await;
    let fault = |fault: Value| json!([with(json!({ "service": "kms-xks-proxy" }), fault)]);
    for (faults, code) in [
        (fault(json!({ "answer": "deny" })), "XKS_PROXY_ACCESS_DENIED"),
        (fault(json!({ "answer": "drop" })), "XKS_PROXY_NOT_REACHABLE"),
        (fault(json!({ "answer": "unavailable" })), "XKS_PROXY_TIMED_OUT"),
        (fault(json!({ "answer": "garbage" })), "XKS_PROXY_INVALID_RESPONSE"),
    ] {
        lab.faults(faults).await;
        let store = kms.connect(&id).await;
        assert_eq!((&store["ConnectionState"], &store["ConnectionErrorCode"]), (&json!("FAILED"), &json!(code)));
        assert_eq!(kms.code("ConnectCustomKeyStore", with_id(&id)).await, ISE);
        let store = kms.disconnect(&id).await;
        assert_eq!((&store["ConnectionState"], &store["ConnectionErrorCode"]), (&json!("DISCONNECTED"), &Value::Null));
    }
    proxy.behaviour().credentials.clear();
    assert_eq!(kms.connect(&id).await["ConnectionErrorCode"], "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn connected_proxies_are_asked_for_their_health() {
    let proxy = Proxy::start().await;
    let lab = lab_with("health_check_seconds = 1\n").await;
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    let kms = lab.kms(REGION);
    let id = kms.new_store(store("a")).await;
    kms.connect(&id).await;
    proxy.take_seen();
    proxy.answer_with("health", 500, json!({ "errorName": "InternalException" }));
    let mut seen = Vec::new();
    for _ in 0..200 {
        seen.extend(proxy.take_seen());
        if !seen.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(operations(&seen)[0], ("/health", "KmsHealthCheck"));
    assert_eq!(kms.store(&id).await["ConnectionState"], "CONNECTED", "its health does not change the connection");
}
