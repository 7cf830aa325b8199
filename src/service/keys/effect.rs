//! How an operation on a key reaches AWS: the intent is written down, AWS is asked, the outcome is written down. Once
//! the intent is in the log the work goes on even if the caller goes away, and a start after a crash ends it.

use super::at_work::Claim;
use super::perform::{Broken, Performed, Stage, Way};
use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::DescribeKey;
use crate::aws::operation::AwsOperation;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::command::{KeyCommand, Outcome};
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::Operation;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::domain::state::{Command, PendingOperation};
use crate::ledger::Committed;
use crate::service::Core;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use std::sync::Arc;
use uuid::Uuid;

/// An operation that nobody has heard of yet.
pub(crate) struct Effect {
    /// On which key: one of ours, or a new one.
    pub key: KeyId,
    pub kms: KmsId,
    pub region: Region,
    pub wanted: Operation,
}

impl Effect {
    /// Writes the intent down, asks AWS, and writes the outcome down.
    ///
    /// # Errors
    /// What stands against it here, or what AWS says.
    pub(crate) async fn carry_out(self, core: &Arc<Core>, change: &Change) -> Result<Committed, Failure> {
        let operation = OperationId::new(Uuid::new_v4());
        let claim = core.at_work.claim(operation);
        let Self { key: id, kms, region, wanted } = self;
        let request = KeyCommand::Request { id, operation, kms, region, wanted: Box::new(wanted) };
        let requested = core.record(change, Command::Key(request)).await?;
        if change.dry_run {
            return Ok(requested);
        }
        let Some(pending) = requested.published.state.operations.get(&operation).cloned() else {
            return Err(Failure::Internal("a requested operation is not in the state"));
        };
        let (core, change) = (core.clone(), change.done());
        let runtime = core.runtime.clone();
        let ending = async move {
            let _claim: Option<Claim> = claim;
            core.end(&change, operation, &pending, Way::Fresh).await
        };
        runtime.spawn(ending).await.map_err(|_| Failure::Internal("the program is stopping"))?
    }
}

impl Core {
    /// Performs an operation whose intent is written down, and writes down what came of it.
    pub(super) async fn end(
        &self,
        change: &Change,
        operation: OperationId,
        pending: &PendingOperation,
        way: Way,
    ) -> Result<Committed, Failure> {
        self.end_with(change, operation, pending, way, None).await
    }

    /// The same, where the key that was made may be known.
    async fn end_with(
        &self,
        change: &Change,
        operation: OperationId,
        pending: &PendingOperation,
        way: Way,
        made: Option<&AwsKeyId>,
    ) -> Result<Committed, Failure> {
        match self.perform(operation, pending, way, made).await {
            Ok(Performed { seen, related }) => self.note_done(change, operation, pending, way, seen, related).await,
            Err(broken) if broken.stage == Stage::Reading => {
                self.read_late(change, operation, pending, way, broken).await
            }
            Err(broken) => {
                if way == Way::Fresh && broken.stage == Stage::Unknown && pending.wanted.makes_a_key() {
                    return self.find_and_end(change, operation, pending, broken).await;
                }
                Err(self.note_broken(change, operation, pending, way, broken).await)
            }
        }
    }

    async fn note_done(
        &self,
        change: &Change,
        operation: OperationId,
        pending: &PendingOperation,
        way: Way,
        seen: Snapshot,
        related: Option<(KeyId, Snapshot)>,
    ) -> Result<Committed, Failure> {
        if pending.wanted.changes_family() {
            self.look_at_relatives(change, pending, &seen).await;
        }
        let seen = Box::new(seen);
        let outcome = if way == Way::Fresh { Outcome::Done(seen) } else { Outcome::Reconciled(seen) };
        let related = related.map(|(key, seen)| (key, Box::new(seen)));
        self.conclude(change, KeyCommand::Conclude { operation, outcome, related }).await
    }

