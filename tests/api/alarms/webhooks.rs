//! `/v1/alarms/webhooks`: a receiver on this machine, the real program, and alarms of the lab's keys.

use crate::support::appliance::{Appliance, id};
use crate::support::client::Client;
use crate::support::kms_fixture::KmsFixture;
use crate::support::receiver::{Received, Receiver};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};

const WEBHOOKS: &str = "/v1/alarms/webhooks";
/// The settings with which a receiver on this machine can be used.
const LOCAL: [(&str, &str); 2] =
    [("CLAVIGER_ALARMS_ALLOW_LOCAL_ADDRESSES", "true"), ("CLAVIGER_ALARMS_ALLOW_HTTP", "true")];

fn at(webhook: &Value) -> String {
    format!("{WEBHOOKS}/{}", id(webhook))
}

fn webhook(admin: &Client, name: &str, url: &str) -> Value {
    admin.post(WEBHOOKS, json!({"name": name, "url": url})).expect(201)
}

/// Checks the signature of a delivery, and returns its body.
#[track_caller]
fn verified(received: &Received, secret: &Value) -> Value {
    let signatures: Vec<_> = received.headers["webhook-signature"].split(' ').collect();
    assert_eq!(signatures.len(), 1, "{signatures:?}");
    verified_by(received, secret, signatures[0])
}

/// Checks one of the signatures of a delivery, and returns its body.
#[track_caller]
fn verified_by(received: &Received, secret: &Value, signature: &str) -> Value {
    let secret = secret.as_str().expect("a secret").strip_prefix("whsec_").expect("the prefix");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).expect("base64"));
    let header = |name: &str| received.headers.get(name).unwrap_or_else(|| panic!("{name}: {received:?}"));
    let mut signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).into_bytes();
    signed.extend(&received.body);
    let signature = signature.strip_prefix("v1,").expect("a version");
    let signature = STANDARD.decode(signature).expect("base64");
    hmac::verify(&key, &signed, &signature).expect("the signature fits");
    assert_eq!(header("content-type"), "application/json");
    let body: Value = serde_json::from_slice(&received.body).expect("JSON");
    assert_eq!(&body["id"], header("webhook-id"));
    body
}

/// Reads a webhook until it is as expected.
#[track_caller]
fn until(admin: &Client, webhook: &Value, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let now = admin.get(&at(webhook)).expect(200);
        if holds(&now) {
            return now;
        }
        assert!(Instant::now() < deadline, "{now}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_webhook_is_made_shown_changed_and_deleted_and_its_secret_is_shown_once() {
    let fixture = KmsFixture::new();
    let admin = &fixture.admin;
    let body = json!({"name": "ops", "url": "https://alarms.example.org/a", "conditions": ["key_disabled", "rotation_off"],
        "kms": ["fixture"], "enabled": false, "description": "d", "labels": {"a": "b"}});
    let made = admin.post(WEBHOOKS, body.clone()).expect(201);
    let secret = made["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_") && STANDARD.decode(&secret[6..]).expect("base64").len() == 32);
    for member in ["name", "url", "enabled", "description", "labels"] {
        assert_eq!(made[member], body[member], "{member}");
    }
    assert_eq!((&made["kms"], &made["conditions"]), (&json!([fixture.kms]), &json!(["key_disabled", "rotation_off"])));
    assert_eq!((&made["pending"], &made["lost"], &made["last_error"]), (&json!(0), &json!(0), &Value::Null));
    let shown = admin.get(&at(&made)).expect(200);
    assert_eq!(shown.get("secret"), None);
    assert_eq!(admin.get(&format!("{WEBHOOKS}?name=op*")).expect(200)["resources"], json!([shown]));
    assert!(!fixture.appliance.log().contains(&secret[6..]));

    let changed = admin.patch(&at(&made), json!({"name": "ops 2", "conditions": [], "kms": [], "enabled": true}));
    let changed = changed.expect(200);
    assert_eq!((&changed["name"], &changed["conditions"], &changed["kms"]), (&json!("ops 2"), &json!([]), &json!([])));
    assert_eq!((&changed["url"], &changed["description"]), (&body["url"], &body["description"]));
    admin.patch(&at(&made), json!({"secret": secret})).refused(400, "NCERRInvalidParamValue");

    let given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let rotated = admin.post(&format!("{}/rotate-secret", at(&made)), json!({"secret": given})).expect(200);
    assert_eq!(rotated["secret"], given);
    let again = admin.post(&format!("{}/rotate-secret", at(&made)), json!({})).expect(200);
    assert!(again["secret"] != given && again["secret"] != made["secret"]);

    admin.post(WEBHOOKS, json!({"name": "ops 2", "url": "https://a.example.org"})).refused(409, "NCERRConflict");
    admin.delete(&at(&made)).expect(204);
    admin.get(&at(&made)).refused(404, "NCERRResourceNotFound");
}

