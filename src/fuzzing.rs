//! Entry points for fuzzing: the readers of everything that others write, each as a function of bytes. None may panic,
//! hang or exhaust the memory, whatever it is given, and what is read and printed must read the same again. `fuzz/` calls
//! them with made-up bytes, and `tests/api/corpus.rs` with the kept ones.

use crate::aws;
use crate::aws::cloudtrail::TrailEvent;
use crate::domain::cron::Cron;
use crate::domain::place::{Arn, ExternalId, RoleArn};
use crate::domain::source_key::kind::{AesSize, Curve, RsaSize, SourceKeyKind};
use crate::domain::time::Time;
use crate::http::routes::endpoint_groups;
use crate::ledger::Record;
use crate::policy::{Policy, Reading, normal_form};
use crate::service::material::{Encoding, Material, WantedKind, export_wrapping};
use crate::sigv4::{Certificate, Claim, Request};
use base64::Engine;
use chrono::{DateTime, Utc};
use std::sync::OnceLock;

/// What a fuzzer calls with made-up bytes.
pub type EntryPoint = fn(&[u8]);

/// Each entry point, with the name of its directory in `fuzz/corpus/`.
pub const TARGETS: &[(&str, EntryPoint)] = &[
    ("record", record),
    ("body", body),
    ("policy", policy),
    ("material", material),
    ("certificate", certificate),
    ("sigv4", sigv4),
    ("aws_xml", aws_xml),
    ("aws_json", aws_json),
    ("cron", cron),
    ("arn", arn),
];

/// A record of the log.
pub fn record(bytes: &[u8]) {
    let _ = Record::decode(bytes).map(|record| record.stream());
}

/// The body of every endpoint that takes one.
pub fn body(bytes: &[u8]) {
    type BodyReader = fn(&[u8]) -> bool;
    static READERS: OnceLock<Vec<BodyReader>> = OnceLock::new();
    let readers = READERS.get_or_init(|| {
        let endpoints = endpoint_groups().into_iter().flat_map(|group| group.endpoints);
        endpoints.filter_map(|endpoint| endpoint.description().reads_body).collect()
    });
    for reads in readers {
        reads(bytes);
    }
}

/// A policy, of a key or of an identity.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Policy::of_key(text);
    let _ = Policy::of_identity(text);
    let _ = Reading::of(text);
    if let Some(normal) = normal_form::of_key(text, "aws") {
        assert_eq!(normal_form::of_key(&normal, "aws"), Some(normal), "the normal form of a policy has another one");
    }
}

/// Material that a client supplies: PEM, DER, BER, base64 and hexadecimal digits.
pub fn material(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in [
        SourceKeyKind::Aes(AesSize::Aes256),
        SourceKeyKind::Rsa(RsaSize::Rsa2048),
        SourceKeyKind::Ec(Curve::Secp256r1),
        SourceKeyKind::Ec(Curve::Secp256k1),
    ] {
        for encoding in [None, Some(Encoding::Hex), Some(Encoding::Base64), Some(Encoding::Pem)] {
            let _ = Material::read(WantedKind::OfAlgorithm(kind), encoding, text);
        }
    }
    let _ = export_wrapping::public_key(text);
}

/// A certificate in PEM, or in DER.
pub fn certificate(bytes: &[u8]) {
    let pem = match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN") => text.to_owned(),
        Ok(_) | Err(_) => {
            let der = base64::engine::general_purpose::STANDARD.encode(bytes);
            format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
        }
    };
    if let Ok(certificate) = Certificate::from_pem(&pem) {
        let _ = (certificate.serial_number(), certificate.serial_number_in_hex(), certificate.common_name());
        let _ = certificate.check_path(&certificate, now());
    }
}

/// A signed request: its first line is the path with the query, each further one a header field, up to an empty line; the
/// rest is the body.
pub fn sigv4(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (path, query) = lines.next().map(|line| line.split_once('?').unwrap_or((line, ""))).unwrap_or_default();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.as_bytes().to_vec())).collect();
    let request = Request { method: "POST", path, query, headers, body: body.as_bytes() };
    let _ = Claim::read_strictly(&request);
    if let Ok(claim) = Claim::read(&request) {
        let _ = claim.check_form(&request, "kms", now());
        let _ = claim.verify(&request, "a secret that nobody has");
        let _ = claim.verify_with_certificate(&request);
    }
}

/// An answer of AWS in XML.
pub fn aws_xml(bytes: &[u8]) {
    aws::is_xml(bytes);
}

/// An event of CloudTrail, the longest JSON that AWS gives.
pub fn aws_json(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = TrailEvent::parse(text);
    }
}

/// A cron expression.
pub fn cron(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(cron) = Cron::parse(text) {
        let now = Time::of(now());
        assert!(cron.next_after(now).is_none_or(|next| next > now), "it is due in the past");
        assert_eq!(Cron::parse(cron.as_str()).as_ref(), Ok(&cron), "it prints as another one");
    }
}

/// An ARN, the ARN of a role, an external id.
pub fn arn(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(arn) = Arn::parse(text) {
        assert_eq!(arn.to_string(), text, "it prints as another one");
    }
    if let Ok(role) = RoleArn::parse(text) {
        assert_eq!(role.as_arn().to_string(), text, "it prints as another one");
    }
    let _ = ExternalId::parse(text);
}

/// The same moment in each run.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap_or_default()
}
