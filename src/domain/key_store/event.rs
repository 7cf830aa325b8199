//! The events of custom key stores.

use super::at_aws::StoreAtAws;
use super::operation::StoreOperation;
use super::warning::StoreWarning;
use super::{NewCredential, StoreSettings};
use crate::domain::id::{CredentialId, KmsId, OperationId, ScheduleId};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::sealed::Sealed;
use crate::domain::time::Time;

#[derive(Clone, PartialEq, Debug)]
pub enum KeyStoreEvent {
    /// A store that this program serves was created here.
    Created {
        kms: KmsId,
        region: Region,
        name: KeyStoreName,
        settings: Box<StoreSettings>,
        blocked: bool,
        credential: NewCredential,
    },
    Renamed {
        to: KeyStoreName,
    },
    SettingsChanged {
        /// The complete new settings.
        settings: Box<StoreSettings>,
    },
    CredentialAdded {
        credential: NewCredential,
    },
    CredentialRemoved {
        id: CredentialId,
    },
    Blocked,
    Unblocked,
    /// The store was put under a schedule that rotates its credentials, or taken off it.
    RotationScheduleSet {
        schedule: Option<ScheduleId>,
    },
    /// The XKS proxy answered these calls of AWS: refused ones, and served ones if the store asks for it.
    CallsReported {
        calls: Vec<ProxyCall>,
        /// The number of calls that could not be recorded, of any store, since the last report.
        dropped: u64,
    },
    /// The store was removed here. At AWS it was deleted before, or was never there.
    Deleted,
    /// An operation at AWS was requested. AWS is called afterwards.
    OperationRequested {
        operation: OperationId,
        wanted: Box<StoreOperation>,
    },
    /// AWS confirmed the operation.
    OperationDone {
        operation: OperationId,
        /// The store as AWS reports it then; `None` once AWS does not have it any more.
        seen: Option<Box<StoreAtAws>>,
    },
    /// AWS did not perform the operation.
    OperationFailed {
        operation: OperationId,
        reason: String,
    },
    /// The result of the operation was read later, because AWS takes longer, AWS's answer was lost, or the program
    /// ended.
    OperationReconciled {
        operation: OperationId,
        seen: Option<Box<StoreAtAws>>,
    },
    /// AWS reports something new of the store.
    Observed {
        seen: Box<StoreAtAws>,
    },
    /// AWS does not have the store any more.
    Vanished,
    /// A store in a CloudHSM cluster was created here, to be made at AWS at once.
    CloudHsmCreated {
        kms: KmsId,
        region: Region,
        name: KeyStoreName,
        cluster: String,
        trust_anchor: String,
    },
    /// AWS has a store that was not known here: one of another proxy, or of a CloudHSM cluster.
    Found {
        kms: KmsId,
        region: Region,
        name: KeyStoreName,
        seen: Box<StoreAtAws>,
    },
    /// An unlinked store that this program serves was found at AWS, where somebody had made it by hand.
    Linked {
        seen: Box<StoreAtAws>,
    },
    /// AWS was told a password of `kmsuser`, of which this is a keyed hash, sealed; `None` if it is not known which one
    /// AWS has.
    PasswordTold {
        password: Option<Sealed>,
    },
    Warned {
        warning: StoreWarning,
    },
}

/// A call of AWS to the XKS proxy, and its result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProxyCall {
    pub at: Time,
    /// The operation of the proxy, such as `decrypt`.
    pub operation: String,
    /// The error that was answered; `None` if the call was served.
    pub error: Option<String>,
    /// The reason of the error.
    pub message: String,
    /// The caller rule that did not admit the call.
    pub rule: Option<String>,
    /// The id of the key that the call names, which may not exist.
    pub xks_key_id: Option<String>,
    pub access_key_id: Option<String>,
    /// AWS's id of the request, which CloudTrail has too.
    pub kms_request_id: Option<String>,
    /// The operation of AWS KMS, such as `Decrypt`.
    pub kms_operation: Option<String>,
    pub kms_key_arn: Option<String>,
    /// The ARN of the principal on whose behalf AWS called.
    pub principal: Option<String>,
    pub via_service: Option<String>,
    pub source_vpc: Option<String>,
    pub source_vpce: Option<String>,
}
