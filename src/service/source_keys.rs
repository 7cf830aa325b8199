//! Source keys: made or brought, sealed, described, exported on record, deleted for ever. Members of `CCKM Admins`
//! manage them; who may upload a key or import material on some KMS may look at them, to choose one (see `access`).

use super::access::{ManageSourceKeys, Permit, ViewSourceKeys};
use super::caller::{Caller, Change, RequestContext};
use super::failure::Failure;
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::material::Material;
use super::recorder::Recorder;
use super::secrets::Secrets;
use crate::domain::command::Command;
use crate::domain::id::SourceKeyId;
use crate::domain::name::{JsonText, SourceKeyName};
use crate::domain::refusal::SourceKeyRefusal;
use crate::domain::source_key::kind::{Curve, SourceKeyKind};
use crate::domain::source_key::{MaterialOrigin, NewSourceKey, SourceKey, SourceKeyCommand, UsageMask};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::keyring::Owner;
use crate::ledger::Committed;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What the sealing of a source key's material is bound to.
const MATERIAL: &str = "material";

/// The owner of a source key's material.
pub(super) fn owner(id: SourceKeyId) -> Owner {
    Owner::new("source-key", id.uuid())
}

/// The use cases of source keys. Cheap to clone.
#[derive(Clone)]
pub struct SourceKeys {
    recorder: Recorder,
    secrets: Secrets,
}

/// A source key as a caller wants it.
pub struct SourceKeyDraft {
    /// Its name; none: one made from its id.
    pub name: Option<SourceKeyName>,
    pub kind: SourceKeyKind,
    /// What it may be used for; none: all that its kind is made for.
    pub usage: Option<UsageMask>,
    /// Must the material stay here, save for imports into AWS?
    pub unexportable: bool,
    /// Is it never to be deleted?
    pub undeletable: bool,
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    /// The material as the client brings it; none: it is made here.
    pub brought: Option<Zeroizing<String>>,
}

/// What a caller wants changed; what is none stays as it is.
pub struct SourceKeyChanges {
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    pub unexportable: Option<bool>,
}

/// By what a text names a source key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NamedBy {
    Id,
    Name,
    /// Its id, or else its name: so no name can be mistaken for somebody's id.
    Either,
}

/// The source key that a text names.
///
/// # Errors
/// When there is none.
pub fn find(state: &State, text: &str, by: NamedBy) -> Result<Arc<SourceKey>, Failure> {
    let with_id = || state.source_keys.get(&SourceKeyId::parse(text).ok()?);
    let named = || state.source_key_named(&SourceKeyName::parse(text).ok()?);
    let found = match by {
        NamedBy::Id => with_id(),
        NamedBy::Name => named(),
        NamedBy::Either => with_id().or_else(named),
    };
    found.cloned().ok_or_else(|| SourceKeyRefusal::Unknown(text.chars().take(255).collect()).into())
}

impl SourceKeys {
    pub(super) fn new(recorder: Recorder, secrets: Secrets) -> Self {
        Self { recorder, secrets }
    }

    /// Makes a source key, or takes in one that is brought.
    ///
    /// # Errors
    /// When the name is in use, or the material brought is not of its kind.
    pub async fn create(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        draft: SourceKeyDraft,
    ) -> Result<Arc<SourceKey>, Failure> {
        self.make(&permit.caller().change(context), draft).await
    }

    /// The same, where the right is checked already.
    ///
    /// # Errors
    /// As [`SourceKeys::create`].
    pub(super) async fn make(&self, change: &Change, draft: SourceKeyDraft) -> Result<Arc<SourceKey>, Failure> {
        let id = SourceKeyId::new(Uuid::new_v4());
        let name = match &draft.name {
            Some(name) => name.clone(),
            None => SourceKeyName::parse(&format!("ks-{id}")).map_err(|_| Failure::Internal("an id is no name"))?,
        };
        if self.recorder.state().state.source_key_named(&name).is_some() {
            return Err(SourceKeyRefusal::NameTaken(name).into());
        }
        let origin = if draft.brought.is_some() { MaterialOrigin::Brought } else { MaterialOrigin::Generated };
        let material = obtain(draft.kind, draft.brought).await?;
        let made = NewSourceKey {
            name,
            kind: draft.kind,
            origin,
            usage: draft.usage.unwrap_or(UsageMask::usual(draft.kind)),
            unexportable: draft.unexportable,
            undeletable: draft.undeletable,
            labels: draft.labels,
            meta: draft.meta,
            fingerprint: material.fingerprint(),
            public_key: material.public_key(),
        };
        self.store(change, id, made, &material).await
    }

    /// The source keys.
    ///
    /// # Errors
    /// When the query sorts by what cannot be sorted by.
    pub async fn list(&self, permit: &Permit<ViewSourceKeys>, query: &Query) -> Result<Page<SourceKey>, Failure> {
        let mut query = query.clone();
        for (_, wanted) in query.filters.iter_mut().filter(|(member, _)| member == "algorithm") {
            *wanted = wanted.to_lowercase();
        }
        list::page(permit.caller(), &query).await
    }

