//! Signatures: every deviation is refused, with one answer.

use super::*;
use aws_lc_rs::{digest, hmac};
use chrono::TimeDelta;
use std::fmt::Write as _;

fn unsigned() -> Call {
    Call::unsigned(&path("health"), &encrypt_body().to_string())
}

fn replace(call: &mut Call, header: &str, from: &str, to: &str) {
    let value = call.header(header);
    let text = String::from_utf8(value.clone()).expect("UTF-8");
    assert!(text.contains(from), "{text} has no {from}");
    *value = text.replace(from, to).into();
}

/// A signed call with another text in its `Authorization` header.
fn edited(from: &str, to: &str) -> Call {
    let mut call = unsigned().signed();
    replace(&mut call, "authorization", from, to);
    call
}

/// A call that is signed over the headers of the list alone.
fn signed_over(names: &[&str]) -> Call {
    let mut call = unsigned();
    let (kept, rest) = call.headers.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
    call.headers = kept;
    let mut call = call.signed();
    call.headers.extend::<Vec<_>>(rest);
    call
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes all");
        text
    })
}

/// A call that is rightly signed, but over these headers alone and in a scope with this end. A header that was not sent
/// counts as empty. It shares nothing with the code under test.
fn signed_in(list: &str, terminator: &str) -> Call {
    let mut call = unsigned();
    call.headers.push(("x-amz-date".to_owned(), b"20261128T120000Z".to_vec()));
    let value = |name: &str| {
        let sent = call.headers.iter().find(|(known, _)| known == name);
        String::from_utf8(sent.map(|(_, value)| value.clone()).unwrap_or_default()).expect("UTF-8")
    };
    let headers: String = list.split(';').map(|name| format!("{name}:{}\n", value(name))).collect();
    let hash = |bytes: &[u8]| hex(digest::digest(&digest::SHA256, bytes).as_ref());
    let canonical = format!("POST\n{}\n\n{headers}\n{list}\n{}", call.path, hash(&call.body));
    let scope = ["20261128", REGION, "kms-xks-proxy", terminator];
    let text = format!("AWS4-HMAC-SHA256\n20261128T120000Z\n{}\n{}", scope.join("/"), hash(canonical.as_bytes()));
    let sign =
        |key: &[u8], data: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data.as_bytes()).as_ref().to_vec();
    let key = scope.iter().fold(format!("AWS4{SECRET}").into_bytes(), |key, part| sign(&key, part));
    let (scope, signature) = (scope.join("/"), hex(&sign(&key, &text)));
    let header =
        format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{scope}, SignedHeaders={list}, Signature={signature}");
    call.headers.push(("authorization".to_owned(), header.into_bytes()));
    call
}

#[test]
fn a_signature_must_cover_host_and_date_and_only_what_was_sent() {
    let proxy = proxy();
    for (list, terminator, expected) in [
        ("host;x-amz-date", "aws4_request", 200),
        ("content-type;host;x-amz-date", "aws4_request", 200),
        ("content-type;host", "aws4_request", 401),
        ("content-type;x-amz-date", "aws4_request", 401),
        ("absent;host;x-amz-date", "aws4_request", 401),
        ("host;x-amz-date", "aws5_request", 401),
        ("host;x-amz-date", "", 401),
    ] {
        assert_eq!(signed_in(list, terminator).send(&proxy).0, expected, "{list} {terminator}");
    }
}

