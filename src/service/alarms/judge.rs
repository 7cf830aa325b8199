//! Judges which alarms a change raises. The recorder asks this for every change, on the writer's thread, with the state
//! before the change, and records the alarms together with the change. So no alarm is missed or raised twice, whenever
//! the program ends.

use crate::domain::alarm::decide::raise;
use crate::domain::alarm::{AlarmFacts, Cause, Condition, Subject};
use crate::domain::connection::ConnectionEvent;
use crate::domain::drift::DriftEvent;
use crate::domain::event::{Actor, Event};
use crate::domain::id::{ConnectionId, KeyId, KeyStoreId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::event::{Aspect, KeyEvent};
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key_store::KeyStoreEvent;
use crate::domain::key_store::at_aws::ConnectionState;
use crate::domain::state::State;
use crate::policy::summary::Summary;

/// Returns the events that raise the alarms of a change. `state` is the state before the change.
pub(in crate::service) fn alarms_of(state: &State, actor: &Actor, events: &[Event]) -> Vec<Event> {
    let mut raised = Vec::new();
    for event in events {
        match event {
            Event::Key(id, event) => of_key(state, actor, *id, event, changed_by(*id, events), &mut raised),
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
            | Event::Drift(..) => {}
        }
    }
    if raised.is_empty() { Vec::new() } else { raise(state, raised) }
}

/// Who changed a key at AWS, if the drift watch has just told.
fn changed_by(key: KeyId, events: &[Event]) -> Option<&str> {
    events.iter().rev().find_map(|event| {
        let Event::Drift(_, DriftEvent::Found(facts)) = event else { return None };
        (facts.key == Some(key)).then_some(facts.event.by.as_str())
    })
}

fn of_key(
    state: &State,
    actor: &Actor,
    id: KeyId,
    event: &KeyEvent,
    changed_by: Option<&str>,
    raised: &mut Vec<AlarmFacts>,
) {
    let before = state.keys.get(&id).map(AsRef::as_ref);
    let here = || Cause::Here { by: actor.to_string() };
    let outside = || Cause::Outside { found_by: actor.to_string(), by: changed_by.map(str::to_owned) };
    match event {
        // The planned policy of a HYOK key takes effect when AWS has the key.
        KeyEvent::OperationDone { learned, .. } | KeyEvent::OperationReconciled { learned, .. }
            if before.is_some_and(Key::is_unlinked) =>
        {
            judge_linked(state, before, id, learned, here(), raised);
        }
        KeyEvent::HyokLinked { learned, .. } => judge_linked(state, before, id, learned, outside(), raised),
        KeyEvent::OperationDone { learned, .. } | KeyEvent::OperationReconciled { learned, .. } => {
            let change = Change { before, learned, subject: subject(before, state, id, learned), cause: here() };
            change.judge(raised);
        }
        KeyEvent::Observed { learned } => {
            let change = Change { before, learned, subject: subject(before, state, id, learned), cause: outside() };
            change.judge(raised);
        }
        KeyEvent::Found { kms, region, learned } => {
            // A key that is older than its KMS is not news: the first synchronisation finds all keys of an account.
            let since = state.kms.get(kms).map(|kms| kms.created);
            let metadata = metadata_in(learned);
            let created = metadata.and_then(|metadata| metadata.created_at);
            if let (Some(metadata), Some(since), Some(created)) = (metadata, since, created)
                && created > since
            {
                let arn = metadata.arn.to_string();
                let subject = Some(Subject::Key { key: id, kms: *kms, region: region.clone(), arn });
                Change { before, learned, subject, cause: outside() }.judge(raised);
            }
        }
        KeyEvent::RotationJobSet { job: None } => {
            if let Some(key) = before.filter(|key| key.rotation_job.is_some() && !key.is_ending() && !key.gone) {
                let message = "The key was taken off the schedule that rotated it.".to_owned();
                raised.push(facts(Condition::RotationOff, Subject::of_key(key), message, here()));
            }
        }
        KeyEvent::OperationRequested { .. }
        | KeyEvent::OperationFailed { .. }
        | KeyEvent::Vanished
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
fn judge_linked(
    state: &State,
    before: Option<&Key>,
    id: KeyId,
    learned: &[Aspect],
    cause: Cause,
    raised: &mut Vec<AlarmFacts>,
) {
    let mut learned = learned.to_vec();
    let has_policy = learned.iter().any(|aspect| matches!(aspect, Aspect::Policy(_)));
    let planned = before.and_then(|key| key.policy.clone()).filter(|_| !has_policy);
    learned.extend(planned.map(Aspect::Policy));
    let subject = subject(before, state, id, &learned);
    Change { before: None, learned: &learned, subject, cause }.judge(raised);
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

fn metadata_in(learned: &[Aspect]) -> Option<&KeyMetadata> {
    learned.iter().find_map(|aspect| match aspect {
        Aspect::Metadata(metadata) => Some(metadata.as_ref()),
        Aspect::Aliases(_)
        | Aspect::Tags(_)
        | Aspect::Policy(_)
        | Aspect::Rotation(_)
        | Aspect::ImportedMaterial(_)
        | Aspect::LastUse(_) => None,
    })
}

/// A change of what AWS reports of a key.
struct Change<'a> {
    before: Option<&'a Key>,
    learned: &'a [Aspect],
    subject: Option<Subject>,
    cause: Cause,
}

impl Change<'_> {
    fn judge(&self, raised: &mut Vec<AlarmFacts>) {
        let Some(subject) = &self.subject else { return };
        let mut add = |condition, message: String, due| {
            raised.push(AlarmFacts { due, ..facts(condition, subject.clone(), message, self.cause.clone()) });
        };
        for aspect in self.learned {
            match aspect {
                Aspect::Metadata(now) => {
                    if now.is_pending_deletion()
                        && !self.before.is_some_and(|before| before.metadata.is_pending_deletion())
                    {
                        let when = now.deletion_date.map_or_else(
                            || "once its replicas are deleted".to_owned(),
                            |at| format!("at {at}, unless the deletion is cancelled before"),
                        );
                        let message = format!("The deletion of the key is scheduled: AWS deletes it {when}.");
                        add(Condition::DeletionScheduled, message, now.deletion_date);
                    }
                    if now.state == KeyState::Disabled && self.before.is_some_and(|before| before.metadata.enabled) {
                        add(Condition::KeyDisabled, "The key was disabled.".to_owned(), None);
                    }
                }
                Aspect::Rotation(now) => {
                    let was_on = self.before.and_then(|before| before.rotation.as_ref()).is_some_and(|was| was.enabled);
                    if was_on && !now.enabled {
                        let message = "The automatic rotation of the key at AWS was switched off.".to_owned();
                        add(Condition::RotationOff, message, None);
                    }
                }
                Aspect::Policy(now) => {
                    let before = self.before.and_then(|before| before.policy.as_ref());
                    if let (Some(metadata), false) = (self.metadata(), before == Some(now)) {
                        let was = before.map(|text| text.as_str());
                        let (arn, account) = (metadata.arn.to_string(), metadata.account().to_string());
                        if let Some(message) = opened(was, now.as_str(), &arn, &account) {
                            add(Condition::PolicyOpened, message, None);
                        }
                    }
                }
                Aspect::Aliases(_) | Aspect::Tags(_) | Aspect::ImportedMaterial(_) | Aspect::LastUse(_) => {}
            }
        }
    }

    fn metadata(&self) -> Option<&KeyMetadata> {
        self.before.map(|key| &key.metadata).or_else(|| metadata_in(self.learned))
    }
}

/// Says whom a new policy admits that the old one did not, or what of it is new and cannot be read; `None` if there is
/// neither.
fn opened(before: Option<&str>, now: &str, arn: &str, account: &str) -> Option<String> {
    let (earlier, now) = (before.map(Summary::of).unwrap_or_default(), Summary::of(now));
    let (known, admitted) = (earlier.outsiders(arn, account), now.outsiders(arn, account));
    let new: Vec<&str> = admitted.difference(&known).map(String::as_str).collect();
    let mut told = Vec::new();
    if !new.is_empty() {
        let (named, more) = new.split_at(new.len().min(NAMED_MAX));
        let more = if more.is_empty() { String::new() } else { format!(" and {} others", more.len()) };
        told.push(format!("The policy of the key now admits {}{more}.", named.join("; ")));
    }
    if now.not_understood.iter().any(|part| !earlier.not_understood.contains(part)) {
        told.push("A part of the new policy cannot be read here: it may admit other accounts.".to_owned());
    }
    (!told.is_empty()).then(|| told.join(" "))
}

/// The most accounts and callers that a message names.
const NAMED_MAX: usize = 20;

fn of_store(state: &State, id: KeyStoreId, event: &KeyStoreEvent) -> Option<AlarmFacts> {
    let seen = match event {
        KeyStoreEvent::OperationDone { seen, .. } | KeyStoreEvent::OperationReconciled { seen, .. } => seen.as_ref()?,
        KeyStoreEvent::Observed { seen } | KeyStoreEvent::Linked { seen } => seen,
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
        | KeyStoreEvent::Found { .. }
        | KeyStoreEvent::PasswordTold { .. }
        | KeyStoreEvent::Warned { .. } => return None,
    };
    let store = state.key_stores.get(&id)?;
    let is_failed = |state: &ConnectionState| *state == ConnectionState::Failed;
    let was_failed = store.at_aws.as_ref().is_some_and(|before| is_failed(&before.connection_state));
    if was_failed || !is_failed(&seen.connection_state) {
        return None;
    }
    let code = seen.connection_error.as_deref().unwrap_or("no reason");
    let message = format!("AWS could not connect the key store; it reports {code}. Its keys cannot be used.");
    let (kms, region, name) = (store.kms, store.region.clone(), store.name.to_string());
    Some(facts(Condition::StoreFailed, Subject::KeyStore { store: id, kms, region, name }, message, Cause::Nobody))
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
