//! What one host can do without a token: many wrong logins, many connections, answers that it does not read, and
//! requests that a page of another origin makes in a browser.

use crate::support::appliance::{Appliance, PASSWORD};
use crate::support::client::Client;
use crate::support::raw_http::{connect_from, connect_tls, connect_to, read_to_end, tls_over};
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const TOKENS: &str = "/v1/auth/tokens";
const GROUPS: &str = "/v1/usermgmt/groups";

fn loopback(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

#[test]
fn a_flood_of_logins_leaves_the_memory_within_100_mib() {
    // The real costs of memory; the other tests have cheap hashes.
    let costs = [("CLAVIGER_PASSWORDS_MEMORY_KIB", "19456"), ("CLAVIGER_PASSWORDS_ITERATIONS", "1")];
    let appliance = Appliance::start_with(&costs);
    let first = appliance.nobody();
    first.post(TOKENS, json!({"username": "nobody", "password": "wrong"})).refused(401, "NCERRUnauthorized");
    let at_rest = appliance.resident();
    thread::scope(|scope| {
        for client in 0..60 {
            let nobody = appliance.nobody_from(loopback(2 + client % 4));
            scope.spawn(move || {
                for n in 0..4 {
                    let body = json!({"username": format!("n{client}-{n}"), "password": "wrong"});
                    nobody.post(TOKENS, body).refused(401, "NCERRUnauthorized");
                }
            });
        }
    });
    let after = appliance.resident();
    assert!(after < at_rest + 100, "{after} MiB after, {at_rest} MiB at rest");
}

#[test]
fn large_bodies_and_long_lists_leave_the_memory_within_100_mib() {
    let appliance = Appliance::start_with(&[("CLAVIGER_SERVER_CHANGES_PER_SECOND", "0")]);
    let admin = appliance.admin();
    for n in 0..100 {
        let body = json!({"name": format!("group-{n}"), "client_metadata": {"a": "x".repeat(16_000)}});
        admin.post(GROUPS, body).expect(201);
    }
    let at_rest = appliance.resident();
    thread::scope(|scope| {
        for n in 0..60 {
            let admin = &admin;
            scope.spawn(move || {
                let body = json!({"name": format!("large-{n}"), "unknown": "x".repeat(1024 * 1024 - 100)});
                admin.post(&format!("{GROUPS}?dry_run=true"), body).expect(201);
                let listed = admin.get(&format!("{GROUPS}?limit=-1")).expect(200);
                assert!(listed["total"].as_u64() >= Some(100), "{}", listed["total"]);
            });
        }
    });
    let after = appliance.resident();
    assert!(after < at_rest + 100, "{after} MiB after, {at_rest} MiB at rest");
}

#[test]
fn guesses_from_many_addresses_lock_out_all_but_those_of_the_user() {
    let appliance = Appliance::start();
    let at_home = appliance.nobody();
    appliance.user("ann");
    at_home.sign_in("ann", PASSWORD);
    let wrong = json!({"username": "ann", "password": "wrong"});
    // By the password policy, each address has four guesses before it is locked out.
    thread::scope(|scope| {
        for last in 2..=26 {
            let client = appliance.nobody_from(loopback(last));
            let wrong = &wrong;
            scope.spawn(move || {
                for _ in 0..4 {
                    client.post(TOKENS, wrong.clone()).refused(401, "NCERRUnauthorized");
                }
            });
        }
    });
    let another = appliance.nobody_from(loopback(77));
    let answer = another.post(TOKENS, json!({"username": "ann", "password": PASSWORD}));
    let wait = answer.headers["retry-after"].to_str().expect("text").parse::<u64>().expect("seconds");
    answer.refused(429, "NCERRTooManyRequests");
    assert!((3000..=3600).contains(&wait), "{wait} s");
    at_home.sign_in("ann", PASSWORD);
    another.sign_in("admin", PASSWORD);
}

#[test]
fn one_host_cannot_have_all_connections() {
    let appliance = Appliance::start_with(&[
        ("CLAVIGER_SERVER_MAX_CONNECTIONS", "64"),
        ("CLAVIGER_SERVER_TLS_HANDSHAKE_TIMEOUT_SECONDS", "60"),
    ]);
    // Without a handshake.
    let held: Vec<_> = (0..200).map(|_| connect_from(&appliance, loopback(9))).collect();
    let begun = Instant::now();
    appliance.nobody_from(loopback(8)).get("/healthz").expect(200);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // 16 are served; the others were closed at once.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(still_open(&held), 16);
}

/// How many of these connections the server has not closed.
fn still_open(held: &[TcpStream]) -> usize {
    let open = held.iter().filter(|stream| {
        stream.set_nonblocking(true).expect("set");
        let mut stream = *stream;
        !matches!(stream.read(&mut [0]), Ok(0))
    });
    open.count()
}

/// All of AWS comes to the XKS proxy from a few addresses.
#[test]
fn one_host_can_have_more_connections_to_the_xks_proxy() {
    let appliance = Appliance::start_with(&[
        ("CLAVIGER_SERVER_MAX_CONNECTIONS", "64"),
        ("CLAVIGER_XKS_MAX_CONNECTIONS", "64"),
        ("CLAVIGER_SERVER_TLS_HANDSHAKE_TIMEOUT_SECONDS", "60"),
    ]);
    let held: Vec<_> = (0..40).map(|_| connect_to(&appliance.xks, loopback(9))).collect();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(still_open(&held), 40);
}

#[test]
fn whoever_holds_most_connections_makes_room_first() {
    let appliance = Appliance::start_with(&[
        ("CLAVIGER_SERVER_MAX_CONNECTIONS", "64"),
        ("CLAVIGER_SERVER_TLS_HANDSHAKE_TIMEOUT_SECONDS", "60"),
    ]);
    let held =
        |last: u8, count: usize| -> Vec<_> { (0..count).map(|_| connect_from(&appliance, loopback(last))).collect() };
    let others: Vec<_> = (10..14).map(|last| held(last, 11)).collect();
    let most = held(9, 16);
    let end = Instant::now() + Duration::from_secs(10);
    while still_open(&most) == 16 && Instant::now() < end {
        thread::sleep(Duration::from_millis(100));
    }
    // Of 60 connections, 58 may stay.
    assert_eq!(still_open(&most), 14);
    assert!(others.iter().all(|held| still_open(held) == 11));
    for path in ["/healthz", "/readyz"] {
        appliance.nobody_from(loopback(99)).get(path).expect(200);
    }
}

#[test]
fn idle_connections_make_room_for_others() {
    let appliance = Appliance::start_with(&[
        ("CLAVIGER_SERVER_MAX_CONNECTIONS", "40"),
        ("CLAVIGER_SERVER_WORKERS", "1"),
        ("CLAVIGER_SERVER_KEEP_ALIVE_SECONDS", "600"),
    ]);
    let clients: Vec<Client> = (10..14)
        .flat_map(|last| (0..10).map(move |_| last))
        .map(|last| appliance.nobody_from(loopback(last)))
        .collect();
    let served = clients.iter().filter(|client| client.try_get("/healthz").is_ok_and(|answer| answer.status == 200));
    assert!(served.count() >= 36);
    appliance.nobody_from(loopback(99)).get("/healthz").expect(200);
}

#[test]
fn silent_connections_make_room_for_others() {
    let appliance = Appliance::start_with(&[
        ("CLAVIGER_SERVER_MAX_CONNECTIONS", "40"),
        ("CLAVIGER_SERVER_WORKERS", "1"),
        ("CLAVIGER_SERVER_TLS_HANDSHAKE_TIMEOUT_SECONDS", "60"),
    ]);
    let held: Vec<_> = (10..14).flat_map(|last| (0..10).map(move |_| last)).collect();
    let held: Vec<_> = held.into_iter().map(|last| connect_from(&appliance, loopback(last))).collect();
    let begun = Instant::now();
    appliance.nobody_from(loopback(99)).get("/healthz").expect(200);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?} with {} connections", begun.elapsed(), held.len());
}

