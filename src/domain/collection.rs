//! The entries of an aggregate, by id, by name and in the order of creation. Only the aggregate's own events
//! change it; the collection keeps its index by name up to date.

use super::table::Table;
use imbl::HashMap;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;

/// An entry with an id and a name. The name is unique, except that the versions of a source key share
/// theirs, and policy templates of several accounts may.
pub trait Named: Clone {
    type Id: Clone + Eq + Hash;
    type Name: Clone + Eq + Hash;

    fn id(&self) -> Self::Id;

    /// The name in the form in which names are compared: in lower case where case does not distinguish them.
    fn name(&self) -> Self::Name;
}

/// A table with an index by name. It dereferences to the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection<T: Named> {
    rows: Table<T::Id, T>,
    /// The entries with a name, oldest first.
    by_name: HashMap<T::Name, Vec<T::Id>>,
}

impl<T: Named> Collection<T> {
    /// Returns the entry with a name; the newest one if several share it.
    pub fn named(&self, name: &T::Name) -> Option<&Arc<T>> {
        self.rows.get(self.by_name.get(name)?.last()?)
    }

    /// Returns all entries with a name, oldest first.
    pub fn all_named(&self, name: &T::Name) -> impl DoubleEndedIterator<Item = &Arc<T>> {
        self.by_name.get(name).into_iter().flatten().filter_map(|id| self.rows.get(id))
    }

    pub(super) fn insert(&mut self, entry: T) {
        self.remove(&entry.id());
        self.by_name.entry(entry.name()).or_default().push(entry.id());
        self.rows.insert(entry.id(), entry);
    }

    /// Changes an entry in place, if it exists; the change may rename it.
    pub(super) fn change(&mut self, id: &T::Id, change: impl FnOnce(&mut T)) {
        let Some(before) = self.rows.get(id).map(|entry| entry.name()) else { return };
        self.rows.change(id, change);
        let after = self.rows.get(id).map(|entry| entry.name());
        if let Some(after) = after.filter(|after| *after != before) {
            self.forget_name(&before, id);
            self.by_name.entry(after).or_default().push(id.clone());
        }
    }

    pub(super) fn remove(&mut self, id: &T::Id) -> Option<Arc<T>> {
        let removed = self.rows.remove(id)?;
        self.forget_name(&removed.name(), id);
        Some(removed)
    }

    fn forget_name(&mut self, name: &T::Name, id: &T::Id) {
        let Some(ids) = self.by_name.get_mut(name) else { return };
        ids.retain(|known| known != id);
        if ids.is_empty() {
            self.by_name.remove(name);
        }
    }
}

impl<T: Named> Deref for Collection<T> {
    type Target = Table<T::Id, T>;

    fn deref(&self) -> &Self::Target {
        &self.rows
    }
}

impl<T: Named> FromIterator<T> for Collection<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let mut collection = Self::default();
        entries.into_iter().for_each(|entry| collection.insert(entry));
        collection
    }
}

impl<T: Named> Default for Collection<T> {
    fn default() -> Self {
        Self { rows: Table::default(), by_name: HashMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Page(u8, &'static str);

    impl Named for Page {
        type Id = u8;
        type Name = &'static str;

        fn id(&self) -> u8 {
            self.0
        }

        fn name(&self) -> &'static str {
            self.1
        }
    }

    #[test]
    fn the_index_by_name_follows_every_change() {
        let mut pages = Collection::default();
        pages.insert(Page(1, "one"));
        pages.insert(Page(2, "two"));
        pages.change(&1, |page| page.1 = "first");
        assert_eq!((pages.named(&"one"), pages.named(&"first").map(|page| page.0)), (None, Some(1)));
        pages.insert(Page(2, "second"));
        assert_eq!((pages.named(&"two"), pages.named(&"second").map(|page| page.0)), (None, Some(2)));
        pages.remove(&1);
        pages.change(&1, |page| page.1 = "again");
        assert_eq!((pages.named(&"first"), pages.named(&"again"), pages.len()), (None, None, 1));
    }

    #[test]
    fn of_several_entries_with_a_name_the_newest_has_it() {
        let mut pages = Collection::default();
        (1..=3).for_each(|id| pages.insert(Page(id, "one")));
        let all = |pages: &Collection<Page>| pages.all_named(&"one").map(|page| page.0).collect::<Vec<_>>();
        assert_eq!((pages.named(&"one").map(|page| page.0), all(&pages)), (Some(3), vec![1, 2, 3]));
        pages.remove(&3);
        assert_eq!((pages.named(&"one").map(|page| page.0), all(&pages)), (Some(2), vec![1, 2]));
        pages.change(&1, |page| page.1 = "other");
        pages.remove(&2);
        assert_eq!((pages.named(&"one"), pages.named(&"other").map(|page| page.0)), (None, Some(1)));
    }
}
