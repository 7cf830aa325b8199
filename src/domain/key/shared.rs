//! Pools of values that many keys share, such as the policy of an application. Each value is in memory once.

use super::metadata::Algorithms;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex};

static POLICIES: LazyLock<Mutex<Pool<str>>> = LazyLock::new(Mutex::default);
static ALGORITHMS: LazyLock<Mutex<Pool<Algorithms>>> = LazyLock::new(Mutex::default);

/// Returns the pooled text that equals this one, or adds this one to the pool.
pub(super) fn share_policy(text: &Arc<str>) -> Arc<str> {
    share(&POLICIES, text)
}

/// Returns the pooled algorithms that equal these, or adds these to the pool.
pub(super) fn share_algorithms(algorithms: &Arc<Algorithms>) -> Arc<Algorithms> {
    share(&ALGORITHMS, algorithms)
}

fn share<T: Eq + Hash + ?Sized>(pool: &Mutex<Pool<T>>, value: &Arc<T>) -> Arc<T> {
    // If the lock is poisoned, the value is not shared.
    pool.lock().map_or_else(|_| value.clone(), |mut pool| pool.share(value))
}

struct Pool<T: ?Sized> {
    known: HashSet<Arc<T>>,
    /// The size at which unused values are removed.
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
            // Doubling keeps the amortized cost of a sweep constant for each new value.
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
