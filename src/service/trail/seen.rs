//! The ids of the events that were read, as many as fit into a bounded memory. Events come in the order of their time, so
//! that the ones that repeat are close to each other.

use crate::call_journal::key_of;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// The ids of one generation. Two are kept.
const GENERATION: usize = 200_000;

/// The ids of the latest events: at least [`GENERATION`].
#[derive(Debug, Default)]
pub(in crate::service) struct Seen(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    new: HashSet<u128>,
    old: HashSet<u128>,
}

impl Seen {
    /// Whether this id was not seen before. It is remembered.
    pub(in crate::service) fn is_new(&self, event_id: &str) -> bool {
        let key = key_of(event_id);
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.old.contains(&key) || !generations.new.insert(key) {
            return false;
        }
        if generations.new.len() >= GENERATION {
            let full = std::mem::take(&mut generations.new);
            generations.old = full;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_id_is_new_once_and_memory_is_bounded() {
        let seen = Seen::default();
        for n in 0..2 * GENERATION as u128 + 10 {
            assert!(seen.is_new(&Uuid::from_u128(n).to_string()));
        }
        assert!(!seen.is_new(&Uuid::from_u128(GENERATION as u128).to_string()), "within the last generation");
        assert!(seen.is_new("not a UUID") && !seen.is_new("not a UUID"));
        let generations = seen.0.lock().expect("no panic");
        assert!(generations.new.len() + generations.old.len() <= 2 * GENERATION);
    }
}