fn wrong() -> Vec<(&'static str, Call)> {
    let by = |id, secret, region, service, at| unsigned().signed_by(id, secret, region, service, at);
    let changed = |change: &dyn Fn(&mut Call)| {
        let mut call = unsigned().signed();
        change(&mut call);
        call
    };
    let day = TimeDelta::days(1);
    let add = |name: &str, value: &str| {
        let (name, value) = (name.to_owned(), value.as_bytes().to_vec());
        changed(&move |call: &mut Call| call.headers.push((name.clone(), value.clone())))
    };
    let signature_of = |call: &Call| {
        let value = call.headers.iter().find(|(name, _)| name == "authorization").expect("a signature");
        let text = String::from_utf8(value.1.clone()).expect("UTF-8");
        text.rsplit_once("Signature=").expect("a signature").1.to_owned()
    };
    let upper = {
        let call = unsigned().signed();
        edited(&signature_of(&call), &signature_of(&call).to_uppercase())
    };
    let flipped = {
        let signature = signature_of(&unsigned().signed());
        let last = if signature.ends_with('0') { "1" } else { "0" };
        edited(&signature, &format!("{}{last}", &signature[..63]))
    };
    vec![
        ("no signature", unsigned()),
        ("an empty header", changed(&|call| *call.header("authorization") = Vec::new())),
        ("not UTF-8", changed(&|call| call.header("authorization").push(0xff))),
        (
            "two headers",
            changed(&|call| {
                let value = call.header("authorization").clone();
                call.headers.push(("authorization".to_owned(), value));
            }),
        ),
        ("another scheme", changed(&|call| *call.header("authorization") = b"Bearer abc".to_vec())),
        ("another algorithm", edited("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")),
        ("a certificate's algorithm", edited("AWS4-HMAC-SHA256", "AWS4-X509-RSA-SHA256")),
        ("no credential", edited("Credential=", "Credentia=")),
        ("an unknown part", edited("Credential=", "Other=1, Credential=")),
        ("a part twice", edited("Credential=", "Signature=0, Credential=")),
        ("an incomplete scope", edited("/aws4_request", "")),
        ("another terminator", edited("aws4_request", "aws5_request")),
        ("another day", edited("/20261128/", "/20261127/")),
        ("upper case", upper),
        ("a short signature", edited("Signature=", "Signature=,")),
        ("a wrong signature", flipped),
        ("another secret", by(ACCESS_KEY_ID, "wrong", REGION, "kms-xks-proxy", noon())),
        ("an unknown access key id", by("ZZZZZZZZZZZZZZZZZZZZZZZZ", SECRET, REGION, "kms-xks-proxy", noon())),
        ("an empty access key id", by("", SECRET, REGION, "kms-xks-proxy", noon())),
        ("another region", by(ACCESS_KEY_ID, SECRET, "us-east-2", "kms-xks-proxy", noon())),
        ("another service", by(ACCESS_KEY_ID, SECRET, REGION, "kms", noon())),
        ("too old", by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", noon() - TimeDelta::seconds(301))),
        ("too new", by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", noon() + TimeDelta::seconds(301))),
        ("a day old", by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", noon() - day)),
        ("another date", changed(&|call| replace(call, "x-amz-date", "T12", "T11"))),
        (
            "a lenient date",
            changed(&|call| replace(call, "x-amz-date", "20261128T120000Z", "Sat, 28 Nov 2026 12:00:00 GMT")),
        ),
        ("two dates", add("x-amz-date", "20261128T120000Z")),
        ("no date", changed(&|call| call.headers.retain(|(name, _)| name != "x-amz-date"))),
        ("host not signed", signed_over(&["content-type"])),
        ("date not signed", edited(";x-amz-date", "")),
        ("a signed header that was not sent", edited("content-type;", "content-type;extra;")),
        ("a changed signed header", changed(&|call| *call.header("content-type") = b"application/json;a=b".to_vec())),
        ("another host", changed(&|call| *call.header("host") = b"xks.example.com".to_vec())),
        ("another body", changed(&|call| call.body.push(b' '))),
        (
            "a body whose hash is declared",
            changed(&|call| {
                call.body.push(b' ');
                call.headers.push(("x-amz-content-sha256".to_owned(), b"UNSIGNED-PAYLOAD".to_vec()));
            }),
        ),
        ("another method's signature", changed(&|call| call.path = key_path(KEY, "metadata"))),
        ("a query string", Call { query: "a=b".to_owned(), ..unsigned() }.signed()),
    ]
}

#[test]
fn every_refusal_of_a_signature_has_one_answer() {
    let proxy = proxy();
    let first = proxy.answer(&unsigned().request(), noon());
    assert_eq!(first.status, 401);
    for (what, call) in wrong() {
        assert_eq!(proxy.answer(&call.request(), noon()), first, "{what}");
    }
    assert_eq!(proxy.counters(STORE, noon()).expect("the store").last_call_at, None);
}

#[test]
fn an_unsigned_call_learns_nothing_of_keys_states_and_bodies() {
    let proxy = proxy();
    let first = proxy.answer(&unsigned().request(), noon());
    proxy.put_key(STORE, KeyEntry { blocked: true, ..key(KEY, 1) });
    for (id, body) in [(KEY, "{}"), (ROTATED, ""), ("other", "{}"), (IMPOTENT, "[]")] {
        let call = Call::unsigned(&key_path(id, "encrypt"), body);
        assert_eq!(proxy.answer(&call.request(), noon()), first, "{id}");
    }
    proxy.put_store(StoreEntry { blocked: true, rate_limit: std::num::NonZeroU32::new(1), ..store() });
    for _ in 0..3 {
        assert_eq!(proxy.answer(&unsigned().request(), noon()), first);
    }
}

#[test]
fn five_minutes_of_clock_skew_and_repeated_calls_are_served() {
    let proxy = proxy();
    for seconds in [-300, 0, 300] {
        let at = noon() + TimeDelta::seconds(seconds);
        let call = unsigned().signed_by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", at);
        // AWS's signatures have no nonce, so a repeated call within the five minutes is served again.
        for _ in 0..2 {
            assert_eq!(call.send(&proxy).0, 200, "{seconds}");
        }
    }
    // The day of the scope is that of the signature, not that of the clock.
    let midnight = Utc.with_ymd_and_hms(2026, 11, 29, 0, 1, 0).single().expect("a time");
    let call = unsigned().signed_by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", midnight - TimeDelta::minutes(3));
    assert_eq!(proxy.answer(&call.request(), midnight).status, 200);
    assert_eq!(proxy.answer(&call.request(), midnight + TimeDelta::minutes(3)).status, 401);
    // On the next day the key is another one, and both days are served at once.
    let next = unsigned().signed_by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", midnight);
    for call in [&next, &call, &next] {
        assert_eq!(proxy.answer(&call.request(), midnight).status, 200);
    }
}

#[test]
fn headers_that_are_not_signed_change_nothing() {
    let proxy = proxy();
    // AWS signs host and x-amz-date alone.
    for mut call in [signed_over(&["host"]), unsigned().signed()] {
        for (name, value) in
            [("x-amz-cf-id", "of a load balancer"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("date", "today")]
        {
            call.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
        assert_eq!(call.send(&proxy).0, 200);
    }
}

#[test]
fn every_credential_of_the_store_is_valid_and_those_of_others_are_not() {
    let proxy = proxy();
    let (old, new) = (credential(ACCESS_KEY_ID, SECRET), credential("NEWNEWNEWNEWNEWNEWNEWNEW", "the new secret"));
    proxy.put_store(StoreEntry { credentials: vec![old, new], ..store() });
    let other = StoreEntry {
        id: Uuid::from_u128(7),
        credentials: vec![credential("OTHEROTHEROTHEROTHER2345", "x")],
        ..store()
    };
    proxy.put_store(other);
    let by = |id, secret| unsigned().signed_by(id, secret, REGION, "kms-xks-proxy", noon());
    assert_eq!(by(ACCESS_KEY_ID, SECRET).send(&proxy).0, 200);
    assert_eq!(by("NEWNEWNEWNEWNEWNEWNEWNEW", "the new secret").send(&proxy).0, 200);
    refused(&proxy, &by("OTHEROTHEROTHEROTHER2345", "x"), 401, "AuthenticationFailedException");
    refused(&proxy, &by(ACCESS_KEY_ID, "the new secret"), 401, "AuthenticationFailedException");
    proxy.put_store(StoreEntry {
        credentials: vec![credential("NEWNEWNEWNEWNEWNEWNEWNEW", "the new secret")],
        ..store()
    });
    refused(&proxy, &by(ACCESS_KEY_ID, SECRET), 401, "AuthenticationFailedException");
    let used = proxy.counters(STORE, noon()).expect("the store").credentials;
    let expected = CredentialUse { access_key_id: "NEWNEWNEWNEWNEWNEWNEWNEW".to_owned(), last_used_at: Some(noon()) };
    assert_eq!(used, [expected]);
}
