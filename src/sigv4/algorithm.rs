//! The algorithms of signatures.

use super::SignatureError;

/// The algorithm of a signature, by the kind of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with a key that is derived from a secret access key.
    Secret,
    /// RSA with the private key of a certificate.
    Rsa,
    /// ECDSA with the private key of a certificate.
    Ecdsa,
}

impl Algorithm {
    const ALL: [Algorithm; 3] = [Algorithm::Secret, Algorithm::Rsa, Algorithm::Ecdsa];

    /// The name in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Secret => "AWS4-HMAC-SHA256",
            Algorithm::Rsa => "AWS4-X509-RSA-SHA256",
            Algorithm::Ecdsa => "AWS4-X509-ECDSA-SHA256",
        }
    }

    pub(super) fn parse(name: &str) -> Result<Algorithm, SignatureError> {
        let known = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        known.ok_or_else(|| Algorithm::unsupported(name))
    }

    /// The error of a service that accepts signatures with secret access keys only.
    pub(super) fn unsupported(name: &str) -> SignatureError {
        let accepted = Algorithm::Secret.name();
        SignatureError::Incomplete(format!("Unsupported AWS 'algorithm': '{name}' (only {accepted} for now). "))
    }
}
