//! Refusals of a source key: the message, the kind and the reason of each.

use super::super::id::KeyId;
use super::super::name::{KeyStoreName, SourceKeyName};
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
    /// The lifecycle of the source key forbids the use of its material.
    #[error("source key `{key}` {problem}")]
    NotUsable { key: SourceKeyName, problem: &'static str },
    #[error("source key `{key}` is {state}: {problem}")]
    WrongState { key: SourceKeyName, state: &'static str, problem: &'static str },
    #[error("aliases: a source key with the alias `{0}` exists already")]
    AliasTaken(String),
    #[error("source key `{key}` is in use: {}", users(.keys, .store.as_ref()))]
    InUse { key: SourceKeyName, keys: Vec<KeyId>, store: Option<KeyStoreName> },
    #[error("source key `{key}` has no version {version}")]
    VersionUnknown { key: SourceKeyName, version: u32 },
}

reasons! { SourceKeyRefusal =>
    Unknown: Unknown, "source_key_unknown", "There is no such source key.";
    NameTaken: Taken of "name", "source_key_name_taken", "A source key has the name already.";
    Unexportable: Conflict, "source_key_unexportable", "The source key is unexportable.";
    Undeletable: Conflict, "source_key_undeletable", "The source key is undeletable.";
    Busy: Busy, "source_key_busy", "An import of the source key is under way.";
    NotUsable: Conflict, "source_key_not_usable", "The source key is not active, is archived, or has no material.";
    WrongState: Conflict, "source_key_state", "The state of the source key forbids the change.";
    AliasTaken: Taken of "aliases", "source_key_alias_taken", "Another source key has the alias already.";
    InUse: InUse, "source_key_in_use", "A HYOK key or a virtual key has the material of the source key, or a key store checks its health with it.";
    VersionUnknown: Unknown, "source_key_version_unknown", "The source key has no such version.";
}

/// The resources that need the material of a source key.
fn users(keys: &[KeyId], store: Option<&KeyStoreName>) -> String {
    let store = store.map(|store| format!("key store `{store}` checks its health with it"));
    let ids = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let keys = (!keys.is_empty()).then(|| format!("HYOK keys have its material: {ids}"));
    store.into_iter().chain(keys).collect::<Vec<_>>().join("; ")
}
