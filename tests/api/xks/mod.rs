//! The XKS proxy, with the lab's AWS KMS as its caller: keys that AWS never has.

use crate::cckm::aws::hyok_keys::{Prepared, prepared};
use crate::support::appliance::{id, subject};
use crate::support::lab::LabClient;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const REGION: &str = "us-east-1";
const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const KEYS: &str = "/v1/cckm/aws/keys";

/// A store that was made at AWS by hand, with the path and a credential of ours, and a key in it.
struct AtAws {
    prepared: Prepared,
    lab: LabClient,
    store: String,
    /// The HYOK key, and its id at AWS.
    key: String,
    aws_key: String,
}

fn linked_by_hand() -> AtAws {
    let prepared = prepared();
    let lab = LabClient::of(&prepared.appliance);
    let path = format!("{STORES}/{}", prepared.store);
    let credential = prepared.admin.post(&format!("{path}/rotate-credential"), json!({})).expect(200);
    let store = lab.kms(
        REGION,
        "CreateCustomKeyStore",
        &json!({"CustomKeyStoreName": "xks", "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
            "XksProxyUriEndpoint": "https://xks.example.com", "XksProxyConnectivity": "PUBLIC_ENDPOINT",
            "XksProxyUriPath": credential["aws_param"]["xks_proxy_uri_path"],
            "XksProxyAuthenticationCredential": {"AccessKeyId": credential["access_key_id"],
                "RawSecretAccessKey": credential["secret_access_key"]}}),
    );
    let store = store["CustomKeyStoreId"].as_str().expect("an id").to_owned();
    lab.kms(REGION, "ConnectCustomKeyStore", &json!({"CustomKeyStoreId": store}));
    until_connected(&lab, &store);
    let key = json!({"local_hosted_params":
        {"custom_key_store_id": prepared.store, "source_key_id": prepared.source}});
    let key = id(&prepared.admin.post("/v1/cckm/aws/create-hyok-key", key).expect(201));
    let create = json!({"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": key});
    let aws_key = lab.kms(REGION, "CreateKey", &create)["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    AtAws { prepared, lab, store, key, aws_key }
}

fn until_connected(lab: &LabClient, store: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = lab.kms(REGION, "DescribeCustomKeyStores", &json!({"CustomKeyStoreId": store}));
        let state = found["CustomKeyStores"][0]["ConnectionState"].clone();
        match state.as_str() {
            Some("CONNECTED") => return,
            Some("CONNECTING") if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
            _ => panic!("{found}"),
        }
    }
}

impl AtAws {
    fn encrypt(&self, text: &str) -> Value {
        let body = json!({"KeyId": self.aws_key, "Plaintext": text, "EncryptionContext": {"purpose": "test"}});
        self.lab.kms(REGION, "Encrypt", &body)["CiphertextBlob"].clone()
    }

    fn decrypt(&self, ciphertext: &Value) -> (u16, Value) {
        let body = json!({"CiphertextBlob": ciphertext, "EncryptionContext": {"purpose": "test"}});
        self.lab.try_kms(REGION, "Decrypt", &body)
    }

    fn post(&self, path: &str) -> Value {
        self.prepared.admin.post(path, json!({})).expect(200)
    }

    fn key_path(&self, what: &str) -> String {
        format!("{KEYS}/{}{what}", self.key)
    }
}

/// `hello` in Base64.
const TEXT: &str = "aGVsbG8=";

#[test]
fn aws_encrypts_with_a_key_that_it_never_has_and_old_ciphertexts_stay_readable() {
    let at_aws = linked_by_hand();
    let first = at_aws.encrypt(TEXT);
    at_aws.prepared.admin.post(&at_aws.key_path("/rotate"), json!({})).expect(200);
    let second = at_aws.encrypt(TEXT);
    for ciphertext in [&first, &second] {
        let (status, answer) = at_aws.decrypt(ciphertext);
        assert_eq!((status, &answer["Plaintext"]), (200, &json!(TEXT)), "{answer}");
    }
    let versions = at_aws.prepared.admin.get(&at_aws.key_path("/versions")).expect(200);
    let used = |n: usize, what: &str| versions["resources"][n][what].is_string();
    assert!(used(0, "last_encrypt_at") && used(0, "last_decrypt_at"), "{versions}");
    assert!(used(1, "last_encrypt_at") && used(1, "last_decrypt_at"), "{versions}");
    // Another encryption context does not open it, which AWS reports as a wrong state of the external key store.
    let other = json!({"CiphertextBlob": first, "EncryptionContext": {"purpose": "other"}});
    let (status, answer) = at_aws.lab.try_kms(REGION, "Decrypt", &other);
    assert_eq!((status, &answer["__type"]), (400, &json!("KMSInvalidStateException")), "{answer}");
}