#[test]
fn urls_that_reach_this_machine_or_are_not_https_are_refused_by_default() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    for url in [
        "http://alarms.example.org/",
        "https://127.0.0.1/",
        "https://localhost:1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/latest",
        "https://169.254.169.254/latest",
        "https://0.0.0.0/",
        "https://[fe80::1]/",
        "https://2130706433/",
        "https://ann:secret@alarms.example.org/",
        "alarms.example.org",
        "file:///etc/passwd",
    ] {
        let message = admin.post(WEBHOOKS, json!({"name": "x", "url": url})).refused(400, "NCERRInvalidParamValue");
        assert!(message.starts_with("url: "), "{message}");
    }
    for body in [
        json!({"name": "x"}),
        json!({"url": "https://a.example.org"}),
        json!({"name": "x", "url": "https://a.example.org", "conditions": ["everything"]}),
        json!({"name": "x", "url": "https://a.example.org", "secret": "abc"}),
        json!({"name": "x", "url": "https://a.example.org", "labels": []}),
    ] {
        admin.post(WEBHOOKS, body).refused(400, "NCERRInvalidParamValue");
    }
    let unknown = json!({"name": "x", "url": "https://a.example.org", "kms": ["none"]});
    admin.post(WEBHOOKS, unknown).refused(404, "NCERRResourceNotFound");
    assert_eq!(admin.get(WEBHOOKS).expect(200)["total"], 0);
}

/// The settings may become stricter after a webhook was saved, and a name may resolve to another address.
#[test]
fn a_webhook_with_a_local_address_delivers_nothing_once_the_setting_forbids_it() {
    let receiver = Receiver::start();
    let mut appliance = Appliance::start_with(&LOCAL);
    let made = webhook(&appliance.admin(), "ops", &receiver.url());
    assert_eq!(appliance.terminate().code(), Some(0));
    appliance.restart_with(&[("CLAVIGER_ALARMS_ALLOW_HTTP", "true")]);
    let tested = appliance.admin().post(&format!("{}/test", at(&made)), json!({})).expect(200);
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(false), &Value::Null));
    assert!(tested["error"].as_str().is_some_and(|error| error.contains("allow_local_addresses")), "{tested}");
    assert!(receiver.received().is_empty());
}

#[test]
fn an_alarm_arrives_signed_and_only_at_the_webhooks_that_want_it() {
    let fixture = KmsFixture::with(&LOCAL);
    let (all, few) = (Receiver::start(), Receiver::start());
    let wants_all = webhook(&fixture.admin, "all", &all.url());
    let body = json!({"name": "few", "url": few.url(), "conditions": ["deletion_scheduled"]});
    let wants_few = fixture.admin.post(WEBHOOKS, body).expect(201);
    let key = fixture.create(json!({"Alias": "payroll"}));
    fixture.change(&key, "disable", json!({}));
    fixture.change(&key, "schedule-deletion", json!({"days": 7}));

    let deliveries: Vec<Value> = all.wait_for(2).iter().map(|one| verified(one, &wants_all["secret"])).collect();
    let names: Vec<_> = deliveries.iter().map(|one| one["alarm"]["name"].clone()).collect();
    assert_eq!(names, ["key_disabled", "deletion_scheduled"], "in order");
    let alarm = &deliveries[0]["alarm"];
    assert_eq!(
        (&alarm["cause"], &alarm["caused_by"], &alarm["kms"]),
        (&json!("here"), &json!("admin"), &json!("fixture"))
    );
    assert_eq!((&alarm["key_id"], &alarm["resource"]), (&key["id"], &key["aws_param"]["Arn"]));
    assert_eq!(deliveries[0]["type"], "alarm");
    assert_ne!(deliveries[0]["id"], deliveries[1]["id"]);
    let only = few.wait_for(1);
    assert_eq!(verified(&only[0], &wants_few["secret"])["alarm"]["name"], "deletion_scheduled");
    until(&fixture.admin, &wants_all, |now| now["pending"] == 0 && now["last_delivery_at"].is_string());
    assert_eq!((all.received().len(), few.received().len()), (2, 1), "each once");
}

