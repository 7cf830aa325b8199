//! The events of jobs. The changes that jobs make to keys are events of those keys.

use super::bulk::BulkTask;
use super::sync::{Counts, SyncPlace};
use crate::domain::id::{KeyId, KmsId, UserId};
use crate::domain::place::Region;

#[derive(Clone, PartialEq, Debug)]
pub enum JobEvent {
    Synchronisation(SyncEvent),
    Bulk(BulkEvent),
}

/// Events of a synchronisation job, which updates the keys in the state from AWS.
#[derive(Clone, PartialEq, Debug)]
pub enum SyncEvent {
    Started {
        /// The user who started the job; `None` if a schedule did.
        by: Option<UserId>,
        /// Whether all KMSs were requested. `places` then lists those of that moment.
        all: bool,
        /// The regions of each KMS.
        places: Vec<SyncPlace>,
    },
    /// All keys of a region were processed.
    RegionFinished {
        kms: KmsId,
        region: Region,
        counts: Counts,
        /// The first key that could not be read, with the reason.
        trouble: Option<String>,
    },
    /// The synchronisation of a region failed.
    RegionFailed {
        kms: KmsId,
        region: Region,
        /// The keys that were processed until then.
        counts: Counts,
        /// AWS's own code and message, or another reason.
        reason: String,
    },
    /// The synchronisation of a region stopped because the job was cancelled.
    RegionLeft {
        kms: KmsId,
        region: Region,
        /// The keys that were processed until then.
        counts: Counts,
    },
    CancelRequested,
    Finished,
    /// A job that updates the key stores in the state was started.
    KeyStoresStarted {
        by: Option<UserId>,
        all: bool,
        places: Vec<SyncPlace>,
    },
    /// Of a region, so many entries were found at AWS that were not linked before. The end of the region follows.
    RegionLinked {
        kms: KmsId,
        region: Region,
        linked: u64,
    },
}

/// Events of a bulk job, which performs one task on many keys.
#[derive(Clone, PartialEq, Debug)]
pub enum BulkEvent {
    Started {
        /// The user who started the job, and whose rights it has.
        by: UserId,
        task: BulkTask,
        keys: Vec<KeyId>,
    },
    KeyDone {
        key: KeyId,
    },
    KeyFailed {
        key: KeyId,
        reason: String,
    },
    CancelRequested,
    Finished,
}
