//! One open stream: when it sends what, and when it ends.

use super::notice::{Changed, seen_by};
use super::{Events, Place};
use crate::domain::id::SessionId;
use crate::domain::user::User;
use crate::service::failure::Failure;
use crate::service::list::pool;
use crate::service::tokens::signed_in;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The time after which a sign of life is sent if there is nothing else.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The time for which a record waits for others to be told with it.
const GATHER: Duration = Duration::from_millis(100);
/// The least time between two looks at the log: a job must not be told key by key.
const PACE: Duration = Duration::from_secs(1);
/// The longest time that a stream is open. It must not outlive the token that opened it by much, and the client comes
/// back with the number of the last record.
const OPEN: Duration = Duration::from_secs(crate::domain::session::ACCESS_SECONDS as u64);

/// What a stream sends.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// The stream has begun; what is read from now on is not older than this record.
    Ready { number: u64 },
    /// Resources have changed; all changes up to the record `until` are told with this.
    Changes { changes: Vec<Changed>, until: u64 },
    /// What has changed before this record cannot be told: the client reads everything again.
    Reset { number: u64 },
    /// Nothing else has changed up to this record.
    Heartbeat { number: u64 },
}

/// An open stream of one reader.
pub struct Stream {
    events: Events,
    place: Place,
    session: SessionId,
    /// The record up to which everything was told.
    position: u64,
    follows: bool,
    has_begun: bool,
    heads: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    opened: Instant,
    /// When something was last sent.
    sent: Instant,
    /// When the log was last looked at.
    looked: Option<Instant>,
}

impl Stream {
    pub(super) fn new(
        events: Events,
        place: Place,
        session: SessionId,
        after: Option<u64>,
        follows: bool,
        head: u64,
    ) -> Self {
        let heads = events.0.recorder.ledger().watch_head();
        let closing = events.0.closing.subscribe();
        let now = Instant::now();
        Self {
            events,
            place,
            session,
            position: after.unwrap_or(head),
            follows,
            has_begun: false,
            heads,
            closing,
            opened: now,
            sent: now,
            looked: None,
        }
    }

    /// Waits for the next piece; `None` when the stream ends.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self) -> Result<Option<Piece>, Failure> {
        let piece = self.piece().await?;
        self.sent = Instant::now();
        Ok(piece)
    }

    async fn piece(&mut self) -> Result<Option<Piece>, Failure> {
        loop {
            let head = *self.heads.borrow_and_update();
            // The reader may have lost the session or rights meanwhile, so both are looked at each time.
            if self.user().is_none() || *self.closing.borrow() || self.opened.elapsed() >= OPEN {
                return Ok(None);
            }
            if !self.has_begun {
                self.has_begun = true;
                return self.begin().await.map(Some);
            }
            if self.position < head {
                if let Some(looked) = self.looked.filter(|looked| looked.elapsed() < PACE) {
                    if !self.pause_until(looked + PACE).await {
                        return Ok(None);
                    }
                    continue;
                }
                if let Some(piece) = self.look().await? {
                    return Ok(Some(piece));
                }
                continue;
            }
            if !self.follows {
                return Ok(None);
            }
            let heartbeat = self.sent + HEARTBEAT;
            tokio::select! {
                grown = self.heads.changed() => {
                    if grown.is_err() || !self.pause_until(Instant::now() + GATHER).await {
                        return Ok(None);
                    }
                }
                _ = self.closing.changed() => return Ok(None),
                () = sleep_until(heartbeat) => return Ok(Some(Piece::Heartbeat { number: self.position })),
            }
        }
    }

    /// Begins where the reader wants it. A record that is not there is of a log that was replaced by a backup.
    async fn begin(&mut self) -> Result<Piece, Failure> {
        let (notices, until) = self.events.after(self.position).await?;
        if notices.is_none() || self.position > until {
            self.position = until;
            return Ok(Piece::Reset { number: until });
        }
        Ok(Piece::Ready { number: self.position })
    }

    async fn look(&mut self) -> Result<Option<Piece>, Failure> {
        let (notices, until) = self.events.after(self.position).await?;
        self.looked = Some(Instant::now());
        self.position = until;
        let Some(notices) = notices else { return Ok(Some(Piece::Reset { number: until })) };
        // The state is at least as new as the records; so are the rights.
        let published = self.events.0.recorder.state();
        let Some(user) = published.state.users.get(&self.place.user).cloned() else { return Ok(None) };
        let changes = pool::run(move || seen_by(&user, &published.state, &notices)).await?;
        Ok((!changes.is_empty()).then_some(Piece::Changes { changes, until }))
    }

    /// The reader, if the session is still open.
    fn user(&self) -> Option<Arc<User>> {
        let recorder = &self.events.0.recorder;
        signed_in(&recorder.state(), recorder.now(), self.session, self.place.user).ok()
    }

    /// Waits; returns whether the stream goes on.
    async fn pause_until(&mut self, at: Instant) -> bool {
        tokio::select! {
            _ = self.closing.changed() => false,
            () = sleep_until(at) => true,
        }
    }
}
