//! Keys as the target of operations: their pending operations in the state, and the course of an attempt.

use super::{KeyOperation, KeyStepError, Made, Work, of, request_of};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{DeleteAlias, ScheduleKeyDeletion};
use crate::domain::command::Command;
use crate::domain::id::{KeyId, KeyStoreId, OperationId};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::command::{KeyCommand, Outcome};
use crate::domain::key::days::DeletionWindow;
use crate::domain::key::follow_up;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::Operation;
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::domain::state::{PendingOperation, State};
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::cloud::{Cloud, RegionAccess};
use crate::service::failure::Failure;
use crate::service::key_stores::Serving;
use crate::service::keys::reading::{is_unreadable, read, read_back};
use crate::service::operations::{Attempt, OperationTarget, Progress, Stage};
use crate::service::recorder::Recorder;
use crate::service::source_keys::SourceKeys;
use futures_util::future::BoxFuture;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The pause in seconds before an operation that follows from others is tried again; it doubles each time.
const FIRST_RETRY_SECONDS: i64 = 30;
/// The longest such pause.
const LAST_RETRY_SECONDS: i64 = 3600;

/// The target, with the dependencies of the steps.
pub(in crate::service) struct KeyTarget {
    pub(super) recorder: Recorder,
    cloud: Arc<Cloud>,
    pub(super) source_keys: SourceKeys,
    pub(super) serving: Serving,
    /// The time in seconds after which a key that AWS does not show counts as never created.
    consistency_wait_seconds: i64,
    /// The keys for which operations follow from others, and when these may be tried again.
    retries: Mutex<HashMap<KeyId, Retry>>,
}

/// The tries of the operations that follow for one key.
#[derive(Default)]
struct Retry {
    tries: u32,
    /// When the next try is due; at once if `None`.
    next: Option<Time>,
}

impl Retry {
    /// Returns whether a try is due, and counts it.
    fn is_due(&mut self, now: Time) -> bool {
        if self.next.is_some_and(|next| next > now) {
            return false;
        }
        let wait = FIRST_RETRY_SECONDS.saturating_mul(1 << self.tries.min(7)).min(LAST_RETRY_SECONDS);
        *self = Self { tries: self.tries + 1, next: Some(now.plus_seconds(wait)) };
        true
    }
}

impl KeyTarget {
    pub(in crate::service) fn new(
        recorder: Recorder,
        cloud: Arc<Cloud>,
        source_keys: SourceKeys,
        serving: Serving,
        consistency_wait_seconds: i64,
    ) -> Self {
        Self { recorder, cloud, source_keys, serving, consistency_wait_seconds, retries: Mutex::default() }
    }

    /// Returns whether AWS shows a key by now that it created then.
    pub(super) fn is_consistent_since(&self, then: Time) -> bool {
        then.plus_seconds(self.consistency_wait_seconds) <= self.recorder.now()
    }

    /// AWS's id of a custom key store.
    pub(super) fn store_at_aws(&self, store: KeyStoreId) -> Result<String, Failure> {
        let published = self.recorder.state();
        let seen = published.state.key_store(store)?.at_aws.as_ref().map(|seen| seen.id.clone());
        seen.ok_or(Failure::Internal("a key in a store that AWS does not know"))
    }

    async fn read_other(&self, at: &RegionAccess, other: KeyId) -> Result<Option<(KeyId, Box<Snapshot>)>, AwsFailure> {
        let published = self.recorder.state();
        let Some(aws_id) = published.state.keys.get(&other).map(|key| key.aws_id().clone()) else { return Ok(None) };
        Ok(Some((other, Box::new(read(at, &aws_id).await?))))
    }

