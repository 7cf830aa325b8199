//! Custom key stores. AWS KMS does not hold the material of the keys in them: it asks an external key manager, such as
//! this program's XKS proxy, or a CloudHSM cluster.
//!
//! A store that this program serves is linked once AWS knows it. Before that it exists here only.

mod apply;
pub mod at_aws;
pub mod caller_rules;
pub mod cloud_hsm;
pub mod command;
pub mod decide;
pub mod endpoint;
pub mod event;
pub mod operation;
mod outcome;
pub mod patch;
pub mod refusal;
mod request;
pub mod sync;
mod warn;
pub mod warning;

use super::collection::Named;
use super::id::{CredentialId, KeyStoreId, KmsId, ScheduleId, SourceKeyId};
use super::name::KeyStoreName;
use super::place::Region;
use super::sealed::Sealed;
use super::time::Time;
use at_aws::StoreAtAws;
use caller_rules::CallerRules;
use cloud_hsm::CloudHsmStore;
use operation::PendingStoreOperation;

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

#[cfg(test)]
pub(super) mod tests;