    /// What has changed of another key, if it can be read; else a synchronisation will.
    async fn related(&self, pending: &PendingOperation) -> Option<(KeyId, Snapshot)> {
        self.look_at(pending, pending.wanted.also_affects()?).await.ok().flatten()
    }

    /// Looks for the key that may have been made when an answer was lost, and takes the steps that are left.
    async fn find_and_end(
        &self,
        change: &Change,
        operation: OperationId,
        pending: &PendingOperation,
        lost: Broken,
    ) -> Result<Committed, Failure> {
        let (failure, made) = (lost.failure, lost.reached);
        let again = self.end_with(change, operation, pending, Way::Again, made.as_deref());
        match Box::pin(again).await {
            // Whoever reads that the look was refused would believe that nothing was done.
            Err(_) if self.state().state.operations.contains_key(&operation) => Err(failure),
            Err(Failure::Interrupted) => Err(failure),
            ended => ended,
        }
    }

    /// All is done, and what AWS holds now could not be read. If it cannot be read now either, it will be later; but a key
    /// that is gone, or that may not be read any more, is not waited for.
    async fn read_late(
        &self,
        change: &Change,
        operation: OperationId,
        pending: &PendingOperation,
        way: Way,
        broken: Broken,
    ) -> Result<Committed, Failure> {
        let Broken { failure, reached, metadata, .. } = broken;
        let Some(key) = reached else { return Err(failure) };
        let known = self.state().state.keys.get(&pending.key).filter(|_| !pending.wanted.makes_a_key()).cloned();
        let seen = match (self.look(pending, &key).await, known) {
            (Ok(seen), _) => seen,
            (Err(Failure::Cloud(cloud)), Some(_)) if cloud.is_not_found() => {
                let outcome = Outcome::Failed(failure.to_string());
                self.conclude(change, KeyCommand::Conclude { operation, outcome, related: None }).await?;
                self.note_if_vanished(change, pending).await;
                return Err(failure);
            }
            (Err(Failure::Cloud(cloud)), known) if way == Way::Fresh && is_unreadable(&cloud) => {
                match as_done(known.as_deref(), metadata, &pending.wanted) {
                    Some(seen) => seen,
                    None => return Err(failure),
                }
            }
            _ => return Err(failure),
        };
        let related = self.related(pending).await;
        self.note_done(change, operation, pending, way, seen, related).await
    }

