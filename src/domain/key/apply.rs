//! Applies the events of keys to the keys and to the pending operations.

use super::aggregate::{Certainty, Key};
use super::collection::KeyCollection;
use super::event::{Aspect, KeyEvent};
use super::operation::{PendingOperation, PendingOperations};
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
            KeyEvent::Forgotten | KeyEvent::Unmanaged { .. } => self.remove(&id),
            KeyEvent::Observed { .. }
            | KeyEvent::Vanished
            | KeyEvent::RotationJobSet { .. }
            | KeyEvent::Replaced { .. }
            | KeyEvent::AliasMoved { .. } => self.change(&id, |key| key.apply(at, event)),
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
        if wanted.creates_a_key() {
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
