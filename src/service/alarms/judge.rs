//! Judges which alarms a change raises. The recorder asks this for every change, on the writer's thread, with the state
//! before the change, and records the alarms together with the change. So no alarm is missed or raised twice, whenever
//! the program ends.

mod change;

use crate::domain::alarm::decide::raise;
use crate::domain::alarm::{AlarmFacts, Cause, Condition, Subject};
use crate::domain::connection::ConnectionEvent;
use crate::domain::drift::{DriftEvent, OutsideEvent};
use crate::domain::event::{Actor, Event};
use crate::domain::id::{ConnectionId, KeyId, KeyStoreId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::event::{Aspect, KeyEvent};
use crate::domain::key::operation::Operation;
use crate::domain::key_store::at_aws::{ConnectionState, StoreAtAws};
use crate::domain::key_store::event::KeyStoreEvent;
use crate::domain::state::State;
use crate::domain::time::Time;
use change::{Change, metadata_in};

/// Returns the events that raise the alarms of a change. `state` is the state before the change.
/// `at` is its time.
pub(in crate::service) fn alarms_of(state: &State, actor: &Actor, at: Time, events: &[Event]) -> Vec<Event> {
    let mut raised = Vec::new();
    for event in events {
        match event {
            Event::Key(id, event) => KeyChange { state, actor, at, id: *id, events }.judge(event, &mut raised),
            Event::KeyStore(id, event) => raised.extend(of_store(state, *id, event)),
            Event::Connection(id, ConnectionEvent::Tested { error }) => {
                raised.extend(of_connection(state, *id, error.as_ref()));
            }
            Event::Connection(..)
            | Event::Installation(_)
            | Event::User(..)
            | Event::Group(..)
            | Event::Session(..)
            | Event::Kms(..)
            | Event::SourceKey(..)
            | Event::Job(..)
            | Event::Template(..)
            | Event::Schedule(..)
            | Event::Posture(_)
            | Event::Report(..)
            | Event::Webhook(..)
            | Event::Alarm(..)
            | Event::Drift(..)
            | Event::Backup(..)
            | Event::Forwarder(..) => {}
        }
    }
    if raised.is_empty() { Vec::new() } else { raise(state, raised) }
}

/// A change of a key, with the other events of the same commit.
struct KeyChange<'a> {
    state: &'a State,
    actor: &'a Actor,
    at: Time,
    id: KeyId,
    events: &'a [Event],
}

impl<'a> KeyChange<'a> {
    fn judge(&self, event: &KeyEvent, raised: &mut Vec<AlarmFacts>) {
        let (state, id) = (self.state, self.id);
        let before = state.keys.get(&id).map(AsRef::as_ref);
        match event {
            KeyEvent::OperationDone { operation, learned } | KeyEvent::OperationReconciled { operation, learned } => {
                let own =
                    state.operations.get(operation).map_or(Own::Nothing, |pending| Own::Operation(&pending.wanted));
                // The planned policy of a HYOK key takes effect when AWS has the key.
                match before.is_some_and(Key::is_unlinked) {
                    true => self.judge_linked(before, learned, own, raised),
                    false => self.judge_learned(before, learned, subject(before, state, id, learned), own, raised),
                }
            }
            KeyEvent::HyokLinked { learned, .. } => self.judge_linked(before, learned, self.own_creation(), raised),
            KeyEvent::Observed { learned } => {
                self.judge_learned(before, learned, subject(before, state, id, learned), Own::Nothing, raised);
            }
            KeyEvent::Found { kms, region, learned } => {
                let Some(metadata) = metadata_in(learned) else { return };
                let own = self.own_creation();
                let is_new = matches!(own, Own::All)
                    || self.was_just_made()
                    || is_news(state.alarms.read_times(*kms, region).keys, metadata.created_at);
                if is_new {
                    let arn = metadata.arn.to_string();
                    let subject = Some(Subject::Key { key: id, kms: *kms, region: region.clone(), arn });
                    self.judge_learned(None, learned, subject, own, raised);
                }
            }
            KeyEvent::Vanished => {
                let was_there = |key: &&Key| !key.gone && !key.metadata.is_pending_deletion() && !key.is_unlinked();
                if let Some(key) = before.filter(was_there) {
                    let message =
                        "AWS does not have the key any more. That its deletion was scheduled was not seen here.";
                    let (subject, cause) =
                        (Subject::of_key(key), self.cause(Own::Nothing, Condition::DeletionScheduled));
                    raised.push(facts(Condition::DeletionScheduled, subject, message.to_owned(), cause));
                }
            }
            KeyEvent::RotationJobSet { job: None } => {
                if let Some(key) = before.filter(|key| key.rotation_job.is_some() && !key.is_ending() && !key.gone) {
                    let message = "The key was taken off the schedule that rotated it.".to_owned();
                    let cause = self.cause(Own::All, Condition::RotationOff);
                    raised.push(facts(Condition::RotationOff, Subject::of_key(key), message, cause));
                }
            }
            KeyEvent::OperationRequested { .. }
            | KeyEvent::OperationFailed { .. }
            | KeyEvent::RotationJobSet { job: Some(_) }
            | KeyEvent::Forgotten
            | KeyEvent::Unmanaged { .. }
            | KeyEvent::Replaced { .. }
            | KeyEvent::AliasMoved { .. }
            | KeyEvent::MaterialNotRotated { .. }
            | KeyEvent::HyokCreated { .. }
            | KeyEvent::HyokBlocked
            | KeyEvent::HyokUnblocked
            | KeyEvent::HyokRotated { .. }
            | KeyEvent::CallerRulesSet { .. }
            | KeyEvent::EncryptionsCounted { .. }
            | KeyEvent::VirtualKeyMade { .. }
            | KeyEvent::VirtualKeyDeletable { .. }
            | KeyEvent::VirtualKeyDeleted => {}
        }
    }

