//! Our own calls to AWS about the time of an event. The journal has millions, so that an hour of it is in memory at a
//! time; events come in the order of their time.

use crate::call_journal::{Asked, CallJournal, OwnCalls};
use crate::domain::time::Time;
use crate::service::failure::Failure;
use crate::service::trail::CLOCK_SKEW_MS;

/// The time that is read at once.
const SPAN_MS: i64 = 3_600_000;

pub(super) struct OwnCallsByTime {
    journal: CallJournal,
    /// The times of the events for which the calls are in memory.
    from_ms: i64,
    to_ms: i64,
    calls: OwnCalls,
}

impl OwnCallsByTime {
    pub(super) fn new(journal: CallJournal) -> Self {
        Self { journal, from_ms: 0, to_ms: -1, calls: OwnCalls::default() }
    }

    /// Who asked for the call that an event of this time is about; `None` if it is no call of ours. It reads files, so it
    /// runs on the worker.
    ///
    /// # Errors
    /// When the journal cannot be read: our calls would look foreign.
    pub(super) fn find(&mut self, time: Time, request_id: &str) -> Result<Option<Asked>, Failure> {
        let at = time.nanos().div_euclid(1_000_000);
        if request_id.is_empty() {
            return Ok(None);
        }
        if !(self.from_ms..=self.to_ms).contains(&at) {
            let end = at.saturating_add(SPAN_MS);
            let (from, to) = (at.saturating_sub(CLOCK_SKEW_MS), end.saturating_add(CLOCK_SKEW_MS));
            self.calls = self.journal.between(from, to).map_err(|error| {
                tracing::error!(%error, "the journal of our calls to AWS cannot be read");
                Failure::Internal("the journal of our calls to AWS cannot be read")
            })?;
            (self.from_ms, self.to_ms) = (at, end);
        }
        Ok(self.calls.find(request_id).cloned())
    }
}
