//! The secret of a webhook, and the signature of a delivery: HMAC-SHA-256 over id, time and body, as in the
//! specification Standard Webhooks (standardwebhooks.com), for which receivers have libraries.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// The length of a secret that is generated, in bytes.
pub const SECRET_BYTES: usize = 32;

const PREFIX: &str = "whsec_";

/// The secret that sender and receiver share.
pub struct Secret(Zeroizing<Vec<u8>>);

/// The reason why a text is not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ followed by 24 to 64 bytes in base64")]
pub struct SecretProblem;

impl Secret {
    /// Wraps the bytes of a secret.
    pub fn of_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Reads a secret in the form in which it is shown.
    ///
    /// # Errors
    /// [`SecretProblem`].
    pub fn parse(text: &str) -> Result<Self, SecretProblem> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretProblem)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| SecretProblem)?);
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(SecretProblem) }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The form in which the secret is shown once: `whsec_` and base64.
    pub fn shown(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(&*self.0)))
    }

    /// The signature of a delivery. The header `webhook-signature` has one or several, with spaces between them.
    pub fn signature(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}
