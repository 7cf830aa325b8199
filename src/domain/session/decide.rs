//! Decides the commands of sessions.

use super::{REPLACED_FOR, RefreshGrant, SessionCommand};
use crate::domain::event::{Event, SessionEvent, UserEvent};
use crate::domain::refusal::{Refusal, SessionRefusal};
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: SessionCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        SessionCommand::Open { id, user, password_set, source, refresh, labels, at, most } => {
            let holder = state.user(user).map_err(|_| Refusal::Session(SessionRefusal::BadCredentials))?;
            if holder.password_set != password_set {
                return Err(SessionRefusal::BadCredentials.into());
            }
            if holder.password_due(state.password_policies.of(holder), at) {
                return Err(SessionRefusal::PasswordChangeDue.into());
            }
            if state.sessions.get(&id).is_some() {
                return Err(SessionRefusal::Exists.into());
            }
            refuse_used(state, &refresh)?;
            let closed = state.sessions.surplus_of(user, most).map(|id| Event::Session(id, SessionEvent::Closed));
            let login = Event::User(user, UserEvent::LoggedIn { source: source.clone() });
            let opened = Event::Session(id, SessionEvent::Opened { user, source, refresh, labels });
            Ok(closed.chain([login, opened]).collect())
        }
        SessionCommand::Refresh { hash, replace, at } => {
            let session =
                state.sessions.by_refresh(&hash).ok_or(Refusal::Session(SessionRefusal::RefreshTokenInvalid))?;
            if session.refresh_ends().is_some_and(|end| end <= at) {
                return Err(SessionRefusal::RefreshTokenInvalid.into());
            }
            let holder = state.user(session.user)?;
            if holder.password_due(state.password_policies.of(holder), at) {
                return Err(SessionRefusal::PasswordChangeDue.into());
            }
            replace.iter().try_for_each(|refresh| refuse_used(state, refresh))?;
            let event = match replace.filter(|_| !session.is_replaced_too_often(at)) {
                Some(refresh) => SessionEvent::RefreshReplaced { refresh },
                None if at < session.used.plus_seconds(session.recorded_after()) => return Ok(vec![]),
                None => SessionEvent::Refreshed,
            };
            Ok(vec![Event::Session(session.id, event)])
        }
        SessionCommand::CloseReused { hash, source, at } => match state.sessions.by_replaced(&hash) {
            Some((session, replaced)) if replaced.plus_seconds(REPLACED_FOR) < at => {
                Ok(vec![Event::Session(session.id, SessionEvent::RefreshReused { source })])
            }
            Some(_) | None => Ok(vec![]),
        },
        SessionCommand::Close { id } => match state.sessions.get(&id) {
            Some(_) => Ok(vec![Event::Session(id, SessionEvent::Closed)]),
            None => Ok(vec![]),
        },
        SessionCommand::CloseOthers { user, kept } => {
            let others = state.sessions.of_user(user).filter(|id| Some(*id) != kept);
            Ok(others.map(|id| Event::Session(id, SessionEvent::Closed)).collect())
        }
    }
}

/// A refresh token belongs to one session: the lookups by hash and by id have room for one.
fn refuse_used(state: &State, refresh: &RefreshGrant) -> Result<(), Refusal> {
    let replaced = state.sessions.by_replaced(&refresh.hash).map(|(session, _)| session);
    let used = state.sessions.by_refresh(&refresh.hash).or(state.sessions.by_token(&refresh.id)).or(replaced);
    used.map_or(Ok(()), |_| Err(SessionRefusal::Exists.into()))
}
