//! Tests of the whole way of a call, without a server and with one.

mod counters;
mod cryptography;
mod errors;
mod publication;
mod rules;
mod server;
mod signature;

use super::*;
use crate::sigv4::{Request, SecretKey, SigningKey};
use chrono::{DateTime, TimeZone as _, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const STORE: Uuid = Uuid::from_u128(0x4a0d_79d6_1d1b_49fd_9dbe_799c_b9c0_fb3f);
pub(super) const REGION: &str = "us-east-1";
const ACCESS_KEY_ID: &str = "QFQ7ZB4VJ2DK5N3XW6RTYHGM";
const SECRET: &str = "FYtE5EFA5FT0mCc3DrGUe2sti527BitkQ0Zr9MO9fvE=";
const PRINCIPAL: &str = "arn:aws:iam::123456789012:user/Alice";
/// A key with one version; one that was rotated to version 2; three with limited usage.
const KEY: &str = "9d6d3b52-1f5e-4b8e-8a55-7c9f2f0d4e21";
const ROTATED: &str = "rotated";
const ENCRYPT_ONLY: &str = "encrypt_only";
const DECRYPT_ONLY: &str = "decrypt_only";
const IMPOTENT: &str = "impotent";

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 28, 12, 0, 0).single().expect("a time that exists")
}

fn material(byte: u8) -> Option<Material> {
    Material::of(&[byte; 32])
}

fn credential(access_key_id: &str, secret: &str) -> Credential {
    Credential { access_key_id: access_key_id.to_owned(), secret_access_key: secret.to_owned().into() }
}

pub(super) fn store() -> StoreEntry {
    StoreEntry {
        id: STORE,
        region: REGION.to_owned(),
        credentials: vec![credential(ACCESS_KEY_ID, SECRET)],
        blocked: false,
        caller_rules: CallerRules::default(),
        rate_limit: None,
        report_successes: false,
        health_key: material(9),
    }
}

fn version(number: u32) -> VersionEntry {
    VersionEntry {
        number,
        material: material(u8::try_from(number).expect("a small number")),
        enabled: true,
        can_encrypt: true,
        can_decrypt: true,
        encryptions: 0,
    }
}

fn key(id: &str, versions: u32) -> KeyEntry {
    KeyEntry {
        xks_key_id: id.to_owned(),
        blocked: false,
        enabled: true,
        caller_rules: CallerRules::default(),
        versions: (1..=versions).map(version).collect(),
        active_version: versions,
    }
}

fn limited(id: &str, can_encrypt: bool, can_decrypt: bool) -> KeyEntry {
    KeyEntry { versions: vec![VersionEntry { can_encrypt, can_decrypt, ..version(1) }], ..key(id, 1) }
}

fn proxy() -> Proxy {
    let proxy = Proxy::new("installation", "1.2.3");
    let keys = vec![
        key(KEY, 1),
        key(ROTATED, 2),
        limited(ENCRYPT_ONLY, true, false),
        limited(DECRYPT_ONLY, false, true),
        limited(IMPOTENT, false, false),
    ];
    proxy.replace_all(vec![(store(), keys)]);
    proxy
}

fn path(rest: &str) -> String {
    format!("{}/{rest}", StoreEntry::uri_path(STORE))
}

fn key_path(key: &str, operation: &str) -> String {
    path(&format!("keys/{key}/{operation}"))
}

/// A signed call, whose parts a test can change before and after the signature.
struct Call {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call {
    fn unsigned(path: &str, body: &str) -> Call {
        let headers = [("host", "xks.example.com:8443"), ("content-type", "application/json")];
        Call {
            method: "POST",
            path: path.to_owned(),
            query: String::new(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.into())).into(),
            body: body.into(),
        }
    }

    fn new(path: &str, body: &Value) -> Call {
        Call::unsigned(path, &body.to_string()).signed()
    }

    fn request(&self) -> Request<'_> {
        let Call { method, path, query, headers, body } = self;
        Request { method, path, query, headers: headers.clone(), body }
    }

    fn signed(self) -> Call {
        self.signed_by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", noon())
    }

    fn signed_by(mut self, access_key_id: &str, secret: &str, region: &str, service: &str, at: DateTime<Utc>) -> Call {
        let key = SecretKey { access_key_id, secret_access_key: secret, session_token: None };
        let added = SigningKey::Secret(key).sign(&self.request(), region, service, at).expect("a signature");
        self.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
        self
    }

    fn header(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.headers.iter_mut().find(|(known, _)| known == name);
        &mut found.expect("the header").1
    }

    fn send(&self, proxy: &Proxy) -> (u16, Value) {
        let answer = proxy.answer(&self.request(), noon());
        assert!(!answer.close && !answer.allow_post);
        (answer.status, serde_json::from_str(&answer.body).expect("JSON"))
    }
}

fn caller() -> Value {
    json!({
        "awsPrincipalArn": PRINCIPAL, "kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd", "kmsOperation":
        "Encrypt", "kmsRequestId": "f1b881f8-2048-41f8-b6cc-382b7857ec61", "kmsViaService": "ebs",
    })
}

/// A body with the caller's metadata and these members.
fn body(members: Value) -> Value {
    let mut body = json!({"requestMetadata": caller()});
    let Value::Object(members) = members else { panic!("not an object") };
    body.as_object_mut().expect("an object").extend(members);
    body
}

fn encrypt_body() -> Value {
    body(json!({"plaintext": "SGVsbG8gV29ybGQh", "encryptionAlgorithm": "AES_GCM"}))
}

/// The body that decrypts an answer of `encrypt`.
fn decrypt_body(encrypted: &Value) -> Value {
    let mut members = encrypted.clone();
    let object = members.as_object_mut().expect("an object");
    object.remove("ciphertextDataIntegrityValue");
    object.insert("encryptionAlgorithm".to_owned(), "AES_GCM".into());
    body(members)
}

fn encrypt(proxy: &Proxy, key: &str) -> Value {
    let (status, answer) = Call::new(&key_path(key, "encrypt"), &encrypt_body()).send(proxy);
    assert_eq!(status, 200, "{answer}");
    answer
}

fn decrypt(proxy: &Proxy, key: &str, body: &Value) -> (u16, Value) {
    Call::new(&key_path(key, "decrypt"), body).send(proxy)
}

/// Asserts that a call is refused with this error.
fn refused(proxy: &Proxy, call: &Call, status: u16, name: &str) {
    let (got, answer) = call.send(proxy);
    assert_eq!((got, answer["errorName"].as_str()), (status, Some(name)), "{} {answer}", call.path);
    let message = answer["errorMessage"].as_str().expect("a message");
    assert!(message.len() < 512 && message.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{message}");
}
