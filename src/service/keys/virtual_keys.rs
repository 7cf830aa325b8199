//! Virtual keys: each HYOK key has one, with the same id. One that is made before its HYOK key has an entry of its own
//! until then.

use super::Keys;
use super::hyok::{VersionSeen, shown_source};
use crate::domain::action::Action;
use crate::domain::command::Command;
use crate::domain::id::{KeyId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::command::KeyCommand;
use crate::domain::key::hyok::HyokVersion;
use crate::domain::key::virtual_key::{VirtualKey, VirtualKeyCommand};
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::service::access::{
    self, CreateHyokKey, DeleteHyokKey, OnSomeKms, Permit, SignedIn, UpdateKey, ViewHyokKey, may_somewhere,
};
use crate::service::caller::{Caller, RequestContext};
use crate::service::failure::Failure;
use uuid::Uuid;

/// A virtual key, of a HYOK key or before it.
pub struct VirtualKeySeen {
    pub id: KeyId,
    pub name: String,
    /// The source key that encrypts now, as the client named it.
    pub source: SourceKeyId,
    pub source_key_tier: String,
    pub deletable: bool,
    /// The number of the version that encrypts.
    pub version: u32,
    pub created: Time,
    pub updated: Time,
}

impl Keys {
    /// Makes a virtual key. The HYOK key that is created with it gets its id.
    ///
    /// # Errors
    /// When the source key cannot be the material of a HYOK key.
    pub async fn make_virtual(
        &self,
        permit: &Permit<OnSomeKms<CreateHyokKey>>,
        context: &RequestContext,
        source: SourceKeyId,
        source_key_tier: String,
    ) -> Result<VirtualKeySeen, Failure> {
        let id = KeyId::new(Uuid::new_v4());
        let make = move |at| VirtualKeyCommand::Make { id, source, source_key_tier: source_key_tier.clone(), at };
        let change = permit.caller().change(context);
        let append = self.recorder.append_with(&change, move |_, at| Ok(Command::Key(KeyCommand::Virtual(make(at)))));
        let state = &append.await?.published.state;
        Ok(of_unused(state, state.unused_virtual_key(id)?))
    }

    /// Lists the virtual keys that the caller may view, in order of creation.
    pub fn virtual_keys(&self, permit: &Permit<SignedIn>) -> Vec<VirtualKeySeen> {
        let caller = permit.caller();
        let (state, user) = (&caller.published.state, &caller.user);
        let unused = state.keys.virtual_keys().iter().filter(|_| sees_unused(user, state));
        let held = state.key_stores.iter().flat_map(|store| state.keys_of_store(store.id));
        let held = held.filter(|key| access::sees_key(user, state, key));
        let mut all: Vec<_> = held.filter_map(|key| of_key(state, key)).collect();
        all.extend(unused.map(|key| of_unused(state, key)));
        all.sort_by_key(|key| key.created);
        all
    }

    /// Returns one virtual key.
    ///
    /// # Errors
    /// When there is none, or the caller may not view it.
    pub fn virtual_key(&self, permit: &Permit<OnSomeKms<ViewHyokKey>>, text: &str) -> Result<VirtualKeySeen, Failure> {
        find(permit.caller(), text)
    }

    /// Lists the versions of a virtual key, newest first.
    ///
    /// # Errors
    /// As [`Keys::virtual_key`].
    pub fn versions_of_virtual_key(
        &self,
        permit: &Permit<OnSomeKms<ViewHyokKey>>,
        text: &str,
    ) -> Result<(KeyId, Vec<VersionSeen>), Failure> {
        let id = find(permit.caller(), text)?.id;
        let state = &permit.caller().published.state;
        let unused = match state.keys.get(&id) {
            Some(key) => return Ok((id, self.versions(key, state)?)),
            None => state.unused_virtual_key(id)?,
        };
        let source = state.source_key(unused.source)?;
        let only = VersionSeen {
            number: 1,
            version: HyokVersion { source: unused.source, created: unused.created, encryptions: 0 },
            source_id: unused.source,
            source_name: source.made.name.to_string(),
            source_version: source.version + 1,
            is_active: true,
            last_encrypt: None,
            last_decrypt: None,
            encryptions: 0,
        };
        Ok((id, vec![only]))
    }

    /// Allows or forbids the deletion of a virtual key.
    ///
    /// # Errors
    /// When there is none, or a HYOK key was created with it.
    pub async fn set_virtual_deletable(
        &self,
        permit: &Permit<OnSomeKms<UpdateKey>>,
        context: &RequestContext,
        text: &str,
        deletable: Option<bool>,
    ) -> Result<VirtualKeySeen, Failure> {
        let caller = permit.caller();
        let known = find(caller, text)?;
        let (id, Some(deletable)) = (known.id, deletable) else { return Ok(known) };
        let command = Command::Key(KeyCommand::Virtual(VirtualKeyCommand::SetDeletable { id, deletable }));
        let committed = self.recorder.append(&caller.change(context), command).await?;
        of(&committed.published.state, id).ok_or_else(|| unknown(text))
    }

    /// Deletes a virtual key with which no HYOK key was created.
    ///
    /// # Errors
    /// When there is none, a HYOK key was created with it, or it is not deletable.
    pub async fn delete_virtual(
        &self,
        permit: &Permit<OnSomeKms<DeleteHyokKey>>,
        context: &RequestContext,
        text: &str,
    ) -> Result<(), Failure> {
        let caller = permit.caller();
        let id = find(caller, text)?.id;
        let command = Command::Key(KeyCommand::Virtual(VirtualKeyCommand::Delete { id }));
        self.recorder.append(&caller.change(context), command).await.map(drop)
    }
}

/// Returns the id and the source key of a new HYOK key for a given source key. A virtual key in its place gives both,
/// once.
pub(super) fn identity(caller: &Caller, given: SourceKeyId) -> Result<(KeyId, SourceKeyId), Refusal> {
    let (state, id) = (&caller.published.state, KeyId::new(given.uuid()));
    match state.unused_virtual_key(id) {
        Ok(known) => Ok((id, known.source)),
        Err(used @ Refusal::Key(KeyRefusal::VirtualKeyInUse(_))) if access::sees_key_of(&caller.user, state, id) => {
            Err(used.of("local_hosted_params.source_key_id"))
        }
        Err(_) => Ok((KeyId::new(Uuid::new_v4()), given)),
    }
}

/// Finds a virtual key that the caller may view.
fn find(caller: &Caller, text: &str) -> Result<VirtualKeySeen, Failure> {
    let (state, user) = (&caller.published.state, &caller.user);
    let id = KeyId::parse(text).map_err(|_| unknown(text))?;
    let sees = match state.keys.get(&id) {
        Some(key) => access::sees_key(user, state, key),
        None => sees_unused(user, state),
    };
    of(state, id).filter(|_| sees).ok_or_else(|| unknown(text))
}

fn unknown(text: &str) -> Failure {
    KeyRefusal::VirtualKeyUnknown(text.chars().take(80).collect()).into()
}

/// Virtual keys without a HYOK key belong to no KMS.
fn sees_unused(user: &User, state: &State) -> bool {
    may_somewhere(user, state, Action::ViewHyokKey)
}

fn of(state: &State, id: KeyId) -> Option<VirtualKeySeen> {
    match state.keys.get(&id) {
        Some(key) => of_key(state, key),
        None => Some(of_unused(state, state.keys.virtual_keys().get(&id)?)),
    }
}

fn of_key(state: &State, key: &Key) -> Option<VirtualKeySeen> {
    let hyok = key.hyok.as_ref()?;
    let source = hyok.source()?;
    let alias = key.aliases.first().map(ToString::to_string);
    let name = alias.as_deref().map(|alias| alias.strip_prefix("alias/").unwrap_or(alias).to_owned());
    Some(VirtualKeySeen {
        id: key.id,
        name: name.unwrap_or_else(|| name_of(state, source)),
        source: shown_source(state, &hyok.versions, hyok.active()).unwrap_or(source),
        source_key_tier: hyok.source_key_tier.clone(),
        deletable: false,
        version: hyok.active(),
        created: key.created,
        updated: key.updated,
    })
}

fn of_unused(state: &State, key: &VirtualKey) -> VirtualKeySeen {
    VirtualKeySeen {
        id: key.id,
        name: name_of(state, key.source),
        source: key.source,
        source_key_tier: key.source_key_tier.clone(),
        deletable: key.deletable,
        version: 1,
        created: key.created,
        updated: key.updated,
    }
}

fn name_of(state: &State, source: SourceKeyId) -> String {
    state.source_keys.get(&source).map(|source| source.made.name.to_string()).unwrap_or_default()
}
