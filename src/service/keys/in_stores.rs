//! Follows what the connection of a custom key store does to its keys: AWS shows them as unavailable while the store is
//! not connected, and as what they were once it is again.

use super::Keys;
use crate::aws::kms::calls::DescribeKey;
use crate::domain::command::Command;
use crate::domain::id::KeyStoreId;
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::command::KeyCommand;
use crate::domain::key_store::KeyStore;
use crate::domain::key_store::at_aws::ConnectionState;
use crate::domain::state::State;
use crate::service::failure::Failure;
use crate::service::system_change;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// The pause between two looks at the stores.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether each store was connected when its keys were last compared with it.
type Compared = HashMap<KeyStoreId, bool>;

impl Keys {
    /// Starts the task that reads the keys of a store again when its connection has changed.
    pub(in crate::service) fn follow_stores_forever(&self, runtime: &Handle) {
        let keys = self.clone();
        runtime.spawn(async move {
            let mut compared = Compared::new();
            loop {
                let published = keys.recorder.state();
                for store in published.state.key_stores.iter() {
                    let Some(connected) = is_connected(store) else { continue };
                    if compared.get(&store.id) != Some(&connected) {
                        keys.compare(&published.state, store, connected).await;
                        compared.insert(store.id, connected);
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Reads the keys of a store whose state does not fit the connection of the store. What cannot be read is left to the
    /// next synchronisation.
    async fn compare(&self, state: &State, store: &KeyStore, connected: bool) {
        for key in keys_in(state, store).filter(|key| !fits(key, connected)) {
            if let Err(failure) = self.describe_again(key).await {
                tracing::warn!(key = %key.id, %failure, "a key could not be read after the connection of its store changed");
            }
        }
    }

    async fn describe_again(&self, key: &Key) -> Result<(), Failure> {
        let at = self.cloud.region(key.kms, &key.region).await?;
        let metadata = at.call(DescribeKey::of(key.aws_id().clone())).await?;
        let (id, kms, region) = (key.id, key.kms, key.region.clone());
        let seen =
            Box::new(Snapshot { metadata, aliases: None, tags: None, policy: None, rotation: None, imported: None });
        let command = Command::Key(KeyCommand::Observe { id, kms, region, seen });
        self.recorder.append(&system_change("follow"), command).await.map(drop)
    }
}

/// Whether AWS is connected to a store; `None` while that changes, or if AWS does not have the store.
fn is_connected(store: &KeyStore) -> Option<bool> {
    match &store.at_aws.as_ref().filter(|_| !store.gone)?.connection_state {
        ConnectionState::Connected => Some(true),
        ConnectionState::Disconnected | ConnectionState::Failed => Some(false),
        ConnectionState::Connecting | ConnectionState::Disconnecting | ConnectionState::Other(_) => None,
    }
}

/// The keys that AWS has in a store.
fn keys_in<'a>(state: &'a State, store: &'a KeyStore) -> impl Iterator<Item = &'a Arc<Key>> {
    let keys = state.keys.of_region(store.kms, &store.region);
    let id = store.at_aws.as_ref().map(|seen| &seen.id);
    keys.filter(move |key| id.is_some() && key.metadata.custom_key_store_id.as_ref() == id && !key.gone)
}

/// Whether the state of a key fits the connection of its store.
fn fits(key: &Key, connected: bool) -> bool {
    match &key.metadata.state {
        KeyState::Unavailable => !connected,
        KeyState::PendingDeletion => true,
        _ => connected,
    }
}
