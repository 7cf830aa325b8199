//! The collection of all keys. It alone decides whether a key is managed: the keys of a deleted KMS, or of a region
//! that a KMS no longer manages, are hidden from every reader at once, in constant time. Their rows stay until each
//! key's own event removes it.

use super::aggregate::Key;
use super::event::UnmanagedCause;
use super::index::{KeyIndex, Term, hashes, terms};
use super::name::AwsKeyId;
use super::virtual_key::VirtualKey;
use crate::domain::id::{KeyId, KmsId};
use crate::domain::place::Region;
use crate::domain::table::{Rows, Table};
use imbl::{HashMap, Vector};
use std::sync::Arc;

type Ids = HashMap<AwsKeyId, KeyId>;

/// Keys by [`KeyId`], in order of creation, with indexes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyCollection {
    /// Every key, including those that are no longer managed.
    rows: Table<KeyId, Key>,
    /// The managed keys by KMS, region and AWS id.
    at_aws: HashMap<KmsId, HashMap<Region, Ids>>,
    /// Every key by its search terms.
    index: KeyIndex,
    /// The keys that are no longer managed and still have rows.
    unmanaged: HashMap<KmsId, HashMap<Region, Vector<Hidden>>>,
    /// The virtual keys with which no HYOK key was created yet.
    pub(super) virtual_keys: Table<KeyId, VirtualKey>,
}

/// The keys that one change of a region hid. A region can be removed, added and removed again.
#[derive(Clone, Debug, PartialEq)]
struct Hidden {
    cause: UnmanagedCause,
    keys: Ids,
}

/// The keys that one change of a region hid and that still have rows.
#[derive(Clone, Debug, PartialEq)]
pub struct UnmanagedKeys {
    pub kms: KmsId,
    pub region: Region,
    pub cause: UnmanagedCause,
    pub keys: Vec<KeyId>,
}

impl KeyCollection {
    /// Restores the collection from a snapshot: all rows in their order, and the unmanaged keys in the order in which
    /// they were hidden.
    pub fn restored(rows: Vec<Key>, unmanaged: Vec<UnmanagedKeys>, virtual_keys: Vec<VirtualKey>) -> Self {
        let hidden: std::collections::HashSet<KeyId> =
            unmanaged.iter().flat_map(|change| &change.keys).copied().collect();
        let mut restored = Self::default();
        for mut key in rows {
            key.share();
            if hidden.contains(&key.id) {
                restored.index.insert(&key);
                restored.rows.insert(key.id, key);
            } else {
                restored.insert(key);
            }
        }
        for UnmanagedKeys { kms, region, cause, keys } in unmanaged {
            let ids = keys.iter().filter_map(|id| Some((restored.rows.get(id)?.aws_id().clone(), *id))).collect();
            restored.hide(kms, region, ids, cause);
        }
        virtual_keys.into_iter().for_each(|key| restored.virtual_keys.insert(key.id, key));
        restored
    }

    /// Returns the virtual keys with which no HYOK key was created yet, in order of creation.
    pub fn virtual_keys(&self) -> &Table<KeyId, VirtualKey> {
        &self.virtual_keys
    }

    /// Returns every row in order of creation, including those of keys that are no longer managed.
    pub fn all_rows(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.rows.iter()
    }

    /// Returns the keys that are no longer managed and still have rows; those of a region in the order in which they
    /// were hidden.
    pub fn unmanaged_entries(&self) -> Vec<UnmanagedKeys> {
        let mut entries = Vec::new();
        for (kms, regions) in &self.unmanaged {
            for (region, changes) in regions {
                entries.extend(changes.iter().map(|hidden| {
                    let mut keys: Vec<_> = hidden.keys.values().copied().collect();
                    keys.sort_by_key(|id| id.uuid());
                    UnmanagedKeys { kms: *kms, region: region.clone(), cause: hidden.cause, keys }
                }));
            }
        }
        entries.sort_by(|one, other| (one.kms.uuid(), &one.region).cmp(&(other.kms.uuid(), &other.region)));
        entries
    }

    pub fn get(&self, id: &KeyId) -> Option<&Arc<Key>> {
        self.rows.get(id).filter(|key| self.manages(key))
    }

    /// Returns the key with this AWS id in a region of a KMS.
    pub fn at_aws(&self, kms: KmsId, region: &Region, id: &AwsKeyId) -> Option<&Arc<Key>> {
        self.rows.get(self.at_aws.get(&kms)?.get(region)?.get(id)?)
    }

