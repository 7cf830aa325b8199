//! Jobs as the state keeps them: all that are open, and the last ones that have ended. The log keeps every one.

use crate::domain::id::JobId;
use crate::domain::table::Table;
use imbl::Vector;
use std::sync::Arc;

/// So many ended jobs of a kind stay in the state.
pub const KEPT: usize = 1000;

/// Jobs of one kind, in order of creation.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<J: Clone> {
    all: Table<JobId, J>,
    ended: Vector<JobId>,
}

impl<J: Clone> Default for Kept<J> {
    fn default() -> Self {
        Self { all: Table::default(), ended: Vector::new() }
    }
}

impl<J: Clone> Kept<J> {
    /// All of them.
    pub fn all(&self) -> &Table<JobId, J> {
        &self.all
    }

    /// One of them.
    pub fn get(&self, id: JobId) -> Option<&Arc<J>> {
        self.all.get(&id)
    }

    /// Takes a new one in.
    pub(super) fn add(&mut self, id: JobId, job: J) {
        self.all.insert(id, job);
    }

    /// Changes one.
    pub(super) fn change(&mut self, id: JobId, change: impl FnOnce(&mut J)) {
        self.all.change(&id, change);
    }

    /// Takes in that one has ended: the one that ended longest ago makes room.
    pub(super) fn end(&mut self, id: JobId) {
        self.ended.push_back(id);
        if self.ended.len() > KEPT
            && let Some(oldest) = self.ended.pop_front()
        {
            self.all.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn open_jobs_stay_and_old_ones_make_room() {
        let id = |n: usize| JobId::new(Uuid::from_u128(n as u128));
        let mut jobs = Kept::default();
        for n in 0..KEPT + 3 {
            jobs.add(id(n), n);
            if n != 1 {
                jobs.end(id(n));
            }
        }
        let left: Vec<usize> = jobs.all().iter().map(|job| **job).collect();
        assert_eq!(left.len(), KEPT + 1);
        assert_eq!(left[..3], [1, 3, 4], "0 and 2 have made room; 1 is open");
    }
}