#[test]
fn answers_that_nobody_reads_cost_little_memory() {
    let appliance = Appliance::start();
    let answer = appliance.nobody().get("/v1/openapi.json").text.len();
    let before = appliance.resident();
    let held: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect_tls(&appliance);
            stream.sock.set_write_timeout(Some(Duration::from_millis(300))).expect("set");
            for _ in 0..200 {
                if stream.write_all(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n").is_err() {
                    break;
                }
            }
            let _ = stream.flush();
            stream
        })
        .collect();
    let after = appliance.resident();
    // One answer waits for each connection, in clear and encrypted, while buffers grow: about thrice its length.
    let most = before + held.len() as u64 * 3 * answer as u64 / (1024 * 1024) + 15;
    assert!(after < most, "{after} MiB, not {most}, with {} connections, {before} MiB before", held.len());
    appliance.admin().get("/v1/cckm/aws/kms").expect(200);
}

#[test]
fn short_answers_that_nobody_reads_cost_little_memory() {
    let appliance = Appliance::start();
    let request = "GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n";
    unread_answers_cost_little(&appliance, request, || connect_tls(&appliance));
    appliance.admin().get("/v1/cckm/aws/kms").expect(200);
}

#[test]
fn answers_of_the_xks_proxy_that_nobody_reads_cost_little_memory() {
    let appliance = Appliance::start();
    let request = "POST /kms/xks/v1/health HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}";
    unread_answers_cost_little(&appliance, request, || tls_over(&appliance, connect_to(&appliance.xks, loopback(9))));
    appliance.admin().get("/v1/cckm/aws/kms").expect(200);
}

/// Sends a request many times over each of 50 connections, reads nothing, and looks at the memory.
fn unread_answers_cost_little(
    appliance: &Appliance,
    request: &str,
    connect: impl Fn() -> StreamOwned<ClientConnection, TcpStream>,
) {
    appliance.nobody().get("/healthz").expect(200);
    let before = appliance.resident();
    let requests = request.as_bytes().repeat(100);
    let held: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect();
            stream.sock.set_write_timeout(Some(Duration::from_millis(300))).expect("set");
            for _ in 0..200 {
                if stream.write_all(&requests).is_err() {
                    break;
                }
            }
            let _ = stream.flush();
            stream
        })
        .collect();
    let after = appliance.resident();
    // 256 KiB for each connection.
    let most = before + held.len() as u64 / 4 + 15;
    assert!(after < most, "{after} MiB, not {most}, with {} connections, {before} MiB before", held.len());
}

#[test]
fn a_page_of_another_origin_changes_nothing_and_counts_as_no_login() {
    let appliance = Appliance::start();
    let host = appliance.api.trim_start_matches("https://").to_owned();
    let body = json!({"username": "admin", "password": "wrong"}).to_string();
    let send = |headers: &str| {
        let mut stream = connect_tls(&appliance);
        let length = body.len();
        let head = format!(
            "POST /api/v1/auth/tokens HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        read_to_end(&mut stream)
    };
    for headers in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Origin: null\r\n"] {
        for _ in 0..10 {
            let answer = send(headers);
            assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("origin_foreign"), "{answer}");
        }
    }
    appliance.nobody().sign_in("admin", PASSWORD);
    let own = send(&format!("Origin: https://{host}\r\nSec-Fetch-Site: same-origin\r\n"));
    assert!(own.starts_with("HTTP/1.1 401 "), "{own}");
}
