//! The ledger: the append-only log of events, its only writer, and the state that it publishes. Only the services use
//! it. It never changes a written record, never answers before the record is durable, and never publishes a state that
//! is not durable.
//!
//! - `record`: a record and its bytes; `layout`: the stored form of the domain's types
//! - `chain`: the hash chain of the records
//! - `store`: the trait of stores; `embedded`: the store on sled; `rows`: the format of its rows
//! - `head`: detection of a log that lost its end
//! - `seal`: detection of a log that was rewritten
//! - `writer`: the only thread that writes; `replay`: rebuilding the state from the log
//! - `snapshot`: a cache of the state
//! - `reader`: the thread that reads past records; `history`: the numbers of the records of each resource
//! - `json_lines`: records as JSON; `copying`: all records as bytes, for backups, and back

mod benchmark;
mod chain;
mod copying;
mod directory;
mod embedded;
mod error;
mod head;
mod history;
mod json_lines;
mod layout;
mod reader;
mod record;
mod replay;
mod rows;
mod seal;
mod snapshot;
mod store;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use benchmark::time_decoding;
pub use copying::{CopyError, RecordCopy, RestoredLog};
pub use error::{Fault, LedgerError, Stopped, WriteError};
pub use head::HeadMark;
pub use json_lines::{Filter, escaped_for_terminal, name_and_members};
pub use layout::state::members_of;
pub use record::{Record, RecordHash};
pub use seal::{SealFault, SealKey, SealSource};
pub use snapshot::SnapshotKey;
pub use store::{AppendError, Batch, Batches, Entry, Store, StoreError};
pub use verify::{Records, Verified, read, verify};

use crate::domain::event::{Actor, Event, Stream};
use crate::domain::id::EventId;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use arc_swap::ArcSwap;
use chain::{Chain, ChainReader};
use directory::Directory;
use embedded::Embedded;
use history::History;
use reader::{RANGE_MAX, Reader, Wanted};
use replay::Replayed;
use snapshot::{Keeper, Place};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;
use writer::{Order, Proposal, Writer};

/// The file of a seal that a backup brought, in the data directory.
pub const RESTORED_SEAL: &str = "restored-seal";

/// The log and the state that results from its events. Clones are cheap and share the same ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

/// The state after a number of records, all of them durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The number of the last record; 0 before the first.
    pub head: u64,
    /// The time of that record; the smallest time before the first.
    pub time: Time,
    /// The state after all records up to that one.
    pub state: State,
}

/// The actor and the request on whose behalf records are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub actor: Actor,
    pub request_id: String,
}

/// The result of a decision.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The number of the last record that the decision is based on or made.
    pub head: u64,
    /// The state right after this decision's own events, without later changes by others.
    pub published: Arc<Published>,
    /// The events; empty if nothing had to change.
    pub events: Vec<Event>,
}

/// The ledger's clock and id source, its memory limits, and the key of its snapshots.
#[derive(Clone)]
pub struct LedgerOptions {
    /// The clock. A record is always later than the one before, even if the clock goes back.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// Makes the ids of events.
    pub ids: Arc<dyn Fn() -> EventId + Send + Sync>,
    /// The approximate size of the store's cache, in bytes.
    pub cache_bytes: u64,
    /// The number of decisions that may be queued; [`Ledger::execute`] waits while the queue is full.
    pub queue: usize,
    /// The key of the snapshots' MAC; without it there are no snapshots.
    pub snapshot_key: Option<SnapshotKey>,
    /// The key of the log's seal; without it the log is neither checked against its seal nor sealed.
    pub seal: Option<SealSource>,
}

impl Default for LedgerOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(|| Time::of(chrono::Utc::now())),
            ids: Arc::new(|| EventId::new(Uuid::new_v4())),
            cache_bytes: 64 * 1024 * 1024,
            queue: 1024,
            snapshot_key: None,
            seal: None,
        }
    }
}

