//! The operations on keys at AWS. An operation is recorded before AWS is called (the intent) and again afterwards (the
//! outcome). After a crash, the intents without an outcome are the operations that AWS may or may not have performed.

use super::aws_enums::Origin;
use super::days::{DeletionWindow, RotationPeriod};
use super::material::MaterialId;
use super::name::{AliasName, AwsKeyId};
use super::policy_text::PolicyText;
use super::spec::{KeySpec, KeyUsage};
use super::tag::{TEMPLATE_TAG, Tag};
use crate::domain::id::{KeyId, KeyStoreId, KmsId, OperationId, SourceKeyId, TemplateId};
use crate::domain::place::Region;
use crate::domain::time::Time;

/// An operation whose intent is recorded and whose outcome is not.
#[derive(Clone, PartialEq, Debug)]
pub struct PendingOperation {
    pub key: KeyId,
    pub kms: KmsId,
    pub region: Region,
    pub wanted: Operation,
    pub since: Time,
}

/// All operations without an outcome: those in progress, and those that a crash interrupted.
pub type PendingOperations = imbl::HashMap<OperationId, PendingOperation>;

/// An operation on one key.
#[derive(Clone, PartialEq, Debug)]
pub enum Operation {
    Create(NewKey),
    /// Create a key without material, and import the material of a source key into it.
    Upload {
        new: NewKey,
        import: Import,
    },
    /// Create a key like another one, move the aliases to the new one, and link the two.
    Rotate {
        /// The key that is rotated.
        from: KeyId,
        new: NewKey,
        /// The import of the material, if it comes from a source key.
        import: Option<Import>,
        old: RetiredKey,
    },
    /// Create a replica of a multi-region key.
    Replicate {
        of: KeyId,
        new: NewReplica,
    },
    Enable,
    Disable,
    Describe {
        to: String,
    },
    PutPolicy {
        policy: PolicyText,
        /// The template of the policy, if it has one. The key is tagged with its id.
        template: Option<String>,
    },
    /// Add tags, and replace the values of existing ones.
    Tag {
        tags: Vec<Tag>,
    },
    Untag {
        keys: Vec<String>,
    },
    AddAlias {
        alias: AliasName,
        /// The managed key that has the alias now, and loses it.
        from: Option<KeyId>,
    },
    DeleteAlias {
        alias: AliasName,
    },
    /// Enable automatic rotation by AWS.
    EnableRotation {
        /// The period; `None` for AWS's default.
        period: Option<RotationPeriod>,
    },
    /// Disable automatic rotation by AWS.
    DisableRotation,
    RotateMaterial,
    ImportMaterial(Import),
    DeleteMaterial {
        /// The material; `None` for the current one.
        material: Option<MaterialId>,
    },
    ScheduleDeletion {
        window: DeletionWindow,
    },
    CancelDeletion,
    /// Make the replica in another region the primary key.
    MovePrimary {
        to: Region,
    },
    /// Create a key in a CloudHSM key store.
    CreateInStore {
        new: NewKey,
        store: KeyStoreId,
    },
    /// Create at AWS a key that exists here already, in an external key store that this program serves.
    Link {
        new: NewKey,
        store: KeyStoreId,
        /// Whether the key was created here to be linked at once, so that it is removed if AWS does not create it.
        is_new: bool,
    },
}

