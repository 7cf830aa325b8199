//! Tells the XKS proxy what it serves: the stores and their credentials, unsealed. The proxy itself touches neither the
//! log nor the keyring.

use super::refused_calls::RefusedCalls;
use super::{owner, report};
use crate::domain::id::{KeyId, KeyStoreId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::hyok::HyokVersion;
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::key_store::event::ProxyCall;
use crate::domain::key_store::{Credential, KeyStore, LocalStore};
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::failure::Failure;
use crate::service::list::Query;
use crate::service::recorder::Recorder;
use crate::service::secrets::Secrets;
use crate::service::source_keys;
use crate::xks::{
    self, Condition, KeyEntry, Material, Proxy, StoreCounters, StoreEntry, StoreHealth, Totals, VersionCounters,
    VersionEntry,
};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// The purpose under which the secret of a credential is sealed.
pub(super) const CREDENTIAL: &str = "xks-credential";
/// The largest number of outcomes that are taken from the proxy at once.
const OUTCOMES_AT_ONCE: usize = 1_000;
/// The time between two checks of the log and of the dates of source keys.
const CHECK: Duration = Duration::from_secs(1);
const CHECK_NANOS: i64 = 1_000_000_000;

/// The link between the state and the proxy. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Serving {
    recorder: Recorder,
    secrets: Secrets,
    proxy: Proxy,
    /// The largest number of calls per second and store.
    rate_limit: Option<NonZeroU32>,
    /// One change of the proxy at a time, each made from the newest state: an older one never replaces a newer one.
    publishing: Arc<Mutex<()>>,
    /// The last calls that were refused.
    refused: RefusedCalls,
}

impl Serving {
    pub(in crate::service) fn new(recorder: Recorder, secrets: Secrets, rate_limit: Option<NonZeroU32>) -> Self {
        let installation = recorder.state().state.installation.as_ref().map(|installation| installation.id.to_string());
        let proxy = Proxy::new(&installation.unwrap_or_default(), env!("CARGO_PKG_VERSION"));
        Self { recorder, secrets, proxy, rate_limit, publishing: Arc::default(), refused: RefusedCalls::default() }
    }

    pub(in crate::service) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Tells the proxy everything, at the start.
    pub(in crate::service) fn publish_all(&self) {
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &self.recorder.state().state;
        let entries = state.key_stores.iter().filter_map(|store| {
            let keys = state.keys_of_store(store.id).into_iter().filter_map(|key| self.key_entry(state, store, key));
            Some((self.entry(state, store)?, keys.collect()))
        });
        self.proxy.replace_all(entries.collect());
    }

    /// Tells the proxy the present state of a store. When the function returns, the next call of AWS meets it.
    pub(in crate::service) fn publish(&self, id: KeyStoreId) {
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &self.recorder.state().state;
        match state.key_stores.get(&id).and_then(|store| self.entry(state, store)) {
            // The material of the keys is in memory only while the store is not blocked.
            Some(entry) => {
                let store = state.key_stores.get(&id);
                let keys = state.keys_of_store(id).into_iter();
                let keys = keys.filter_map(|key| self.key_entry(state, store?, key)).collect();
                self.proxy.put_store_with_keys(entry, keys);
            }
            None => {
                self.proxy.remove_store(id.uuid());
                self.refused.forget(id);
            }
        }
    }

    /// Tells the proxy the present state of a key.
    pub(in crate::service) fn publish_key(&self, id: KeyId) {
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        self.put_key(&self.recorder.state().state, id);
    }

    /// Tells the proxy the present state of the keys with this source key, whose state has changed.
    pub(in crate::service) fn publish_source(&self, source: SourceKeyId) {
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &self.recorder.state().state;
        for key in state.keys_of_source(source) {
            self.put_key(state, key.id);
        }
        for store in state.key_stores.iter() {
            let local = store.local.as_ref().filter(|local| local.settings.health_check_key == source);
            if let Some(entry) = local.and_then(|_| self.entry(state, store)) {
                self.proxy.put_store(entry);
            }
        }
    }

