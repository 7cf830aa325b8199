//! Attempts to prove who one is, one after the other: only so does each know of the failures before it. Guesses that
//! come at once would else all be tried before the first of them is counted.

use super::failure::Failure;
use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// So many may wait from one address; more would keep others from the little hashing that can be done at once.
const WAITING_MAX: usize = 64;

/// The attempts that run and those that wait. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Attempts(Arc<StdMutex<Queues>>);

#[derive(Default)]
struct Queues {
    locks: HashMap<Pair, Arc<Mutex<()>>>,
    from: HashMap<String, usize>,
}

/// Under which name, from which address.
type Pair = (String, String);

/// The one attempt under a name from an address; the next one begins when this is dropped.
pub(super) struct Attempt {
    // In this order: the slot is given back after the lock is released.
    _inside: OwnedMutexGuard<()>,
    _place: Place,
}

/// A place in the queue.
struct Place {
    attempts: Attempts,
    pair: Pair,
    lock: Arc<Mutex<()>>,
}

impl Attempts {
    /// Waits until it is one's turn.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many wait from this address.
    pub(super) async fn begin(&self, name: &str, source: &str) -> Result<Attempt, Failure> {
        let place = self.queue(name, source)?;
        let inside = place.lock.clone().lock_owned().await;
        Ok(Attempt { _inside: inside, _place: place })
    }

    fn queue(&self, name: &str, source: &str) -> Result<Place, Failure> {
        let mut queues = self.queues();
        let waiting = queues.from.entry(source.to_owned()).or_default();
        if *waiting >= WAITING_MAX {
            return Err(Failure::Busy);
        }
        *waiting += 1;
        let pair = (name.to_owned(), source.to_owned());
        let lock = queues.locks.entry(pair.clone()).or_default().clone();
        Ok(Place { attempts: self.clone(), pair, lock })
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.attempts.queues();
        // The book's own and this one: nobody else waits.
        if Arc::strong_count(&self.lock) == 2 {
            queues.locks.remove(&self.pair);
        }
        if let Some(waiting) = queues.from.get_mut(&self.pair.1) {
            *waiting -= 1;
            if *waiting == 0 {
                queues.from.remove(&self.pair.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn one_at_a_time_for_a_name_and_an_address_and_nothing_is_left_behind() {
        let attempts = Attempts::default();
        let first = attempts.begin("ann", "10.0.0.1").await.expect("a turn");
        let mut second = Box::pin(attempts.begin("ann", "10.0.0.1"));
        assert!(second.as_mut().now_or_never().is_none());
        let elsewhere = attempts.begin("ann", "10.0.0.2").now_or_never().expect("at once").expect("a turn");
        let other = attempts.begin("bob", "10.0.0.1").now_or_never().expect("at once").expect("a turn");
        drop(first);
        drop((second.await.expect("a turn"), elsewhere, other));
        // One who does not wait any longer.
        let first = attempts.begin("ann", "10.0.0.1").await.expect("a turn");
        assert!(attempts.begin("ann", "10.0.0.1").now_or_never().is_none());
        drop(first);
        let queues = attempts.queues();
        assert!(queues.locks.is_empty() && queues.from.is_empty());
    }

    #[tokio::test]
    async fn one_address_does_not_fill_the_queue() {
        let attempts = Attempts::default();
        let names: Vec<_> = (0..WAITING_MAX).map(|n| n.to_string()).collect();
        let mut all = Vec::new();
        for name in &names {
            all.push(attempts.begin(name, "10.0.0.1").await.expect("a turn"));
        }
        assert!(matches!(attempts.begin("one more", "10.0.0.1").await, Err(Failure::Busy)));
        attempts.begin("one more", "10.0.0.2").await.expect("a turn");
        all.pop();
        attempts.begin("one more", "10.0.0.1").await.expect("a turn");
    }
}
