//! What happens to jobs. What they do to keys is in the keys' own events.

use super::bulk::BulkTask;
use super::sync::{Counts, SyncPlace};
use crate::domain::id::{KeyId, KmsId, UserId};
use crate::domain::place::Region;

#[derive(Clone, PartialEq, Debug)]
pub enum JobEvent {
    /// Of one that synchronises keys.
    Synchronisation(SyncEvent),
    /// Of one that does the same to many keys.
    Bulk(BulkEvent),
}

/// Events of a job that brings what is known here in line with AWS.
#[derive(Clone, PartialEq, Debug)]
pub enum SyncEvent {
    Started {
        /// The user who started it; none: the program itself.
        by: Option<UserId>,
        /// All KMSs were asked for, and these are they.
        all: bool,
        /// The regions of each KMS.
        places: Vec<SyncPlace>,
    },
    /// A region was gone through to its end.
    RegionFinished {
        kms: KmsId,
        region: Region,
        counts: Counts,
        /// The first key that could not be read, and why.
        trouble: Option<String>,
    },
    /// A region was given up.
    RegionFailed {
        kms: KmsId,
        region: Region,
        /// What was found until then.
        counts: Counts,
        /// AWS's own code and message, or what else stood against it.
        reason: String,
    },
    /// A region was left because the job was cancelled.
    RegionLeft {
        kms: KmsId,
        region: Region,
        /// What was found until then.
        counts: Counts,
    },
    /// Somebody wants it to stop.
    CancelRequested,
    /// Nothing is left to do.
    Finished,
}

/// Events of a job that does the same to many keys.
#[derive(Clone, PartialEq, Debug)]
pub enum BulkEvent {
    Started {
        /// The user who started it; it acts by that user's rights.
        by: UserId,
        task: BulkTask,
        keys: Vec<KeyId>,
    },
    /// It is done to a key.
    KeyDone { key: KeyId },
    /// It is not done to a key.
    KeyFailed { key: KeyId, reason: String },
    /// Somebody wants it to stop.
    CancelRequested,
    /// Nothing is left to do.
    Finished,
}
