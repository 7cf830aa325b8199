//! What happens to keys. AWS is where keys live; these events are what was asked of it, and what it was seen to hold.

use super::metadata::{KeyMetadata, RotationStatus};
use super::name::AliasName;
use super::operation::Operation;
use super::policy_text::PolicyText;
use super::tag::Tag;
use crate::domain::id::{KeyId, KmsId, OperationId, ScheduleId};
use crate::domain::place::Region;

#[derive(Clone, PartialEq, Debug)]
pub enum KeyEvent {
    /// AWS is about to be asked. What comes of it follows under the same operation id.
    OperationRequested {
        /// By which the outcome is matched; a key that AWS makes is tagged with it.
        operation: OperationId,
        kms: KmsId,
        region: Region,
        wanted: Box<Operation>,
    },
    /// AWS did it, and was read back.
    OperationDone { operation: OperationId, learned: Vec<Aspect> },
    /// AWS did not do it.
    OperationFailed {
        operation: OperationId,
        /// AWS's own code and message, or why it was not asked.
        reason: String,
    },
    /// The program ended in between; AWS was looked at afterwards.
    OperationReconciled { operation: OperationId, learned: Vec<Aspect> },
    /// A key was found at AWS that was not known here.
    Found { kms: KmsId, region: Region, learned: Vec<Aspect> },
    /// AWS was seen to hold something else than what was known here.
    Observed { learned: Vec<Aspect> },
    /// AWS does not have it any more.
    Vanished,
    /// A schedule rotates it from now on, or no more.
    RotationJobSet { job: Option<RotationJob> },
    /// The entry here was removed: somebody wanted it, or the same key of AWS's is known anew. AWS itself was not
    /// touched.
    Forgotten,
    /// It is managed here no longer, and its entry was removed. AWS itself was not touched.
    Unmanaged { cause: UnmanagedCause },
    /// A rotation has put another key in its place.
    Replaced { by: KeyId },
    /// Another key has this alias now.
    AliasMoved { alias: AliasName, to: KeyId },
}

/// Why a key is managed no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnmanagedCause {
    KmsDeleted,
    /// The region was taken from its KMS.
    RegionRemoved,
}

/// One side of a key, as AWS was seen to hold it.
#[derive(Clone, PartialEq, Debug)]
pub enum Aspect {
    Metadata(Box<KeyMetadata>),
    Aliases(Vec<AliasName>),
    /// Its tags, our own marks included.
    Tags(Vec<Tag>),
    Policy(PolicyText),
    Rotation(RotationStatus),
}

/// The key source of new material that AWS makes.
pub const NATIVE: &str = "native";

/// The key source of new material that comes from here.
pub const LOCAL: &str = "local";

/// How a schedule rotates a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RotationJob {
    pub schedule: ScheduleId,
    /// Where new material comes from: `native`, or the tier of source keys, such as `local`.
    pub key_source: String,
    /// The old key may not encrypt any more, for its own account.
    pub disable_encrypt: bool,
    /// The same, for all accounts.
    pub disable_encrypt_on_all_accounts: bool,
}
