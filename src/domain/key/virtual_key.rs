//! Virtual keys: ids for HYOK keys that are made before the keys. A HYOK key that is created with one gets its id, and
//! the virtual key is then a view of the HYOK key: every HYOK key has one.

pub mod decide;

use crate::domain::id::{KeyId, SourceKeyId};
use crate::domain::time::Time;

/// A virtual key with which no HYOK key was created yet.
#[derive(Clone, PartialEq, Debug)]
pub struct VirtualKey {
    /// The id that the HYOK key is going to have.
    pub id: KeyId,
    pub source: SourceKeyId,
    /// The tier of the source key, as the client named it.
    pub source_key_tier: String,
    /// Whether it may be deleted.
    pub deletable: bool,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

#[derive(Clone, Debug)]
pub enum VirtualKeyCommand {
    Make { id: KeyId, source: SourceKeyId, source_key_tier: String, at: Time },
    SetDeletable { id: KeyId, deletable: bool },
    Delete { id: KeyId },
}
