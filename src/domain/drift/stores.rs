//! Records changes of custom key stores that were made outside, and the stores of their region as AWS reports them now.

use super::difference::{DriftAspect, of_store};
use super::{Difference, DriftEvent, DriftFacts, OutsideEvent};
use crate::domain::event::Event;
use crate::domain::id::{KeyStoreId, KmsId};
use crate::domain::key::decide::check_place;
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::key_store::sync;
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The stores of a region, some of which others changed.
#[derive(Clone, Debug)]
pub struct TouchedStores {
    pub kms: KmsId,
    pub region: Region,
    /// The stores that AWS has, each with the id that it gets if it is not known here.
    pub seen: Vec<(KeyStoreId, StoreAtAws)>,
    /// The known stores that AWS does not have any more.
    pub missing: Vec<KeyStoreId>,
    /// When the reading began.
    pub began: Time,
    /// The events, which may be about no store.
    pub events: Vec<OutsideEvent>,
    /// AWS's ids of the stores that events name, by the ids of the events.
    pub named: BTreeMap<Uuid, String>,
}

/// Whether an event is about a custom key store.
pub fn is_of_store(event: &OutsideEvent) -> bool {
    DriftAspect::of_operation(&event.name).contains(&DriftAspect::KeyStore)
}

pub(super) fn record(state: &State, touched: TouchedStores) -> Result<Vec<Event>, Refusal> {
    let TouchedStores { kms, region, seen, missing, began, mut events, named } = touched;
    check_place(state, kms, &region)?;
    let (mut learned, mut differences) = (Vec::new(), Vec::new());
    for (new, seen) in seen {
        let known = state.key_stores_at_aws(kms, &region).filter_map(|store| store.at_aws.as_ref());
        let before = known.into_iter().find(|known| known.id == seen.id);
        let (id, news) = sync::synchronise(state, new, kms, &region, &seen, began)?;
        if !news.is_empty() {
            differences.extend(of_store(before.map(AsRef::as_ref), Some(&seen)).map(|found| (seen.id.clone(), found)));
        }
        learned.extend(news.into_iter().map(|event| Event::KeyStore(id, event)));
    }
    for id in missing {
        let Some(store) = state.key_stores.get(&id) else { continue };
        let news = sync::missing(store, began);
        if let (false, Some(before)) = (news.is_empty(), &store.at_aws) {
            differences.extend(of_store(Some(before), None).map(|found| (before.id.clone(), found)));
        }
        learned.extend(news.into_iter().map(|event| Event::KeyStore(id, event)));
    }
    events.retain(|event| !state.drift.knows(event.id, None));
    events.sort_by_key(|event| (event.at, event.id));
    events.dedup_by_key(|event| event.id);
    let entries = assign(events, &named, differences).into_iter().map(|(event, changes, superseded)| {
        let (region, key_arn) = (region.clone(), String::new());
        let facts = DriftFacts { region, key: None, key_arn, event, changes, superseded };
        Event::Drift(kms, DriftEvent::Found(Box::new(facts)))
    });
    let entries: Vec<Event> = entries.collect();
    Ok(learned.into_iter().chain(entries).collect())
}

/// Gives the difference of each store to the last event that names it, or else to the last event about a store that names
/// none. An earlier event about the same store is superseded.
fn assign(
    events: Vec<OutsideEvent>,
    named: &BTreeMap<Uuid, String>,
    differences: Vec<(String, Difference)>,
) -> Vec<(OutsideEvent, Vec<Difference>, bool)> {
    let store = |event: &OutsideEvent| named.get(&event.id).filter(|_| is_of_store(event)).map(String::as_str);
    let last_of = |id: &str| events.iter().rposition(|event| store(event) == Some(id));
    let last_unnamed = events.iter().rposition(|event| is_of_store(event) && store(event).is_none());
    let mut changes: Vec<Vec<Difference>> = vec![Vec::new(); events.len()];
    for (id, difference) in differences {
        if let Some(at) = last_of(&id).or(last_unnamed) {
            changes[at].push(difference);
        }
    }
    let superseded: Vec<bool> =
        (0..).zip(&events).map(|(at, event)| store(event).is_some_and(|id| last_of(id) != Some(at))).collect();
    events.into_iter().zip(changes).zip(superseded).map(|((event, changes), over)| (event, changes, over)).collect()
}
