//! The commands of jobs, and the collection of all jobs.

use super::bulk::{BulkCommand, BulkJob};
use super::event::{BulkEvent, JobEvent, SyncEvent};
use super::retained::Retained;
use super::sync::{SyncCommand, SyncJob};
use crate::domain::id::JobId;
use crate::domain::kms::Kms;
use crate::domain::time::Time;

#[derive(Clone, Debug)]
pub enum JobCommand {
    Sync(SyncCommand),
    Bulk(BulkCommand),
}

/// The open jobs, and the last ones that have ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    pub sync: Retained<SyncJob>,
    pub bulk: Retained<BulkJob>,
}

impl Jobs {
    /// Returns when a job last synchronised a region of this KMS; `None` if no job of those that are kept did.
    pub fn last_sync(&self, kms: &Kms) -> Option<Time> {
        let jobs = self.sync.all().iter().filter(|job| job.has_synchronised(kms));
        jobs.filter_map(|job| job.completed).max()
    }

    /// Returns the number of jobs that have not ended.
    pub fn open(&self) -> usize {
        self.sync.open() + self.bulk.open()
    }

    /// Updates the jobs with an event.
    pub fn apply(&mut self, at: Time, id: JobId, event: &JobEvent) {
        match event {
            JobEvent::Synchronisation(event) => {
                match SyncJob::started(id, at, event) {
                    Some(job) => self.sync.add(id, job),
                    None => self.sync.change(id, |job| job.apply(at, event)),
                }
                if matches!(event, SyncEvent::Finished) {
                    self.sync.end(id);
                }
            }
            JobEvent::Bulk(event) => {
                match BulkJob::started(id, at, event) {
                    Some(job) => self.bulk.add(id, job),
                    None => self.bulk.change(id, |job| job.apply(at, event)),
                }
                if matches!(event, BulkEvent::Finished) {
                    self.bulk.end(id);
                }
            }
        }
    }
}
