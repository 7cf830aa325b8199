//! Sessions. A sign-in opens a session, its refresh token extends it, and a revocation closes it. Sessions past their
//! end are dropped with the next session event, by the time of that event, so that a replay yields the same state.

pub mod decide;
pub mod refusal;

use super::id::{RefreshTokenId, SessionId, UserId};
use super::time::Time;
use std::fmt;

/// The lifetime of an access token, in seconds.
pub const ACCESS_SECONDS: i64 = 300;

/// The seconds in which a refresh is not recorded again: a client that refreshes all the time must not fill the log.
const RECORDED_AFTER_MAX: i64 = 60;

/// The seconds after its replacement in which a refresh token may come once more: from another tab, or because the
/// answer was lost. Later, somebody else must have a copy of it.
pub const REPLACED_FOR: i64 = 30;

/// The replacements of a refresh token within a minute. A client that asks for more keeps the present token.
const REPLACED_A_MINUTE: usize = 5;

/// The replaced refresh tokens of a session that are remembered.
const REPLACED_MAX: usize = 8;

#[derive(Clone, PartialEq, Debug)]
pub struct Session {
    /// The id, which is the `sid` claim of access tokens.
    pub id: SessionId,
    pub user: UserId,
    pub refresh: RefreshGrant,
    pub refresh_made: Time,
    pub labels: Vec<String>,
    /// When the user signed in.
    pub opened: Time,
    /// When a token of the session was last issued, exact to [`Session::recorded_after`] seconds.
    pub used: Time,
    /// The latest replaced refresh tokens, and when they were replaced; the newest is the last.
    pub replaced: Vec<(TokenHash, Time)>,
}

impl Session {
    /// Returns the seconds after which another refresh is recorded.
    pub fn recorded_after(&self) -> i64 {
        let unused = self.refresh.unused_seconds.and_then(|seconds| i64::try_from(seconds).ok());
        unused.map_or(RECORDED_AFTER_MAX, |seconds| (seconds / 4).min(RECORDED_AFTER_MAX))
    }

    /// Whether its refresh token was replaced so often lately that it is not replaced again: clients must not fill the log.
    pub fn is_replaced_too_often(&self, at: Time) -> bool {
        let lately = |(_, replaced): &&(TokenHash, Time)| replaced.plus_seconds(RECORDED_AFTER_MAX) > at;
        self.replaced.iter().filter(lately).count() >= REPLACED_A_MINUTE
    }

    /// Returns the end of the refresh token; `None` if it does not expire. By lack of use it ends up to
    /// [`Session::recorded_after`] seconds late, and never early.
    pub fn refresh_ends(&self) -> Option<Time> {
        let after = |from: Time, seconds: u64| from.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        let of_age = self.refresh.lifetime_seconds.map(|seconds| after(self.refresh_made, seconds));
        let used = self.used.plus_seconds(self.recorded_after());
        let unused = self.refresh.unused_seconds.map(|seconds| after(used, seconds));
        of_age.into_iter().chain(unused).min()
    }

    /// Returns the end of the session, after which none of its tokens is valid; `None` if it does not expire.
    pub fn ends(&self) -> Option<Time> {
        let used = self.used.plus_seconds(self.recorded_after());
        self.refresh_ends().map(|refresh| refresh.max(used.plus_seconds(ACCESS_SECONDS)))
    }
}

/// The SHA-256 of a refresh token, which is 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum SessionEvent {
    Opened {
        user: UserId,
        source: String,
        refresh: RefreshGrant,
        /// Labels that the client attached to the session.
        labels: Vec<String>,
    },
    /// The refresh token was used for a new access token.
    Refreshed,
    /// The refresh token was used and replaced by a new one.
    RefreshReplaced { refresh: RefreshGrant },
    /// The session was closed, and its tokens are no longer valid.
    Closed,
    /// A refresh token came long after its replacement, so somebody has a copy of it. The session was closed.
    RefreshReused { source: String },
}

/// A refresh token without the token itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshGrant {
    /// The id by which the owner can revoke the token.
    pub id: RefreshTokenId,
    pub hash: TokenHash,
    /// The seconds from the issue of the token to its end; `None` for no limit.
    pub lifetime_seconds: Option<u64>,
    /// The seconds without use after which the token ends; `None` for no limit.
    pub unused_seconds: Option<u64>,
}

#[derive(Clone, Debug)]
pub enum SessionCommand {
    /// Open a session for a user whose password was verified.
    Open {
        id: SessionId,
        user: UserId,
        /// When the verified password was set. A change since then invalidates the verification.
        password_set: Time,
        source: String,
        refresh: RefreshGrant,
        labels: Vec<String>,
        at: Time,
        /// The most open sessions of a user. One more closes the least recently used one.
        most: usize,
    },
    Refresh {
        /// The hash of the refresh token.
        hash: TokenHash,
        /// A new refresh token that replaces the old one.
        replace: Option<RefreshGrant>,
        at: Time,
    },
    /// Close the session of a refresh token that came long after its replacement.
    CloseReused {
        /// The hash of the replaced refresh token.
        hash: TokenHash,
        source: String,
        at: Time,
    },
    Close {
        id: SessionId,
    },
    /// Close all sessions of a user but one.
    CloseOthers {
        user: UserId,
        kept: Option<SessionId>,
    },
}

