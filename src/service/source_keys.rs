//! Source keys: create, describe, export and delete them. Members of `CCKM Admins` manage them; users who may upload a
//! key or import material on any KMS may view them, to choose one (see `access`).

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

/// The purpose under which a source key's material is sealed.
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

/// A source key to create.
pub struct SourceKeyRequest {
    /// The name; `None` for a name made from the id.
    pub name: Option<SourceKeyName>,
    pub kind: SourceKeyKind,
    /// The permitted uses; `None` for the usual ones of its kind.
    pub usage: Option<UsageMask>,
    /// The material must not be exported. Imports into AWS are still possible.
    pub unexportable: bool,
    /// The source key cannot be deleted.
    pub undeletable: bool,
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    /// The material that the client supplies; `None` to generate it.
    pub supplied: Option<Zeroizing<String>>,
}

/// A change of a source key; a member that is `None` stays as it is.
pub struct SourceKeyChanges {
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    pub unexportable: Option<bool>,
}

/// The kind of identifier that names a source key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NamedBy {
    Id,
    Name,
    /// The id, then the name. The id comes first, so that no source key can be named like another one's id and replace
    /// it.
    Either,
}

/// Finds a source key.
///
/// # Errors
/// When there is no such source key.
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

    /// Creates a source key with generated or supplied material.
    ///
    /// # Errors
    /// When the name is in use, or the supplied material is not of its kind.
    pub async fn create(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        request: SourceKeyRequest,
    ) -> Result<Arc<SourceKey>, Failure> {
        self.create_as(&permit.caller().change(context), request).await
    }

    /// Creates a source key without a permit, for other use cases.
    ///
    /// # Errors
    /// As [`SourceKeys::create`].
    pub(super) async fn create_as(
        &self,
        change: &Change,
        request: SourceKeyRequest,
    ) -> Result<Arc<SourceKey>, Failure> {
        let id = SourceKeyId::new(Uuid::new_v4());
        let name = match &request.name {
            Some(name) => name.clone(),
            None => SourceKeyName::parse(&format!("ks-{id}")).map_err(|_| Failure::Internal("an id is no name"))?,
        };
        if self.recorder.state().state.source_key_named(&name).is_some() {
            return Err(SourceKeyRefusal::NameTaken(name).into());
        }
        let origin = if request.supplied.is_some() { MaterialOrigin::Brought } else { MaterialOrigin::Generated };
        let material = obtain(request.kind, request.supplied).await?;
        let made = NewSourceKey {
            name,
            kind: request.kind,
            origin,
            usage: request.usage.unwrap_or(UsageMask::usual(request.kind)),
            unexportable: request.unexportable,
            undeletable: request.undeletable,
            labels: request.labels,
            meta: request.meta,
            fingerprint: material.fingerprint(),
            public_key: material.public_key(),
        };
        self.store(change, id, made, &material).await
    }

    /// Lists the source keys.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<ViewSourceKeys>, query: &Query) -> Result<Page<SourceKey>, Failure> {
        let mut query = query.clone();
        for (_, wanted) in query.filters.iter_mut().filter(|(member, _)| member == "algorithm") {
            *wanted = wanted.to_lowercase();
        }
        list::page(permit.caller(), &query).await
    }

    /// Returns one source key.
    ///
    /// # Errors
    /// When there is no such source key.
    pub fn get(&self, permit: &Permit<ViewSourceKeys>, text: &str, by: NamedBy) -> Result<Arc<SourceKey>, Failure> {
        find(&permit.caller().published.state, text, by)
    }

    /// Changes the members of a source key that differ.
    ///
    /// # Errors
    /// When an unexportable source key would become exportable.
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

    /// Exports the material. The export and its actor are recorded before the material is returned; a dry run returns
    /// no material.
    ///
    /// # Errors
    /// When the source key is unexportable, or was deleted meanwhile.
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
        // The material is unsealed before the record is written: a failed export must not be recorded.
        let secret = self.material(id)?;
        let committed = self.command(&change, SourceKeyCommand::Export { id }).await?;
        Ok((shown(&committed, id)?, Some(Material::from_bytes(key.made.kind, secret))))
    }

    /// Deletes a source key, and the data key that sealed its material. The data key cannot be restored.
    ///
    /// # Errors
    /// When the source key is undeletable.
    pub async fn delete(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        id: SourceKeyId,
    ) -> Result<(), Failure> {
        self.delete_as(&permit.caller().change(context), id).await
    }

    /// Deletes a source key without a permit, for other use cases.
    ///
    /// # Errors
    /// As [`SourceKeys::delete`].
    pub(super) async fn delete_as(&self, change: &Change, id: SourceKeyId) -> Result<(), Failure> {
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

    /// Unseals a source key's material for other use cases, which wrap it for AWS and never show it.
    ///
    /// # Errors
    /// When there is no such source key, or its material cannot be unsealed.
    pub(super) fn material(&self, id: SourceKeyId) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let published = self.recorder.state();
        let key = published.state.source_key(id)?;
        self.secrets.unseal(&owner(id), MATERIAL, &key.material)
    }
}

/// Generates or reads material on the blocking pool, since generating a large RSA key takes seconds.
async fn obtain(kind: SourceKeyKind, supplied: Option<Zeroizing<String>>) -> Result<Material, Failure> {
    let work = move || match supplied {
        Some(text) => Material::read(kind, &text),
        None => Material::generate(kind),
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Failure::Internal("the generation of key material was interrupted"))?
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
