//! The ledger: the append-only log of events, the one writer, and the state that it publishes. Only the services use
//! it. It never changes a record once written, never answers before the record is durable, and never publishes what is
//! not.
//!
//! `record` is what is kept and its bytes, `layout` what of live types is in them, `chain` what holds records together,
//! `store` where they are kept (`embedded` on sled, `rows` how they lie there), `head` how a log that lost its end is
//! noticed, `writer` the one thread that writes, `replay` the way back from bytes to state, `snapshot` a cache of the
//! state, `reader` the thread that reads for histories, `history` which records concern a KMS or a connection,
//! `json_lines` records as JSON for people.

mod chain;
mod directory;
mod embedded;
mod error;
mod head;
mod history;
mod json_lines;
mod layout;
mod limit;
mod reader;
mod record;
mod replay;
mod rows;
mod snapshot;
mod store;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{Fault, LedgerError, Stopped, WriteError};
pub use json_lines::{Filter, name_and_members};
pub use limit::decoding_alone;
pub use record::{Record, RecordHash};
pub use snapshot::SnapshotKey;
pub use store::{AppendError, Batch, Batches, Entry, Store, StoreError};
pub use verify::{Records, Verified, accept, read, verify};

use crate::domain::event::{Actor, Event, Stream};
use crate::domain::id::EventId;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use arc_swap::ArcSwap;
use chain::{Chain, ChainReader};
use directory::Directory;
use embedded::Embedded;
use head::HeadMark;
use history::History;
use reader::{RANGE_MAX, Reader, Wanted};
use replay::Replayed;
use snapshot::{Keeper, Place};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;
use writer::{Order, Proposal, Writer};

/// The log and the state that its events make. Copies are cheap, and all are the same ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

/// The state after some number of records, all of them durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The number of the last record; 0 before the first.
    pub head: u64,
    /// When that was written; the beginning of time before the first.
    pub time: Time,
    /// The state after all records up to that one.
    pub state: State,
}

/// On whose behalf something is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub actor: Actor,
    pub request_id: String,
}

/// What came of a decision.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The number of the last record that the decision rests on or made.
    pub head: u64,
    /// The state right after this decision's own events: what others did later is not in it.
    pub published: Arc<Published>,
    /// The events; none when nothing had to change.
    pub events: Vec<Event>,
}

/// Where the ledger takes the time and ids from, and how much memory it may use.
#[derive(Clone)]
pub struct LedgerOptions {
    /// The clock. Records are always later than those before, whatever it says.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// Makes the ids of events.
    pub ids: Arc<dyn Fn() -> EventId + Send + Sync>,
    /// So many bytes of the store are kept in memory, about.
    pub cache_bytes: u64,
    /// So many decisions may wait; the next ones wait to be let in.
    pub queue: usize,
    /// Under which key snapshots of the state are kept; none: there are none.
    pub snapshot_key: Option<SnapshotKey>,
}

impl Default for LedgerOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(|| Time::of(chrono::Utc::now())),
            ids: Arc::new(|| EventId::new(Uuid::new_v4())),
            cache_bytes: 64 * 1024 * 1024,
            queue: 1024,
            snapshot_key: None,
        }
    }
}

/// What the writer makes and everybody reads.
struct Shared {
    published: ArcSwap<Published>,
    /// The end of the chain; never behind what is published.
    chain: Mutex<Chain>,
    history: RwLock<History>,
    accepting: AtomicBool,
    head: watch::Sender<u64>,
}

struct Inner {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    reader: Reader,
    /// Checks what a snapshot stood for.
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

    /// What had happened to each KMS and connection up to record `seq`. Copied a few streams at a time: the writer must
    /// not wait for all of it.
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
    /// Opens the log in a data directory, or begins one; reads all of it and starts the writer.
    ///
    /// # Errors
    /// When another process has the directory, when the log is damaged or has lost its end, or when the operating
    /// system refuses something.
    pub fn open(directory: &Path, options: LedgerOptions) -> Result<Self, LedgerError> {
        let (store, known) = Embedded::open(Directory::take(directory)?, options.cache_bytes)?;
        let snapshots = options.snapshot_key.clone().map(|key| Place::new(directory, key));
        Self::start_with(snapshots, Arc::new(store), known, options)
    }

