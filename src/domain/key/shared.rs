//! What many keys have, such as the policy of an application, kept in memory once. Nothing but the memory differs.

use super::metadata::Algorithms;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex};

static POLICIES: LazyLock<Mutex<Pool<str>>> = LazyLock::new(Mutex::default);
static ALGORITHMS: LazyLock<Mutex<Pool<Algorithms>>> = LazyLock::new(Mutex::default);

/// Returns the text of a policy that is kept already, if there is an equal one; else keeps this one.
pub(super) fn share_policy(text: &Arc<str>) -> Arc<str> {
    share(&POLICIES, text)
}

/// The same of what keys can be used with.
pub(super) fn share_algorithms(algorithms: &Arc<Algorithms>) -> Arc<Algorithms> {
    share(&ALGORITHMS, algorithms)
}

fn share<T: Eq + Hash + ?Sized>(pool: &Mutex<Pool<T>>, value: &Arc<T>) -> Arc<T> {
    // A lock that another thread left in a panic is no reason to fail: the value is then not shared.
    pool.lock().map_or_else(|_| value.clone(), |mut pool| pool.share(value))
}

struct Pool<T: ?Sized> {
    known: HashSet<Arc<T>>,
    /// At how many values those that nobody has any more are dropped.
    sweep_at: usize,
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self { known: HashSet::new(), sweep_at: 0 }
    }
}

impl<T: Eq + Hash + ?Sized> Pool<T> {
    fn share(&mut self, value: &Arc<T>) -> Arc<T> {
        if let Some(known) = self.known.get(&**value) {
            return known.clone();
        }
        if self.known.len() >= self.sweep_at {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            // Each sweep is paid for by as many new values as it looks at.
            self.sweep_at = (2 * self.known.len()).max(1024);
        }
        self.known.insert(value.clone());
        value.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_and_those_that_nobody_has_are_dropped() {
        let mut texts = Pool::<str>::default();
        let (one, other): (Arc<str>, Arc<str>) = ("a policy".into(), "a policy".into());
        let kept = texts.share(&one);
        assert!(Arc::ptr_eq(&kept, &texts.share(&other)));
        for n in 0..5_000 {
            texts.share(&n.to_string().into());
        }
        assert!(texts.known.len() <= 1025, "{}", texts.known.len());
        assert!(Arc::ptr_eq(&kept, &texts.share(&other)));
    }
}
