//! The trend: the numbers of each day. A task counts all keys once a day and records them in one small event, so that
//! the trend survives, and so that it can be read years later from the log.

use super::Posture;
use super::count::Judge;
use crate::domain::command::Command;
use crate::domain::id::KmsId;
use crate::domain::job::sync::SyncScope;
use crate::domain::posture::day_of;
use crate::domain::posture::decide::PostureCommand;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::failure::Failure;
use crate::service::list::pool;
use crate::service::system_change;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Handle;

/// The number of days that answers have.
const DAYS: i64 = 30;

const DAY_SECONDS: i64 = 86_400;

/// The longest wait for the end of synchronisations. Some installations hardly have a moment without.
const WAIT_SECONDS: i64 = 6 * 3_600;

/// The pause between two looks at the date.
const PAUSE: Duration = Duration::from_secs(600);

/// The numbers of one day.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct DayOfTrend {
    /// The day, as `2026-11-29`.
    pub day: String,
    pub keys: u64,
    pub keys_with_findings: u64,
    /// The number of keys of each rule with findings.
    pub findings: BTreeMap<String, u64>,
}

/// The last days on which one of these KMSs was counted, oldest first.
pub(super) fn of(state: &State, at: Time, wanted: impl Fn(KmsId) -> bool) -> Vec<DayOfTrend> {
    let first = day_of(at).plus_seconds(-(DAYS - 1) * DAY_SECONDS);
    let days = state.posture.days().filter(|counts| counts.day >= first);
    let days = days.filter_map(|counts| {
        let mut day = DayOfTrend { day: counts.day.calendar().format("%Y-%m-%d").to_string(), ..Default::default() };
        let mut counted = false;
        for of_kms in counts.kms.iter().filter(|of_kms| wanted(of_kms.kms)) {
            counted = true;
            day.keys += of_kms.keys;
            day.keys_with_findings += of_kms.keys_with_findings;
            for (rule, keys) in &of_kms.findings {
                *day.findings.entry(rule.clone()).or_default() += keys;
            }
        }
        counted.then_some(day)
    });
    days.collect()
}

/// Whether the keys are to be counted now: the day has no numbers yet, and no synchronisation is just finding keys. The end
/// of one is waited for; `waiting_since` is the beginning of the wait.
fn is_due(state: &State, at: Time, waiting_since: &mut Option<Time>) -> bool {
    if state.posture.has(day_of(at)) || state.keys.is_empty() {
        *waiting_since = None;
        return false;
    }
    let since = *waiting_since.get_or_insert(at);
    let is_finding = state.jobs.sync.all().iter().any(|job| job.scope == SyncScope::Keys && job.completed.is_none());
    !is_finding || at >= since.plus_seconds(WAIT_SECONDS)
}

impl Posture {
    /// Starts the task that counts the keys once a day: at the start, if the day has no numbers yet. While there are no
    /// keys, nothing is recorded.
    pub(in crate::service) fn count_forever(&self, runtime: &Handle) {
        let posture = self.clone();
        runtime.spawn(async move {
            let mut waiting_since = None;
            loop {
                if let Err(failure) = posture.count_today(&mut waiting_since).await {
                    tracing::warn!(%failure, "the keys could not be counted for the trend of the posture");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Counts the keys if that is due.
    pub(super) async fn count_today(&self, waiting_since: &mut Option<Time>) -> Result<(), Failure> {
        let (published, at, policies) = (self.recorder.state(), self.recorder.now(), self.policies.clone());
        if !is_due(&published.state, at, waiting_since) {
            return Ok(());
        }
        let counted = pool::run(move || {
            let judge = Judge::new(&published.state, &policies, at);
            let counts = published.state.kms.iter().map(|kms| judge.count(kms, |_| true).of_day(kms.id));
            counts.filter(|counts| counts.keys > 0).collect()
        });
        let command = Command::Posture(PostureCommand::Count { at, kms: counted.await? });
        self.recorder.append(&system_change("posture"), command).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::domain::id::JobId;
    use crate::domain::job::event::{JobEvent, SyncEvent};
    use crate::domain::job::sync::SyncPlace;
    use crate::domain::key::example::{ACCOUNT, added, after, at, found, kms_id, region};
    use crate::domain::kms::KmsCommand;
    use crate::domain::place::AccountId;
    use crate::service::keys::PolicyChoice;
    use crate::service::world::World;
    use uuid::Uuid;

    #[test]
    fn the_keys_are_counted_when_no_synchronisation_is_finding_them() {
        let job = |event: SyncEvent| Event::Job(JobId::new(Uuid::from_u128(1)), JobEvent::Synchronisation(event));
        let account = AccountId::parse(ACCOUNT).expect("an account");
        let place = SyncPlace { kms: kms_id(0), account, region: region("eu-west-3") };
        let started = || job(SyncEvent::Started { by: None, all: true, places: vec![place.clone()] });
        let is_due = |state: &State, second, since: &mut Option<Time>| super::is_due(state, at(second), since);
        let found = [added(0, &["eu-west-3"]), found(1, "a")];
        assert!(!is_due(&after(&found[..1]), 9, &mut None), "there is nothing to count");
        assert!(is_due(&after(&found), 9, &mut None));
        let [added, found] = found;
        let (open, mut since) = (after(&[added.clone(), started(), found.clone()]), None);
        assert!(!is_due(&open, 9, &mut since), "there may be more keys in a moment");
        assert!(!is_due(&open, 8 + WAIT_SECONDS, &mut since) && is_due(&open, 9 + WAIT_SECONDS, &mut since));
        let ended = after(&[added, started(), found, job(SyncEvent::Finished)]);
        assert!(is_due(&ended, 9, &mut None));
    }

    #[test]
    fn the_trend_of_everything_keeps_the_days_of_kms_that_were_deleted() {
        let world = World::new();
        world.key("a", PolicyChoice::default());
        let posture = &world.services().posture;
        world.run(posture.count_today(&mut None)).expect("it counts");
        let delete = Command::Kms(KmsCommand::Delete { id: world.kms_id(), at: world.now() });
        let trend = |kms: &[String]| {
            let seen = world.run(posture.get(&world.admin(), kms)).unwrap_or_else(|failure| panic!("{failure}"));
            seen.trend.iter().map(|day| day.keys).collect::<Vec<u64>>()
        };
        assert_eq!(trend(&["kms".to_owned()]), [1]);
        world.run(world.recorder().append(&system_change("test"), delete)).expect("it is deleted");
        assert_eq!(trend(&[]), [1]);
    }
}
