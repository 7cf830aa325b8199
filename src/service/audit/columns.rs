//! What the filters of audit records ask for, of every record of the log, in 32 bytes each. So a filter need not read
//! the log.

use super::record::{is_success, service, severity, words};
use crate::ledger::{Record, name_and_members};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The rows in a chunk. A list of chunks grows without a copy of all rows.
const CHUNK: usize = 64 * 1024;

/// One record of the log.
pub(super) struct Row {
    /// The hash of the stream.
    pub resource: u64,
    /// The hash of the request's id.
    pub request: u64,
    /// The time in seconds since 1970.
    pub seconds: u32,
    /// The places of these values in the lists of [`Columns`].
    pub actor: u32,
    pub source: u32,
    pub event: u16,
    /// The kind of resource, such as `kms`.
    pub kind: u16,
}

/// An actor, under the name at the time of the event.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub name: String,
    pub id: Option<String>,
}

/// A name of an event, with all that follows from it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    pub event: String,
    pub message: String,
    pub severity: &'static str,
    pub success: bool,
}

/// A kind of resource, and the part of the product that it belongs to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Resource {
    pub kind: String,
    pub service: &'static str,
}

/// The distinct values of a column; rows have their places.
pub(super) struct Distinct<T> {
    pub values: Vec<T>,
    places: HashMap<T, u32>,
}

/// A row for each record, from number 1.
#[derive(Default)]
pub(super) struct Columns {
    chunks: Vec<Vec<Row>>,
    pub actors: Distinct<Who>,
    /// Addresses; empty if the client is not known.
    pub sources: Distinct<String>,
    pub events: Distinct<Kind>,
    pub kinds: Distinct<Resource>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    fn place(&mut self, value: T) -> u32 {
        if let Some(place) = self.places.get(&value) {
            return *place;
        }
        let place = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value.clone());
        self.places.insert(value, place);
        place
    }

    /// Whether each value matches.
    pub(super) fn which(&self, matches: impl Fn(&T) -> bool) -> Vec<bool> {
        self.values.iter().map(matches).collect()
    }
}

impl Columns {
    /// The number of rows, which is the number of the last record.
    pub(super) fn len(&self) -> u64 {
        let last = self.chunks.last().map_or(0, Vec::len);
        (self.chunks.len().saturating_sub(1) * CHUNK + last) as u64
    }

    /// Adds the record that follows; any other one is ignored.
    pub(super) fn push(&mut self, record: &Record) {
        if record.seq != self.len() + 1 {
            return;
        }
        let stream = record.stream();
        let text = stream.to_string();
        let (event, _) = name_and_members(&record.event);
        let kind = text.split('/').next().unwrap_or_default().to_owned();
        let row = Row {
            resource: hash(&text),
            request: hash(&record.request_id),
            seconds: u32::try_from(record.time.nanos() / 1_000_000_000).unwrap_or_default(),
            actor: self.actors.place(Who { name: record.actor.to_string(), id: record.actor.id_text() }),
            source: self.sources.place(record.actor.source().unwrap_or_default().to_owned()),
            // There are a few hundred of these at most.
            event: self.events.place(Kind {
                message: words(&event),
                severity: severity(&event),
                success: is_success(&event),
                event,
            }) as u16,
            kind: self.kinds.place(Resource { service: service(&stream), kind }) as u16,
        };
        match self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.push(row),
            None => {
                let mut chunk = Vec::with_capacity(if self.chunks.is_empty() { 64 } else { CHUNK });
                chunk.push(row);
                self.chunks.push(chunk);
            }
        }
    }

    /// The row of a record.
    pub(super) fn row(&self, number: u64) -> Option<&Row> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }
}

/// The hash of a text in a row. Texts with the same hash are not expected: it has 64 bits.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
