//! The caller of a request, and the request's context. `tokens` makes a caller from a bearer token; the caller's groups
//! come from the state, not from the token.

use super::authority::Authority;
use super::expectation::Expectation;
use super::failure::Failure;
use crate::domain::event::Actor;
use crate::domain::group::SystemGroup;
use crate::domain::id::{SessionId, UserId};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::ledger::Published;
use std::fmt;
use std::sync::Arc;

/// A signed-in user, and the state at the time of the request.
#[derive(Clone)]
pub struct Caller {
    pub user: Arc<User>,
    pub published: Arc<Published>,
    /// The time of the request.
    pub at: Time,
    authority: Authority,
}

impl Caller {
    /// A user with an open session.
    pub fn present(user: Arc<User>, session: SessionId, published: Arc<Published>, at: Time) -> Self {
        Self { authority: Authority::of(user.id, Some(session)), user, published, at }
    }

    /// A user without a session, on whose behalf a job runs.
    pub fn absent(user: Arc<User>, published: Arc<Published>) -> Self {
        Self { authority: Authority::of(user.id, None), user, at: published.time, published }
    }

    /// Returns whether the caller is in one of these groups or in `admin`.
    pub fn is_one_of(&self, groups: &[SystemGroup]) -> bool {
        is_one_of(&self.user, groups)
    }

    /// The session of the caller; `None` for a job.
    pub fn session(&self) -> Option<SessionId> {
        self.authority.session()
    }

    /// Checks a right and adds it to the caller's authority: it is checked again when a change of this caller is
    /// recorded.
    ///
    /// # Errors
    /// The failure that `right` returns.
    pub(super) fn with_right(
        self,
        right: impl Fn(&User, &State) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        right(&self.user, &self.published.state)?;
        Ok(Self { authority: self.authority.with(right), ..self })
    }

    /// A change on behalf of the caller.
    pub fn change(&self, context: &RequestContext) -> Change {
        let actor =
            Actor::user(self.user.id, self.user.name.clone(), self.authority.session(), context.source.as_deref());
        let authority = Some(self.authority.clone());
        let expected = context.expected.clone();
        Change { dry_run: context.dry_run, authority, expected, ..Change::of(actor, context.request_id.clone()) }
    }
}

/// Returns whether the user is in one of these groups or in `admin`.
pub(super) fn is_one_of(user: &User, groups: &[SystemGroup]) -> bool {
    user.is_in(SystemGroup::Admin) || groups.iter().any(|group| user.is_in(*group))
}

/// The context of a request that use cases need.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The id that the client sent, if it is valid; otherwise a new one.
    pub request_id: RequestId,
    /// Decide the change and report the result, but record nothing.
    pub dry_run: bool,
    /// The address of the client; `None` for work that continues without its client.
    pub source: Option<Arc<str>>,
    /// The version that the client saw of what it changes.
    pub expected: Option<Expectation>,
}

/// The context of a change to record: its actor, its request, and whether it is a dry run.
#[derive(Clone)]
pub struct Change {
    pub actor: Actor,
    pub request_id: RequestId,
    /// Decide the change and report the result, but record nothing.
    pub dry_run: bool,
    /// The rights that are checked again when the change is recorded; `None` if it needs no right.
    pub(super) authority: Option<Authority>,
    /// The version of the resource that the first record must find.
    pub(super) expected: Option<Expectation>,
}

impl Change {
    /// A change that needs no right.
    pub(super) fn of(actor: Actor, request_id: RequestId) -> Self {
        Self { actor, request_id, dry_run: false, authority: None, expected: None }
    }

    /// The context for recording a result: AWS has already done the work, so it is recorded even if the right was
    /// withdrawn since.
    pub(super) fn done(&self) -> Self {
        Self { authority: None, expected: None, ..self.clone() }
    }

    /// The context of a job that continues after a restart. The actor is the user who started the job, under the
    /// current name, or the system if that user no longer exists.
    pub fn resumed(state: &State, by: Option<UserId>) -> Self {
        let user = by.and_then(|id| state.users.get(&id));
        let actor = user.map_or(Actor::System, |user| Actor::User { id: user.id, name: user.name.clone() });
        Self::of(actor, "resume".into())
    }
}

/// The id of a request, as found in log lines and events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Accepts an id of 1 to 64 characters: ASCII letters, digits, `-`, `_`, `.` and `:`.
    pub fn sane(text: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        ((1..=64).contains(&text.len()) && text.chars().all(fits)).then(|| Self(text.into()))
    }

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
