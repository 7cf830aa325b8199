//! The commands of source keys.

use super::attributes::AttributesPatch;
use super::lifecycle::{Dates, LifecycleState, ReactivationReason, Revocation};
use super::{NewSourceKey, UsageMask};
use crate::domain::id::SourceKeyId;
use crate::domain::name::JsonText;
use crate::domain::sealed::Sealed;
use crate::domain::time::Time;

/// A command on the version with this id, at the time of its record.
#[derive(Clone, Debug)]
pub enum SourceKeyCommand {
    Create {
        id: SourceKeyId,
        new: Box<NewVersion>,
        at: Time,
    },
    /// Change a source key.
    Update {
        id: SourceKeyId,
        patch: Box<SourceKeyPatch>,
        at: Time,
    },
    /// Record an export, before the material leaves.
    Export {
        id: SourceKeyId,
        form: ExportForm,
        at: Time,
    },
    Revoke {
        id: SourceKeyId,
        revocation: Revocation,
        /// When a compromise is believed to have happened; `None` for the time of the creation.
        occurred: Option<Time>,
        at: Time,
    },
    Reactivate {
        id: SourceKeyId,
        reason: ReactivationReason,
        message: String,
        at: Time,
    },
    Archive {
        id: SourceKeyId,
        at: Time,
    },
    Recover {
        id: SourceKeyId,
        at: Time,
    },
    /// Destroy the material. The entry stays.
    Destroy {
        id: SourceKeyId,
    },
    Delete {
        id: SourceKeyId,
    },
}

/// A version to create, with its material.
#[derive(Clone, Debug)]
pub struct NewVersion {
    pub made: NewSourceKey,
    /// The sealed material.
    pub material: Sealed,
    pub attributes: AttributesPatch,
    pub dates: Dates,
    /// The state that the client asks for; `None` for that which follows from the dates.
    pub state: Option<LifecycleState>,
    pub relation: Relation,
}

/// The form in which material leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportForm {
    Plain,
    /// Wrapped with this source key, or with a public key of the client.
    Wrapped(Option<SourceKeyId>),
}

/// The relation of a new version to an existing source key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// The first version of a new source key.
    None,
    /// A further version of this source key.
    VersionOf(SourceKeyId),
    /// The first version of a new source key, with the material of this one.
    CloneOf(SourceKeyId),
}

/// A change of a source key; a member that is `None` stays as it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SourceKeyPatch {
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    /// Whether the source key is unexportable, which cannot be undone.
    pub unexportable: Option<bool>,
    pub undeletable: Option<bool>,
    pub usage: Option<UsageMask>,
    pub attributes: AttributesPatch,
    pub dates: Dates,
}
