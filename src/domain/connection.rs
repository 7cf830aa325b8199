//! AWS connections: the credentials for calls to AWS. The secrets are sealed; the domain never unseals them.

pub mod decide;
pub mod patch;
pub mod refusal;
pub mod roles_anywhere;

use super::collection::{Collection, Named};
use super::id::ConnectionId;
use super::kms::AssumedRole;
use super::name::{ConnectionName, JsonText};
use super::place::{Partition, Region};
use super::sealed::Sealed;
use super::time::Time;
use patch::ConnectionPatch;
use roles_anywhere::{RolesAnywhere, RolesAnywhereChange};

#[derive(Clone, PartialEq, Debug)]
pub struct Connection {
    pub id: ConnectionId,
    pub name: ConnectionName,
    pub settings: ConnectionSettings,
    /// The secret access key, sealed.
    pub secret: Sealed,
    /// The certificate that the connection uses in place of its access key.
    pub roles_anywhere: Option<Box<RolesAnywhere>>,
    /// The result of the last test; `None` if the connection was never tested.
    pub last_test: Option<LastTest>,
    pub created: Time,
    /// When it was last changed. A test is no change.
    pub updated: Time,
}

/// The settings of a connection, without its secret access key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionSettings {
    pub description: String,
    pub access_key_id: String,
    pub cloud: Partition,
    /// The role that the connection itself assumes.
    pub role: Option<AssumedRole>,
    /// The region of the STS endpoint, if that is regional, and of the EC2 endpoint that lists the regions.
    pub region: Option<Region>,
    pub sts_endpoints: StsEndpoints,
    /// The products that use the connection: `cckm`.
    pub products: Vec<String>,
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
}

impl ConnectionSettings {
    /// The region of the endpoints: the given one, or the default region of the partition.
    pub fn region_or_default(&self) -> Region {
        self.region.clone().unwrap_or_else(|| self.cloud.default_region())
    }
}

/// The choice of STS endpoints, `aws_sts_regional_endpoints` in the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StsEndpoints {
    /// The global endpoint, where the partition has one.
    #[default]
    Legacy,
    /// The endpoint of the connection's region.
    Regional,
}

impl StsEndpoints {
    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            StsEndpoints::Legacy => "legacy",
            StsEndpoints::Regional => "regional",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastTest {
    pub at: Time,
    /// The error of a test that failed.
    pub error: Option<String>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ConnectionEvent {
    Created {
        name: ConnectionName,
        settings: ConnectionSettings,
        /// The secret access key, sealed.
        secret: Sealed,
    },
    SettingsChanged {
        /// The complete new settings.
        settings: ConnectionSettings,
    },
    Renamed {
        to: ConnectionName,
    },
    SecretReplaced {
        /// The new secret access key, sealed.
        secret: Sealed,
    },
    /// The connection was tested by a call to AWS.
    Tested {
        /// The error of a test that failed.
        error: Option<String>,
    },
    Deleted,
    /// The connection uses a certificate over IAM Roles Anywhere.
    RolesAnywhereSet {
        to: Box<RolesAnywhere>,
    },
    /// The connection uses its access key again.
    RolesAnywhereRemoved,
}

#[derive(Clone, Debug)]
pub enum ConnectionCommand {
    Create {
        id: ConnectionId,
        name: ConnectionName,
        settings: ConnectionSettings,
        /// The secret access key, sealed.
        secret: Sealed,
        roles_anywhere: Option<Box<RolesAnywhere>>,
    },
    Update {
        id: ConnectionId,
        name: Option<ConnectionName>,
        patch: ConnectionPatch,
        /// A new secret access key, sealed.
        secret: Option<Sealed>,
        roles_anywhere: RolesAnywhereChange,
    },
    /// Record the result of a test.
    RecordTest {
        id: ConnectionId,
        /// The error of a test that failed.
        error: Option<String>,
    },
    Delete {
        id: ConnectionId,
    },
}

impl Named for Connection {
    type Id = ConnectionId;
    type Name = ConnectionName;

    fn id(&self) -> ConnectionId {
        self.id
    }

    fn name(&self) -> ConnectionName {
        self.name.clone()
    }
}

impl Collection<Connection> {
    pub(super) fn apply(&mut self, at: Time, id: ConnectionId, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::Created { name, settings, secret } => self.insert(Connection {
                id,
                name: name.clone(),
                settings: settings.clone(),
                secret: secret.clone(),
                roles_anywhere: None,
                last_test: None,
                created: at,
                updated: at,
            }),
            ConnectionEvent::Deleted => drop(self.remove(&id)),
            ConnectionEvent::SettingsChanged { .. }
            | ConnectionEvent::Renamed { .. }
            | ConnectionEvent::SecretReplaced { .. }
            | ConnectionEvent::RolesAnywhereSet { .. }
            | ConnectionEvent::RolesAnywhereRemoved
            | ConnectionEvent::Tested { .. } => self.change(&id, |connection| connection.apply(at, event)),
        }
    }
}

impl Connection {
    fn apply(&mut self, at: Time, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::SettingsChanged { settings } => self.settings = settings.clone(),
            ConnectionEvent::Renamed { to } => self.name = to.clone(),
            ConnectionEvent::SecretReplaced { secret } => self.secret = secret.clone(),
            ConnectionEvent::RolesAnywhereSet { to } => self.roles_anywhere = Some(to.clone()),
            ConnectionEvent::RolesAnywhereRemoved => self.roles_anywhere = None,
            ConnectionEvent::Tested { error } => {
                self.last_test = Some(LastTest { at, error: error.clone() });
                return;
            }
            ConnectionEvent::Created { .. } | ConnectionEvent::Deleted => return,
        }
        self.updated = at;
    }
}

#[cfg(test)]
mod tests;
