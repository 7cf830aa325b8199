//! The jobs in the state: all that are open, and the last ones that have ended. The log has every job.

use crate::domain::id::JobId;
use crate::domain::table::Table;
use imbl::Vector;
use std::sync::Arc;

/// The maximum number of ended jobs of a kind in the state.
pub const ENDED_JOBS_MAX: usize = 1000;
/// The maximum number of parts that the ended jobs of a kind may have together. The last job stays in any case.
pub const ENDED_PARTS_MAX: usize = 500_000;

/// A job of many parts.
pub trait Parted {
    /// The number of keys or regions in the job.
    fn parts(&self) -> usize;
}

/// Jobs of one kind, in order of creation.
#[derive(Clone, Debug, PartialEq)]
pub struct Retained<J: Clone> {
    all: Table<JobId, J>,
    ended: Vector<JobId>,
    parts: usize,
}

impl<J: Clone> Default for Retained<J> {
    fn default() -> Self {
        Self { all: Table::default(), ended: Vector::new(), parts: 0 }
    }
}

impl<J: Clone + Parted> Retained<J> {
    /// Restores the jobs from a snapshot: all jobs in order of creation, the ended ones in order of their end, and the
    /// number of parts of the ended ones.
    pub fn restored(jobs: Vec<J>, id: impl Fn(&J) -> JobId, ended: Vec<JobId>, parts: usize) -> Self {
        let mut all = Table::default();
        jobs.into_iter().for_each(|job| all.insert(id(&job), job));
        Self { all, ended: ended.into_iter().collect(), parts }
    }

    /// Returns the number of parts of the jobs that have ended.
    pub fn ended_parts(&self) -> usize {
        self.parts
    }

    /// Returns the jobs that have ended, in order of their end.
    pub fn ended(&self) -> impl Iterator<Item = &JobId> {
        self.ended.iter()
    }

    /// Returns the number of jobs that have not ended.
    pub fn open(&self) -> usize {
        self.all.len().saturating_sub(self.ended.len())
    }

    pub fn all(&self) -> &Table<JobId, J> {
        &self.all
    }

    pub fn get(&self, id: JobId) -> Option<&Arc<J>> {
        self.all.get(&id)
    }

    pub(super) fn add(&mut self, id: JobId, job: J) {
        self.all.insert(id, job);
    }

    pub(super) fn change(&mut self, id: JobId, change: impl FnOnce(&mut J)) {
        self.all.change(&id, change);
    }

    /// Marks a job as ended. The jobs that ended first are removed if there are too many.
    pub(super) fn end(&mut self, id: JobId) {
        self.ended.push_back(id);
        self.parts += self.all.get(&id).map_or(0, |job| job.parts());
        while self.ended.len() > ENDED_JOBS_MAX || (self.parts > ENDED_PARTS_MAX && self.ended.len() > 1) {
            let Some(oldest) = self.ended.pop_front() else { return };
            self.parts -= self.all.remove(&oldest).map_or(0, |job| job.parts());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    impl Parted for usize {
        fn parts(&self) -> usize {
            if *self < ENDED_PARTS_MAX { 1 } else { *self }
        }
    }

    #[test]
    fn large_jobs_make_room_sooner() {
        let id = |n: usize| JobId::new(Uuid::from_u128(n as u128));
        let mut jobs = Retained::default();
        for (n, job) in [1, 2, ENDED_PARTS_MAX, 3, ENDED_PARTS_MAX + 1].into_iter().enumerate() {
            jobs.add(id(n), job);
            jobs.end(id(n));
        }
        assert_eq!(jobs.all().iter().map(|job| **job).collect::<Vec<_>>(), [ENDED_PARTS_MAX + 1]);
    }

    #[test]
    fn open_jobs_stay_and_old_ones_make_room() {
        let id = |n: usize| JobId::new(Uuid::from_u128(n as u128));
        let mut jobs = Retained::default();
        for n in 0..ENDED_JOBS_MAX + 3 {
            jobs.add(id(n), n);
            if n != 1 {
                jobs.end(id(n));
            }
        }
        let left: Vec<usize> = jobs.all().iter().map(|job| **job).collect();
        assert_eq!(left.len(), ENDED_JOBS_MAX + 1);
        assert_eq!(left[..3], [1, 3, 4], "0 and 2 have made room; 1 is open");
    }
}
