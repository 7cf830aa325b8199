//! Refusals of alarms: the message, the kind and the reason of each.

use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum AlarmRefusal {
    #[error("alarm `{0}` does not exist")]
    Unknown(String),
    #[error("alarm {0} is cleared")]
    Cleared(u64),
}

reasons! { AlarmRefusal =>
    Unknown: Unknown, "alarm_unknown", "There is no such alarm, none that the caller may see, or it is no longer kept.";
    Cleared: Conflict, "alarm_cleared", "The alarm is cleared, so it cannot be acknowledged.";
}
