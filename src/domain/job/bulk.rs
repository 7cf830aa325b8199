//! A bulk job, which performs one task on many keys. It has the rights of the user who started it.

pub mod decide;

use super::event::BulkEvent;
use super::retained::Parted;
use super::sync::JobStatus;
use crate::domain::id::{JobId, KeyId, ScheduleId, TemplateId, UserId};
use crate::domain::key::days::DeletionWindow;
use crate::domain::refusal::{Bounds, JobRefusal, Refusal};
use crate::domain::time::Time;
use imbl::Vector;
use std::collections::HashSet;
use std::sync::Arc;

/// The maximum number of keys in a bulk job that names them.
pub const KEYS_MAX: usize = 100;

/// The maximum number of keys in a bulk job that takes those of a filter.
pub const KEYS_BY_FILTER_MAX: usize = 10_000;

#[derive(Clone, PartialEq, Debug)]
pub struct BulkJob {
    pub id: JobId,
    /// The user who started the job, and whose rights it has.
    pub by: UserId,
    pub task: BulkTask,
    /// The keys, each with its result. Each end of a key makes a new version of the job, which shares what did not change.
    pub keys: Vector<BulkKey>,
    /// Whether a cancellation was requested.
    pub cancelled: bool,
    pub completed: Option<Time>,
    pub created: Time,
    /// When the job last changed.
    pub updated: Time,
}

/// A key of a bulk job.
#[derive(Clone, PartialEq, Debug)]
pub struct BulkKey {
    pub id: KeyId,
    /// The result, with the reason of a failure; `None` while the key is not processed yet.
    pub end: Option<Result<(), Arc<str>>>,
}

/// The task that a bulk job performs on each key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BulkTask {
    Enable,
    Disable,
    ScheduleDeletion {
        window: DeletionWindow,
    },
    CancelDeletion,
    /// Put the policy of a template on the key.
    ApplyTemplate {
        template: TemplateId,
    },
    /// Put the key under a schedule that rotates it.
    AssignSchedule {
        schedule: ScheduleId,
    },
    /// Take the key off its schedule.
    RemoveSchedule,
}

impl BulkTask {
    /// The word that clients use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enable => "enablekey",
            Self::Disable => "disablekey",
            Self::ScheduleDeletion { .. } => "schedulekeydeletion",
            Self::CancelDeletion => "cancelkeydeletion",
            Self::ApplyTemplate { .. } => "applypolicytemplate",
            Self::AssignSchedule { .. } => "enablerotationjob",
            Self::RemoveSchedule => "disablerotationjob",
        }
    }
}

#[derive(Clone, Debug)]
pub enum BulkCommand {
    Start {
        id: JobId,
        by: UserId,
        task: BulkTask,
        keys: Vec<KeyId>,
        /// Whether the keys are those of a filter, of which there may be more.
        by_filter: bool,
    },
    /// Record the result of a key.
    EndKey {
        id: JobId,
        key: KeyId,
        end: Result<(), String>,
    },
    Cancel {
        id: JobId,
    },
    /// Record the end of the job.
    Finish {
        id: JobId,
    },
}

/// Checks the keys of a new job.
///
/// # Errors
/// When there are no keys, too many, or one is given twice.
pub fn check_keys(keys: &[KeyId], by_filter: bool) -> Result<(), Refusal> {
    check_count(keys.len(), by_filter)?;
    let member = member_with_keys(by_filter);
    let mut seen = HashSet::new();
    match keys.iter().find(|key| !seen.insert(**key)) {
        Some(key) => Err(Refusal::Invalid { member, problem: format!("{key} is given twice") }),
        None => Ok(()),
    }
}

/// Checks the number of keys of a new job, before all of them are read.
///
/// # Errors
/// When there are no keys, or too many.
pub fn check_count(count: usize, by_filter: bool) -> Result<(), Refusal> {
    let most = if by_filter { KEYS_BY_FILTER_MAX } else { KEYS_MAX };
    if (1..=most).contains(&count) {
        return Ok(());
    }
    Err(Refusal::OutOfRange {
        member: member_with_keys(by_filter),
        problem: format!("1 to {most} keys are expected, not {count}"),
        limit: Bounds::between(1, most as u64),
    })
}

/// The member of a request that says which keys a job is about.
const fn member_with_keys(by_filter: bool) -> &'static str {
    if by_filter { "filter" } else { "keys" }
}

impl Parted for BulkJob {
    fn parts(&self) -> usize {
        self.keys.len()
    }
}

impl BulkJob {
    pub fn started(id: JobId, at: Time, event: &BulkEvent) -> Option<Self> {
        let BulkEvent::Started { by, task, keys } = event else { return None };
        Some(Self {
            id,
            by: *by,
            task: task.clone(),
            keys: keys.iter().map(|id| BulkKey { id: *id, end: None }).collect(),
            cancelled: false,
            completed: None,
            created: at,
            updated: at,
        })
    }