    #[cfg(test)]
    fn start(store: Arc<dyn Store>, known: HeadMark, options: LedgerOptions) -> Result<Self, LedgerError> {
        Self::start_with(None, store, known, options)
    }

    fn start_with(
        snapshots: Option<Place>,
        store: Arc<dyn Store>,
        known: HeadMark,
        options: LedgerOptions,
    ) -> Result<Self, LedgerError> {
        let (replayed, rested_on) = snapshot::replay(snapshots.as_ref(), &*store, known)?;
        let Replayed { state, history, chain } = replayed;
        let (orders, queue) = mpsc::channel(options.queue.max(1));
        let shared = Arc::new(Shared {
            published: ArcSwap::from_pointee(Published { head: chain.seq, time: chain.time, state }),
            chain: Mutex::new(chain),
            history: RwLock::new(history),
            accepting: AtomicBool::new(true),
            head: watch::Sender::new(chain.seq),
        });
        let keeper = Keeper::start(snapshots, &shared, rested_on.seq)?;
        let check = snapshot::check_rest(store.clone(), shared.clone(), rested_on)?;
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
            spawn("ledger-follower", move || writer::pass_on_heads(&heads, &orders))?;
        }
        let reader = Reader::start(store.clone(), shared.clone())?;
        let thread = spawn("ledger-writer", move || writer.run())?;
        Ok(Self(Arc::new(Inner {
            shared,
            store,
            reader,
            check: Mutex::new(check),
            clock: options.clock,
            orders: Mutex::new(Some(orders)),
            writer: Mutex::new(Some(thread)),
        })))
    }

    /// The state as of the last durable record. Costs nothing; keep it for as long as one answer takes.
    pub fn state(&self) -> Arc<Published> {
        self.0.shared.published.load_full()
    }

    /// Decides and records: `decide` is run by the writer on the newest state, with the time that the first of the
    /// records will carry, and again should others have written in between. Answers when the records are durable.
    /// Dropping the future takes nothing back.
    ///
    /// # Errors
    /// What `decide` says, or why nothing is written any more.
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

    /// The dry run: decides as [`Ledger::execute`] would now, and records nothing. What is returned never was and is
    /// not published.
    ///
    /// # Errors
    /// What `decide` says.
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

    /// The durable records from number `from` on, in order: at most `limit`, and never more than a thousand. Fewer when
    /// they are large, none when there are no more. A caller that wants all goes on after the last one.
    ///
    /// # Errors
    /// The first one that is broken.
    pub async fn read_range(&self, from: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        self.0.reader.read(Wanted::Range { from, limit }).await
    }

    /// The record of this number; none if there is no such record yet.
    ///
    /// # Errors
    /// When it is broken.
    pub async fn read_one(&self, seq: u64) -> Result<Option<Record>, LedgerError> {
        if seq == 0 { Ok(None) } else { Ok(self.read_range(seq, 1).await?.pop()) }
    }

    /// The records of these numbers, which must ascend; those that are not there yet are left out. They are read a
    /// thousand at a time, so that other reads get their turn.
    ///
    /// # Errors
    /// The first one that is broken.
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

    /// The numbers of the records of a stream, oldest first. Only KMSs and connections have a history.
    pub fn history(&self, stream: &Stream) -> Vec<u64> {
        self.0.shared.history.read().unwrap_or_else(PoisonError::into_inner).of(stream).to_vec()
    }

    /// The number of the last durable record, and each new one.
    pub fn watch_head(&self) -> watch::Receiver<u64> {
        self.0.shared.head.subscribe()
    }

    /// Reads all records and checks them, on a thread of its own.
    ///
    /// # Errors
    /// The first one that is broken.
    pub async fn verify(&self) -> Result<Verified, LedgerError> {
        let (store, end) = (self.0.store.clone(), self.0.shared.chain_end());
        let known = HeadMark { seq: end.seq, hash: end.hash };
        let check = move || verify::walk(ChainReader::whole(&*store, end.seq), known);
        tokio::task::spawn_blocking(check).await.map_err(|_| LedgerError::ReaderGone)?
    }

    /// May something still be written? Once false, for good.
    pub fn is_accepting(&self) -> bool {
        self.0.shared.accepting.load(Ordering::Acquire)
    }

    /// Stops the writer after what is queued; whoever comes later is told that the log is closed. The directory is
    /// let go with the last copy of the ledger.
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

/// The last copy waits for the writer, so that the directory is free when it is gone.
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
