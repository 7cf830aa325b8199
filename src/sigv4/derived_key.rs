//! The key that signs: derived from a secret access key for a day, a region and a service.

use aws_lc_rs::hmac;

use super::{Scope, hex};

/// A derived key, which can be kept while its scope is the same. The library zeroes it when it is dropped.
pub struct DerivedKey {
    scope: Scope,
    key: hmac::Key,
}

impl DerivedKey {
    pub fn of(secret_access_key: &str, scope: &Scope) -> DerivedKey {
        let key = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let first = key(format!("AWS4{secret_access_key}").as_bytes());
        let parts = [&scope.date, &scope.region, &scope.service, &scope.terminator];
        let derived = parts.into_iter().fold(first, |last, part| key(hmac::sign(&last, part.as_bytes()).as_ref()));
        DerivedKey { scope: scope.clone(), key: derived }
    }

    pub fn is_for(&self, scope: &Scope) -> bool {
        self.scope == *scope
    }

    /// The signature of a text, in hexadecimal.
    pub(super) fn sign(&self, text: &str) -> String {
        hex(hmac::sign(&self.key, text.as_bytes()).as_ref())
    }
}
