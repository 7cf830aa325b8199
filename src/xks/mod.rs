//! The XKS proxy: AWS KMS calls it for each encryption and decryption with a key of an external key store.
//!
//! `service` tells it what it serves, and takes the outcomes of calls from it. On the way of a call there is no disk,
//! no network, no wait for the ledger or for AWS, and no lock that anything slow holds: AWS may call while our call to
//! AWS is open. `answer.rs` has the checks in their order, `operations.rs` the operations, `server.rs` the listener.
//! The module follows AWS's "XKS proxy API specification" 1.0.3 and uses nothing else of the program but `sigv4`.

mod answer;
mod authentication;
mod body;
mod caller_rules;
mod counters;
mod directory;
mod entry;
mod error;
mod latency;
mod material;
mod operations;
mod outcome;
mod path;
mod proxy;
mod server;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use caller_rules::CallerRules;
pub use counters::{CredentialUse, ENCRYPTION_STEP, KeyCounters, MANY_ENCRYPTIONS, StoreCounters, VersionCounters};
pub use entry::{Condition, Credential, KeyEntry, StoreEntry, VersionEntry};
pub use error::ErrorName;
pub use latency::Latencies;
pub use material::Material;
pub use outcome::{Drained, EncryptionStep, Outcome, OutcomeResult};
pub use path::Operation;
pub use proxy::{OpenConnection, Proxy, StoreHealth, Totals};
pub use server::{server_config, start};
