//! Custom key stores. AWS KMS does not hold the material of the keys in them: it asks an external key manager, such as
//! this program's XKS proxy, or a CloudHSM cluster.
//!
//! A store that this program serves is linked once AWS knows it. Before that it exists here only.

pub mod at_aws;
pub mod caller_rules;
pub mod cloud_hsm;
pub mod decide;
pub mod endpoint;
pub mod operation;
mod outcome;
pub mod patch;
pub mod refusal;
mod request;
pub mod sync;
mod warn;
pub mod warning;

use super::collection::{Collection, Named};
use super::id::{CredentialId, KeyStoreId, KmsId, OperationId, ScheduleId, SourceKeyId};
use super::key::command::Outcome;
use super::name::KeyStoreName;
use super::place::Region;
use super::sealed::Sealed;
use super::time::Time;
use at_aws::StoreAtAws;
use caller_rules::CallerRules;
use cloud_hsm::{CloudHsmStore, NewCloudHsmStore};
use operation::{PendingStoreOperation, StoreOperation, StoreRequest};
use patch::KeyStorePatch;
use warning::StoreWarning;

/// The fewest and the most credentials that a store can have at once.
pub const CREDENTIALS_MIN: u16 = 2;
pub const CREDENTIALS_MAX: u16 = 20;

#[derive(Clone, PartialEq, Debug)]
pub struct KeyStore {
    pub id: KeyStoreId,
    pub kms: KmsId,
    pub region: Region,
    pub name: KeyStoreName,
    /// How this program serves the store; `None` for a store of another proxy or of a CloudHSM cluster.
    pub local: Option<Box<LocalStore>>,
    /// The CloudHSM cluster of the store, if it has one.
    pub cloud_hsm: Option<Box<CloudHsmStore>>,
    /// The store as AWS last reported it; `None` as long as it is unlinked.
    pub at_aws: Option<Box<StoreAtAws>>,
    /// Whether AWS no longer has the store.
    pub gone: bool,
    /// The operation at AWS that has no outcome yet.
    pub operation: Option<Box<PendingStoreOperation>>,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// A store that this program serves.
#[derive(Clone, PartialEq, Debug)]
pub struct LocalStore {
    pub settings: StoreSettings,
    /// Whether the proxy refuses every request for the store.
    pub blocked: bool,
    /// The valid credentials, oldest first.
    pub credentials: Vec<Credential>,
    /// The number of credentials that were ever made.
    pub credentials_made: u32,
    /// The schedule that rotates the credentials.
    pub rotation_schedule: Option<ScheduleId>,
}

/// The settings of a store that this program serves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreSettings {
    pub connectivity: Connectivity,
    /// `https://` and the host that AWS calls.
    pub endpoint: String,
    /// The name of the VPC endpoint service; empty for a public endpoint.
    pub vpc_service: String,
    /// The account that owns the VPC endpoint service; empty if the client named none.
    pub vpc_service_owner: String,
    /// The source key that a health check encrypts and decrypts with.
    pub health_check_key: SourceKeyId,
    /// A ciphertext of that key, which shows clients that the key works.
    pub health_check_ciphertext: String,
    /// The tier of the source keys, as the client named it.
    pub source_key_tier: String,
    /// The most credentials that the store can have at once.
    pub max_credentials: u16,
    /// The client's wish that AWS authenticates with a certificate too. It is kept; AWS has deprecated it.
    pub mtls_enabled: bool,
    pub partition_id: String,
    /// Whether requests that were served are recorded, beside those that were refused.
    pub reports_success: bool,
    pub caller_rules: CallerRules,
}

/// How AWS reaches the proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Connectivity {
    #[default]
    PublicEndpoint,
    VpcEndpointService,
}

impl Connectivity {
    pub const NAMES: &'static [&'static str] = &["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"];

    /// AWS's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublicEndpoint => "PUBLIC_ENDPOINT",
            Self::VpcEndpointService => "VPC_ENDPOINT_SERVICE",
        }
    }

    /// Returns the connectivity of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::PublicEndpoint, Self::VpcEndpointService].into_iter().find(|one| one.name() == name)
    }
}

/// A credential with which AWS signs its requests to the proxy. All credentials of a store are valid at once.
#[derive(Clone, PartialEq, Debug)]
pub struct Credential {
    pub id: CredentialId,
    pub access_key_id: String,
    /// The secret access key, sealed.
    pub secret: Sealed,
    /// The number of the credential, from 1 on.
    pub version: u32,
    pub created: Time,
}

