//! CloudWatch Logs: the log groups of an account, and the events in one of them.

mod describe_log_groups;
mod filter_log_events;

pub(super) use describe_log_groups::DescribeLogGroups;
pub(super) use filter_log_events::FilterLogEvents;
pub use filter_log_events::{LogEvent, LogPage, LogWindow, RawLogPage};

use serde_json::{Map, Value};

use super::page::Paging;

/// Selects log groups to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogGroupListing {
    /// The prefix of the names; all log groups if `None`.
    pub name_prefix: Option<String>,
    /// The page. AWS returns up to 50 log groups, which is its default too.
    pub paging: Paging,
}

/// A log group, as AWS describes it.
pub type LogGroup = Map<String, Value>;
