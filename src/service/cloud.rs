//! How a connection, and the roles assumed over it, become access to AWS; and what AWS says of the account there.

use super::Core;
use super::failure::Failure;
use crate::aws::port::{Access, AccessKeys, RoleToAssume, SessionName, StsEndpoints};
use crate::domain::connection::{self, Connection, ConnectionSettings};
use crate::domain::id::ConnectionId;
use crate::domain::kms::{AssumedRole, Sighting};
use crate::keyring::Owner;
use zeroize::Zeroizing;

/// What the sealing of a connection's secret access key is bound to.
pub(super) const SECRET_ACCESS_KEY: &str = "secret_access_key";

/// The owner of a connection's secrets.
pub(super) fn owner(id: ConnectionId) -> Owner {
    Owner::new("connection", id.uuid())
}

impl Core {
    /// Asks AWS who we are over this connection (and role), and which regions are enabled there.
    pub(super) async fn sight(&self, connection: &Connection, role: Option<&AssumedRole>) -> Result<Sighting, Failure> {
        self.sight_unless_seen(connection, role, |_| false).await
    }

    /// The same, unless AWS was asked a moment ago and what it said `suffices`.
    pub(super) async fn sight_unless_seen(
        &self,
        connection: &Connection,
        role: Option<&AssumedRole>,
        suffices: impl Fn(&Sighting) -> bool,
    ) -> Result<Sighting, Failure> {
        let access = self.access(connection, role)?;
        let look = async {
            let caller = self.aws.caller(&access).await?;
            let enabled = self.aws.enabled_regions(&access).await?;
            Ok(Sighting { account: caller.account, arn: caller.arn, enabled })
        };
        Ok(self.sightings.share((connection.id, connection.updated, role.cloned()), suffices, look).await?)
    }

    /// Access over a stored connection.
    pub(super) fn access(&self, connection: &Connection, role: Option<&AssumedRole>) -> Result<Access, Failure> {
        let secret = self.unseal(&owner(connection.id), SECRET_ACCESS_KEY, &connection.secret)?;
        let secret = std::str::from_utf8(&secret).map_err(|_| Failure::Broken("a sealed secret is not text"))?;
        Ok(access(&connection.settings, secret, role))
    }
}

/// Access with settings and a secret that need not be stored.
pub(super) fn access(settings: &ConnectionSettings, secret: &str, role: Option<&AssumedRole>) -> Access {
    let roles = settings.role.iter().chain(role).map(|role| RoleToAssume {
        arn: role.arn.clone(),
        external_id: role.external_id.clone(),
        session_name: SessionName::shaped_from("claviger"),
    });
    Access {
        partition: settings.cloud,
        keys: AccessKeys {
            id: settings.access_key_id.clone(),
            secret: Zeroizing::new(secret.to_owned()),
            session_token: None,
        },
        region: settings.region.clone(),
        sts: match settings.sts_endpoints {
            connection::StsEndpoints::Legacy => StsEndpoints::Legacy,
            connection::StsEndpoints::Regional => StsEndpoints::Regional,
        },
        roles: roles.collect(),
    }
}
