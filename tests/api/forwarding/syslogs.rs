//! `/v1/configs/syslogs`: receivers on this machine, and the real program.

use super::{group, head};
use crate::support::appliance::{Appliance, id};
use crate::support::client::Client;
use crate::support::syslog_receiver::{Over, SyslogReceiver};
use crate::support::visible_state::VisibleState;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SYSLOGS: &str = "/v1/configs/syslogs";

fn at(syslog: &Value) -> String {
    format!("{SYSLOGS}/{}", id(syslog))
}

/// Adds a receiver; returns it and the number of the record that says so.
fn add(admin: &Client, receiver: &SyslogReceiver, transport: &str) -> (Value, u64) {
    let body = json!({"host": "127.0.0.1", "port": receiver.address.port(), "transport": transport,
        "caCert": receiver.certificate()});
    let made = admin.post(SYSLOGS, body).expect(201);
    let found = admin.get(&format!("/v1/audit/records?resource=forwarder/{}", id(&made))).expect(200);
    (made, found["resources"][0]["number"].as_u64().expect("a number"))
}

/// The number of a record in the structured data of a message; 0 for a failed attempt.
fn number(message: &str) -> u64 {
    let Some((_, rest)) = message.split_once("[claviger@32473 number=\"") else { return 0 };
    rest.split_once('"').and_then(|(number, _)| number.parse().ok()).expect("a number")
}

/// Whether there is a message for each of these records.
fn has_all(messages: &[String], first: u64, last: u64) -> bool {
    missing(messages, first, last) == 0
}

fn missing(messages: &[String], first: u64, last: u64) -> usize {
    let numbers: BTreeSet<u64> = messages.iter().map(|message| number(message)).collect();
    (first..=last).filter(|number| !numbers.contains(number)).count()
}

