//! The numbers of the records of each KMS and connection, so that a history is read without reading the entire log.
//! Other streams have no history in the API, and those of sessions alone would fill the memory.

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

    /// All streams that have a history, in a fixed order.
    pub(super) fn streams(&self) -> Vec<Stream> {
        let mut streams: Vec<_> = self.0.keys().cloned().collect();
        streams.sort_by_cached_key(Stream::to_string);
        streams
    }

    /// Copies the numbers of these streams up to record `seq`.
    pub(super) fn copy_upto(&self, seq: u64, streams: &[Stream], into: &mut Self) {
        for stream in streams {
            let numbers = self.of(stream);
            into.restore(stream.clone(), numbers[..numbers.partition_point(|number| *number <= seq)].to_vec());
        }
    }

    /// Sets the numbers of a stream.
    pub(super) fn restore(&mut self, stream: Stream, numbers: Vec<u64>) {
        if !numbers.is_empty() {
            self.0.insert(stream, numbers);
        }
    }

    /// The numbers of a stream's records, oldest first.
    pub(super) fn of(&self, stream: &Stream) -> &[u64] {
        self.0.get(stream).map_or(&[], Vec::as_slice)
    }
}