#[test]
fn a_block_of_key_or_store_and_a_revoked_source_key_stop_aws_at_once() {
    let at_aws = linked_by_hand();
    let ciphertext = at_aws.encrypt(TEXT);
    let store = format!("{STORES}/{}", at_aws.prepared.store);
    let source = format!("/v1/vault/keys2/{}", at_aws.prepared.source);
    let revoke = json!({"reason": "CessationOfOperation", "message": "test"});
    let reactivate = json!({"reason": "DeactivatedToActive", "message": "test"});
    let steps: [(String, Value, String, Value); 3] = [
        (at_aws.key_path("/block"), json!({}), at_aws.key_path("/unblock"), json!({})),
        (format!("{store}/block"), json!({}), format!("{store}/unblock"), json!({})),
        (format!("{source}/revoke"), revoke, format!("{source}/reactivate"), reactivate),
    ];
    for (stop, stop_body, go_on, go_on_body) in steps {
        at_aws.prepared.admin.post(&stop, stop_body).expect(200);
        let (status, answer) = at_aws.decrypt(&ciphertext);
        assert_eq!((status, &answer["__type"]), (400, &json!("KMSInvalidStateException")), "{stop}: {answer}");
        at_aws.prepared.admin.post(&go_on, go_on_body).expect(200);
        assert_eq!(at_aws.decrypt(&ciphertext).0, 200, "{go_on}");
    }
}

#[test]
fn blocks_and_versions_survive_a_kill() {
    let mut at_aws = linked_by_hand();
    let first = at_aws.encrypt(TEXT);
    at_aws.prepared.admin.post(&at_aws.key_path("/rotate"), json!({})).expect(200);
    at_aws.post(&at_aws.key_path("/block"));
    at_aws.prepared.appliance.kill();
    at_aws.prepared.appliance.restart();
    at_aws.prepared.admin = at_aws.prepared.appliance.admin();
    at_aws.lab = LabClient::of(&at_aws.prepared.appliance);
    let (status, answer) = at_aws.decrypt(&first);
    assert_eq!((status, &answer["__type"]), (400, &json!("KMSInvalidStateException")), "{answer}");
    at_aws.post(&at_aws.key_path("/unblock"));
    assert_eq!(at_aws.decrypt(&first).0, 200);
    let second = at_aws.encrypt(TEXT);
    assert_eq!(at_aws.decrypt(&second).0, 200);
}

#[test]
fn a_deleted_credential_and_caller_rules_shut_aws_out() {
    let at_aws = linked_by_hand();
    let ciphertext = at_aws.encrypt(TEXT);
    let rules = json!({"caller_rules": {"principals": ["arn:aws:iam::*:user/nobody"]}});
    at_aws.prepared.admin.post(&at_aws.key_path("/caller-rules"), rules).expect(200);
    assert_eq!(at_aws.decrypt(&ciphertext).0, 400);
    let rules = json!({"caller_rules": {"principals": ["arn:aws:iam::123456789012:user/*"], "operations": ["*crypt"]}});
    at_aws.prepared.admin.post(&at_aws.key_path("/caller-rules"), rules).expect(200);
    assert_eq!(at_aws.decrypt(&ciphertext).0, 200);

    // AWS has the second credential. Once there is a third one, the second can be deleted.
    let store = format!("{STORES}/{}", at_aws.prepared.store);
    let credentials = at_aws.prepared.admin.get(&format!("{store}/credentials")).expect(200);
    let rows = credentials["resources"].as_array().expect("rows");
    let (oldest, used) = (id(&rows[0]), id(&rows[1]));
    assert!(rows[0]["last_used_at"].is_null() && rows[1]["last_used_at"].is_string(), "{credentials}");
    at_aws.prepared.admin.delete(&format!("{store}/credentials/{oldest}")).expect(204);
    at_aws.post(&format!("{store}/rotate-credential"));
    assert_eq!(at_aws.decrypt(&ciphertext).0, 200);
    at_aws.prepared.admin.delete(&format!("{store}/credentials/{used}")).expect(204);
    let (status, answer) = at_aws.decrypt(&ciphertext);
    assert_eq!((status, &answer["__type"]), (400, &json!("KMSInvalidStateException")), "{answer}");
    let _ = &at_aws.store;
}

