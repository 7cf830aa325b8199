//! What can be asked of jobs, and all jobs together.

use super::bulk::{BulkCommand, BulkJob};
use super::event::{BulkEvent, JobEvent, SyncEvent};
use super::retained::Retained;
use super::sync::{SyncCommand, SyncJob};
use crate::domain::id::JobId;
use crate::domain::time::Time;

/// What can be asked of jobs.
#[derive(Clone, Debug)]
pub enum JobCommand {
    Sync(SyncCommand),
    Bulk(BulkCommand),
}

/// All jobs: the open ones, and the last ones that have ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    pub sync: Retained<SyncJob>,
    /// Jobs that do the same to many keys.
    pub bulk: Retained<BulkJob>,
}

impl Jobs {
    /// Takes in what has happened. It cannot fail: an event is a fact.
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
