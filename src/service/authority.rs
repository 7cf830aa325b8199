//! The rights that a change depends on. A right is first checked when the head of a request is read. The body, a
//! password hash or AWS can take a while after that, so the same rule checks the right again when the change is
//! recorded.

use super::failure::Failure;
use crate::domain::id::{SessionId, UserId};
use crate::domain::refusal::{Refusal, SessionRefusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::User;
use std::sync::Arc;

type Right = Arc<dyn Fn(&User, &State) -> Result<(), Failure> + Send + Sync>;

/// A user, the session, and the rules by which the user's rights were checked.
#[derive(Clone)]
pub(super) struct Authority {
    user: UserId,
    session: Option<SessionId>,
    rights: Vec<Right>,
}

impl Authority {
    /// The authority of a user without any checked right.
    pub(super) fn of(user: UserId, session: Option<SessionId>) -> Self {
        Self { user, session, rights: Vec::new() }
    }

    /// The session; `None` for work without one.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// Adds a right to check.
    pub(super) fn with(mut self, right: impl Fn(&User, &State) -> Result<(), Failure> + Send + Sync + 'static) -> Self {
        self.rights.push(Arc::new(right));
        self
    }

    /// Checks all rights against this state.
    ///
    /// # Errors
    /// [`SessionRefusal::RightWithdrawn`] if the session was closed, the user was removed or must change the password,
    /// or a right was withdrawn; or the refusal of a rule, for example if the key no longer exists.
    pub(super) fn authorize(&self, state: &State, at: Time) -> Result<(), Refusal> {
        let is_open = |id: SessionId| state.sessions.get(&id).is_some_and(|session| session.user == self.user);
        let user = state.users.get(&self.user).filter(|_| self.session.is_none_or(is_open));
        let user = user.ok_or(Refusal::Session(SessionRefusal::RightWithdrawn))?;
        if self.session.is_some() && user.password_due(state.password_policies.of(user), at) {
            return Err(SessionRefusal::RightWithdrawn.into());
        }
        self.rights.iter().try_for_each(|right| {
            right(user, state).map_err(|failure| match failure {
                Failure::Refused(refusal) => refusal,
                Failure::Unauthenticated(_)
                | Failure::Forbidden(_)
                | Failure::Cloud(_)
                | Failure::Interrupted
                | Failure::NotYetConsistent
                | Failure::Halfway { .. }
                | Failure::Busy
                | Failure::TooLarge
                | Failure::TooManyStreams { .. }
                | Failure::TooManyDownloads(_)
                | Failure::Stopped(_)
                | Failure::Log(_)
                | Failure::Keyring(_)
                | Failure::Disk(_)
                | Failure::Internal(_) => SessionRefusal::RightWithdrawn.into(),
            })
        })
    }
}
