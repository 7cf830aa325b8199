//! A table that keeps the order of creation. A copy takes constant time, so that readers can keep a copy of the state
//! while the writer continues. A page is read without a walk over the rows before it.

use imbl::{HashMap, Vector};
use std::hash::Hash;
use std::sync::Arc;

/// Rows in the order of creation, from which lists are read. A copy takes constant time.
pub trait Rows: Clone + Send + Sync + 'static {
    type Id: Clone + Send + Sync + 'static;
    type Row: Send + Sync + 'static;

    fn count(&self) -> usize;

    fn row(&self, id: &Self::Id) -> Option<&Arc<Self::Row>>;

    /// Returns the rows from number `skip` on, oldest first.
    fn rows_from(&self, skip: usize) -> impl Iterator<Item = (&Self::Id, &Arc<Self::Row>)>;

    /// Returns the rows with these ids, oldest first, each once.
    fn pick(&self, ids: impl IntoIterator<Item = Self::Id>) -> Vec<(Self::Id, &Arc<Self::Row>)>;
}

/// Rows by key, in order of creation.
#[derive(Clone, Debug)]
pub struct Table<K: Clone + Eq + Hash, V> {
    order: Vector<(u64, K)>,
    rows: HashMap<K, (u64, Arc<V>)>,
    next: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Default for Table<K, V> {
    fn default() -> Self {
        Self { order: Vector::new(), rows: HashMap::new(), next: 0 }
    }
}

/// Compares rows and their order.
impl<K: Clone + Eq + Hash, V: Clone + PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(mine, theirs)| mine == theirs)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Table<K, V> {
    /// Adds a row at the end. It replaces a row with the same key.
    pub fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        self.order.push_back((self.next, key.clone()));
        self.rows.insert(key, (self.next, Arc::new(value)));
        self.next += 1;
    }

    pub fn get(&self, key: &K) -> Option<&Arc<V>> {
        self.rows.get(key).map(|(_, value)| value)
    }

    /// Changes a row in place, if it exists.
    pub fn change(&mut self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some((_, value)) = self.rows.get_mut(key) {
            change(Arc::make_mut(value));
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        let (number, value) = self.rows.remove(key)?;
        if let Ok(at) = self.order.binary_search_by_key(&number, |(number, _)| *number) {
            self.order.remove(at);
        }
        Some(value)
    }

    /// Gives a row another key; the row keeps its place. It replaces a row that has that key.
    pub fn rename(&mut self, from: &K, to: K) {
        if *from == to || !self.rows.contains_key(from) {
            return;
        }
        self.remove(&to);
        if let Some((number, value)) = self.rows.remove(from) {
            if let Ok(at) = self.order.binary_search_by_key(&number, |(number, _)| *number) {
                self.order.set(at, (number, to.clone()));
            }
            self.rows.insert(to, (number, value));
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns all rows, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<V>> {
        self.order.iter().filter_map(|(_, key)| self.get(key))
    }
}

impl<K, V> Rows for Table<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    type Id = K;
    type Row = V;

    fn count(&self) -> usize {
        self.len()
    }

    fn row(&self, key: &K) -> Option<&Arc<V>> {
        self.get(key)
    }

    fn rows_from(&self, skip: usize) -> impl Iterator<Item = (&K, &Arc<V>)> {
        let keys = self.order.focus().narrow(skip.min(self.order.len())..).into_iter();
        keys.filter_map(|(_, key)| Some((key, self.get(key)?)))
    }

    fn pick(&self, keys: impl IntoIterator<Item = K>) -> Vec<(K, &Arc<V>)> {
        let found = |key| self.rows.get(&key).map(|(number, row)| (*number, key, row));
        let mut picked: Vec<_> = keys.into_iter().filter_map(found).collect();
        picked.sort_unstable_by_key(|(number, ..)| *number);
        picked.dedup_by_key(|(number, ..)| *number);
        picked.into_iter().map(|(_, key, row)| (key, row)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_survives_any_mix_of_inserts_changes_and_removals(
            steps in proptest::collection::vec((0u8..20, 0u8..4), 0..120), skip in 0usize..30
        ) {
            let (mut table, mut model) = (Table::default(), Vec::<(u8, usize)>::new());
            for (n, (key, kind)) in steps.iter().enumerate() {
                match kind {
                    0 => { model.retain(|(k, _)| k != key); model.push((*key, n)); table.insert(*key, n); }
                    1 => { for row in model.iter_mut().filter(|(k, _)| k == key) { row.1 = n; } table.change(key, |v| *v = n); }
                    2 => { model.retain(|(k, _)| k != key); table.remove(key); }
                    _ => {
                        let to = (key + 7) % 20;
                        if model.iter().any(|(k, _)| k == key) { model.retain(|(k, _)| *k != to); }
                        for row in model.iter_mut().filter(|(k, _)| k == key) { row.0 = to; }
                        table.rename(key, to);
                    }
                }
            }
            let expected: Vec<_> = model.iter().map(|(_, v)| *v).collect();
            prop_assert_eq!(table.iter().map(|v| **v).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(table.rows_from(skip).map(|(_, v)| **v).collect::<Vec<_>>(),
                expected.iter().copied().skip(skip).collect::<Vec<_>>());
            prop_assert_eq!(table.rows_from(0).map(|(key, v)| (*key, **v)).collect::<Vec<_>>(), model.clone());
            let keys = [3, 19, 0, 3, 7, 40];
            model.retain(|(key, _)| keys.contains(key));
            prop_assert_eq!(table.pick(keys).iter().map(|(key, v)| (*key, ***v)).collect::<Vec<_>>(), model);
        }
    }
}
