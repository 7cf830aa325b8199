//! The synchronisation of the custom key stores of one region: one list at AWS, compared with the stores that are
//! known. Only differences are recorded.

use super::SyncJobs;
use super::live::Tally;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::id::KeyStoreId;
use crate::domain::job::sync::SyncPlace;
use crate::domain::key::decide::check_place;
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::key_store::{command::KeyStoreCommand, event::KeyStoreEvent, sync};
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::cloud::RegionAccess;
use crate::service::failure::Failure;
use crate::service::key_stores::reading::{all, count_hsms, one};
use std::collections::HashSet;
use uuid::Uuid;

impl SyncJobs {
    /// Synchronises the key stores of a region, and returns what could not be read, with the reason.
    pub(super) async fn synchronise_key_stores(
        &self,
        of: &SyncPlace,
        tally: &Tally,
        change: &Change,
    ) -> Result<Option<String>, Failure> {
        check_place(&self.recorder.state().state, of.kms, &of.region)?;
        let at = self.cloud.region(of.kms, &of.region).await?;
        let began = self.recorder.now();
        let mut stores = all(&at).await?;
        tally.listed.add(stores.len() as u64);
        let uncounted = count_hsms(&at, &mut stores).await.err();
        let listed: HashSet<String> = stores.iter().map(|store| store.id.clone()).collect();
        for seen in stores {
            self.record_key_store(&at, of, seen, began, tally, change).await?;
        }
        let published = self.recorder.state();
        let stores = published.state.key_stores_at_aws(of.kms, &of.region);
        for store in stores.filter(|store| store.operation.is_none()) {
            let Some(known) = store.at_aws.as_ref().filter(|known| !listed.contains(&known.id)) else { continue };
            let began = self.recorder.now();
            match one(&at, &known.id).await {
                // The store was made after the list was read, or the list is not up to date.
                Ok(_) => {}
                Err(failure) if failure.is_not_found() => {
                    let command = KeyStoreCommand::RecordMissing { id: store.id, began };
                    self.append_key_store(command, tally, change).await?;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(uncounted.map(|failure| format!("the HSMs of its clusters could not be counted: {failure}")))
    }

    async fn record_key_store(
        &self,
        at: &RegionAccess,
        of: &SyncPlace,
        seen: StoreAtAws,
        began: Time,
        tally: &Tally,
        change: &Change,
    ) -> Result<(), Failure> {
        let new = KeyStoreId::new(Uuid::new_v4());
        // What has not changed costs no write.
        let published = self.recorder.state();
        let (_, events) = sync::synchronise(&published.state, new, of.kms, &of.region, &seen, began)?;
        if events.is_empty() {
            return Ok(());
        }
        // It may have been deleted since the list was read, here and at AWS.
        if events.iter().any(|event| matches!(event, KeyStoreEvent::Found { .. })) {
            match one(at, &seen.id).await {
                Ok(_) => {}
                Err(failure) if failure.is_not_found() => return Ok(()),
                Err(failure) => return Err(failure.into()),
            }
        }
        let (kms, region) = (of.kms, of.region.clone());
        let command = KeyStoreCommand::Synchronise { new, kms, region, seen: Box::new(seen), began };
        self.append_key_store(command, tally, change).await
    }

    async fn append_key_store(&self, command: KeyStoreCommand, tally: &Tally, change: &Change) -> Result<(), Failure> {
        let committed = self.recorder.append(change, Command::KeyStore(command)).await?;
        let has = |wanted: fn(&KeyStoreEvent) -> bool| {
            committed.events.iter().any(|event| matches!(event, Event::KeyStore(_, event) if wanted(event)))
        };
        if committed.events.is_empty() {
        } else if has(|event| matches!(event, KeyStoreEvent::Found { .. })) {
            tally.added.add(1);
        } else if has(|event| matches!(event, KeyStoreEvent::Linked { .. })) {
            tally.linked.add(1);
        } else if has(|event| matches!(event, KeyStoreEvent::Vanished)) {
            tally.gone.add(1);
        } else {
            tally.updated.add(1);
        }
        Ok(())
    }
}
