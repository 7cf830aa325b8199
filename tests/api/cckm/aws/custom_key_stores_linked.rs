//! `/v1/cckm/aws/custom-key-stores`: stores that AWS knows, with the lab's AWS, which calls the proxy.

use super::hyok_keys::{Prepared, prepared_with};
use crate::support::appliance::id;
use crate::support::lab::LabClient;
use reqwest::Method;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const REGION: &str = "us-east-1";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
/// `hello` in Base64.
const TEXT: &str = "aGVsbG8=";

pub(super) struct Fixture {
    pub(super) prepared: Prepared,
    pub(super) lab: LabClient,
}

pub(super) fn fixture() -> Fixture {
    fixture_with(&[])
}

/// The same with these environment variables.
pub(super) fn fixture_with(environment: &[(&str, &str)]) -> Fixture {
    let prepared = prepared_with(environment);
    let lab = LabClient::of(&prepared.appliance);
    Fixture { prepared, lab }
}

impl Fixture {
    /// The body of a store to create that AWS knows at once.
    pub(super) fn body(&self, name: &str) -> Value {
        json!({"name": name, "kms": "kms", "region": REGION, "linked_state": true,
            "aws_param": {"xks_proxy_uri_endpoint": format!("https://{name}.example.com")},
            "local_hosted_params": {"health_check_key_id": self.prepared.source, "max_credentials": 3}})
    }

    pub(super) fn create(&self, name: &str) -> Value {
        self.prepared.admin.post(STORES, self.body(name)).expect(201)
    }

    pub(super) fn get(&self, store: &str) -> Value {
        self.prepared.admin.get(&format!("{STORES}/{store}")).expect(200)
    }

    pub(super) fn post(&self, store: &str, what: &str) -> Value {
        self.prepared.admin.send(Method::POST, &format!("{STORES}/{store}/{what}"), None).expect(200)
    }

    /// Asserts that AWS refuses a call, and returns the text of the answer.
    #[track_caller]
    fn refused_by_aws(&self, store: &str, what: &str) -> String {
        let answer = self.prepared.admin.send(Method::POST, &format!("{STORES}/{store}/{what}"), None);
        assert_eq!(answer.status, 502, "{}", answer.text);
        answer.text
    }

    /// The stores of the region at AWS.
    pub(super) fn at_aws(&self) -> Vec<Value> {
        let stores = self.lab.kms(REGION, "DescribeCustomKeyStores", &json!({}));
        stores["CustomKeyStores"].as_array().expect("stores").clone()
    }

