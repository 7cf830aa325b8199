//! Counters of stores, credentials and keys. They live as long as their store or key, across changes of its entry.

use super::error::ErrorName;
use super::latency::{Latencies, Recorder};
use super::path::Operation;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// The encryptions of a key version are recorded in steps of this number.
pub const ENCRYPTION_STEP: u64 = 1 << 20;
/// From this number of encryptions on, a key version should be rotated: with random initialization vectors, NIST allows
/// 2^32 encryptions under a key.
pub const MANY_ENCRYPTIONS: u64 = 1 << 31;

/// What the proxy has counted for a store since the start of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreCounters {
    /// The calls by operation, refused ones included.
    pub calls: BTreeMap<Operation, u64>,
    /// The refused calls by error. Errors that did not occur are absent.
    pub refusals: BTreeMap<ErrorName, u64>,
    /// The times of the calls to all operations, from the complete request to the complete answer.
    pub last_minute: Latencies,
    pub last_hour: Latencies,
    /// The last call with a valid signature.
    pub last_call_at: Option<DateTime<Utc>>,
    pub credentials: Vec<CredentialUse>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialUse {
    pub access_key_id: String,
    /// The last call that was signed with the credential.
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCounters {
    pub versions: Vec<VersionCounters>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCounters {
    pub number: u32,
    /// At least the number of encryptions since the version was made.
    pub encryptions: u64,
    pub last_encrypt_at: Option<DateTime<Utc>>,
    pub last_decrypt_at: Option<DateTime<Utc>>,
}

/// The counters of a store.
pub(super) struct StoreStats {
    calls: [AtomicU64; Operation::ALL.len()],
    refusals: [AtomicU64; ErrorName::ALL.len()],
    pub latencies: Recorder,
    pub last_call: LastTime,
    /// The rate of calls with a valid signature.
    pub rate: Rate,
    /// The rate of reports of calls without one.
    pub unsigned_rate: Rate,
}

impl StoreStats {
    pub(super) fn new() -> StoreStats {
        StoreStats {
            calls: Default::default(),
            refusals: Default::default(),
            latencies: Recorder::new(),
            last_call: LastTime::default(),
            rate: Rate::default(),
            unsigned_rate: Rate::default(),
        }
    }

    pub(super) fn count_call(&self, operation: Operation) {
        self.calls[operation as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_refusal(&self, error: ErrorName) {
        self.refusals[error as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn calls(&self) -> BTreeMap<Operation, u64> {
        Operation::ALL.into_iter().map(|operation| (operation, load(&self.calls[operation as usize]))).collect()
    }

    pub(super) fn refusals(&self) -> BTreeMap<ErrorName, u64> {
        let counted = ErrorName::ALL.into_iter().map(|error| (error, load(&self.refusals[error as usize])));
        counted.filter(|(_, count)| *count > 0).collect()
    }
}

/// A limit of events per second.
#[derive(Default)]
pub(super) struct Rate {
    /// The time at which the events so far would have happened at the rate, in nanoseconds since 1970.
    until: AtomicI64,
}

impl Rate {
    /// Whether another event is within a rate: a second's worth of events at once, then the rate. A clock that is set
    /// back starts the rate afresh.
    pub(super) fn admits(&self, per_second: NonZeroU32, now: DateTime<Utc>) -> bool {
        const SECOND: i64 = 1_000_000_000;
        let (interval, now) = (SECOND / i64::from(per_second.get()), now.timestamp_nanos_opt().unwrap_or(0));
        let next = |until: i64| {
            let until = if (now..=now + SECOND).contains(&until) { until } else { now };
            Some(until + interval).filter(|next| *next <= now + SECOND)
        };
        self.until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

/// The counters of a key version.
pub(super) struct VersionStats {
    encryptions: AtomicU64,
    /// The number up to which encryptions are recorded, or about to be.
    recorded: AtomicU64,
    warned: AtomicBool,
    pub last_encrypt: LastTime,
    pub last_decrypt: LastTime,
}

/// What the count of an encryption causes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// The number to record, which the count will not exceed before the next step.
    pub step: Option<u64>,
    /// The number of encryptions, when a warning is due.
    pub many: Option<u64>,
}

impl VersionStats {
    pub(super) fn from(encryptions: u64) -> VersionStats {
        VersionStats {
            encryptions: AtomicU64::new(encryptions),
            recorded: AtomicU64::new(encryptions),
            warned: AtomicBool::new(false),
            last_encrypt: LastTime::default(),
            last_decrypt: LastTime::default(),
        }
    }

    /// Raises the count to at least a number that was recorded.
    pub(super) fn raise(&self, encryptions: u64) {
        self.encryptions.fetch_max(encryptions, Ordering::Relaxed);
    }

    pub(super) fn encryptions(&self) -> u64 {
        load(&self.encryptions)
    }

    /// Counts an encryption. The first one after a start reports a step, because only a recorded step makes the count
    /// of the next start high enough.
    pub(super) fn count_encryption(&self, now: DateTime<Utc>) -> Counted {
        self.last_encrypt.set(now);
        let count = self.encryptions.fetch_add(1, Ordering::Relaxed) + 1;
        let mut counted = Counted::default();
        if count > load(&self.recorded) {
            let step = count.div_ceil(ENCRYPTION_STEP) * ENCRYPTION_STEP;
            counted.step = (self.recorded.fetch_max(step, Ordering::Relaxed) < step).then_some(step);
        }
        if count >= MANY_ENCRYPTIONS && !self.warned.swap(true, Ordering::Relaxed) {
            counted.many = Some(count);
        }
        counted
    }
}

/// The last time of something, in microseconds since 1970; 0 is never.
#[derive(Default)]
pub(super) struct LastTime(AtomicI64);

impl LastTime {
    pub(super) fn set(&self, now: DateTime<Utc>) {
        self.0.fetch_max(now.timestamp_micros(), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<DateTime<Utc>> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            micros => DateTime::from_timestamp_micros(micros),
        }
    }
}

fn load(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}