/// A credential to add.
#[derive(Clone, PartialEq, Debug)]
pub struct NewCredential {
    pub id: CredentialId,
    pub access_key_id: String,
    /// The secret access key, sealed.
    pub secret: Sealed,
}

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

/// The kind of a store by who serves it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreKind {
    /// This program.
    Local,
    /// Another XKS proxy.
    Remote,
    CloudHsm,
}

impl StoreKind {
    pub const NAMES: &'static [&'static str] = &["LOCAL", "REMOTE", "CloudHSM"];

    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "LOCAL",
            Self::Remote => "REMOTE",
            Self::CloudHsm => "CloudHSM",
        }
    }
}

impl KeyStore {
    pub fn kind(&self) -> StoreKind {
        match (&self.local, &self.cloud_hsm) {
            (Some(_), _) => StoreKind::Local,
            (None, Some(_)) => StoreKind::CloudHsm,
            (None, None) => StoreKind::Remote,
        }
    }

    pub fn is_linked(&self) -> bool {
        self.at_aws.is_some()
    }

    /// Whether AWS has the store, as far as is known.
    pub fn is_at_aws(&self) -> bool {
        self.is_linked() && !self.gone
    }

    /// The path of the store on the XKS proxy, which AWS puts before the name of the operation.
    pub fn proxy_path(id: KeyStoreId) -> String {
        format!("/api/v1/cckm/aws/xks-proxy-endpoints/{id}/kms/xks/v1")
    }
}

impl LocalStore {
    /// The credential that AWS is told.
    pub fn newest_credential(&self) -> Option<&Credential> {
        self.credentials.last()
    }
}

impl Named for KeyStore {
    type Id = KeyStoreId;
    type Name = KeyStoreName;

    fn id(&self) -> KeyStoreId {
        self.id
    }

    fn name(&self) -> KeyStoreName {
        self.name.clone()
    }
}

impl Collection<KeyStore> {
    pub(super) fn apply(&mut self, at: Time, id: KeyStoreId, event: &KeyStoreEvent) {
        match event {
            KeyStoreEvent::Created { kms, region, name, settings, blocked, credential } => {
                let local = LocalStore {
                    settings: StoreSettings::clone(settings),
                    blocked: *blocked,
                    credentials: vec![credential.made(1, at)],
                    credentials_made: 1,
                    rotation_schedule: None,
                };
                let local = Some(Box::new(local));
                self.insert(KeyStore { local, ..KeyStore::new(id, *kms, region, name, at) });
            }
            KeyStoreEvent::CloudHsmCreated { kms, region, name, cluster, trust_anchor } => {
                let (cluster, trust_anchor) = (cluster.clone(), trust_anchor.clone());
                let cloud_hsm = Some(Box::new(CloudHsmStore { cluster, trust_anchor, told: None }));
                self.insert(KeyStore { cloud_hsm, ..KeyStore::new(id, *kms, region, name, at) });
            }
            KeyStoreEvent::Found { kms, region, name, seen } => {
                let mut store = KeyStore::new(id, *kms, region, name, at);
                store.observe(seen);
                self.insert(store);
            }
            KeyStoreEvent::Deleted => drop(self.remove(&id)),
            // Reports and warnings are for readers of the log.
            KeyStoreEvent::CallsReported { .. } | KeyStoreEvent::Warned { .. } => {}
            KeyStoreEvent::Renamed { .. }
            | KeyStoreEvent::SettingsChanged { .. }
            | KeyStoreEvent::CredentialAdded { .. }
            | KeyStoreEvent::CredentialRemoved { .. }
            | KeyStoreEvent::Blocked
            | KeyStoreEvent::Unblocked
            | KeyStoreEvent::RotationScheduleSet { .. }
            | KeyStoreEvent::OperationRequested { .. }
            | KeyStoreEvent::OperationDone { .. }
            | KeyStoreEvent::OperationFailed { .. }
            | KeyStoreEvent::OperationReconciled { .. }
            | KeyStoreEvent::Observed { .. }
            | KeyStoreEvent::Linked { .. }
            | KeyStoreEvent::PasswordTold { .. }
            | KeyStoreEvent::Vanished => self.change(&id, |store| store.apply(at, event)),
        }
    }
}

impl KeyStore {
    fn new(id: KeyStoreId, kms: KmsId, region: &Region, name: &KeyStoreName, at: Time) -> Self {
        Self {
            id,
            kms,
            region: region.clone(),
            name: name.clone(),
            local: None,
            cloud_hsm: None,
            at_aws: None,
            gone: false,
            operation: None,
            created: at,
            updated: at,
        }
    }

