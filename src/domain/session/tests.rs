//! The rules of sessions.

use super::*;
use crate::domain::event::Event;
use crate::domain::event::UserEvent;
use crate::domain::example::{logged_in, password, refresh, session_id, signed_in, user, user_id};
use crate::domain::key::example::at;
use crate::domain::refusal::SessionRefusal;
use crate::domain::scenario::given;

const HERE: &str = "192.0.2.1";

/// The most sessions of a user.
const SESSIONS: usize = 3;

/// Signs in with the password that the first event set.
fn open(second: i64) -> SessionCommand {
    let (id, user, password_set, source) = (session_id(1), user_id(1), at(1), HERE.to_owned());
    let (refresh, labels) = (refresh(1, None, None), vec![]);
    SessionCommand::Open { id, user, password_set, source, refresh, labels, at: at(second), most: SESSIONS }
}

fn carry_on(hash: u8, replace: Option<RefreshGrant>, second: i64) -> SessionCommand {
    SessionCommand::Refresh { hash: TokenHash([hash; 32]), replace, at: at(second) }
}

fn events(events: impl IntoIterator<Item = SessionEvent>) -> Vec<Event> {
    events.into_iter().map(|event| Event::Session(session_id(1), event)).collect()
}

#[test]
fn a_user_signs_in_unless_due_to_change_the_password() {
    let opened = signed_in(1, refresh(1, None, None));
    given([user(1)]).when(open(2)).then([logged_in(1), opened]);
    given([]).when(open(2)).then_refused(SessionRefusal::BadCredentials);
    let ordered = UserEvent::PasswordChangeRequired { required: true };
    let state = given([user(1), Event::User(user_id(1), ordered)]);
    state.when(open(3)).then_refused(SessionRefusal::PasswordChangeDue);
}

#[test]
fn a_session_and_a_refresh_token_have_ids_of_their_own() {
    let state = given([user(1), signed_in(1, refresh(1, None, None))]);
    state.when(open(2)).then_refused(SessionRefusal::Exists);
    let other = signed_in(2, refresh(1, None, None));
    given([user(1), user(2), other]).when(open(3)).then_refused(SessionRefusal::Exists);
    let used = Some(refresh(1, None, None));
    state.when(carry_on(1, used, 2)).then_refused(SessionRefusal::Exists);
}

#[test]
fn a_password_that_was_changed_while_it_was_proved_opens_nothing() {
    let changed = UserEvent::PasswordChanged { password: password(2), must_change: false };
    let state = given([user(1), Event::User(user_id(1), changed)]);
    state.when(open(3)).then_refused(SessionRefusal::BadCredentials);
    let rehashed = UserEvent::PasswordRehashed { password: password(2) };
    given([user(1), Event::User(user_id(1), rehashed)]).when(open(3)).then_done();
}

#[test]
fn a_refresh_token_carries_the_session_on_and_a_replaced_one_no_more() {
    let mut state = given([user(1), signed_in(1, refresh(1, None, None))]);
    state.when(carry_on(1, None, 62)).then(events([SessionEvent::Refreshed]));
    let new = refresh(2, None, None);
    let replaced = SessionEvent::RefreshReplaced { refresh: new.clone() };
    state.when(carry_on(1, Some(new), 9)).then(events([replaced.clone()]));
    state.push(Event::Session(session_id(1), replaced));
    state.when(carry_on(1, None, 9)).then_refused(SessionRefusal::RefreshTokenInvalid);
    state.when(carry_on(2, None, 9)).then_done();
}

#[test]
fn a_refresh_is_recorded_once_a_minute_and_more_often_if_the_token_ends_soon_without_use() {
    let state = given([user(1), signed_in(1, refresh(1, None, None))]);
    state.when(carry_on(1, None, 61)).then(events([]));
    state.when(carry_on(1, None, 62)).then(events([SessionEvent::Refreshed]));
    state.when(carry_on(1, Some(refresh(2, None, None)), 3)).then_done();
    let state = given([user(1), signed_in(1, refresh(1, None, Some(40)))]);
    state.when(carry_on(1, None, 11)).then(events([]));
    state.when(carry_on(1, None, 12)).then(events([SessionEvent::Refreshed]));
}

#[test]
fn a_refresh_token_is_replaced_five_times_a_minute_and_then_stays() {
    let replaced = |hash| SessionEvent::RefreshReplaced { refresh: refresh(hash, None, None) };
    let mut state = given([user(1), signed_in(1, refresh(1, None, None))]);
    for hash in 2..=6 {
        state.when(carry_on(hash - 1, Some(refresh(hash, None, None)), 10)).then(events([replaced(hash)]));
        state.push_at(at(10), Event::Session(session_id(1), replaced(hash)));
    }
    state.when(carry_on(6, Some(refresh(7, None, None)), 69)).then(events([]));
    state.when(carry_on(6, Some(refresh(7, None, None)), 70)).then(events([replaced(7)]));
}

#[test]
fn a_refresh_token_that_comes_long_after_its_replacement_ends_the_session() {
    let replaced =
        |hash| Event::Session(session_id(1), SessionEvent::RefreshReplaced { refresh: refresh(hash, None, None) });
    let mut state = given([user(1), signed_in(1, refresh(1, None, None))]);
    state.push_at(at(10), replaced(2));
    let reused = |hash, second| SessionCommand::CloseReused {
        hash: TokenHash([hash; 32]),
        source: HERE.to_owned(),
        at: at(second),
    };
    state.when(reused(1, 10 + REPLACED_FOR)).then(events([]));
    state.when(reused(2, 100)).then(events([]));
    state.when(reused(3, 100)).then(events([]));
    let ended = SessionEvent::RefreshReused { source: HERE.to_owned() };
    state.when(reused(1, 11 + REPLACED_FOR)).then(events([ended.clone()]));
    // A hash is never used for another session.
    state.when(carry_on(2, Some(refresh(1, None, None)), 50)).then_refused(SessionRefusal::Exists);
    // Only the latest are remembered.
    for hash in 3..=10 {
        state.push_at(at(i64::from(hash) + 20), replaced(hash));
    }
    state.when(reused(1, 100)).then(events([]));
    state.when(reused(2, 100)).then(events([ended.clone()]));
    state.push(Event::Session(session_id(1), ended));
    assert!(state.sessions.is_empty() && state.sessions.by_replaced(&TokenHash([9; 32])).is_none());
}

