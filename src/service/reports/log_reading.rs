//! Reads the records of a time from our own log. Numbers of records have no gaps and times only increase, so that the
//! first record of a time is found by bisection. The log is read by its own thread; the writer waits for nothing.

use crate::domain::time::Time;
use crate::ledger::{Ledger, Record};
use crate::service::failure::Failure;

/// The records of one read.
const CHUNK: usize = 1_000;

/// Reads the records from one time to another, in chunks.
pub(super) struct LogReader<'a> {
    ledger: &'a Ledger,
    next: u64,
    end: Time,
    is_done: bool,
}

impl<'a> LogReader<'a> {
    /// Finds the first record at or after a time.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) async fn between(ledger: &'a Ledger, start: Time, end: Time) -> Result<Self, Failure> {
        let (mut low, mut high) = (1, ledger.state().head + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match ledger.read_one(middle).await? {
                Some(record) if record.time < start => low = middle + 1,
                Some(_) | None => high = middle,
            }
        }
        Ok(Self { ledger, next: low, end, is_done: false })
    }

    /// The number of the record that is read next.
    pub(super) fn place(&self) -> u64 {
        self.next
    }

    /// The next records; empty after the last one.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) async fn next(&mut self) -> Result<Vec<Record>, Failure> {
        if self.is_done {
            return Ok(Vec::new());
        }
        let mut records = self.ledger.read_range(self.next, CHUNK).await?;
        self.next += records.len() as u64;
        let inside = records.partition_point(|record| record.time < self.end);
        self.is_done = inside < records.len() || records.is_empty();
        records.truncate(inside);
        Ok(records)
    }
}
