//! The caller of a request, and the request's context. Made by `tokens` from a bearer token; groups are today's, not
//! the token's.

use super::authority::Authority;
use super::failure::Failure;
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
    pub user: Arc<User>,
    pub published: Arc<Published>,
    authority: Authority,
}

impl Caller {
    /// A user in a session.
    pub fn present(user: Arc<User>, session: SessionId, published: Arc<Published>) -> Self {
        Self { authority: Authority::of(user.id, Some(session)), user, published }
    }

    /// A user for whom a job goes on, without a session.
    pub fn absent(user: Arc<User>, published: Arc<Published>) -> Self {
        Self { authority: Authority::of(user.id, None), user, published }
    }

    /// Is the caller in one of these groups, or in `admin`, who may do everything?
    pub fn is_one_of(&self, groups: &[SystemGroup]) -> bool {
        is_one_of(&self.user, groups)
    }

    /// The caller, if the right is checked by this rule; every change that comes of it is judged by it once more.
    ///
    /// # Errors
    /// What the rule says.
    pub(super) fn with_right(
        self,
        right: impl Fn(&User, &State) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        right(&self.user, &self.published.state)?;
        Ok(Self { authority: self.authority.with(right), ..self })
    }

    /// A change on behalf of the caller.
    pub fn change(&self, context: &RequestContext) -> Change {
        let actor = Actor::User { id: self.user.id, name: self.user.name.clone() };
        let authority = Some(self.authority.clone());
        Change { dry_run: context.dry_run, authority, ..Change::of(actor, context.request_id.clone()) }
    }
}

/// Is the user in one of these groups, or in `admin`?
pub(super) fn is_one_of(user: &User, groups: &[SystemGroup]) -> bool {
    user.is_in(SystemGroup::Admin) || groups.iter().any(|group| user.is_in(*group))
}

/// What a use case needs to know of the request.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Its id, the client's own if it sent a sane one.
    pub request_id: RequestId,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// A change that is to be recorded: its actor, its request, and whether it is a dry run.
#[derive(Clone)]
pub struct Change {
    pub actor: Actor,
    pub request_id: RequestId,
    /// Only say what would happen.
    pub dry_run: bool,
    /// What is checked again when it is recorded; none: nobody's right is needed.
    pub(super) authority: Option<Authority>,
}

impl Change {
    /// One that needs nobody's right.
    pub(super) fn of(actor: Actor, request_id: RequestId) -> Self {
        Self { actor, request_id, dry_run: false, authority: None }
    }

    /// For what has been done already: it is recorded whatever has become of the right to it.
    pub(super) fn done(&self) -> Self {
        Self { authority: None, ..self.clone() }
    }

    /// What a job does once the program has started again: on behalf of the same user, under today's name; of the
    /// program itself if there is none any more.
    pub fn resumed(state: &State, by: Option<UserId>) -> Self {
        let user = by.and_then(|id| state.users.get(&id));
        let actor = user.map_or(Actor::System, |user| Actor::User { id: user.id, name: user.name.clone() });
        Self::of(actor, "resume".into())
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
