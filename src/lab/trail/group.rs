//! The events of a log group, in the order of their times.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use super::synthetic::Batch;

/// The bytes that an event may have on average. Larger ones make the bound smaller.
const AVERAGE_BYTES: usize = 2048;
/// The bytes that CloudWatch Logs counts for an event beside its message.
pub(in crate::lab) const OVERHEAD: usize = 26;

/// The place of an event in the order of a log group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::lab) struct Place {
    /// The time of the event, in seconds since 1970.
    pub second: i64,
    /// 0 for the events of calls, otherwise the number of the batch, from 1.
    pub source: u32,
    pub number: u64,
}

/// The events that a reader asks for.
#[derive(Debug, Clone, Copy)]
pub(in crate::lab) struct Window {
    /// From this time on, in milliseconds since 1970.
    pub start: i64,
    /// Before this time.
    pub end: i64,
    /// After this place.
    pub after: Option<Place>,
    /// The time of reading. Later events have not arrived.
    pub now: i64,
}

/// An event as CloudWatch Logs returns it.
#[derive(Debug)]
pub(in crate::lab) struct Shown {
    pub place: Place,
    /// The time of its arrival, in milliseconds since 1970.
    pub arrived: i64,
    pub id: u128,
    pub message: String,
}

/// The event of a call.
#[derive(Debug)]
pub(super) struct Event {
    pub place: Place,
    pub arrived: i64,
    pub id: u128,
    /// The `userIdentity`, as JSON.
    pub identity: Arc<str>,
    /// The members after it, with the closing brace.
    pub rest: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    next: u64,
    pub(super) batches: Vec<Arc<Batch>>,
}

impl Group {
    /// The number of the next event.
    pub(super) fn take_number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Adds an event, and returns the numbers of those that are dropped for it.
    pub(super) fn add(&mut self, event: Event, max_events: usize) -> Vec<u64> {
        self.next = self.next.max(event.place.number + 1);
        self.bytes += event.bytes();
        // Calls that take long are recorded late, and the clock may have been set back.
        let at = self.events.partition_point(|other| other.place < event.place);
        self.events.insert(at, Arc::new(event));
        let mut numbers = Vec::new();
        while self.events.len() > max_events || self.bytes > max_events.saturating_mul(AVERAGE_BYTES) {
            let Some(dropped) = self.events.pop_front() else { break };
            self.bytes -= dropped.bytes();
            numbers.push(dropped.place.number);
        }
        numbers
    }

    pub(super) fn count(&self) -> u64 {
        self.events.len() as u64 + self.batches.iter().map(|batch| batch.count()).sum::<u64>()
    }

    pub(super) fn stored_bytes(&self) -> u64 {
        self.bytes as u64 + self.batches.iter().map(|batch| batch.bytes()).sum::<u64>()
    }

    /// The events of a window, `most` of those of calls.
    pub(super) fn log(&self, window: &Window, most: usize) -> Log {
        let from = self.events.partition_point(|event| {
            let place = event.place;
            place.second * 1000 < window.start || window.after.is_some_and(|after| place <= after)
        });
        let calls = self.events.range(from..).take(most.saturating_add(1)).cloned().collect();
        let batches = self.batches.iter().zip(1..).map(|(batch, source)| {
            let next = batch.first(window, source);
            Cursor { batch: Arc::clone(batch), source, next }
        });
        Log { calls, batches: batches.collect(), window: Some(*window) }
    }
}

impl Event {
    fn bytes(&self) -> usize {
        HEAD.len() + self.identity.len() + 1 + self.rest.len() + OVERHEAD
    }
}

/// The beginning of each event.
pub(super) const HEAD: &str = r#"{"eventVersion":"1.11","userIdentity":"#;

/// The events of a window in their order. Those that have not arrived yet are left out.
#[derive(Debug, Default)]
pub(in crate::lab) struct Log {
    calls: VecDeque<Arc<Event>>,
    batches: Vec<Cursor>,
    window: Option<Window>,
}

#[derive(Debug)]
struct Cursor {
    batch: Arc<Batch>,
    source: u32,
    next: u64,
}

impl Cursor {
    fn place(&self) -> Option<Place> {
        (self.next < self.batch.count()).then(|| Place {
            second: self.batch.second(self.next),
            source: self.source,
            number: self.next,
        })
    }
}

impl Iterator for Log {
    type Item = Shown;

    fn next(&mut self) -> Option<Shown> {
        let window = self.window?;
        loop {
            let call = self.calls.front().map(|event| event.place);
            let batches = self.batches.iter_mut().filter_map(|cursor| Some((cursor.place()?, cursor)));
            let batch = batches.min_by(|one, other| one.0.cmp(&other.0));
            let first = match (call, &batch) {
                (Some(call), Some((place, _))) => call.min(*place),
                (Some(call), None) => call,
                (None, Some((place, _))) => *place,
                (None, None) => return None,
            };
            if (first.second * 1000).cmp(&window.end) != Ordering::Less {
                return None;
            }
            let shown = match batch {
                Some((place, cursor)) if place == first => {
                    let arrived = cursor.batch.arrived(cursor.next);
                    let number = cursor.next;
                    cursor.next += 1;
                    (arrived <= window.now).then(|| {
                        let (id, message) = cursor.batch.event(number);
                        Shown { place, arrived, id, message }
                    })
                }
                _ => {
                    let event = self.calls.pop_front()?;
                    (event.arrived <= window.now).then(|| Shown {
                        place: event.place,
                        arrived: event.arrived,
                        id: event.id,
                        message: format!("{HEAD}{},{}", event.identity, event.rest),
                    })
                }
            };
            if shown.is_some() {
                return shown;
            }
        }
    }
}
