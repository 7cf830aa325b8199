//! The only thread that writes. It decides all queued proposals on the newest state, makes their records durable with
//! one sync, publishes the state, and then answers all proposals. Refusals wait for the sync too, because they may
//! depend on records that were not durable before.
//!
//! A published state is durable. After a failed write the writer stops, because it is unknown what reached the disk.

use super::chain::{Chain, ChainReader, check_time};
use super::error::{LedgerError, Stopped, WriteError};
use super::record::NewRecord;
use super::snapshot::Keeper;
use super::store::{AppendError, Entry, Store};
use super::{Committed, Context, LedgerOptions, Published, RecordHash, Shared};
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// The most decisions that share a sync, so that none waits long for the others to be decided.
const GROUP_MAX: usize = 256;
/// The number of bytes of records after which further decisions wait for the next sync.
const GROUP_BYTES: usize = 1024 * 1024;
/// The latest time that is taken from the clock, later than any real time. It leaves room for later records.
const LATEST: i64 = i64::MAX - (1 << 53);

pub(super) type Decide = Box<dyn Fn(&State, Time) -> Result<Vec<Event>, Refusal> + Send>;

/// A message to the writer.
pub(super) enum Order {
    Write(Proposal),
    /// Read the records that others have appended.
    CatchUp,
    /// Stop after the messages before this one.
    Close(oneshot::Sender<()>),
}

/// A decision to make, and the channel for its result.
pub(super) struct Proposal {
    pub context: Context,
    pub decide: Decide,
    pub answer: oneshot::Sender<Result<Committed, WriteError>>,
}

pub(super) struct Writer {
    pub store: Arc<dyn Store>,
    pub shared: Arc<Shared>,
    pub options: LedgerOptions,
    pub chain: Chain,
    pub orders: mpsc::Receiver<Order>,
    /// `None` once the writer closes.
    pub keeper: Option<Keeper>,
}

/// A state that is not durable yet, and the end of its chain.
#[derive(Clone)]
struct Tentative {
    state: State,
    chain: Chain,
}

/// The outcomes of the first of the waiting proposals, and the entries to append for them.
struct Plan {
    outcomes: Vec<Result<Committed, WriteError>>,
    entries: Vec<Entry>,
    end: Tentative,
}

impl Writer {
    pub(super) fn run(mut self) {
        let mut waiting = VecDeque::new();
        self.snapshot_if_due();
        while let Some(order) = self.orders.blocking_recv() {
            let last = self.gather(order, &mut waiting);
            while !waiting.is_empty() {
                self.commit(&mut waiting);
            }
            match last {
                None | Some(Order::Write(_)) => {}
                Some(Order::CatchUp) => self.catch_up_or_stop(),
                Some(Order::Close(done)) => {
                    // Dropping the queue rejects later messages before `done` reports that the writer has closed.
                    let keeper = self.keeper.take().filter(|_| self.is_accepting());
                    let (published, chain) = (self.shared.published.load_full(), self.chain);
                    drop(self);
                    if let Some(keeper) = keeper {
                        keeper.finish(&published, chain);
                    }
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    /// Collects the queued proposals, up to the first order that is not a proposal, and returns that order.
    fn gather(&mut self, first: Order, waiting: &mut VecDeque<Proposal>) -> Option<Order> {
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Write(proposal) => waiting.push_back(proposal),
                other => return Some(other),
            }
            next = if waiting.len() < GROUP_MAX { self.orders.try_recv().ok() } else { None };
        }
        None
    }

    /// Decides, records, publishes and answers as many of the waiting proposals as share a sync.
    fn commit(&mut self, waiting: &mut VecDeque<Proposal>) {
        while self.is_accepting() {
            let plan = self.plan(waiting);
            if plan.entries.is_empty() {
                return answer(waiting, plan.outcomes);
            }
            match self.store.append(self.chain.seq, &plan.entries) {
                Ok(()) => {
                    self.publish(&plan.end, &plan.outcomes);
                    return answer(waiting, plan.outcomes);
                }
                Err(AppendError::Moved(head)) if head > self.chain.seq => self.catch_up_or_stop(),
                // Durable records are gone: writing on would give their numbers to other records.
                Err(AppendError::Moved(found)) => self.stop(&LedgerError::Shorter { known: self.chain.seq, found }),
                Err(AppendError::Failed(error)) => self.stop(&error),
            }
        }
        for proposal in waiting.drain(..) {
            let _ = proposal.answer.send(Err(Stopped::Failed.into()));
        }
    }

    fn plan(&self, waiting: &VecDeque<Proposal>) -> Plan {
        let state = self.shared.published.load().state.clone();
        let mut end = Tentative { state, chain: self.chain };
        let (mut outcomes, mut entries, mut bytes) = (Vec::with_capacity(waiting.len()), Vec::new(), 0);
        for proposal in waiting {
            outcomes.push(self.decide(&end, proposal).map(|(committed, more, after)| {
                bytes += more.iter().map(|entry| entry.bytes.len()).sum::<usize>();
                entries.extend(more);
                end = after;
                committed
            }));
            if bytes >= GROUP_BYTES {
                break;
            }
        }
        Plan { outcomes, entries, end }
    }

    /// Decides on a copy of the state. A panic in the rules fails that one decision, not the writer.
    fn decide(&self, on: &Tentative, proposal: &Proposal) -> Result<(Committed, Vec<Entry>, Tentative), WriteError> {
        let attempt = || {
            let time = time_after(on.chain.time, (self.options.clock)());
            let events = (proposal.decide)(&on.state, time).map_err(WriteError::Refused)?;
            let mut after = on.clone();
            let entries = self.record(&mut after, &proposal.context, time, &events)?;
            let published = Arc::new(after.published());
            Ok((Committed { head: published.head, published, events }, entries, after))
        };
        catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|_| {
            tracing::error!(request_id = proposal.context.request_id, "a decision panicked, which is a bug");
            Err(WriteError::Defect)
        })
    }

    fn record(
        &self,
        after: &mut Tentative,
        context: &Context,
        first: Time,
        events: &[Event],
    ) -> Result<Vec<Entry>, WriteError> {
        let mut entries = Vec::with_capacity(events.len());
        let mut time = first;
        for event in events {
            let Context { actor, request_id } = context;
            let (seq, event_id, previous) = (after.chain.seq + 1, (self.options.ids)(), after.chain.hash);
            let new_record = NewRecord { seq, event_id, time, actor, request_id, event, previous };
            let bytes = new_record.encode().ok_or(WriteError::TooLarge)?;
            let hash = RecordHash::of(&bytes);
            after.state.apply(time, event);
            after.chain = Chain { seq, hash, time };
            entries.push(Entry { bytes, hash });
            time = time_after(time, time);
        }
        Ok(entries)
    }

    fn publish(&mut self, end: &Tentative, outcomes: &[Result<Committed, WriteError>]) {
        let made = outcomes.iter().flatten().flat_map(|committed| &committed.events);
        self.add_to_history(self.chain.seq + 1, made);
        self.chain = end.chain;
        self.shared.publish(end.published(), end.chain);
        self.snapshot_if_due();
    }

    fn snapshot_if_due(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.after_commit(&self.shared.published.load(), self.chain);
        }
    }

