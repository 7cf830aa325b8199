//! CloudTrail in the plan: the log group, its bound, and the delay of events.

use super::file::CloudTrailFile;
use super::mistake::{Mistakes, Problem};

const LOG_GROUP: &str = "aws-cloudtrail-logs-{account}";
const ACCOUNT: &str = "{account}";
const MAX_EVENTS: i64 = 50_000;
/// AWS's quota in most regions.
const FILTER_LOG_EVENTS_PER_SECOND: i64 = 25;

/// The rules of `[cloudtrail]`.
#[derive(Debug, Clone)]
pub(in crate::lab) struct TrailRules {
    log_group: String,
    /// The number of events of calls that a log group keeps.
    pub max_events: usize,
    /// The time between a call and the arrival of its event, in seconds of the lab's clock.
    pub delay_seconds: u32,
    /// The calls of FilterLogEvents in an account and region.
    pub filter_log_events_per_second: u32,
}

impl TrailRules {
    /// The name of the log group of an account.
    pub(in crate::lab) fn log_group(&self, account: &str) -> String {
        self.log_group.replace(ACCOUNT, account)
    }
}

pub(super) fn rules(file: CloudTrailFile, mistakes: &mut Mistakes) -> TrailRules {
    let log_group = file.log_group.unwrap_or_else(|| LOG_GROUP.to_owned());
    if !is_log_group_name(&log_group.replace(ACCOUNT, "123456789012")) {
        mistakes.add("cloudtrail.log_group", Problem::LogGroupMalformed(log_group.clone()));
    }
    let mut number = |member: &'static str, given: Option<i64>, default: i64, (least, most): (i64, i64)| {
        let number = given.unwrap_or(default);
        if !(least..=most).contains(&number) {
            mistakes.add(format!("cloudtrail.{member}"), Problem::NumberOutOfRange { number, least, most });
        }
        u32::try_from(number.clamp(least, most)).unwrap_or_default()
    };
    let max_events = number("max_events", file.max_events, MAX_EVENTS, (1, 10_000_000));
    let delay_seconds = number("delay_seconds", file.delay_seconds, 0, (0, 86_400));
    let rate = file.filter_log_events_per_second;
    let filter_log_events_per_second =
        number("filter_log_events_per_second", rate, FILTER_LOG_EVENTS_PER_SECOND, (1, 1_000_000));
    let max_events = usize::try_from(max_events).unwrap_or_default();
    TrailRules { log_group, max_events, delay_seconds, filter_log_events_per_second }
}

/// Whether a text is a name of a log group.
pub(in crate::lab) fn is_log_group_name(name: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b);
    (1..=512).contains(&name.len()) && name.bytes().all(is_part)
}
