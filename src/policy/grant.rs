//! Grants: permissions for a principal to use a key, in addition to its policy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::principal::{Named, Principal};
use super::request::{Caller, Request};

/// The operations that a grant can allow, in the order in which AWS lists them.
pub const OPERATIONS: [&str; 17] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
];

/// A grant, as far as decisions need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    /// The ARN of the principal that may use the key, or a service.
    pub grantee: String,
    /// The ARN of the principal that may retire the grant.
    pub retiring: Option<String>,
    pub operations: Vec<String>,
    pub constraints: Constraints,
    /// The account that created the grant.
    pub issuing_account: String,
}

type Pairs = BTreeMap<String, String>;

/// The encryption context that a request needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraints {
    /// Pairs that the encryption context includes.
    pub subset: Option<Pairs>,
    /// The exact encryption context.
    pub equals: Option<Pairs>,
}

impl Constraints {
    pub fn is_empty(&self) -> bool {
        self.subset.is_none() && self.equals.is_none()
    }

    /// Whether they decide about an action such as `kms:Decrypt`: only some operations have an encryption context, and
    /// a grant that its grantee makes has to be within them.
    pub fn concern(&self, action: &str) -> bool {
        let operation = action.strip_prefix("kms:").unwrap_or(action);
        let has_context = ["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "CreateGrant"].contains(&operation)
            || operation.starts_with("GenerateDataKey");
        has_context && !self.is_empty()
    }

    fn hold(&self, context: &Pairs) -> bool {
        let subset = self.subset.as_ref().is_none_or(|pairs| includes(context, pairs));
        subset && self.equals.as_ref().is_none_or(|pairs| pairs == context)
    }

    /// Whether these constraints allow no more than others do.
    fn are_within(&self, others: &Constraints) -> bool {
        let equals = others.equals.as_ref().is_none_or(|pairs| self.equals.as_ref() == Some(pairs));
        let subset = others.subset.as_ref().is_none_or(|pairs| {
            let own = [&self.equals, &self.subset];
            own.into_iter().flatten().any(|own| includes(own, pairs))
        });
        equals && subset
    }
}

fn includes(all: &Pairs, some: &Pairs) -> bool {
    some.iter().all(|(name, value)| all.get(name) == Some(value))
}

impl Grant {
    /// How the grant allows a request: how its grantee names the caller.
    pub(super) fn names(&self, request: &Request<'_>) -> Named {
        let operation = request.action.strip_prefix("kms:").unwrap_or(request.action);
        let allowed = self.operations.iter().any(|one| one == operation);
        // AWS applies constraints to operations with an encryption context only.
        let within = request.encryption_context.is_none_or(|context| self.constraints.hold(context));
        if allowed && within { named(&self.grantee, request.caller) } else { Named::No }
    }

    /// Whether a grant that a grantee of this one creates allows no more than this one.
    pub fn covers(&self, operations: &[String], constraints: &Constraints) -> bool {
        operations.iter().all(|operation| self.operations.contains(operation))
            && constraints.are_within(&self.constraints)
    }

    /// Whether the grant itself lets a caller retire it: its retiring principal, or its grantee with the operation
    /// RetireGrant.
    pub fn lets_retire(&self, caller: &Caller) -> bool {
        let grantee = self.operations.iter().any(|operation| operation == "RetireGrant");
        self.retiring.as_ref().is_some_and(|arn| named(arn, caller) > Named::No)
            || grantee && named(&self.grantee, caller) > Named::No
    }
}

fn named(principal: &str, caller: &Caller) -> Named {
    Principal::parse("AWS", principal).map_or(Named::No, |principal| principal.names(caller))
}