/// The settings of a key that is to be created.
#[derive(Clone, PartialEq, Debug)]
pub struct NewKey {
    pub aliases: Vec<AliasName>,
    pub spec: KeySpec,
    pub usage: KeyUsage,
    pub origin: Origin,
    pub description: String,
    pub multi_region: bool,
    /// The policy; `None` for AWS's default.
    pub policy: Option<PolicyText>,
    /// Accept a policy that would lock everybody out (`BypassPolicyLockoutSafetyCheck`).
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

/// The settings of a replica that is to be created.
#[derive(Clone, PartialEq, Debug)]
pub struct NewReplica {
    /// The AWS id of the primary key, which the replica shares.
    pub key: AwsKeyId,
    /// The region of the primary key.
    pub primary: Region,
    pub aliases: Vec<AliasName>,
    pub description: String,
    /// The policy; `None` for AWS's default.
    pub policy: Option<PolicyText>,
    /// Accept a policy that would lock everybody out (`BypassPolicyLockoutSafetyCheck`).
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

/// An import of material.
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    pub source: SourceKeyId,
    /// When the material expires; `None` for never.
    pub valid_to: Option<Time>,
    /// Whether the key must have had the material before (`EXISTING_KEY_MATERIAL`).
    pub existing: bool,
    /// AWS's id of the material, if AWS has had it before.
    pub material: Option<MaterialId>,
    /// The description that AWS shows with the material.
    pub description: Option<String>,
}

/// The changes of a key that is replaced by a rotation.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RetiredKey {
    /// The key keeps each alias, with a time stamp appended.
    pub retain_alias: bool,
    /// The principals to whom encryption with the key is denied.
    pub disable_encrypt: Option<EncryptFor>,
}

/// The principals that may no longer encrypt with a key that was rotated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncryptFor {
    OwnAccount,
    AllAccounts,
}

/// The two kinds of rotation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyRotation {
    /// A new key replaces this one.
    Replaces(KeyId),
    /// The key stays, and AWS makes another material the current one.
    OfMaterial,
}

