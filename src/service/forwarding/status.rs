//! How the destinations stand: for the answers of the API, and for the metrics. All of it is of this run of the
//! program.

use crate::domain::time::Time;
use crate::forward::Position;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The kinds of destinations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Udp,
    Tcp,
    Tls,
    File,
    Otlp,
}

impl Kind {
    /// The names in the metrics, in the order of the kinds.
    const NAMES: [&str; 5] = ["udp", "tcp", "tls", "file", "otlp"];
}

/// How one destination stands.
#[derive(Clone, Debug, Default)]
pub struct DestinationStatus {
    /// The number of records that do not count as received.
    pub lag: u64,
    /// When something was last sent.
    pub last_sent: Option<Time>,
    /// The last failure, if nothing has been received since.
    pub error: Option<String>,
}

/// The sums over all destinations of a kind.
pub struct KindTotals {
    pub kind: &'static str,
    /// The largest number of records that a destination has not received.
    pub lag_records: u64,
    /// The largest age of such a record, in seconds.
    pub lag_seconds: f64,
    /// The number of records that were sent, repetitions included.
    pub sent: u64,
    pub failures: u64,
    /// The number of records that will never be sent.
    pub skipped: u64,
}

/// What is counted over the destinations of a kind.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) sent: u64,
    pub(super) failures: u64,
    pub(super) skipped: u64,
}

/// What the task of a destination reports.
#[derive(Clone, Default)]
pub(super) struct Standing {
    pub(super) kind: Option<Kind>,
    /// Up to where records count as received; `None` until the task knows.
    pub(super) received: Option<Position>,
    /// Up to where that is so even if what is in the buffers of the connection is never read.
    pub(super) surely_received: Option<Position>,
    /// The failed attempts that were counted as skipped, because they had been deleted: the number before the first,
    /// and the last.
    pub(super) missed: (u64, u64),
    pub(super) last_sent: Option<Time>,
    pub(super) error: Option<String>,
}

/// The number of records between two positions, of all sources.
fn lag(received: Position, end: Position) -> u64 {
    end.iter().zip(received).map(|(end, received)| end.saturating_sub(received)).sum()
}

#[derive(Default)]
pub(super) struct Statuses {
    standings: Mutex<HashMap<String, Standing>>,
    /// Those of each kind.
    counts: Mutex<[Counts; Kind::NAMES.len()]>,
}

impl Statuses {
    pub(super) fn of(&self, name: &str, end: Position) -> DestinationStatus {
        let standings = self.standings();
        let Some(standing) = standings.get(name) else { return DestinationStatus::default() };
        DestinationStatus {
            lag: standing.received.map_or(0, |received| lag(received, end)),
            last_sent: standing.last_sent,
            error: standing.error.clone(),
        }
    }

    /// Changes how a destination stands.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Standing)) {
        change(self.standings().entry(name.to_owned()).or_default());
    }

    pub(super) fn forget(&self, name: &str) {
        self.standings().remove(name);
    }

    /// Up to where records were surely received.
    pub(super) fn surely_received(&self, name: &str) -> Option<Position> {
        self.standings().get(name).and_then(|standing| standing.surely_received)
    }

    pub(super) fn count(&self, kind: Kind, more: Counts) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let all = &mut counts[kind as usize];
        all.sent += more.sent;
        all.failures += more.failures;
        all.skipped += more.skipped;
    }

    /// The sums of each kind, without the ages, and the positions that its destinations have received.
    pub(super) fn totals(&self, end: Position) -> Vec<(KindTotals, Vec<Position>)> {
        let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let standings = self.standings();
        let of_kind = |(kind, counts): (usize, Counts)| {
            let Counts { sent, failures, skipped } = counts;
            let these = standings.values().filter(|standing| standing.kind.is_some_and(|its| its as usize == kind));
            let received: Vec<Position> = these.filter_map(|standing| standing.received).collect();
            let lag_records = received.iter().map(|received| lag(*received, end)).max().unwrap_or(0);
            (KindTotals { kind: Kind::NAMES[kind], lag_records, lag_seconds: 0.0, sent, failures, skipped }, received)
        };
        counts.into_iter().enumerate().map(of_kind).collect()
    }

    fn standings(&self) -> MutexGuard<'_, HashMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
