//! What operations of this program change, by aspect and by the names of AWS's operations. An operation whose answer was
//! lost is in no journal of our calls, so that its events are known by these names and by the time.

use super::difference::DriftAspect;
use super::{Drift, KEPT_SECONDS};
use crate::domain::id::KeyId;
use crate::domain::key::operation::{Operation, PendingOperation};
use crate::domain::time::Time;

/// A change of this program that may be without an entry in the journal of our calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnansweredChange {
    pub key: KeyId,
    /// The operations of AWS that it can have called.
    pub operations: Vec<String>,
    /// When it was requested, and when its outcome was recorded.
    pub since: Time,
    pub until: Time,
}

/// The maximum number of such changes in the state. With more, the answers of the oldest count as received.
const UNANSWERED_MAX: usize = 10_000;

/// The most by which AWS's clock and ours differ, in seconds. AWS's events have whole seconds.
const SKEW_SECONDS: i64 = 60;

impl Drift {
    /// Notes an operation that is concluded.
    pub fn note_unanswered(&mut self, at: Time, id: KeyId, pending: &PendingOperation) {
        let operations: Vec<String> = aws_operations(&pending.wanted).iter().map(|name| (*name).to_owned()).collect();
        for key in [Some(id), pending.wanted.also_affects()].into_iter().flatten() {
            let change = UnansweredChange { key, operations: operations.clone(), since: pending.since, until: at };
            self.unanswered.push_back(change);
        }
        let oldest = at.plus_seconds(-KEPT_SECONDS);
        while self.unanswered.len() > UNANSWERED_MAX || self.unanswered.front().is_some_and(|one| one.until < oldest) {
            self.unanswered.pop_front();
        }
    }

    /// Whether an event about a key, by a caller with our credentials, is that of a change of ours whose answer was lost.
    pub fn is_unanswered_change(&self, key: KeyId, operation: &str, at: Time) -> bool {
        self.unanswered.iter().any(|one| {
            let (first, last) = (one.since.plus_seconds(-SKEW_SECONDS), one.until.plus_seconds(SKEW_SECONDS));
            one.key == key && (first..=last).contains(&at) && one.operations.iter().any(|name| name == operation)
        })
    }
}

/// Returns the operations of AWS that change something for an operation of this program.
fn aws_operations(wanted: &Operation) -> &'static [&'static str] {
    match wanted {
        Operation::Create(_)
        | Operation::Upload { .. }
        | Operation::Rotate { .. }
        | Operation::Replicate { .. }
        | Operation::CreateInStore { .. }
        | Operation::Link { .. } => &[
            "CreateKey",
            "ReplicateKey",
            "CreateAlias",
            "UpdateAlias",
            "DeleteAlias",
            "TagResource",
            "UntagResource",
            "UpdateKeyDescription",
            "PutKeyPolicy",
            "EnableKeyRotation",
            "ImportKeyMaterial",
        ],
        Operation::Enable => &["EnableKey"],
        Operation::Disable => &["DisableKey"],
        Operation::Describe { .. } => &["UpdateKeyDescription"],
        Operation::PutPolicy { .. } => &["PutKeyPolicy", "TagResource", "UntagResource"],
        Operation::Tag { .. } => &["TagResource"],
        Operation::Untag { .. } => &["UntagResource"],
        Operation::AddAlias { .. } => &["CreateAlias", "UpdateAlias", "DeleteAlias"],
        Operation::DeleteAlias { .. } => &["DeleteAlias"],
        Operation::EnableRotation { .. } => &["EnableKeyRotation"],
        Operation::DisableRotation => &["DisableKeyRotation"],
        Operation::RotateMaterial => &["RotateKeyOnDemand"],
        Operation::ImportMaterial(_) => &["ImportKeyMaterial"],
        Operation::DeleteMaterial { .. } => &["DeleteImportedKeyMaterial"],
        Operation::ScheduleDeletion { .. } => &["ScheduleKeyDeletion"],
        Operation::CancelDeletion => &["CancelKeyDeletion"],
        Operation::MovePrimary { .. } => &["UpdatePrimaryRegion"],
    }
}

/// Returns the aspects that an operation of this program changes; all, where it makes the key.
pub fn own_aspects(wanted: &Operation) -> &'static [DriftAspect] {
    use DriftAspect::{
        Aliases, DeletionDate, Description, Existence, Expiry, Material, MultiRegion, Policy, Rotation, State, Tags,
    };
    match wanted {
        Operation::Create(_)
        | Operation::Upload { .. }
        | Operation::Rotate { .. }
        | Operation::Replicate { .. }
        | Operation::CreateInStore { .. }
        | Operation::Link { .. } => &[
            Existence,
            State,
            DeletionDate,
            Description,
            Policy,
            Aliases,
            Tags,
            Rotation,
            Material,
            Expiry,
            MultiRegion,
        ],
        Operation::Enable | Operation::Disable => &[State],
        Operation::Describe { .. } => &[Description],
        // A template's policy comes with its tag.
        Operation::PutPolicy { .. } => &[Policy, Tags],
        Operation::Tag { .. } | Operation::Untag { .. } => &[Tags],
        Operation::AddAlias { .. } | Operation::DeleteAlias { .. } => &[Aliases],
        Operation::EnableRotation { .. } | Operation::DisableRotation => &[Rotation],
        Operation::RotateMaterial => &[Rotation, Material, State, Expiry],
        Operation::ImportMaterial(_) | Operation::DeleteMaterial { .. } => &[State, Material, Expiry, Rotation],
        Operation::ScheduleDeletion { .. } | Operation::CancelDeletion => &[State, DeletionDate],
        Operation::MovePrimary { .. } => &[MultiRegion, State],
    }
}
