//! What rotates the keys: the schedules, AWS, or nothing.

use super::count::{Judge, is_gone};
use super::rule::{Broken, Rule};
use super::{Posture, Views, wanted};
use crate::domain::id::ScheduleId;
use crate::domain::key::aws_enums::KeyManager;
use crate::domain::key::renewal::Rotator;
use crate::domain::schedule::{Schedule, Work};
use crate::domain::time::Time;
use crate::service::access::{Permit, SignedIn};
use crate::service::failure::Failure;
use crate::service::list::pool;
use std::collections::HashMap;
use std::sync::Arc;

/// The keys that a caller may view, by what rotates them. Each is in one of the numbers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct CoveredKeys {
    pub by_schedules: u64,
    pub by_aws: u64,
    /// Keys that a schedule could rotate, and that nothing rotates.
    pub by_nothing: u64,
    /// Keys that nothing can rotate, or that need no rotation.
    pub not_applicable: u64,
}

/// The coverage of the keys by schedules.
pub struct Coverage {
    pub at: Time,
    pub keys: CoveredKeys,
    /// The schedules that rotate keys.
    pub schedules: Vec<CoveringSchedule>,
}

/// A schedule that rotates keys.
pub struct CoveringSchedule {
    pub schedule: Arc<Schedule>,
    /// The number of keys under it that the caller may view.
    pub keys: u64,
    /// The runs of the next 365 days, the first [`MOST_RUNS`] of them.
    pub runs: Vec<Time>,
    /// Whether `runs` has all runs of the next 365 days.
    pub runs_complete: bool,
}

const YEAR_SECONDS: i64 = 365 * 24 * 60 * 60;
const MOST_RUNS: usize = 60;

impl CoveringSchedule {
    fn of(schedule: &Arc<Schedule>, keys: u64, at: Time) -> Self {
        let (after, until) = (schedule.dealt_until.max(at), at.plus_seconds(YEAR_SECONDS));
        let mut runs = schedule.settings.runs_until(after, until, MOST_RUNS + 1);
        let runs_complete = runs.len() <= MOST_RUNS;
        runs.truncate(MOST_RUNS);
        Self { schedule: schedule.clone(), keys, runs, runs_complete }
    }
}

impl CoveredKeys {
    pub const fn total(&self) -> u64 {
        self.by_schedules + self.by_aws + self.by_nothing + self.not_applicable
    }

    fn add(&mut self, rotator: Rotator, broken: Broken) {
        *match rotator {
            Rotator::Schedule => &mut self.by_schedules,
            Rotator::Aws => &mut self.by_aws,
            Rotator::Nobody if broken.has(Rule::NoSchedule) => &mut self.by_nothing,
            Rotator::Nobody => &mut self.not_applicable,
        } += 1;
    }
}

impl Posture {
    /// Returns what rotates the keys of these KMSs, by names or ids; of all that the caller may view if there are none.
    ///
    /// # Errors
    /// When the caller may not view one of the KMSs.
    pub async fn coverage(&self, permit: &Permit<SignedIn>, kms: &[String]) -> Result<Coverage, Failure> {
        let (caller, policies, at) = (permit.caller().clone(), self.policies.clone(), self.recorder.now());
        let wanted = wanted(&caller, kms)?;
        pool::run(move || {
            let state = &caller.published.state;
            let judge = Judge::new(state, &policies, at);
            let (mut keys, mut under) = (CoveredKeys::default(), HashMap::<ScheduleId, u64>::new());
            for kms in wanted {
                let views = Views::of(&caller, &kms);
                let seen = state.keys_of_kms(kms.id).filter(|key| views.sees(key) && !is_gone(&kms, key));
                for key in seen.filter(|key| key.metadata.manager == KeyManager::Customer) {
                    keys.add(state.next_renewal(key).by, judge.broken(&kms, key));
                    if let Some(job) = &key.rotation_job {
                        *under.entry(job.schedule).or_default() += 1;
                    }
                }
            }
            let rotating = state.schedules.all.iter().filter(|one| matches!(one.settings.work, Work::RotateKeys(_)));
            let keys_under = |id: &ScheduleId| under.get(id).copied().unwrap_or_default();
            let schedules = rotating.map(|one| CoveringSchedule::of(one, keys_under(&one.id), at));
            Coverage { at, keys, schedules: schedules.collect() }
        })
        .await
    }
}
