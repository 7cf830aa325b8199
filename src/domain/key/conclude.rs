//! The events at the end of an operation: its outcome, and the effects on other keys and on the template whose policy
//! was put.

use super::aggregate::{Certainty, Key, Snapshot};
use super::command::Outcome;
use super::event::KeyEvent;
use super::operation::{KeyRotation, Operation, PendingOperation};
use crate::domain::cascade;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, OperationId};
use crate::domain::refusal::Refusal;
use crate::domain::state::State;

pub(super) fn conclude(
    state: &State,
    operation: OperationId,
    outcome: Outcome<Box<Snapshot>>,
    related: Option<(KeyId, Box<Snapshot>)>,
) -> Result<Vec<Event>, Refusal> {
    // The reconciliation, or the deletion of the KMS, concluded the operation before.
    let Some(pending) = state.operations.get(&operation) else { return Ok(vec![]) };
    let id = pending.key;
    let learned = |seen: Snapshot| match state.keys.get(&id) {
        Some(key) => key.news(seen),
        None => seen.all(),
    };
    let mut events = Vec::new();
    match outcome {
        Outcome::Done(seen) => {
            events.extend(forget_displaced(state, pending, &seen));
            let consequences = consequences(state, pending, &seen, Certainty::Done);
            events.push(Event::Key(id, KeyEvent::OperationDone { operation, learned: learned(*seen) }));
            events.extend(consequences);
        }
        Outcome::Reconciled(seen) => {
            events.extend(forget_displaced(state, pending, &seen));
            let consequences = consequences(state, pending, &seen, Certainty::Inferred);
            events.push(Event::Key(id, KeyEvent::OperationReconciled { operation, learned: learned(*seen) }));
            events.extend(consequences);
        }
        Outcome::Halfway { reason, seen } => {
            events.extend(forget_displaced(state, pending, &seen));
            events.push(Event::Key(id, KeyEvent::OperationFailed { operation, reason }));
            let (kms, region) = (pending.kms, pending.region.clone());
            events.push(Event::Key(
                id,
                match pending.wanted.adds_an_entry() {
                    true => KeyEvent::Found { kms, region, learned: seen.all() },
                    false => KeyEvent::HyokLinked { learned: seen.all() },
                },
            ));
        }
        Outcome::Failed(reason) => {
            events.push(Event::Key(id, KeyEvent::OperationFailed { operation, reason }));
            if let Operation::Link { is_new: true, .. } = pending.wanted {
                events.push(Event::Key(id, KeyEvent::Forgotten));
            }
        }
    }
    if let Some((id, seen)) = related
        && let Some(key) = state.keys.get(&id)
    {
        let learned = key.news(*seen);
        if !learned.is_empty() {
            events.push(Event::Key(id, KeyEvent::Observed { learned }));
        }
    }
    Ok(events)
}

/// Removes the old entry of a replica that was deleted and made again, which has the same AWS id.
fn forget_displaced(state: &State, pending: &PendingOperation, seen: &Snapshot) -> Option<Event> {
    let known = state.key_at_aws(pending.kms, &pending.region, seen.metadata.key_id())?;
    (known.id != pending.key).then(|| Event::Key(known.id, KeyEvent::Forgotten))
}

fn consequences(state: &State, pending: &PendingOperation, seen: &Snapshot, certainty: Certainty) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(KeyRotation::Replaces(old)) = pending.wanted.rotation() {
        events.extend(replace(state, old, pending.key));
    }
    events.extend(move_alias(state, pending, seen));
    // If AWS's answer was lost, the key may have another policy than the one that was put.
    let known = state.keys.get(&pending.key);
    let holds = |policy| seen.policy.as_ref().or_else(|| known?.policy.as_ref()) == Some(policy);
    if certainty == Certainty::Done || pending.wanted.put_policy().is_none_or(holds) {
        events.extend(cascade::verify_template(state, pending, &seen.metadata));
    }
    events
}

/// Marks a key as replaced, and moves its schedule to the new key.
fn replace(state: &State, old: KeyId, new: KeyId) -> Vec<Event> {
    let Some(key) = state.keys.get(&old) else { return vec![] };
    let job = key.rotation_job.clone().map(|job| Event::Key(new, KeyEvent::RotationJobSet { job: Some(job) }));
    [Event::Key(old, KeyEvent::Replaced { by: new })].into_iter().chain(job).collect()
}

/// Removes an alias from its previous key, if AWS reports it on the other one.
fn move_alias(state: &State, pending: &PendingOperation, seen: &Snapshot) -> Option<Event> {
    let (alias, holder) = pending.wanted.taken_alias(pending.key).filter(|(_, holder)| *holder != pending.key)?;
    let known = |key: &std::sync::Arc<Key>| key.aliases.contains(alias);
    let has = match &seen.aliases {
        Some(aliases) => aliases.contains(alias),
        None => state.keys.get(&pending.key).is_some_and(known),
    };
    let moved = has && state.keys.get(&holder).is_some();
    moved.then(|| Event::Key(holder, KeyEvent::AliasMoved { alias: alias.clone(), to: pending.key }))
}