    /// Tells the proxy of the source keys whose dates have come since a time.
    fn publish_due_sources(&self, since: Time) {
        let now = self.recorder.now();
        let state = &self.recorder.state().state;
        let changed =
            state.source_keys.iter().filter(|key| key.refuse_use(since).is_ok() != key.refuse_use(now).is_ok());
        for source in changed.map(|key| key.id).collect::<Vec<_>>() {
            self.publish_source(source);
        }
    }

    /// Removes a key that was deleted.
    pub(in crate::service) fn remove_key(&self, store: KeyStoreId, id: KeyId) {
        // A change that is under way was made from a state that may still have the key.
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        self.proxy.remove_key(store.uuid(), &id.to_string());
    }

    /// The health of a store; `None` if the proxy does not serve it.
    pub(in crate::service) fn health(&self, store: KeyStoreId) -> Option<StoreHealth> {
        self.proxy.health(store.uuid())
    }

    /// The counters of a store; `None` if the proxy does not serve it.
    pub(in crate::service) fn counters(&self, store: KeyStoreId) -> Option<StoreCounters> {
        let now = chrono::DateTime::from_timestamp_nanos(self.recorder.now().nanos());
        self.proxy.counters(store.uuid(), now)
    }

    /// The last calls of a store that were refused and match a query, newest first.
    ///
    /// # Errors
    /// When a filter has an invalid value.
    pub(in crate::service) fn refused_calls(
        &self,
        store: KeyStoreId,
        query: &Query,
    ) -> Result<Vec<Arc<ProxyCall>>, Refusal> {
        self.refused.of(store, query)
    }

    /// The counters of all stores together.
    pub(in crate::service) fn totals(&self) -> Totals {
        self.proxy.totals(chrono::DateTime::from_timestamp_nanos(self.recorder.now().nanos()))
    }

    /// The counters of the versions of a key, as far as the proxy serves it.
    pub(in crate::service) fn key_counters(&self, store: KeyStoreId, id: KeyId) -> Vec<VersionCounters> {
        let counters = self.proxy.key_counters(store.uuid(), &id.to_string());
        counters.map_or_else(Vec::new, |counters| counters.versions)
    }

    fn put_key(&self, state: &State, id: KeyId) {
        let Some(key) = state.keys.get(&id) else { return };
        let store = key.hyok.as_ref().and_then(|hyok| state.key_stores.get(&hyok.store));
        if let Some((store, entry)) = store.and_then(|store| Some((store, self.key_entry(state, store, key)?))) {
            self.proxy.put_key(store.id.uuid(), entry);
        }
    }

    fn key_entry(&self, state: &State, store: &KeyStore, key: &Key) -> Option<KeyEntry> {
        let hyok = key.hyok.as_deref()?;
        let is_blocked = hyok.blocked || store.local.as_ref().is_none_or(|local| local.blocked);
        let now = self.recorder.now();
        let counted = self.key_counters(store.id, key.id);
        let version = |(number, version): (u32, &HyokVersion)| {
            let counted = counted.iter().find(|counted| counted.number == number).map(|counted| counted.encryptions);
            let source = state.source_keys.get(&version.source);
            let enabled = source.is_some_and(|source| source.refuse_use(now).is_ok());
            let usage = source.map_or(0, |source| source.made.usage.bits());
            VersionEntry {
                number,
                material: if enabled && !is_blocked { self.material(state, version.source) } else { None },
                enabled,
                can_encrypt: usage & 4 != 0,
                can_decrypt: usage & 8 != 0,
                encryptions: counted.unwrap_or(match version.encryptions {
                    0 => 0,
                    // The program may have ended before it recorded the encryptions of the last step.
                    recorded => recorded + xks::ENCRYPTION_STEP,
                }),
            }
        };
        Some(KeyEntry {
            xks_key_id: key.id.to_string(),
            blocked: hyok.blocked,
            enabled: true,
            caller_rules: rules(&hyok.caller_rules),
            versions: (1..).zip(&hyok.versions).map(version).collect(),
            active_version: hyok.active(),
        })
    }

