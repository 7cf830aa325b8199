//! Which records concern a KMS or a connection: their numbers, so that a history is read without walking the log.
//! Other streams have no history that anybody asks for, and sessions alone would fill the memory.

use crate::domain::event::{Event, Stream};
use std::collections::HashMap;

#[derive(Clone, Default, Debug, PartialEq)]
pub(super) struct History(HashMap<Stream, Vec<u64>>);

impl History {
    pub(super) fn note(&mut self, seq: u64, event: &Event) {
        if let Event::Kms(..) | Event::Connection(..) = event {
            self.0.entry(event.stream()).or_default().push(seq);
        }
    }

    /// The numbers of a stream's records, oldest first.
    pub(super) fn of(&self, stream: &Stream) -> &[u64] {
        self.0.get(stream).map_or(&[], Vec::as_slice)
    }
}
