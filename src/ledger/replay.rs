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
    pub fn absorb(&mut self, linked: &Linked<&[u8]>) -> Result<(), LedgerError> {
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
            for linked in batch?.iter() {
                known.check(&linked)?;
                replayed.absorb(&linked)?;
            }
        }
        Ok(replayed)
    })
}

/// Records one behind the other: memory that one thread takes and another returns is dear, so it is taken rarely.
struct Batch {
    bytes: Vec<u8>,
    records: Vec<Linked<usize>>,
}

impl Batch {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(BATCH * 256), records: Vec::with_capacity(BATCH) }
    }

    fn push(&mut self, linked: &Linked) {
        self.bytes.extend_from_slice(&linked.bytes);
        self.records.push(Linked { seq: linked.seq, bytes: self.bytes.len(), hash: linked.hash });
    }

    fn iter(&self) -> impl Iterator<Item = Linked<&[u8]>> {
        let mut rest = self.bytes.as_slice();
        let mut begin = 0;
        self.records.iter().map(move |record| {
            let (bytes, more) = rest.split_at(record.bytes - begin);
            (rest, begin) = (more, record.bytes);
            Linked { seq: record.seq, bytes, hash: record.hash }
        })
    }
}

/// Ends when nobody listens any more: then the other side has found something broken.
fn read(walk: Walk, give: &SyncSender<Result<Batch, LedgerError>>) {
    let mut batch = Batch::new();
    for linked in walk {
        match linked {
            Ok(linked) => batch.push(&linked),
            Err(error) => {
                // What is before it counts first.
                let _ = give.send(Ok(batch)).and_then(|()| give.send(Err(error)));
                return;
            }
        }
        if batch.records.len() == BATCH && give.send(Ok(std::mem::replace(&mut batch, Batch::new()))).is_err() {
            return;
        }
    }
    let _ = give.send(Ok(batch));
}
