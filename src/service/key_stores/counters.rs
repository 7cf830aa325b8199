//! What the XKS proxy has counted, and what it would answer AWS now.

use super::KeyStores;
use crate::domain::key_store::event::ProxyCall;
use crate::domain::refusal::KeyStoreRefusal;
use crate::service::access::{KeyStorePermit, ViewKeyStore};
use crate::service::failure::Failure;
use crate::service::list::Query;
use crate::xks::{self, Latencies};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the proxy has counted for a store since the start of the program.
pub struct Counters {
    /// The calls by operation, refused ones included.
    pub calls: BTreeMap<&'static str, u64>,
    /// The refused calls by error.
    pub refusals: BTreeMap<&'static str, u64>,
    pub last_minute: CallTimes,
    pub last_hour: CallTimes,
}

/// What the proxy has counted for all stores since the start of the program.
pub struct Totals {
    pub counters: Counters,
    /// At least the number of encryptions with all versions of all keys.
    pub encryptions: u64,
    pub open_connections: u64,
}

/// The times of calls, from the complete request to the complete answer.
pub struct CallTimes {
    pub calls: u64,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
}

/// What the proxy would answer AWS: a status of HTTP and JSON.
pub struct Diagnosis {
    pub status: u16,
    pub body: String,
}

impl KeyStores {
    /// What the proxy has counted for a store since the start of the program.
    ///
    /// # Errors
    /// When another proxy, or CloudHSM, serves it.
    pub fn counters(&self, permit: &KeyStorePermit<ViewKeyStore>) -> Result<Counters, Failure> {
        let store = permit.store();
        let counted = self.serving.counters(store.id);
        let counted = counted.ok_or_else(|| KeyStoreRefusal::NotLocal(store.name.clone()))?;
        Ok(Counters {
            last_minute: CallTimes::of(&counted.last_minute),
            last_hour: CallTimes::of(&counted.last_hour),
            calls: counted.calls.into_iter().map(|(operation, count)| (operation.name(), count)).collect(),
            refusals: counted.refusals.into_iter().map(|(error, count)| (error.name(), count)).collect(),
        })
    }

    /// The last calls of a store that the proxy refused since the start of the program and that match a query, newest
    /// first.
    ///
    /// # Errors
    /// When another proxy, or CloudHSM, serves the store, or a filter has an invalid value.
    pub fn refused_calls(
        &self,
        permit: &KeyStorePermit<ViewKeyStore>,
        query: &Query,
    ) -> Result<Vec<Arc<ProxyCall>>, Failure> {
        let store = permit.store();
        match store.local {
            Some(_) => Ok(self.serving.refused_calls(store.id, query)?),
            None => Err(KeyStoreRefusal::NotLocal(store.name.clone()).into()),
        }
    }

    /// What the proxy has counted for all stores since the start of the program, except for those that were deleted.
    pub fn totals(&self) -> Totals {
        let counted = self.serving.totals();
        Totals {
            counters: Counters {
                last_minute: CallTimes::of(&counted.last_minute),
                last_hour: CallTimes::of(&counted.last_hour),
                calls: counted.calls.into_iter().map(|(operation, count)| (operation.name(), count)).collect(),
                refusals: counted.refusals.into_iter().map(|(error, count)| (error.name(), count)).collect(),
            },
            encryptions: counted.encryptions,
            open_connections: counted.open_connections,
        }
    }

    /// What `health` of a store would answer AWS now.
    ///
    /// # Errors
    /// When another proxy, or CloudHSM, serves the store.
    pub fn diagnose_health(&self, permit: &KeyStorePermit<ViewKeyStore>) -> Result<Diagnosis, Failure> {
        self.diagnose(permit, |proxy, store| proxy.diagnose_health(store))
    }

    /// What `metadata` of a key would answer a caller whom the caller rules admit.
    ///
    /// # Errors
    /// When another proxy, or CloudHSM, serves the store.
    pub fn diagnose_metadata(
        &self,
        permit: &KeyStorePermit<ViewKeyStore>,
        xks_key_id: &str,
    ) -> Result<Diagnosis, Failure> {
        self.diagnose(permit, |proxy, store| proxy.diagnose_metadata(store, xks_key_id))
    }

    fn diagnose(
        &self,
        permit: &KeyStorePermit<ViewKeyStore>,
        ask: impl FnOnce(&xks::Proxy, uuid::Uuid) -> xks::Answer,
    ) -> Result<Diagnosis, Failure> {
        let store = permit.store();
        if store.local.is_none() {
            return Err(KeyStoreRefusal::NotLocal(store.name.clone()).into());
        }
        let answer = ask(self.serving.proxy(), store.id.uuid());
        Ok(Diagnosis { status: answer.status, body: answer.body })
    }
}

impl CallTimes {
    fn of(times: &Latencies) -> Self {
        Self { calls: times.calls, p50: times.p50, p99: times.p99 }
    }
}