/// The open sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sessions {
    open: imbl::HashMap<SessionId, Session>,
    by_hash: imbl::HashMap<TokenHash, SessionId>,
    by_token: imbl::HashMap<RefreshTokenId, SessionId>,
    by_replaced: imbl::HashMap<TokenHash, SessionId>,
    ends: imbl::OrdSet<(Time, SessionId)>,
    /// The sessions of each user, in the order of their last use.
    by_user: imbl::HashMap<UserId, imbl::OrdSet<(Time, SessionId)>>,
}

impl Sessions {
    /// Restores the sessions from a snapshot.
    pub fn restored(sessions: Vec<Session>) -> Self {
        let mut restored = Self::default();
        sessions.into_iter().for_each(|session| restored.put(session));
        restored
    }

    pub fn get(&self, id: &SessionId) -> Option<&Session> {
        self.open.get(id)
    }

    /// Returns the session of the refresh token with this hash.
    pub fn by_refresh(&self, hash: &TokenHash) -> Option<&Session> {
        self.open.get(self.by_hash.get(hash)?)
    }

    /// Returns the session of the refresh token with this id.
    pub fn by_token(&self, token: &RefreshTokenId) -> Option<&Session> {
        self.open.get(self.by_token.get(token)?)
    }

    /// Returns the session that had the refresh token with this hash, and when that token was replaced.
    pub fn by_replaced(&self, hash: &TokenHash) -> Option<(&Session, Time)> {
        let session = self.open.get(self.by_replaced.get(hash)?)?;
        session.replaced.iter().find(|(replaced, _)| replaced == hash).map(|(_, at)| (session, *at))
    }

    /// Returns all sessions, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.open.values()
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Returns the least recently used sessions of a user that one more session closes, if so many may be open.
    fn surplus_of(&self, user: UserId, most: usize) -> impl Iterator<Item = SessionId> {
        let theirs = self.by_user.get(&user);
        let surplus = theirs.map_or(0, |theirs| (theirs.len() + 1).saturating_sub(most));
        theirs.into_iter().flatten().take(surplus).map(|(_, id)| *id)
    }

    pub fn apply(&mut self, at: Time, id: SessionId, event: &SessionEvent) {
        match event {
            SessionEvent::Opened { user, source: _, refresh, labels } => self.put(Session {
                id,
                user: *user,
                refresh: refresh.clone(),
                refresh_made: at,
                labels: labels.clone(),
                opened: at,
                used: at,
                replaced: vec![],
            }),
            SessionEvent::Refreshed => {
                if let Some(session) = self.take(&id) {
                    self.put(Session { used: at, ..session });
                }
            }
            SessionEvent::RefreshReplaced { refresh } => {
                if let Some(mut session) = self.take(&id) {
                    session.replaced.push((session.refresh.hash, at));
                    let surplus = session.replaced.len().saturating_sub(REPLACED_MAX);
                    session.replaced.drain(..surplus);
                    self.put(Session { refresh: refresh.clone(), refresh_made: at, used: at, ..session });
                }
            }
            SessionEvent::Closed | SessionEvent::RefreshReused { .. } => drop(self.take(&id)),
        }
    }

    /// Drops the sessions past their end.
    pub fn drop_ended(&mut self, at: Time) {
        while let Some((_, id)) = self.ends.get_min().filter(|(end, _)| *end < at).copied() {
            self.take(&id);
        }
    }

    /// Returns the sessions of a user, the least recently used first.
    pub fn of_user(&self, user: UserId) -> impl Iterator<Item = SessionId> {
        self.by_user.get(&user).into_iter().flatten().map(|(_, id)| *id)
    }

    fn put(&mut self, session: Session) {
        self.by_hash.insert(session.refresh.hash, session.id);
        self.by_replaced.extend(session.replaced.iter().map(|(hash, _)| (*hash, session.id)));
        self.by_token.insert(session.refresh.id, session.id);
        if let Some(end) = session.ends() {
            self.ends.insert((end, session.id));
        }
        self.by_user.entry(session.user).or_default().insert((session.used, session.id));
        self.open.insert(session.id, session);
    }

    fn take(&mut self, id: &SessionId) -> Option<Session> {
        let session = self.open.remove(id)?;
        self.by_hash.remove(&session.refresh.hash);
        for (hash, _) in &session.replaced {
            self.by_replaced.remove(hash);
        }
        self.by_token.remove(&session.refresh.id);
        if let Some(end) = session.ends() {
            self.ends.remove(&(end, session.id));
        }
        if let Some(theirs) = self.by_user.get_mut(&session.user) {
            theirs.remove(&(session.used, session.id));
            if theirs.is_empty() {
                self.by_user.remove(&session.user);
            }
        }
        Some(session)
    }
}

#[cfg(test)]
mod tests;
