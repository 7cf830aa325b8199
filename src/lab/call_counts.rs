//! Counts calls, so that a test can check which calls were made and how often.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The number of calls of each `service:Operation` in each region, with any answer.
#[derive(Debug, Default)]
pub(super) struct CallCounts(Mutex<BTreeMap<String, BTreeMap<String, u64>>>);

/// The largest number of distinct names. Only invented names exceed it.
const MAX_NAMES: usize = 500;

impl CallCounts {
    pub(super) fn count(&self, action: &str, region: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < MAX_NAMES || counts.contains_key(action) {
            let regions = counts.entry(action.to_owned()).or_default();
            if regions.len() < MAX_NAMES || regions.contains_key(region) {
                *regions.entry(region.to_owned()).or_default() += 1;
            }
        }
    }

    pub(super) fn counts(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
