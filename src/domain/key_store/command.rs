//! The commands that change custom key stores.

use super::at_aws::StoreAtAws;
use super::cloud_hsm::NewCloudHsmStore;
use super::operation::StoreRequest;
use super::patch::KeyStorePatch;
use super::{NewCredential, StoreSettings, event::ProxyCall};
use crate::domain::id::{CredentialId, KeyStoreId, KmsId, OperationId, ScheduleId};
use crate::domain::key::command::Outcome;
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::time::Time;

#[derive(Clone, Debug)]
pub enum KeyStoreCommand {
    Create(Box<NewKeyStore>),
    CreateCloudHsm(Box<NewCloudHsmStore>),
    Update {
        id: KeyStoreId,
        patch: Box<KeyStorePatch>,
        at: Time,
    },
    Block {
        id: KeyStoreId,
    },
    Unblock {
        id: KeyStoreId,
    },
    AddCredential {
        id: KeyStoreId,
        credential: NewCredential,
    },
    RemoveCredential {
        id: KeyStoreId,
        credential: CredentialId,
    },
    SetRotationSchedule {
        id: KeyStoreId,
        schedule: Option<ScheduleId>,
    },
    /// Record calls of AWS that the XKS proxy answered, and the number of calls, of any store, that could not be
    /// recorded.
    ReportCalls {
        id: KeyStoreId,
        calls: Vec<ProxyCall>,
        dropped: u64,
    },
    /// Remove a store that AWS does not have.
    Delete {
        id: KeyStoreId,
    },
    /// Record the intent of an operation, before AWS is called.
    Request {
        id: KeyStoreId,
        operation: OperationId,
        request: StoreRequest,
        at: Time,
    },
    /// Record the outcome of an operation.
    Conclude {
        operation: OperationId,
        outcome: Outcome<Option<Box<StoreAtAws>>>,
    },
    /// Record what was read of a store at AWS.
    Observe {
        id: KeyStoreId,
        seen: Box<StoreAtAws>,
    },
    /// Record that AWS does not have a store any more.
    RecordVanished {
        id: KeyStoreId,
    },
    /// Record a store that a synchronisation has read.
    Synchronise {
        /// The id of the store if it is not known.
        new: KeyStoreId,
        kms: KmsId,
        region: Region,
        seen: Box<StoreAtAws>,
        /// The time before it was read.
        began: Time,
    },
    /// Record that a synchronisation did not find a store at AWS.
    RecordMissing {
        id: KeyStoreId,
        began: Time,
    },
}

/// A store to create that this program serves.
#[derive(Clone, Debug)]
pub struct NewKeyStore {
    pub id: KeyStoreId,
    pub kms: KmsId,
    pub region: Region,
    pub name: KeyStoreName,
    pub settings: StoreSettings,
    pub blocked: bool,
    pub credential: NewCredential,
    /// The operation that makes the store at AWS; `None` for an unlinked store.
    pub link: Option<OperationId>,
    pub at: Time,
}
