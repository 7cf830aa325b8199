//! KMSs: probe accounts; add, view, update, archive and delete KMSs; change their access lists.

use super::access::{self, KmsPermit, ManageKms, Permit, SignedIn, Update, View};
use super::caller::{Caller, Change, RequestContext};
use super::cloud::Cloud;
use super::connections;
use super::failure::Failure;
use super::key_stores;
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::permissions::{DESCRIBE_REGIONS, documented_actions};
use super::recorder::Recorder;
use super::secrets::Secrets;
use crate::domain::acl::AclChange;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::id::{KmsId, UserId};
use crate::domain::key_store::event::KeyStoreEvent;
use crate::domain::kms::{self, AccountProbe, AssumedRole, Kms, KmsChange, KmsCommand, KmsPatch, NewKms, RoleRequest};
use crate::domain::name::KmsName;
use crate::domain::place::{AccountId, Partition, Region};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::ledger::Committed;
use std::sync::Arc;
use uuid::Uuid;

/// The use cases of KMSs. Cheap to clone.
#[derive(Clone)]
pub struct KmsAccounts {
    recorder: Recorder,
    secrets: Secrets,
    pub(super) cloud: Arc<Cloud>,
}

/// A KMS as one caller may view it.
pub struct KmsSeen {
    pub kms: Arc<Kms>,
    /// Its connection as the client gave it: by name or by id.
    pub connection: String,
    /// The visible entries of the access list.
    pub entries_of: EntriesOf,
}

/// The entries of an access list that are shown.
#[derive(Clone)]
pub enum EntriesOf {
    All,
    /// The entries of one user and of the user's groups.
    One(Box<Caller>),
}

/// An account that a connection leads to.
pub struct AccountSeen {
    pub probe: AccountProbe,
    /// The documented permissions that are missing there; `None` if they were not checked.
    pub missing_permissions: Option<Vec<String>>,
}

/// A KMS to add.
pub struct Addition {
    pub name: KmsName,
    /// The expected account; AWS must confirm it.
    pub account: AccountId,
    /// The name or id of the connection.
    pub connection: String,
    pub role: Option<AssumedRole>,
    pub regions: Vec<Region>,
}

/// A change of a KMS; a member that is `None` stays as it is.
#[derive(Default)]
pub struct KmsPatchRequest {
    /// The name or id of the new connection.
    pub connection: Option<String>,
    pub regions: Option<Vec<Region>>,
    /// The new role; the same role is accepted.
    pub role: RoleRequest,
    /// Remove the entries of the keys in removed regions.
    pub forget_keys: bool,
}

