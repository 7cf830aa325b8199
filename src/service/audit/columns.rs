//! What the filters of audit records ask for, of every record of the log and every failed attempt, in 32 bytes each. So
//! a filter need not read the log.

use super::record::{self, is_success, service, severity, words};
use crate::attempt_log::Attempt;
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

/// What a row is made of.
pub(super) struct Facts {
    pub resource: String,
    pub service: &'static str,
    pub request_id: String,
    pub nanos: i64,
    pub who: Who,
    /// Empty if the client is not known.
    pub source: String,
    pub kind: Kind,
}

impl Facts {
    fn of_record(record: &Record) -> Self {
        let stream = record.stream();
        let (event, _) = name_and_members(&record.event);
        Self {
            resource: stream.to_string(),
            service: service(&stream),
            request_id: record.request_id.clone(),
            nanos: record.time.nanos(),
            who: Who { name: record.actor.to_string(), id: record.actor.id_text() },
            source: record.actor.source().unwrap_or_default().to_owned(),
            kind: Kind { message: words(&event), severity: severity(&event), success: is_success(&event), event },
        }
    }

    pub(super) fn of_attempt(attempt: &Attempt) -> Self {
        let event = record::attempted(&attempt.what);
        let what = &attempt.what;
        let (resource, service) = record::resource_of(&what.path);
        Self {
            resource,
            service,
            request_id: what.request_id.clone(),
            nanos: what.nanos,
            who: Who { name: what.user.clone().unwrap_or_default(), id: what.user_id.clone() },
            source: what.source.clone(),
            kind: Kind {
                event: event.to_owned(),
                message: words(event),
                severity: record::attempt_severity(event),
                success: false,
            },
        }
    }
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
    pub(super) fn push_record(&mut self, record: &Record) {
        if record.seq == self.len() + 1 {
            self.push(Facts::of_record(record));
        }
    }

    pub(super) fn push(&mut self, facts: Facts) {
        let Facts { resource, service, request_id, nanos, who, source, kind } = facts;
        let resource_kind = resource.split('/').next().unwrap_or_default().to_owned();
        let row = Row {
            resource: hash(&resource),
            request: hash(&request_id),
            seconds: u32::try_from(nanos / 1_000_000_000).unwrap_or_default(),
            actor: self.actors.place(who),
            source: self.sources.place(source),
            // There are a few hundred of these at most.
            event: self.events.place(kind) as u16,
            kind: self.kinds.place(Resource { service, kind: resource_kind }) as u16,
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
