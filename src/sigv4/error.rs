//! The reasons why a signature is not accepted.

use thiserror::Error;

/// The reason why a signature is not accepted. Each text is AWS's message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureError {
    #[error("the request has no signature")]
    Missing,
    /// The signature cannot be parsed.
    #[error("{0}")]
    Incomplete(String),
    /// The signature or its scope is wrong.
    #[error("{0}")]
    Wrong(String),
    /// The signature does not match the request and the key.
    #[error("the signature does not match the request")]
    Mismatch,
    /// The time of the signature is too old or in the future.
    #[error("{0}")]
    Untimely(String),
}
