//! AWS connections: storing them, testing them, and finding them by name or id.

use super::access::{ManageConnections, Permit, ViewConnections};
use super::caller::{Caller, Change, RequestContext};
use super::cloud::{self, Cloud, SECRET_ACCESS_KEY, owner};
use super::failure::Failure;
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::recorder::Recorder;
use super::secrets::Secrets;
use crate::domain::command::Command;
use crate::domain::connection::patch::ConnectionPatch;
use crate::domain::connection::{Connection, ConnectionCommand, ConnectionSettings};
use crate::domain::id::ConnectionId;
use crate::domain::name::ConnectionName;
use crate::domain::place::Partition;
use crate::domain::refusal::ConnectionRefusal;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::ledger::Committed;
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

/// A connection as a caller wants it.
pub struct ConnectionDraft {
    /// All that is not secret.
    pub settings: ConnectionSettings,
    pub secret: Zeroizing<String>,
}

/// The result of a test of a connection.
pub struct TestOutcome {
    /// None: AWS knows us. Otherwise why not.
    pub error: Option<String>,
}

/// The connection of this id, or else of this name: nobody can take a connection's place by a name.
///
/// # Errors
/// When there is none.
pub fn find(state: &State, text: &str) -> Result<Arc<Connection>, Failure> {
    let meant = ConnectionId::parse(text).ok().and_then(|id| state.connections.get(&id));
    let named = || state.connection_named(&ConnectionName::parse(text).ok()?);
    match meant.or_else(named) {
        Some(connection) => Ok(connection.clone()),
        None => Err(ConnectionRefusal::Unknown(text.chars().take(255).collect()).into()),
    }
}

impl Connections {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, cloud: Arc<Cloud>) -> Self {
        Self { recorder, secrets, cloud }
    }

    /// Stores a connection; AWS is not asked.
    ///
    /// # Errors
    /// When the name is in use.
    pub async fn create(
        &self,
        permit: Permit<ManageConnections>,
        context: &RequestContext,
        name: ConnectionName,
        draft: ConnectionDraft,
    ) -> Result<Arc<Connection>, Failure> {
        let change = permit.caller().change(context);
        if permit.caller().published.state.connection_named(&name).is_some() {
            return Err(ConnectionRefusal::NameTaken(name).into());
        }
        self.store(&change, name, draft).await
    }

    /// The connections.
    ///
    /// # Errors
    /// When the query sorts by what cannot be sorted by.
    pub async fn list(&self, permit: &Permit<ViewConnections>, query: &Query) -> Result<Page<Connection>, Failure> {
        list::page(permit.caller(), query).await
    }

    /// One connection, by name or id.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, permit: &Permit<ViewConnections>, text: &str) -> Result<Arc<Connection>, Failure> {
        find(&permit.caller().published.state, text)
    }

    /// Changes what differs.
    ///
    /// # Errors
    /// When the settings would contradict themselves, the new name is in use, or the cloud or the account of a
    /// connection in use would change; what AWS says of new credentials that a KMS would rest on.
    pub async fn update(
        &self,
        permit: Permit<ManageConnections>,
        context: &RequestContext,
        text: &str,
        name: Option<ConnectionName>,
        patch: ConnectionPatch,
        secret: Option<Zeroizing<String>>,
    ) -> Result<Arc<Connection>, Failure> {
        let change = permit.caller().change(context);
        let connection = find(&permit.caller().published.state, text)?;
        // Before anything is sealed.
        let to = connection.settings.patched(patch.clone())?;
        let (state, given) = (&permit.caller().published.state, secret.as_ref().map(|secret| secret.as_str()));
        self.cloud.refuse_other_account(state, &connection, &to, given).await?;
        let id = connection.id;
        let secret = match secret {
            Some(secret) => Some(self.secrets.seal(&change, &owner(id), SECRET_ACCESS_KEY, secret.as_bytes()).await?),
            None => None,
        };
        shown(&self.command(&change, ConnectionCommand::Update { id, name, patch, secret }).await?, id)
    }

    /// Deletes a connection and, for ever, the key that its secret was sealed with.
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

    /// Asks AWS whether a stored connection works, and notes the answer.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn test(
        &self,
        permit: Permit<ManageConnections>,
        context: &RequestContext,
        text: &str,
    ) -> Result<TestOutcome, Failure> {
        let change = permit.caller().change(context);
        let connection = find(&permit.caller().published.state, text)?;
        let access = self.cloud.access(&connection, None)?;
        let error = self.cloud.aws.caller(&access).await.err().map(|failure| failure.to_string());
        let command = ConnectionCommand::RecordTest { id: connection.id, error: error.clone() };
        self.command(&change, command).await?;
        Ok(TestOutcome { error })
    }

    /// Asks AWS whether a connection that is not stored would work.
    pub async fn try_out(&self, _permit: &Permit<ManageConnections>, draft: &ConnectionDraft) -> TestOutcome {
        let access = cloud::access(&draft.settings, &draft.secret, None);
        TestOutcome { error: self.cloud.aws.caller(&access).await.err().map(|failure| failure.to_string()) }
    }

    /// Stores the lab's ready-made connection at its first start.
    ///
    /// # Errors
    /// When the log or the keyring fails.
    pub async fn ensure(&self, name: ConnectionName, draft: ConnectionDraft) -> Result<Arc<Connection>, Failure> {
        self.store(&super::system_change("first-start"), name, draft).await
    }

    async fn store(
        &self,
        change: &Change,
        name: ConnectionName,
        draft: ConnectionDraft,
    ) -> Result<Arc<Connection>, Failure> {
        let id = ConnectionId::new(Uuid::new_v4());
        let secret = self.secrets.seal(change, &owner(id), SECRET_ACCESS_KEY, draft.secret.as_bytes()).await?;
        let command = ConnectionCommand::Create { id, name, settings: draft.settings, secret };
        shown(&self.secrets.append_owner(&self.recorder, change, &owner(id), Command::Connection(command)).await?, id)
    }

    async fn command(&self, change: &Change, command: ConnectionCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Connection(command)).await
    }
}

fn shown(committed: &Committed, id: ConnectionId) -> Result<Arc<Connection>, Failure> {
    Ok(committed.published.state.connection(id)?.clone())
}

impl Listed for Connection {
    type Rows = Table<ConnectionId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "name", "cloud_name", "last_connection_ok", "last_connection_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "name", "cloud_name", "last_connection_ok"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("cloud_name", Partition::NAMES), ("last_connection_ok", &["true", "false"])];
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

    fn field(&self, member: &str, _: &Caller) -> Field {
        let test = self.last_test.as_ref();
        match member {
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
