//! The actions of KMS on a key, in groups: what they let somebody do.

/// What an action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Cryptography with the key.
    Use,
    /// Changes of the key itself.
    Administer,
    /// Grants, which pass on the use of the key.
    Grant,
    /// Reads of the key's properties.
    View,
}

impl Group {
    pub const ALL: [Self; 4] = [Self::Use, Self::Administer, Self::Grant, Self::View];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Administer => "administer",
            Self::Grant => "grant",
            Self::View => "view",
        }
    }
}

use Group::{Administer, Grant, Use, View};

/// The actions that a key policy can allow, by AWS's service authorization reference.
pub const ACTIONS: [(&str, Group); 48] = [
    ("kms:CancelKeyDeletion", Administer),
    ("kms:CreateAlias", Administer),
    ("kms:CreateGrant", Grant),
    ("kms:Decapsulate", Use),
    ("kms:Decrypt", Use),
    ("kms:DeleteAlias", Administer),
    ("kms:DeleteImportedKeyMaterial", Administer),
    ("kms:DeriveSharedSecret", Use),
    ("kms:DescribeKey", View),
    ("kms:DisableKey", Administer),
    ("kms:DisableKeyRotation", Administer),
    ("kms:EnableKey", Administer),
    ("kms:EnableKeyRotation", Administer),
    ("kms:Encapsulate", Use),
    ("kms:Encrypt", Use),
    ("kms:GenerateDataKey", Use),
    ("kms:GenerateDataKeyPair", Use),
    ("kms:GenerateDataKeyPairWithoutPlaintext", Use),
    ("kms:GenerateDataKeyWithoutPlaintext", Use),
    ("kms:GenerateMac", Use),
    ("kms:GetKeyLastUsage", View),
    ("kms:GetKeyPolicy", View),
    ("kms:GetKeyRotationStatus", View),
    ("kms:GetParametersForImport", Administer),
    ("kms:GetPublicKey", View),
    ("kms:ImportKeyMaterial", Administer),
    ("kms:ListGrants", Grant),
    ("kms:ListKeyPolicies", View),
    ("kms:ListKeyRotations", View),
    ("kms:ListResourceTags", View),
    ("kms:ListRetirableGrants", Grant),
    ("kms:PutKeyPolicy", Administer),
    ("kms:ReEncryptFrom", Use),
    ("kms:ReEncryptTo", Use),
    ("kms:ReplicateKey", Administer),
    ("kms:RetireGrant", Grant),
    ("kms:RevokeGrant", Grant),
    ("kms:RotateKeyOnDemand", Administer),
    ("kms:ScheduleKeyDeletion", Administer),
    ("kms:Sign", Use),
    ("kms:SynchronizeMultiRegionKey", Administer),
    ("kms:TagResource", Administer),
    ("kms:UntagResource", Administer),
    ("kms:UpdateAlias", Administer),
    ("kms:UpdateKeyDescription", Administer),
    ("kms:UpdatePrimaryRegion", Administer),
    ("kms:Verify", Use),
    ("kms:VerifyMac", Use),
];

/// The operations that a caller of another account can call. AWS lets no policy and no grant allow others.
const ACROSS_ACCOUNTS: [&str; 21] = [
    "CreateGrant",
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetKeyRotationStatus",
    "GetPublicKey",
    "ListGrants",
    "ReEncrypt",
    "RetireGrant",
    "RevokeGrant",
    "Sign",
    "Verify",
    "VerifyMac",
];

/// Whether an operation such as `Decrypt`, or an action such as `kms:ReEncryptFrom`, can be allowed to another account.
pub fn works_across_accounts(operation: &str) -> bool {
    let name = operation.strip_prefix("kms:").unwrap_or(operation);
    let name = if name.starts_with("ReEncrypt") { "ReEncrypt" } else { name };
    ACROSS_ACCOUNTS.contains(&name)
}

/// The group of an action such as `kms:Decrypt`; `None` if it is not known here.
pub fn group_of(action: &str) -> Option<Group> {
    ACTIONS.iter().find(|(known, _)| *known == action).map(|(_, group)| *group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::grant;

    #[test]
    fn the_actions_are_sorted_and_every_operation_of_grants_is_among_them() {
        assert!(ACTIONS.is_sorted());
        for operation in grant::OPERATIONS {
            assert!(group_of(&format!("kms:{operation}")).is_some(), "{operation}");
        }
        assert_eq!(group_of("kms:Nothing"), None);
    }
}
