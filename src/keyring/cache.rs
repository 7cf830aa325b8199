//! A bounded cache of the data keys that were used recently.

use std::collections::HashMap;
use std::sync::Arc;

use super::Owner;
use super::sealing::Key;

/// A cache of two halves. When the young half is full, it replaces the old half. A key that is used moves to the young
/// half and stays. The cache never has more than twice [`HALF`] keys.
#[derive(Default)]
pub(super) struct Cache {
    young: HashMap<Owner, Arc<Key>>,
    old: HashMap<Owner, Arc<Key>>,
}

/// Enough keys for every connection of a large installation, in about 100 KiB.
const HALF: usize = 1024;

impl Cache {
    pub(super) fn get(&mut self, owner: &Owner) -> Option<Arc<Key>> {
        if let Some(key) = self.young.get(owner) {
            return Some(Arc::clone(key));
        }
        let key = self.old.remove(owner)?;
        self.insert(owner.clone(), Arc::clone(&key));
        Some(key)
    }

    pub(super) fn insert(&mut self, owner: Owner, key: Arc<Key>) {
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(owner, key);
    }

    pub(super) fn remove(&mut self, owner: &Owner) {
        self.young.remove(owner);
        self.old.remove(owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let mut cache = Cache::default();
        let owner = |n: u128| Owner::new("user", Uuid::from_u128(n));
        let key = Arc::new(Key::random().expect("random bytes"));
        for n in 0..10_000 {
            cache.insert(owner(n), Arc::clone(&key));
            assert!(cache.get(&owner(0)).is_some(), "{n}");
            assert!(cache.young.len() + cache.old.len() <= 2 * HALF);
        }
        cache.remove(&owner(0));
        assert!(cache.get(&owner(0)).is_none());
    }
}
