//! The thread that writes snapshots, at the lowest priority and from copies that cost nothing: neither the writer nor
//! anybody who reads waits for it.

use super::super::chain::Chain;
use super::super::error::LedgerError;
use super::super::replay::Replayed;
use super::super::{Published, Shared, spawn};
use super::{Place, WORTHWHILE};
use crate::domain::state::State;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// Records between two snapshots of a running ledger: as many are replayed in about half a second.
const EVERY: u64 = 100_000;
/// At the end of the process fewer are worth one.
const AT_THE_END: u64 = 1_000;

struct Job {
    state: State,
    chain: Chain,
}

/// Decides when a snapshot is due, and has it written.
pub(in crate::ledger) struct Keeper {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// The record that the last snapshot rests on.
    last: u64,
}

impl Keeper {
    /// The last snapshot rests on record `last`; 0: there is none.
    pub(in crate::ledger) fn start(place: Option<Place>, shared: &Arc<Shared>, last: u64) -> Result<Self, LedgerError> {
        let Some(place) = place else { return Ok(Self { jobs: None, thread: None, last }) };
        let (jobs, queue) = sync_channel(1);
        let shared = shared.clone();
        let thread = spawn("ledger-snapshot", move || keep(&place, &shared, &queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), last })
    }

    /// To be told of each commit. Never waits: if a snapshot is being written still, a later commit begins the next.
    pub(in crate::ledger) fn note(&mut self, published: &Published, chain: Chain) {
        if chain.seq >= WORTHWHILE && chain.seq - self.last >= EVERY {
            self.begin(published, chain);
        }
    }

    /// Writes a last one, and waits for it.
    pub(in crate::ledger) fn finish(self, published: &Published, chain: Chain) {
        if chain.seq >= WORTHWHILE
            && chain.seq.saturating_sub(self.last) >= AT_THE_END
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

fn keep(place: &Place, shared: &Shared, queue: &Receiver<Job>) {
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