    /// Judges a key that AWS did not have before, with what was planned for it where AWS has the same.
    fn judge_linked(&self, before: Option<&Key>, learned: &[Aspect], own: Own, raised: &mut Vec<AlarmFacts>) {
        let mut learned = learned.to_vec();
        let has_policy = learned.iter().any(|aspect| matches!(aspect, Aspect::Policy(_)));
        let planned = before.and_then(|key| key.policy.clone()).filter(|_| !has_policy);
        learned.extend(planned.map(Aspect::Policy));
        let subject = subject(before, self.state, self.id, &learned);
        self.judge_learned(None, &learned, subject, own, raised);
    }

    fn judge_learned(
        &self,
        before: Option<&Key>,
        learned: &[Aspect],
        subject: Option<Subject>,
        own: Own,
        raised: &mut Vec<AlarmFacts>,
    ) {
        let Some(subject) = subject else { return };
        let announced = self.state.alarms.announced(self.id);
        Change { before, learned, subject, at: self.at, announced }
            .judge(&|condition| self.cause(own, condition), raised);
    }

    /// The cause of what a reading of the key shows. It shows what others changed too, and that is not our operation's.
    fn cause(&self, own: Own, condition: Condition) -> Cause {
        let is_own = match own {
            Own::All => true,
            Own::Nothing => false,
            Own::Operation(wanted) => can_cause(wanted, condition),
        };
        match is_own {
            true => Cause::Here { by: self.actor.to_string() },
            false => Cause::Outside { found_by: self.actor.to_string(), by: self.changed_by().map(str::to_owned) },
        }
    }

    /// What of a key that is found here is our own: all, if our operation made it and failed in a later step.
    fn own_creation(&self) -> Own<'a> {
        let failed = self
            .events
            .iter()
            .any(|event| matches!(event, Event::Key(id, KeyEvent::OperationFailed { .. }) if *id == self.id));
        if failed { Own::All } else { Own::Nothing }
    }

    /// The events about the key that the drift watch records with the reading.
    fn outside_events(&self) -> impl DoubleEndedIterator<Item = &'a OutsideEvent> {
        self.events.iter().filter_map(|event| match event {
            Event::Drift(_, DriftEvent::Found(facts)) if facts.key == Some(self.id) => Some(&facts.event),
            _ => None,
        })
    }

    /// Who changed the key at AWS, if the drift watch has just told.
    fn changed_by(&self) -> Option<&'a str> {
        self.outside_events().next_back().map(|event| event.by.as_str())
    }

    /// Whether the drift watch has just told that the key was made.
    fn was_just_made(&self) -> bool {
        self.outside_events().any(|event| ["CreateKey", "ReplicateKey"].contains(&event.name.as_str()))
    }
}

/// What of a reading is our own doing.
#[derive(Clone, Copy)]
enum Own<'a> {
    All,
    Nothing,
    Operation(&'a Operation),
}

/// Whether an operation of this program causes what an alarm of this condition tells.
fn can_cause(wanted: &Operation, condition: Condition) -> bool {
    match wanted {
        Operation::Create(_)
        | Operation::Upload { .. }
        | Operation::Rotate { .. }
        | Operation::Replicate { .. }
        | Operation::CreateInStore { .. }
        | Operation::Link { .. } => true,
        Operation::Disable => condition == Condition::KeyDisabled,
        Operation::PutPolicy { .. } => condition == Condition::PolicyOpened,
        Operation::ScheduleDeletion { .. } => condition == Condition::DeletionScheduled,
        Operation::DisableRotation => condition == Condition::RotationOff,
        Operation::Enable
        | Operation::Describe { .. }
        | Operation::Tag { .. }
        | Operation::Untag { .. }
        | Operation::AddAlias { .. }
        | Operation::DeleteAlias { .. }
        | Operation::EnableRotation { .. }
        | Operation::RotateMaterial
        | Operation::ImportMaterial(_)
        | Operation::DeleteMaterial { .. }
        | Operation::CancelDeletion
        | Operation::MovePrimary { .. } => false,
    }
}

