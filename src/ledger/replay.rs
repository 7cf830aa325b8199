//! Rebuilds the state from the log, on three or more threads: one reads the store and checks the chain, others decode,
//! and one applies the events in order. A start takes as long as the slowest of these three steps.

use super::chain::{Chain, ChainReader, LinkedBatch, check_time};
use super::error::LedgerError;
use super::head::HeadMark;
use super::history::History;
use super::store::Store;
use crate::domain::event::Event;
use crate::domain::state::State;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Batches that may wait for each thread: enough to bridge a stall, few enough to use little memory.
const AHEAD: usize = 8;
/// More decoding threads do not help: applying is slower than this many of them.
const DECODERS_MAX: usize = 3;

/// The state that results from the log.
#[derive(Clone)]
pub(super) struct Replayed {
    pub state: State,
    pub history: History,
    pub chain: Chain,
}

impl Replayed {
    pub(super) fn nothing() -> Self {
        Self { state: State::default(), history: History::default(), chain: Chain::START }
    }

    pub(super) fn absorb(&mut self, event: &Event, chain: Chain) -> Result<(), LedgerError> {
        check_time(chain.seq, self.chain.time, chain.time)?;
        self.state.apply(chain.time, event);
        self.history.note(chain.seq, event);
        self.chain = chain;
        Ok(())
    }
}

/// Reads the log from the record after `start` up to record `upto`.
///
/// # Errors
/// The first fault in these records.
pub(super) fn replay(store: &dyn Store, start: Replayed, upto: u64, known: HeadMark) -> Result<Replayed, LedgerError> {
    let mut replayed = start;
    let reader = ChainReader::on_from(store, &replayed.chain, upto);
    decoded(reader, known, |event, chain| replayed.absorb(&event, chain))?;
    Ok(replayed)
}

/// Decodes `batches` on several threads and passes the events to `take` in order.
pub(super) fn decoded(
    batches: impl Iterator<Item = Result<LinkedBatch, LedgerError>> + Send,
    known: HeadMark,
    mut take: impl FnMut(Event, Chain) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let decoders =
        std::thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).clamp(1, DECODERS_MAX);
    std::thread::scope(|scope| {
        let (mut to, mut from) = (Vec::new(), Vec::new());
        for _ in 0..decoders {
            let (give, given) = sync_channel(AHEAD);
            let (tell, told) = sync_channel(AHEAD);
            scope.spawn(move || decode(&given, &tell, known));
            to.push(give);
            from.push(told);
        }
        scope.spawn(move || hand_out(batches, &to));
        // Batches were handed out round-robin, so collecting them round-robin restores their order.
        for told in from.iter().cycle() {
            let Ok(Decoded { events, broken }) = told.recv() else { return Ok(()) };
            for (event, chain) in events {
                take(event, chain)?;
            }
            if let Some(error) = broken {
                return Err(error);
            }
        }
        Ok(())
    })
}

/// The events of a batch, and the error that ended it, if any.
struct Decoded {
    events: Vec<(Event, Chain)>,
    broken: Option<LedgerError>,
}

/// Distributes batches to the decoders. It ends when a decoder is gone, which means that the receiver found an error.
fn hand_out(
    batches: impl Iterator<Item = Result<LinkedBatch, LedgerError>>,
    to: &[SyncSender<Result<LinkedBatch, LedgerError>>],
) {
    for (batch, decoder) in batches.zip(to.iter().cycle()) {
        if decoder.send(batch).is_err() {
            return;
        }
    }
}

fn decode(given: &Receiver<Result<LinkedBatch, LedgerError>>, tell: &SyncSender<Decoded>, known: HeadMark) {
    for batch in given {
        let mut decoded = Decoded { events: Vec::new(), broken: None };
        let outcome = batch.and_then(|batch| {
            decoded.events.reserve_exact(batch.len());
            batch.iter().try_for_each(|linked| {
                known.check(&linked)?;
                decoded.events.push(linked.decode_event()?);
                Ok(())
            })
        });
        decoded.broken = outcome.err();
        if tell.send(decoded).is_err() {
            return;
        }
    }
}