    fn add_to_history<'a>(&self, first: u64, events: impl Iterator<Item = &'a Event>) {
        let mut history = self.shared.history.write().unwrap_or_else(PoisonError::into_inner);
        (first..).zip(events).for_each(|(seq, event)| history.note(seq, event));
    }

    fn catch_up_or_stop(&mut self) {
        if self.is_accepting()
            && let Err(error) = self.catch_up()
        {
            self.stop(&error);
        }
    }

    /// Reads and applies the records that others have appended.
    fn catch_up(&mut self) -> Result<(), LedgerError> {
        let head = self.store.head();
        if head < self.chain.seq {
            return Err(LedgerError::Shorter { known: self.chain.seq, found: head });
        }
        let mut end = Tentative { state: self.shared.published.load().state.clone(), chain: self.chain };
        let mut events = Vec::new();
        for batch in ChainReader::on_from(&*self.store, &self.chain, head) {
            for linked in batch?.iter() {
                let (event, chain) = linked.decode_event()?;
                check_time(chain.seq, end.chain.time, chain.time)?;
                end.state.apply(chain.time, &event);
                end.chain = chain;
                events.push(event);
            }
        }
        self.add_to_history(self.chain.seq + 1, events.iter());
        self.chain = end.chain;
        self.shared.publish(end.published(), end.chain);
        Ok(())
    }

    fn is_accepting(&self) -> bool {
        self.shared.accepting.load(Ordering::Acquire)
    }

    fn stop(&self, error: &(dyn std::error::Error + 'static)) {
        self.shared.accepting.store(false, Ordering::Release);
        tracing::error!(error, seq = self.chain.seq, "the log stopped: nothing is written until the next start");
    }
}

/// The ledger accepts no changes once the writer has ended, for whatever reason.
impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.accepting.store(false, Ordering::Release);
    }
}

impl Tentative {
    fn published(&self) -> Published {
        Published { head: self.chain.seq, time: self.chain.time, state: self.state.clone() }
    }
}

/// Returns the time of the record after one of time `last`, when the clock shows `now`.
pub(super) fn time_after(last: Time, now: Time) -> Time {
    Time::from_nanos(now.nanos().min(LATEST).max(last.nanos().saturating_add(1)))
}

/// Forwards the store's notifications of appended records to the writer, for as long as the writer exists.
pub(super) fn forward_heads(heads: &std::sync::mpsc::Receiver<u64>, orders: &mpsc::WeakSender<Order>) {
    while heads.recv().is_ok() {
        let Some(orders) = orders.upgrade() else { return };
        if orders.blocking_send(Order::CatchUp).is_err() {
            return;
        }
    }
}

fn answer(waiting: &mut VecDeque<Proposal>, outcomes: Vec<Result<Committed, WriteError>>) {
    for (proposal, outcome) in waiting.drain(..outcomes.len()).zip(outcomes) {
        // A caller that no longer waits can see the outcome in the state.
        let _ = proposal.answer.send(outcome);
    }
}
