//! The thread that writes snapshots, at the lowest priority and from cheap copies of the state. Neither the writer nor
//! any reader waits for it.

use super::super::chain::Chain;
use super::super::error::LedgerError;
use super::super::replay::Replayed;
use super::super::{Published, Shared, spawn};
use super::{MIN_RECORDS, Place};
use crate::domain::state::State;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// Records between two snapshots of a running ledger. This many are replayed in about half a second.
const INTERVAL: u64 = 100_000;
/// Records since the last snapshot that are enough for another at the end of the process.
const MIN_AT_CLOSE: u64 = 1_000;

struct Job {
    state: State,
    chain: Chain,
}

/// Decides when a snapshot is due, and passes it to the thread that writes it.
pub(in crate::ledger) struct Keeper {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// The last record of the last snapshot.
    last: u64,
}

impl Keeper {
    /// Starts the thread. `last` is the last record of the last snapshot, 0 if there is none.
    pub(in crate::ledger) fn start(place: Option<Place>, shared: &Arc<Shared>, last: u64) -> Result<Self, LedgerError> {
        let Some(place) = place else { return Ok(Self { jobs: None, thread: None, last }) };
        let (jobs, queue) = sync_channel(1);
        let shared = shared.clone();
        let thread = spawn("ledger-snapshot", move || write_snapshots(&place, &shared, &queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), last })
    }

    /// Begins a snapshot if one is due; called after each commit. It never waits: if the last snapshot is still being
    /// written, a later commit begins the next.
    pub(in crate::ledger) fn after_commit(&mut self, published: &Published, chain: Chain) {
        if chain.seq >= MIN_RECORDS && chain.seq - self.last >= INTERVAL {
            self.begin(published, chain);
        }
    }

    /// Writes a last snapshot if it is worthwhile, and waits for it.
    pub(in crate::ledger) fn finish(self, published: &Published, chain: Chain) {
        if chain.seq >= MIN_RECORDS
            && chain.seq.saturating_sub(self.last) >= MIN_AT_CLOSE
            && let Some(jobs) = &self.jobs
        {
            let _ = jobs.send(Job { state: published.state.clone(), chain });
        }
    }

    fn begin(&mut self, published: &Published, chain: Chain) {
        if let Some(jobs) = &self.jobs
            && jobs.try_send(Job { state: published.state.clone(), chain }).is_ok()
        {
            self.last = chain.seq;
        }
    }
}

impl Drop for Keeper {
    /// Waits for the snapshot that is being written.
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_snapshots(place: &Place, shared: &Shared, queue: &Receiver<Job>) {
    super::lower_priority();
    for Job { state, chain } in queue {
        let started = Instant::now();
        let history = shared.history_upto(chain.seq);
        match place.write(&Replayed { state, history, chain }) {
            Ok(()) => {
                tracing::info!(
                    records = chain.seq,
                    seconds = started.elapsed().as_secs_f32(),
                    "a snapshot was written"
                );
            }
            Err(error) => tracing::warn!(%error, "no snapshot was written; the next start replays more of the log"),
        }
    }
}