#[test]
fn a_test_delivery_shows_its_outcome_and_redirects_are_not_followed() {
    let appliance = Appliance::start_with(&LOCAL);
    let admin = appliance.admin();
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    let made = webhook(&admin, "ops", &receiver.url());
    let test = || admin.post(&format!("{}/test", at(&made)), json!({})).expect(200);
    let tested = test();
    assert_eq!((&tested["delivered"], &tested["status"], &tested["error"]), (&json!(true), &json!(204), &Value::Null));
    let body = verified(&receiver.received()[0], &made["secret"]);
    assert_eq!((&body["type"], &body["alarm"]["name"]), (&json!("test"), &json!("test")));

    receiver.redirect_to(&elsewhere.url());
    let tested = test();
    assert_eq!(tested["delivered"], false);
    assert!(tested["error"].as_str().is_some_and(|error| error.contains("307")), "{tested}");
    receiver.answer_with(500);
    assert!(test()["error"].as_str().is_some_and(|error| error.contains("500")));
    assert!(elsewhere.received().is_empty(), "the redirect was not followed");
    assert_eq!(admin.get(&at(&made)).expect(200)["last_error"], Value::Null, "a test records nothing");

    let rotated = admin.post(&format!("{}/rotate-secret", at(&made)), json!({})).expect(200);
    receiver.answer_with(200);
    test();
    // For a day a receiver may have either secret.
    let received = receiver.received().pop().expect("a delivery");
    let signatures: Vec<_> = received.headers["webhook-signature"].split(' ').collect();
    assert_eq!(signatures.len(), 2, "{signatures:?}");
    verified_by(&received, &rotated["secret"], signatures[0]);
    verified_by(&received, &made["secret"], signatures[1]);
}

#[test]
fn a_receiver_that_is_down_is_tried_again_and_shown_and_a_restart_forgets_nothing() {
    let mut fixture = KmsFixture::with(&LOCAL);
    let (down, up) = (Receiver::start(), Receiver::start());
    down.answer_with(503);
    let failing = webhook(&fixture.admin, "down", &down.url());
    webhook(&fixture.admin, "up", &up.url());
    let key = fixture.create(json!({}));
    fixture.change(&key, "disable", json!({}));
    fixture.change(&key, "enable", json!({}));
    fixture.change(&key, "disable", json!({}));
    // The other webhook is not delayed.
    assert_eq!(up.wait_for(2).len(), 2);
    let shown = until(&fixture.admin, &failing, |now| now["failed_since"].is_string());
    assert_eq!((&shown["pending"], &shown["lost"]), (&json!(2), &json!(0)));
    assert!(shown["last_error"].as_str().is_some_and(|error| error.contains("503")), "{shown}");
    assert_eq!(fixture.admin.get(&format!("{WEBHOOKS}?failing=true")).expect(200)["total"], 1);
    let attempts = down.wait_for(3);
    let ids: Vec<_> = attempts.iter().map(|one| &one.headers["webhook-id"]).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "the first alarm, each time with its id: {ids:?}");

    fixture.appliance.kill();
    down.answer_with(200);
    let before = down.received().len();
    fixture.restart();
    let later = down.wait_for(before + 2);
    assert_eq!(later[before].headers["webhook-id"], *ids[0], "it continues with the first");
    let shown = until(&fixture.admin, &failing, |now| now["pending"] == 0);
    assert_eq!((&shown["last_error"], &shown["failed_since"]), (&Value::Null, &Value::Null));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(down.received().len(), before + 2, "nothing is delivered twice");
    assert_eq!(up.received().len(), 2);
}

/// Nobody listens at first, so that the connection itself fails; then the URL is corrected, which ends the pause.
#[test]
fn a_corrected_url_is_used_at_once() {
    let fixture = KmsFixture::with(&LOCAL);
    let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
    let made = webhook(&fixture.admin, "ops", &format!("http://{free}/"));
    let key = fixture.create(json!({}));
    fixture.change(&key, "disable", json!({}));
    until(&fixture.admin, &made, |now| now["last_error"].is_string());
    let receiver = Receiver::start();
    fixture.admin.patch(&at(&made), json!({"url": receiver.url()})).expect(200);
    receiver.wait_for(1);
    until(&fixture.admin, &made, |now| now["pending"] == 0 && now["last_error"].is_null());
}