    async fn take_steps(&self, work: &Work<'_>, attempt: &Attempt<AwsKeyId>) -> Result<Made, KeyStepError> {
        match of(&work.pending.wanted) {
            KeyOperation::Makes(making) => {
                let made = match attempt {
                    Attempt::First => making.make(work).await?,
                    Attempt::Recovery { made: Some(made) } => Made { id: made.clone(), created: None },
                    Attempt::Recovery { made: None } => Made { id: making.find(work).await?, created: None },
                };
                making.finish(work, &made.id).await.map_err(|error| error.reaching(&made.id))?;
                Ok(made)
            }
            KeyOperation::Changes(change) => {
                let published = self.recorder.state();
                let id = published.state.key(work.pending.key).map_err(Failure::from)?.aws_id().clone();
                match attempt {
                    Attempt::First => change.change(work, &id).await?,
                    Attempt::Recovery { .. } => change.recover(work, &id).await?,
                }
                Ok(Made { id, created: None })
            }
        }
    }

    /// Schedules the deletion of a new key that does not serve its purpose, and returns the key as it is then.
    ///
    /// # Errors
    /// The reason why the key stays.
    async fn schedule_deletion(
        &self,
        pending: &PendingOperation,
        key: &AwsKeyId,
        seen: &Snapshot,
    ) -> Result<Box<Snapshot>, String> {
        match of(&pending.wanted) {
            KeyOperation::Makes(making) if making.is_unused(seen) => {}
            KeyOperation::Makes(_) | KeyOperation::Changes(_) => {
                return Err("it may be in use, because it has an alias of the old key".to_owned());
            }
        }
        let at =
            self.cloud.region_to_conclude(pending.kms, &pending.region).await.map_err(|failure| failure.to_string())?;
        // Otherwise the key would keep its aliases from other keys until it is deleted.
        let made = pending.wanted.new_aliases().iter();
        for alias in made.filter(|alias| seen.aliases.as_ref().is_some_and(|aliases| aliases.contains(alias))) {
            if let Err(failure) = at.call(DeleteAlias { alias: alias.clone() }).await {
                tracing::warn!(%alias, %failure, "an alias of a key that is undone could not be deleted");
            }
        }
        // A previous attempt may have scheduled it.
        if !seen.metadata.is_pending_deletion() {
            let call = ScheduleKeyDeletion { key: key.clone(), window: DeletionWindow::SHORTEST };
            at.call(call).await.map_err(|failure| failure.to_string())?;
        }
        let read = read_back(&at, key, |seen| seen.metadata.is_pending_deletion()).await;
        Ok(Box::new(read.unwrap_or_else(|failure| {
            tracing::warn!(%key, %failure, "a key whose deletion was scheduled could not be read");
            seen.clone()
        })))
    }

    /// Reads the other known keys of the same multi-region family, since the metadata of each key lists all of them,
    /// and records the result. If a read fails, a synchronisation reads the key later.
    async fn read_family(&self, change: &Change, pending: &PendingOperation, seen: &Snapshot) {
        let aws_id = seen.metadata.key_id();
        for relative in self.recorder.state().state.family(seen.metadata.account(), aws_id) {
            if relative.id == pending.key || relative.gone {
                continue;
            }
            let (id, kms, region) = (relative.id, relative.kms, relative.region.clone());
            let reading = async {
                let at = self.cloud.region_to_conclude(kms, &region).await?;
                let seen = Box::new(read(&at, aws_id).await?);
                let command = KeyCommand::Observe { id, kms, region, seen };
                self.recorder.append(change, Command::Key(command)).await
            };
            if let Err(failure) = reading.await {
                tracing::warn!(key = %id, %failure, "another key of a multi-region family could not be read");
            }
        }
    }
}

impl OperationTarget for KeyTarget {
    type Pending = PendingOperation;
    type Handle = AwsKeyId;
    type Created = KeyMetadata;
    type Seen = Box<Snapshot>;
    type Related = (KeyId, Box<Snapshot>);

    fn open(&self, state: &State) -> Vec<OperationId> {
        state.operations.keys().copied().collect()
    }

