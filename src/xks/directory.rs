//! The stores and keys that the proxy serves. A directory never changes: a change makes a new one, which shares all the
//! rest, and swaps it in. So a call sees one state from its beginning to its end, and takes no lock.

use super::caller_rules::CallerRules;
use super::counters::{LastTime, StoreStats, VersionStats};
use super::entry::{Credential, KeyEntry, StoreEntry, VersionEntry};
use super::material::Cipher;
use crate::sigv4::DerivedKey;
use arc_swap::ArcSwapOption;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

#[derive(Clone, Default)]
pub(super) struct Directory {
    pub stores: HashMap<Uuid, Arc<Store>>,
}

#[derive(Clone)]
pub(super) struct Store {
    pub settings: Arc<Settings>,
    pub keys: imbl::HashMap<Arc<str>, Arc<Key>>,
    pub stats: Arc<StoreStats>,
}

pub(super) struct Settings {
    pub id: Uuid,
    pub region: String,
    pub credentials: Vec<KnownCredential>,
    /// It verifies the calls of unknown access key ids.
    pub decoy: KnownCredential,
    pub blocked: bool,
    pub caller_rules: CallerRules,
    pub rate_limit: Option<NonZeroU32>,
    pub report_successes: bool,
    pub health: Option<Cipher>,
}

pub(super) struct KnownCredential {
    pub access_key_id: String,
    pub secret_access_key: Zeroizing<String>,
    /// The key that was derived for the last calls.
    pub signing_key: ArcSwapOption<DerivedKey>,
    pub last_use: Arc<LastTime>,
}

pub(super) struct Key {
    pub id: Arc<str>,
    pub blocked: bool,
    pub enabled: bool,
    pub caller_rules: CallerRules,
    pub versions: Vec<Version>,
    active_version: u32,
}

pub(super) struct Version {
    pub number: u32,
    pub cipher: Option<Cipher>,
    pub enabled: bool,
    pub can_encrypt: bool,
    pub can_decrypt: bool,
    pub stats: Arc<VersionStats>,
}

impl Directory {
    /// Adds or replaces a store with the given keys, or with the keys that it has.
    pub(super) fn put_store(&mut self, entry: StoreEntry, keys: Option<Vec<KeyEntry>>) {
        let (id, known) = (entry.id, self.stores.get(&entry.id));
        let stats = known.map_or_else(|| Arc::new(StoreStats::new()), |store| store.stats.clone());
        let empty = imbl::HashMap::default();
        let known_keys = known.map_or(&empty, |store| &store.keys);
        let keys = match keys {
            Some(keys) => keys.into_iter().map(|key| Key::of(key, entry.blocked, known_keys)).map(by_id).collect(),
            // What a blocked store has in memory is zeroed: no key keeps its material.
            None if entry.blocked => known_keys.values().map(|key| by_id(key.without_material())).collect(),
            None => known_keys.clone(),
        };
        let settings = Arc::new(Settings::of(entry, known.map(|store| &*store.settings)));
        self.stores.insert(id, Arc::new(Store { settings, keys, stats }));
    }

    /// Adds or replaces a key of a store; `false` if there is no such store.
    pub(super) fn put_key(&mut self, store: Uuid, entry: KeyEntry) -> bool {
        self.change_keys(store, |store| {
            let (id, key) = by_id(Key::of(entry, store.settings.blocked, &store.keys));
            store.keys.insert(id, key);
        })
    }

    pub(super) fn remove_key(&mut self, store: Uuid, xks_key_id: &str) -> bool {
        self.change_keys(store, |store| {
            store.keys.remove(xks_key_id);
        })
    }

    fn change_keys(&mut self, store: Uuid, change: impl FnOnce(&mut Store)) -> bool {
        let Some(store) = self.stores.get_mut(&store) else { return false };
        let mut changed = Store::clone(store);
        change(&mut changed);
        *store = Arc::new(changed);
        true
    }
}

impl Settings {
    fn of(entry: StoreEntry, known: Option<&Settings>) -> Settings {
        let last_use = |access_key_id: &str| {
            let known = known.and_then(|known| known.credential(access_key_id));
            known.map_or_else(Arc::default, |known| known.last_use.clone())
        };
        let credential = |credential: Credential| KnownCredential {
            last_use: last_use(&credential.access_key_id),
            access_key_id: credential.access_key_id,
            secret_access_key: credential.secret_access_key,
            signing_key: ArcSwapOption::empty(),
        };
        let decoy_secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let decoy = Credential { access_key_id: String::new(), secret_access_key: decoy_secret.into() };
        Settings {
            id: entry.id,
            region: entry.region,
            decoy: credential(decoy),
            credentials: entry.credentials.into_iter().map(credential).collect(),
            blocked: entry.blocked,
            caller_rules: entry.caller_rules,
            rate_limit: entry.rate_limit,
            report_successes: entry.report_successes,
            health: entry.health_key.filter(|_| !entry.blocked).and_then(Cipher::of),
        }
    }

    pub(super) fn credential(&self, access_key_id: &str) -> Option<&KnownCredential> {
        self.credentials.iter().find(|known| known.access_key_id == access_key_id)
    }
}

impl Key {
    fn of(entry: KeyEntry, store_blocked: bool, known: &imbl::HashMap<Arc<str>, Arc<Key>>) -> Key {
        let known = known.get(entry.xks_key_id.as_str());
        let keeps_material = !entry.blocked && !store_blocked;
        let version = |version: VersionEntry| {
            let stats = known.and_then(|key| key.version(version.number)).map(|known| known.stats.clone());
            let stats = match stats {
                Some(stats) => {
                    stats.raise(version.encryptions);
                    stats
                }
                None => Arc::new(VersionStats::from(version.encryptions)),
            };
            Version {
                number: version.number,
                cipher: version.material.filter(|_| keeps_material).and_then(Cipher::of),
                enabled: version.enabled,
                can_encrypt: version.can_encrypt,
                can_decrypt: version.can_decrypt,
                stats,
            }
        };
        Key {
            id: entry.xks_key_id.into(),
            blocked: entry.blocked,
            enabled: entry.enabled,
            caller_rules: entry.caller_rules,
            versions: entry.versions.into_iter().map(version).collect(),
            active_version: entry.active_version,
        }
    }

    fn without_material(&self) -> Key {
        let version = |version: &Version| Version { cipher: None, stats: version.stats.clone(), ..*version };
        Key {
            id: self.id.clone(),
            caller_rules: self.caller_rules.clone(),
            versions: self.versions.iter().map(version).collect(),
            ..*self
        }
    }

    pub(super) fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    pub(super) fn active(&self) -> Option<&Version> {
        self.version(self.active_version)
    }
}

fn by_id(key: Key) -> (Arc<str>, Arc<Key>) {
    (key.id.clone(), Arc::new(key))
}
