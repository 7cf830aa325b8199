//! Tests of the ledger's guarantees, one file for each. `sample` has events, `memory` a store that can be made to fail.

mod chain;
mod crash;
mod damage;
mod disk;
mod golden;
mod group;
mod memory;
mod replay;
mod sample;
mod sample_alarms;
mod sample_backups;
mod sample_drift;
mod sample_forwarders;
mod sample_jobs;
mod sample_key_stores;
mod sample_keys;
mod sample_posture;
mod sample_reports;
mod sample_schedules;
mod sample_source_keys;
mod seal;
mod snapshot;
mod snapshot_golden;

use super::*;
use std::sync::atomic::AtomicU64;

/// Options with a clock that advances by a microsecond at each call, and with consecutive ids.
fn options() -> LedgerOptions {
    let (clock, ids) = (AtomicU64::new(1_604_554_157_000_000), AtomicU64::new(1));
    LedgerOptions {
        clock: Arc::new(move || Time::from_nanos(clock.fetch_add(1, Ordering::Relaxed) as i64 * 1000)),
        ids: Arc::new(move || EventId::new(Uuid::from_u128(u128::from(ids.fetch_add(1, Ordering::Relaxed))))),
        cache_bytes: 1024 * 1024,
        queue: 128,
        snapshot_key: None,
        seal: None,
    }
}

fn by_nobody() -> Context {
    Context { actor: Actor::System, request_id: "r-1".to_owned() }
}

/// Records these events unconditionally.
async fn record(ledger: &Ledger, events: Vec<Event>) -> Result<Committed, WriteError> {
    ledger.execute(by_nobody(), move |_, _| Ok(events.clone())).await
}

async fn all(ledger: &Ledger) -> Vec<Record> {
    ledger.read_range(1, RANGE_MAX).await.expect("a whole log")
}
