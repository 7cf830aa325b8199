//! AWS connections: with which credentials AWS is spoken to. The secret halves are sealed and pass through untouched.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::collection::{Collection, Named};
use super::id::ConnectionId;
use super::kms::AssumedRole;
use super::name::{ConnectionName, JsonText};
use super::place::{Partition, Region};
use super::sealed::Sealed;
use super::time::Time;
use patch::ConnectionPatch;

/// A connection as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Connection {
    pub id: ConnectionId,
    pub name: ConnectionName,
    /// All that is not secret.
    pub settings: ConnectionSettings,
    /// The secret access key, sealed.
    pub secret: Sealed,
    /// How the last test went; none: never tested.
    pub last_test: Option<LastTest>,
    pub created: Time,
    /// When it was last changed (a test changes nothing).
    pub updated: Time,
}

/// All of a connection that is not secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionSettings {
    pub description: String,
    /// The public half of the credentials.
    pub access_key_id: String,
    pub cloud: Partition,
    /// The role that the connection itself assumes.
    pub role: Option<AssumedRole>,
    /// Where STS is spoken to, if regional, and where EC2 is asked for the regions.
    pub region: Option<Region>,
    pub sts_endpoints: StsEndpoints,
    /// For which products; `cckm`.
    pub products: Vec<String>,
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
}

/// `aws_sts_regional_endpoints`.
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
    /// None: well. Otherwise why not.
    pub error: Option<String>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ConnectionEvent {
    Created {
        name: ConnectionName,
        /// All that is not secret.
        settings: ConnectionSettings,
        /// The secret access key, sealed.
        secret: Sealed,
    },
    SettingsChanged {
        /// All of them, as they are now.
        settings: ConnectionSettings,
    },
    Renamed {
        to: ConnectionName,
    },
    /// A new secret access key.
    SecretReplaced {
        /// The new one, sealed.
        secret: Sealed,
    },
    /// AWS was asked whether the connection works.
    Tested {
        /// None: it does. Otherwise why not.
        error: Option<String>,
    },
    /// The connection is no more.
    Deleted,
}

/// What can be asked of connections.
#[derive(Clone, Debug)]
pub enum ConnectionCommand {
    Create {
        id: ConnectionId,
        name: ConnectionName,
        /// All that is not secret.
        settings: ConnectionSettings,
        /// The secret access key, sealed.
        secret: Sealed,
    },
    Update {
        id: ConnectionId,
        name: Option<ConnectionName>,
        patch: ConnectionPatch,
        /// A new secret access key, sealed.
        secret: Option<Sealed>,
    },
    /// Note how a test went.
    NoteTest {
        id: ConnectionId,
        /// None: well. Otherwise why not.
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
    /// Takes in what has happened to a connection.
    pub(super) fn apply(&mut self, at: Time, id: ConnectionId, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::Created { name, settings, secret } => self.insert(Connection {
                id,
                name: name.clone(),
                settings: settings.clone(),
                secret: secret.clone(),
                last_test: None,
                created: at,
                updated: at,
            }),
            ConnectionEvent::Deleted => drop(self.remove(&id)),
            ConnectionEvent::SettingsChanged { .. }
            | ConnectionEvent::Renamed { .. }
            | ConnectionEvent::SecretReplaced { .. }
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
