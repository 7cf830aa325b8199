//! From bytes back to state. One thread reads and checks the chain, another decodes and applies.

use super::chain::{Chain, Linked, Walk};
use super::error::LedgerError;
use super::head::Known;
use super::history::History;
use super::store::Store;
use crate::domain::state::State;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Records handed from thread to thread at once.
const BATCH: usize = 256;
/// Batches that may wait: enough to ride out a stall, little enough not to be seen in the memory.
const AHEAD: usize = 16;

/// What the log comes to.
pub(super) struct Replayed {
    pub state: State,
    pub history: History,
    pub chain: Chain,
}

impl Replayed {
    /// Before the first record.
    pub fn nothing() -> Self {
        Self { state: State::default(), history: History::default(), chain: Chain::START }
    }

    /// Takes in a record.
    pub fn absorb(&mut self, linked: &Linked) -> Result<(), LedgerError> {
        let (event, chain) = linked.follow(&self.chain)?;
        self.state.apply(chain.time, &event);
        self.history.note(chain.seq, &event);
        self.chain = chain;
        Ok(())
    }
}

/// Reads the log up to record `upto`.
///
/// # Errors
/// The first thing wrong with it.
pub(super) fn replay(store: &dyn Store, upto: u64, known: Known) -> Result<Replayed, LedgerError> {
    std::thread::scope(|scope| {
        let (give, take) = sync_channel(AHEAD);
        scope.spawn(move || read(Walk::whole(store, upto), &give));
        let mut replayed = Replayed::nothing();
        for batch in take {
            for linked in batch {
                let linked = linked?;
                known.check(&linked)?;
                replayed.absorb(&linked)?;
            }
        }
        Ok(replayed)
    })
}

type Batch = Vec<Result<Linked, LedgerError>>;

fn read(walk: Walk, give: &SyncSender<Batch>) {
    let mut batch = Vec::with_capacity(BATCH);
    for linked in walk {
        batch.push(linked);
        if batch.len() == BATCH && give.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).is_err() {
            return; // Nobody listens: the other side has found something broken.
        }
    }
    let _ = give.send(batch);
}