#[test]
fn an_alarm_that_is_refused_holds_up_no_other_and_is_tried_again() {
    let fixture = KmsFixture::with(&LOCAL);
    let receiver = Receiver::start();
    let made = webhook(&fixture.admin, "ops", &receiver.url());
    receiver.refuse("key_disabled", 422);
    let key = fixture.create(json!({}));
    fixture.change(&key, "disable", json!({}));
    fixture.change(&key, "schedule-deletion", json!({"days": 7}));
    let name = |one: &Received| verified(one, &made["secret"])["alarm"]["name"].as_str().expect("a name").to_owned();
    let names = || receiver.received().iter().map(name).collect::<Vec<_>>();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !names().contains(&"deletion_scheduled".to_owned()) {
        assert!(Instant::now() < deadline, "{:?}", names());
        std::thread::sleep(Duration::from_millis(20));
    }
    let shown = until(&fixture.admin, &made, |now| now["pending"] == 1);
    assert_eq!(shown["lost"], 0);
    let refused = names().iter().filter(|name| *name == "key_disabled").count();
    receiver.refuse("nothing", 422);
    until(&fixture.admin, &made, |now| now["pending"] == 0 && now["last_error"].is_null());
    let (all, others) = (names(), |name: &&String| *name == "deletion_scheduled");
    assert!(all.iter().filter(|name| *name == "key_disabled").count() > refused);
    assert_eq!(all.iter().filter(others).count(), 1, "what was accepted is not sent again");
}

#[test]
fn a_receiver_that_says_when_it_can_be_tried_again_is_left_alone_until_then() {
    let fixture = KmsFixture::with(&LOCAL);
    let receiver = Receiver::start();
    webhook(&fixture.admin, "ops", &receiver.url());
    receiver.ask_for_patience(3);
    let key = fixture.create(json!({}));
    fixture.change(&key, "disable", json!({}));
    receiver.wait_for(1);
    receiver.answer_with(200);
    let attempts = receiver.wait_for(2);
    let pause = attempts[1].at.duration_since(attempts[0].at);
    assert!(pause >= Duration::from_secs(3), "{pause:?}");
}

#[test]
fn a_receiver_that_does_not_answer_delays_no_other() {
    let fixture = KmsFixture::with(&LOCAL);
    let (hanging, fast) = (Receiver::start(), Receiver::start());
    hanging.hang();
    let slow = webhook(&fixture.admin, "slow", &hanging.url());
    webhook(&fixture.admin, "fast", &fast.url());
    let key = fixture.create(json!({}));
    for what in ["disable", "enable", "disable", "enable", "disable"] {
        fixture.change(&key, what, json!({}));
    }
    hanging.wait_for(1);
    let began = Instant::now();
    assert_eq!(fast.wait_for(3).len(), 3);
    assert!(began.elapsed() < Duration::from_secs(8), "an attempt at the other lasts ten seconds");
    assert_eq!(fixture.admin.get(&at(&slow)).expect(200)["pending"], 3);
    let shown = until(&fixture.admin, &slow, |now| now["last_error"].is_string());
    assert!(shown["last_error"].as_str().is_some_and(|error| error.contains("10 seconds")), "{shown}");
}

/// The receiver has the alarm, and the program ends before that is recorded.
#[test]
fn a_delivery_that_was_not_recorded_is_repeated_with_the_same_id() {
    let mut fixture = KmsFixture::with(&LOCAL);
    let receiver = Receiver::start();
    receiver.hang();
    let made = webhook(&fixture.admin, "ops", &receiver.url());
    let key = fixture.create(json!({}));
    fixture.change(&key, "disable", json!({}));
    receiver.wait_for(1);
    fixture.appliance.kill();
    receiver.answer_with(200);
    fixture.restart();
    let received = receiver.wait_for(2);
    let bodies: Vec<Value> = received.iter().map(|one| verified(one, &made["secret"])).collect();
    assert_eq!((bodies[0]["id"].is_string(), &bodies[0]), (true, &bodies[1]));
    until(&fixture.admin, &made, |now| now["pending"] == 0);
    assert_eq!(receiver.received().len(), 2);
}
