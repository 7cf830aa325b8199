//! Reads of past records, for histories and `claviger events`. They run one at a time on a thread of their own, so that
//! no thread that serves requests waits for the disk. One read returns at most [`RANGE_MAX`] records and about
//! [`BYTES_MAX`] bytes, so that no read waits long for the others.
//!
//! A record is valid if it contains the hash of the one before, and the one after it contains its own. The hash of the
//! last record of the log is known.

use super::Shared;
use super::chain::{Chain, ChainReader, check_time};
use super::error::LedgerError;
use super::head::HeadMark;
use super::record::Record;
use super::store::Store;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// The most records that one read returns.
pub(super) const RANGE_MAX: usize = 1000;
/// The number of bytes of records after which a read ends early.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Records whose numbers differ by at most this are read in one pass: a seek costs about as much.
const NEAR: u64 = 16;
/// Reads that may be queued; [`Reader::read`] waits while the queue is full.
const QUEUE: usize = 64;

/// The reading thread. It ends when this value is dropped.
pub(super) struct Reader {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

/// The records to read.
pub(super) enum Wanted {
    /// At most `limit` records from number `from` on.
    Range { from: u64, limit: usize },
    /// The records of these numbers, which ascend.
    Numbers(Vec<u64>),
}

struct Request {
    wanted: Wanted,
    answer: oneshot::Sender<Result<Vec<Record>, LedgerError>>,
}

impl Reader {
    pub(super) fn start(store: Arc<dyn Store>, shared: Arc<Shared>) -> Result<Self, LedgerError> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let thread = super::spawn("ledger-reader", move || serve(&*store, &shared, queue))?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Returns the records, or the first of them if they are large; none if there is no such record yet.
    pub(super) async fn read(&self, wanted: Wanted) -> Result<Vec<Record>, LedgerError> {
        let requests = self.requests.as_ref().ok_or(LedgerError::ReaderGone)?;
        let (answer, answered) = oneshot::channel();
        requests.send(Request { wanted, answer }).await.map_err(|_| LedgerError::ReaderGone)?;
        answered.await.map_err(|_| LedgerError::ReaderGone)?
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(store: &dyn Store, shared: &Shared, mut requests: mpsc::Receiver<Request>) {
    while let Some(Request { wanted, answer }) = requests.blocking_recv() {
        if answer.is_closed() {
            continue; // The caller no longer waits.
        }
        let _ = answer.send(read(store, &shared.chain_end(), &wanted));
    }
}

fn read(store: &dyn Store, end: &Chain, wanted: &Wanted) -> Result<Vec<Record>, LedgerError> {
    let mut piece = Piece { store, end, records: Vec::new(), bytes: 0 };
    match wanted {
        Wanted::Range { from, limit } => {
            let from = (*from).max(1);
            let last = from.saturating_add((*limit).clamp(1, RANGE_MAX) as u64 - 1);
            piece.read(from..=last, |_| true)?;
        }
        Wanted::Numbers(numbers) => {
            for group in numbers[..numbers.len().min(RANGE_MAX)].chunk_by(|one, next| next - one <= NEAR) {
                let whole = match group {
                    [] => true,
                    [first, .., last] => piece.read(*first..=*last, |seq| group.binary_search(&seq).is_ok())?,
                    [only] => piece.read(*only..=*only, |_| true)?,
                };
                if !whole {
                    break;
                }
            }
        }
    }
    Ok(piece.records)
}

struct Piece<'a> {
    store: &'a dyn Store,
    end: &'a Chain,
    records: Vec<Record>,
    bytes: usize,
}

impl Piece<'_> {
    /// Reads the wanted records of a range, together with the record before it and the one after it, which prove them.
    /// Returns false if it ended early.
    fn read(&mut self, range: RangeInclusive<u64>, wanted: impl Fn(u64) -> bool) -> Result<bool, LedgerError> {
        let (from, last) = (*range.start(), (*range.end()).min(self.end.seq));
        if from > last {
            return Ok(false);
        }
        let mut before = None;
        let known = HeadMark { seq: self.end.seq, hash: self.end.hash };
        for batch in ChainReader::middle(self.store, from, (last + 1).min(self.end.seq)) {
            for linked in batch?.iter() {
                // This record contains the hash of the one before, which is thereby proved.
                if linked.seq > last || self.bytes >= BYTES_MAX {
                    return Ok(linked.seq > last);
                }
                known.check(&linked)?;
                let record = linked.decode()?;
                check_time(record.seq, before.replace(record.time).unwrap_or(Chain::START.time), record.time)?;
                if range.contains(&record.seq) && wanted(record.seq) {
                    self.bytes += linked.bytes.len();
                    self.records.push(record);
                }
            }
        }
        Ok(true)
    }
}