    /// Writes down what AWS holds now of the known keys of the same multi-region family: each tells of all. Before the
    /// outcome, so that a crash in between makes up for it; what cannot be read now, a synchronisation will read.
    async fn look_at_relatives(&self, change: &Change, pending: &PendingOperation, seen: &Snapshot) {
        let aws_id = seen.metadata.key_id();
        for relative in self.state().state.family(seen.metadata.account(), aws_id) {
            if relative.id == pending.key || relative.gone {
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
        pending: &PendingOperation,
        way: Way,
        broken: Broken,
    ) -> Failure {
        let Broken { failure, stage, reached, metadata: _ } = broken;
        let is_known = match (stage, way) {
            (Stage::Refused, Way::Fresh) => true,
            // Without a word of AWS's about the key, what stops the look says nothing of what was done before; and what
            // was only held up can go on later.
            (Stage::Refused, Way::Again) => {
                let is_over =
                    matches!(failure, Failure::Interrupted | Failure::Refused(Refusal::Key(KeyRefusal::Unknown(_))));
                is_over || (reached.is_some() && is_final(&failure))
            }
            (Stage::Unknown | Stage::Reading, _) => false,
        };
        if way == Way::Again && !is_known {
            return failure;
        }
        let known = || self.state().state.keys.get(&pending.key).map(|key| key.aws_id().clone());
        let makes = pending.wanted.makes_a_key();
        let outcome = match reached.map(|reached| *reached).or_else(known) {
            // An import that is refused the second time may have been done the first.
            _ if is_known && !makes && way == Way::Fresh => Outcome::Failed(failure.to_string()),
            None => Outcome::Failed(failure.to_string()),
            Some(key) => match self.look(pending, &key).await {
                Ok(seen) if makes && !self.is_handed_over(pending, &seen) => {
                    Outcome::Halfway { reason: failure.to_string(), seen: Box::new(seen) }
                }
                Ok(seen) => Outcome::Reconciled(Box::new(seen)),
                // Not even that is known.
                Err(_) => return failure,
            },
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        let related = self.related(pending).await.map(|(key, seen)| (key, Box::new(seen)));
        let conclusion = KeyCommand::Conclude { operation, outcome, related };
        if let Err(worse) = self.conclude(change, conclusion).await {
            return worse;
        }
        if failed && matches!(&failure, Failure::Cloud(cloud) if cloud.is_not_found()) {
            self.note_if_vanished(change, pending).await;
        }
        failure
    }

    /// Has a key that was made to replace another all of its aliases, and material? Then it has taken its place, whatever
    /// failed after that, and the schedule must go on with it.
    fn is_handed_over(&self, pending: &PendingOperation, seen: &Snapshot) -> bool {
        let Operation::Rotate { from, .. } = &pending.wanted else { return false };
        let (state, aliases) = (self.state(), seen.aliases.as_deref().unwrap_or_default());
        let old = state.state.keys.get(from);
        seen.metadata.state != KeyState::PendingImport
            && old.is_some_and(|old| old.aliases.iter().all(|alias| aliases.contains(alias)))
    }

    /// Writes down that AWS does not have a key any more, if that is why it does not know what was asked for.
    async fn note_if_vanished(&self, change: &Change, pending: &PendingOperation) {
        let Some(key) = self.state().state.keys.get(&pending.key).cloned() else { return };
        let gone = matches!(self.look(pending, key.aws_id()).await, Err(Failure::Cloud(cloud)) if cloud.is_not_found());
        if gone && let Err(failure) = self.conclude(change, KeyCommand::NoteVanished { id: key.id }).await {
            tracing::warn!(key = %key.id, %failure, "it could not be written down that AWS does not have a key any more");
        }
    }

    pub(super) async fn conclude(&self, change: &Change, command: KeyCommand) -> Result<Committed, Failure> {
        self.record(change, Command::Key(command)).await
    }
}

/// Would it fail again however often it is tried?
fn is_final(failure: &Failure) -> bool {
    match failure {
        Failure::Cloud(cloud @ AwsFailure::Refused { .. }) => cloud.operation() != AwsOperation::ASSUME_ROLE,
        failure => matches!(failure, Failure::Refused(_)),
    }
}

/// May the key itself not be read? What keeps from AWS altogether says nothing of the key.
fn is_unreadable(cloud: &AwsFailure) -> bool {
    cloud.is_denied() && cloud.operation() == DescribeKey::OPERATION
}

/// A key that AWS changed or made and does not show: as it was known or told, but for what was put.
fn as_done(known: Option<&Key>, told: Option<Box<KeyMetadata>>, done: &Operation) -> Option<Snapshot> {
    let metadata = known.map(|known| known.metadata.clone()).or(told.map(|told| *told))?;
    let policy = match done {
        Operation::PutPolicy { policy, .. } => Some(policy.clone()),
        Operation::Create(new) | Operation::Upload { new, .. } | Operation::Rotate { new, .. } => new.policy.clone(),
        Operation::Replicate { new, .. } => new.policy.clone(),
        Operation::Enable
        | Operation::Disable
        | Operation::Describe { .. }
        | Operation::Tag { .. }
        | Operation::Untag { .. }
        | Operation::AddAlias { .. }
        | Operation::DeleteAlias { .. }
        | Operation::EnableRotation { .. }
        | Operation::DisableRotation
        | Operation::RotateMaterial
        | Operation::ImportMaterial(_)
        | Operation::DeleteMaterial { .. }
        | Operation::ScheduleDeletion { .. }
        | Operation::CancelDeletion
        | Operation::MovePrimary { .. } => None,
    };
    Some(Snapshot { metadata, aliases: None, tags: None, policy, rotation: None })
}
