//! AWS connections: store them, test them, and find them by name or id.

mod testing;

pub(in crate::service) use testing::{Checked, Patience};
pub use testing::{TestDetails, TestOutcome};

use super::access::{ManageConnections, Permit, ViewConnections};
use super::caller::{Caller, Change, RequestContext};
use super::cloud::{Cloud, PRIVATE_KEY, SECRET_ACCESS_KEY, owner};
use super::failure::{Failure, invalid};
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::recorder::Recorder;
use super::roles_anywhere::{RolesAnywhereRequest, Wanted};
use super::secrets::Secrets;
use crate::aws::roles_anywhere as aws;
use crate::domain::command::Command;
use crate::domain::connection::patch::ConnectionPatch;
use crate::domain::connection::roles_anywhere::{RolesAnywhere, RolesAnywhereChange};
use crate::domain::connection::{Connection, ConnectionCommand, ConnectionSettings};
use crate::domain::id::ConnectionId;
use crate::domain::kms::ConnectionReference;
use crate::domain::name::{ConnectionName, JsonText};
use crate::domain::place::Partition;
use crate::domain::refusal::{ConnectionRefusal, Refusal};
use crate::domain::sealed::Sealed;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::ledger::Committed;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The use cases of connections. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    recorder: Recorder,
    secrets: Secrets,
    cloud: Arc<Cloud>,
}

/// A connection to create or to test.
pub struct NewConnection {
    pub settings: ConnectionSettings,
    /// The secret access key; empty if the connection uses a certificate.
    pub secret: Zeroizing<String>,
    pub roles_anywhere: Option<aws::RolesAnywhere>,
}

/// A change of a connection. A member that is `None` keeps its value.
pub struct ConnectionUpdate {
    pub name: Option<ConnectionName>,
    pub patch: ConnectionPatch,
    pub secret: Option<Zeroizing<String>>,
    pub roles_anywhere: RolesAnywhereRequest,
}

/// Finds a connection by its id, then by its name. The id comes first, so that no connection can be named like another
/// one's id and replace it.
///
/// # Errors
/// When there is no such connection.
pub fn find(state: &State, text: &str) -> Result<Arc<Connection>, Failure> {
    let with_id = ConnectionId::parse(text).ok().and_then(|id| state.connections.get(&id));
    let named = || state.connection_named(&ConnectionName::parse(text).ok()?);
    match with_id.or_else(named) {
        Some(connection) => Ok(connection.clone()),
        None => Err(ConnectionRefusal::Unknown(text.chars().take(255).collect()).into()),
    }
}

/// Returns the reference to a connection that was found by this text.
pub(super) fn reference(connection: &Connection, given: &str) -> ConnectionReference {
    let by_id = ConnectionId::parse(given).is_ok_and(|id| id == connection.id);
    ConnectionReference { id: connection.id, by_id }
}

