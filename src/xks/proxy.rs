//! The proxy as others see it: what it serves, its answers, its outcomes and its counters.

use super::answer::{self, Answer};
use super::counters::{CredentialUse, KeyCounters, StoreCounters, VersionCounters};
use super::directory::{Directory, Store};
use super::entry::{Condition, KeyEntry, StoreEntry};
use super::error::{ErrorName, Refusal};
use super::latency::{Latencies, Recorder};
use super::operations;
use super::outcome::{Drained, Outcomes};
use super::path::Operation;
use crate::sigv4::Request;
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The proxy. Clones share it.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

pub(super) struct Inner {
    pub installation: String,
    pub version: String,
    /// A call loads it once, without a lock. `changing` serializes the changes alone.
    pub directory: ArcSwap<Directory>,
    changing: Mutex<()>,
    condition: ArcSwap<Condition>,
    pub outcomes: Outcomes,
    open_connections: AtomicU64,
}

/// A connection of a client, from its handshake to its end.
pub struct OpenConnection(Arc<Inner>);

/// What the proxy has counted for all stores that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// The calls by operation, refused ones included.
    pub calls: BTreeMap<Operation, u64>,
    /// The refused calls by error.
    pub refusals: BTreeMap<ErrorName, u64>,
    pub last_minute: Latencies,
    pub last_hour: Latencies,
    /// At least the number of encryptions with all versions of all keys.
    pub encryptions: u64,
    pub open_connections: u64,
}

/// The health of a store, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreHealth {
    pub status: Condition,
    pub blocked: bool,
    /// Why the health key cannot encrypt and decrypt, if it cannot.
    pub health_key_problem: Option<&'static str>,
    pub last_call_at: Option<DateTime<Utc>>,
}

impl Proxy {
    /// A proxy that serves no store yet. AWS is told the id of the installation and the version of the program.
    pub fn new(installation: &str, version: &str) -> Proxy {
        Proxy(Arc::new(Inner {
            installation: installation.to_owned(),
            version: version.to_owned(),
            directory: ArcSwap::default(),
            changing: Mutex::default(),
            condition: ArcSwap::from_pointee(Condition::Active),
            outcomes: Outcomes::default(),
            open_connections: AtomicU64::new(0),
        }))
    }

    /// Replaces all stores and keys. Counters of those that stay go on.
    pub fn replace_all(&self, entries: Vec<(StoreEntry, Vec<KeyEntry>)>) {
        self.0.change(|directory| {
            let known: Vec<Uuid> = entries.iter().map(|(store, _)| store.id).collect();
            directory.stores.retain(|id, _| known.contains(id));
            entries.into_iter().for_each(|(store, keys)| directory.put_store(store, Some(keys)));
        });
    }

    /// Adds a store, or replaces it but for its keys. Like every change it is in force for the next call when the
    /// function returns; calls that are being answered finish as they began.
    pub fn put_store(&self, entry: StoreEntry) {
        self.0.change(|directory| directory.put_store(entry, None));
    }

    /// Adds or replaces a store with its keys, in one step: after a block, the keys come back with their material.
    pub fn put_store_with_keys(&self, entry: StoreEntry, keys: Vec<KeyEntry>) {
        self.0.change(|directory| directory.put_store(entry, Some(keys)));
    }

    /// Removes a store with its keys and credentials. An unknown store is no error.
    pub fn remove_store(&self, store: Uuid) {
        self.0.change(|directory| directory.stores.remove(&store));
    }

    /// Adds or replaces a key; `false` if the proxy has no such store.
    pub fn put_key(&self, store: Uuid, entry: KeyEntry) -> bool {
        self.0.change(|directory| directory.put_key(store, entry))
    }

    /// Removes a key. An unknown key is no error.
    pub fn remove_key(&self, store: Uuid, xks_key_id: &str) {
        self.0.change(|directory| directory.remove_key(store, xks_key_id));
    }

    /// Sets the state of the program that `health` tells AWS.
    pub fn set_condition(&self, condition: Condition) {
        self.0.condition.store(Arc::new(condition));
    }

    /// Answers a call. `request.body` must be complete; for one that exceeds the limit there is
    /// [`Proxy::answer_oversized`].
    pub fn answer(&self, request: &Request<'_>, now: DateTime<Utc>) -> Answer {
        answer::answer(&self.0, request, now)
    }

    /// Answers a call whose body exceeds the limit and is not read to its end.
    pub fn answer_oversized(&self, method: &str, path: &str) -> Answer {
        answer::answer_oversized(&self.0.directory.load(), method, path)
    }

    /// What `health` of a store would answer AWS now. It counts nowhere and causes no outcome.
    pub fn diagnose_health(&self, store: Uuid) -> Answer {
        self.diagnose(store, |store| {
            operations::check_store(store)?;
            let status = operations::health_status(store, self.0.condition());
            Ok(operations::health_body(&self.0.installation, &self.0.version, status))
        })
    }

