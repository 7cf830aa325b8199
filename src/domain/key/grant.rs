//! A grant of a key, as AWS lists it.

use crate::domain::time::Time;
use std::collections::BTreeMap;

/// The pairs of an encryption context.
pub type Pairs = BTreeMap<String, String>;

/// A permission for a principal to use a key, in addition to the key's policy.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct KeyGrant {
    pub id: String,
    /// The name that its maker gave it; empty if there is none.
    pub name: String,
    pub created_at: Option<Time>,
    pub grantee: String,
    pub retiring: Option<String>,
    /// The account that made it, as AWS writes it.
    pub issuing_account: String,
    pub operations: Vec<String>,
    /// Pairs that the encryption context of a request includes.
    pub context_subset: Option<Pairs>,
    /// The exact encryption context of a request.
    pub context_equals: Option<Pairs>,
}