    /// One source key.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, permit: &Permit<ViewSourceKeys>, text: &str, by: NamedBy) -> Result<Arc<SourceKey>, Failure> {
        find(&permit.caller().published.state, text, by)
    }

    /// Changes what differs.
    ///
    /// # Errors
    /// When it is unexportable and is not to be so.
    pub async fn update(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        id: SourceKeyId,
        changes: SourceKeyChanges,
    ) -> Result<Arc<SourceKey>, Failure> {
        let change = permit.caller().change(context);
        let SourceKeyChanges { labels, meta, unexportable } = changes;
        shown(&self.command(&change, SourceKeyCommand::Update { id, labels, meta, unexportable }).await?, id)
    }

    /// Gives the material out. That it leaves, and to whom, is recorded before it does; in a dry run it does not leave.
    ///
    /// # Errors
    /// When it is unexportable, or was deleted meanwhile.
    pub async fn export(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        id: SourceKeyId,
    ) -> Result<(Arc<SourceKey>, Option<Material>), Failure> {
        let change = permit.caller().change(context);
        let key = permit.caller().published.state.source_key(id)?.clone();
        if change.dry_run {
            return Ok((shown(&self.command(&change, SourceKeyCommand::Export { id }).await?, id)?, None));
        }
        // Before the record: it must not tell of an export that could not be.
        let secret = self.material(id)?;
        let committed = self.command(&change, SourceKeyCommand::Export { id }).await?;
        Ok((shown(&committed, id)?, Some(Material::kept(key.made.kind, secret))))
    }

    /// Deletes a source key and, for ever, the key that its material was sealed with.
    ///
    /// # Errors
    /// When it is undeletable.
    pub async fn delete(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        id: SourceKeyId,
    ) -> Result<(), Failure> {
        self.remove(&permit.caller().change(context), id).await
    }

    /// The same, where the right is checked already.
    ///
    /// # Errors
    /// As [`SourceKeys::delete`].
    pub(super) async fn remove(&self, change: &Change, id: SourceKeyId) -> Result<(), Failure> {
        self.command(change, SourceKeyCommand::Delete { id }).await?;
        self.secrets.shred(change, &owner(id)).await;
        Ok(())
    }

    async fn store(
        &self,
        change: &Change,
        id: SourceKeyId,
        made: NewSourceKey,
        material: &Material,
    ) -> Result<Arc<SourceKey>, Failure> {
        let sealed = self.secrets.seal(change, &owner(id), MATERIAL, material.secret()).await?;
        let command = SourceKeyCommand::Create { id, made: Box::new(made), material: sealed };
        shown(&self.secrets.append_owner(&self.recorder, change, &owner(id), Command::SourceKey(command)).await?, id)
    }

    async fn command(&self, change: &Change, command: SourceKeyCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::SourceKey(command)).await
    }

    /// A source key's material in the clear, for other use cases: to be wrapped for AWS, never to be shown.
    ///
    /// # Errors
    /// When there is no such source key, or its material cannot be unsealed.
    pub(super) fn material(&self, id: SourceKeyId) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let published = self.recorder.state();
        let key = published.state.source_key(id)?;
        self.secrets.unseal(&owner(id), MATERIAL, &key.material)
    }
}

/// Large RSA keys take seconds to make: not on a thread that answers requests.
async fn obtain(kind: SourceKeyKind, brought: Option<Zeroizing<String>>) -> Result<Material, Failure> {
    let work = move || match brought {
        Some(text) => Material::read(kind, &text),
        None => Material::generate(kind),
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Failure::Internal("the making of key material was interrupted"))?
}

fn shown(committed: &Committed, id: SourceKeyId) -> Result<Arc<SourceKey>, Failure> {
    Ok(committed.published.state.source_key(id)?.clone())
}

impl Listed for SourceKey {
    type Rows = Table<SourceKeyId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "name", "algorithm", "size", "curveid", "state", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "algorithm",
        "size",
        "curveid",
        "state",
        "unexportable",
        "undeletable",
        "usageMask",
        "sha256Fingerprint",
    ];
    const IDENTITIES: &'static [&'static str] = &["id", "name"];

    fn rows(state: &State) -> &Self::Rows {
        &state.source_keys
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        let id = match member {
            "id" => SourceKeyId::parse(value).ok(),
            _ => SourceKeyName::parse(value).ok().and_then(|name| Some(state.source_key_named(&name)?.id)),
        };
        Box::new(id.into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        let made = &self.made;
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(made.name.to_string()),
            "algorithm" => Field::Text(made.kind.algorithm().to_owned()),
            "size" => Field::Number(made.kind.bits().into()),
            "curveid" => made.kind.curve().map(Curve::name).map_or(Field::Absent, |name| Field::Text(name.to_owned())),
            "state" => Field::Text(SourceKey::STATE.to_owned()),
            "unexportable" => Field::Flag(made.unexportable),
            "undeletable" => Field::Flag(made.undeletable),
            "usageMask" => Field::Number(made.usage.bits().into()),
            "sha256Fingerprint" => Field::Text(made.fingerprint.to_string()),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
