//! What happens to keys. AWS is where keys live; these events are what was asked of it, and what it was seen to hold.

use super::facts::{KeyFacts, RotationStatus};
use super::name::AliasName;
use super::operation::Operation;
use super::policy_text::PolicyText;
use super::tag::Tag;
use crate::domain::id::{KmsId, OperationId, ScheduleId};
use crate::domain::place::Region;
use serde::{Deserialize, Serialize};

/// Events of a key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum KeyEvent {
    /// AWS is about to be asked. What comes of it follows under the same operation id.
    OperationRequested {
        /// By which the outcome is matched; a key that AWS makes is tagged with it.
        operation: OperationId,
        /// Of which KMS.
        kms: KmsId,
        /// In which region.
        region: Region,
        /// What.
        wanted: Box<Operation>,
    },
    /// AWS did it, and was read back.
    OperationDone {
        /// Which.
        operation: OperationId,
        /// What is new.
        learned: Vec<Aspect>,
    },
    /// AWS did not do it.
    OperationFailed {
        /// Which.
        operation: OperationId,
        /// AWS's own code and message, or why it was not asked.
        reason: String,
    },
    /// The program ended in between; AWS was looked at afterwards.
    OperationReconciled {
        /// Which.
        operation: OperationId,
        /// What is new.
        learned: Vec<Aspect>,
    },
    /// A key was found at AWS that was not known here.
    Found {
        /// Of which KMS.
        kms: KmsId,
        /// In which region.
        region: Region,
        /// All of it.
        learned: Vec<Aspect>,
    },
    /// AWS was seen to hold something else than what was known here.
    Observed {
        /// What is new.
        learned: Vec<Aspect>,
    },
    /// AWS does not have it any more.
    Vanished,
    /// A schedule rotates it from now on, or no more.
    RotationJobSet {
        /// Which, and how.
        job: Option<RotationJob>,
    },
    /// The entry here was removed. AWS itself was not touched.
    Forgotten,
}

/// One side of a key, as AWS was seen to hold it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Aspect {
    /// What DescribeKey tells.
    Facts(Box<KeyFacts>),
    /// Its aliases.
    Aliases(Vec<AliasName>),
    /// Its tags, our own marks included.
    Tags(Vec<Tag>),
    /// Its policy.
    Policy(PolicyText),
    /// Its automatic rotation.
    Rotation(RotationStatus),
}

/// The key source of new material that AWS makes.
pub const NATIVE: &str = "native";

/// The key source of new material that comes from here.
pub const LOCAL: &str = "local";

/// How a schedule rotates a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RotationJob {
    /// Which schedule.
    pub schedule: ScheduleId,
    /// Where new material comes from: `native`, or the tier of source keys, such as `local`.
    pub key_source: String,
    /// The old key may not encrypt any more, for its own account.
    pub disable_encrypt: bool,
    /// The same, for all accounts.
    pub disable_encrypt_on_all_accounts: bool,
}