/// The data that the writer updates and others read.
struct Shared {
    published: ArcSwap<Published>,
    /// The end of the chain, never behind the published state.
    chain: Mutex<Chain>,
    history: RwLock<History>,
    accepting: AtomicBool,
    head: watch::Sender<u64>,
}

struct Inner {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    reader: Reader,
    is_sealed: AtomicBool,
    /// The store, if it can be sealed.
    sealable: OnceLock<Arc<Embedded>>,
    /// The thread that checks the records before the snapshot.
    check: Mutex<Option<JoinHandle<()>>>,
    clock: Arc<dyn Fn() -> Time + Send + Sync>,
    orders: Mutex<Option<mpsc::Sender<Order>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Shared {
    fn publish(&self, published: Published, chain: Chain) {
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        let head = published.head;
        self.published.store(Arc::new(published));
        self.head.send_replace(head);
    }

    /// Returns the history up to record `seq`. It is copied a few streams at a time, so that the writer does not wait
    /// for the entire copy.
    fn history_upto(&self, seq: u64) -> History {
        let history = || self.history.read().unwrap_or_else(PoisonError::into_inner);
        let streams = history().streams();
        let mut copy = History::default();
        streams.chunks(256).for_each(|streams| history().copy_upto(seq, streams, &mut copy));
        copy
    }

    fn chain_end(&self) -> Chain {
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Opens the log in a data directory, or creates one; reads it and starts the writer.
    ///
    /// # Errors
    /// When another process has the directory open, when the log is damaged or has lost its end, or when the operating
    /// system returns an error.
    pub fn open(directory: &Path, options: LedgerOptions) -> Result<Self, LedgerError> {
        let (mut store, known) = Embedded::open(Directory::lock(directory)?, options.cache_bytes)?;
        let sealed = store.open_seal(options.seal.as_ref())?;
        let store = Arc::new(store);
        let snapshots = options.snapshot_key.clone().map(|key| Place::new(directory, key));
        let ledger = Self::start_with(snapshots, store.clone(), known, sealed, options)?;
        ledger.0.is_sealed.store(store.seals(), Ordering::Release);
        let _ = ledger.0.sealable.set(store);
        Ok(ledger)
    }

    /// Whether the key of the seal was there when the log was opened: the seal was checked if there is one, and commits
    /// are sealed.
    pub fn is_sealed(&self) -> bool {
        self.0.is_sealed.load(Ordering::Acquire)
    }

    /// Seals the log if it has no seal yet, because an earlier version wrote it, or if a backup brought its seal. The
    /// caller has checked that the keyring belongs to the log. It must come before the first change.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn seal(&self) -> Result<(), LedgerError> {
        self.0.sealable.get().map_or(Ok(()), |store| store.seal_now(self.end()))
    }

    #[cfg(test)]
    fn start(store: Arc<dyn Store>, known: HeadMark, options: LedgerOptions) -> Result<Self, LedgerError> {
        Self::start_with(None, store, known, None, options)
    }

    fn start_with(
        snapshots: Option<Place>,
        store: Arc<dyn Store>,
        known: HeadMark,
        sealed: Option<HeadMark>,
        options: LedgerOptions,
    ) -> Result<Self, LedgerError> {
        let (replayed, snapshot_end) = snapshot::replay(snapshots.as_ref(), &*store, known)?;
        let Replayed { state, history, chain } = replayed;
        if let Some(sealed) = sealed {
            seal::check(sealed, HeadMark { seq: chain.seq, hash: chain.hash })?;
        }
        let (orders, queue) = mpsc::channel(options.queue.max(1));
        let shared = Arc::new(Shared {
            published: ArcSwap::from_pointee(Published { head: chain.seq, time: chain.time, state }),
            chain: Mutex::new(chain),
            history: RwLock::new(history),
            accepting: AtomicBool::new(true),
            head: watch::Sender::new(chain.seq),
        });
        let keeper = Keeper::start(snapshots, &shared, snapshot_end.seq)?;
        let check = snapshot::check_earlier_records(store.clone(), shared.clone(), snapshot_end)?;
        let writer = Writer {
            store: store.clone(),
            shared: shared.clone(),
            options: options.clone(),
            chain,
            orders: queue,
            keeper: Some(keeper),
        };
        if let Some(heads) = store.watch_heads() {
            let orders = orders.downgrade();
            spawn("ledger-follower", move || writer::forward_heads(&heads, &orders))?;
        }
        let reader = Reader::start(store.clone(), shared.clone())?;
        let thread = spawn("ledger-writer", move || writer.run())?;
        Ok(Self(Arc::new(Inner {
            shared,
            store,
            reader,
            is_sealed: AtomicBool::new(false),
            sealable: OnceLock::new(),
            check: Mutex::new(check),
            clock: options.clock,
            orders: Mutex::new(Some(orders)),
            writer: Mutex::new(Some(thread)),
        })))
    }

    /// The state as of the last durable record. The call is cheap; keep the result for as long as one answer takes.
    pub fn state(&self) -> Arc<Published> {
        self.0.shared.published.load_full()
    }

    /// Decides and records. The writer runs `decide` on the newest state, with the time of the first of its records,
    /// and runs it again if others have appended in between. Returns when the records are durable. Dropping the future
    /// does not cancel the change.
    ///
    /// # Errors
    /// The refusal that `decide` returns, or the reason why the ledger accepts no changes.
    pub async fn execute(
        &self,
        context: Context,
        decide: impl Fn(&State, Time) -> Result<Vec<Event>, Refusal> + Send + 'static,
    ) -> Result<Committed, WriteError> {
        let orders = self.0.orders().as_ref().cloned().ok_or(Stopped::Closed)?;
        let (answer, answered) = oneshot::channel();
        let proposal = Proposal { context, decide: Box::new(decide), answer };
        orders.send(Order::Write(proposal)).await.map_err(|_| Stopped::Closed)?;
        drop(orders);
        answered.await.unwrap_or(Err(Stopped::Closed.into()))
    }

    /// A dry run: decides as [`Ledger::execute`] would now, and records nothing. The returned state is never published.
    ///
    /// # Errors
    /// The refusal that `decide` returns.
    pub fn consider(
        &self,
        decide: impl FnOnce(&State, Time) -> Result<Vec<Event>, Refusal>,
    ) -> Result<Committed, Refusal> {
        let mut published = Published::clone(&self.state());
        let mut time = writer::time_after(published.time, (self.0.clock)());
        let events = decide(&published.state, time)?;
        for event in &events {
            published.state.apply(time, event);
            published.head += 1;
            published.time = time;
            time = writer::time_after(time, time);
        }
        Ok(Committed { head: published.head, published: Arc::new(published), events })
    }

    /// The durable records from number `from` on, in order: at most `limit`, and never more than a thousand. It returns
    /// fewer when they are large, and none when there are no more. A caller that wants all calls again with the number
    /// after the last one.
    ///
    /// # Errors
    /// The first broken record.
    pub async fn read_range(&self, from: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        self.0.reader.read(Wanted::Range { from, limit }).await
    }

    /// The record of this number, if it exists.
    ///
    /// # Errors
    /// When the record is broken.
    pub async fn read_one(&self, seq: u64) -> Result<Option<Record>, LedgerError> {
        if seq == 0 { Ok(None) } else { Ok(self.read_range(seq, 1).await?.pop()) }
    }

    /// The records of these numbers, which must ascend; numbers without a record are skipped. The records are read a
    /// thousand at a time, so that other reads get their turn.
    ///
    /// # Errors
    /// The first broken record.
    pub async fn read_many(&self, numbers: &[u64]) -> Result<Vec<Record>, LedgerError> {
        let mut records: Vec<Record> = Vec::new();
        let mut rest = numbers;
        while !rest.is_empty() {
            let wanted = rest[..rest.len().min(RANGE_MAX)].to_vec();
            records.extend(self.0.reader.read(Wanted::Numbers(wanted)).await?);
            let read = records.last().map_or(0, |record| record.seq);
            match rest.partition_point(|seq| *seq <= read) {
                0 => break,
                done => rest = &rest[done..],
            }
        }
        Ok(records)
    }

    /// The numbers of the records of a stream, oldest first. `history` says which streams have a history.
    pub fn history(&self, stream: &Stream) -> Vec<u64> {
        self.0.shared.history.read().unwrap_or_else(PoisonError::into_inner).of(stream)
    }

    /// A receiver of the number of the last durable record, notified of each new one.
    pub fn watch_head(&self) -> watch::Receiver<u64> {
        self.0.shared.head.subscribe()
    }

    /// The last durable record.
    pub fn end(&self) -> HeadMark {
        let Chain { seq, hash, .. } = self.0.shared.chain_end();
        HeadMark { seq, hash }
    }

    /// Reads all records and checks them and the seal as they are now, on a separate thread. Each of `expected` must be
    /// one of the records.
    ///
    /// This is the log as this process has it open: files that were replaced or deleted under it since do not show. Only
    /// opening the log again reads them by their names.
    ///
    /// # Errors
    /// The first broken record, or the first that is not as expected.
    pub async fn verify(&self, expected: Vec<HeadMark>) -> Result<Verified, LedgerError> {
        let (store, sealable, known) = (self.0.store.clone(), self.0.sealable.get().cloned(), self.end());
        let check = move || {
            let sealed = sealable.map_or(Ok(None), |store| store.sealed_now())?;
            // The seal is of the newest commit, which may not be published yet.
            let upto = sealed.map_or(known.seq, |sealed| sealed.seq);
            if upto < known.seq {
                return Err(LedgerError::Rewritten(SealFault::Number { sealed: upto, found: known.seq }));
            }
            let verified = verify::walk(ChainReader::whole(&*store, upto), known, expected)?;
            if let Some(sealed) = sealed {
                seal::check(sealed, HeadMark { seq: verified.records, hash: verified.hash })?;
            }
            Ok(Verified { is_sealed: sealed.is_some(), ..verified })
        };
        tokio::task::spawn_blocking(check).await.map_err(|_| LedgerError::ReaderGone)?
    }

    /// The records so far, to be copied. Later records are not in the copy, and are not delayed by it.
    pub fn record_copy(&self) -> RecordCopy {
        let HeadMark { seq, hash } = self.end();
        RecordCopy::new(self.0.store.clone(), seq, self.0.store.seal_of(seq, hash))
    }

    /// Returns whether the ledger accepts changes. Once it returns false, it stays false.
    pub fn is_accepting(&self) -> bool {
        self.0.shared.accepting.load(Ordering::Acquire)
    }

    /// Stops the writer after the queued changes; later changes fail with [`Stopped::Closed`]. The directory is
    /// released with the last clone of the ledger.
    pub async fn close(self) {
        let orders = self.0.orders().take();
        if let Some(orders) = orders {
            let (done, closed) = oneshot::channel();
            if orders.send(Order::Close(done)).await.is_ok() {
                let _ = closed.await;
            }
        }
    }
}

impl Inner {
    fn orders(&self) -> MutexGuard<'_, Option<mpsc::Sender<Order>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dropping the last clone waits for the writer, so that the directory is free afterwards.
impl Drop for Inner {
    fn drop(&mut self) {
        self.orders().take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != std::thread::current().id()) {
            let _ = writer.join();
        }
        if let Some(check) = self.check.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = check.join();
        }
    }
}

fn spawn(name: &'static str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LedgerError> {
    let failed = |source| LedgerError::Io { doing: "start the thread", path: name.into(), source };
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(failed)
}
