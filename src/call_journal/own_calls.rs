//! Our calls in a window of time: 16 bytes and a number for each, and who asked once.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::segment::Found;

/// Who asked for a call to AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Asked {
    /// The name of the user or schedule, or `system`.
    pub by: Arc<str>,
    /// The id of the request to us; empty if there was none.
    pub request_id: Arc<str>,
}

/// Our calls in a window of time.
#[derive(Debug, Default)]
pub struct OwnCalls {
    calls: Vec<(u128, u32)>,
    asked: Vec<Asked>,
    numbers: HashMap<Asked, u32>,
}

impl OwnCalls {
    pub(super) fn add(&mut self, found: impl Iterator<Item = Found>) {
        for Found { key, asked, .. } in found {
            let next = u32::try_from(self.asked.len()).unwrap_or(u32::MAX);
            let number = *self.numbers.entry(asked.clone()).or_insert_with(|| {
                self.asked.push(asked);
                next
            });
            self.calls.push((key, number));
        }
    }

    pub(super) fn sort(&mut self) {
        self.calls.sort_unstable_by_key(|(key, _)| *key);
        self.numbers = HashMap::new();
    }

    /// Whether this request id of AWS is that of a call of ours.
    pub fn is_ours(&self, request_id: &str) -> bool {
        self.find(request_id).is_some()
    }

    /// Who asked for the call with this request id of AWS; `None` if it is no call of ours.
    pub fn find(&self, request_id: &str) -> Option<&Asked> {
        let key = key_of(request_id);
        let at = self.calls.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        self.asked.get(usize::try_from(self.calls[at].1).ok()?)
    }

    pub fn len(&self) -> usize {
        self.calls.len()
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

/// The 16 bytes that stand for an id of a request or an event: AWS's ids are UUIDs; others are hashed.
pub fn key_of(id: &str) -> u128 {
    match Uuid::try_parse(id) {
        Ok(id) => id.as_u128(),
        Err(_) => {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
            digest.as_ref().iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
        }
    }
}
