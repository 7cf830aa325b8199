//! The vocabulary of calls: services and operations by AWS's own names.

use std::fmt;

use serde::Deserialize;

/// A service of AWS, by its short name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    Sts,
    /// Virtual machines; asked for the regions only.
    Ec2,
    Iam,
    Kms,
    Logs,
}

impl Service {
    /// The short name, as in endpoints and signatures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Logs => "logs",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One operation of one service, such as STS's `GetCallerIdentity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    pub service: Service,
    /// The operation's name in AWS's own documentation.
    pub name: &'static str,
}

impl Operation {
    /// Does it leave everything as it is?
    pub fn is_read_only(self) -> bool {
        ["Describe", "Get", "List", "Simulate"].iter().any(|begin| self.name.starts_with(begin))
    }

    pub const GET_CALLER_IDENTITY: Self = Self { service: Service::Sts, name: "GetCallerIdentity" };
    pub const ASSUME_ROLE: Self = Self { service: Service::Sts, name: "AssumeRole" };
    /// The regions of the account.
    pub const DESCRIBE_REGIONS: Self = Self { service: Service::Ec2, name: "DescribeRegions" };
    pub const SIMULATE_PRINCIPAL_POLICY: Self = Self { service: Service::Iam, name: "SimulatePrincipalPolicy" };
    /// The users of the account.
    pub const LIST_USERS: Self = Self { service: Service::Iam, name: "ListUsers" };
    /// The roles of the account.
    pub const LIST_ROLES: Self = Self { service: Service::Iam, name: "ListRoles" };
}

macro_rules! kms_operations {
    ($($(#[$doc:meta])* $constant:ident = $name:literal,)*) => {
        impl Operation {
            $($(#[$doc])* pub const $constant: Self = Self { service: Service::Kms, name: $name };)*
        }
    };
}

kms_operations! {
    CREATE_KEY = "CreateKey",
    DESCRIBE_KEY = "DescribeKey",
    /// The keys of the region.
    LIST_KEYS = "ListKeys",
    /// The aliases of the region, or of one key.
    LIST_ALIASES = "ListAliases",
    /// Who may use the key?
    GET_KEY_POLICY = "GetKeyPolicy",
    PUT_KEY_POLICY = "PutKeyPolicy",
    /// The tags of a key.
    LIST_RESOURCE_TAGS = "ListResourceTags",
    TAG_RESOURCE = "TagResource",
    /// Tags taken from a key.
    UNTAG_RESOURCE = "UntagResource",
    /// Another name for a key.
    CREATE_ALIAS = "CreateAlias",
    /// A name moved to another key.
    UPDATE_ALIAS = "UpdateAlias",
    DELETE_ALIAS = "DeleteAlias",
    ENABLE_KEY = "EnableKey",
    DISABLE_KEY = "DisableKey",
    /// What a key is for.
    UPDATE_KEY_DESCRIPTION = "UpdateKeyDescription",
    /// Rotation by AWS, from time to time.
    ENABLE_KEY_ROTATION = "EnableKeyRotation",
    DISABLE_KEY_ROTATION = "DisableKeyRotation",
    /// Whether and when AWS rotates a key.
    GET_KEY_ROTATION_STATUS = "GetKeyRotationStatus",
    ROTATE_KEY_ON_DEMAND = "RotateKeyOnDemand",
    /// The materials of a key.
    LIST_KEY_ROTATIONS = "ListKeyRotations",
    /// What is needed to wrap material.
    GET_PARAMETERS_FOR_IMPORT = "GetParametersForImport",
    IMPORT_KEY_MATERIAL = "ImportKeyMaterial",
    /// Material taken from a key.
    DELETE_IMPORTED_KEY_MATERIAL = "DeleteImportedKeyMaterial",
    /// A key's end, some days ahead.
    SCHEDULE_KEY_DELETION = "ScheduleKeyDeletion",
    /// A key's end called off.
    CANCEL_KEY_DELETION = "CancelKeyDeletion",
    /// A relative of a key in another region.
    REPLICATE_KEY = "ReplicateKey",
    /// Another primary of a family.
    UPDATE_PRIMARY_REGION = "UpdatePrimaryRegion",
    /// The public half of a key.
    GET_PUBLIC_KEY = "GetPublicKey",
}

/// As an IAM policy names it: `sts:GetCallerIdentity`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}