impl Connections {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, cloud: Arc<Cloud>) -> Self {
        Self { recorder, secrets, cloud }
    }

    /// Stores a connection without calling AWS.
    ///
    /// # Errors
    /// When the name is in use.
    pub async fn create(
        &self,
        permit: Permit<ManageConnections>,
        context: &RequestContext,
        name: ConnectionName,
        new: NewConnection,
    ) -> Result<Arc<Connection>, Failure> {
        let change = permit.caller().change(context);
        if permit.caller().published.state.connection_named(&name).is_some() {
            return Err(ConnectionRefusal::NameTaken(name).into());
        }
        self.store(&change, name, new).await
    }

    /// Lists the connections.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<ViewConnections>, query: &Query) -> Result<Page<Connection>, Failure> {
        list::page(permit.caller(), query).await
    }

    /// Returns one connection, by name or id.
    ///
    /// # Errors
    /// When there is no such connection.
    pub fn get(&self, permit: &Permit<ViewConnections>, text: &str) -> Result<Arc<Connection>, Failure> {
        find(&permit.caller().published.state, text)
    }

    /// Changes the members of a connection that differ.
    ///
    /// # Errors
    /// When the settings would contradict themselves, the new name is in use, or the cloud or the account of a
    /// connection in use would change; or when AWS rejects new credentials that a KMS depends on.
    pub async fn update(
        &self,
        permit: Permit<ManageConnections>,
        context: &RequestContext,
        text: &str,
        update: ConnectionUpdate,
    ) -> Result<Arc<Connection>, Failure> {
        let ConnectionUpdate { name, patch, secret, roles_anywhere } = update;
        let change = permit.caller().change(context);
        let connection = find(&permit.caller().published.state, text)?;
        // The settings are checked before the secret is sealed.
        let to = connection.settings.patched(patch.clone())?;
        let (state, given) = (&permit.caller().published.state, secret.as_ref().map(|secret| secret.as_str()));
        let wanted = roles_anywhere.of_existing(&connection, &to, &self.secrets)?;
        self.refuse_without_keys(&connection, &to, given, &wanted)?;
        self.cloud.refuse_other_account(state, &connection, &to, given, &wanted).await?;
        let id = connection.id;
        let roles_anywhere = match wanted {
            Wanted::Unchanged => RolesAnywhereChange::Keep,
            Wanted::AccessKey => RolesAnywhereChange::Remove,
            Wanted::Certificate(access) => self.sealed(&change, &connection, *access).await?,
        };
        let secret = match secret {
            Some(secret) => Some(self.secrets.seal(&change, &owner(id), SECRET_ACCESS_KEY, secret.as_bytes()).await?),
            None => None,
        };
        shown(&self.command(&change, ConnectionCommand::Update { id, name, patch, secret, roles_anywhere }).await?, id)
    }

    /// Refuses to leave a connection without a certificate and without an access key.
    fn refuse_without_keys(
        &self,
        connection: &Connection,
        to: &ConnectionSettings,
        secret: Option<&str>,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        if !matches!(wanted, Wanted::AccessKey) {
            return Ok(());
        }
        if to.access_key_id.is_empty() {
            return Err(invalid("access_key_id", "must be given, since is_role_anywhere is false").into());
        }
        match secret.is_some() || self.cloud.has_secret(connection)? {
            true => Ok(()),
            false => Err(invalid("secret_access_key", "must be given, since is_role_anywhere is false").into()),
        }
    }

    /// The change to another certificate. A private key that stays as it is stays sealed as it is.
    async fn sealed(
        &self,
        change: &Change,
        connection: &Connection,
        access: aws::RolesAnywhere,
    ) -> Result<RolesAnywhereChange, Failure> {
        let owner = owner(connection.id);
        let stored = match connection.roles_anywhere.as_deref() {
            Some(now) => Some((now, self.secrets.unseal(&owner, PRIVATE_KEY, &now.private_key)?)),
            None => None,
        };
        let key = match stored {
            Some((now, key)) if key.as_slice() == access.private_key.as_bytes() => now.private_key.clone(),
            _ => self.secrets.seal(change, &owner, PRIVATE_KEY, access.private_key.as_bytes()).await?,
        };
        Ok(RolesAnywhereChange::Set(Box::new(with_sealed_key(access, key))))
    }

    /// Deletes a connection, and the data key that sealed its secret. The data key cannot be restored.
    ///
    /// # Errors
    /// When a KMS uses it.
    pub async fn delete(
        &self,
        permit: Permit<ManageConnections>,
        context: &RequestContext,
        text: &str,
    ) -> Result<(), Failure> {
        let change = permit.caller().change(context);
        let id = find(&permit.caller().published.state, text)?.id;
        self.command(&change, ConnectionCommand::Delete { id }).await?;
        self.secrets.shred(&change, &owner(id)).await;
        Ok(())
    }

    /// Stores the lab's ready-made connection at its first start.
    ///
    /// # Errors
    /// When the log or the keyring fails.
    pub async fn install(&self, name: ConnectionName, new: NewConnection) -> Result<Arc<Connection>, Failure> {
        self.store(&super::system_change("first-start"), name, new).await
    }

    async fn store(
        &self,
        change: &Change,
        name: ConnectionName,
        new: NewConnection,
    ) -> Result<Arc<Connection>, Failure> {
        let id = ConnectionId::new(Uuid::new_v4());
        let secret = self.secrets.seal(change, &owner(id), SECRET_ACCESS_KEY, new.secret.as_bytes()).await?;
        let roles_anywhere = match new.roles_anywhere {
            Some(access) => {
                let key = self.secrets.seal(change, &owner(id), PRIVATE_KEY, access.private_key.as_bytes()).await?;
                Some(Box::new(with_sealed_key(access, key)))
            }
            None => None,
        };
        let command = ConnectionCommand::Create { id, name, settings: new.settings, secret, roles_anywhere };
        shown(&self.secrets.append_owner(&self.recorder, change, &owner(id), Command::Connection(command)).await?, id)
    }

    async fn command(&self, change: &Change, command: ConnectionCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Connection(command)).await
    }
}

/// What is stored of a certificate.
fn with_sealed_key(access: aws::RolesAnywhere, private_key: Sealed) -> RolesAnywhere {
    RolesAnywhere {
        role: access.role,
        profile: access.profile,
        trust_anchor: access.trust_anchor,
        certificate: access.certificate,
        private_key,
    }
}

fn shown(committed: &Committed, id: ConnectionId) -> Result<Arc<Connection>, Failure> {
    Ok(committed.published.state.connection(id)?.clone())
}

/// The texts that a filter can name labels by.
fn label_texts(labels: Option<&JsonText>) -> Vec<String> {
    let Some(Value::Object(labels)) = labels.map(JsonText::value) else { return Vec::new() };
    let texts = labels.into_iter().flat_map(|(key, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        [format!("{key}={value}"), key]
    });
    texts.collect()
}

impl Listed for Connection {
    type Rows = Table<ConnectionId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "name", "cloud_name", "last_connection_ok", "last_connection_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "name", "cloud_name", "last_connection_ok", "labels", "products"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("cloud_name", Partition::NAMES), ("last_connection_ok", &["true", "false"])];
    const SEARCHES: &'static [&'static str] = &["id", "name"];
    const IDENTITIES: &'static [&'static str] = &["id", "name"];

    fn rows(state: &State) -> &Self::Rows {
        &state.connections
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        let id = match member {
            "id" => ConnectionId::parse(value).ok(),
            _ => ConnectionName::parse(value).ok().and_then(|name| Some(state.connection_named(&name)?.id)),
        };
        Box::new(id.into_iter())
    }

    /// Labels are `key` or `key=value`, several with commas; a connection must have all of them.
    fn expand<'a>(member: &str, value: &'a str, _: &Caller) -> Result<Vec<Vec<Cow<'a, str>>>, Refusal> {
        match member {
            "labels" => Ok(vec![value.split(',').map(str::trim).map(Cow::Borrowed).collect()]),
            _ => Ok(vec![vec![Cow::Borrowed(value)]]),
        }
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        let test = self.last_test.as_ref();
        match member {
            "labels" => Field::Texts(label_texts(self.settings.labels.as_ref())),
            "products" => Field::Texts(self.settings.products.clone()),
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(self.name.to_string()),
            "cloud_name" => Field::Text(self.settings.cloud.as_str().to_owned()),
            "last_connection_ok" => test.map_or(Field::Absent, |test| Field::Flag(test.error.is_none())),
            "last_connection_at" => test.map_or(Field::Absent, |test| Field::Moment(test.at)),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