    fn pending(&self, state: &State, operation: OperationId) -> Option<PendingOperation> {
        state.operations.get(&operation).cloned()
    }

    fn following(&self, state: &State) -> Vec<(OperationId, Command)> {
        let now = self.recorder.now();
        let following = follow_up::all(state, now);
        let mut retries = self.retries.lock().unwrap_or_else(PoisonError::into_inner);
        let keys: HashSet<KeyId> = following.iter().map(|(key, _)| *key).collect();
        retries.retain(|key, _| keys.contains(key));
        let due: HashSet<KeyId> = keys.into_iter().filter(|key| retries.entry(*key).or_default().is_due(now)).collect();
        let due = following.into_iter().filter(|(key, _)| due.contains(key));
        due.filter_map(|(key, wanted)| request_of(state, key, wanted)).collect()
    }

    fn handle(&self, state: &State, pending: &PendingOperation) -> Option<AwsKeyId> {
        let key = state.keys.get(&pending.key).filter(|key| !key.is_unlinked())?;
        Some(key.aws_id().clone())
    }

    fn conclusion(
        &self,
        operation: OperationId,
        outcome: Outcome<Box<Snapshot>>,
        related: Option<(KeyId, Box<Snapshot>)>,
    ) -> Command {
        Command::Key(KeyCommand::Conclude { operation, outcome, related })
    }

    fn makes(&self, pending: &PendingOperation) -> bool {
        pending.wanted.creates_a_key()
    }

    fn is_complete(&self, state: &State, pending: &PendingOperation, seen: &Box<Snapshot>) -> bool {
        match of(&pending.wanted) {
            KeyOperation::Makes(making) => making.is_complete(state, seen),
            KeyOperation::Changes(_) => false,
        }
    }

