//! Source keys: create, describe, export and delete them. Members of `CCKM Admins` manage them; users who may upload a
//! key or import material on any KMS may view them, to choose one (see `access`).

mod export;
mod list;
mod transition;
pub mod uses;
mod version;

pub use export::{ExportRequest, ExportWrapping, WrappingKey};
pub use transition::Transition;
pub use uses::{SourceKeyUse, UsedAs};
pub use version::FurtherVersion;

use super::access::{ManageSourceKeys, Permit, ViewSourceKeys};
use super::caller::{Change, RequestContext};
use super::failure::Failure;
use super::key_stores::Serving;
use super::list::{Page, Query, page};
use super::material::{Encoding, Material, WantedKind};
use super::recorder::Recorder;
use super::secrets::Secrets;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::id::SourceKeyId;
use crate::domain::name::{JsonText, SourceKeyName};
use crate::domain::refusal::SourceKeyRefusal;
use crate::domain::source_key::attributes::AttributesPatch;
use crate::domain::source_key::command::Relation;
use crate::domain::source_key::kind::SourceKeyKind;
use crate::domain::source_key::lifecycle::{Dates, LifecycleState};
use crate::domain::source_key::{
    MaterialOrigin, NewSourceKey, NewVersion, SourceKey, SourceKeyCommand, SourceKeyPatch, UsageMask,
};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::keyring::Owner;
use crate::ledger::Committed;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The purpose under which a source key's material is sealed.
pub(super) const MATERIAL: &str = "material";

/// The owner of a source key's material.
pub(super) fn owner(id: SourceKeyId) -> Owner {
    Owner::new("source-key", id.uuid())
}

/// The use cases of source keys. Cheap to clone.
#[derive(Clone)]
pub struct SourceKeys {
    recorder: Recorder,
    secrets: Secrets,
    serving: Serving,
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

/// The attributes and dates of a new version.
#[derive(Default)]
pub struct VersionRequest {
    pub attributes: AttributesPatch,
    pub dates: Dates,
    /// The wanted state; `None` for that which follows from the dates.
    pub state: Option<LifecycleState>,
    /// Whether the supplied material determines its size, since the client names none.
    pub is_size_open: bool,
    /// The encoding of the supplied material; `None` to find it out.
    pub encoding: Option<Encoding>,
}

/// The kind of identifier that names a source key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NamedBy {
    Id,
    Name,
    /// The id, then the name. The id comes first, so that no source key can be named like another one's id and replace
    /// it.
    Either,
    Alias,
    /// The URI of a version, or its end after the last colon.
    Uri,
}

/// Finds a source key. A name stands for its newest version.
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
        NamedBy::Alias => state.source_keys.iter().filter(|key| key.has_alias(text)).last(),
        NamedBy::Uri => with_uri(state, text),
    };
    found.cloned().ok_or_else(|| SourceKeyRefusal::Unknown(text.chars().take(255).collect()).into())
}

fn with_uri<'a>(state: &'a State, text: &str) -> Option<&'a Arc<SourceKey>> {
    let (name, version) = text.strip_prefix("kylo:kylo:vault:keys:").unwrap_or(text).rsplit_once("-v")?;
    let version: u32 = version.parse().ok()?;
    state.source_keys.all_named(&SourceKeyName::parse(name).ok()?).find(|key| key.version == version)
}