    fn apply(&mut self, at: Time, event: &KeyStoreEvent) {
        self.updated = at;
        match event {
            KeyStoreEvent::Renamed { to } => self.name = to.clone(),
            KeyStoreEvent::OperationRequested { operation, wanted } => {
                let wanted = StoreOperation::clone(wanted);
                self.operation = Some(Box::new(PendingStoreOperation { id: *operation, wanted, since: at }));
            }
            KeyStoreEvent::OperationDone { operation: _, seen }
            | KeyStoreEvent::OperationReconciled { operation: _, seen } => {
                self.operation = None;
                seen.iter().for_each(|seen| self.observe(seen));
            }
            KeyStoreEvent::OperationFailed { .. } => self.operation = None,
            KeyStoreEvent::Observed { seen } | KeyStoreEvent::Linked { seen } => self.observe(seen),
            KeyStoreEvent::Vanished => self.gone = true,
            KeyStoreEvent::PasswordTold { password } => {
                if let Some(cloud_hsm) = &mut self.cloud_hsm {
                    cloud_hsm.told.clone_from(password);
                }
            }
            KeyStoreEvent::Created { .. }
            | KeyStoreEvent::CloudHsmCreated { .. }
            | KeyStoreEvent::Found { .. }
            | KeyStoreEvent::Warned { .. }
            | KeyStoreEvent::SettingsChanged { .. }
            | KeyStoreEvent::CredentialAdded { .. }
            | KeyStoreEvent::CredentialRemoved { .. }
            | KeyStoreEvent::Blocked
            | KeyStoreEvent::Unblocked
            | KeyStoreEvent::RotationScheduleSet { .. }
            | KeyStoreEvent::CallsReported { .. }
            | KeyStoreEvent::Deleted => {}
        }
        if let Some(local) = &mut self.local {
            local.apply(at, event);
        }
    }

    fn observe(&mut self, seen: &StoreAtAws) {
        if let Some(now) = &seen.cloud_hsm {
            let told = self.cloud_hsm.take().and_then(|before| before.told);
            // The password that AWS was told is wrong, so that AWS can be told the same one again.
            let told = told.filter(|_| !seen.has_wrong_credentials());
            let (cluster, trust_anchor) = (now.cluster.clone(), now.trust_anchor.clone());
            self.cloud_hsm = Some(Box::new(CloudHsmStore { cluster, trust_anchor, told }));
        }
        self.at_aws = Some(Box::new(seen.clone()));
        self.gone = false;
    }
}

impl LocalStore {
    fn apply(&mut self, at: Time, event: &KeyStoreEvent) {
        match event {
            KeyStoreEvent::SettingsChanged { settings } => self.settings = StoreSettings::clone(settings),
            KeyStoreEvent::CredentialAdded { credential } => {
                self.credentials_made += 1;
                self.credentials.push(credential.made(self.credentials_made, at));
            }
            KeyStoreEvent::CredentialRemoved { id } => self.credentials.retain(|credential| credential.id != *id),
            KeyStoreEvent::Blocked => self.blocked = true,
            KeyStoreEvent::Unblocked => self.blocked = false,
            KeyStoreEvent::RotationScheduleSet { schedule } => self.rotation_schedule = *schedule,
            KeyStoreEvent::Created { .. }
            | KeyStoreEvent::Renamed { .. }
            | KeyStoreEvent::CallsReported { .. }
            | KeyStoreEvent::Deleted
            | KeyStoreEvent::OperationRequested { .. }
            | KeyStoreEvent::OperationDone { .. }
            | KeyStoreEvent::OperationFailed { .. }
            | KeyStoreEvent::OperationReconciled { .. }
            | KeyStoreEvent::Observed { .. }
            | KeyStoreEvent::Vanished
            | KeyStoreEvent::CloudHsmCreated { .. }
            | KeyStoreEvent::Found { .. }
            | KeyStoreEvent::Linked { .. }
            | KeyStoreEvent::PasswordTold { .. }
            | KeyStoreEvent::Warned { .. } => {}
        }
    }
}

impl NewCredential {
    fn made(&self, version: u32, at: Time) -> Credential {
        let (access_key_id, secret) = (self.access_key_id.clone(), self.secret.clone());
        Credential { id: self.id, access_key_id, secret, version, created: at }
    }
}

#[cfg(test)]
pub(super) mod tests;