impl Operation {
    /// Whether the operation creates a key at AWS.
    pub fn creates_a_key(&self) -> bool {
        match self {
            Self::Create(_)
            | Self::Upload { .. }
            | Self::Rotate { .. }
            | Self::Replicate { .. }
            | Self::CreateInStore { .. }
            | Self::Link { .. } => true,
            Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::PutPolicy { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::AddAlias { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. } => false,
        }
    }

    /// Whether the operation creates a key that has no entry here before.
    pub fn adds_an_entry(&self) -> bool {
        self.creates_a_key() && !matches!(self, Self::Link { .. })
    }

    /// Returns the keys of the tags that the operation puts on a key, besides its own mark.
    pub fn tag_keys(&self) -> Vec<&str> {
        fn keys(tags: &[Tag]) -> Vec<&str> {
            tags.iter().map(|tag| tag.key.as_str()).collect()
        }
        match self {
            Self::Create(new)
            | Self::Upload { new, .. }
            | Self::Rotate { new, .. }
            | Self::CreateInStore { new, .. }
            | Self::Link { new, .. } => keys(&new.tags),
            Self::Replicate { new, .. } => keys(&new.tags),
            Self::Tag { tags } => keys(tags),
            Self::PutPolicy { template: Some(_), .. } => vec![TEMPLATE_TAG],
            Self::PutPolicy { template: None, .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::Untag { .. }
            | Self::AddAlias { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. } => Vec::new(),
        }
    }

    pub fn import(&self) -> Option<&Import> {
        match self {
            Self::Upload { import, .. } | Self::ImportMaterial(import) => Some(import),
            Self::Rotate { import, .. } => import.as_ref(),
            Self::Create(_)
            | Self::Replicate { .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::PutPolicy { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::AddAlias { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. }
            | Self::CreateInStore { .. }
            | Self::Link { .. } => None,
        }
    }

    /// Whether the operation changes the metadata of the other keys of a multi-region family.
    pub fn changes_family(&self) -> bool {
        match self {
            Self::Replicate { .. } | Self::MovePrimary { .. } => true,
            Self::Create(_)
            | Self::Upload { .. }
            | Self::Rotate { .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::PutPolicy { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::AddAlias { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::CreateInStore { .. }
            | Self::Link { .. } => false,
        }
    }

    /// Returns the template whose tag the operation sets, and the policy that it puts.
    pub fn template(&self) -> Option<(TemplateId, &PolicyText)> {
        fn of_tags(tags: &[Tag]) -> Option<&str> {
            tags.iter().find(|tag| tag.key == TEMPLATE_TAG).map(|tag| tag.value.as_str())
        }
        let (id, policy) = match self {
            Self::Create(new) | Self::Upload { new, .. } | Self::CreateInStore { new, .. } | Self::Link { new, .. } => {
                (of_tags(&new.tags), new.policy.as_ref())
            }
            Self::Replicate { new, .. } => (of_tags(&new.tags), new.policy.as_ref()),
            Self::PutPolicy { policy, template } => (template.as_deref(), Some(policy)),
            // The new key of a rotation has the policy of the old one: the operation puts no policy of a template.
            Self::Rotate { .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::AddAlias { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. } => (None, None),
        };
        Some((TemplateId::parse(id?).ok()?, policy?))
    }

    /// Returns the other managed key that the operation changes.
    pub fn also_affects(&self) -> Option<KeyId> {
        match self {
            Self::Rotate { from, .. } => Some(*from),
            Self::AddAlias { from, .. } => *from,
            Self::Create(_)
            | Self::Upload { .. }
            | Self::Replicate { .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::PutPolicy { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. }
            | Self::CreateInStore { .. }
            | Self::Link { .. } => None,
        }
    }

    /// Returns the alias that the operation on `key` takes from a managed key, and that key.
    pub fn taken_alias(&self, key: KeyId) -> Option<(&AliasName, KeyId)> {
        match self {
            Self::DeleteAlias { alias } => Some((alias, key)),
            Self::AddAlias { alias, from } => from.map(|holder| (alias, holder)),
            // A rotation takes all aliases that the old key has when it begins.
            Self::Rotate { .. }
            | Self::Create(_)
            | Self::Upload { .. }
            | Self::Replicate { .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::PutPolicy { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. }
            | Self::CreateInStore { .. }
            | Self::Link { .. } => None,
        }
    }

    /// Returns the aliases that the operation creates.
    pub fn new_aliases(&self) -> &[AliasName] {
        match self {
            Self::Create(new)
            | Self::Upload { new, .. }
            | Self::Rotate { new, .. }
            | Self::CreateInStore { new, .. }
            | Self::Link { new, .. } => &new.aliases,
            Self::Replicate { new, .. } => &new.aliases,
            Self::AddAlias { alias, from: None } => std::slice::from_ref(alias),
            // The alias exists already.
            Self::AddAlias { from: Some(_), .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::PutPolicy { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. } => &[],
        }
    }

    /// Returns the kind of rotation, if the operation is one.
    pub fn rotation(&self) -> Option<KeyRotation> {
        match self {
            Self::Rotate { from, .. } => Some(KeyRotation::Replaces(*from)),
            Self::RotateMaterial => Some(KeyRotation::OfMaterial),
            Self::Create(_)
            | Self::Upload { .. }
            | Self::Replicate { .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::PutPolicy { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::AddAlias { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. }
            | Self::CreateInStore { .. }
            | Self::Link { .. } => None,
        }
    }

    /// Returns the policy that the operation puts on an existing key.
    pub fn put_policy(&self) -> Option<&PolicyText> {
        match self {
            Self::PutPolicy { policy, .. } => Some(policy),
            Self::Create(_)
            | Self::Upload { .. }
            | Self::Rotate { .. }
            | Self::Replicate { .. }
            | Self::Enable
            | Self::Disable
            | Self::Describe { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::AddAlias { .. }
            | Self::DeleteAlias { .. }
            | Self::EnableRotation { .. }
            | Self::DisableRotation
            | Self::RotateMaterial
            | Self::ImportMaterial(_)
            | Self::DeleteMaterial { .. }
            | Self::ScheduleDeletion { .. }
            | Self::CancelDeletion
            | Self::MovePrimary { .. }
            | Self::CreateInStore { .. }
            | Self::Link { .. } => None,
        }
    }
}