/// The value of a metric with these labels.
fn metric(at_aws: &AtAws, name: &str) -> f64 {
    let text = at_aws.prepared.admin.get("/metrics").text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
}

#[test]
fn the_last_refused_calls_of_a_store_are_listed_newest_first() {
    let at_aws = linked_by_hand();
    let (admin, path) = (&at_aws.prepared.admin, format!("{STORES}/{}/refused-calls", at_aws.prepared.store));
    let ciphertext = at_aws.encrypt(TEXT);
    let of_key = format!("{path}?xks_key_id={}", at_aws.key);
    assert_eq!(admin.get(&of_key).expect(200)["total"], 0, "it was served");
    at_aws.post(&at_aws.key_path("/block"));
    assert_eq!(at_aws.decrypt(&ciphertext).0, 400);
    at_aws.post(&at_aws.key_path("/unblock"));
    let rules = json!({"caller_rules": {"principals": ["arn:aws:iam::*:user/nobody"]}});
    admin.post(&at_aws.key_path("/caller-rules"), rules).expect(200);
    assert_eq!(at_aws.decrypt(&ciphertext).0, 400);
    // The proxy reports its calls within a moment.
    let deadline = Instant::now() + Duration::from_secs(10);
    let calls = loop {
        let calls = admin.get(&of_key).expect(200);
        if calls["total"] == 2 {
            break calls;
        }
        assert!(Instant::now() < deadline, "{calls}");
        thread::sleep(Duration::from_millis(20));
    };
    let (newest, oldest) = (&calls["resources"][0], &calls["resources"][1]);
    assert_eq!(
        (&newest["error"], &oldest["error"]),
        (&json!("AccessDeniedException"), &json!("InvalidStateException"))
    );
    assert_eq!((&newest["operation"], &newest["kms_operation"]), (&json!("decrypt"), &json!("Decrypt")));
    assert_eq!((&newest["rule"], oldest.get("rule")), (&json!("key: principals"), None), "{calls}");
    assert!(newest["principal"].as_str().is_some_and(|arn| arn.starts_with("arn:aws:")), "{newest}");
    let denied = admin.get(&format!("{of_key}&error=AccessDeniedException")).expect(200);
    assert_eq!((&denied["total"], &denied["resources"][0]), (&json!(1), newest));
    assert_eq!(admin.get(&format!("{of_key}&operation=Decrypt&operation=health")).expect(200), calls);
    assert_eq!(admin.get(&format!("{of_key}&operation=encrypt")).expect(200)["total"], 0);
    admin.get(&format!("{path}?operation=decrypted")).refused(400, "NCERRInvalidParamValue");
    let ann = at_aws.prepared.appliance.user("ann");
    ann.get(&path).refused(404, "NCERRResourceNotFound");
}