    /// Updates the job with an event that follows its start.
    pub fn apply(&mut self, at: Time, event: &BulkEvent) {
        match event {
            BulkEvent::KeyDone { key } => self.set_end(*key, Ok(())),
            BulkEvent::KeyFailed { key, reason } => self.set_end(*key, Err(reason.as_str().into())),
            BulkEvent::CancelRequested => self.cancelled = true,
            BulkEvent::Finished => self.completed = Some(at),
            BulkEvent::Started { .. } => return,
        }
        self.updated = at;
    }

    /// The numbers of keys that were processed, and of those among them that failed.
    pub fn processed(&self) -> (usize, usize) {
        let ends = || self.keys.iter().filter_map(|key| key.end.as_ref());
        (ends().count(), ends().filter(|end| end.is_err()).count())
    }

    pub fn status(&self) -> JobStatus {
        match self.completed {
            None => JobStatus::InProgress,
            Some(_) if self.keys.iter().any(|key| matches!(key.end, Some(Err(_)))) => JobStatus::Failed,
            Some(_) => JobStatus::Completed,
        }
    }

    fn end_key(&self, key: KeyId, end: Result<(), String>) -> Vec<BulkEvent> {
        let open = self.keys.iter().any(|mine| mine.id == key && mine.end.is_none());
        match end {
            _ if !open || self.completed.is_some() => vec![],
            Ok(()) => vec![BulkEvent::KeyDone { key }],
            Err(reason) => vec![BulkEvent::KeyFailed { key, reason }],
        }
    }

    fn cancel(&self) -> Result<Vec<BulkEvent>, Refusal> {
        match (self.completed, self.cancelled) {
            (Some(_), _) => Err(JobRefusal::Ended(self.id).into()),
            (None, true) => Ok(vec![]),
            (None, false) => Ok(vec![BulkEvent::CancelRequested]),
        }
    }

    fn set_end(&mut self, key: KeyId, end: Result<(), Arc<str>>) {
        // Only the part of the list with this key is copied.
        let place = self.keys.iter().position(|mine| mine.id == key);
        if let Some(mine) = place.and_then(|place| self.keys.get_mut(place)) {
            mine.end = Some(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::example::key_id;
    use crate::domain::scenario::given;
    use uuid::Uuid;

    const ID: JobId = JobId::new(Uuid::from_u128(1));

    fn start(keys: &[u128]) -> BulkCommand {
        let keys = keys.iter().map(|n| key_id(*n)).collect();
        BulkCommand::Start {
            id: ID,
            by: UserId::new(Uuid::from_u128(2)),
            task: BulkTask::Enable,
            keys,
            by_filter: false,
        }
    }

    fn end(key: u128, end: Result<(), &str>) -> BulkCommand {
        BulkCommand::EndKey { id: ID, key: key_id(key), end: end.map_err(str::to_owned) }
    }

    fn status(commands: impl IntoIterator<Item = BulkCommand>) -> JobStatus {
        given([]).after_all(commands).bulk_job(ID).expect("a job").status()
    }

    #[test]
    fn some_keys_are_taken_but_not_too_many_and_none_twice() {
        let most: Vec<u128> = (0..100).collect();
        let more: Vec<u128> = (0..101).collect();
        given([]).when(start(&most)).then_done();
        let limit = Some(Bounds::between(1, 100));
        for (bad, limit) in [(vec![], limit), (more, limit), (vec![1, 2, 1], None)] {
            let refused = given([]).when(start(&bad)).refusal();
            assert_eq!((refused.member(), refused.limit()), (Some("keys"), limit), "{refused:?}");
        }
    }

    #[test]
    fn a_filter_takes_more_keys() {
        let keys = |count: u128| (0..count).map(key_id).collect::<Vec<_>>();
        assert!(check_keys(&keys(10_000), true).is_ok());
        let refused = check_keys(&keys(10_001), true).expect_err("too many");
        assert_eq!((refused.member(), refused.limit()), (Some("filter"), Some(Bounds::between(1, 10_000))));
        assert!(check_keys(&[], true).is_err());
    }

    #[test]
    fn a_job_fails_if_a_key_did() {
        let finish = BulkCommand::Finish { id: ID };
        assert_eq!(status([start(&[1, 2]), end(1, Ok(()))]), JobStatus::InProgress);
        assert_eq!(status([start(&[1, 2]), end(1, Ok(())), end(2, Ok(())), finish.clone()]), JobStatus::Completed);
        assert_eq!(status([start(&[1, 2]), end(1, Err("no")), end(2, Ok(())), finish]), JobStatus::Failed);
        let ended = given([]).after_all([start(&[1]), end(1, Ok(()))]);
        ended.when(end(1, Err("late"))).then([]);
    }

    #[test]
    fn a_cancelled_job_leaves_the_rest_as_it_is() {
        let (cancel, finish) = (BulkCommand::Cancel { id: ID }, BulkCommand::Finish { id: ID });
        let state = given([]).after_all([start(&[1, 2]), end(1, Ok(())), cancel.clone(), finish]);
        let job = state.bulk_job(ID).expect("a job");
        assert_eq!((job.cancelled, job.status(), &job.keys[1].end), (true, JobStatus::Completed, &None));
        state.when(cancel).then_refused(JobRefusal::Ended(ID));
    }
}
