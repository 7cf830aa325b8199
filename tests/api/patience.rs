//! How long the server waits for a client that says nothing: as long as the settings say, at each stage.

use crate::appliance::Appliance;
use crate::wire::{connect, read_to_end, shake_hands};
use rustls::StreamOwned;
use std::io::Write;
use std::time::{Duration, Instant};

/// Far beyond the one second that is set, far below every default.
const SOON: Duration = Duration::from_secs(4);

#[test]
fn a_handshake_is_waited_for_as_long_as_the_settings_say() {
    // Longer than where nothing is said, so that a busy machine cannot spoil the test.
    let appliance = Appliance::start_with(&[("CLAVIGER_SERVER_TLS_HANDSHAKE_TIMEOUT_SECONDS", "4")]);
    let begun = Instant::now();
    read_to_end(&mut connect(&appliance));
    assert!(begun.elapsed() > Duration::from_millis(3900), "{:?}", begun.elapsed());
}

#[test]
fn the_rest_of_a_head_is_not_waited_for() {
    let appliance = impatient("CLAVIGER_SERVER_CLIENT_REQUEST_TIMEOUT_SECONDS");
    let mut stream = shake_hands(&appliance);
    let begun = Instant::now();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").expect("sent");
    let told = read_to_end(&mut stream);
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn the_rest_of_a_body_is_not_waited_for() {
    let appliance = impatient("CLAVIGER_SERVER_CLIENT_BODY_TIMEOUT_SECONDS");
    let mut stream = shake_hands(&appliance);
    let begun = Instant::now();
    // Nobody has to be signed in for this one.
    let head = "POST /api/v1/auth/tokens HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("sent");
    let told = read_to_end(&mut stream);
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("NCERRRequestTimeout"), "{told}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn an_idle_connection_is_kept_for_a_while() {
    let appliance = impatient("CLAVIGER_SERVER_KEEP_ALIVE_SECONDS");
    let mut stream = shake_hands(&appliance);
    let ask = |stream: &mut StreamOwned<_, _>| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").expect("sent")
    };
    ask(&mut stream);
    ask(&mut stream);
    let begun = Instant::now();
    let told = read_to_end(&mut stream);
    assert_eq!(told.matches("HTTP/1.1 200 ").count(), 2, "{told}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// With one second for this stage, and a minute or more for all others.
fn impatient(stage: &str) -> Appliance {
    let stages = [
        ("CLAVIGER_SERVER_CLIENT_REQUEST_TIMEOUT_SECONDS", "60"),
        ("CLAVIGER_SERVER_CLIENT_BODY_TIMEOUT_SECONDS", "60"),
        ("CLAVIGER_SERVER_KEEP_ALIVE_SECONDS", "60"),
    ];
    Appliance::start_with(&stages.map(|(name, long)| (name, if name == stage { "1" } else { long })))
}
