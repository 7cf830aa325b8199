//! The commands of keys.

use super::aggregate::Snapshot;
use super::event::RotationJob;
use super::hyok::HyokCommand;
use super::operation::Operation;
use super::virtual_key::VirtualKeyCommand;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::place::Region;
use crate::domain::time::Time;

#[derive(Clone, Debug)]
pub enum KeyCommand {
    /// Record the intent of an operation, before AWS is called.
    Request {
        /// The key, or the new key that the operation is to create.
        id: KeyId,
        operation: OperationId,
        kms: KmsId,
        region: Region,
        wanted: Box<Operation>,
    },
    /// Record the outcome of an operation.
    Conclude {
        operation: OperationId,
        outcome: Outcome<Box<Snapshot>>,
        /// Another key that the operation changed, as AWS reports it now.
        related: Option<(KeyId, Box<Snapshot>)>,
    },
    /// Record the properties of a key that was read at AWS.
    Observe {
        /// The new id of the key, if it is not in the state yet.
        id: KeyId,
        kms: KmsId,
        region: Region,
        seen: Box<Snapshot>,
    },
    /// Record the properties of a known key that a client asked to read, even if none of them is new.
    Refresh {
        id: KeyId,
        kms: KmsId,
        region: Region,
        seen: Box<Snapshot>,
    },
    /// Record that AWS no longer has a key.
    RecordVanished {
        id: KeyId,
    },
    /// Record the properties of a key that a synchronisation read, unless the state may be newer.
    Synchronise {
        /// The new id of the key, if it is not in the state yet.
        id: KeyId,
        kms: KmsId,
        region: Region,
        seen: Box<Snapshot>,
        began: Began,
    },
    /// Record that a synchronisation did not find a key, unless the state may be newer.
    RecordMissing {
        id: KeyId,
        began: Time,
    },
    /// Put the key under a schedule that rotates it, or take it off the schedule.
    SetRotationJob {
        id: KeyId,
        job: Option<RotationJob>,
    },
    /// Record that the material of a key was not rotated, because a step before the rotation failed.
    RecordFailedRotation {
        id: KeyId,
        reason: String,
    },
    Forget {
        id: KeyId,
    },
    /// Change a key that this program holds.
    Hyok(HyokCommand),
    /// Make, change or delete a virtual key.
    Virtual(VirtualKeyCommand),
    /// Remove rows of keys that are no longer managed.
    RemoveUnmanaged {
        /// The maximum number of rows to remove.
        most: usize,
    },
}

/// The times at which a synchronisation began to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Began {
    /// The aliases of the region, which are read first.
    pub aliases: Time,
    /// The key itself.
    pub key: Time,
}

/// The outcome of an operation, with the key as AWS reports it afterwards.
#[derive(Clone, Debug)]
pub enum Outcome<Seen> {
    /// AWS confirmed the operation.
    Done(Seen),
    /// AWS's answer was lost, or the program ended before it arrived; the key was read later.
    Reconciled(Seen),
    /// AWS created the key, and a later step of the operation failed.
    Halfway { reason: String, seen: Seen },
    /// AWS did not perform the operation.
    Failed(String),
}
