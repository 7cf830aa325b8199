//! Our own calls to AWS about the time of an event. The journal has millions, so that an hour of it is in memory at a
//! time; events come in the order of their time.

use crate::aws::cloudtrail::TrailEvent;
use crate::aws::kms::calls;
use crate::call_journal::{Asked, CallJournal, Coverage, JournalError, OwnCalls};
use crate::service::failure::Failure;
use crate::service::trail::CLOCK_SKEW_MS;

/// The time that is read at once.
const SPAN_MS: i64 = 3_600_000;

pub(super) struct OwnCallsByTime {
    journal: CallJournal,
    /// The hour in memory.
    held: Option<Hour>,
}

struct Hour {
    /// The times of the events for which the calls are here.
    from_ms: i64,
    to_ms: i64,
    calls: OwnCalls,
    coverage: Coverage,
}

/// Who made the call that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// This program, for somebody.
    Us(Asked),
    Others,
    /// The journal of our calls does not have that time any more.
    Unknown,
}

impl OwnCallsByTime {
    pub(super) fn new(journal: CallJournal) -> Self {
        Self { journal, held: None }
    }

    /// Who made the call of an event. It reads files, so it runs on the worker.
    ///
    /// # Errors
    /// When the journal cannot be read: our calls would look foreign.
    pub(super) fn find(&mut self, event: &TrailEvent) -> Result<Caller, Failure> {
        let at = event.time.nanos().div_euclid(1_000_000);
        let Some(is_change) = calls::changes(&event.name).filter(|_| !event.request_id.is_empty()) else {
            return Ok(Caller::Others);
        };
        let hour = match self.held.take().filter(|hour| (hour.from_ms..=hour.to_ms).contains(&at)) {
            Some(hour) => hour,
            None => {
                let end = at.saturating_add(SPAN_MS);
                let (from, to) = (at.saturating_sub(CLOCK_SKEW_MS), end.saturating_add(CLOCK_SKEW_MS));
                let calls = self.journal.between(from, to).map_err(unreadable)?;
                // After the calls: what was deleted meanwhile is not claimed to be there.
                let coverage = self.journal.coverage().map_err(unreadable)?;
                Hour { from_ms: at, to_ms: end, calls, coverage }
            }
        };
        let hour = self.held.insert(hour);
        let is_known =
            || hour.coverage.is_complete(is_change, at.saturating_sub(CLOCK_SKEW_MS), at.saturating_add(CLOCK_SKEW_MS));
        Ok(match hour.calls.find(&event.request_id) {
            Some(asked) => Caller::Us(asked.clone()),
            None if is_known() => Caller::Others,
            None => Caller::Unknown,
        })
    }
}

#[allow(clippy::needless_pass_by_value)] // it is passed to `map_err`
fn unreadable(error: JournalError) -> Failure {
    tracing::error!(%error, "the journal of our calls to AWS cannot be read");
    Failure::Internal("the journal of our calls to AWS cannot be read")
}
