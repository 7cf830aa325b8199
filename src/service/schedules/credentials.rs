//! The work of a run that rotates credentials: each key store of the schedule gets a new credential, which AWS is told.
//! The failure of one store does not affect the others. An interrupted run continues where it stopped.

use super::Schedules;
use super::rotation::POLL_INTERVAL;
use crate::domain::id::{JobId, KeyStoreId, ScheduleId};
use crate::domain::key_store::KeyStore;
use crate::domain::schedule::{Run, RunOutcome, ScheduleCommand, StoreOutcome};
use crate::service::caller::Change;
use crate::service::failure::Failure;

impl Schedules {
    /// Rotates the credentials of the stores of a schedule, one after the other.
    ///
    /// # Errors
    /// When the result of a store cannot be recorded.
    pub(super) async fn rotate_credentials(
        &self,
        change: &Change,
        id: ScheduleId,
        run: JobId,
    ) -> Result<RunOutcome, Failure> {
        let stores: Vec<KeyStoreId> = self.recorder.state().state.stores_under(id).collect();
        for store in stores {
            let Some(outcome) = self.rotate_credential_of(change, id, run, store).await else { continue };
            self.append(change, ScheduleCommand::RecordStore { id, run, store, outcome }).await?;
        }
        let published = self.recorder.state();
        let outcomes = published.state.schedules.runs.get(&run).map(|run| run.stores.clone()).unwrap_or_default();
        let failed = outcomes.iter().filter(|(_, outcome)| matches!(outcome, StoreOutcome::Failed(_))).count();
        Ok(match failed {
            0 => RunOutcome::Done,
            failed => RunOutcome::Failed(format!(
                "the credentials of {failed} of {} key stores were not rotated",
                outcomes.len()
            )),
        })
    }

    /// Rotates the credential of one store, and returns the outcome to record; `None` if there is nothing to record.
    async fn rotate_credential_of(
        &self,
        change: &Change,
        id: ScheduleId,
        run: JobId,
        store: KeyStoreId,
    ) -> Option<StoreOutcome> {
        self.wait_until_store_is_idle(store).await;
        let published = self.recorder.state();
        let state = &published.state;
        let (run, known) = (state.schedules.runs.get(&run)?, state.key_stores.get(&store)?);
        // The store may have been taken off the schedule since the run started.
        let is_under = known.local.as_ref()?.rotation_schedule == Some(id);
        if run.has_treated_store(store) || !is_under || known.gone {
            return None;
        }
        if is_rotated_since(run, known) {
            return Some(StoreOutcome::CredentialRotated);
        }
        Some(match self.rotate_and_wait(change, store).await {
            Ok(()) => StoreOutcome::CredentialRotated,
            Err(reason) => StoreOutcome::Failed(reason),
        })
    }

    /// Rotates the credential of a store, and waits until AWS has it.
    ///
    /// # Errors
    /// The reason for which AWS does not have it.
    async fn rotate_and_wait(&self, change: &Change, id: KeyStoreId) -> Result<(), String> {
        let credential =
            self.key_stores.rotate_credential_as(change, id).await.map_err(|failure| failure.to_string())?;
        // AWS's answer may have been lost; then the reconciliation reads what AWS has.
        self.wait_until_store_is_idle(id).await;
        let published = self.recorder.state();
        let store = published.state.key_stores.get(&id).ok_or("the store was deleted meanwhile")?;
        let mut known = store.local.iter().flat_map(|local| &local.credentials);
        match (store.operation.is_some(), known.any(|known| known.id == credential)) {
            (true, _) => Err("AWS does not show the new credential yet; it is checked again later".to_owned()),
            (false, false) => Err("AWS did not take the new credential".to_owned()),
            (false, true) => Ok(()),
        }
    }

    /// Waits until an operation on the store has ended, which may be one of an earlier run of the program.
    async fn wait_until_store_is_idle(&self, id: KeyStoreId) {
        let is_busy = || self.recorder.state().state.key_stores.get(&id).is_some_and(|store| store.operation.is_some());
        let idle = async {
            while is_busy() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        // If the store is still busy, the rotation fails with that reason.
        let _ = tokio::time::timeout(self.idle_timeout(), idle).await;
    }
}

/// Whether AWS got a new credential since the run started. After a restart, the run may have no record of it.
fn is_rotated_since(run: &Run, store: &KeyStore) -> bool {
    let newest = store.local.as_ref().and_then(|local| local.newest_credential());
    let proxy = store.at_aws.as_ref().and_then(|seen| seen.proxy.as_ref());
    let told = newest.filter(|newest| proxy.is_some_and(|proxy| proxy.access_key_id == newest.access_key_id));
    told.is_some_and(|newest| newest.created >= run.started)
}
