//! The trend: the numbers of each day. A task counts all keys once a day and records them in one small event, so that
//! the trend survives, and so that it can be read years later from the log.

use super::Posture;
use super::count::Judge;
use crate::domain::command::Command;
use crate::domain::id::KmsId;
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

impl Posture {
    /// Starts the task that counts the keys once a day: at the start, if the day has no numbers yet. While there are no
    /// keys, nothing is recorded.
    pub(in crate::service) fn count_forever(&self, runtime: &Handle) {
        let posture = self.clone();
        runtime.spawn(async move {
            loop {
                if let Err(failure) = posture.count_today().await {
                    tracing::warn!(%failure, "the keys could not be counted for the trend of the posture");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    pub(super) async fn count_today(&self) -> Result<(), Failure> {
        let (published, at, briefs) = (self.recorder.state(), self.recorder.now(), self.briefs.clone());
        if published.state.posture.has(day_of(at)) || published.state.keys.is_empty() {
            return Ok(());
        }
        let counted = pool::run(move || {
            let judge = Judge::new(&published.state, &briefs, at);
            let counts = published.state.kms.iter().map(|kms| judge.count(kms, |_| true).of_day(kms.id));
            counts.filter(|counts| counts.keys > 0).collect()
        });
        let command = Command::Posture(PostureCommand::Count { at, kms: counted.await? });
        self.recorder.append(&system_change("posture"), command).await.map(drop)
    }
}
