//! Who asks, and under which request. Made by `tokens` from a bearer token; groups are today's, not the token's.

use crate::domain::event::Actor;
use crate::domain::group::SystemGroup;
use crate::domain::id::{SessionId, UserId};
use crate::domain::state::State;
use crate::domain::user::User;
use crate::ledger::Published;
use std::fmt;
use std::sync::Arc;

/// A signed-in user, and the state as it was when the request came in.
#[derive(Clone)]
pub struct Caller {
    /// Who.
    pub user: Arc<User>,
    /// In which session.
    pub session: SessionId,
    /// What was known then.
    pub published: Arc<Published>,
}

impl Caller {
    /// Is the caller in one of these groups, or in `admin`, who may do everything?
    pub fn is_one_of(&self, groups: &[SystemGroup]) -> bool {
        self.user.is_in(SystemGroup::Admin) || groups.iter().any(|group| self.user.is_in(*group))
    }

    /// The caller's wish to change something.
    pub fn change(&self, asked: &Asked) -> Change {
        let actor = Actor::User { id: self.user.id, name: self.user.name.clone() };
        Change { actor, request_id: asked.request_id.clone(), dry_run: asked.dry_run }
    }
}

impl Caller {
    /// A user for whom a job goes on: nobody asks at the moment, so there is no session.
    pub fn absent(user: Arc<User>, published: Arc<Published>) -> Self {
        Self { user, session: SessionId::new(uuid::Uuid::nil()), published }
    }
}

/// How a request was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its id, the client's own if it sent a sane one.
    pub request_id: RequestId,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// A change on its way: who wants it, under which request, and whether for real.
#[derive(Clone, Debug)]
pub struct Change {
    /// Who.
    pub actor: Actor,
    /// Under which request.
    pub request_id: RequestId,
    /// Only say what would happen.
    pub dry_run: bool,
}

impl Change {
    /// What a job does once the program has started again: on behalf of the same user, under today's name; of the
    /// program itself if there is none any more.
    pub fn resumed(state: &State, by: Option<UserId>) -> Self {
        let user = by.and_then(|id| state.users.get(&id));
        let actor = user.map_or(Actor::System, |user| Actor::User { id: user.id, name: user.name.clone() });
        Self { actor, request_id: "resume".into(), dry_run: false }
    }
}

/// The id of a request, by which its lines in the log and its events are found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes the client's id if it is sane: 1 to 64 letters, digits, `-`, `_`, `.` or `:`.
    pub fn sane(text: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        ((1..=64).contains(&text.len()) && text.chars().all(fits)).then(|| Self(text.into()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