/// The audit record in a message.
fn record(message: &str) -> Value {
    let (_, text) = message.split_once('\u{feff}').expect("the mark of UTF-8");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_record_arrives_as_the_api_shows_it() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let receivers = [(Over::Udp, "udp"), (Over::Tcp, "tcp"), (Over::Tls, "tls")];
    for (over, transport) in receivers {
        let receiver = SyslogReceiver::start(over);
        let (made, first) = add(&admin, &receiver, transport);
        group(&admin, &format!("group {transport}"));
        let last = head(&admin);
        let messages = receiver.wait_until(|messages| has_all(messages, first, last));
        let message = messages.iter().find(|message| number(message) == last).expect("the last one");
        let mut shown = admin.get(&format!("/v1/audit/records/{last}")).expect(200);
        // Only the API computes what the record changed.
        let members = shown.as_object_mut().expect("members");
        assert!(members.remove("before").is_some() && members.remove("after").is_some(), "{members:?}");
        if over == Over::Udp {
            // A datagram may be cut.
            let begin = format!("\u{feff}{{\"id\":\"{}\"", id(&shown));
            assert!(message.len() <= 1024 && message.contains(&begin), "{message}");
        } else {
            assert_eq!(record(message), shown, "{message}");
        }
        assert!(message.starts_with("<134>1 ") && message.contains(" claviger - Created ["), "{message}");
        let numbers: Vec<_> = messages.iter().map(|message| number(message)).collect();
        assert!(numbers.is_sorted() && numbers[0] == first, "in order, from its own creation on: {numbers:?}");
        let settled = || {
            let now = admin.get(&at(&made)).expect(200);
            (now["lag"] == 0 && now["last_sent_at"].is_string() && now["error"].is_null()).then_some(now)
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while settled().is_none() {
            assert!(Instant::now() < deadline, "{}", admin.get(&at(&made)).expect(200));
            std::thread::sleep(Duration::from_millis(50));
        }
        admin.delete(&at(&made)).expect(204);
    }
}

/// The requests of the vendor's Terraform provider, with the members that it sends empty.
#[test]
fn the_providers_calls_are_served() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let body = json!({"id": "", "account": "", "created_at": "", "updated_at": "", "host": "example.syslog.com",
        "transport": "udp", "port": 0, "caCert": "", "messageFormat": ""});
    let made = admin.post(SYSLOGS, body).expect(201);
    assert_eq!((&made["host"], &made["transport"]), (&json!("example.syslog.com"), &json!("udp")));
    assert_eq!((&made["port"], &made["messageFormat"], &made["caCert"]), (&json!(514), &json!("rfc5424"), &json!("")));
    for member in ["id", "uri", "account", "createdAt", "updatedAt"] {
        assert!(made[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {made}");
    }
    let shown = admin.get(&at(&made)).expect(200);
    assert_eq!((&shown["id"], &shown["createdAt"]), (&made["id"], &made["createdAt"]));
    let change = json!({"id": "", "host": "example1.syslog.com", "transport": "tcp", "port": 0});
    let path = format!("{}/6f8a3b0e-93c4-4b43-8d39-30f5c6b4a7f1", at(&made));
    let changed = admin.patch(&path, change).expect(200);
    assert_eq!((&changed["id"], &changed["host"]), (&made["id"], &json!("example1.syslog.com")));
    assert_eq!((&changed["transport"], &changed["port"]), (&json!("tcp"), &json!(601)));
    let listed = admin.get(&format!("{SYSLOGS}?transport=tcp&host=example1.syslog.com&port=601")).expect(200);
    assert_eq!((&listed["total"], &listed["resources"][0]["id"]), (&json!(1), &made["id"]));
    assert_eq!(admin.get(&format!("{SYSLOGS}?transport=udp")).expect(200)["total"], 0);
    admin.patch(&at(&made), json!({"messageFormat": "cef"})).expect(200);
    assert_eq!(admin.get(&at(&made)).expect(200)["messageFormat"], "cef");
    // The name does not resolve, which is no reason to refuse it.
    let deadline = Instant::now() + Duration::from_secs(30);
    while admin.get(&at(&made)).expect(200)["error"].is_null() {
        assert!(Instant::now() < deadline, "no error is shown");
        std::thread::sleep(Duration::from_millis(100));
    }
    admin.delete(&at(&made)).expect(204);
    admin.get(&at(&made)).refused(404, "NCERRResourceNotFound");
    admin.delete(&at(&made)).refused(404, "NCERRResourceNotFound");
}

#[test]
fn what_is_not_understood_is_refused_and_changes_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let made = admin.post(SYSLOGS, json!({"host": "a.example.org", "transport": "udp"})).expect(201);
    let before = VisibleState::of(&admin);
    let good = json!({"host": "b.example.org", "transport": "udp"});
    let cases = [
        (json!({"host": null}), "host"),
        (json!({"host": "a b"}), "host"),
        (json!({"host": "a:514"}), "host"),
        (json!({"host": 7}), "host"),
        (json!({"transport": ""}), "transport"),
        (json!({"transport": "UDP"}), "transport"),
        (json!({"transport": "dtls"}), "transport"),
        (json!({"transport": "tls"}), "caCert"),
        (json!({"transport": "tls", "caCert": "none"}), "caCert"),
        (
            json!({"transport": "tls", "ca_cert": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}),
            "caCert",
        ),
        (json!({"caCert": "x".repeat(65 * 1024)}), "caCert"),
        (json!({"port": -1}), "port"),
        (json!({"port": 65_536}), "port"),
        (json!({"port": "514"}), "port"),
        (json!({"messageFormat": "json"}), "messageFormat"),
        (json!({"message_format": "RFC3164"}), "messageFormat"),
    ];
    for (wrong, member) in cases {
        let mut body = good.clone();
        body.as_object_mut().expect("members").extend(wrong.as_object().expect("members").clone());
        let has_wrong_type = wrong["host"] == 7 || wrong["port"] == "514";
        let name = if has_wrong_type { "NCERRBadRequest" } else { "NCERRInvalidParamValue" };
        let message = admin.post(SYSLOGS, body).refused(400, name);
        assert!(message.starts_with(member), "{wrong}: {message}");
        if wrong["host"].is_null() && wrong.get("host").is_some() || wrong["transport"] == "" {
            continue; // Such a change keeps the value.
        }
        let message = admin.patch(&at(&made), wrong.clone()).refused(400, name);
        assert!(message.starts_with(member), "{wrong}: {message}");
    }
    admin.get(&format!("{SYSLOGS}?transport=ftp")).refused(400, "NCERRInvalidParamValue");
    admin.patch(&format!("{SYSLOGS}/none"), json!({})).refused(400, "NCERRInvalidParamValue");
    assert_eq!(VisibleState::of(&admin), before);
    assert_eq!(admin.get(SYSLOGS).expect(200)["total"], 1);
}

#[test]
fn a_failed_attempt_arrives_too() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let receiver = SyslogReceiver::start(Over::Tcp);
    add(&admin, &receiver, "tcp");
    let ann = appliance.user("ann");
    ann.post("/v1/usermgmt/groups", json!({"name": "mine"})).refused(403, "NCERRInsufficientPermissions");
    let is_attempt =
        |message: &&String| message.contains("[claviger@32473 attempt=\"") && message.contains("AccessDenied");
    let messages = receiver.wait_until(|messages| messages.iter().any(|message| is_attempt(&message)));
    let message = messages.iter().find(is_attempt).expect("the attempt");
    let shown = admin.get("/v1/audit/records?event=AccessDenied").expect(200);
    assert_eq!(record(message), shown["resources"][0], "as the API shows it");
    assert!(message.starts_with("<131>1 "), "{message}");
}

