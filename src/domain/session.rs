//! Sessions: a sign-in opens one, its refresh token carries it on, a revocation closes it. What is past its end is
//! dropped when the next event comes in, by that event's time, so that replay makes the same state.

pub mod decide;
pub mod refusal;

use super::id::{RefreshTokenId, SessionId, UserId};
use super::time::Time;
use std::fmt;

/// How long an access token is good for, in seconds.
pub const ACCESS_SECONDS: i64 = 300;

/// So many sessions of a user may be open; with one more, that one is closed which was not used for the longest time.
pub const SESSIONS_MAX: usize = 1000;

/// A session as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Session {
    /// Its id: the token's `sid`.
    pub id: SessionId,
    pub user: UserId,
    pub refresh: RefreshGrant,
    pub refresh_made: Time,
    pub labels: Vec<String>,
    /// When the user signed in.
    pub opened: Time,
    /// When a token was last made for it.
    pub used: Time,
}

impl Session {
    /// Until when the refresh token is good; none: for ever.
    pub fn refresh_ends(&self) -> Option<Time> {
        let after = |from: Time, seconds: u64| from.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        let of_age = self.refresh.lifetime_seconds.map(|seconds| after(self.refresh_made, seconds));
        let unused = self.refresh.unused_seconds.map(|seconds| after(self.used, seconds));
        of_age.into_iter().chain(unused).min()
    }

    /// When nothing of it is good any more; none: never.
    pub fn ends(&self) -> Option<Time> {
        self.refresh_ends().map(|refresh| refresh.max(self.used.plus_seconds(ACCESS_SECONDS)))
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
        /// The refresh token given with it.
        refresh: RefreshGrant,
        /// Attached to the token by the client.
        labels: Vec<String>,
    },
    /// The refresh token was used for a new access token.
    Refreshed,
    /// The refresh token was used and replaced by a new one.
    RefreshReplaced { refresh: RefreshGrant },
    /// The session is over: its tokens are worth nothing.
    Closed,
}

/// A refresh token as it is kept: never itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshGrant {
    /// By which its owner names it.
    pub id: RefreshTokenId,
    pub hash: TokenHash,
    /// Seconds from its making to its end; none: no such end.
    pub lifetime_seconds: Option<u64>,
    /// Seconds without use after which it ends; none: no such end.
    pub unused_seconds: Option<u64>,
}

/// What can be asked of sessions.
#[derive(Clone, Debug)]
pub enum SessionCommand {
    /// Open one for a user whose password was proved.
    Open {
        id: SessionId,
        user: UserId,
        /// When the password that was proved was set: a change since then makes the proof void.
        proved: Time,
        source: String,
        refresh: RefreshGrant,
        labels: Vec<String>,
        at: Time,
    },
    Refresh {
        /// By the token that hashes to this.
        hash: TokenHash,
        /// With a new refresh token in place of the old.
        replace: Option<RefreshGrant>,
        at: Time,
    },
    Close {
        id: SessionId,
    },
}

/// The sessions that are open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sessions {
    open: imbl::HashMap<SessionId, Session>,
    by_hash: imbl::HashMap<TokenHash, SessionId>,
    by_token: imbl::HashMap<RefreshTokenId, SessionId>,
    ends: imbl::OrdSet<(Time, SessionId)>,
    /// The sessions of each user, in the order of their last use.
    by_user: imbl::HashMap<UserId, imbl::OrdSet<(Time, SessionId)>>,
}

impl Sessions {
    /// Puts the open sessions together again.
    pub fn restored(sessions: Vec<Session>) -> Self {
        let mut restored = Self::default();
        sessions.into_iter().for_each(|session| restored.put(session));
        restored
    }

    /// The session of this id.
    pub fn get(&self, id: &SessionId) -> Option<&Session> {
        self.open.get(id)
    }

    /// The session whose refresh token hashes to this.
    pub fn by_refresh(&self, hash: &TokenHash) -> Option<&Session> {
        self.open.get(self.by_hash.get(hash)?)
    }

    /// The session whose refresh token has this id.
    pub fn by_token(&self, token: &RefreshTokenId) -> Option<&Session> {
        self.open.get(self.by_token.get(token)?)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.open.values()
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The sessions of a user that are closed when one more is opened: those that were not used for the longest time.
    fn surplus_of(&self, user: UserId) -> impl Iterator<Item = SessionId> {
        let theirs = self.by_user.get(&user);
        let surplus = theirs.map_or(0, |theirs| (theirs.len() + 1).saturating_sub(SESSIONS_MAX));
        theirs.into_iter().flatten().take(surplus).map(|(_, id)| *id)
    }

    /// Takes in what has happened.
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
            }),
            SessionEvent::Refreshed => {
                if let Some(session) = self.take(&id) {
                    self.put(Session { used: at, ..session });
                }
            }
            SessionEvent::RefreshReplaced { refresh } => {
                if let Some(session) = self.take(&id) {
                    self.put(Session { refresh: refresh.clone(), refresh_made: at, used: at, ..session });
                }
            }
            SessionEvent::Closed => drop(self.take(&id)),
        }
    }

    /// Drops what is past its end.
    pub fn drop_ended(&mut self, at: Time) {
        while let Some((_, id)) = self.ends.get_min().filter(|(end, _)| *end < at).copied() {
            self.take(&id);
        }
    }

    /// Returns the sessions of a user, the one that was not used for the longest time first.
    pub fn of_user(&self, user: UserId) -> impl Iterator<Item = SessionId> {
        self.by_user.get(&user).into_iter().flatten().map(|(_, id)| *id)
    }

    fn put(&mut self, session: Session) {
        self.by_hash.insert(session.refresh.hash, session.id);
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
