//! Follows the connections that AWS is about to change, which takes minutes, and records each change.

use super::reading::one;
use super::{StoreOperations, StoreTarget};
use crate::domain::command::Command;
use crate::domain::id::KeyStoreId;
use crate::domain::key_store::at_aws::ConnectionState;
use crate::domain::key_store::{KeyStore, command::KeyStoreCommand};
use crate::service::failure::Failure;
use crate::service::system_change;
use std::time::Duration;
use tokio::runtime::Handle;

/// The pause between two rounds.
const PAUSE: Duration = Duration::from_secs(2);
/// The pause after a round in which AWS could not be asked.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);

impl StoreOperations {
    /// Starts the task that follows connections, also those of earlier runs of the program.
    pub(in crate::service) fn follow_forever(&self, runtime: &Handle) {
        let operations = self.clone();
        runtime.spawn(async move {
            loop {
                let all_asked = operations.target().follow().await;
                tokio::time::sleep(if all_asked { PAUSE } else { PAUSE_AFTER_FAILURE }).await;
            }
        });
    }
}

impl StoreTarget {
    /// Asks AWS for each store whose connection is about to change. Returns whether AWS answered each time.
    async fn follow(&self) -> bool {
        let published = self.recorder.state();
        let stores = published.state.key_stores.iter().filter(|store| is_changing(store));
        let asked = futures_util::future::join_all(stores.map(|store| self.ask(store))).await;
        asked.into_iter().all(|asked| match asked {
            Ok(()) => true,
            Err((store, failure)) => {
                tracing::warn!(%store, %failure, "the connection of a store could not be followed; it is tried again");
                false
            }
        })
    }

    async fn ask(&self, store: &KeyStore) -> Result<(), (KeyStoreId, Failure)> {
        self.read_and_record(store).await.map_err(|failure| (store.id, failure))
    }

    /// Reads a store from AWS, and records what is new.
    pub(super) async fn read_and_record(&self, store: &KeyStore) -> Result<(), Failure> {
        let Some(known) = &store.at_aws else { return Ok(()) };
        let at = self.cloud.region_to_conclude(store.kms, &store.region).await?;
        let command = match one(&at, &known.id).await {
            Ok(seen) => KeyStoreCommand::Observe { id: store.id, seen },
            Err(failure) if failure.is_not_found() => KeyStoreCommand::RecordVanished { id: store.id },
            Err(failure) => return Err(failure.into()),
        };
        self.recorder.append(&system_change("follow"), Command::KeyStore(command)).await.map(drop)
    }
}

/// An operation that is under way reads the store itself.
fn is_changing(store: &KeyStore) -> bool {
    let state = store.at_aws.as_ref().filter(|_| !store.gone).map(|seen| &seen.connection_state);
    store.operation.is_none() && matches!(state, Some(ConnectionState::Connecting | ConnectionState::Disconnecting))
}