    /// Waits until the store is in this state here, and returns it.
    #[track_caller]
    pub(super) fn until(&self, store: &str, state: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let shown = self.get(store);
            if shown["aws_param"]["connection_state"] == state {
                return shown;
            }
            assert!(Instant::now() < deadline, "not {state}: {shown}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Creates a key in a store at AWS, and returns its id there.
    pub(super) fn key(&self, store: &Value) -> String {
        let key = json!({"local_hosted_params":
            {"custom_key_store_id": id(store), "source_key_id": self.prepared.source}});
        let key = id(&self.prepared.admin.post("/v1/cckm/aws/create-hyok-key", key).expect(201));
        let create = json!({"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": key,
            "CustomKeyStoreId": store["aws_param"]["custom_key_store_id"]});
        self.lab.kms(REGION, "CreateKey", &create)["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned()
    }

    #[track_caller]
    pub(super) fn encrypt_and_decrypt(&self, key: &str) {
        let encrypt = json!({"KeyId": key, "Plaintext": TEXT});
        let ciphertext = self.lab.kms(REGION, "Encrypt", &encrypt)["CiphertextBlob"].clone();
        let decrypted = self.lab.kms(REGION, "Decrypt", &json!({"CiphertextBlob": ciphertext}));
        assert_eq!(decrypted["Plaintext"], TEXT);
    }
}

#[test]
fn a_store_is_made_at_aws_connected_disconnected_and_deleted_there() {
    let fixture = fixture();
    let mut created = fixture.create("linked");
    let secret = created.as_object_mut().expect("members").remove("secret_access_key");
    assert_eq!(secret.and_then(|secret| secret.as_str().map(str::len)), Some(44));
    let store = id(&created);
    assert_eq!(fixture.get(&store), created);
    assert_eq!(created["local_hosted_params"]["linked_state"], true);
    assert_eq!(created["aws_param"]["connection_state"], "DISCONNECTED");
    let at_aws = fixture.at_aws();
    assert_eq!((at_aws.len(), &at_aws[0]["CustomKeyStoreName"]), (1, &json!("linked")));
    assert_eq!(at_aws[0]["CustomKeyStoreId"], created["aws_param"]["custom_key_store_id"]);
    let proxy = &at_aws[0]["XksProxyConfiguration"];
    assert_eq!(proxy["UriPath"], created["aws_param"]["xks_proxy_uri_path"]);
    assert_eq!(proxy["AccessKeyId"], created["access_key_id"]);

    assert_eq!(fixture.post(&store, "connect")["aws_param"]["connection_state"], "CONNECTING");
    fixture.until(&store, "CONNECTED");
    // Connecting a connected store changes nothing.
    assert_eq!(fixture.post(&store, "connect")["aws_param"]["connection_state"], "CONNECTED");
    fixture.encrypt_and_decrypt(&fixture.key(&created));
    let path = format!("{STORES}/{store}");
    fixture.prepared.admin.delete(&path).refused(409, "NCERRConflict");

    let other = id(&fixture.create("empty"));
    fixture.post(&other, "connect");
    let refused = fixture.prepared.admin.delete(&format!("{STORES}/{other}")).refused(409, "NCERRConflict");
    assert!(refused.contains("DISCONNECTED"), "{refused}");
    assert_eq!(fixture.post(&other, "disconnect")["aws_param"]["connection_state"], "DISCONNECTING");
    fixture.until(&other, "DISCONNECTED");
    let again = fixture.prepared.admin.post(&format!("{STORES}/{other}/disconnect"), json!({}));
    again.refused(409, "NCERRConflict");
    fixture.prepared.admin.delete(&format!("{STORES}/{other}")).expect(204);
    fixture.prepared.admin.get(&format!("{STORES}/{other}")).refused(404, "NCERRResourceNotFound");
    assert_eq!(fixture.at_aws().len(), 1);
}

#[test]
fn a_store_that_aws_cannot_connect_raises_an_alarm_once() {
    let fixture = fixture();
    let store = id(&fixture.create("failing"));
    fixture.post(&store, "block");
    let alarms = || fixture.prepared.admin.get("/v1/alarms?name=store_failed").expect(200)["resources"].clone();
    for count in [1, 1, 2] {
        if count == 2 {
            fixture.post(&store, "disconnect");
            fixture.until(&store, "DISCONNECTED");
        }
        if alarms().as_array().is_none_or(|all| all.len() < count) {
            fixture.post(&store, "connect");
        }
        let failed = fixture.until(&store, "FAILED");
        let raised = alarms();
        assert_eq!(raised.as_array().map(Vec::len), Some(count), "{raised}");
        assert_eq!(
            (&raised[0]["custom_key_store_id"], &raised[0]["resource"], &raised[0]["severity"], &raised[0]["cause"]),
            (&json!(store), &json!("failing"), &json!("critical"), &json!("none"))
        );
        let code = failed["aws_param"]["connection_error_details"].as_str().and_then(|text| text.split(':').next());
        let text = raised[0]["description"].as_str().expect("a text");
        assert!(code.is_some_and(|code| !code.is_empty() && text.contains(code)), "{text}: {failed}");
    }
}

#[test]
fn a_store_that_aws_refuses_is_not_made_here_either() {
    let fixture = fixture();
    // AWS calls port 443 only.
    let mut port = fixture.body("port");
    port["aws_param"]["xks_proxy_uri_endpoint"] = json!("https://192.0.2.7:8443");
    let refused = fixture.prepared.admin.post(STORES, port);
    assert_eq!((refused.status, &refused.body["member"]), (400, &json!("aws_param.xks_proxy_uri_endpoint")));
    // A blocked store answers AWS's check of its health with an error.
    let mut blocked = fixture.body("blocked");
    blocked["local_hosted_params"]["blocked"] = json!(true);
    let refused = fixture.prepared.admin.post(STORES, blocked);
    assert_eq!(refused.status, 502, "{}", refused.text);
    assert!(refused.text.contains("XksProxy"), "{}", refused.text);
    assert_eq!(fixture.prepared.admin.get(STORES).expect(200)["total"], 1, "the one that was there before");
    assert!(fixture.at_aws().is_empty());
    // The name is free.
    fixture.create("blocked");
}

#[test]
fn an_unlinked_store_is_linked_once_with_another_address() {
    let fixture = fixture();
    let store = fixture.prepared.store.clone();
    let path = |what: &str| format!("{STORES}/{store}/{what}");
    let admin = &fixture.prepared.admin;
    for what in ["connect", "disconnect"] {
        assert!(admin.post(&path(what), json!({})).refused(409, "NCERRConflict").contains("link it first"));
    }
    let address = |endpoint: &str| {
        json!({"aws_param": {"xks_proxy_uri_endpoint": endpoint, "xks_proxy_vpc_endpoint_service_name": "",
            "custom_key_store_type": "", "xks_proxy_connectivity": ""}})
    };
    let wrong = admin.post(&path("link"), address("https://192.0.2.7:8443"));
    assert_eq!((wrong.status, &wrong.body["member"]), (400, &json!("aws_param.xks_proxy_uri_endpoint")));
    // What asks for protection is refused, and not passed over.
    for (body, member) in [
        (json!({"local_hosted_params": {"blocked": true}}), "local_hosted_params.blocked"),
        (json!({"caller_rules": {"principals": ["arn:aws:iam::123456789012:role/app"]}}), "caller_rules"),
        (json!({"enable_success_audit_event": true}), "enable_success_audit_event"),
    ] {
        let refused = admin.post(&path("link"), body);
        assert_eq!((refused.status, &refused.body["member"]), (400, &json!(member)), "{}", refused.text);
    }
    assert!(fixture.at_aws().is_empty());
    let mut with_empty = address("https://elsewhere.example.com");
    with_empty["local_hosted_params"] = json!({"blocked": false, "mtls_enabled": "", "max_credentials": 0});
    with_empty["caller_rules"] = json!({"principals": []});
    with_empty["enable_success_audit_event"] = json!(null);
    let linked = admin.post(&path("link"), with_empty).expect(200);
    assert_eq!(linked["local_hosted_params"]["linked_state"], true);
    assert_eq!(linked["aws_param"]["xks_proxy_uri_endpoint"], "https://elsewhere.example.com");
    assert_eq!(fixture.get(&store), linked);
    assert_eq!(fixture.at_aws()[0]["XksProxyConfiguration"]["UriEndpoint"], "https://elsewhere.example.com");
    admin.post(&path("link"), address("")).refused(409, "NCERRConflict");
    assert_eq!(fixture.at_aws().len(), 1);
}

#[test]
fn a_store_with_our_path_that_was_made_by_hand_is_taken_over() {
    let fixture = fixture();
    let store = fixture.prepared.store.clone();
    let credential = fixture.post(&store, "rotate-credential");
    let by_hand = fixture.lab.kms(
        REGION,
        "CreateCustomKeyStore",
        &json!({"CustomKeyStoreName": "by-hand", "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
            "XksProxyUriEndpoint": "https://by-hand.example.com", "XksProxyConnectivity": "PUBLIC_ENDPOINT",
            "XksProxyUriPath": credential["aws_param"]["xks_proxy_uri_path"],
            "XksProxyAuthenticationCredential": {"AccessKeyId": credential["access_key_id"],
                "RawSecretAccessKey": credential["secret_access_key"]}}),
    );
    // AWS compares endpoint and path together.
    let body = json!({"aws_param": {"xks_proxy_uri_endpoint": "https://by-hand.example.com"}});
    let linked = fixture.prepared.admin.post(&format!("{STORES}/{store}/link"), body).expect(200);
    assert_eq!(linked["aws_param"]["custom_key_store_id"], by_hand["CustomKeyStoreId"]);
    assert_eq!(fixture.at_aws().len(), 1);
}

#[test]
fn a_connection_that_failed_is_made_again() {
    let fixture = fixture();
    let store = id(&fixture.create("failing"));
    fixture.post(&store, "block");
    fixture.post(&store, "connect");
    let failed = fixture.until(&store, "FAILED");
    let details = failed["aws_param"]["connection_error_details"].as_str().expect("a text");
    assert!(details.starts_with("XKS_PROXY_ACCESS_DENIED: "), "{details}");
    fixture.post(&store, "unblock");
    fixture.post(&store, "connect");
    let connected = fixture.until(&store, "CONNECTED");
    assert_eq!(connected["aws_param"]["connection_error_details"], "");
}

#[test]
fn a_new_credential_is_told_to_aws_or_goes_again() {
    let fixture = fixture();
    let created = fixture.create("rotating");
    let store = id(&created);
    fixture.post(&store, "connect");
    fixture.until(&store, "CONNECTED");
    let key = fixture.key(&created);
    let rotated = fixture.post(&store, "rotate-credential");
    assert_ne!(rotated["access_key_id"], created["access_key_id"]);
    assert_eq!(fixture.at_aws()[0]["XksProxyConfiguration"]["AccessKeyId"], rotated["access_key_id"]);
    let oldest = created["oldest_credentials_id"].as_str().expect("an id");
    fixture.prepared.admin.delete(&format!("{STORES}/{store}/credentials/{oldest}")).expect(204);
    fixture.encrypt_and_decrypt(&key);
    fixture.post(&store, "block");
    let refused = fixture.refused_by_aws(&store, "rotate-credential");
    assert!(refused.contains("XksProxy"), "{refused}");
    let after = fixture.get(&store);
    assert_eq!((&after["access_key_id"], &after["credential_count"]), (&rotated["access_key_id"], &json!(1)));
    fixture.post(&store, "unblock");
    fixture.encrypt_and_decrypt(&key);
}

#[test]
fn what_aws_knows_is_changed_there_first_if_the_state_allows_it() {
    let fixture = fixture();
    let store = id(&fixture.create("before"));
    let path = format!("{STORES}/{store}");
    let admin = &fixture.prepared.admin;
    let endpoint = json!({"aws_param": {"xks_proxy_uri_endpoint": "https://after.example.com"}});
    let everything = json!({"name": "after", "enable_success_audit_event": true, "local_hosted_params": {"mtls_enabled": true},
        "aws_param": {"xks_proxy_uri_endpoint": "https://next.example.com"}});
    let changed = admin.patch(&path, everything).expect(200);
    assert_eq!((&changed["name"], &changed["enable_success_audit_event"]), (&json!("after"), &json!(true)));
    assert_eq!(changed["local_hosted_params"]["mtls_enabled"], true);
    let at_aws = &fixture.at_aws()[0];
    assert_eq!(at_aws["CustomKeyStoreName"], "after");
    assert_eq!(at_aws["XksProxyConfiguration"]["UriEndpoint"], "https://next.example.com");

    fixture.post(&store, "connect");
    let before = fixture.until(&store, "CONNECTED");
    let refused = admin.patch(&path, endpoint.clone()).refused(409, "NCERRConflict");
    assert!(refused.contains("DISCONNECTED"), "{refused}");
    assert_eq!(fixture.get(&store)["aws_param"], before["aws_param"]);
    assert_eq!(admin.patch(&path, json!({"name": "renamed"})).expect(200)["name"], "renamed");
    // AWS does not know this.
    admin.patch(&path, json!({"enable_success_audit_event": false})).expect(200);
    fixture.post(&store, "disconnect");
    fixture.until(&store, "DISCONNECTED");
    // The proxy refuses AWS's check of the new address.
    fixture.post(&store, "block");
    let answer = admin.patch(&path, endpoint.clone());
    assert_eq!(answer.status, 502, "{}", answer.text);
    assert_eq!(fixture.get(&store)["aws_param"]["xks_proxy_uri_endpoint"], "https://next.example.com");
    fixture.post(&store, "unblock");
    let moved = admin.patch(&path, endpoint).expect(200);
    assert_eq!(moved["aws_param"]["xks_proxy_uri_endpoint"], "https://after.example.com");
}

#[test]
fn a_program_that_is_killed_finds_the_store_that_aws_has_made() {
    let mut fixture = fixture();
    // AWS has made the store, and the program ends before it has read it.
    let held = json!({"service": "kms", "operation": "DescribeCustomKeyStores", "delay_ms": 120_000});
    fixture.lab.set_faults(&json!([held]));
    let (admin, body) = (fixture.prepared.admin.clone(), fixture.body("killed"));
    let asking = thread::spawn(move || admin.try_send(Method::POST, STORES, Some(body.to_string().into_bytes())));
    fixture.lab.wait_until_faults_met();
    fixture.prepared.appliance.kill();
    assert!(asking.join().expect("a thread").is_err());
    fixture.prepared.appliance.restart();
    fixture.prepared.admin = fixture.prepared.appliance.admin();
    fixture.lab = LabClient::of(&fixture.prepared.appliance);
    let deadline = Instant::now() + Duration::from_secs(20);
    while fixture.get("killed")["local_hosted_params"]["linked_state"] != true {
        assert!(Instant::now() < deadline, "{}", fixture.get("killed"));
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(fixture.at_aws().len(), 1);
    let store = id(&fixture.get("killed"));
    fixture.post(&store, "connect");
    fixture.until(&store, "CONNECTED");
}
