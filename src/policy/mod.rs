//! AWS's policies: who may use a key, by its key policy, its grants and the caller's own permissions.
//!
//! The module is a leaf and pure: it uses nothing of ours, no disk, network or clock. The lab decides its calls with
//! it; [`evaluate::on_key`] answers "may this caller do this with this key" for any other part too. `tests.rs` has the
//! table of cases. Not modelled: service control policies, permissions boundaries, VPC endpoint policies.
//!
//! - `json.rs` JSON that keeps the order of members; `pattern.rs` wildcards and policy variables
//! - `document.rs` a policy, and the refusals of AWS; `principal.rs` principals; `condition.rs` conditions
//! - `grant.rs` grants and their constraints; `request.rs` a request: caller, action, context
//! - `actions.rs` the actions and what they are for; `access.rs` what is known of a decision without a request;
//!   `summary.rs` whom a policy names; `words.rs` conditions in words
//! - `check.rs` the mistakes in a text, with their places
//! - `evaluate.rs` the decision; `normal_form.rs` the form in which AWS returns a policy

pub mod access;
pub mod actions;
pub mod check;
pub mod evaluate;
pub mod grant;
pub mod normal_form;
pub mod pattern;
pub mod principal;
pub mod request;
pub mod summary;

mod condition;
mod document;
mod json;
mod service;
mod words;

pub use condition::Condition;
pub use document::{Effect, NotUnderstood, Policy, PolicyError, Reading, Selection, Statement};

#[cfg(test)]
mod tests;
