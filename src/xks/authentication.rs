//! Checks who signed a call. Every failure has one answer, and costs what a wrong secret key costs: the signature is
//! computed in any case, with a decoy where the header cannot be read or names no credential of the store.

use super::directory::{KnownCredential, Settings};
use crate::sigv4::{Claim, Request};
use chrono::{DateTime, Utc};

/// The service that AWS signs for.
pub(super) const SERVICE: &str = "kms-xks-proxy";

/// Returns the credential that signed the call, or the access key id that the call names without proof.
pub(super) fn authenticate<'s>(
    request: &Request<'_>,
    store: &'s Settings,
    decoy_secret: &str,
    now: DateTime<Utc>,
) -> Result<&'s KnownCredential, Option<String>> {
    let claim = Claim::read_strictly(request);
    let well_formed = claim.is_some();
    let claim = claim.unwrap_or_else(|| Claim::decoy(&store.region, SERVICE, now));
    let credential = store.credential(&claim.access_key_id);
    let secret = credential.map_or(decoy_secret, |credential| &credential.secret_access_key);
    let signed = claim.is_signed_with(request, secret);
    let applies = claim.is_for(&store.region, SERVICE, now);
    match credential {
        Some(credential) if well_formed && signed && applies => Ok(credential),
        _ => Err(well_formed.then_some(claim.access_key_id)),
    }
}
