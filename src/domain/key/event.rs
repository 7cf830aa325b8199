//! The events of keys. The keys themselves are at AWS; the events record the operations on them and the properties that
//! AWS reported.

use super::hyok::NewHyokKey;
use super::last_use::LastUse;
use super::material::MaterialId;
use super::metadata::{KeyMetadata, RotationStatus};
use super::name::AliasName;
use super::operation::Operation;
use super::policy_text::PolicyText;
use super::tag::Tag;
use crate::domain::id::{KeyId, KmsId, OperationId, ScheduleId, SourceKeyId};
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::place::Region;

#[derive(Clone, PartialEq, Debug)]
pub enum KeyEvent {
    /// The intent of an operation, recorded before AWS is called. The outcome has the same operation id.
    OperationRequested {
        /// The id of the operation. A key that the operation creates is tagged with it.
        operation: OperationId,
        kms: KmsId,
        region: Region,
        wanted: Box<Operation>,
    },
    /// AWS confirmed the operation, and the key was read afterwards.
    OperationDone {
        operation: OperationId,
        learned: Vec<Aspect>,
    },
    /// AWS did not perform the operation.
    OperationFailed {
        operation: OperationId,
        /// AWS's own code and message, or the reason why AWS was not called.
        reason: String,
    },
    /// AWS's answer was lost, or the program ended before it arrived; the key was read later.
    OperationReconciled {
        operation: OperationId,
        learned: Vec<Aspect>,
    },
    /// A key that was not in the state was found at AWS.
    Found {
        kms: KmsId,
        region: Region,
        learned: Vec<Aspect>,
    },
    /// AWS reported other properties than those in the state.
    Observed {
        learned: Vec<Aspect>,
    },
    /// AWS no longer has the key.
    Vanished,
    /// The key was put under a schedule that rotates it, or taken off the schedule.
    RotationJobSet {
        job: Option<RotationJob>,
    },
    /// The entry was removed, by request or because the same AWS key was added again. The key at AWS did not change.
    Forgotten,
    /// The entry was removed because the key is no longer managed. The key at AWS did not change.
    Unmanaged {
        cause: UnmanagedCause,
    },
    /// A rotation replaced the key.
    Replaced {
        by: KeyId,
    },
    /// Another key has this alias now.
    AliasMoved {
        alias: AliasName,
        to: KeyId,
    },
    /// The material of the key was not rotated, because a step before the rotation failed.
    MaterialNotRotated {
        reason: String,
    },
    /// A key of an external key store was created here. AWS does not know it yet.
    HyokCreated {
        kms: KmsId,
        region: Region,
        new: Box<NewHyokKey>,
    },
    HyokBlocked,
    HyokUnblocked,
    /// The key encrypts with another source key from now on; it still decrypts with the earlier ones.
    HyokRotated {
        source: SourceKeyId,
    },
    CallerRulesSet {
        rules: CallerRules,
    },
    /// A version of the key is not going to have encrypted more often before the next record.
    EncryptionsCounted {
        version: u32,
        encryptions: u64,
    },
    /// AWS knows the key now: the key was made by hand, or the operation that made it failed at a later step.
    HyokLinked {
        learned: Vec<Aspect>,
    },
    /// A virtual key was made: the HYOK key that is created with it is going to have its id.
    VirtualKeyMade {
        source: SourceKeyId,
        source_key_tier: String,
    },
    VirtualKeyDeletable {
        deletable: bool,
    },
    /// A virtual key was deleted, with which no HYOK key was created.
    VirtualKeyDeleted,
}

/// The reason why a key is no longer managed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnmanagedCause {
    KmsDeleted,
    /// The KMS no longer manages the region.
    RegionRemoved,
}

/// One group of properties of a key, as AWS reported it.
#[derive(Clone, PartialEq, Debug)]
pub enum Aspect {
    Metadata(Box<KeyMetadata>),
    Aliases(Vec<AliasName>),
    /// The tags, including Claviger's own.
    Tags(Vec<Tag>),
    Policy(PolicyText),
    Rotation(RotationStatus),
    /// AWS's id of the material that the operation imported.
    ImportedMaterial(MaterialId),
    LastUse(LastUse),
}

/// The key source of material that AWS generates.
pub const NATIVE: &str = "native";

/// The key source of material that Claviger generates.
pub const LOCAL: &str = "local";

/// The settings of a key that is rotated by a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RotationJob {
    pub schedule: ScheduleId,
    /// The source of new material: `native`, or the tier of source keys as the client gave it (`local`, `ciphertrust`).
    pub key_source: String,
    /// Deny encryption with the old key to its own account.
    pub disable_encrypt: bool,
    /// Deny encryption with the old key to all accounts.
    pub disable_encrypt_on_all_accounts: bool,
}
