//! How an operation on a key reaches AWS: the intent is written down, AWS is asked, the outcome is written down. Once
//! the intent is in the log the work goes on even if the caller goes away, and a start after a crash ends it.

use super::perform::{Broken, Performed, Way};
use crate::aws::failure::AwsFailure;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::command::{KeyCommand, Outcome};
use crate::domain::key::operation::Operation;
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::state::{Command, Underway};
use crate::ledger::Committed;
use crate::service::Core;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use std::sync::Arc;
use uuid::Uuid;

/// An operation that nobody has heard of yet.
pub struct Effect {
    /// On which key: one of ours, or a new one.
    pub key: KeyId,
    /// Of which KMS.
    pub kms: KmsId,
    /// In which region.
    pub region: Region,
    /// What.
    pub wanted: Operation,
}

impl Effect {
    /// Writes the intent down, asks AWS, and writes the outcome down.
    ///
    /// # Errors
    /// What stands against it here, or what AWS says.
    pub async fn carry_out(self, core: &Arc<Core>, change: &Change) -> Result<Committed, Failure> {
        let operation = OperationId::new(Uuid::new_v4());
        let Self { key: id, kms, region, wanted } = self;
        let request = KeyCommand::Request { id, operation, kms, region, wanted: Box::new(wanted) };
        let requested = core.record(change, Command::Key(request)).await?;
        if change.dry_run {
            return Ok(requested);
        }
        let Some(underway) = requested.published.state.operations.get(&operation).cloned() else {
            return Err(Failure::Broken("a requested operation is not in the state"));
        };
        let (core, change) = (core.clone(), change.done());
        let runtime = core.runtime.clone();
        let ending = async move { core.end(&change, operation, &underway, Way::Fresh).await };
        runtime.spawn(ending).await.map_err(|_| Failure::Broken("the program is stopping"))?
    }
}

impl Core {
    /// Performs an operation whose intent is written down, and writes down what came of it.
    pub(super) async fn end(
        &self,
        change: &Change,
        operation: OperationId,
        underway: &Underway,
        way: Way,
    ) -> Result<Committed, Failure> {
        match self.perform(operation, underway, way).await {
            Ok(Performed { seen, beside }) => {
                if underway.wanted.changes_family() {
                    self.look_at_relatives(change, underway, &seen).await;
                }
                let seen = Box::new(seen);
                let outcome = if way == Way::Fresh { Outcome::Done(seen) } else { Outcome::Reconciled(seen) };
                let beside = beside.map(|(key, seen)| (key, Box::new(seen)));
                self.conclude(change, KeyCommand::Conclude { operation, outcome, beside }).await
            }
            Err(broken) => Err(self.note_broken(change, operation, underway, way, broken).await),
        }
    }

    /// Writes down what AWS holds now of the known keys of the same multi-region family: each tells of all. Before the
    /// outcome, so that a crash in between makes up for it; what cannot be read now, a synchronisation will read.
    async fn look_at_relatives(&self, change: &Change, underway: &Underway, seen: &Snapshot) {
        let aws_id = seen.facts.key_id();
        for relative in self.state().state.family(seen.facts.account(), aws_id) {
            if relative.id == underway.key || relative.gone {
                continue;
            }
            let (id, kms, region) = (relative.id, relative.kms, relative.region.clone());
            let seen = match self.place(kms, &region).await {
                Ok(place) => self.read(&place, aws_id).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            let noted = match seen {
                Ok(seen) => self.conclude(change, KeyCommand::Observe { id, kms, region, seen: Box::new(seen) }).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = noted {
                tracing::warn!(key = %id, %failure, "a relative of a multi-region key could not be looked at");
            }
        }
    }

    /// Writes down how far an operation came that did not come to its end. If AWS cannot be asked what it did, the
    /// operation stays open, and the reconciler asks later.
    async fn note_broken(
        &self,
        change: &Change,
        operation: OperationId,
        underway: &Underway,
        way: Way,
        broken: Broken,
    ) -> Failure {
        let Broken { failure, uncertain, reached } = broken;
        let uncertain = uncertain || (way == Way::Again && reached.is_none() && tells_nothing(&failure));
        let reached = match (reached, uncertain) {
            (Some(key), _) => Some(Some(key)),
            (None, true) => self.find_trace(operation, underway).await.ok(),
            (None, false) => Some(None),
        };
        let outcome = match reached {
            // Not even that is known.
            None => return failure,
            Some(None) => Outcome::Failed(failure.to_string()),
            Some(Some(_)) if !uncertain && !underway.wanted.makes_a_key() => Outcome::Failed(failure.to_string()),
            Some(Some(key)) => match self.look(underway, &key).await {
                // Steps were left: AWS refused one, or its answer to one of several keys' changes was lost.
                Ok(seen) if underway.wanted.makes_a_key() && (!uncertain || underway.wanted.touches().is_some()) => {
                    Outcome::Halfway { reason: failure.to_string(), seen: Box::new(seen) }
                }
                Ok(seen) => Outcome::Reconciled(Box::new(seen)),
                Err(_) => return failure,
            },
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        // What has changed of the other key, if it can be read; else a synchronisation will.
        let beside = match underway.wanted.touches() {
            Some(other) => self.look_at(underway, other).await.ok().flatten(),
            None => None,
        };
        let beside = beside.map(|(key, seen)| (key, Box::new(seen)));
        let conclusion = KeyCommand::Conclude { operation, outcome, beside };
        if let Err(worse) = self.conclude(change, conclusion).await {
            return worse;
        }
        if failed && matches!(&failure, Failure::Cloud(cloud) if cloud.is_not_found()) {
            self.note_if_vanished(change, underway).await;
        }
        failure
    }

    /// Writes down that AWS does not have a key any more, if that is why it does not know what was asked for.
    async fn note_if_vanished(&self, change: &Change, underway: &Underway) {
        let Some(key) = self.state().state.keys.get(&underway.key).cloned() else { return };
        let gone =
            matches!(self.look(underway, key.aws_id()).await, Err(Failure::Cloud(cloud)) if cloud.is_not_found());
        if gone && let Err(failure) = self.conclude(change, KeyCommand::NoteVanished { id: key.id }).await {
            tracing::warn!(key = %key.id, %failure, "it could not be written down that AWS does not have a key any more");
        }
    }

    pub(super) async fn conclude(&self, change: &Change, command: KeyCommand) -> Result<Committed, Failure> {
        self.record(change, Command::Key(command)).await
    }
}

/// Does a failure to look for what was done leave it as open as before?
fn tells_nothing(failure: &Failure) -> bool {
    match failure {
        Failure::Cloud(cloud) => !matches!(cloud, AwsFailure::Refused { .. }),
        Failure::Refused(refusal) => matches!(refusal, Refusal::ConnectionLeadsElsewhere { .. }),
        _ => false,
    }
}