    fn undo<'a>(
        &'a self,
        pending: &'a PendingOperation,
        key: &'a AwsKeyId,
        seen: Box<Snapshot>,
    ) -> BoxFuture<'a, (Box<Snapshot>, String)> {
        Box::pin(async move {
            let named = format!("key {} ({key}), which was made before,", pending.key);
            match self.schedule_deletion(pending, key, &seen).await {
                Ok(ending) => (ending, format!("{named} is deleted in {} days", DeletionWindow::SHORTEST.days())),
                Err(why) => (seen, format!("{named} is still there: {why}")),
            }
        })
    }

    fn is_forgotten(&self, failure: &Failure) -> bool {
        matches!(failure, Failure::Refused(Refusal::Key(KeyRefusal::Unknown(_))))
    }

    fn is_unreadable(&self, failure: &AwsFailure) -> bool {
        is_unreadable(failure)
    }

    fn assumed(
        &self,
        state: &State,
        pending: &PendingOperation,
        created: Option<KeyMetadata>,
    ) -> Option<Box<Snapshot>> {
        let known = state.keys.get(&pending.key).filter(|_| !self.makes(pending));
        let metadata = known.map(|known| known.metadata.clone()).or(created)?;
        let policy = match of(&pending.wanted) {
            KeyOperation::Makes(making) => making.policy().cloned(),
            KeyOperation::Changes(change) => change.policy().cloned(),
        };
        Some(Box::new(Snapshot {
            metadata,
            aliases: None,
            tags: None,
            policy,
            rotation: None,
            last_use: None,
            imported: None,
        }))
    }

    fn attempt<'a>(
        &'a self,
        operation: OperationId,
        pending: &'a PendingOperation,
        attempt: &'a Attempt<AwsKeyId>,
    ) -> BoxFuture<'a, Result<Progress<Self>, KeyStepError>> {
        Box::pin(async move {
            // Whatever fails here, AWS has not received the operation yet.
            let at = self.cloud.region_to_conclude(pending.kms, &pending.region).await;
            let at = at.map_err(|failure| KeyStepError::from(failure).with(Stage::Refused))?;
            let work = Work { target: self, at, operation, pending, imported: OnceLock::new() };
            let Made { id, created } = self.take_steps(&work, attempt).await?;
            let unread = |failure: AwsFailure| KeyStepError {
                created: created.clone(),
                ..KeyStepError::from(failure).reaching(&id).with(Stage::Unread)
            };
            let shows = |seen: &Snapshot| match of(&pending.wanted) {
                KeyOperation::Makes(making) => making.shows(seen),
                KeyOperation::Changes(change) => change.shows(seen),
            };
            // In a recovery the first read of a key that is there counts: another change may have followed the
            // operation.
            let is_there = |seen: &Snapshot| seen.metadata.state != KeyState::Creating;
            let suffices = |seen: &Snapshot| if attempt.is_first() { shows(seen) } else { is_there(seen) };
            let seen = read_back(&work.at, &id, suffices).await.map_err(unread)?;
            let related = match pending.wanted.also_affects() {
                Some(other) => self.read_other(&work.at, other).await.map_err(unread)?,
                None => None,
            };
            let seen = Snapshot { imported: work.imported.into_inner(), ..seen };
            Ok(Progress::Done { seen: Box::new(seen), related })
        })
    }

    fn read<'a>(
        &'a self,
        pending: &'a PendingOperation,
        key: &'a AwsKeyId,
    ) -> BoxFuture<'a, Result<Box<Snapshot>, Failure>> {
        Box::pin(async move {
            let at = self.cloud.region_to_conclude(pending.kms, &pending.region).await?;
            Ok(Box::new(read(&at, key).await?))
        })
    }

    fn read_related<'a>(&'a self, pending: &'a PendingOperation) -> BoxFuture<'a, Option<(KeyId, Box<Snapshot>)>> {
        Box::pin(async move {
            let other = pending.wanted.also_affects()?;
            let at = self.cloud.region_to_conclude(pending.kms, &pending.region).await.ok()?;
            self.read_other(&at, other).await.ok().flatten()
        })
    }

    fn before_outcome<'a>(
        &'a self,
        change: &'a Change,
        pending: &'a PendingOperation,
        seen: &'a Box<Snapshot>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if pending.wanted.changes_family() {
                self.read_family(change, pending, seen).await;
            }
        })
    }

    fn after_outcome<'a>(&'a self, _change: &'a Change, pending: &'a PendingOperation) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Operation::Link { store, .. } = pending.wanted {
                match self.recorder.state().state.keys.get(&pending.key) {
                    Some(_) => self.serving.publish_key(pending.key),
                    None => self.serving.remove_key(store, pending.key),
                }
            }
        })
    }

    fn record_if_vanished<'a>(&'a self, change: &'a Change, pending: &'a PendingOperation) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let published = self.recorder.state();
            let known = published.state.keys.get(&pending.key).filter(|key| !key.is_unlinked());
            let Some(key) = known else { return };
            let seen = self.read(pending, key.aws_id()).await;
            if !matches!(seen, Err(Failure::Cloud(cloud)) if cloud.is_not_found()) {
                return;
            }
            let command = Command::Key(KeyCommand::RecordVanished { id: key.id });
            if let Err(failure) = self.recorder.append(change, command).await {
                tracing::warn!(key = %key.id, %failure, "a key that AWS no longer has could not be recorded as gone");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_tried_less_and_less_often() {
        let (mut retry, mut now, mut tries) = (Retry::default(), Time::from_nanos(0), Vec::new());
        for second in 0..40_000 {
            now = Time::from_nanos(second * 1_000_000_000);
            if retry.is_due(now) {
                tries.push(second);
            }
        }
        assert_eq!(tries[..5], [0, 30, 90, 210, 450]);
        assert!(
            tries.windows(2).all(|pair| pair[1] - pair[0] <= 3600) && now.seconds() - tries[tries.len() - 1] <= 3600
        );
    }
}