#[test]
fn calls_and_encryptions_show_in_counters_and_metrics() {
    let at_aws = linked_by_hand();
    let calls = |operation: &str| metric(&at_aws, &format!("claviger_xks_calls_total{{operation=\"{operation}\"}}"));
    let before = (calls("encrypt"), calls("decrypt"));
    let ciphertext = at_aws.encrypt(TEXT);
    at_aws.prepared.admin.post(&at_aws.key_path("/rotate"), json!({})).expect(200);
    at_aws.encrypt(TEXT);
    at_aws.encrypt(TEXT);
    at_aws.decrypt(&ciphertext);
    at_aws.post(&at_aws.key_path("/block"));
    assert_eq!(at_aws.decrypt(&ciphertext).0, 400);
    assert_eq!((calls("encrypt"), calls("decrypt")), (before.0 + 3.0, before.1 + 2.0));
    assert_eq!(metric(&at_aws, r#"claviger_xks_refusals_total{error="InvalidStateException"}"#), 1.0);
    assert_eq!(metric(&at_aws, "claviger_xks_encryptions_total"), 3.0);
    let p50 = metric(&at_aws, r#"claviger_xks_call_duration_seconds{window="minute",quantile="0.5"}"#);
    let p99 = metric(&at_aws, r#"claviger_xks_call_duration_seconds{window="hour",quantile="0.99"}"#);
    assert!(p50 > 0.0 && p50 <= p99 && p99 < 0.25, "{p50} {p99}");
    // The lab keeps its connections to the proxy.
    assert!(metric(&at_aws, "claviger_xks_connections") >= 1.0);
    let counters = at_aws.prepared.admin.get(&at_aws.key_path("/counters")).expect(200);
    let numbers =
        |n: usize| (counters["versions"][n]["version"].clone(), counters["versions"][n]["encryptions"].clone());
    assert_eq!((numbers(0), numbers(1)), ((json!(2), json!(2)), (json!(1), json!(1))));
    assert!(counters["versions"][1]["last_decrypt_at"].is_string(), "{counters}");
    // Other keys have no such counters.
    let native = json!({"kms": "kms", "region": REGION});
    let native = id(&at_aws.prepared.admin.post(KEYS, native).expect(201));
    at_aws.prepared.admin.get(&format!("{KEYS}/{native}/counters")).expect(400);
}

#[test]
fn health_and_metadata_are_shown_on_the_api_with_a_token_and_nothing_else_is() {
    let at_aws = linked_by_hand();
    let Prepared { appliance, admin, kms, store, .. } = &at_aws.prepared;
    let path = format!("/v1/cckm/aws/xks-proxy-endpoints/{store}/kms/xks/v1");
    let metadata = format!("{path}/keys/{}/metadata", at_aws.key);
    let before = admin.get(&format!("{STORES}/{store}/counters")).expect(200);
    let body = json!({"requestMetadata": {"kmsRequestId": "1", "kmsOperation": "KmsHealthCheck"}});
    let health = admin.post(&format!("{path}/health"), body.clone()).expect(200);
    assert_eq!(
        (&health["xksProxyFleetSize"], &health["ekmFleetDetails"][0]["healthStatus"]),
        (&json!(1), &json!("ACTIVE"))
    );
    let shown = admin.post(&metadata, body.clone()).expect(200);
    assert_eq!(shown, json!({"keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"], "keyStatus": "ENABLED"}));
    assert_eq!(admin.get(&format!("{STORES}/{store}/counters")).expect(200)["calls"], before["calls"], "it is no call");

    for operation in ["encrypt", "decrypt"] {
        let other = format!("{path}/keys/{}/{operation}", at_aws.key);
        admin.post(&other, body.clone()).refused(404, "NCERRResourceNotFound");
    }
    let none = admin.post(&format!("{path}/keys/{store}/metadata"), body.clone());
    assert_eq!((none.status, &none.body["errorName"]), (404, &json!("KeyNotFoundException")));
    appliance.nobody().post(&metadata, body.clone()).refused(401, "NCERRUnauthorized");
    let ann = appliance.user("ann");
    ann.post(&metadata, body.clone()).refused(404, "NCERRResourceNotFound");
    let acl = json!({"user_id": subject(&ann), "actions": ["viewkeystore"], "permit": true});
    admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), acl).expect(200);
    ann.post(&metadata, body.clone()).expect(200);

    at_aws.post(&at_aws.key_path("/block"));
    let blocked = ann.post(&metadata, body.clone());
    assert_eq!((blocked.status, &blocked.body["errorName"]), (400, &json!("InvalidStateException")));
    at_aws.post(&format!("{STORES}/{store}/block"));
    let blocked = ann.post(&format!("{path}/health"), body);
    assert_eq!((blocked.status, &blocked.body["errorName"]), (400, &json!("InvalidStateException")));
}
