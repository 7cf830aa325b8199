//! How keys, and the operations on them, change the whole picture.

use super::{PendingOperation, State};
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::key::aggregate::{Certainty, Key};
use crate::domain::key::event::{Aspect, KeyEvent};
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::KeyRotation;
use crate::domain::place::Region;
use crate::domain::time::Time;

impl State {
    /// Takes in what has happened to a key.
    pub(super) fn apply_key(&mut self, at: Time, id: KeyId, event: &KeyEvent) {
        match event {
            KeyEvent::OperationRequested { operation, kms, region, wanted } => {
                for touched in [Some(id), wanted.also_affects()].into_iter().flatten() {
                    self.keys.change(&touched, |key| key.pending = Some(*operation));
                }
                let (kms, region, wanted) = (*kms, region.clone(), wanted.as_ref().clone());
                self.operations.insert(*operation, PendingOperation { key: id, kms, region, wanted, since: at });
            }
            KeyEvent::OperationDone { operation, learned } => {
                self.accomplish(at, *operation, learned, Certainty::Done);
            }
            KeyEvent::OperationReconciled { operation, learned } => {
                self.accomplish(at, *operation, learned, Certainty::Inferred);
            }
            KeyEvent::OperationFailed { operation, reason } => {
                let Some(pending) = self.operations.remove(operation) else { return };
                for touched in [Some(pending.key), pending.wanted.also_affects()].into_iter().flatten() {
                    self.keys.change(&touched, |key| key.fail(at, &pending.wanted, reason));
                }
            }
            KeyEvent::Found { kms, region, learned } => self.know(id, *kms, region, at, learned),
            KeyEvent::Forgotten => {
                if let Some(key) = self.keys.remove(&id)
                    && let Some(of_kms) = self.keys_at_aws.get_mut(&key.kms)
                {
                    let place = (key.region.clone(), key.aws_id().clone());
                    if of_kms.get(&place) == Some(&id) {
                        of_kms.remove(&place);
                    }
                }
            }
            KeyEvent::Observed { .. } | KeyEvent::Vanished | KeyEvent::RotationJobSet { .. } => {
                self.keys.change(&id, |key| key.apply(at, event));
            }
        }
    }

    fn accomplish(&mut self, at: Time, operation: OperationId, learned: &[Aspect], certainty: Certainty) {
        let Some(pending) = self.operations.remove(&operation) else { return };
        let PendingOperation { key: id, kms, region, wanted, .. } = &pending;
        if wanted.makes_a_key() {
            self.know(*id, *kms, region, at, learned);
        }
        self.keys.change(id, |key| key.accomplish(at, wanted, learned, certainty));
        // What was found later may not be what was put.
        let has = |policy| self.keys.get(id).is_some_and(|key| key.policy.as_ref() == Some(policy));
        let is_put = certainty == Certainty::Done || wanted.put_policy().is_none_or(has);
        if let Some(template) = wanted.template().filter(|_| is_put) {
            self.templates.note_accepted(template, pending.since);
        }
        if let Some(KeyRotation::Replaces(old)) = wanted.rotation() {
            self.replace(at, old, *id);
        }
        if let Some((alias, holder)) = wanted.taken_alias(*id).filter(|(_, holder)| holder != id) {
            let moved = self.keys.get(id).is_some_and(|key| key.aliases.contains(alias));
            self.keys.change(&holder, |key| if moved { key.lose(at, alias) } else { key.pending = None });
        }
    }

    /// A key takes another's place: the schedule goes on with it.
    fn replace(&mut self, at: Time, old: KeyId, new: KeyId) {
        let job = self.keys.get(&old).and_then(|key| key.rotation_job.clone());
        self.keys.change(&old, |key| key.note_replaced(at, new));
        self.keys.change(&new, |key| key.rotation_job = job);
    }

    fn know(&mut self, id: KeyId, kms: KmsId, region: &Region, at: Time, learned: &[Aspect]) {
        if let Some(key) = Key::known(id, kms, region.clone(), at, learned) {
            let place = (region.clone(), key.aws_id().clone());
            let displaced = self.keys_at_aws.entry(kms).or_default().insert(place, id);
            // A replica that AWS had deleted was made again: it has the same id at AWS.
            if let Some(displaced) = displaced.filter(|displaced| *displaced != id) {
                self.keys.remove(&displaced);
            }
            self.keys.insert(id, key);
        }
    }

    pub(super) fn forget_keys_of(&mut self, id: KmsId) {
        self.operations.retain(|_, pending| pending.kms != id);
        for key in self.keys_at_aws.remove(&id).into_iter().flatten().map(|(_, key)| key) {
            self.keys.remove(&key);
        }
    }

    /// Keys are known in the regions that their KMS manages, and nowhere else.
    pub(super) fn forget_keys_outside(&mut self, id: KmsId, regions: &[Region]) {
        self.operations.retain(|_, pending| pending.kms != id || regions.contains(&pending.region));
        let Some(of_kms) = self.keys_at_aws.get_mut(&id) else { return };
        let outside = |(region, _): &(Region, AwsKeyId)| !regions.contains(region);
        let removed: Vec<_> = of_kms.keys().filter(|place| outside(place)).cloned().collect();
        for place in removed {
            if let Some(key) = of_kms.remove(&place) {
                self.keys.remove(&key);
            }
        }
    }
}
