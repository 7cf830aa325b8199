//! Signature Version 4, in headers or in the query string.
//!
//! The module uses nothing else of the program. `sign.rs` signs a request: with a secret access key, or with the
//! private key of an X.509 certificate, as IAM Roles Anywhere requires. `claim.rs` parses the signature of a request,
//! `canonical.rs` builds the canonical request, and this file verifies the signature. The checks are in AWS's order, so
//! that a request with several faults gets the same answer. The caller looks up the secret key. `strict.rs` verifies
//! signatures where a failure must not tell its reason; `derived_key.rs` has the key of a scope, which a caller may
//! keep.

use aws_lc_rs::{constant_time, digest};
use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};

mod algorithm;
mod canonical;
mod certificate;
mod claim;
mod derived_key;
mod error;
mod identity;
mod query;
mod sign;
mod strict;

pub use algorithm::Algorithm;
pub use certificate::{Certificate, CertificateError, Untrusted};
pub use claim::{Claim, Scope};
pub use derived_key::DerivedKey;
pub use error::SignatureError;
pub use identity::{Identity, IdentityError};
pub use query::pairs as query_pairs;
pub use sign::{SecretKey, SigningKey};

/// The tolerated difference of the client's clock, in minutes.
const SKEW_MINUTES: i64 = 5;
/// The maximum validity of a presigned request: a week, in seconds.
const MAX_PRESIGNED_SECONDS: i64 = 604_800;
/// The format of times in signatures.
const BASIC: &str = "%Y%m%dT%H%M%SZ";
const TERMINATOR: &str = "aws4_request";

/// A request as received, with all escapes.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: &'a str,
    /// The path with its escapes, without the query string.
    pub path: &'a str,
    /// The query string with its escapes; empty if the request has none.
    pub query: &'a str,
    /// The header fields in their order, with names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The first value of a header field, if the value is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        std::str::from_utf8(value).ok()
    }
}

