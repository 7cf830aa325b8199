//! The stream of events for clients that show what is there now, such as the console: which resources have changed, so
//! that they read those again and need not ask all the time. It never has data of its own.
//!
//! - `notice`: what a record tells whom
//! - `stream`: one open stream
//!
//! The records are read from the log once for all readers, by the first that wants them, and only a short notice of
//! each is kept. So nobody pays for streams that are not open, and a reader that is slow costs no memory.

mod notice;
mod stream;

pub use notice::Changed;
pub use stream::{Piece, Stream};

use super::access::{Permit, SignedIn};
use super::failure::Failure;
use super::recorder::Recorder;
use crate::domain::id::UserId;
use notice::Notice;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The records of which notices are kept. A reader that is further behind starts anew.
const KEPT: u64 = 10_000;
/// The records of one read of the log.
const BATCH: usize = 1000;
/// The open streams of one user, such as the tabs of a browser.
pub const STREAMS_OF_USER: usize = 10;
/// All open streams.
pub const STREAMS: usize = 500;

/// The use cases of the event stream. Cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<Shared>);

struct Shared {
    recorder: Recorder,
    recent: Mutex<Recent>,
    /// Held while records are read.
    growing: tokio::sync::Mutex<()>,
    open: Mutex<HashMap<UserId, usize>>,
    closing: watch::Sender<bool>,
}

/// The notices of the last records.
#[derive(Default)]
struct Recent {
    /// The number of the record before the first that is known.
    since: u64,
    /// The number of the last record that is known.
    until: u64,
    notices: VecDeque<Notice>,
}

impl Recent {
    /// Forgets what is too old, and what lies so far back that it is not worth reading.
    fn keep(&mut self, head: u64) {
        let oldest = head.saturating_sub(KEPT);
        if self.until < oldest {
            self.until = oldest;
        }
        if self.since < oldest {
            self.since = oldest;
            while self.notices.front().is_some_and(|notice| notice.number <= oldest) {
                self.notices.pop_front();
            }
        }
    }

    /// The notices after this record; `None` if some of them are not known any more.
    fn after(&self, number: u64) -> Option<Vec<Notice>> {
        if number < self.since {
            return None;
        }
        let from = self.notices.partition_point(|notice| notice.number <= number);
        Some(self.notices.range(from..).cloned().collect())
    }
}

impl Events {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self(Arc::new(Shared {
            recorder,
            recent: Mutex::default(),
            growing: tokio::sync::Mutex::default(),
            open: Mutex::default(),
            closing: watch::Sender::new(false),
        }))
    }

    /// Opens a stream from after this record on, or from now on. One that does not `follow` ends with what there is.
    ///
    /// # Errors
    /// [`Failure::TooManyStreams`] if as many are open as may be.
    pub fn open(&self, permit: &Permit<SignedIn>, after: Option<u64>, follows: bool) -> Result<Stream, Failure> {
        let caller = permit.caller();
        let session = caller.session().ok_or(Failure::Internal("a stream belongs to a session"))?;
        let place = Place::take(self, caller.user.id)?;
        Ok(Stream::new(self.clone(), place, session, after, follows, caller.published.head))
    }

    /// Ends all streams, and those that are opened later, so that they do not delay the end of the program.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    /// Returns the notices after this record up to the last, and the number of the last; no notices if some of them are
    /// too old to be known.
    async fn after(&self, number: u64) -> Result<(Option<Vec<Notice>>, u64), Failure> {
        let head = self.0.recorder.state().head;
        while self.grow(head).await? {}
        let recent = self.recent();
        Ok((recent.after(number), recent.until))
    }

    /// Reads the next records up to this one; returns whether there may be more.
    async fn grow(&self, head: u64) -> Result<bool, Failure> {
        if self.recent().until >= head {
            return Ok(false);
        }
        let _growing = self.0.growing.lock().await;
        let known = {
            let mut recent = self.recent();
            recent.keep(head);
            recent.until
        };
        if known >= head {
            return Ok(false);
        }
        let records = self.0.recorder.ledger().read_range(known + 1, BATCH).await?;
        let state = &self.0.recorder.state().state;
        let notices: Vec<_> = records.iter().filter_map(|record| Notice::of(record, state)).collect();
        let mut recent = self.recent();
        recent.notices.extend(notices);
        recent.until = records.last().map_or(head, |record| record.seq);
        Ok(recent.until < head)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an open stream among those that a user may have, until it is dropped.
struct Place {
    events: Events,
    user: UserId,
}

impl Place {
    fn take(events: &Events, user: UserId) -> Result<Self, Failure> {
        let mut open = events.places();
        let (all, own) = (open.values().sum::<usize>(), open.get(&user).copied().unwrap_or_default());
        if own >= STREAMS_OF_USER {
            return Err(Failure::TooManyStreams { most: STREAMS_OF_USER, whose: "your" });
        }
        if all >= STREAMS {
            return Err(Failure::TooManyStreams { most: STREAMS, whose: "all" });
        }
        open.insert(user, own + 1);
        drop(open);
        Ok(Self { events: events.clone(), user })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.events.places();
        match open.get_mut(&self.user) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(open.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_that_is_too_old_is_told_from_one_with_nothing_new() {
        let mut recent = Recent { since: 5, until: 5, ..Recent::default() };
        assert!(recent.after(4).is_none());
        assert_eq!(recent.after(5).map(|notices| notices.len()), Some(0));
        recent.keep(KEPT + 9);
        assert_eq!((recent.since, recent.until), (9, 9));
        assert!(recent.after(8).is_none());
        recent.until = KEPT + 9;
        recent.keep(KEPT + 10);
        assert_eq!((recent.since, recent.until), (10, KEPT + 9));
    }
}
