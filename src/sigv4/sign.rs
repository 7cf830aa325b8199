//! Signs requests.

use aws_lc_rs::error::Unspecified;
use chrono::{DateTime, Utc};

use super::identity::Identity;
use super::{Algorithm, BASIC, Claim, DerivedKey, Request, Scope, TERMINATOR, body_hash, canonical, hex};

/// The key that signs a request.
#[derive(Debug, Clone, Copy)]
pub enum SigningKey<'a> {
    Secret(SecretKey<'a>),
    Certificate(&'a Identity),
}

/// An access key, with a session token if it is temporary.
#[derive(Clone, Copy)]
pub struct SecretKey<'a> {
    pub access_key_id: &'a str,
    pub secret_access_key: &'a str,
    pub session_token: Option<&'a str>,
}

impl std::fmt::Debug for SecretKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl SigningKey<'_> {
    /// Signs a request, whose header fields must contain `host`, for a service in a region. Returns the header fields
    /// to add. The signature covers all others.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn sign(
        &self,
        request: &Request<'_>,
        region: &str,
        service: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<(&'static str, String)>, Unspecified> {
        let mut added = vec![("x-amz-date", now.format(BASIC).to_string())];
        match self {
            SigningKey::Secret(key) => {
                added.extend(key.session_token.map(|token| ("x-amz-security-token", token.to_owned())));
            }
            SigningKey::Certificate(identity) => added.extend(identity.certificate().headers()),
        }
        let mut request = request.clone();
        request.headers.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())));
        let mut claim = Claim {
            algorithm: self.algorithm(),
            access_key_id: self.name(),
            scope: Scope {
                date: now.format("%Y%m%d").to_string(),
                region: region.to_owned(),
                service: service.to_owned(),
                terminator: TERMINATOR.to_owned(),
            },
            time: now,
            session_token: None,
            signed_headers: request.headers.iter().map(|(name, _)| name.clone()).collect(),
            signature: String::new(),
            expires: None,
        };
        claim.signed_headers.sort();
        claim.signed_headers.dedup();
        let text = claim.string_to_sign(&canonical::request(&request, &claim, &body_hash(request.body)));
        let signature = match self {
            SigningKey::Secret(key) => DerivedKey::of(key.secret_access_key, &claim.scope).sign(&text),
            SigningKey::Certificate(identity) => hex(&identity.sign(text.as_bytes())?),
        };
        let Claim { access_key_id, scope: Scope { date, terminator, .. }, .. } = &claim;
        let (algorithm, headers) = (self.algorithm().name(), claim.signed_headers.join(";"));
        let authorization = format!(
            "{algorithm} Credential={access_key_id}/{date}/{region}/{service}/{terminator}, SignedHeaders={headers}, \
             Signature={signature}"
        );
        added.push(("authorization", authorization));
        Ok(added)
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            SigningKey::Secret(_) => Algorithm::Secret,
            SigningKey::Certificate(identity) => identity.algorithm(),
        }
    }

    /// The access key id, or the serial number of the certificate.
    fn name(&self) -> String {
        match self {
            SigningKey::Secret(key) => key.access_key_id.to_owned(),
            SigningKey::Certificate(identity) => identity.certificate().serial_number(),
        }
    }
}
