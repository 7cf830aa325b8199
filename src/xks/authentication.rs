//! Checks who signed a call. Every failure has one answer, and costs what a wrong secret key costs: the signature is
//! computed in any case, with a decoy where the header cannot be read or names no credential of the store.

use super::directory::{KnownCredential, Settings};
use crate::sigv4::{Claim, DerivedKey, Request, Scope};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The service that AWS signs for.
pub(super) const SERVICE: &str = "kms-xks-proxy";

/// Returns the credential that signed the call, or the access key id that the call names without proof.
pub(super) fn authenticate<'s>(
    request: &Request<'_>,
    store: &'s Settings,
    now: DateTime<Utc>,
) -> Result<&'s KnownCredential, Option<String>> {
    let claim = Claim::read_strictly(request);
    let well_formed = claim.is_some();
    let claim = claim.unwrap_or_else(|| Claim::decoy(&store.region, SERVICE, now));
    let credential = store.credential(&claim.access_key_id);
    let applies = claim.is_for(&store.region, SERVICE, now);
    let key = credential.unwrap_or(&store.decoy).signing_key(&claim.scope, applies);
    let signed = claim.is_signed_with(request, &key);
    match credential {
        Some(credential) if well_formed && signed && applies => Ok(credential),
        _ => Err(well_formed.then_some(claim.access_key_id)),
    }
}

impl KnownCredential {
    /// The key for a scope. It is kept if a valid call can have the scope, so that it is derived once a day; the decoy
    /// keeps its own in the same way.
    fn signing_key(&self, scope: &Scope, keep: bool) -> Arc<DerivedKey> {
        if let Some(kept) = self.signing_key.load_full().filter(|kept| kept.is_for(scope)) {
            return kept;
        }
        let derived = Arc::new(DerivedKey::of(&self.secret_access_key, scope));
        if keep {
            self.signing_key.store(Some(derived.clone()));
        }
        derived
    }
}
