//! Signatures of AWS KMS's calls to an external key store. They are always in the `Authorization` header, and a failure
//! must neither tell which part is wrong nor take another time than a wrong secret key does. So nothing here returns a
//! reason, and a caller can verify a decoy when the header cannot be read.

use aws_lc_rs::constant_time;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::claim::parse_credential;
use super::{Algorithm, Claim, DerivedKey, Request, SKEW_MINUTES, Scope, TERMINATOR, basic, body_hash, canonical};

/// The length of a signature: SHA-256 in hexadecimal.
const SIGNATURE_CHARACTERS: usize = 64;

impl Claim {
    /// Parses the one `Authorization` header of a request, and returns `None` if there is none, more than one, or one
    /// that deviates from AWS's form in anything. The signature covers `host` and `x-amz-date` at least, and only
    /// headers that were sent.
    pub fn read_strictly(request: &Request<'_>) -> Option<Claim> {
        if !request.query.is_empty() {
            return None;
        }
        let rest = only(request, "authorization")?.strip_prefix(Algorithm::Secret.name())?.strip_prefix(' ')?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim_matches(' ').split_once('=')?;
            let member = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if member.replace(value).is_some() {
                return None;
            }
        }
        let (access_key_id, scope) = parse_credential(credential?).ok()?;
        let signed_headers: Vec<String> = signed_headers?.split(';').map(str::to_owned).collect();
        let sent = |name: &String| request.headers.iter().any(|(sent, _)| sent == name);
        let covers = |name: &str| signed_headers.iter().any(|signed| signed == name);
        if !(covers("host") && covers("x-amz-date") && signed_headers.iter().all(sent)) {
            return None;
        }
        let signature = signature?;
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if signature.len() != SIGNATURE_CHARACTERS || !signature.bytes().all(hexadecimal) {
            return None;
        }
        Some(Claim {
            algorithm: Algorithm::Secret,
            access_key_id,
            scope,
            time: basic_time(only(request, "x-amz-date")?)?,
            session_token: None,
            signed_headers,
            signature: signature.to_owned(),
            expires: None,
        })
    }

    /// A claim whose verification takes as long as that of a real one, and fails.
    pub fn decoy(region: &str, service: &str, now: DateTime<Utc>) -> Claim {
        Claim {
            algorithm: Algorithm::Secret,
            access_key_id: String::new(),
            scope: Scope {
                date: now.format("%Y%m%d").to_string(),
                region: region.to_owned(),
                service: service.to_owned(),
                terminator: TERMINATOR.to_owned(),
            },
            time: now,
            session_token: None,
            signed_headers: vec!["host".to_owned(), "x-amz-date".to_owned()],
            signature: "-".repeat(SIGNATURE_CHARACTERS),
            expires: None,
        }
    }

    /// Whether the scope is that of this region and service and of the signature's day, and the signature is at most
    /// five minutes away from `now`.
    pub fn is_for(&self, region: &str, service: &str, now: DateTime<Utc>) -> bool {
        let Scope { date, region: scoped, service: scoped_service, terminator } = &self.scope;
        scoped == region
            && scoped_service == service
            && terminator == TERMINATOR
            && basic(self.time).split_once('T').is_some_and(|(day, _)| day == date)
            && (now - self.time).abs() <= TimeDelta::minutes(SKEW_MINUTES)
    }

    /// Whether the signature is that of the request with this key. The hash of the body is computed here: a header
    /// `x-amz-content-sha256` is never believed.
    pub fn is_signed_with(&self, request: &Request<'_>, key: &DerivedKey) -> bool {
        let text = self.string_to_sign(&canonical::request(request, self, &body_hash(request.body)));
        constant_time::verify_slices_are_equal(key.sign(&text).as_bytes(), self.signature.as_bytes()).is_ok()
    }
}

/// The value of a header that was sent exactly once.
fn only<'r>(request: &'r Request<'_>, name: &str) -> Option<&'r str> {
    let mut values = request.headers.iter().filter(|(sent, _)| sent == name);
    let (_, value) = values.next()?;
    if values.next().is_some() { None } else { std::str::from_utf8(value).ok() }
}

/// A time in ISO 8601's basic format, without the variants that a lenient parser accepts.
fn basic_time(text: &str) -> Option<DateTime<Utc>> {
    let form = |(byte, at): (u8, usize)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 16 || !text.bytes().zip(0..).all(form) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(number(0, 4)?.try_into().ok()?, number(4, 6)?, number(6, 8)?)?;
    Some(date.and_hms_opt(number(9, 11)?, number(11, 13)?, number(13, 15)?)?.and_utc())
}
