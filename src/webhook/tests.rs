//! The rules for addresses, and the signature.

use super::address::is_local;
use super::*;
use std::net::IpAddr;
use zeroize::Zeroizing;

const STRICT: UrlRules = UrlRules { local_addresses: false, http: false };

#[test]
fn a_url_is_https_and_says_who_is_asked_in_the_clear() {
    for url in ["https://alarms.example.org/a?b=c", "https://10.1.2.3:8443/", "https://[2001:db8::7]/x"] {
        assert!(check_url(url, STRICT).is_ok(), "{url}");
    }
    for (url, problem) in [
        ("", UrlProblem::NotAUrl),
        ("alarms.example.org", UrlProblem::NotAUrl),
        ("mailto:a@example.org", UrlProblem::NotAUrl),
        ("http://alarms.example.org/", UrlProblem::Scheme),
        ("ftp://alarms.example.org/", UrlProblem::Scheme),
        ("https://ann:secret@example.org/", UrlProblem::UserInfo),
        ("https://ann@example.org/", UrlProblem::UserInfo),
        ("https://example.org/#a", UrlProblem::Fragment),
        ("https://localhost/", UrlProblem::Local),
        ("https://LocalHost./", UrlProblem::Local),
        ("https://a.localhost:1/", UrlProblem::Local),
        ("https://127.1/", UrlProblem::Local),
        ("https://2130706433/", UrlProblem::Local),
        ("https://0x7f.0.0.1/", UrlProblem::Local),
        ("https://[::ffff:127.0.0.1]/", UrlProblem::Local),
    ] {
        assert_eq!(check_url(url, STRICT).err(), Some(problem), "{url}");
    }
    let lax = UrlRules { local_addresses: true, http: true };
    assert!(check_url("http://127.0.0.1:9/", lax).is_ok() && check_url("https://localhost/", lax).is_ok());
    assert_eq!(check_url(&format!("https://a.b/{}", "x".repeat(2_000)), lax).err(), Some(UrlProblem::TooLong));
}

#[test]
fn addresses_of_this_machine_and_its_link_are_local_in_every_form() {
    for address in [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "2001:0:7f00:1::1",
        "64:ff9b:1::7f00:1",
        "192.0.0.192",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "2002:7f00:1::1",
    ] {
        assert!(is_local(address.parse::<IpAddr>().expect("an address")), "{address}");
    }
    for address in ["10.0.0.1", "192.168.1.1", "172.16.0.1", "8.8.8.8", "2001:db8::1", "fd12::1", "::ffff:10.0.0.1"] {
        assert!(!is_local(address.parse::<IpAddr>().expect("an address")), "{address}");
    }
}

#[test]
fn a_secret_is_24_to_64_bytes_and_is_not_shown_by_debug() {
    let secret = Secret::of_bytes(Zeroizing::new((0..32).collect()));
    let shown = secret.shown();
    assert_eq!(Secret::parse(&shown).expect("a secret").bytes(), secret.bytes());
    assert_eq!(format!("{secret:?}"), "Secret(32 bytes)");
    for text in ["", "whsec_", "whsec_%%%", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_AAECAw=="] {
        assert!(Secret::parse(text).is_err(), "{text}");
    }
}

/// The vector of the specification Standard Webhooks, by its reference implementation.
#[test]
fn the_signature_is_that_of_standard_webhooks() {
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
    let signature = secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_receiver_says_in_seconds_or_by_a_date_when_it_wants_the_next_attempt() {
    let now = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
    for (text, seconds) in [
        ("0", Some(0)),
        ("120", Some(120)),
        ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("-5", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(sender::wait_in(text, now).map(|wait| wait.as_secs()), seconds, "{text}");
    }
}

#[test]
fn a_refusal_concerns_one_delivery_and_other_errors_concern_all() {
    let status = |code| DeliveryError::Status { code, retry_after: None };
    for code in [400, 401, 404, 410, 413, 422, 499] {
        assert!(status(code).is_refusal(), "{code}");
    }
    for code in [408, 425, 429, 500, 503] {
        assert!(!status(code).is_refusal(), "{code}");
    }
    assert!(!DeliveryError::TimedOut.is_refusal() && !DeliveryError::Redirect(307).is_refusal());
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_is_refused_when_it_is_used() {
    let sender = Sender::new(UrlRules { http: true, ..STRICT }, None).expect("a client");
    let secrets = [Secret::of_bytes(Zeroizing::new(vec![7; 32]))];
    let attempt = |url| Attempt { url, secrets: &secrets, id: "a", seconds: 1, body: b"{}".to_vec() };
    // Saved while the setting allowed it.
    let refused = sender.send(attempt("http://127.0.0.1:9/")).await;
    assert_eq!(refused, Err(DeliveryError::Url(UrlProblem::Local)));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let url = format!("http://{}:9/", host.trim());
    let own = tokio::net::lookup_host((host.trim(), 9)).await.map(Iterator::collect::<Vec<_>>);
    if own.is_ok_and(|own| own.iter().any(|address| is_local(address.ip()))) {
        assert_eq!(sender.send(attempt(&url)).await, Err(DeliveryError::LocalAddress));
    }
    let nowhere = sender.send(attempt("http://nowhere.invalid/")).await;
    assert_eq!(nowhere, Err(DeliveryError::Unresolved));
}
