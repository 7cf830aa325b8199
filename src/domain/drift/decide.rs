//! Decides the commands of the drift watch.

use super::stores::{self, TouchedStores};
use super::{Difference, DriftAspect, DriftEvent, DriftFacts, OutsideEvent, differences_by};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KmsId, ScheduleId};
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::command::Began;
use crate::domain::key::decide::check_place;
use crate::domain::key::event::KeyEvent;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::sync;
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;

#[derive(Clone, Debug)]
pub enum DriftCommand {
    /// Record changes of one key that were made outside, and the key as AWS reports it now.
    Record(Box<Touched>),
    /// Record changes of key stores that were made outside, and the stores as AWS reports them now.
    RecordStores(Box<TouchedStores>),
    /// Record how far a run has read CloudTrail.
    RecordRead { kms: KmsId, schedule: ScheduleId, until: Vec<(Region, Time)> },
}

/// A key that others changed.
#[derive(Clone, Debug)]
pub struct Touched {
    pub kms: KmsId,
    pub region: Region,
    /// AWS's id of the key; `None` if the events are about no key.
    pub key: Option<AwsKeyId>,
    /// The ARN of the key; empty if the events are about no key.
    pub key_arn: String,
    /// The new id of the key, if it is not in the state yet.
    pub new: KeyId,
    pub seen: SeenNow,
    pub began: Began,
    pub events: Vec<OutsideEvent>,
}

/// A key as it was read after the events.
#[derive(Clone, Debug)]
pub enum SeenNow {
    Read(Box<Snapshot>),
    Gone,
    /// It was not read, or may not be read.
    Unknown,
}

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: DriftCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        DriftCommand::Record(touched) => record(state, *touched),
        DriftCommand::RecordStores(touched) => stores::record(state, *touched),
        DriftCommand::RecordRead { kms, schedule, until } => {
            state.schedule(schedule)?;
            Ok(vec![Event::Drift(kms, DriftEvent::Read { schedule, until })])
        }
    }
}

fn record(state: &State, touched: Touched) -> Result<Vec<Event>, Refusal> {
    let Touched { kms, region, key, key_arn, new, seen, began, mut events } = touched;
    check_place(state, kms, &region)?;
    let known = key.as_ref().and_then(|id| state.key_at_aws(kms, &region, id)).cloned();
    let learned = match seen {
        SeenNow::Read(seen) => sync::synchronise(state, new, kms, region.clone(), *seen, began)?,
        SeenNow::Gone => known.as_ref().map_or_else(Vec::new, |known| sync::missing(state, known.id, began.key)),
        SeenNow::Unknown => Vec::new(),
    };
    let found = learned.iter().any(|event| matches!(event, Event::Key(id, KeyEvent::Found { .. }) if *id == new));
    let id = known.as_ref().map(|known| known.id).or(found.then_some(new));
    events.retain(|event| !state.drift.knows(event.id, id));
    events.sort_by_key(|event| (event.at, event.id));
    events.dedup_by_key(|event| event.id);
    let differences = id.map_or_else(Vec::new, |id| differences(state, id, known.as_deref(), &learned));
    let entries = assign(events, differences).into_iter().map(|(event, changes, superseded)| {
        let facts =
            DriftFacts { region: region.clone(), key: id, key_arn: key_arn.clone(), event, changes, superseded };
        Event::Drift(kms, DriftEvent::Found(Box::new(facts)))
    });
    let entries: Vec<Event> = entries.collect();
    Ok(learned.into_iter().chain(entries).collect())
}

/// The differences of a key that are to be explained: those that were read before, and those of this reading.
fn differences(state: &State, id: KeyId, known: Option<&Key>, learned: &[Event]) -> Vec<Difference> {
    let earlier: Vec<Difference> = state.drift.unexplained(id).map(|one| one.difference.clone()).collect();
    let now = learned.iter().filter_map(|event| {
        let Event::Key(of, event) = event else { return None };
        (*of == id).then(|| differences_by(known, event))
    });
    let mut all = earlier;
    for difference in now.flatten() {
        match all.iter_mut().find(|one| one.aspect == difference.aspect) {
            Some(one) => *one = one.clone().then(difference),
            None => all.push(difference),
        }
    }
    all
}

/// Gives each difference to the last event that can have made it. An earlier event of the same aspect is superseded.
fn assign(events: Vec<OutsideEvent>, differences: Vec<Difference>) -> Vec<(OutsideEvent, Vec<Difference>, bool)> {
    let aspects: Vec<&[DriftAspect]> = events.iter().map(|event| DriftAspect::of_operation(&event.name)).collect();
    let last = |aspect: DriftAspect| aspects.iter().rposition(|of| of.contains(&aspect));
    let mut changes: Vec<Vec<Difference>> = vec![Vec::new(); events.len()];
    for difference in differences {
        if let Some(at) = last(difference.aspect) {
            changes[at].push(difference);
        }
    }
    let superseded: Vec<bool> = (0..events.len())
        .map(|at| !aspects[at].is_empty() && aspects[at].iter().all(|aspect| last(*aspect) != Some(at)))
        .collect();
    events.into_iter().zip(changes).zip(superseded).map(|((event, changes), over)| (event, changes, over)).collect()
}