impl KmsAccounts {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, cloud: Arc<Cloud>) -> Self {
        Self { recorder, secrets, cloud }
    }

    /// Probes the account that a connection (and a role) leads to, and its enabled regions.
    ///
    /// # Errors
    /// When the connection is unknown, or AWS refuses.
    pub async fn account(
        &self,
        permit: Permit<ManageKms>,
        connection: &str,
        role: Option<&AssumedRole>,
        validate: bool,
    ) -> Result<AccountSeen, Failure> {
        let connection = connections::find(&permit.caller().published.state, connection)
            .map_err(|failure| failure.of("connection"))?;
        if !validate {
            return Ok(AccountSeen { probe: self.cloud.probe(&connection, role).await?, missing_permissions: None });
        }
        let access = self.cloud.access(&connection, role)?;
        let missing = self.cloud.aws.missing_permissions(&access, &documented_actions()).await?;
        let probe = match missing.iter().any(|missing| missing == DESCRIBE_REGIONS) {
            false => self.cloud.probe(&connection, role).await?,
            // The regions cannot be read, but the missing permissions can be reported.
            true => {
                let caller = self.cloud.aws.caller(&access).await?;
                AccountProbe { account: caller.account, arn: caller.arn, enabled: Vec::new() }
            }
        };
        Ok(AccountSeen { probe, missing_permissions: Some(missing) })
    }

    /// Adds a KMS: an account with some of its regions.
    ///
    /// # Errors
    /// When a rule forbids it, AWS refuses, or AWS reports another account or does not report a region.
    pub async fn add(
        &self,
        permit: Permit<ManageKms>,
        context: &RequestContext,
        add: Addition,
    ) -> Result<KmsSeen, Failure> {
        let state = &permit.caller().published.state;
        let connection = connections::find(state, &add.connection).map_err(|failure| failure.of("connection"))?;
        let Addition { name, account, connection: given, role, regions } = add;
        let id = KmsId::new(Uuid::new_v4());
        let reference = connections::reference(&connection, &given);
        let new = NewKms { id, name, account, connection: reference, role, regions };
        kms::decide::check_new(state, &new)?;
        let seen = self.cloud.probe(&connection, new.role.as_ref()).await?;
        let change = permit.caller().change(context);
        let command = KmsCommand::Add { new, seen };
        let committed = self.recorder.append(&change, Command::Kms(command)).await?;
        shown(&committed, id, permit.caller())
    }

    /// Lists the KMSs that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<Kms>, Caller), Failure> {
        let caller = permit.caller();
        Ok((list::page(caller, query).await?, caller.clone()))
    }

    /// Returns one KMS.
    pub fn get(&self, permit: &KmsPermit<View>) -> KmsSeen {
        seen(permit.kms().clone(), &permit.caller().published.state, permit.caller())
    }

    /// Changes the connection, the regions or the role of a KMS.
    ///
    /// # Errors
    /// When more than one of them would change, a rule forbids it, AWS refuses, or AWS reports another account or does
    /// not report a region.
    pub async fn update(
        &self,
        permit: KmsPermit<Update>,
        context: &RequestContext,
        patch: KmsPatchRequest,
    ) -> Result<KmsSeen, Failure> {
        let state = &permit.caller().published.state;
        let refer = |text: String| {
            let found = connections::find(state, &text).map_err(|failure| failure.of("connection"))?;
            Ok::<_, Failure>(connections::reference(&found, &text))
        };
        let patch = KmsPatch {
            connection: patch.connection.map(refer).transpose()?,
            regions: patch.regions,
            role: patch.role,
            forget_keys: patch.forget_keys,
        };
        let kms = permit.kms();
        let update = kms.change(state, patch)?;
        let connection = match &update {
            KmsChange::None => return Ok(seen(kms.clone(), state, permit.caller())),
            KmsChange::Connection(to) => state.connection(to.id)?,
            KmsChange::Regions { .. } | KmsChange::Role(_) => state.connection(kms.connection)?,
        };
        let role = match &update {
            KmsChange::Role(role) => Some(role),
            KmsChange::None | KmsChange::Connection(_) | KmsChange::Regions { .. } => kms.role.as_ref(),
        };
        let suffices = |seen: &AccountProbe| kms.recent_probe_suffices(&update, seen);
        let probe = self.cloud.probe_account(connection, role, suffices).await?;
        let (connection, role) = (kms.connection, kms.role.clone());
        let command = KmsCommand::Update { id: kms.id, update, connection, role, seen: probe };
        self.command(&permit, context, command).await
    }

    /// Grants and withdraws permissions. Either all changes apply or none.
    ///
    /// # Errors
    /// When a user or a group does not exist, or the KMS is archived.
    pub async fn update_acls(
        &self,
        permit: KmsPermit<Update>,
        context: &RequestContext,
        changes: Vec<AclChange>,
    ) -> Result<KmsSeen, Failure> {
        let command = KmsCommand::UpdateAcls { id: permit.kms().id, changes };
        self.command(&permit, context, command).await
    }

    /// Archives a KMS.
    ///
    /// # Errors
    /// When it is already archived.
    pub async fn archive(&self, permit: KmsPermit<Update>, context: &RequestContext) -> Result<KmsSeen, Failure> {
        let command = KmsCommand::Archive { id: permit.kms().id };
        self.command(&permit, context, command).await
    }

    /// Recovers an archived KMS.
    ///
    /// # Errors
    /// When it is not archived.
    pub async fn recover(&self, permit: KmsPermit<Update>, context: &RequestContext) -> Result<KmsSeen, Failure> {
        let command = KmsCommand::Recover { id: permit.kms().id };
        self.command(&permit, context, command).await
    }

    /// Deletes the entry of a KMS. Its history stays, and nothing changes at AWS.
    ///
    /// # Errors
    /// When it was deleted meanwhile.
    pub async fn delete(&self, permit: KmsPermit<Update>, context: &RequestContext) -> Result<(), Failure> {
        let (id, change) = (permit.kms().id, permit.caller().change(context));
        let delete = move |_: &State, at| Ok(Command::Kms(KmsCommand::Delete { id, at }));
        let committed = self.recorder.append_with(&change, delete).await?;
        self.shred_key_stores(&change, &committed).await;
        Ok(())
    }

    async fn command(
        &self,
        permit: &KmsPermit<Update>,
        context: &RequestContext,
        command: KmsCommand,
    ) -> Result<KmsSeen, Failure> {
        let committed = self.append(permit, context, command).await?;
        shown(&committed, permit.kms().id, permit.caller())
    }

    async fn append(
        &self,
        permit: &KmsPermit<Update>,
        context: &RequestContext,
        command: KmsCommand,
    ) -> Result<Committed, Failure> {
        let change = permit.caller().change(context);
        let committed = self.recorder.append(&change, Command::Kms(command)).await?;
        self.shred_key_stores(&change, &committed).await;
        Ok(committed)
    }

    /// Deletes the data keys of the key stores that went with the KMS or with one of its regions.
    async fn shred_key_stores(&self, change: &Change, committed: &Committed) {
        for event in &committed.events {
            if let Event::KeyStore(id, KeyStoreEvent::Deleted) = event {
                self.secrets.shred(change, &key_stores::owner(*id)).await;
            }
        }
    }
}

