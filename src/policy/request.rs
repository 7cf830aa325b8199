//! A request that is to be decided: the caller, the action, and the values of condition keys.

use std::collections::BTreeMap;

/// The identity that signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    /// The ARN that GetCallerIdentity returns: a user, a session of a role, a federated user, or an account's root.
    pub arn: String,
    /// The ARN of the user or role whose permissions the caller has. For a user it is the same as `arn`.
    pub issuer: String,
}

impl Caller {
    /// Whether the caller is the root of its account.
    pub fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }
}

/// The values of condition keys. Their names are not case-sensitive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_ascii_lowercase(), vec![value.into()]);
    }

    /// Sets a key with several values. Without a value the key is absent.
    pub fn set_all(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.0.insert(key.to_ascii_lowercase(), values);
        }
    }

    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub caller: &'a Caller,
    /// The action, such as `kms:Encrypt`.
    pub action: &'a str,
    pub context: &'a Context,
    /// The encryption context of the operation, if it has one. Grants are constrained by it.
    pub encryption_context: Option<&'a BTreeMap<String, String>>,
}
