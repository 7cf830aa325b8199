//! Serializes attempts to authenticate by password, per name and source network, so that each counts the failures
//! before it. Otherwise concurrent guesses would all be tried before the first failure is counted.

use super::failure::Failure;
use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The number of attempts from one network that run or wait. More would use up the few hashes that can run at once.
const WAITING_MAX: usize = 64;

/// The running and waiting attempts. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Attempts(Arc<StdMutex<Queues>>);

#[derive(Default)]
struct Queues {
    locks: HashMap<Pair, Arc<Mutex<()>>>,
    /// The number of attempts by network.
    from: HashMap<String, usize>,
}

/// A name and a network.
type Pair = (String, String);

/// The running attempt under a name from a network; the next one starts when this is dropped.
pub(super) struct Attempt {
    // Fields are dropped in this order: the lock is released before the place in the queue.
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
    /// Waits until all earlier attempts under this name from this network have ended.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many attempts wait from this network.
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
        // Only the map and this place hold the lock: no other attempt waits.
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
    async fn attempts_under_one_name_from_one_network_run_one_at_a_time_and_leave_nothing_behind() {
        let attempts = Attempts::default();
        let first = attempts.begin("ann", "10.0.0.1").await.expect("a turn");
        let mut second = Box::pin(attempts.begin("ann", "10.0.0.1"));
        assert!(second.as_mut().now_or_never().is_none());
        let elsewhere = attempts.begin("ann", "10.0.0.2").now_or_never().expect("at once").expect("a turn");
        let other = attempts.begin("bob", "10.0.0.1").now_or_never().expect("at once").expect("a turn");
        drop(first);
        drop((second.await.expect("a turn"), elsewhere, other));
        // An attempt that stops waiting.
        let first = attempts.begin("ann", "10.0.0.1").await.expect("a turn");
        assert!(attempts.begin("ann", "10.0.0.1").now_or_never().is_none());
        drop(first);
        let queues = attempts.queues();
        assert!(queues.locks.is_empty() && queues.from.is_empty());
    }

    #[tokio::test]
    async fn the_attempts_of_one_network_are_limited() {
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
