//! Operations on custom key stores at AWS that are interrupted: the program is killed between two steps and started
//! again, or AWS's answer is lost. Afterwards AWS and the program agree, and the operation has an outcome.
//!
//! The lab holds the program before one call to AWS: all calls before it were made; this one and those after it were
//! not.
//!
//! | operation | killed before | then |
//! |---|---|---|
//! | create, link | the call that makes the store | the store is not at AWS; a new one is not here either |
//! | create | reading back | it is linked |
//! | rotate-credential of a blocked store | its call | AWS refuses the new credential, and it is gone |
//! | connect, disconnect, update, rotate-credential, delete | its call; reading back | it is carried out |
//! | create in a CloudHSM cluster | the call; reading back | there is no store; it is there |
//! | connect with a password | the call that tells AWS the password | it is not connected, and the password can be given again |

use super::custom_key_stores_cloudhsm as cloud_hsm;
use super::custom_key_stores_linked::{Fixture, fixture, fixture_with};
use crate::support::appliance::{id, program, run_to_end};
use crate::support::lab::LabClient;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

const STORES: &str = "/v1/cckm/aws/custom-key-stores";
const DESCRIBE: &str = "DescribeCustomKeyStores";

/// A request for an operation.
type Request = (Method, String, Value);

fn post(path: String) -> Request {
    (Method::POST, path, json!({}))
}

/// The operations on key stores without an outcome.
fn open_operations(fixture: &Fixture) -> BTreeSet<String> {
    let data = fixture.prepared.appliance.data();
    let (code, output, errors) = run_to_end(program().args(["events", "--stream", "key-store/", "--data"]).arg(data));
    assert_eq!(code, Some(0), "{errors}");
    let mut open = BTreeSet::new();
    for line in output.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        for (name, said) in line["event"]["KeyStore"][1].as_object().into_iter().flatten() {
            match name.as_str() {
                "OperationRequested" => assert!(open.insert(said["operation"].to_string())),
                "OperationDone" | "OperationFailed" | "OperationReconciled" => {
                    assert!(open.remove(&said["operation"].to_string()));
                }
                _ => {}
            }
        }
    }
    open
}

