//! The parts of a key that a reconciliation report compares, and the texts of their differences.

use crate::domain::key::aggregate::Key;
use crate::domain::key::event::Aspect;
use crate::domain::key::metadata::{KeyMetadata, RotationStatus};
use crate::domain::key::tag::Tag;
use std::fmt::Display;

/// The longest text of a cell, in bytes.
const TEXT_MAX: usize = 1_024;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Part {
    Existence,
    State,
    Description,
    Policy,
    Tags,
    Aliases,
    Rotation,
    MultiRegion,
    /// A member of the metadata that no operation is known to change.
    Member(&'static str),
}

impl Part {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Existence => "key",
            Self::State => "key_state",
            Self::Description => "description",
            Self::Policy => "policy",
            Self::Tags => "tags",
            Self::Aliases => "aliases",
            Self::Rotation => "rotation",
            Self::MultiRegion => "multi_region",
            Self::Member(name) => name,
        }
    }

    /// The parts that an operation of AWS changes. Grants, for instance, are not compared, so they cause no difference.
    pub(super) fn of(event: &str) -> &'static [Self] {
        match event {
            "CreateKey" | "DeleteKey" => &[Self::Existence],
            "ReplicateKey" => &[Self::Existence, Self::MultiRegion],
            "UpdatePrimaryRegion" | "SynchronizeMultiRegionKey" => &[Self::MultiRegion],
            "EnableKey"
            | "DisableKey"
            | "ScheduleKeyDeletion"
            | "CancelKeyDeletion"
            | "ImportKeyMaterial"
            | "DeleteImportedKeyMaterial"
            | "DeleteExpiredKeyMaterial" => &[Self::State],
            "UpdateKeyDescription" => &[Self::Description],
            "PutKeyPolicy" => &[Self::Policy],
            "TagResource" | "UntagResource" => &[Self::Tags],
            "CreateAlias" | "UpdateAlias" | "DeleteAlias" => &[Self::Aliases],
            "EnableKeyRotation" | "DisableKeyRotation" | "RotateKeyOnDemand" | "RotateKey" => &[Self::Rotation],
            _ => &[],
        }
    }
}

/// The parts in which an aspect at AWS differs from that of a key, each with the text here and at AWS.
pub(super) fn differences(key: &Key, aspect: &Aspect) -> Vec<(Part, (String, String))> {
    match aspect {
        Aspect::Metadata(seen) => metadata_differences(&key.metadata, seen),
        Aspect::Aliases(seen) => vec![(Part::Aliases, (listed(&key.aliases), listed(seen)))],
        Aspect::Tags(seen) => vec![(Part::Tags, (tags(&key.tags), tags(seen)))],
        Aspect::Policy(seen) => {
            let here = key.policy.as_ref().map(|policy| policy.as_str().to_owned()).unwrap_or_default();
            vec![(Part::Policy, (here, seen.as_str().to_owned()))]
        }
        Aspect::Rotation(seen) => {
            let texts = (key.rotation.as_ref().map_or_else(|| DISABLED.to_owned(), rotation), rotation(seen));
            // AWS moves the time of the next rotation by itself.
            if texts.0 == texts.1 { Vec::new() } else { vec![(Part::Rotation, texts)] }
        }
        // The use of a key is no change of it.
        Aspect::ImportedMaterial(_) | Aspect::LastUse(_) => Vec::new(),
    }
}

fn metadata_differences(here: &KeyMetadata, seen: &KeyMetadata) -> Vec<(Part, (String, String))> {
    let mut found = Vec::new();
    let mut put = |part, text: &dyn Fn(&KeyMetadata) -> String| {
        let texts = (text(here), text(seen));
        if texts.0 != texts.1 {
            found.push((part, texts));
        }
    };
    put(Part::State, &|key| {
        let deleted = key.deletion_date.map(|time| format!(", deleted at {time}")).unwrap_or_default();
        let expires = key.valid_to.map(|time| format!(", valid to {time}")).unwrap_or_default();
        format!("{}{deleted}{expires}", key.state)
    });
    put(Part::Description, &|key| key.description.clone());
    put(Part::Rotation, &|key| key.current_material.as_ref().map(ToString::to_string).unwrap_or_default());
    put(Part::MultiRegion, &|key| {
        let family = key.multi_region.as_ref();
        family
            .map(|family| format!("primary {}, replicas {}", family.primary, listed(&family.replicas)))
            .unwrap_or_default()
    });
    put(Part::Member("custom_key_store_id"), &|key| key.custom_key_store_id.clone().unwrap_or_default());
    put(Part::Member("xks_key_id"), &|key| key.xks_key_id.clone().unwrap_or_default());
    put(Part::Member("expiration_model"), &|key| debug(key.expiration_model.as_ref()));
    put(Part::Member("pending_window"), &|key| debug(key.pending_window.as_ref()));
    if found.is_empty() {
        found.push((Part::Member("metadata"), (String::new(), String::new())));
    }
    found
}

fn debug(value: Option<&impl std::fmt::Debug>) -> String {
    value.map(|value| format!("{value:?}")).unwrap_or_default()
}

const DISABLED: &str = "disabled";

fn rotation(status: &RotationStatus) -> String {
    let period = status.period.map(|period| format!(", every {} days", period.days())).unwrap_or_default();
    let begun = status.on_demand_started.map(|time| format!(", on demand since {time}")).unwrap_or_default();
    match status.enabled {
        true => format!("enabled{period}{begun}"),
        false => format!("{DISABLED}{begun}"),
    }
}

fn listed(names: &[impl Display]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn tags(tags: &[Tag]) -> String {
    tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect::<Vec<_>>().join(" ")
}

pub(super) fn cut(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Time;

    #[test]
    fn a_moved_next_rotation_is_no_difference_and_a_period_is_one() {
        let status = RotationStatus { enabled: true, period: None, next: None, on_demand_started: None };
        let moved = RotationStatus { next: Some(Time::from_nanos(1)), ..status.clone() };
        assert_eq!(rotation(&status), rotation(&moved));
        let started = RotationStatus { on_demand_started: Some(Time::from_nanos(1)), ..status.clone() };
        assert_ne!(rotation(&status), rotation(&started));
        assert_eq!(rotation(&RotationStatus { enabled: false, ..status }), DISABLED);
    }

    #[test]
    fn what_is_not_compared_is_no_cause_of_a_difference() {
        for event in ["CreateGrant", "RetireGrant", "RevokeGrant", "Sign", "MadeUp"] {
            assert!(Part::of(event).is_empty(), "{event}");
        }
        assert!(Part::of("ReplicateKey").contains(&Part::MultiRegion));
    }
}
