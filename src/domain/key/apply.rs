//! Applies the events of keys to the keys and to the pending operations.

use super::aggregate::{Certainty, Key};
use super::collection::KeyCollection;
use super::event::{Aspect, KeyEvent};
use super::operation::{PendingOperation, PendingOperations};
use super::virtual_key::VirtualKey;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::place::Region;
use crate::domain::time::Time;

impl KeyCollection {
    /// Updates the collection with an event of a key. An operation may affect a second key. That key is marked as
    /// pending too; all other changes of it are events of its own.
    pub(in crate::domain) fn apply(
        &mut self,
        operations: &mut PendingOperations,
        at: Time,
        id: KeyId,
        event: &KeyEvent,
    ) {
        match event {
            KeyEvent::OperationRequested { operation, kms, region, wanted } => {
                for affected in [Some(id), wanted.also_affects()].into_iter().flatten() {
                    self.change(&affected, |key| key.pending = Some(*operation));
                }
                let (kms, region, wanted) = (*kms, region.clone(), wanted.as_ref().clone());
                operations.insert(*operation, PendingOperation { key: id, kms, region, wanted, since: at });
            }
            KeyEvent::OperationDone { operation, learned } => {
                self.conclude(operations, at, *operation, learned, Certainty::Done);
            }
            KeyEvent::OperationReconciled { operation, learned } => {
                self.conclude(operations, at, *operation, learned, Certainty::Inferred);
            }
            KeyEvent::OperationFailed { operation, reason } => {
                let Some(pending) = operations.remove(operation) else { return };
                for affected in [Some(pending.key), pending.wanted.also_affects()].into_iter().flatten() {
                    self.change(&affected, |key| key.fail(at, &pending.wanted, reason));
                }
            }
            KeyEvent::Found { kms, region, learned } => self.add(id, *kms, region, at, learned),
            KeyEvent::HyokCreated { kms, region, new } => {
                self.virtual_keys.remove(&id);
                if let Some(key) = Key::unlinked(id, *kms, region.clone(), at, new) {
                    self.insert(key);
                }
            }
            KeyEvent::VirtualKeyMade { source, source_key_tier } => {
                let (source, source_key_tier) = (*source, source_key_tier.clone());
                let made = VirtualKey { id, source, source_key_tier, deletable: false, created: at, updated: at };
                self.virtual_keys.insert(id, made);
            }
            KeyEvent::VirtualKeyDeletable { deletable } => self.virtual_keys.change(&id, |key| {
                key.deletable = *deletable;
                key.updated = at;
            }),
            KeyEvent::VirtualKeyDeleted => drop(self.virtual_keys.remove(&id)),
            KeyEvent::Forgotten | KeyEvent::Unmanaged { .. } => self.remove(&id),
            KeyEvent::HyokBlocked
            | KeyEvent::HyokUnblocked
            | KeyEvent::HyokRotated { .. }
            | KeyEvent::CallerRulesSet { .. }
            | KeyEvent::EncryptionsCounted { .. }
            | KeyEvent::HyokLinked { .. }
            | KeyEvent::Observed { .. }
            | KeyEvent::Vanished
            | KeyEvent::RotationJobSet { .. }
            | KeyEvent::Replaced { .. }
            | KeyEvent::AliasMoved { .. }
            | KeyEvent::MaterialNotRotated { .. } => self.change(&id, |key| key.apply(at, event)),
        }
    }

    fn conclude(
        &mut self,
        operations: &mut PendingOperations,
        at: Time,
        operation: OperationId,
        learned: &[Aspect],
        certainty: Certainty,
    ) {
        let Some(pending) = operations.remove(&operation) else { return };
        let PendingOperation { key: id, kms, region, wanted, .. } = &pending;
        if wanted.adds_an_entry() {
            self.add(*id, *kms, region, at, learned);
        }
        self.change(id, |key| key.complete(at, wanted, learned, certainty));
        if let Some(affected) = wanted.also_affects() {
            self.change(&affected, |key| key.pending = None);
        }
    }

    fn add(&mut self, id: KeyId, kms: KmsId, region: &Region, at: Time, learned: &[Aspect]) {
        if let Some(key) = Key::known(id, kms, region.clone(), at, learned) {
            self.insert(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::domain::id::SourceKeyId;
    use crate::domain::key::aws_enums::Origin;
    use crate::domain::key::example::{added, after, key_id, kms_id, region, snapshot};
    use crate::domain::key::material::MaterialId;
    use crate::domain::key::operation::{Import, Operation};
    use uuid::Uuid;

    fn source(n: u128) -> SourceKeyId {
        SourceKeyId::new(Uuid::from_u128(n))
    }

    /// A key with the current material `0a`, into which a source key's material is imported again.
    fn imported(from: SourceKeyId, learned: Vec<Aspect>) -> Key {
        let mut seen = snapshot(1, "family");
        seen.metadata.origin = Origin::External;
        seen.metadata.current_material = Some(MaterialId::new("0a"));
        let operation = OperationId::new(Uuid::from_u128(7));
        let import = Import { source: from, valid_to: None, existing: true, material: None, description: None };
        let (kms, place, wanted) = (kms_id(0), region("eu-west-3"), Box::new(Operation::ImportMaterial(import)));
        let state = after(&[
            added(0, &["eu-west-3"]),
            Event::Key(key_id(1), KeyEvent::Found { kms, region: place.clone(), learned: seen.all() }),
            Event::Key(key_id(1), KeyEvent::OperationRequested { operation, kms, region: place, wanted }),
            Event::Key(key_id(1), KeyEvent::OperationDone { operation, learned }),
        ]);
        state.key(key_id(1)).expect("a key").as_ref().clone()
    }

    /// A replica gets the second material of its primary key, which is not the current one.
    #[test]
    fn an_import_is_of_the_material_that_aws_names() {
        let learned = vec![Aspect::ImportedMaterial(MaterialId::new("0b"))];
        let key = imported(source(2), learned);
        assert_eq!((key.materials.len(), key.materials[0].material.clone()), (1, Some(MaterialId::new("0b"))));
        // Logs of earlier versions do not have it.
        assert_eq!(imported(source(2), vec![]).materials[0].material, Some(MaterialId::new("0a")));
    }
}
