//! Decides the commands of source keys.

use super::attributes::Attributes;
use super::command::{ExportForm, Relation};
use super::lifecycle::{Lifecycle, LifecycleState};
use super::{NewVersion, SourceKey, SourceKeyCommand, SourceKeyEvent, SourceKeyPatch};
use crate::domain::event::Event;
use crate::domain::id::SourceKeyId;
use crate::domain::patch::{invalid, merged};
use crate::domain::refusal::{Refusal, SourceKeyRefusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: SourceKeyCommand) -> Result<Vec<Event>, Refusal> {
    let (id, events) = match command {
        SourceKeyCommand::Create { id, new, at } => (id, vec![create(state, *new, at)?]),
        SourceKeyCommand::Update { id, patch, at } => (id, update(state, state.source_key(id)?, *patch, at)?),
        SourceKeyCommand::Export { id, form, at } => (id, vec![export(state, id, form, at)?]),
        SourceKeyCommand::Revoke { id, revocation, occurred, at } => {
            let key = state.source_key(id)?;
            let compromises = revocation.reason.is_compromise();
            match key.lifecycle.state(at) {
                LifecycleState::Destroyed => return Err(key.wrong_state(at, "it cannot be revoked any more")),
                LifecycleState::Compromised => return Err(key.wrong_state(at, "it is revoked already")),
                LifecycleState::Deactivated if !compromises && key.lifecycle.revocation.is_some() => {
                    return Err(key.wrong_state(at, "it is revoked already"));
                }
                LifecycleState::Deactivated | LifecycleState::PreActive | LifecycleState::Active => {}
            }
            if occurred.is_some_and(|occurred| occurred > at) {
                return Err(invalid("compromiseOccurrenceDate", "must not lie ahead"));
            }
            (id, vec![SourceKeyEvent::Revoked { revocation, occurred: occurred.filter(|_| compromises) }])
        }
        SourceKeyCommand::Reactivate { id, reason, message, at } => {
            let key = state.source_key(id)?;
            key.lifecycle.refuse_reactivation(&key.made.name, reason, at)?;
            (id, vec![SourceKeyEvent::Reactivated { reason, message }])
        }
        SourceKeyCommand::Archive { id, at } => {
            let key = state.source_key(id)?;
            if key.lifecycle.state(at) == LifecycleState::Destroyed {
                return Err(key.wrong_state(at, "it cannot be archived"));
            }
            (id, if key.lifecycle.is_archived(at) { vec![] } else { vec![SourceKeyEvent::Archived] })
        }
        SourceKeyCommand::Recover { id, at } => {
            let key = state.source_key(id)?;
            if !key.lifecycle.is_archived(at) {
                return Err(key.wrong_state(at, "it is not archived"));
            }
            (id, vec![SourceKeyEvent::Recovered])
        }
        SourceKeyCommand::Destroy { id } => {
            let key = state.source_key(id)?;
            refuse_destruction(state, key)?;
            let is_destroyed = key.lifecycle.destroy.is_some();
            (id, if is_destroyed { vec![] } else { vec![SourceKeyEvent::Destroyed] })
        }
        SourceKeyCommand::Delete { id } => {
            refuse_destruction(state, state.source_key(id)?)?;
            (id, vec![SourceKeyEvent::Deleted])
        }
    };
    Ok(events.into_iter().map(|event| Event::SourceKey(id, event)).collect())
}

fn export(state: &State, id: SourceKeyId, form: ExportForm, at: Time) -> Result<SourceKeyEvent, Refusal> {
    let key = state.source_key(id)?;
    key.refuse_unexportable()?;
    key.lifecycle.refuse_export(&key.made.name, at)?;
    match form {
        ExportForm::Plain => Ok(SourceKeyEvent::Exported),
        ExportForm::Wrapped(with) => {
            with.map_or(Ok(()), |with| state.source_key(with)?.refuse_use(at))?;
            Ok(SourceKeyEvent::ExportedWrapped { with })
        }
    }
}

fn create(state: &State, new: NewVersion, at: Time) -> Result<SourceKeyEvent, Refusal> {
    let NewVersion { mut made, material, attributes, dates, state: wanted, relation } = new;
    made.labels = merged("labels", None, made.labels)?;
    made.meta = merged("meta", None, made.meta)?;
    let lifecycle = Lifecycle::begin(&dates, wanted, at)?;
    let attributes = Attributes::default().amended(&attributes)?;
    refuse_taken_aliases(state, &attributes, |other| match relation {
        Relation::VersionOf(_) => other.made.name == made.name,
        Relation::None | Relation::CloneOf(_) => false,
    })?;
    let (mut version, mut exported) = (0, false);
    match relation {
        Relation::VersionOf(of) => {
            let base = state.source_key(of)?;
            // A client may have changed the key while the new material was made.
            made.unexportable |= base.made.unexportable;
            made.undeletable |= base.made.undeletable;
            let newest = state.source_keys.all_named(&made.name).map(|key| key.version).max();
            version = newest.map_or(0, |newest| newest + 1);
        }
        Relation::None | Relation::CloneOf(_) if state.source_key_named(&made.name).is_some() => {
            return Err(SourceKeyRefusal::NameTaken(made.name).into());
        }
        Relation::CloneOf(of) => {
            let original = state.source_key(of)?;
            original.lifecycle.refuse_use(&original.made.name, at)?;
            made.unexportable |= original.made.unexportable;
            exported = original.exported;
        }
        Relation::None => {}
    }
    let clone_of = match relation {
        Relation::CloneOf(of) => Some(of),
        Relation::None | Relation::VersionOf(_) => None,
    };
    Ok(SourceKeyEvent::VersionCreated {
        version,
        made: Box::new(made),
        material,
        attributes: Box::new(attributes),
        lifecycle: Box::new(lifecycle),
        clone_of,
        exported,
    })
}

