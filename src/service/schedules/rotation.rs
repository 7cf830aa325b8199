//! What a rotation run does: every key under the schedule that its plan takes gets new material, or a successor. One
//! key's failure is that key's alone. A run that was cut off goes on where it was.

use super::Schedules;
use crate::domain::id::{JobId, KeyId, ScheduleId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::event::{NATIVE, RotationJob};
use crate::domain::key::operation::{EncryptFor, Operation, RetiredKey};
use crate::domain::schedule::{KeyOutcome, RotationPlan, Run, RunOutcome, ScheduleCommand};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use crate::service::keys::{ImportRequest, OperationRequest, RotationRequest};
use std::time::Duration;

/// The pause between two looks at a key on which an operation is under way,
const LOOK: Duration = Duration::from_millis(500);
/// and how long it is looked at beyond the time after which AWS is believed, in seconds.
const TIMEOUT: u64 = 60;

impl Schedules {
    /// Rotates the keys under a schedule, one after the other.
    ///
    /// # Errors
    /// When what became of a key cannot be written down.
    pub(super) async fn rotate_keys(
        &self,
        change: &Change,
        id: ScheduleId,
        run: JobId,
        plan: &RotationPlan,
    ) -> Result<RunOutcome, Failure> {
        let keys: Vec<KeyId> = self.recorder.state().state.keys_under(id).collect();
        for key in keys {
            let Some((key, outcome)) = self.treat(change, id, run, key, plan).await else { continue };
            self.append(change, ScheduleCommand::RecordKey { id, run, key, outcome }).await?;
        }
        let published = self.recorder.state();
        let treated = published.state.schedules.runs.get(&run).map(|run| run.keys.clone()).unwrap_or_default();
        let failed = treated.iter().filter(|(_, outcome)| matches!(outcome, KeyOutcome::Failed(_))).count();
        Ok(match failed {
            0 => RunOutcome::Done,
            failed => RunOutcome::Failed(format!("{failed} of {} keys were not rotated", treated.len())),
        })
    }

    /// Rotates one key, and says what became of which; nothing if the run has no business with it.
    async fn treat(
        &self,
        change: &Change,
        id: ScheduleId,
        run: JobId,
        key: KeyId,
        plan: &RotationPlan,
    ) -> Option<(KeyId, KeyOutcome)> {
        self.wait_until_free(key).await;
        let published = self.recorder.state();
        let state = &published.state;
        let (run, key) = (state.schedules.runs.get(&run)?, state.keys.get(&key)?);
        match Progress::of(run, key) {
            Progress::Over => return None,
            Progress::Unnoted(key, outcome) => return Some((key, outcome)),
            Progress::Due => {}
        }
        // It may have been taken off the schedule since the run began.
        let job = key.rotation_job.as_ref().filter(|job| job.schedule == id)?;
        if !is_taken(plan, key, self.recorder.now()) {
            return None;
        }
        let rotated = self.rotate(change, state, key, job, plan).await;
        Some((key.id, rotated.unwrap_or_else(|failure| KeyOutcome::Failed(failure.to_string()))))
    }

    /// Rotates a key with material that AWS makes, or that a new source key gives; the source key goes if AWS takes
    /// nothing of it.
    async fn rotate(
        &self,
        change: &Change,
        state: &State,
        key: &Key,
        job: &RotationJob,
        plan: &RotationPlan,
    ) -> Result<KeyOutcome, Failure> {
        state.kms(key.kms)?.refuse_archived()?;
        // An earlier run may have imported material and not yet rotated to it.
        let mut key = key.clone();
        // Not by what was known of it when it was read last.
        if !plan.rotate_material {
            let read = self.keys.read_anew(change, &key).await?;
            key = read.published.state.key(key.id)?.as_ref().clone();
        }
        let key = &key;
        let waits = plan.rotate_material && job.key_source != NATIVE && self.keys.has_waiting_material(key).await?;
        let source = match job.key_source == NATIVE || waits {
            true => None,
            false => Some(self.keys.fresh_source_key(change, key).await?),
        };
        let import = source.map(|source| ImportRequest {
            source: source.to_string(),
            valid_to: plan.expiration.map(|span| span.after(self.recorder.now())),
            existing: false,
            material: None,
            description: None,
        });
        let (rotated, made) = match plan.rotate_material {
            true => (self.rotate_material(change, key, import).await, None),
            false => self.replace(change, key, import, job, plan).await,
        };
        if let (Err(failure), Some(source)) = (&rotated, source)
            && !self.may_be_imported(failure, made)
        {
            self.keys.drop_unused(change, source).await;
        }
        rotated
    }

    /// May AWS have the material, although the rotation failed? What is here may be its only other copy.
    fn may_be_imported(&self, failure: &Failure, made: Option<KeyId>) -> bool {
        let is_lost = matches!(failure, Failure::Cloud(cloud) if cloud.may_have_been_done());
        is_lost || made.is_some_and(|made| self.recorder.state().state.keys.get(&made).is_some())
    }

    async fn rotate_material(
        &self,
        change: &Change,
        key: &Key,
        import: Option<ImportRequest>,
    ) -> Result<KeyOutcome, Failure> {
        let on_key = |wanted| OperationRequest { key: key.id, kms: key.kms, region: key.region.clone(), wanted };
        if let Some(import) = import {
            let import = Operation::ImportMaterial(self.keys.checked_import(import)?);
            self.keys.operations.request(change, on_key(import)).await?;
        }
        self.keys.operations.request(change, on_key(Operation::RotateMaterial)).await?;
        Ok(KeyOutcome::MaterialRotated)
    }

    /// Replaces a key; says also which key was to be made.
    async fn replace(
        &self,
        change: &Change,
        key: &Key,
        import: Option<ImportRequest>,
        job: &RotationJob,
        plan: &RotationPlan,
    ) -> (Result<KeyOutcome, Failure>, Option<KeyId>) {
        let disable_encrypt = match (job.disable_encrypt_on_all_accounts, job.disable_encrypt) {
            (true, _) => Some(EncryptFor::AllAccounts),
            (false, true) => Some(EncryptFor::OwnAccount),
            (false, false) => None,
        };
        let old = RetiredKey { retain_alias: plan.retain_alias, disable_encrypt };
        let request = match self.keys.rotation(key, RotationRequest { description: None, import, old }) {
            Ok(request) => request,
            Err(failure) => return (Err(failure), None),
        };
        let new = request.key;
        (self.keys.operations.request(change, request).await.map(|_| KeyOutcome::ReplacedBy(new)), Some(new))
    }

    /// An operation that the last run of the program left open is ended by the reconciler; then it is known what became
    /// of the key.
    async fn wait_until_free(&self, key: KeyId) {
        let is_busy = || self.recorder.state().state.keys.get(&key).is_some_and(|key| key.pending.is_some());
        let free = async {
            while is_busy() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let timeout = Duration::from_secs(self.consistency_wait_seconds.unsigned_abs() + TIMEOUT);
        // If it is busy even then, the rotation itself says so.
        let _ = tokio::time::timeout(timeout, free).await;
    }
}

/// How far a run is with a key. A run that goes on after the end of the program finds keys whose rotation was done and
/// not written down in the run.
enum Progress {
    /// It has not had its turn.
    Due,
    /// It has had its turn, or it is what the run made.
    Over,
    /// This was done to this key, and is to be written down.
    Unnoted(KeyId, KeyOutcome),
}

impl Progress {
    fn of(run: &Run, key: &Key) -> Self {
        let since_then = |at: Option<Time>| at.is_some_and(|at| at >= run.started);
        if run.has_treated(key.id) {
            return Self::Over;
        }
        match (key.rotated_from, key.rotated_to) {
            (Some(old), _) if since_then(Some(key.created)) => match run.has_treated(old) {
                true => Self::Over,
                false => Self::Unnoted(old, KeyOutcome::ReplacedBy(key.id)),
            },
            (_, Some(new)) if since_then(key.rotated_at) => Self::Unnoted(key.id, KeyOutcome::ReplacedBy(new)),
            (_, None) if since_then(key.rotated_at) => Self::Unnoted(key.id, KeyOutcome::MaterialRotated),
            _ => Self::Due,
        }
    }
}

/// Does a plan take this key now?
fn is_taken(plan: &RotationPlan, key: &Key, now: Time) -> bool {
    let expires = plan.expire_in.is_none_or(|span| key.metadata.valid_to.is_some_and(|end| end <= span.after(now)));
    let since = key.rotated_at.or(key.metadata.created_at).unwrap_or(key.created);
    let is_old = plan.rotation_after.is_none_or(|span| span.after(since) <= now);
    expires && is_old && !key.gone && !key.metadata.is_pending_deletion()
}
