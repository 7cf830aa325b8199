//! The rights that a change rests on. A right is checked when the head of a request is read, and used when its body has
//! come, a password is hashed, or AWS has answered; so it is checked again, by the same rule, in the moment of
//! recording.

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
    /// Of a user of whom no right is checked yet.
    pub(super) fn of(user: UserId, session: Option<SessionId>) -> Self {
        Self { user, session, rights: Vec::new() }
    }

    /// The same, with one more right to be checked.
    pub(super) fn with(mut self, right: impl Fn(&User, &State) -> Result<(), Failure> + Send + Sync + 'static) -> Self {
        self.rights.push(Arc::new(right));
        self
    }

    /// Checks all rights once more, by the state as it is now.
    ///
    /// # Errors
    /// [`SessionRefusal::RightWithdrawn`] if the session was closed, the user removed or to change the password first,
    /// or a right taken away; or what a rule refuses by itself, as when the thing that the right was for is gone.
    pub(super) fn authorize(&self, state: &State, at: Time) -> Result<(), Refusal> {
        let is_open = |id: SessionId| state.sessions.get(&id).is_some_and(|session| session.user == self.user);
        let user = state.users.get(&self.user).filter(|_| self.session.is_none_or(is_open));
        let user = user.ok_or(Refusal::Session(SessionRefusal::RightWithdrawn))?;
        if self.session.is_some() && user.password_due(&state.password_policy, at) {
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
                | Failure::Busy
                | Failure::TooLarge
                | Failure::Stopped(_)
                | Failure::Log(_)
                | Failure::Keyring(_)
                | Failure::Internal(_) => SessionRefusal::RightWithdrawn.into(),
            })
        })
    }
}
