//! Parses the signature of a request, from the `Authorization` header or from the query string.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime, Utc};

use super::{Algorithm, BASIC, MAX_PRESIGNED_SECONDS, Request, SignatureError, query};

/// A signature with the data for its verification, except the secret key.
#[derive(Debug, Clone)]
pub struct Claim {
    pub algorithm: Algorithm,
    /// The access key that the request names, or the serial number of its certificate.
    pub access_key_id: String,
    /// The credential scope.
    pub scope: Scope,
    /// The time of the signature.
    pub time: DateTime<Utc>,
    /// The session token, if the request has one.
    pub session_token: Option<String>,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// The validity of a presigned request, in seconds.
    pub(super) expires: Option<i64>,
}

/// The credential scope of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day, as `20150830`.
    pub date: String,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The service, such as `sts`.
    pub service: String,
    pub(super) terminator: String,
}

impl Claim {
    /// Parses the signature of a request.
    ///
    /// # Errors
    /// [`SignatureError::Missing`], [`SignatureError::Incomplete`] or [`SignatureError::Wrong`].
    pub fn read(request: &Request<'_>) -> Result<Claim, SignatureError> {
        let parameters = query::pairs(request.query);
        let in_query = parameters.iter().any(|(name, _)| name == "X-Amz-Algorithm");
        match request.header("authorization") {
            Some(_) if in_query => Err(SignatureError::Wrong(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".to_owned(),
            )),
            Some(header) if header.starts_with("AWS4-") => from_header(request, header),
            None if in_query => from_query(&parameters),
            _ => Err(SignatureError::Missing),
        }
    }
}

fn from_header(request: &Request<'_>, header: &str) -> Result<Claim, SignatureError> {
    let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
    let part = |name: &str| {
        rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).filter(|v| !v.is_empty())
    };
    let (credential, signed_headers, signature) = (part("Credential"), part("SignedHeaders"), part("Signature"));
    let date = request.header("x-amz-date").or_else(|| request.header("date"));
    let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
        (credential, signed_headers, signature, date)
    else {
        let mut faults = String::new();
        for (name, value) in [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)] {
            if value.is_none() {
                faults.push_str(&format!("Authorization header requires '{name}' parameter. "));
            }
        }
        if date.is_none() {
            faults.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
        }
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, header.as_bytes()));
        faults.push_str(&format!("(Hashed with SHA-256 and encoded with Base64) Authorization={hash}"));
        return Err(SignatureError::Incomplete(faults));
    };
    let algorithm = Algorithm::parse(algorithm)?;
    let time = parse_time(date)?;
    let (access_key_id, scope) = parse_credential(credential)?;
    Ok(Claim {
        algorithm,
        time,
        scope,
        access_key_id,
        session_token: request.header("x-amz-security-token").map(str::to_owned),
        signed_headers: parse_signed_headers(signed_headers),
        signature: signature.to_owned(),
        expires: None,
    })
}

fn from_query(parameters: &[(String, String)]) -> Result<Claim, SignatureError> {
    let part = |wanted: &str| {
        let (_, value) = parameters.iter().find(|(name, _)| name == wanted)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    };
    let names = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
    let [Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)] = names.map(part) else {
        let mut faults = String::new();
        for name in names.into_iter().filter(|name| part(name).is_none()) {
            faults.push_str(&format!("AWS query-string parameters must include '{name}'. "));
        }
        faults.push_str("Re-examine the query-string parameters.");
        return Err(SignatureError::Incomplete(faults));
    };
    let algorithm = Algorithm::parse(algorithm)?;
    let expires = part("X-Amz-Expires").map(parse_expires).transpose()?;
    let (access_key_id, scope) = parse_credential(credential)?;
    Ok(Claim {
        algorithm,
        time: parse_time(date)?,
        scope,
        access_key_id,
        session_token: part("X-Amz-Security-Token").map(str::to_owned),
        signed_headers: parse_signed_headers(signed_headers),
        signature: signature.to_owned(),
        expires,
    })
}

pub(super) fn parse_credential(credential: &str) -> Result<(String, Scope), SignatureError> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [key, date, region, service, terminator] = parts.as_slice() else {
        return Err(SignatureError::Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             '{credential}'"
        )));
    };
    let [date, region, service, terminator] = [date, region, service, terminator].map(|part| (*part).to_owned());
    Ok(((*key).to_owned(), Scope { date, region, service, terminator }))
}

fn parse_signed_headers(list: &str) -> Vec<String> {
    list.split(';').map(str::to_ascii_lowercase).collect()
}

/// Parses ISO 8601's basic format. A `Date` header may also have HTTP's format.
fn parse_time(text: &str) -> Result<DateTime<Utc>, SignatureError> {
    NaiveDateTime::parse_from_str(text, BASIC)
        .map(|time| time.and_utc())
        .or_else(|_| DateTime::parse_from_rfc2822(text).map(|time| time.to_utc()))
        .map_err(|_| {
            SignatureError::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
            ))
        })
}

fn parse_expires(text: &str) -> Result<i64, SignatureError> {
    text.parse().ok().filter(|seconds| (1..=MAX_PRESIGNED_SECONDS).contains(seconds)).ok_or_else(|| {
        SignatureError::Incomplete(format!(
            "X-Amz-Expires must be between 1 and {MAX_PRESIGNED_SECONDS} seconds, got '{text}'"
        ))
    })
}
