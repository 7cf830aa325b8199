//! Operations on a store at AWS.

use super::patch::KeyStorePatch;
use super::{NewCredential, StoreSettings};
use crate::domain::id::{CredentialId, OperationId};
use crate::domain::name::KeyStoreName;
use crate::domain::sealed::Sealed;
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
        /// Another name, or the present one, which AWS is not told.
        name: KeyStoreName,
        /// The complete new settings.
        settings: Box<StoreSettings>,
    },
    /// Tell AWS a credential, which is valid here already.
    RotateCredential {
        credential: CredentialId,
    },
    Delete,
    /// Make a store in a CloudHSM cluster. The password itself is not recorded, only a keyed hash of it, sealed.
    CreateCloudHsm {
        password: Sealed,
    },
    /// Tell AWS the password of `kmsuser`, and connect.
    ConnectWith {
        password: Sealed,
    },
    /// Change what AWS knows of a store that this program does not serve.
    Amend {
        /// Another name, or the present one, which AWS is not told.
        name: KeyStoreName,
        /// Another CloudHSM cluster.
        cluster: Option<String>,
        /// Another password of `kmsuser`.
        password: Option<Sealed>,
    },
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
            Self::CreateCloudHsm { .. } => "create",
            Self::ConnectWith { .. } => "connect",
            Self::Amend { .. } => "update",
        }
    }

    /// The keyed hash of the password that AWS is told.
    pub(super) fn password(&self) -> Option<&Sealed> {
        match self {
            Self::CreateCloudHsm { password } | Self::ConnectWith { password } => Some(password),
            Self::Amend { password, .. } => password.as_ref(),
            Self::Link { .. }
            | Self::Connect
            | Self::Disconnect
            | Self::Update { .. }
            | Self::RotateCredential { .. }
            | Self::Delete => None,
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
    ConnectWith {
        password: Sealed,
    },
    /// Change a store that this program does not serve. A member that is `None` stays as it is.
    Amend {
        name: Option<KeyStoreName>,
        cluster: Option<String>,
        password: Option<Sealed>,
    },
}
