//! The work of a rotation run: each key of the schedule that its plan selects gets new material, or is replaced by a
//! new key. The failure of one key does not affect the others. An interrupted run continues where it stopped.

use super::Schedules;
use crate::domain::id::{JobId, KeyId, ScheduleId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::event::{NATIVE, RotationJob};
use crate::domain::key::operation::{EncryptFor, RetiredKey};
use crate::domain::schedule::{KeyOutcome, RotationPlan, Run, RunOutcome, ScheduleCommand};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use crate::service::keys::{ImportRequest, RotationRequest};
use std::time::Duration;

/// The interval at which a key or a key store with a pending operation is checked.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The time in seconds, beyond the consistency wait, after which a run no longer waits for a pending operation.
const EXTRA_WAIT_SECONDS: u64 = 60;

impl Schedules {
    /// Rotates the keys of a schedule, one after the other.
    ///
    /// # Errors
    /// When the result of a key cannot be recorded.
    pub(super) async fn rotate_keys(
        &self,
        change: &Change,
        id: ScheduleId,
        run: JobId,
        plan: &RotationPlan,
    ) -> Result<RunOutcome, Failure> {
        let keys: Vec<KeyId> = self.recorder.state().state.keys_under(id).collect();
        for key in keys {
            let Some((key, outcome)) = self.process(change, id, run, key, plan).await else { continue };
            self.append(change, ScheduleCommand::RecordKey { id, run, key, outcome }).await?;
        }
        let published = self.recorder.state();
        let processed = published.state.schedules.runs.get(&run).map(|run| run.keys.clone()).unwrap_or_default();
        let failed = processed.iter().filter(|(_, outcome)| matches!(outcome, KeyOutcome::Failed(_))).count();
        Ok(match failed {
            0 => RunOutcome::Done,
            failed => RunOutcome::Failed(format!("{failed} of {} keys were not rotated", processed.len())),
        })
    }

    /// Rotates one key, and returns the key and its outcome to record; `None` if there is nothing to record.
    async fn process(
        &self,
        change: &Change,
        id: ScheduleId,
        run: JobId,
        key: KeyId,
        plan: &RotationPlan,
    ) -> Option<(KeyId, KeyOutcome)> {
        self.wait_until_idle(key).await;
        let published = self.recorder.state();
        let state = &published.state;
        let (run, key) = (state.schedules.runs.get(&run)?, state.keys.get(&key)?);
        match Progress::of(run, key) {
            Progress::Recorded => return None,
            Progress::Unrecorded(key, outcome) => return Some((key, outcome)),
            Progress::Due => {}
        }
        // The key may have been removed from the schedule since the run started.
        let job = key.rotation_job.as_ref().filter(|job| job.schedule == id)?;
        let is_selected = plan.rotates_from(key).is_some_and(|from| from <= self.recorder.now());
        if state.is_gone(key) || !is_selected {
            return None;
        }
        let rotated = self.rotate(change, state, key, job, plan).await;
        Some((key.id, rotated.unwrap_or_else(|failure| KeyOutcome::Failed(failure.to_string()))))
    }

    /// Rotates a key with material from AWS or from a new source key.
    async fn rotate(
        &self,
        change: &Change,
        state: &State,
        key: &Key,
        job: &RotationJob,
        plan: &RotationPlan,
    ) -> Result<KeyOutcome, Failure> {
        state.kms(key.kms)?.refuse_archived()?;
        if key.hyok.is_some() {
            self.keys.rotate_hyok_as(change, state, key.id, None).await?;
            return Ok(KeyOutcome::MaterialRotated);
        }
        // AWS generates no material for a key with imported material, whatever the schedule says.
        let is_native = job.key_source == NATIVE && key.metadata.origin != Origin::External;
        let import = || ImportRequest {
            names_tier: true,
            valid_to: plan.expiration.map(|span| span.after(self.recorder.now())),
            ..ImportRequest::default()
        };
        // AWS cannot rotate the material of a key in a CloudHSM cluster.
        if plan.rotate_material && key.metadata.origin != Origin::AwsCloudHsm {
            // An earlier run may have imported material without rotating to it.
            let is_imported = !is_native && self.keys.has_pending_material(key).await?;
            let import = (!is_native && !is_imported).then(import);
            self.keys.rotate_material_as(change, key, import).await?;
            return Ok(KeyOutcome::MaterialRotated);
        }
        // The new key must copy the current content of the old one, not the last known one.
        let read = self.keys.read_again(change, key).await?;
        let disable_encrypt = match (job.disable_encrypt_on_all_accounts, job.disable_encrypt) {
            (true, _) => Some(EncryptFor::AllAccounts),
            (false, true) => Some(EncryptFor::OwnAccount),
            (false, false) => None,
        };
        let old = RetiredKey { retain_alias: plan.retain_alias, disable_encrypt };
        let request = RotationRequest { description: None, import: (!is_native).then(import), old };
        let (new, replaced) = self.keys.replace(change, read.published.state.key(key.id)?, request).await?;
        replaced.map(|_| KeyOutcome::ReplacedBy(new))
    }

    /// Waits until the reconciliation has ended an operation that was pending when the program ended.
    async fn wait_until_idle(&self, key: KeyId) {
        let is_busy = || self.recorder.state().state.keys.get(&key).is_some_and(|key| key.pending.is_some());
        let idle = async {
            while is_busy() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        // If the key is still busy, the rotation fails with that reason.
        let _ = tokio::time::timeout(self.idle_timeout(), idle).await;
    }

    /// The time after which a run no longer waits for a pending operation.
    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.options.consistency_wait_seconds.unsigned_abs() + EXTRA_WAIT_SECONDS)
    }
}

/// The progress of a run with a key. After a restart, a key may have been rotated without a record of it in the run.
enum Progress {
    /// The run has not processed the key.
    Due,
    /// The run has recorded an outcome for the key, or has created the key.
    Recorded,
    /// The run has rotated this key, and must still record the outcome.
    Unrecorded(KeyId, KeyOutcome),
}

impl Progress {
    fn of(run: &Run, key: &Key) -> Self {
        let since_then = |at: Option<Time>| at.is_some_and(|at| at >= run.started);
        if run.has_treated(key.id) {
            return Self::Recorded;
        }
        match (key.rotated_from, key.rotated_to) {
            (Some(old), _) if since_then(Some(key.created)) => match run.has_treated(old) {
                true => Self::Recorded,
                false => Self::Unrecorded(old, KeyOutcome::ReplacedBy(key.id)),
            },
            (_, Some(new)) if since_then(key.rotated_at) => Self::Unrecorded(key.id, KeyOutcome::ReplacedBy(new)),
            (_, None) if since_then(key.rotated_at) => Self::Unrecorded(key.id, KeyOutcome::MaterialRotated),
            _ => Self::Due,
        }
    }
}