impl SourceKeys {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, serving: Serving) -> Self {
        Self { recorder, secrets, serving }
    }

    /// The current time, on which the states of source keys depend.
    pub fn now(&self) -> Time {
        self.recorder.now()
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
        version: VersionRequest,
    ) -> Result<Arc<SourceKey>, Failure> {
        self.create_with(&permit.caller().change(context), request, version).await
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
        self.create_with(change, request, VersionRequest::default()).await
    }

    async fn create_with(
        &self,
        change: &Change,
        request: SourceKeyRequest,
        version: VersionRequest,
    ) -> Result<Arc<SourceKey>, Failure> {
        let id = SourceKeyId::new(Uuid::new_v4());
        let name = self.free_name(id, request.name)?;
        let origin = if request.supplied.is_some() { MaterialOrigin::Brought } else { MaterialOrigin::Generated };
        let wanted = match version.is_size_open {
            true => WantedKind::OfAlgorithm(request.kind),
            false => WantedKind::Exactly(request.kind),
        };
        let material = obtain(wanted, version.encoding, request.supplied).await?;
        let made = NewSourceKey {
            name,
            kind: material.kind(),
            origin,
            usage: request.usage.unwrap_or(UsageMask::usual(request.kind)),
            unexportable: request.unexportable,
            undeletable: request.undeletable,
            labels: request.labels,
            meta: request.meta,
            fingerprint: material.fingerprint(),
            public_key: material.public_key(),
        };
        self.store(change, id, made, version, Relation::None, material.secret()).await
    }

    /// Returns the name of a new source key: the wanted one, or one made from its id.
    fn free_name(&self, id: SourceKeyId, wanted: Option<SourceKeyName>) -> Result<SourceKeyName, Failure> {
        let name = match wanted {
            Some(name) => name,
            None => SourceKeyName::parse(&format!("ks-{id}")).map_err(|_| Failure::Internal("an id is no name"))?,
        };
        match self.recorder.state().state.source_key_named(&name) {
            Some(_) => Err(SourceKeyRefusal::NameTaken(name).into()),
            None => Ok(name),
        }
    }

    /// Lists the source keys.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<ViewSourceKeys>, query: &Query) -> Result<Page<SourceKey>, Failure> {
        page(permit.caller(), &list::normalized(query)?).await
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
    /// When a rule forbids a change, for example that of an unexportable source key to an exportable one.
    pub async fn update(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        id: SourceKeyId,
        patch: SourceKeyPatch,
    ) -> Result<Arc<SourceKey>, Failure> {
        let change = permit.caller().change(context);
        let patch = Box::new(patch);
        let update = move |at| SourceKeyCommand::Update { id, patch: patch.clone(), at };
        shown(&self.command(&change, update).await?, id)
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
        self.command(change, move |_| SourceKeyCommand::Delete { id }).await?;
        self.secrets.shred(change, &owner(id)).await;
        Ok(())
    }

    async fn store(
        &self,
        change: &Change,
        id: SourceKeyId,
        made: NewSourceKey,
        version: VersionRequest,
        relation: Relation,
        secret: &[u8],
    ) -> Result<Arc<SourceKey>, Failure> {
        let material = self.secrets.seal(change, &owner(id), MATERIAL, secret).await?;
        let VersionRequest { attributes, dates, state, .. } = version;
        let new = Box::new(NewVersion { made, material, attributes, dates, state, relation });
        let create = move |at| Command::SourceKey(SourceKeyCommand::Create { id, new: new.clone(), at });
        shown(&self.secrets.append_owner_with(&self.recorder, change, &owner(id), create).await?, id)
    }

    async fn command(
        &self,
        change: &Change,
        command: impl Fn(Time) -> SourceKeyCommand + Send + 'static,
    ) -> Result<Committed, Failure> {
        let committed = self.recorder.append_with(change, move |_, at| Ok(Command::SourceKey(command(at)))).await?;
        if !change.dry_run {
            // A key in an external key store stops at once when its source key does.
            for event in &committed.events {
                if let Event::SourceKey(id, _) = event {
                    self.serving.publish_source(*id);
                }
            }
        }
        Ok(committed)
    }

    /// Unseals a source key's material for an import into AWS, which wraps it.
    ///
    /// # Errors
    /// When there is no such source key, it is not active, or its material cannot be unsealed.
    pub(super) fn material_for_import(&self, id: SourceKeyId) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.recorder.state().state.source_key(id)?.refuse_use(self.now())?;
        self.material(id)
    }

    fn material(&self, id: SourceKeyId) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let published = self.recorder.state();
        let key = published.state.source_key(id)?;
        self.secrets.unseal(&owner(id), MATERIAL, &key.material)
    }
}

/// Generates or reads material on the blocking pool, since generating a large RSA key takes seconds.
async fn obtain(
    wanted: WantedKind,
    encoding: Option<Encoding>,
    supplied: Option<Zeroizing<String>>,
) -> Result<Material, Failure> {
    let work = move || match supplied {
        Some(text) => Material::read(wanted, encoding, &text),
        None => Material::generate(wanted.usual()),
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Failure::Internal("the generation of key material was interrupted"))?
}

fn shown(committed: &Committed, id: SourceKeyId) -> Result<Arc<SourceKey>, Failure> {
    Ok(committed.published.state.source_key(id)?.clone())
}