fn shown(committed: &Committed, id: KmsId, caller: &Caller) -> Result<KmsSeen, Failure> {
    let state = &committed.published.state;
    Ok(seen(state.kms(id)?.clone(), state, caller))
}

/// Returns a KMS as this caller may view it.
pub fn seen(kms: Arc<Kms>, state: &State, caller: &Caller) -> KmsSeen {
    let connection = shown_connection(&kms, state);
    let entries_of = match access::administers_kms(&caller.user) {
        true => EntriesOf::All,
        false => EntriesOf::One(Box::new(caller.clone())),
    };
    KmsSeen { kms, connection, entries_of }
}

/// A KMS's connection as the client gave it: its name or its id. The id, if the connection does not exist in this
/// state.
pub(super) fn shown_connection(kms: &Kms, state: &State) -> String {
    match state.connections.get(&kms.connection) {
        Some(connection) if !kms.connection_by_id => connection.name.to_string(),
        _ => kms.connection.to_string(),
    }
}

/// The texts that a filter by connection matches: the one that is shown first, by which lists are sorted.
fn connection_texts(kms: &Kms, state: &State) -> Vec<String> {
    let name = state.connections.get(&kms.connection).map(|connection| connection.name.to_string());
    let mut texts = vec![shown_connection(kms, state), kms.connection.to_string()];
    texts.extend(name);
    texts
}

impl EntriesOf {
    /// The user and the groups whose entries are shown; `None` if all entries are.
    pub fn holder(&self) -> Option<(UserId, &[crate::domain::name::GroupName])> {
        match self {
            EntriesOf::All => None,
            EntriesOf::One(caller) => Some((caller.user.id, &caller.user.groups)),
        }
    }
}

impl Listed for Kms {
    type Rows = Table<KmsId, Self>;
    const SORTS: &'static [&'static str] = &[
        "id",
        "name",
        "account_id",
        "cloud_name",
        "connection",
        "status",
        "arn",
        "createdAt",
        "updatedAt",
        "synced_at",
    ];
    const FILTERS: &'static [&'static str] =
        &["id", "name", "account_id", "cloud_name", "connection", "region", "status"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("cloud_name", Partition::NAMES), ("status", &["ACTIVE", "ARCHIVED"])];
    const SEARCHES: &'static [&'static str] = &["id", "name", "account_id"];
    const IDENTITIES: &'static [&'static str] = &["id", "name", "account_id"];
    const SEES: Option<fn(&Caller, &Self) -> bool> = Some(|caller, kms| access::sees(&caller.user, kms));

    fn rows(state: &State) -> &Self::Rows {
        &state.kms
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        match member {
            "id" => Box::new(KmsId::parse(value).into_iter()),
            "name" => {
                Box::new(KmsName::parse(value).ok().and_then(|name| Some(state.kms_named(&name)?.id)).into_iter())
            }
            _ => {
                let account = AccountId::parse(value).into_iter();
                Box::new(account.flat_map(|account| state.kms_of_account(account)).map(|kms| kms.id))
            }
        }
    }

    fn field(&self, member: &str, caller: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(self.name.to_string()),
            "account_id" => Field::Text(self.account.to_string()),
            "cloud_name" => Field::Text(self.cloud.as_str().to_owned()),
            "arn" => Field::Text(self.arn.to_string()),
            "connection" => Field::Texts(connection_texts(self, &caller.published.state)),
            "region" => Field::Texts(self.regions.iter().map(Region::to_string).collect()),
            "status" => Field::Text(status(self).to_owned()),
            "synced_at" => caller.published.state.jobs.last_sync(self).map_or(Field::Absent, Field::Moment),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}

/// `active` or `archived`.
pub fn status(kms: &Kms) -> &'static str {
    if kms.archived { "ARCHIVED" } else { "ACTIVE" }
}