/// Refuses aliases that other source keys have.
fn refuse_taken_aliases(
    state: &State,
    attributes: &Attributes,
    is_the_same: impl Fn(&SourceKey) -> bool,
) -> Result<(), Refusal> {
    for alias in &attributes.aliases {
        let mut others = state.source_keys.iter().filter(|other| !is_the_same(other));
        if others.any(|other| other.has_alias(&alias.alias)) {
            return Err(SourceKeyRefusal::AliasTaken(alias.alias.clone()).into());
        }
    }
    Ok(())
}

/// Refuses the destruction of material that must stay, or that an operation may still need.
fn refuse_destruction(state: &State, key: &SourceKey) -> Result<(), Refusal> {
    if key.made.undeletable {
        return Err(SourceKeyRefusal::Undeletable(key.made.name.clone()).into());
    }
    let held = state.keys_of_source(key.id);
    let virtual_keys = state.keys.virtual_keys().iter().filter(|made| made.source == key.id).map(|made| made.id);
    let used = held.iter().map(|user| user.id).chain(virtual_keys).take(10).collect::<Vec<_>>();
    let health = state
        .key_stores
        .iter()
        .find(|store| store.local.as_ref().is_some_and(|local| local.settings.health_check_key == key.id));
    if !used.is_empty() || health.is_some() {
        let (key, store) = (key.made.name.clone(), health.map(|store| store.name.clone()));
        return Err(SourceKeyRefusal::InUse { key, keys: used, store }.into());
    }
    // The reconciliation of a pending import needs the material.
    let mut imports = state.operations.values().filter_map(|pending| pending.wanted.import());
    match imports.any(|import| import.source == key.id) {
        true => Err(SourceKeyRefusal::Busy(key.made.name.clone()).into()),
        false => Ok(()),
    }
}

fn update(state: &State, key: &SourceKey, patch: SourceKeyPatch, at: Time) -> Result<Vec<SourceKeyEvent>, Refusal> {
    if patch.unexportable == Some(false) {
        key.refuse_unexportable()?;
    }
    let labels = merged("labels", key.made.labels.clone(), patch.labels)?;
    let meta = merged("meta", key.made.meta.clone(), patch.meta)?;
    let attributes = key.attributes.amended(&patch.attributes)?;
    if attributes.aliases != key.attributes.aliases {
        refuse_taken_aliases(state, &attributes, |other| other.made.name == key.made.name)?;
    }
    let lifecycle = key.lifecycle.amended(&key.made.name, &patch.dates, at)?;
    let mut events = Vec::new();
    if labels != key.made.labels || meta != key.made.meta {
        events.push(SourceKeyEvent::Described { labels, meta });
    }
    if patch.unexportable == Some(true) && !key.made.unexportable {
        events.push(SourceKeyEvent::MadeUnexportable);
    }
    let undeletable = patch.undeletable.filter(|undeletable| *undeletable != key.made.undeletable);
    events.extend(undeletable.map(|undeletable| SourceKeyEvent::UndeletableSet { undeletable }));
    let usage = patch.usage.filter(|usage| *usage != key.made.usage);
    events.extend(usage.map(|usage| SourceKeyEvent::UsageSet { usage }));
    if attributes != key.attributes {
        events.push(SourceKeyEvent::AttributesSet { attributes: Box::new(attributes) });
    }
    if lifecycle != key.lifecycle {
        events.push(SourceKeyEvent::LifecycleSet { lifecycle: Box::new(lifecycle) });
    }
    Ok(events)
}

impl SourceKey {
    /// Whether the material still exists.
    pub fn has_material(&self) -> bool {
        self.lifecycle.destroy.is_none()
    }

    pub fn has_alias(&self, alias: &str) -> bool {
        self.attributes.aliases.iter().any(|known| known.alias == alias)
    }

    /// Checks that the key may be used for an import into AWS at this time.
    ///
    /// # Errors
    /// When it is not active.
    pub fn refuse_use(&self, at: Time) -> Result<(), Refusal> {
        self.lifecycle.refuse_use(&self.made.name, at)
    }

    fn refuse_unexportable(&self) -> Result<(), Refusal> {
        if self.made.unexportable { Err(SourceKeyRefusal::Unexportable(self.made.name.clone()).into()) } else { Ok(()) }
    }

    fn wrong_state(&self, at: Time, problem: &'static str) -> Refusal {
        let state = self.lifecycle.state(at).name();
        SourceKeyRefusal::WrongState { key: self.made.name.clone(), state, problem }.into()
    }
}

impl State {
    /// Returns the version of the same source key with this number.
    ///
    /// # Errors
    /// When there is none.
    pub fn source_key_version(&self, id: SourceKeyId, version: u32) -> Result<&Arc<SourceKey>, Refusal> {
        let name = &self.source_key(id)?.made.name;
        let mut versions = self.source_keys.all_named(name);
        let unknown = || SourceKeyRefusal::VersionUnknown { key: name.clone(), version };
        Ok(versions.find(|key| key.version == version).ok_or_else(unknown)?)
    }
}
