//! From bytes back to state. One thread reads, which is half of the work; another checks the chain, decodes and applies.

use super::chain::{Chain, ChainReader, Linked};
use super::error::LedgerError;
use super::head::HeadMark;
use super::history::History;
use super::store::{Entries, Store, StoreError};
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
    pub(super) fn nothing() -> Self {
        Self { state: State::default(), history: History::default(), chain: Chain::START }
    }

    pub(super) fn absorb(&mut self, linked: &Linked) -> Result<(), LedgerError> {
        let (event, chain) = linked.decode_event(&self.chain)?;
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
pub(super) fn replay(store: &dyn Store, upto: u64, known: HeadMark) -> Result<Replayed, LedgerError> {
    std::thread::scope(|scope| {
        let (give, take) = sync_channel(AHEAD);
        let entries = store.read(1);
        scope.spawn(move || read(entries, &give));
        let mut replayed = Replayed::nothing();
        for linked in ChainReader::over(Box::new(take.into_iter().flat_map(Batch::unpack)), upto) {
            let linked = linked?;
            known.check(&linked)?;
            replayed.absorb(&linked)?;
        }
        Ok(replayed)
    })
}

/// Records one behind the other: memory that one thread takes and another returns is dear, so it is taken rarely.
struct Batch {
    bytes: Vec<u8>,
    /// The number of each record, and where it ends.
    records: Vec<(u64, usize)>,
    /// What came instead of the next one.
    broken: Option<StoreError>,
}

impl Batch {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(BATCH * 256), records: Vec::with_capacity(BATCH), broken: None }
    }

    fn push(&mut self, seq: u64, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.records.push((seq, self.bytes.len()));
    }

    fn unpack(self) -> impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>> + Send {
        let Self { bytes, records, broken } = self;
        let mut begin = 0;
        let whole = records.into_iter().map(move |(seq, end)| {
            let record = bytes[begin..end].to_vec();
            begin = end;
            Ok((seq, record))
        });
        whole.chain(broken.map(Err))
    }
}

/// Ends when nobody listens any more: then the other side has all that it wants, or has found something broken.
fn read(entries: Entries, give: &SyncSender<Batch>) {
    let mut batch = Batch::new();
    for entry in entries {
        match entry {
            Ok((seq, bytes)) => batch.push(seq, &bytes),
            Err(error) => batch.broken = Some(error),
        }
        if batch.records.len() == BATCH && give.send(std::mem::replace(&mut batch, Batch::new())).is_err() {
            return;
        }
    }
    let _ = give.send(batch);
}
