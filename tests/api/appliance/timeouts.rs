//! The timeouts of the server for silent clients, at each stage of a connection, are those of the settings.

use crate::support::appliance::Appliance;
use crate::support::lab::LabClient;
use crate::support::raw_http::{connect, connect_tls, read_to_end};
use rustls::StreamOwned;
use serde_json::json;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// Far longer than the one second that the tests set, and far shorter than every default.
const SOON: Duration = Duration::from_secs(4);

#[test]
fn a_handshake_is_waited_for_as_long_as_the_settings_say() {
    // The timeout is longer than elsewhere in this file, so that the test passes on a busy machine.
    let appliance = Appliance::start_with(&[("CLAVIGER_SERVER_TLS_HANDSHAKE_TIMEOUT_SECONDS", "4")]);
    let begun = Instant::now();
    read_to_end(&mut connect(&appliance));
    assert!(begun.elapsed() > Duration::from_millis(3900), "{:?}", begun.elapsed());
}

#[test]
fn the_rest_of_a_head_is_not_waited_for() {
    let appliance = with_short_timeout("CLAVIGER_SERVER_CLIENT_REQUEST_TIMEOUT_SECONDS");
    let mut stream = connect_tls(&appliance);
    let begun = Instant::now();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").expect("sent");
    let answer = read_to_end(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn the_rest_of_a_body_is_not_waited_for() {
    let appliance = with_short_timeout("CLAVIGER_SERVER_CLIENT_BODY_TIMEOUT_SECONDS");
    let mut stream = connect_tls(&appliance);
    let begun = Instant::now();
    // This request needs no token.
    let head = "POST /api/v1/auth/tokens HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("sent");
    let answer = read_to_end(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("NCERRRequestTimeout"), "{answer}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn an_idle_connection_is_kept_for_a_while() {
    let appliance = with_short_timeout("CLAVIGER_SERVER_KEEP_ALIVE_SECONDS");
    let mut stream = connect_tls(&appliance);
    let ask = |stream: &mut StreamOwned<_, _>| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").expect("sent")
    };
    ask(&mut stream);
    ask(&mut stream);
    let begun = Instant::now();
    let answer = read_to_end(&mut stream);
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2, "{answer}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// actix has a timer for the first head only.
#[test]
fn the_rest_of_a_second_head_is_not_waited_for() {
    let appliance = with_short_timeouts();
    let mut stream = connect_tls(&appliance);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").expect("sent");
    let mut first = [0; 15];
    stream.read_exact(&mut first).expect("an answer");
    let begun = Instant::now();
    stream.write_all(b"G").expect("sent");
    read_to_end(&mut stream);
    assert!(&first == b"HTTP/1.1 200 OK" && begun.elapsed() < CLOSED, "{:?}", begun.elapsed());
}

#[test]
fn the_rest_of_a_body_in_chunks_is_not_waited_for_after_the_answer() {
    let appliance = with_short_timeouts();
    for path in ["/api/v1/auth/tokens", "/api/v1/cckm/aws/kms"] {
        let mut stream = connect_tls(&appliance);
        let begun = Instant::now();
        let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        let answer = read_to_end(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
        assert!(begun.elapsed() < CLOSED, "{path}: {:?}", begun.elapsed());
    }
}

#[test]
fn an_answer_that_is_not_read_does_not_hold_its_connection() {
    let appliance = with_short_timeouts();
    let mut stream = connect_tls(&appliance);
    // The answer is far larger than the buffers between server and client.
    for _ in 0..400 {
        if stream.write_all(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n").is_err() {
            break;
        }
    }
    std::thread::sleep(CLOSED);
    let begun = Instant::now();
    let answer = read_to_end(&mut stream);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(answer.matches("HTTP/1.1 200 OK").count() < 400, "all was answered");
}

/// A slow answer of the server is not the client's fault.
#[test]
fn a_slow_answer_is_waited_for() {
    let appliance = with_short_timeouts();
    let slow = json!([{"service": "sts", "operation": "GetCallerIdentity", "delay_ms": 6000}]);
    LabClient::of(&appliance).set_faults(&slow);
    let admin = appliance.admin();
    admin.post("/v1/cckm/aws/accounts", json!({"connection": "test_aws-connection"})).expect(200);
}

#[test]
fn a_head_is_answered_without_a_body() {
    let appliance = Appliance::start();
    let mut stream = connect_tls(&appliance);
    stream.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").expect("sent");
    let answer = read_to_end(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
}

/// Longer than a server of [`with_short_timeouts`] waits at any stage.
const CLOSED: Duration = Duration::from_secs(8);

/// An appliance with a timeout of one second for each stage.
fn with_short_timeouts() -> Appliance {
    let stages = ["CLIENT_REQUEST_TIMEOUT", "CLIENT_BODY_TIMEOUT", "CLIENT_ANSWER_TIMEOUT", "KEEP_ALIVE"];
    let settings: Vec<_> = stages.iter().map(|stage| format!("CLAVIGER_SERVER_{stage}_SECONDS")).collect();
    Appliance::start_with(&settings.iter().map(|name| (name.as_str(), "1")).collect::<Vec<_>>())
}

/// An appliance with a timeout of one second for this stage, and of a minute or more for the others.
fn with_short_timeout(stage: &str) -> Appliance {
    let stages = [
        ("CLAVIGER_SERVER_CLIENT_REQUEST_TIMEOUT_SECONDS", "60"),
        ("CLAVIGER_SERVER_CLIENT_BODY_TIMEOUT_SECONDS", "60"),
        ("CLAVIGER_SERVER_KEEP_ALIVE_SECONDS", "60"),
    ];
    Appliance::start_with(&stages.map(|(name, long)| (name, if name == stage { "1" } else { long })))
}
