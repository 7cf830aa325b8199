//! Refusals of the drift watch: the message, the kind and the reason of each.

use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum DriftRefusal {
    #[error("drift event `{0}` does not exist")]
    Unknown(String),
}

reasons! { DriftRefusal =>
    Unknown: Unknown, "drift_event_unknown", "There is no such entry, none that the caller may see, or it is no longer kept.";
}
