//! Sends webhooks: signed JSON to the address of somebody else. The module is a leaf: it uses nothing of ours.
//!
//! - `address.rs` the URLs and addresses that are refused
//! - `signature.rs` the secret and the signature, as in the specification Standard Webhooks
//! - `sender.rs` one attempt: the request, its time limits, the judgement of the answer

mod address;
mod sender;
mod signature;

pub use address::{UrlProblem, UrlRules, check_url};
pub use sender::{Attempt, DeliveryError, Sender, SenderError};
pub use signature::{SECRET_BYTES, Secret, SecretProblem};

#[cfg(test)]
mod tests;
