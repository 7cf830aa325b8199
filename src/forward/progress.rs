//! What was sent to a destination, and what of it counts as received.
//!
//! Syslog has no acknowledgements, so what was sent counts as received once the connection has lived on for some time.
//! A connection that is reset may have ended with unread messages in its buffers, however old. So a part of what
//! counted as received is sent again after that: as much as such buffers usually hold.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The number of sources of records: the log, the side log of failed attempts, and the checkpoints.
pub const SOURCES: usize = 3;

/// The number of the last record of each source.
pub type Position = [u64; SOURCES];

/// The time after which what was sent counts as received.
pub(super) const SETTLE: Duration = Duration::from_secs(2);
/// The number of bytes that a receiver may have in its buffers.
pub(super) const BUFFERS: usize = 1024 * 1024;

/// One batch that was sent.
struct Step {
    before: Position,
    after: Position,
    bytes: usize,
    at: Instant,
}

pub struct Progress {
    received: Position,
    sent: Position,
    /// What was sent and does not count as received yet.
    open: VecDeque<Step>,
    /// The last batches that count as received, over this connection.
    recent: VecDeque<Step>,
    recent_bytes: usize,
}

impl Progress {
    pub fn from(position: Position) -> Self {
        let (open, recent) = (VecDeque::new(), VecDeque::new());
        Self { received: position, sent: position, open, recent, recent_bytes: 0 }
    }

    /// Up to where records count as received.
    pub fn received(&self) -> Position {
        self.received
    }

    /// Up to where records count as received even if the receiver never reads what is in the buffers of this connection.
    pub fn surely_received(&self) -> Position {
        self.recent.front().map_or(self.received, |step| step.before)
    }

    /// Up to where records were sent.
    pub fn sent(&self) -> Position {
        self.sent
    }

    /// Notes that records up to this position were sent.
    pub fn send(&mut self, after: Position, bytes: usize, at: Instant) {
        self.open.push_back(Step { before: self.sent, after, bytes, at });
        self.sent = after;
    }

    /// The time at which the oldest batch counts as received.
    pub fn due(&self) -> Option<Instant> {
        self.open.front().map(|step| step.at + SETTLE)
    }

    /// Counts as received what was sent long enough ago.
    pub fn settle(&mut self, now: Instant) {
        while let Some(step) = self.open.pop_front_if(|step| step.at + SETTLE <= now) {
            self.received = step.after;
            self.recent_bytes += step.bytes;
            self.recent.push_back(step);
        }
        // The batch that reaches the limit stays.
        while let Some(step) = self.recent.pop_front_if(|step| self.recent_bytes - step.bytes >= BUFFERS) {
            self.recent_bytes -= step.bytes;
        }
    }

    /// Begins again after the connection ended. If buffers may have been lost, what may have been in them is sent
    /// again.
    pub fn go_back(&mut self, buffers_lost: bool) {
        *self = Self::from(if buffers_lost { self.surely_received() } else { self.received });
    }
}
