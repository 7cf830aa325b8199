//! What can be asked of keys.

use super::aggregate::Snapshot;
use super::event::RotationJob;
use super::operation::Operation;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::place::Region;
use crate::domain::time::Time;

/// What can be asked of keys.
#[derive(Clone, Debug)]
pub enum KeyCommand {
    /// Write down that AWS is about to be asked.
    Request {
        /// Of which key: one of ours, or a new one that AWS is to make.
        id: KeyId,
        operation: OperationId,
        kms: KmsId,
        region: Region,
        wanted: Box<Operation>,
    },
    /// Write down what came of it.
    Conclude {
        operation: OperationId,
        outcome: Outcome<Box<Snapshot>>,
        /// Another key that changed with it, and what AWS holds of it now.
        related: Option<(KeyId, Box<Snapshot>)>,
    },
    /// Take in what AWS holds of a key, known or not.
    Observe {
        /// Under which id, should it not be known.
        id: KeyId,
        kms: KmsId,
        region: Region,
        seen: Box<Snapshot>,
    },
    /// Take in that AWS does not have a key any more.
    NoteVanished {
        id: KeyId,
    },
    /// Take in what a synchronisation has read of a key, unless what is known here is newer.
    Synchronise {
        /// Under which id, should it not be known.
        id: KeyId,
        kms: KmsId,
        region: Region,
        seen: Box<Snapshot>,
        began: Began,
    },
    /// Take in that a synchronisation has not found a key, unless what is known here is newer.
    NoteMissing {
        id: KeyId,
        began: Time,
    },
    /// Let a schedule rotate it, or no more.
    SetRotationJob {
        id: KeyId,
        job: Option<RotationJob>,
    },
    Forget {
        id: KeyId,
    },
    /// Remove some of the keys whose KMS was deleted, or whose region was taken from it.
    RemoveUnmanaged {
        most: usize,
    },
}

/// When the reading of a synchronisation began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Began {
    /// Of the region's aliases, which are read first.
    pub aliases: Time,
    pub key: Time,
}

/// What came of an operation, with what AWS was seen to hold.
#[derive(Clone, Debug)]
pub enum Outcome<Seen> {
    /// AWS did it, and holds this now.
    Done(Seen),
    /// The program had ended in between; AWS holds this now.
    Reconciled(Seen),
    /// AWS made the thing, and refused what was to follow.
    Halfway {
        reason: String,
        /// What AWS holds of it.
        seen: Seen,
    },
    /// AWS did not do it.
    Failed(String),
}