    /// Returns the keys of a KMS, in no order.
    pub fn of_kms(&self, kms: KmsId) -> impl Iterator<Item = &Arc<Key>> {
        let ids = self.at_aws.get(&kms).into_iter().flat_map(HashMap::values).flat_map(HashMap::values);
        ids.filter_map(|id| self.rows.get(id))
    }

    /// Returns the keys of one region of a KMS, in no order.
    pub fn of_region(&self, kms: KmsId, region: &Region) -> impl Iterator<Item = &Arc<Key>> {
        let ids = self.at_aws.get(&kms).and_then(|regions| regions.get(region)).into_iter().flat_map(HashMap::values);
        ids.filter_map(|id| self.rows.get(id))
    }

    /// Returns all keys that have a term and, rarely, others, in no order.
    pub fn candidates<'a>(&'a self, term: Term<'_>) -> impl Iterator<Item = KeyId> + use<'a> {
        self.index.candidates(&term)
    }

    /// Returns the keys that have a term, in order of creation.
    pub fn find(&self, term: Term<'_>) -> Vec<&Arc<Key>> {
        let found = self.pick(self.candidates(term)).into_iter().map(|(_, key)| key);
        found.filter(|key| terms(key).any(|has| has == term)).collect()
    }

    /// Returns all managed keys, in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.rows.iter().filter(|key| self.manages(key))
    }

    pub fn len(&self) -> usize {
        self.rows.len() - self.hidden().map(|hidden| hidden.keys.len()).sum::<usize>()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the keys that are no longer managed and still have a row, in no order.
    pub fn unmanaged(&self) -> impl Iterator<Item = (KeyId, UnmanagedCause)> {
        self.hidden().flat_map(|hidden| hidden.keys.values().map(|id| (*id, hidden.cause)))
    }

    /// Whether a KMS has keys in other regions than these.
    pub fn are_outside(&self, kms: KmsId, regions: &[Region]) -> bool {
        self.at_aws.get(&kms).is_some_and(|known| known.keys().any(|region| !regions.contains(region)))
    }

    /// Adds a key. A replica that was deleted and made again has the same AWS id, so it replaces its old entry.
    pub(in crate::domain) fn insert(&mut self, key: Key) {
        let regions = self.at_aws.entry(key.kms).or_default();
        let displaced = regions.entry(key.region.clone()).or_default().insert(key.aws_id().clone(), key.id);
        for id in displaced.into_iter().chain([key.id]) {
            if let Some(before) = self.rows.remove(&id) {
                self.index.remove(&before);
            }
        }
        self.index.insert(&key);
        self.rows.insert(key.id, key);
    }

    pub(in crate::domain) fn change(&mut self, id: &KeyId, change: impl FnOnce(&mut Key)) {
        let Some((before, aws_id)) = self.rows.get(id).map(|key| (hashes(key), key.aws_id().clone())) else { return };
        self.rows.change(id, change);
        let Some(key) = self.rows.get(id) else { return };
        self.index.update(&before, key);
        // A key that is linked gets its id from AWS.
        if *key.aws_id() != aws_id
            && let Some(ids) = self.at_aws.get_mut(&key.kms).and_then(|regions| regions.get_mut(&key.region))
            && ids.get(&aws_id) == Some(id)
        {
            ids.remove(&aws_id);
            ids.insert(key.aws_id().clone(), *id);
        }
    }

    /// Removes a key, whether it is managed or not.
    pub(in crate::domain) fn remove(&mut self, id: &KeyId) {
        let Some(key) = self.rows.remove(id) else { return };
        self.index.remove(&key);
        if let Some(regions) = self.at_aws.get_mut(&key.kms)
            && let Some(ids) = regions.get_mut(&key.region)
            && ids.get(key.aws_id()) == Some(id)
        {
            ids.remove(key.aws_id());
            if ids.is_empty() {
                regions.remove(&key.region);
            }
            if regions.is_empty() {
                self.at_aws.remove(&key.kms);
            }
        }
        let Some(regions) = self.unmanaged.get_mut(&key.kms) else { return };
        let Some(changes) = regions.get_mut(&key.region) else { return };
        for hidden in changes.iter_mut().filter(|hidden| hidden.keys.get(key.aws_id()) == Some(id)) {
            hidden.keys.remove(key.aws_id());
        }
        changes.retain(|hidden| !hidden.keys.is_empty());
        if changes.is_empty() {
            regions.remove(&key.region);
        }
        if regions.is_empty() {
            self.unmanaged.remove(&key.kms);
        }
    }

    /// Hides the keys of a KMS that is deleted.
    pub(in crate::domain) fn hide_kms(&mut self, kms: KmsId) {
        for (region, keys) in self.at_aws.remove(&kms).unwrap_or_default() {
            self.hide(kms, region, keys, UnmanagedCause::KmsDeleted);
        }
    }

    /// Hides the keys of a KMS that are in none of these regions.
    pub(in crate::domain) fn hide_outside(&mut self, kms: KmsId, regions: &[Region]) {
        let Some(known) = self.at_aws.get_mut(&kms) else { return };
        let removed: Vec<_> = known.keys().filter(|region| !regions.contains(region)).cloned().collect();
        for region in removed {
            let keys = self.at_aws.get_mut(&kms).and_then(|known| known.remove(&region)).unwrap_or_default();
            self.hide(kms, region, keys, UnmanagedCause::RegionRemoved);
        }
        if self.at_aws.get(&kms).is_some_and(HashMap::is_empty) {
            self.at_aws.remove(&kms);
        }
    }

    fn hide(&mut self, kms: KmsId, region: Region, keys: Ids, cause: UnmanagedCause) {
        if !keys.is_empty() {
            let changes = self.unmanaged.entry(kms).or_default().entry(region).or_default();
            changes.push_back(Hidden { cause, keys });
        }
    }

    fn hidden(&self) -> impl Iterator<Item = &Hidden> {
        self.unmanaged.values().flat_map(HashMap::values).flatten()
    }

    /// Whether the key of a row is managed. The same AWS key may be added again before its old row is removed, so both
    /// ids are compared.
    fn manages(&self, key: &Key) -> bool {
        let regions = if self.unmanaged.is_empty() { None } else { self.unmanaged.get(&key.kms) };
        let changes = regions.and_then(|regions| regions.get(&key.region));
        changes.is_none_or(|changes| !changes.iter().any(|hidden| hidden.keys.get(key.aws_id()) == Some(&key.id)))
    }
}

