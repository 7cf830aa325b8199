//! Refusals of a source key: the message, the kind and the reason of each.

use super::super::name::SourceKeyName;
use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum SourceKeyRefusal {
    #[error("source key `{0}` does not exist")]
    Unknown(String),
    #[error("name: there is a source key named `{0}` already; choose another name")]
    NameTaken(SourceKeyName),
    #[error("source key `{0}` is unexportable, and stays so: its material leaves only into AWS keys")]
    Unexportable(SourceKeyName),
    #[error("source key `{0}`: key is not deletable")]
    Undeletable(SourceKeyName),
    #[error("an import of source key `{0}` into an AWS key is under way; try again in a moment")]
    Busy(SourceKeyName),
}

reasons! { SourceKeyRefusal =>
    Unknown: Unknown, "source_key_unknown", "There is no such source key.";
    NameTaken: Taken of "name", "source_key_name_taken", "A source key has the name already.";
    Unexportable: Conflict, "source_key_unexportable", "The source key is unexportable.";
    Undeletable: Conflict, "source_key_undeletable", "The source key is undeletable.";
    Busy: Busy, "source_key_busy", "An import of the source key is under way.";
}
