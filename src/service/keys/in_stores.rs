//! Follows what the connection of a custom key store does to its keys: AWS shows them as unavailable while the store is
//! not connected, and as what they were once it is again.

use super::Keys;
use crate::aws::kms::calls::DescribeKey;
use crate::domain::command::Command;
use crate::domain::id::{KeyId, KeyStoreId};
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::command::{Began, KeyCommand};
use crate::domain::key_store::KeyStore;
use crate::domain::key_store::at_aws::ConnectionState;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::failure::Failure;
use crate::service::system_change;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use uuid::Uuid;

/// The pause between two looks at the stores.
const PAUSE: Duration = Duration::from_secs(1);
/// The number of times that the keys of a store are read after a change of its connection; the next synchronisation
/// reads those that still do not fit.
const TRIES: u32 = 5;
/// The number of keys that are read at once.
const AT_ONCE: usize = 8;

/// How often the keys of a store have been compared with its connection since the last change of the store.
///
/// The change is known by its time, not by the connection: a store that was connected between two looks is disconnected
/// at both.
#[derive(Clone, Copy)]
struct Compared {
    changed: Time,
    tries: u32,
}

impl Keys {
    /// Starts the task that reads the keys of a store again when its connection has changed.
    pub(in crate::service) fn follow_stores_forever(&self, runtime: &Handle) {
        let keys = self.clone();
        runtime.spawn(async move {
            let mut compared: HashMap<KeyStoreId, Compared> = HashMap::new();
            loop {
                let published = keys.recorder.state();
                compared.retain(|id, _| published.state.key_stores.get(id).is_some());
                for store in published.state.key_stores.iter() {
                    let Some(connected) = is_connected(store) else { continue };
                    let known = compared.get(&store.id).filter(|known| known.changed == store.updated);
                    let tries = known.map_or(0, |known| known.tries);
                    if tries < TRIES {
                        let all_fit = keys.compare(&published.state, store, connected).await;
                        let tries = if all_fit { TRIES } else { tries + 1 };
                        compared.insert(store.id, Compared { changed: store.updated, tries });
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Reads the keys of a store whose state does not fit the connection of the store. Returns whether all of them
    /// fitted before.
    async fn compare(&self, state: &State, store: &KeyStore, connected: bool) -> bool {
        let unfit: Vec<_> = keys_in(state, store).filter(|key| !fits(key, connected)).cloned().collect();
        let mut failed = Vec::new();
        for some in unfit.chunks(AT_ONCE) {
            let read = join_all(some.iter().map(|key| self.describe_again(key))).await;
            failed.extend(read.into_iter().filter_map(Result::err));
        }
        if let Some(failure) = failed.first() {
            let keys = failed.len();
            tracing::warn!(store = %store.id, keys, %failure, "keys could not be read after their store's connection changed");
        }
        unfit.is_empty()
    }

    async fn describe_again(&self, key: &Key) -> Result<(), Failure> {
        let at = self.cloud.region(key.kms, &key.region).await?;
        let now = self.recorder.now();
        let metadata = at.call(DescribeKey::of(key.aws_id().clone())).await?;
        let (id, kms, region) = (KeyId::new(Uuid::new_v4()), key.kms, key.region.clone());
        let seen = Box::new(Snapshot {
            metadata,
            aliases: None,
            tags: None,
            policy: None,
            rotation: None,
            last_use: None,
            imported: None,
        });
        // An operation may have changed the key meanwhile.
        let began = Began { aliases: now, key: now };
        let command = Command::Key(KeyCommand::Synchronise { id, kms, region, seen, began });
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
