//! The outcomes of calls, for the event log. They wait in a bounded queue: a call never waits for it, and outcomes for
//! which it has no room are dropped and counted.

use super::error::ErrorName;
use super::path::Operation;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// The number of outcomes that wait at most.
const CAPACITY: usize = 8192;

/// What became of a call. What the caller says of itself is absent if its signature is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub at: DateTime<Utc>,
    pub store: Uuid,
    pub operation: Operation,
    /// The key that the call names, which may not exist; absent for `health`.
    pub xks_key_id: Option<String>,
    /// The access key id that the call names, which is not proven if the signature is not valid.
    pub access_key_id: Option<String>,
    pub kms_request_id: Option<String>,
    pub kms_operation: Option<String>,
    pub kms_key_arn: Option<String>,
    pub principal: Option<String>,
    pub via_service: Option<String>,
    pub source_vpc: Option<String>,
    pub source_vpce: Option<String>,
    pub result: OutcomeResult,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutcomeResult {
    Served,
    Refused {
        error: ErrorName,
        message: String,
        /// The caller rule that did not admit the call: `key store: principals`, `key: operations`.
        rule: Option<&'static str>,
    },
    /// The call was served, and its key version has encrypted so often that it should be rotated. It is reported once.
    ManyEncryptions {
        version: u32,
        encryptions: u64,
    },
}

/// A number of encryptions to record for a key version. The count does not exceed it before the next step is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionStep {
    pub store: Uuid,
    pub xks_key_id: String,
    pub version: u32,
    pub encryptions: u64,
}

/// What has happened since the last drain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    pub outcomes: Vec<Outcome>,
    /// The outcomes that were dropped.
    pub dropped: u64,
    /// The newest step of each version that has reached one. None is ever dropped.
    pub steps: Vec<EncryptionStep>,
}

#[derive(Default)]
pub(super) struct Outcomes {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Outcome>,
    dropped: u64,
    steps: BTreeMap<(Uuid, String, u32), u64>,
}

impl Outcomes {
    pub(super) fn add(&self, outcome: Outcome) {
        let mut queue = self.queue();
        // A warning of a key version comes once, so that it never lacks room.
        let important = matches!(outcome.result, OutcomeResult::ManyEncryptions { .. });
        if queue.waiting.len() < CAPACITY || important {
            queue.waiting.push_back(outcome);
        } else {
            queue.dropped += 1;
        }
        drop(queue);
        self.filled.notify_one();
    }

    /// Counts an outcome that is not added.
    pub(super) fn drop_one(&self) {
        self.queue().dropped += 1;
        self.filled.notify_one();
    }

    pub(super) fn reach(&self, step: EncryptionStep) {
        let EncryptionStep { store, xks_key_id, version, encryptions } = step;
        let mut queue = self.queue();
        let known = queue.steps.entry((store, xks_key_id, version)).or_default();
        *known = encryptions.max(*known);
        drop(queue);
        self.filled.notify_one();
    }

    /// Waits until there is something, and takes it, with at most `max` outcomes. If it is cancelled, it takes nothing.
    pub(super) async fn drain(&self, max: usize) -> Drained {
        loop {
            let drained = self.take(max);
            if drained != Drained::default() {
                return drained;
            }
            self.filled.notified().await;
        }
    }

    /// Takes what is there.
    pub(super) fn take(&self, max: usize) -> Drained {
        let mut queue = self.queue();
        let count = queue.waiting.len().min(max);
        let outcomes = queue.waiting.drain(..count).collect();
        let dropped = std::mem::take(&mut queue.dropped);
        let steps = std::mem::take(&mut queue.steps);
        if !queue.waiting.is_empty() {
            self.filled.notify_one();
        }
        drop(queue);
        let step =
            |((store, xks_key_id, version), encryptions)| EncryptionStep { store, xks_key_id, version, encryptions };
        Drained { outcomes, dropped, steps: steps.into_iter().map(step).collect() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
