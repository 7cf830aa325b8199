//! Decides the commands of virtual keys.

use super::{VirtualKey, VirtualKeyCommand};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, SourceKeyId};
use crate::domain::key::event::KeyEvent;
use crate::domain::key_store::decide::problem_of;
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: VirtualKeyCommand) -> Result<Vec<Event>, Refusal> {
    let (id, event) = match command {
        VirtualKeyCommand::Make { id, source, source_key_tier, at } => {
            if state.keys.get(&id).is_some() || state.keys.virtual_keys().get(&id).is_some() {
                return Err(KeyRefusal::Exists(id).into());
            }
            check_source(state, source, at)?;
            (id, Some(KeyEvent::VirtualKeyMade { source, source_key_tier }))
        }
        VirtualKeyCommand::SetDeletable { id, deletable } => {
            let changes = match state.unused_virtual_key(id) {
                Ok(known) => known.deletable != deletable,
                // That of a HYOK key is never deletable.
                Err(Refusal::Key(KeyRefusal::VirtualKeyInUse(_))) if !deletable => false,
                Err(refusal) => return Err(refusal),
            };
            (id, changes.then_some(KeyEvent::VirtualKeyDeletable { deletable }))
        }
        VirtualKeyCommand::Delete { id } => match state.unused_virtual_key(id)?.deletable {
            true => (id, Some(KeyEvent::VirtualKeyDeleted)),
            false => return Err(KeyRefusal::VirtualKeyKept(id).into()),
        },
    };
    Ok(event.into_iter().map(|event| Event::Key(id, event)).collect())
}

fn check_source(state: &State, id: SourceKeyId, at: Time) -> Result<(), Refusal> {
    let source = state.source_key(id).map_err(|unknown| unknown.of("source_key_id"))?;
    match problem_of(source, at) {
        Some(problem) => Err(KeyRefusal::VirtualSourceUnfit { source_key: source.made.name.clone(), problem }.into()),
        None => Ok(()),
    }
}

impl State {
    /// Returns a virtual key with which no HYOK key was created yet.
    ///
    /// # Errors
    /// When there is none, or a HYOK key was created with it.
    pub fn unused_virtual_key(&self, id: KeyId) -> Result<&Arc<VirtualKey>, Refusal> {
        let is_used = || self.keys.get(&id).is_some_and(|key| key.hyok.is_some());
        self.keys.virtual_keys().get(&id).ok_or_else(|| match is_used() {
            true => KeyRefusal::VirtualKeyInUse(id).into(),
            false => KeyRefusal::VirtualKeyUnknown(id.to_string()).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::aws_enums::Origin;
    use crate::domain::key::example::{added, at, key_id, kms_id, region, snapshot};
    use crate::domain::key::hyok::NewHyokKey;
    use crate::domain::key_store::tests::{created, store_id};
    use crate::domain::scenario::{Given, given};
    use crate::domain::source_key::tests::hyok_source;
    use uuid::Uuid;

    fn source(n: u128) -> SourceKeyId {
        SourceKeyId::new(Uuid::from_u128(n))
    }

    fn of(event: KeyEvent) -> Event {
        Event::Key(key_id(5), event)
    }

    fn made() -> KeyEvent {
        KeyEvent::VirtualKeyMade { source: source(1), source_key_tier: "local".to_owned() }
    }

    fn with_virtual_key() -> Given {
        given([added(0, &["eu-west-3"]), hyok_source(1), created(1, "one")]).and([of(made())])
    }

    fn hyok_created() -> KeyEvent {
        let mut planned = snapshot(5, "planned");
        planned.metadata.origin = Origin::ExternalKeyStore;
        let new = Box::new(NewHyokKey {
            store: store_id(1),
            source: source(1),
            source_key_tier: "local".to_owned(),
            blocked: false,
            caller_rules: Default::default(),
            planned: planned.all(),
        });
        KeyEvent::HyokCreated { kms: kms_id(0), region: region("eu-west-3"), new }
    }

    #[test]
    fn a_virtual_key_is_made_of_a_source_key_that_fits_and_deleted_once_that_is_allowed() {
        let make = |n| VirtualKeyCommand::Make {
            id: key_id(5),
            source: source(n),
            source_key_tier: "local".to_owned(),
            at: at(9),
        };
        let without = given([added(0, &["eu-west-3"]), hyok_source(1)]);
        assert_eq!(without.when(make(9)).refusal().member(), Some("source_key_id"));
        let _ = without.when(make(1)).then([of(made())]);
        let state = with_virtual_key();
        state.when(make(1)).then_refused(KeyRefusal::Exists(key_id(5)));
        let delete = VirtualKeyCommand::Delete { id: key_id(5) };
        state.when(delete.clone()).then_refused(KeyRefusal::VirtualKeyKept(key_id(5)));
        let set = |deletable| VirtualKeyCommand::SetDeletable { id: key_id(5), deletable };
        let _ = state.when(set(false)).then([]);
        let _ = state.when(set(true)).then([of(KeyEvent::VirtualKeyDeletable { deletable: true })]);
        let deletable = with_virtual_key().and([of(KeyEvent::VirtualKeyDeletable { deletable: true })]);
        let deleted = deletable.when(delete.clone()).then([of(KeyEvent::VirtualKeyDeleted)]);
        deleted.when(delete).then_refused(KeyRefusal::VirtualKeyUnknown(key_id(5).to_string()));
    }

    #[test]
    fn a_hyok_key_takes_the_place_of_its_virtual_key() {
        let state = with_virtual_key().and([of(hyok_created())]);
        assert!(state.keys.virtual_keys().is_empty());
        let set = |deletable| VirtualKeyCommand::SetDeletable { id: key_id(5), deletable };
        let _ = state.when(set(false)).then([]);
        state.when(set(true)).then_refused(KeyRefusal::VirtualKeyInUse(key_id(5)));
        let delete = VirtualKeyCommand::Delete { id: key_id(5) };
        state.when(delete).then_refused(KeyRefusal::VirtualKeyInUse(key_id(5)));
    }
}