impl Rows for KeyCollection {
    type Id = KeyId;
    type Row = Key;

    fn count(&self) -> usize {
        self.len()
    }

    fn row(&self, id: &KeyId) -> Option<&Arc<Key>> {
        self.get(id)
    }

    fn rows_from(&self, skip: usize) -> impl Iterator<Item = (&KeyId, &Arc<Key>)> {
        // While keys are hidden, rows must be counted one by one.
        let (jump, walk) = if self.unmanaged.is_empty() { (skip, 0) } else { (0, skip) };
        self.rows.rows_from(jump).filter(|(_, key)| self.manages(key)).skip(walk)
    }

    fn pick(&self, ids: impl IntoIterator<Item = KeyId>) -> Vec<(KeyId, &Arc<Key>)> {
        let mut picked = self.rows.pick(ids);
        picked.retain(|(_, key)| self.manages(key));
        picked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::Command;
    use crate::domain::event::{Event, KmsEvent};
    use crate::domain::id::ScheduleId;
    use crate::domain::key::command::KeyCommand;
    use crate::domain::key::event::{Aspect, KeyEvent, RotationJob};
    use crate::domain::key::example::{added, after, found, key_id, kms_id, region, snapshot};
    use crate::domain::key::name::AliasName;
    use crate::domain::key::tag::Tag;
    use crate::domain::state::State;
    use crate::domain::template::TEMPLATE_TAG;
    use uuid::Uuid;

    fn kms(event: KmsEvent) -> Event {
        Event::Kms(kms_id(0), event)
    }

    fn regions(names: &[&str]) -> Event {
        kms(KmsEvent::RegionsReplaced { to: names.iter().map(|name| region(name)).collect() })
    }

    fn remove(log: &[Event], most: usize) -> Vec<Event> {
        after(log).decide(Command::Key(KeyCommand::RemoveUnmanaged { most })).expect("it is never refused")
    }

    fn visible(state: &State) -> (usize, usize, usize) {
        let keys = &state.keys;
        (keys.len(), keys.iter().count(), keys.rows_from(1).count())
    }

    #[test]
    fn the_keys_of_a_deleted_kms_are_gone_at_once_and_their_events_follow_in_batches() {
        let mut log = vec![added(0, &["eu-west-3"]), found(0, "a"), found(1, "b"), found(2, "c")];
        assert_eq!(visible(&after(&log)), (3, 3, 2));
        log.push(kms(KmsEvent::Deleted));
        let state = after(&log);
        assert_eq!(visible(&state), (0, 0, 0));
        assert!(state.keys.get(&key_id(0)).is_none() && state.keys_of_kms(kms_id(0)).next().is_none());
        // Its regions are free at once.
        log.push(added(1, &["eu-west-3"]));
        let mut sizes = Vec::new();
        while let events @ [_, ..] = &remove(&log, 2)[..] {
            assert!(events.iter().all(|event| matches!(
                event,
                Event::Key(_, KeyEvent::Unmanaged { cause: UnmanagedCause::KmsDeleted })
            )));
            sizes.push(events.len());
            log.extend(events.to_vec());
        }
        assert_eq!((sizes, after(&log).keys.rows.len()), (vec![2, 1], 0));
    }

    /// Asserts that each term leads to exactly the keys that have it, and that the index has no other entries.
    fn check_index(keys: &KeyCollection) {
        let mut fresh = KeyIndex::default();
        keys.rows.iter().for_each(|key| fresh.insert(key));
        assert_eq!(keys.index, fresh);
        for term in keys.iter().flat_map(|key| terms(key)) {
            let having: Vec<_> = keys.iter().filter(|key| terms(key).any(|has| has == term)).collect();
            assert_eq!(keys.find(term), having, "{term:?}");
        }
    }

    #[test]
    fn what_keys_are_looked_for_by_leads_to_them_whatever_happens() {
        let learn = |n, aspect| Event::Key(key_id(n), KeyEvent::Observed { learned: vec![aspect] });
        let aliases = |names: &[&str]| {
            Aspect::Aliases(names.iter().map(|name| AliasName::parse(name).expect("an alias")).collect())
        };
        let schedule = ScheduleId::new(Uuid::from_u128(7));
        let job = RotationJob {
            schedule,
            key_source: "native".to_owned(),
            disable_encrypt: false,
            disable_encrypt_on_all_accounts: false,
        };
        let anew = KeyEvent::Found { kms: kms_id(0), region: region("eu-west-3"), learned: snapshot(0, "a").all() };
        let log = [
            added(0, &["eu-west-3", "eu-west-1"]),
            found(0, "a"),
            found(1, "b"),
            found(2, "c"),
            learn(0, aliases(&["alias/one", "alias/two"])),
            learn(1, aliases(&["alias/two"])),
            learn(0, aliases(&["alias/one"])),
            learn(1, Aspect::Tags(vec![Tag::new(TEMPLATE_TAG, "t")])),
            Event::Key(key_id(1), KeyEvent::RotationJobSet { job: Some(job) }),
            Event::Key(key_id(9), anew),
            Event::Key(key_id(1), KeyEvent::RotationJobSet { job: None }),
            Event::Key(key_id(2), KeyEvent::Forgotten),
            regions(&["eu-west-1"]),
        ];
        for until in 1..=log.len() {
            check_index(&after(&log[..until]).keys);
        }
        let state = after(&log[..log.len() - 4]);
        assert_eq!(state.keys.find(Term::Schedule(schedule)).len(), 1);
        assert!(after(&log).keys.find(Term::Schedule(schedule)).is_empty());
    }

    #[test]
    fn a_key_that_is_known_anew_before_its_old_entry_is_removed_stays() {
        let mut log = vec![added(0, &["eu-west-3", "eu-west-1"]), found(0, "a"), found(1, "b")];
        log.extend([regions(&["eu-west-1"]), regions(&["eu-west-1", "eu-west-3"])]);
        assert_eq!(visible(&after(&log)), (0, 0, 0));
        let learned = snapshot(0, "a").all();
        let anew = KeyEvent::Found { kms: kms_id(0), region: region("eu-west-3"), learned };
        log.push(Event::Key(key_id(9), anew));
        let removed = remove(&log, 500);
        assert_eq!(removed.len(), 2);
        log.extend(removed);
        let state = after(&log);
        assert_eq!((visible(&state), remove(&log, 500)), ((1, 1, 0), vec![]));
        let id = snapshot(0, "a").metadata.key_id().clone();
        let known = state.key_at_aws(kms_id(0), &region("eu-west-3"), &id).map(|key| key.id);
        assert_eq!(known, Some(key_id(9)));
    }
}