    /// Records what the proxy reports, and tells AWS when the log accepts no more changes.
    pub(in crate::service) fn follow_forever(&self, runtime: &Handle) {
        let serving = self.clone();
        runtime.spawn(async move {
            let mut checked = serving.recorder.now();
            loop {
                let now = serving.recorder.now();
                if now.nanos() - checked.nanos() >= CHECK_NANOS {
                    serving.publish_due_sources(checked);
                    checked = now;
                }
                let accepting = serving.recorder.ledger().is_accepting();
                serving.proxy.set_condition(if accepting { Condition::Active } else { Condition::Degraded });
                let drained = tokio::time::timeout(CHECK, serving.proxy.drain(OUTCOMES_AT_ONCE)).await;
                if let Ok(drained) = drained {
                    report::record(&serving.recorder, &serving.refused, drained).await;
                }
            }
        });
    }

    fn entry(&self, state: &State, store: &KeyStore) -> Option<StoreEntry> {
        let local = store.local.as_deref()?;
        Some(StoreEntry {
            id: store.id.uuid(),
            region: store.region.to_string(),
            credentials: local.credentials.iter().filter_map(|known| self.credential(store.id, known)).collect(),
            blocked: local.blocked,
            caller_rules: rules(&local.settings.caller_rules),
            rate_limit: self.rate_limit,
            report_successes: local.settings.reports_success,
            health_key: self.health_key(state, local),
        })
    }

    /// A credential whose secret cannot be unsealed is left out: AWS's calls with it are refused.
    fn credential(&self, store: KeyStoreId, known: &Credential) -> Option<xks::Credential> {
        match unseal(&self.secrets, store, known) {
            Ok(secret_access_key) => {
                Some(xks::Credential { access_key_id: known.access_key_id.clone(), secret_access_key })
            }
            Err(failure) => {
                tracing::error!(%store, credential = %known.id, %failure, "a credential cannot be served");
                None
            }
        }
    }

    /// The material of the health check key; none while the store is blocked, or the source key is not active.
    fn health_key(&self, state: &State, local: &LocalStore) -> Option<Material> {
        let key = state.source_keys.get(&local.settings.health_check_key).filter(|_| !local.blocked)?;
        key.refuse_use(self.recorder.now()).ok()?;
        self.material(state, key.id)
    }

    fn material(&self, state: &State, id: SourceKeyId) -> Option<Material> {
        let sealed = &state.source_keys.get(&id)?.material;
        let material = self.secrets.unseal(&source_keys::owner(id), source_keys::MATERIAL, sealed);
        material
            .map_err(|failure| tracing::error!(source_key = %id, %failure, "a source key cannot be served"))
            .ok()
            .and_then(|material| Material::of(&material))
    }
}

/// Unseals the secret of a credential. It is sealed together with the credential's id, so that one secret cannot be put
/// in the place of another.
pub(super) fn unseal(secrets: &Secrets, store: KeyStoreId, known: &Credential) -> Result<Zeroizing<String>, Failure> {
    let bound = secrets.unseal(&owner(store), CREDENTIAL, &known.secret)?;
    let secret = bound.strip_prefix(known.id.uuid().as_bytes().as_slice());
    let text = secret.and_then(|secret| std::str::from_utf8(secret).ok());
    let text = text.ok_or(Failure::Internal("a sealed secret is of another credential"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn rules(rules: &CallerRules) -> xks::CallerRules {
    let CallerRules { principals, source_vpcs, source_vpces, via_services, operations } = rules.clone();
    xks::CallerRules { principals, source_vpcs, source_vpces, via_services, operations }
}