    /// What `metadata` of a key would answer a caller whom the caller rules admit. It counts nowhere and causes no
    /// outcome.
    pub fn diagnose_metadata(&self, store: Uuid, xks_key_id: &str) -> Answer {
        self.diagnose(store, |store| operations::diagnose_metadata(store, xks_key_id))
    }

    #[cfg(test)]
    pub(super) fn directory(&self) -> Arc<Directory> {
        self.0.directory.load_full()
    }

    fn diagnose(&self, store: Uuid, run: impl FnOnce(&Store) -> Result<String, Refusal>) -> Answer {
        let directory = self.0.directory.load();
        let unknown = || Refusal::new(ErrorName::InvalidUriPath, "the proxy serves no such key store");
        let result = directory.stores.get(&store).ok_or_else(unknown).and_then(|store| run(store));
        result.map_or_else(|refusal| Answer::refusal(&refusal), Answer::ok)
    }

    /// The health of a store; `None` if the proxy does not serve it.
    pub fn health(&self, store: Uuid) -> Option<StoreHealth> {
        let directory = self.0.directory.load();
        let store = directory.stores.get(&store)?;
        let settings = &store.settings;
        let health_key_problem = match &settings.health {
            _ if settings.blocked => Some("the key store is blocked"),
            None => Some("the health check key is not available"),
            Some(key) if !key.works() => Some("the health check key does not encrypt and decrypt"),
            Some(_) => None,
        };
        let status = if health_key_problem.is_some() { Condition::Unavailable } else { self.0.condition() };
        let last_call_at = store.stats.last_call.get();
        Some(StoreHealth { status, blocked: settings.blocked, health_key_problem, last_call_at })
    }

    /// Waits for outcomes and encryption steps, and takes them, with at most `max` outcomes. If the returned future is
    /// dropped before it completes, nothing is taken.
    pub async fn drain(&self, max: usize) -> Drained {
        self.0.outcomes.drain(max).await
    }

    /// Takes the outcomes and steps that are there, without waiting: at a stop.
    pub fn take(&self, max: usize) -> Drained {
        self.0.outcomes.take(max)
    }

    /// The counters of a store; `None` if the proxy does not serve it.
    pub fn counters(&self, store: Uuid, now: DateTime<Utc>) -> Option<StoreCounters> {
        let directory = self.0.directory.load();
        let store = directory.stores.get(&store)?;
        let (stats, now) = (&store.stats, u64::try_from(now.timestamp()).unwrap_or(0));
        let credentials = store.settings.credentials.iter().map(|credential| CredentialUse {
            access_key_id: credential.access_key_id.clone(),
            last_used_at: credential.last_use.get(),
        });
        Some(StoreCounters {
            calls: stats.calls(),
            refusals: stats.refusals(),
            last_minute: stats.latencies.last_minute(now),
            last_hour: stats.latencies.last_hour(now),
            last_call_at: stats.last_call.get(),
            credentials: credentials.collect(),
        })
    }

    /// The counters of all stores together. Those of a store that is removed are in them no more.
    pub fn totals(&self, now: DateTime<Utc>) -> Totals {
        let directory = self.0.directory.load();
        let now = u64::try_from(now.timestamp()).unwrap_or(0);
        let (mut calls, mut refusals, mut encryptions) = (BTreeMap::new(), BTreeMap::new(), 0);
        for store in directory.stores.values() {
            store
                .stats
                .calls()
                .into_iter()
                .for_each(|(operation, count)| *calls.entry(operation).or_default() += count);
            store.stats.refusals().into_iter().for_each(|(error, count)| *refusals.entry(error).or_default() += count);
            let versions = store.keys.values().flat_map(|key| &key.versions);
            encryptions += versions.map(|version| version.stats.encryptions()).sum::<u64>();
        }
        let recorders = || directory.stores.values().map(|store| &store.stats.latencies);
        Totals {
            calls,
            refusals,
            last_minute: Recorder::last_minute_of(recorders(), now),
            last_hour: Recorder::last_hour_of(recorders(), now),
            encryptions,
            open_connections: self.0.open_connections.load(Ordering::Relaxed),
        }
    }

    /// Counts a connection until the returned value is dropped.
    pub fn connected(&self) -> OpenConnection {
        self.0.open_connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(self.0.clone())
    }

    /// The counters of a key; `None` if the proxy does not serve it.
    pub fn key_counters(&self, store: Uuid, xks_key_id: &str) -> Option<KeyCounters> {
        let directory = self.0.directory.load();
        let key = directory.stores.get(&store)?.keys.get(xks_key_id)?;
        let versions = key.versions.iter().map(|version| VersionCounters {
            number: version.number,
            encryptions: version.stats.encryptions(),
            last_encrypt_at: version.stats.last_encrypt.get(),
            last_decrypt_at: version.stats.last_decrypt.get(),
        });
        Some(KeyCounters { versions: versions.collect() })
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    pub(super) fn condition(&self) -> Condition {
        **self.condition.load()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut directory = Directory::clone(&self.directory.load());
        let result = change(&mut directory);
        self.directory.store(Arc::new(directory));
        result
    }
}