#[test]
fn a_refresh_token_ends_by_its_age_however_much_it_is_used() {
    let mut state = given([user(1), signed_in(1, refresh(1, Some(10), None))]);
    state.when(carry_on(1, None, 11)).then_done();
    state.push(Event::Session(session_id(1), SessionEvent::Refreshed));
    state.when(carry_on(1, None, 12)).then_refused(SessionRefusal::RefreshTokenInvalid);
}

#[test]
fn a_refresh_token_ends_when_it_is_not_used_for_long() {
    let mut state = given([user(1), signed_in(1, refresh(1, None, Some(10)))]);
    // A refresh in the first quarter of that time is not recorded, so it may last a quarter longer.
    state.when(carry_on(1, None, 13)).then_done();
    state.when(carry_on(1, None, 14)).then_refused(SessionRefusal::RefreshTokenInvalid);
    state.push(Event::Session(session_id(1), SessionEvent::Refreshed));
    state.when(carry_on(1, None, 14)).then_done();
}

#[test]
fn a_session_outlives_its_refresh_token_by_the_last_access_token() {
    let state = given([user(1), signed_in(1, refresh(1, Some(10), None))]);
    let session = state.sessions.get(&session_id(1)).expect("the session");
    assert_eq!(session.refresh_ends(), Some(at(12)));
    assert_eq!(session.ends(), Some(at(62).plus_seconds(ACCESS_SECONDS)));
    let endless = given([user(1), signed_in(1, refresh(1, None, None))]);
    assert_eq!(endless.sessions.get(&session_id(1)).and_then(Session::ends), None);
}

#[test]
fn what_has_ended_is_dropped_when_the_next_session_event_comes() {
    let mut state = given([user(1), user(2), signed_in(1, refresh(1, Some(10), None))]);
    let end = at(63).plus_seconds(ACCESS_SECONDS);
    state.push_at(end, signed_in(2, refresh(2, None, None)));
    assert!(state.sessions.get(&session_id(1)).is_some(), "still good at this very moment");
    state.push_at(end.plus_seconds(1), Event::Session(session_id(2), SessionEvent::Refreshed));
    assert!(state.sessions.get(&session_id(1)).is_none() && state.sessions.by_refresh(&TokenHash([1; 32])).is_none());
    assert_eq!(state.sessions.len(), 1);
}

#[test]
fn a_closed_session_is_closed_and_closing_it_again_changes_nothing() {
    let close = || SessionCommand::Close { id: session_id(1) };
    let mut state = given([user(1), signed_in(1, refresh(1, None, None))]);
    state.when(close()).then(events([SessionEvent::Closed]));
    state.push(Event::Session(session_id(1), SessionEvent::Closed));
    state.when(close()).then(events([]));
    state.when(carry_on(1, None, 3)).then_refused(SessionRefusal::RefreshTokenInvalid);
}

#[test]
fn with_too_many_sessions_the_one_that_was_not_used_for_longest_is_closed() {
    let mut state = given([user(1)]);
    let opened = |n: usize| {
        let mut hash = TokenHash([9; 32]);
        hash.0[..8].copy_from_slice(&(n as u64).to_be_bytes());
        let refresh =
            RefreshGrant { id: RefreshTokenId::new(uuid::Uuid::from_u128(n as u128)), hash, ..refresh(1, None, None) };
        let (user, source, labels) = (user_id(1), HERE.to_owned(), vec![]);
        let id = SessionId::new(uuid::Uuid::from_u128(1_000_000 + n as u128));
        Event::Session(id, SessionEvent::Opened { user, source, refresh, labels })
    };
    state.extend((0..SESSIONS - 1).map(opened));
    let id_of = |n: u128| SessionId::new(uuid::Uuid::from_u128(1_000_000 + n));
    let new = || signed_in(1, refresh(1, None, None));
    let logged_in = || logged_in(1);
    state.when(open(3000)).then([logged_in(), new()]);
    // The first one was used again.
    state.extend([opened(SESSIONS), Event::Session(id_of(0), SessionEvent::Refreshed)]);
    let closed = Event::Session(id_of(1), SessionEvent::Closed);
    state.when(open(3000)).then([closed, logged_in(), new()]);
}

#[test]
fn the_other_sessions_of_a_user_are_closed_at_once() {
    let (user_of, source) = (user_id(1), HERE.to_owned());
    let opened = SessionEvent::Opened { user: user_of, source, refresh: refresh(2, None, None), labels: vec![] };
    let another = Event::Session(session_id(2), opened);
    let somebody = signed_in(3, refresh(3, None, None));
    let state = given([user(1), user(3), signed_in(1, refresh(1, None, None)), another, somebody]);
    let others = |kept| SessionCommand::CloseOthers { user: user_of, kept: Some(kept) };
    state.when(others(session_id(2))).then(events([SessionEvent::Closed]));
    state.when(others(session_id(1))).then([Event::Session(session_id(2), SessionEvent::Closed)]);
}
