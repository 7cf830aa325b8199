//! The layouts of the drift watch in a snapshot.

use super::super::v2::drift::{Difference, DriftFacts};
use super::super::v2::primitives::{Moment, Text};
use super::super::{Impossible, IntoLive, LayoutOf};
use crate::domain::drift;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

layout! {
    struct DriftEntry<'a> of drift::DriftEntry {
        number: u64,
        kms: Uuid,
        facts: DriftFacts<'a>,
        found: Moment,
    }
}

layout! {
    struct Unexplained<'a> of drift::Unexplained {
        difference: Difference<'a>,
        read: Moment,
    }
}

layout! {
    struct UnansweredChange<'a> of drift::UnansweredChange {
        key: Uuid,
        operations: Vec<Text<'a>>,
        since: Moment,
        until: Moment,
    }
}

/// The entries, and what the next run needs to know.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Drift<'a> {
    entries: Vec<DriftEntry<'a>>,
    next: u64,
    read: Vec<(Uuid, Vec<(Text<'a>, Moment)>)>,
    known: Vec<((Uuid, Option<Uuid>), Moment)>,
    unexplained: Vec<(Uuid, Vec<Unexplained<'a>>)>,
    unanswered: Vec<UnansweredChange<'a>>,
}

impl<'a> Drift<'a> {
    pub(super) fn of(stored: &'a drift::DriftEntries) -> Self {
        Self {
            entries: LayoutOf::of(&stored.entries),
            next: LayoutOf::of(&stored.next),
            read: LayoutOf::of(&stored.read),
            known: LayoutOf::of(&stored.known),
            unexplained: LayoutOf::of(&stored.unexplained),
            unanswered: LayoutOf::of(&stored.unanswered),
        }
    }

    pub(super) fn entries(self) -> Result<drift::DriftEntries, Impossible> {
        Ok(drift::DriftEntries {
            entries: self.entries.into_live()?,
            next: self.next.into_live()?,
            read: self.read.into_live()?,
            known: self.known.into_live()?,
            unexplained: self.unexplained.into_live()?,
            unanswered: self.unanswered.into_live()?,
        })
    }
}