/// Both sides are killed, one after the other and both at once.
#[test]
fn every_record_arrives_at_least_once_over_restarts() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    // Datagrams that arrive while nobody receives are lost on the way, so this one stays.
    let datagrams = SyslogReceiver::start(Over::Udp);
    let mut streams = [SyslogReceiver::start(Over::Tcp), SyslogReceiver::start(Over::Tls)];
    let (_, first) = add(&admin, &datagrams, "udp");
    add(&admin, &streams[0], "tcp");
    let (_, last_first) = add(&admin, &streams[1], "tls");
    for round in 0..6 {
        let admin = appliance.admin();
        for number in 0..15 {
            group(&admin, &format!("group {round} {number}"));
        }
        if round % 3 != 0 {
            streams.iter_mut().for_each(SyslogReceiver::stop);
            group(&admin, &format!("group {round} while nobody receives"));
        }
        if round % 3 != 1 {
            appliance.kill();
            appliance.restart();
        }
        if round % 3 != 0 {
            streams.iter_mut().for_each(SyslogReceiver::start_again);
        }
    }
    let last = head(&appliance.admin());
    assert!(last > first + 90);
    datagrams.wait_until(|messages| missing(messages, first, last) <= datagrams.dropped());
    for stream in &streams {
        stream.wait_until(|messages| has_all(messages, last_first, last));
    }
}

/// A receiver that reads nothing fills the buffers of its connection.
#[test]
fn a_stalled_receiver_delays_no_answer() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (stalled, other) = (SyslogReceiver::start(Over::Tcp), SyslogReceiver::start(Over::Tcp));
    stalled.stall(true);
    let (slow, _) = add(&admin, &stalled, "tcp");
    let (_, first) = add(&admin, &other, "tcp");
    let metadata = json!({"a": "x".repeat(16_000)});
    let mut slowest = Duration::ZERO;
    for number in 0..500 {
        let began = Instant::now();
        let body = json!({"name": format!("group {number}"), "client_metadata": metadata});
        admin.post("/v1/usermgmt/groups", body).expect(201);
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    let last = head(&admin);
    other.wait_until(|messages| has_all(messages, first, last));
    assert!(stalled.messages().is_empty());
    assert!(admin.get(&at(&slow)).expect(200)["lag"].as_u64().is_some_and(|lag| lag > 0));
    stalled.stall(false);
    stalled.wait_until(|messages| has_all(messages, first, last));
}

#[test]
fn a_receiver_with_the_certificate_of_another_authority_gets_nothing() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (receiver, stranger) = (SyslogReceiver::start(Over::Tls), SyslogReceiver::start(Over::Tls));
    let body = json!({"host": "127.0.0.1", "port": receiver.address.port(), "transport": "tls",
        "ca_cert": stranger.certificate()});
    let made = admin.post(SYSLOGS, body).expect(201);
    let deadline = Instant::now() + Duration::from_secs(20);
    let error = loop {
        let now = admin.get(&at(&made)).expect(200);
        if let Some(error) = now["error"].as_str() {
            break error.to_owned();
        }
        assert!(Instant::now() < deadline, "{now}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(error.contains("certificate"), "{error}");
    assert!(receiver.messages().is_empty());
    // With the right one, everything follows.
    admin.patch(&at(&made), json!({"caCert": receiver.certificate()})).expect(200);
    receiver.wait_until(|messages| !messages.is_empty());
}