/// Whether something that is found for the first time is news: it was made after the region was last read completely.
/// In a region that was never read, everything is old.
fn is_news(read: Option<Time>, made: Option<Time>) -> bool {
    matches!((read, made), (Some(read), Some(made)) if made > read)
}

/// The key of an event; one that is being created is known by its pending operation.
fn subject(before: Option<&Key>, state: &State, id: KeyId, learned: &[Aspect]) -> Option<Subject> {
    if let Some(key) = before {
        return Some(Subject::of_key(key));
    }
    let pending = state.operations.values().find(|pending| pending.key == id)?;
    let arn = metadata_in(learned)?.arn.to_string();
    Some(Subject::Key { key: id, kms: pending.kms, region: pending.region.clone(), arn })
}

fn of_store(state: &State, id: KeyStoreId, event: &KeyStoreEvent) -> Option<AlarmFacts> {
    let seen = match event {
        KeyStoreEvent::OperationDone { seen, .. } | KeyStoreEvent::OperationReconciled { seen, .. } => seen.as_ref()?,
        KeyStoreEvent::Observed { seen } | KeyStoreEvent::Linked { seen } => seen,
        KeyStoreEvent::Found { kms, region, name, seen } => {
            let is_new = is_news(state.alarms.read_times(*kms, region).key_stores, seen.created_at);
            let (kms, region, name) = (*kms, region.clone(), name.to_string());
            return is_new.then(|| store_failed(Subject::KeyStore { store: id, kms, region, name }, seen)).flatten();
        }
        KeyStoreEvent::Created { .. }
        | KeyStoreEvent::Renamed { .. }
        | KeyStoreEvent::SettingsChanged { .. }
        | KeyStoreEvent::CredentialAdded { .. }
        | KeyStoreEvent::CredentialRemoved { .. }
        | KeyStoreEvent::Blocked
        | KeyStoreEvent::Unblocked
        | KeyStoreEvent::RotationScheduleSet { .. }
        | KeyStoreEvent::CallsReported { .. }
        | KeyStoreEvent::Deleted
        | KeyStoreEvent::OperationRequested { .. }
        | KeyStoreEvent::OperationFailed { .. }
        | KeyStoreEvent::Vanished
        | KeyStoreEvent::CloudHsmCreated { .. }
        | KeyStoreEvent::PasswordTold { .. }
        | KeyStoreEvent::Warned { .. } => return None,
    };
    let store = state.key_stores.get(&id)?;
    let was_failed = store.at_aws.as_ref().is_some_and(|before| before.connection_state == ConnectionState::Failed);
    let (kms, region, name) = (store.kms, store.region.clone(), store.name.to_string());
    if was_failed { None } else { store_failed(Subject::KeyStore { store: id, kms, region, name }, seen) }
}

fn store_failed(subject: Subject, seen: &StoreAtAws) -> Option<AlarmFacts> {
    if seen.connection_state != ConnectionState::Failed {
        return None;
    }
    let code = seen.connection_error.as_deref().unwrap_or("no reason");
    let message = format!("AWS could not connect the key store; it reports {code}. Its keys cannot be used.");
    Some(facts(Condition::StoreFailed, subject, message, Cause::Nobody))
}

fn of_connection(state: &State, id: ConnectionId, error: Option<&String>) -> Option<AlarmFacts> {
    let connection = state.connections.get(&id)?;
    let failed_before = connection.last_test.as_ref().is_some_and(|test| test.error.is_some());
    let (condition, message) = match (failed_before, error) {
        (false, Some(error)) => {
            (Condition::ConnectionFailed, format!("AWS cannot be used with the connection: {error}"))
        }
        (true, None) => (Condition::ConnectionRecovered, "AWS accepts the connection again.".to_owned()),
        (true, Some(_)) | (false, None) => return None,
    };
    let subject = Subject::Connection { connection: id, name: connection.name.to_string() };
    Some(facts(condition, subject, message, Cause::Nobody))
}

fn facts(condition: Condition, subject: Subject, message: String, cause: Cause) -> AlarmFacts {
    AlarmFacts { condition, subject, message, cause, due: None }
}

#[cfg(test)]
mod tests;