impl Claim {
    /// Checks what does not need the key: time, signed headers and scope.
    ///
    /// # Errors
    /// The first fault, in AWS's order.
    pub fn check_form(&self, request: &Request<'_>, service: &str, now: DateTime<Utc>) -> Result<(), SignatureError> {
        self.check_time(now)?;
        self.check_signed_headers(request)?;
        let Scope { date, service: scoped, terminator, .. } = &self.scope;
        let mut faults = String::new();
        if scoped != service {
            faults.push_str(&format!("Credential should be scoped to correct service: '{service}'. "));
        }
        if terminator != TERMINATOR {
            let fault =
                format!("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. ");
            faults.push_str(&fault);
        }
        let (today, time) = (self.time.format("%Y%m%d").to_string(), self.time.format(BASIC));
        if *date != today {
            faults.push_str(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' \
                 != '{today}', from '{time}'."
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(SignatureError::Wrong(faults)) }
    }

    /// Verifies the signature with a secret key.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`].
    pub fn verify(&self, request: &Request<'_>, secret_access_key: &str) -> Result<(), SignatureError> {
        if self.algorithm != Algorithm::Secret {
            return Err(Algorithm::unsupported(self.algorithm.name()));
        }
        let signature = DerivedKey::of(secret_access_key, &self.scope).sign(&self.text_of(request)?);
        constant_time::verify_slices_are_equal(signature.as_bytes(), self.signature.as_bytes())
            .map_err(|_| SignatureError::Mismatch)
    }

    /// Verifies the signature with the certificate that the request carries, and returns the certificate. The caller
    /// must check that it trusts the certificate.
    ///
    /// # Errors
    /// When the request has no certificate or another one than it names, or when the signature does not match.
    pub fn verify_with_certificate(&self, request: &Request<'_>) -> Result<Certificate, SignatureError> {
        if self.algorithm == Algorithm::Secret {
            return Err(SignatureError::Wrong(format!("Unsupported AWS 'algorithm': '{}'.", self.algorithm.name())));
        }
        let missing = || SignatureError::Incomplete("The request must have the header 'X-Amz-X509'.".to_owned());
        let certificate = Certificate::of_request(request).ok_or_else(missing)?;
        let certificate = certificate.map_err(|error| SignatureError::Incomplete(format!("'X-Amz-X509' {error}.")))?;
        if certificate.serial_number() != self.access_key_id {
            let fault = "The credential does not name the serial number of the certificate.";
            return Err(SignatureError::Wrong(fault.to_owned()));
        }
        let signature = unhex(&self.signature).ok_or(SignatureError::Mismatch)?;
        match certificate.verifies(self.algorithm, self.text_of(request)?.as_bytes(), &signature) {
            true => Ok(certificate),
            false => Err(SignatureError::Mismatch),
        }
    }

    /// The string to sign of a request with this signature.
    fn text_of(&self, request: &Request<'_>) -> Result<String, SignatureError> {
        let body_hash = body_hash(request.body);
        // The declared hash is part of the signature, so that it must match the body.
        if let Some(declared) = request.header("x-amz-content-sha256")
            && declared != body_hash
        {
            return Err(SignatureError::Mismatch);
        }
        Ok(self.string_to_sign(&canonical::request(request, self, &body_hash)))
    }

    fn check_time(&self, now: DateTime<Utc>) -> Result<(), SignatureError> {
        let skew = TimeDelta::minutes(SKEW_MINUTES);
        let untimely = |text: String| Err(SignatureError::Untimely(text));
        let (signed, clock) = (self.time.format(BASIC), now.format(BASIC));
        if self.time > now + skew {
            let limit = (now + skew).format(BASIC);
            return untimely(format!(
                "Signature not yet current: {signed} is still later than {limit} ({clock} + {SKEW_MINUTES} min.)"
            ));
        }
        let (life, allowance) = match self.expires {
            Some(seconds) => (TimeDelta::seconds(seconds), format!("{seconds} sec.")),
            None => (skew, format!("{SKEW_MINUTES} min.")),
        };
        if self.time < now - life {
            let limit = (now - life).format(BASIC);
            return untimely(format!(
                "Signature expired: {signed} is now earlier than {limit} ({clock} - {allowance})"
            ));
        }
        Ok(())
    }

    fn check_signed_headers(&self, request: &Request<'_>) -> Result<(), SignatureError> {
        let signed = |name: &str| self.signed_headers.iter().any(|known| known == name);
        if !signed("host") {
            let fault = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(SignatureError::Wrong(fault.to_owned()));
        }
        // AWS requires a signature of every x-amz-* header. A third party could have added an unsigned one.
        match request.headers.iter().find(|(name, _)| name.starts_with("x-amz-") && !signed(name)) {
            Some((name, _)) => {
                Err(SignatureError::Wrong(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")))
            }
            None => Ok(()),
        }
    }

    fn string_to_sign(&self, canonical: &[u8]) -> String {
        let Scope { date, region, service, terminator } = &self.scope;
        let hash = hex(digest::digest(&digest::SHA256, canonical).as_ref());
        let time = basic(self.time);
        format!("{}\n{time}\n{date}/{region}/{service}/{terminator}\n{hash}", self.algorithm.name())
    }
}

fn body_hash(body: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, body).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// A time in the format [`BASIC`]. chrono's formatting takes a considerable part of the time of a verification.
fn basic(time: DateTime<Utc>) -> String {
    let year = u32::try_from(time.year()).unwrap_or(0);
    let mut text = String::with_capacity(16);
    let mut push = |number: u32, end: &str| {
        text.extend([number / 10 % 10, number % 10].map(|digit| char::from_digit(digit, 10).unwrap_or('0')));
        text.push_str(end);
    };
    push(year / 100, "");
    push(year, "");
    push(time.month(), "");
    push(time.day(), "T");
    push(time.hour(), "");
    push(time.minute(), "");
    push(time.second(), "Z");
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

#[cfg(test)]
pub mod test_ca;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod x509_tests;
