//! Operations on a store at AWS.

use super::patch::KeyStorePatch;
use super::{NewCredential, StoreSettings};
use crate::domain::id::{CredentialId, OperationId};
use crate::domain::name::KeyStoreName;
use crate::domain::time::Time;

/// An operation on a store at AWS.
#[derive(Clone, PartialEq, Debug)]
pub enum StoreOperation {
    /// Make the store at AWS.
    Link {
        /// The complete settings with which the store is made.
        settings: Box<StoreSettings>,
        /// Whether the store was created here to be made at AWS, so that it is removed if AWS refuses it.
        new: bool,
    },
    Connect,
    Disconnect,
    /// Change what AWS knows of the store, and with it what only this program knows.
    Update {
        name: KeyStoreName,
        /// The complete new settings.
        settings: Box<StoreSettings>,
    },
    /// Tell AWS a credential, which is valid here already.
    RotateCredential {
        credential: CredentialId,
    },
    Delete,
}

impl StoreOperation {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Link { .. } => "link",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Update { .. } => "update",
            Self::RotateCredential { .. } => "rotate-credential",
            Self::Delete => "delete",
        }
    }
}

/// An operation whose intent is recorded and whose outcome is not. A store has at most one.
#[derive(Clone, PartialEq, Debug)]
pub struct PendingStoreOperation {
    pub id: OperationId,
    pub wanted: StoreOperation,
    pub since: Time,
}

/// A request for an operation.
#[derive(Clone, Debug)]
pub enum StoreRequest {
    Link {
        /// The changes of the address that precede the link.
        patch: Box<KeyStorePatch>,
    },
    Connect,
    Disconnect,
    Update {
        patch: Box<KeyStorePatch>,
    },
    RotateCredential {
        credential: NewCredential,
    },
    Delete,
}
