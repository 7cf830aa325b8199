//! Counts calls, so that a test can tell whether something was asked at all, and how often.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How often each `service:Operation` was called in each region, whatever the answer was.
#[derive(Debug, Default)]
pub(super) struct CallCounts(Mutex<BTreeMap<String, BTreeMap<String, u64>>>);

/// So many different names are counted; more only a client makes up.
const MOST_NAMES: usize = 500;

impl CallCounts {
    pub(super) fn count(&self, action: &str, region: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < MOST_NAMES || counts.contains_key(action) {
            let regions = counts.entry(action.to_owned()).or_default();
            if regions.len() < MOST_NAMES || regions.contains_key(region) {
                *regions.entry(region.to_owned()).or_default() += 1;
            }
        }
    }

    /// The counts by action and region.
    pub(super) fn counts(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
