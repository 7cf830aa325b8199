//! The counts of keys and of findings about them, once a day, for a trend. What a finding is, `service/posture` says.

pub mod decide;

use super::id::KmsId;
use super::time::Time;
use imbl::Vector;
use std::sync::Arc;

/// The most KMSs in one event. With the names of all rules that is well below the longest record.
pub const KMS_OF_EVENT_MAX: usize = 5_000;

/// The number of days that are kept.
pub const DAYS_MAX: usize = 31;

const DAY_SECONDS: i64 = 86_400;

#[derive(Clone, PartialEq, Debug)]
pub enum PostureEvent {
    /// The keys were counted, for the first time on this day. A day with many KMSs has several such events, each with
    /// other KMSs.
    Counted {
        /// The beginning of the day, in UTC.
        day: Time,
        kms: Vec<KmsCounts>,
    },
}

/// The counts of one KMS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KmsCounts {
    pub kms: KmsId,
    pub keys: u64,
    pub keys_with_findings: u64,
    /// The names of the rules with findings, and the number of keys of each.
    pub findings: Vec<(String, u64)>,
}

/// The counts of one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayCounts {
    /// The beginning of the day, in UTC.
    pub day: Time,
    pub kms: Vec<KmsCounts>,
}

/// The counts of the last days, oldest first.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct PostureTrend {
    days: Vector<Arc<DayCounts>>,
}

/// Returns the beginning of the day of a time, in UTC.
pub fn day_of(at: Time) -> Time {
    Time::from_nanos(0).plus_seconds(at.seconds().div_euclid(DAY_SECONDS) * DAY_SECONDS)
}

impl PostureTrend {
    pub fn restored(days: Vec<DayCounts>) -> Self {
        Self { days: days.into_iter().map(Arc::new).collect() }
    }

    pub fn days(&self) -> impl Iterator<Item = &Arc<DayCounts>> {
        self.days.iter()
    }

    /// Whether a day, or a later one, has counts.
    pub fn has(&self, day: Time) -> bool {
        self.days.last().is_some_and(|last| last.day >= day)
    }

    pub(super) fn apply(&mut self, event: &PostureEvent) {
        let PostureEvent::Counted { day, kms } = event;
        if let Some(last) = self.days.back_mut().filter(|last| last.day == *day) {
            Arc::make_mut(last).kms.extend_from_slice(kms);
            return;
        }
        self.days.push_back(Arc::new(DayCounts { day: *day, kms: kms.clone() }));
        while self.days.len() > DAYS_MAX {
            self.days.pop_front();
        }
    }
}