/// Sends a request, kills the program before a call to AWS, of which `earlier` precede it, starts the program again,
/// and waits until the operation has an outcome.
#[track_caller]
fn interrupt(fixture: &mut Fixture, earlier: u32, before: &str, (method, path, body): Request) {
    let held = json!({"service": "kms", "operation": before, "delay_ms": 120_000});
    let passed = json!({"service": "kms", "operation": before, "times": earlier});
    let passed = if earlier > 0 { vec![passed] } else { vec![] };
    fixture.lab.set_faults(&json!([&passed[..], &[held][..]].concat()));
    let admin = fixture.prepared.admin.clone();
    let asking = thread::spawn(move || admin.try_send(method, &path, Some(body.to_string().into_bytes())));
    fixture.lab.wait_until_faults_met();
    fixture.prepared.appliance.kill();
    assert!(asking.join().expect("a thread").is_err(), "{before}: answered before the end");
    assert_eq!(open_operations(fixture).len(), 1, "{before}: the intent is in the log");
    fixture.prepared.appliance.restart();
    fixture.prepared.admin = fixture.prepared.appliance.admin();
    fixture.lab = LabClient::of(&fixture.prepared.appliance);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !open_operations(fixture).is_empty() {
        assert!(Instant::now() < deadline, "{before}: no outcome\n{}", fixture.prepared.appliance.log());
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_interrupted_creation_leaves_nothing_or_a_linked_store() {
    let mut fixture = fixture();
    let create = |fixture: &Fixture, name: &str| (Method::POST, STORES.to_owned(), fixture.body(name));
    let request = create(&fixture, "first");
    interrupt(&mut fixture, 0, "CreateCustomKeyStore", request);
    assert!(fixture.at_aws().is_empty());
    fixture.prepared.admin.get(&format!("{STORES}/first")).refused(404, "NCERRResourceNotFound");
    let request = create(&fixture, "second");
    interrupt(&mut fixture, 0, DESCRIBE, request);
    let store = fixture.get("second");
    assert_eq!(store["aws_param"]["custom_key_store_id"], fixture.at_aws()[0]["CustomKeyStoreId"]);
    // The name is free, and the other one serves.
    fixture.create("first");
    fixture.post(&id(&store), "connect");
    fixture.until(&id(&store), "CONNECTED");

    let unlinked = fixture.prepared.store.clone();
    interrupt(&mut fixture, 0, "CreateCustomKeyStore", post(format!("{STORES}/{unlinked}/link")));
    assert_eq!(fixture.get(&unlinked)["local_hosted_params"]["linked_state"], false);
    let address = json!({"aws_param": {"xks_proxy_uri_endpoint": "https://elsewhere.example.com"}});
    let linked = fixture.prepared.admin.post(&format!("{STORES}/{unlinked}/link"), address).expect(200);
    assert_eq!((&linked["local_hosted_params"]["linked_state"], fixture.at_aws().len()), (&json!(true), 3));
}

#[test]
fn an_interrupted_connection_or_disconnection_is_carried_out() {
    let mut fixture = fixture();
    let store = id(&fixture.create("one"));
    // The store is read before the call, and after it.
    for (earlier, before) in [(0, "ConnectCustomKeyStore"), (1, DESCRIBE)] {
        interrupt(&mut fixture, earlier, before, post(format!("{STORES}/{store}/connect")));
        fixture.until(&store, "CONNECTED");
        interrupt(
            &mut fixture,
            earlier,
            &before.replace("Connect", "Disconnect"),
            post(format!("{STORES}/{store}/disconnect")),
        );
        fixture.until(&store, "DISCONNECTED");
    }
}

#[test]
fn an_interrupted_change_is_carried_out() {
    let mut fixture = fixture();
    let store = id(&fixture.create("one"));
    for (name, earlier, before) in [("two", 0, "UpdateCustomKeyStore"), ("three", 1, DESCRIBE)] {
        let endpoint = format!("https://{name}.example.com");
        let patch = json!({"name": name, "enable_success_audit_event": true,
            "aws_param": {"xks_proxy_uri_endpoint": endpoint}});
        interrupt(&mut fixture, earlier, before, (Method::PATCH, format!("{STORES}/{store}"), patch));
        let (here, there) = (fixture.get(&store), &fixture.at_aws()[0]);
        assert_eq!((&here["name"], &there["CustomKeyStoreName"]), (&json!(name), &json!(name)), "{before}");
        assert_eq!(here["aws_param"]["xks_proxy_uri_endpoint"], endpoint);
        assert_eq!(there["XksProxyConfiguration"]["UriEndpoint"], endpoint);
        assert_eq!(here["enable_success_audit_event"], true);
    }
}

#[test]
fn an_interrupted_rotation_of_the_credential_is_carried_out() {
    let mut fixture = fixture();
    let created = fixture.create("one");
    let store = id(&created);
    fixture.post(&store, "connect");
    fixture.until(&store, "CONNECTED");
    let key = fixture.key(&created);
    let mut known = created["access_key_id"].clone();
    for (earlier, before) in [(0, "UpdateCustomKeyStore"), (1, DESCRIBE)] {
        interrupt(&mut fixture, earlier, before, post(format!("{STORES}/{store}/rotate-credential")));
        let now = fixture.get(&store)["access_key_id"].clone();
        assert_ne!(now, known, "{before}");
        assert_eq!(fixture.at_aws()[0]["XksProxyConfiguration"]["AccessKeyId"], now, "{before}");
        fixture.encrypt_and_decrypt(&key);
        known = now;
    }
}

#[test]
fn a_credential_that_aws_refuses_after_an_interruption_goes_again() {
    let mut fixture = fixture();
    let mut body = fixture.body("one");
    body["local_hosted_params"]["max_credentials"] = json!(2);
    let created = fixture.prepared.admin.post(STORES, body).expect(201);
    let store = id(&created);
    // AWS checks the health of a store with the new credential, and a blocked one has none.
    fixture.post(&store, "block");
    interrupt(&mut fixture, 0, "UpdateCustomKeyStore", post(format!("{STORES}/{store}/rotate-credential")));
    let shown = fixture.get(&store);
    assert_eq!((&shown["access_key_id"], &shown["credential_count"]), (&created["access_key_id"], &json!(1)));
    assert_eq!(fixture.at_aws()[0]["XksProxyConfiguration"]["AccessKeyId"], created["access_key_id"]);
    // The store is not full of credentials that nobody can delete.
    fixture.post(&store, "unblock");
    let rotated = fixture.post(&store, "rotate-credential");
    assert_eq!(fixture.at_aws()[0]["XksProxyConfiguration"]["AccessKeyId"], rotated["access_key_id"]);
}

#[test]
fn an_interrupted_deletion_is_carried_out() {
    let mut fixture = fixture();
    for (earlier, before) in [(0, DESCRIBE), (0, "DeleteCustomKeyStore")] {
        let store = id(&fixture.create("one"));
        interrupt(&mut fixture, earlier, before, (Method::DELETE, format!("{STORES}/{store}"), json!({})));
        assert!(fixture.at_aws().is_empty(), "{before}");
        fixture.prepared.admin.get(&format!("{STORES}/{store}")).refused(404, "NCERRResourceNotFound");
    }
}

#[test]
fn an_interrupted_operation_on_a_store_in_a_cluster_loses_the_password_only() {
    let mut fixture = fixture();
    let create = |name: &str| (Method::POST, STORES.to_owned(), cloud_hsm::body(name, cloud_hsm::PASSWORD));
    interrupt(&mut fixture, 0, "CreateCustomKeyStore", create("first"));
    assert!(fixture.at_aws().is_empty());
    fixture.prepared.admin.get(&format!("{STORES}/first")).refused(404, "NCERRResourceNotFound");
    interrupt(&mut fixture, 0, DESCRIBE, create("hsm"));
    let store = fixture.get("hsm");
    assert_eq!((&store["type"], fixture.at_aws().len()), (&json!("CloudHSM"), 1));
    assert_eq!(store["aws_param"]["number_of_hsms_in_cloudhsm_cluster"], 2);
    // AWS has the password, but that is not certain: it is told once more.
    let path = format!("{STORES}/{}/connect", id(&store));
    let password = json!({"key_store_password": cloud_hsm::PASSWORD});
    interrupt(&mut fixture, 0, "UpdateCustomKeyStore", (Method::POST, path.clone(), password.clone()));
    assert_eq!(fixture.get("hsm")["aws_param"]["connection_state"], "DISCONNECTED");
    interrupt(&mut fixture, 0, "ConnectCustomKeyStore", (Method::POST, path.clone(), password.clone()));
    assert_eq!(fixture.get("hsm")["aws_param"]["connection_state"], "DISCONNECTED");
    let told = fixture.lab.calls("kms:UpdateCustomKeyStore");
    fixture.prepared.admin.post(&path, password).expect(200);
    fixture.until("hsm", "CONNECTED");
    assert_eq!(fixture.lab.calls("kms:UpdateCustomKeyStore"), told + 1);
}

#[test]
fn a_lost_answer_of_aws_is_found_again() {
    let fixture = fixture();
    let admin = &fixture.prepared.admin;
    let lose = |operation: &str| {
        fixture.lab.set_faults(&json!([{"service": "kms", "operation": operation, "answer": "drop"}]));
    };
    lose("CreateCustomKeyStore");
    let created = fixture.create("one");
    let store = id(&created);
    assert_eq!(created["secret_access_key"].as_str().map(str::len), Some(44));
    assert_eq!((fixture.lab.calls("kms:CreateCustomKeyStore"), fixture.at_aws().len()), (1, 1));
    assert_eq!(created["aws_param"]["custom_key_store_id"], fixture.at_aws()[0]["CustomKeyStoreId"]);
    lose("CreateCustomKeyStore");
    let hsm = admin.post(STORES, cloud_hsm::body("hsm", cloud_hsm::PASSWORD)).expect(201);
    assert!(hsm["aws_param"]["custom_key_store_id"].as_str().is_some_and(|id| id.starts_with("cks-")), "{hsm}");
    lose("ConnectCustomKeyStore");
    fixture.post(&store, "connect");
    fixture.until(&store, "CONNECTED");
    lose("UpdateCustomKeyStore");
    let rotated = fixture.post(&store, "rotate-credential");
    let first = |fixture: &Fixture| fixture.at_aws().into_iter().find(|seen| seen["CustomKeyStoreName"] == "one");
    let seen = first(&fixture).expect("the store");
    assert_eq!(seen["XksProxyConfiguration"]["AccessKeyId"], rotated["access_key_id"]);
    // AWS would refuse these calls if they were sent again: the store is read instead.
    lose("DisconnectCustomKeyStore");
    fixture.post(&store, "disconnect");
    fixture.until(&store, "DISCONNECTED");
    lose("DeleteCustomKeyStore");
    admin.delete(&format!("{STORES}/{store}")).expect(204);
    assert_eq!(first(&fixture), None);
    admin.get(&format!("{STORES}/{store}")).refused(404, "NCERRResourceNotFound");
    assert!(open_operations(&fixture).is_empty());
}

/// AWS calls the proxy before it answers: nothing that the proxy needs may wait for the call to AWS.
#[test]
fn one_thread_of_each_kind_is_enough_while_aws_calls_back() {
    let one = [("TOKIO_WORKER_THREADS", "1"), ("CLAVIGER_SERVER_WORKERS", "1"), ("CLAVIGER_XKS_WORKERS", "1")];
    let fixture = fixture_with(&one);
    let admin = &fixture.prepared.admin;
    let begun = Instant::now();
    let created = fixture.create("one");
    let store = id(&created);
    let address = json!({"aws_param": {"xks_proxy_uri_endpoint": "https://elsewhere.example.com"}});
    let linked = admin.post(&format!("{STORES}/{}/link", fixture.prepared.store), address).expect(200);
    assert_eq!(linked["local_hosted_params"]["linked_state"], true);
    let rotated = fixture.post(&store, "rotate-credential");
    let seen = fixture.at_aws().into_iter().find(|seen| seen["CustomKeyStoreName"] == "one").expect("the store");
    assert_eq!(seen["XksProxyConfiguration"]["AccessKeyId"], rotated["access_key_id"]);
    fixture.post(&store, "connect");
    fixture.until(&store, "CONNECTED");
    fixture.encrypt_and_decrypt(&fixture.key(&created));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
