//! The last calls of AWS that the proxy refused, of each store. They are in memory, from the start of the program on; the
//! log has all that were reported.

use crate::domain::id::KeyStoreId;
use crate::domain::key_store::event::ProxyCall;
use crate::domain::refusal::Refusal;
use crate::service::list::{Field, Query, Words, arrange, check_words};
use crate::xks::Operation;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The members to filter by.
pub const FILTERS: &[&str] = &["operation", "error", "xks_key_id"];
pub const WORDS: Words = &[("operation", &Operation::NAMES)];

/// The most calls that are kept of a store.
const REFUSED_CALLS_MAX: usize = 200;

/// The refused calls by store, oldest first. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct RefusedCalls(Arc<Mutex<HashMap<KeyStoreId, VecDeque<Arc<ProxyCall>>>>>);

impl RefusedCalls {
    /// Keeps a call, if it was refused.
    pub(super) fn note(&self, store: KeyStoreId, call: &ProxyCall) {
        if call.error.is_none() {
            return;
        }
        let mut stores = self.stores();
        let calls = stores.entry(store).or_default();
        if calls.len() >= REFUSED_CALLS_MAX {
            calls.pop_front();
        }
        calls.push_back(Arc::new(call.clone()));
    }

    /// Forgets the calls of a store that was deleted.
    pub(super) fn forget(&self, store: KeyStoreId) {
        self.stores().remove(&store);
    }

    /// The calls of a store that match a query, newest first.
    ///
    /// # Errors
    /// When a filter has an invalid value.
    pub(super) fn of(&self, store: KeyStoreId, query: &Query) -> Result<Vec<Arc<ProxyCall>>, Refusal> {
        check_words(query, WORDS)?;
        let calls = self.stores().get(&store).map(|calls| calls.iter().rev().cloned().collect());
        let mut calls: Vec<Arc<ProxyCall>> = calls.unwrap_or_default();
        arrange(&mut calls, query, WORDS, |call, member| match member {
            "operation" => Field::Text(call.operation.clone()),
            "error" => call.error.clone().map_or(Field::Absent, Field::Text),
            _ => call.xks_key_id.clone().map_or(Field::Absent, Field::Text),
        });
        Ok(calls)
    }

    fn stores(&self) -> MutexGuard<'_, HashMap<KeyStoreId, VecDeque<Arc<ProxyCall>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Time;
    use uuid::Uuid;

    fn call(n: i64, error: Option<&str>) -> ProxyCall {
        ProxyCall {
            at: Time::from_nanos(n),
            operation: "encrypt".to_owned(),
            error: error.map(str::to_owned),
            message: String::new(),
            rule: None,
            xks_key_id: None,
            access_key_id: None,
            kms_request_id: None,
            kms_operation: None,
            kms_key_arn: None,
            principal: None,
            via_service: None,
            source_vpc: None,
            source_vpce: None,
        }
    }

    #[test]
    fn the_last_refused_calls_of_a_store_are_kept() {
        let (calls, one, other) =
            (RefusedCalls::default(), KeyStoreId::new(Uuid::from_u128(1)), KeyStoreId::new(Uuid::from_u128(2)));
        let listed = |store| calls.of(store, &Query::default()).expect("no filters");
        calls.note(one, &call(0, None));
        assert!(listed(one).is_empty(), "it was served");
        for n in 1..=250 {
            calls.note(one, &call(n, Some("InvalidStateException")));
        }
        let times: Vec<i64> = listed(one).iter().map(|call| call.at.nanos()).collect();
        assert_eq!(times, (51..=250).rev().collect::<Vec<_>>());
        assert!(listed(other).is_empty());
        calls.forget(one);
        assert!(listed(one).is_empty());
    }
}
