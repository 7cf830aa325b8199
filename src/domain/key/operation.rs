//! What can be done to a key at AWS. An operation is written to the log before AWS is called (the intent) and closed
//! after (the outcome), so that after a crash it is known what may have happened.

use super::aws_enums::Origin;
use super::days::{DeletionWindow, RotationPeriod};
use super::material::MaterialId;
use super::name::{AliasName, AwsKeyId};
use super::policy_text::PolicyText;
use super::spec::{KeySpec, KeyUsage};
use super::tag::{TEMPLATE_TAG, Tag};
use crate::domain::id::{KeyId, KmsId, OperationId, SourceKeyId, TemplateId};
use crate::domain::place::Region;
use crate::domain::time::Time;

/// The tag that every key made from here carries, with the id of the operation that made it.
pub const MARK: &str = "claviger:operation";

/// An operation that was requested and has no outcome yet.
#[derive(Clone, PartialEq, Debug)]
pub struct PendingOperation {
    pub key: KeyId,
    pub kms: KmsId,
    pub region: Region,
    pub wanted: Operation,
    pub since: Time,
}

/// What is being asked of AWS at the moment, or was when the program ended.
pub type PendingOperations = imbl::HashMap<OperationId, PendingOperation>;

/// What is to be done to one key.
#[derive(Clone, PartialEq, Debug)]
pub enum Operation {
    Create(NewKey),
    /// Make a key without material, and import a source key's material into it.
    Upload {
        new: NewKey,
        import: Import,
    },
    /// Make a key like another one, move its aliases to the new one, and link the two.
    Rotate {
        /// The key that is rotated.
        from: KeyId,
        new: NewKey,
        /// The material, if it is a source key's.
        import: Option<Import>,
        /// What becomes of the old key.
        old: RetiredKey,
    },
    /// Make a replica of a multi-region key.
    Replicate {
        of: KeyId,
        new: NewReplica,
    },
    Enable,
    /// Take it out of use.
    Disable,
    Describe {
        to: String,
    },
    PutPolicy {
        policy: PolicyText,
        /// The template that the policy comes from, if it does; the key is tagged with its id.
        template: Option<String>,
    },
    /// Add tags, or give those that are there other values.
    Tag {
        tags: Vec<Tag>,
    },
    Untag {
        keys: Vec<String>,
    },
    AddAlias {
        alias: AliasName,
        /// The key of ours that has it, and loses it.
        from: Option<KeyId>,
    },
    DeleteAlias {
        alias: AliasName,
    },
    /// Let AWS rotate the material by itself.
    EnableRotation {
        /// How often; none: AWS's default.
        period: Option<RotationPeriod>,
    },
    /// Let AWS rotate no more.
    DisableRotation,
    RotateMaterial,
    ImportMaterial(Import),
    DeleteMaterial {
        /// Which; none: the current one.
        material: Option<MaterialId>,
    },
    /// Let AWS delete it after a while.
    ScheduleDeletion {
        window: DeletionWindow,
    },
    CancelDeletion,
    /// Make another region's replica the primary key.
    MovePrimary {
        to: Region,
    },
}

/// A key that is to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct NewKey {
    pub aliases: Vec<AliasName>,
    pub spec: KeySpec,
    pub usage: KeyUsage,
    /// Where its material comes from.
    pub origin: Origin,
    pub description: String,
    pub multi_region: bool,
    /// Its policy; none: AWS's default.
    pub policy: Option<PolicyText>,
    /// Accept a policy that locks everybody out?
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

/// A replica that is to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct NewReplica {
    /// The primary key's id at AWS, which the replica shares.
    pub key: AwsKeyId,
    /// Where the primary key is.
    pub primary: Region,
    pub aliases: Vec<AliasName>,
    pub description: String,
    /// Its policy; none: AWS's default.
    pub policy: Option<PolicyText>,
    /// Accept a policy that locks everybody out?
    pub bypass_lockout_check: bool,
    pub tags: Vec<Tag>,
}

/// Material that is to be imported.
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    pub source: SourceKeyId,
    /// When AWS is to forget it; none: never.
    pub valid_to: Option<Time>,
    /// Is it material that the key has had before (true), or may it be new?
    pub existing: bool,
    /// The id of the material, if AWS knows it already.
    pub material: Option<MaterialId>,
    /// What AWS shows beside it.
    pub description: Option<String>,
}

/// What becomes of a key that was rotated.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RetiredKey {
    /// It keeps each alias with a time stamp behind it.
    pub retain_alias: bool,
    /// It may not encrypt any more: for the callers of its own account, or of every account.
    pub disable_encrypt: Option<EncryptFor>,
}

/// The principals that may no longer encrypt with a key that was rotated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncryptFor {
    OwnAccount,
    AllAccounts,
}

/// How an operation gives a key new material.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyRotation {
    /// The new key takes the place of this one.
    Replaces(KeyId),
    /// The key stays, and AWS gives it other material.
    OfMaterial,
}

impl Operation {
    /// Does it make a key?
    pub fn makes_a_key(&self) -> bool {
        match self {
            Self::Create(_) | Self::Upload { .. } | Self::Rotate { .. } | Self::Replicate { .. } => true,
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

    /// The material that it imports, if it does.
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
            | Self::MovePrimary { .. } => None,
        }
    }

    /// Does it change what the other keys of a multi-region family tell of their family?
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
            | Self::CancelDeletion => false,
        }
    }

    /// The policy template whose policy AWS accepts with it, if it is one's.
    pub fn template(&self) -> Option<TemplateId> {
        let of_tags = |tags: &[Tag]| tags.iter().find(|tag| tag.key == TEMPLATE_TAG).map(|tag| tag.value.clone());
        let id = match self {
            Self::Create(new) | Self::Upload { new, .. } => of_tags(&new.tags),
            Self::Replicate { new, .. } => of_tags(&new.tags),
            Self::PutPolicy { template, .. } => template.clone(),
            // The new key of a rotation keeps the policy that the old one has: nobody has put a template's.
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
            | Self::MovePrimary { .. } => None,
        };
        TemplateId::parse(&id?).ok()
    }

    /// The other keys of ours that it changes as well.
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
            | Self::MovePrimary { .. } => None,
        }
    }

    /// The alias that it takes away from a key of ours, and from which.
    pub fn taken_alias(&self, key: KeyId) -> Option<(&AliasName, KeyId)> {
        match self {
            Self::DeleteAlias { alias } => Some((alias, key)),
            Self::AddAlias { alias, from } => from.map(|holder| (alias, holder)),
            // A rotation takes the aliases that the old key has when it begins, whichever these are.
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
            | Self::MovePrimary { .. } => None,
        }
    }

    /// How it gives a key new material, if it does.
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
            | Self::MovePrimary { .. } => None,
        }
    }

    /// The policy that it puts on a key that is there; none if it leaves the key's policy as it is.
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
            | Self::MovePrimary { .. } => None,
        }
    }
}
