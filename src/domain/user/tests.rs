//! The rules of users.

use super::*;
use crate::domain::acl::AclChange;
use crate::domain::acl::Principal;
use crate::domain::action::Action;
use crate::domain::event::Event;
use crate::domain::event::{GroupEvent, InstallationEvent, KmsEvent, SessionEvent};
use crate::domain::example::{
    group, group_name, joined, logged_in, password, refresh, session_id, signed_in, user, user_id, user_name,
};
use crate::domain::key::example::{added, at, kms_id};
use crate::domain::password::PasswordProblem;
use crate::domain::refusal::GroupRefusal;
use crate::domain::refusal::{SessionRefusal, UserRefusal};
use crate::domain::scenario::{Given, given};
use crate::domain::state::State;

const DAY: i64 = 86_400;
const HERE: &str = "192.0.2.1";

fn create(n: u128, name: &str) -> UserCommand {
    let (id, name) = (user_id(n), user_name(name));
    UserCommand::Create { id, name, profile: UserProfile::default(), password: password(1), must_change: false }
}

/// An update of the first user without changes.
fn same() -> UserCommand {
    update(None, None, None, false)
}

fn update(name: Option<&str>, new: Option<Sealed>, must_change: Option<bool>, clear_lockout: bool) -> UserCommand {
    let (id, name, profile) = (user_id(1), name.map(user_name), ProfilePatch::default());
    UserCommand::Update { id, name, profile, password: new, must_change, clear_lockout }
}

/// Changes the first user's password, which was set at second `set`, at second `second`.
fn change_own(set: i64, second: i64) -> UserCommand {
    UserCommand::ChangeOwnPassword { id: user_id(1), password_set: at(set), password: password(7), at: at(second) }
}

fn policy(policy: PasswordPolicy) -> Event {
    Event::Installation(InstallationEvent::PasswordPolicyChanged { policy })
}

fn happened(event: UserEvent) -> Event {
    Event::User(user_id(1), event)
}

fn failed(source: &str) -> Event {
    happened(UserEvent::LoginFailed { source: source.to_owned() })
}

fn events(events: impl IntoIterator<Item = UserEvent>) -> Vec<Event> {
    events.into_iter().map(happened).collect()
}

fn ann(state: &State) -> &User {
    state.user(user_id(1)).expect("the user")
}

#[test]
fn a_name_is_given_once_whatever_its_case() {
    given([]).when(create(1, "user1")).then([user(1)]);
    given([user(1)]).when(create(2, "USER1")).then_refused(UserRefusal::NameTaken(user_name("USER1")));
    let two = given([user(1), user(2)]);
    two.when(update(Some("User2"), None, None, false)).then_refused(UserRefusal::NameTaken(user_name("User2")));
    let own = UserEvent::Renamed { to: user_name("User1") };
    two.when(update(Some("User1"), None, None, false)).then(events([own]));
}

#[test]
fn only_what_differs_is_recorded() {
    let state = given([user(1)]);
    state.when(same()).then(events([]));
    state.when(update(Some("user1"), None, Some(false), true)).then(events([]));
    let required = UserEvent::PasswordChangeRequired { required: true };
    state.when(update(None, None, Some(true), false)).then(events([required]));
    let changed = UserEvent::PasswordChanged { password: password(9), must_change: false };
    state.when(update(None, Some(password(9)), None, false)).then(events([changed]));
}

#[test]
fn a_new_password_ends_all_sessions_and_the_old_ones_are_remembered() {
    let events = [user(1), signed_in(1, refresh(1, None, None)), signed_in(2, refresh(2, None, None)), user(2)];
    let changed = given(events).when(update(None, Some(password(9)), Some(true), false));
    let event = happened(UserEvent::PasswordChanged { password: password(9), must_change: true });
    let state = changed.then([event, Event::Session(session_id(1), SessionEvent::Closed)]);
    assert_eq!(state.sessions.iter().map(|session| session.user).collect::<Vec<_>>(), [user_id(2)]);
    let ann = ann(&state);
    assert_eq!((&ann.password, &ann.earlier_passwords), (&password(9), &vec![password(1)]));
    assert!(ann.password_due(&state.password_policy, at(9)));
}

#[test]
fn the_own_password_is_changed_only_by_who_proved_the_present_one_however_it_is_hashed() {
    let state = given([user(1)]);
    let changed = UserEvent::PasswordChanged { password: password(7), must_change: false };
    state.when(change_own(1, 2)).then(events([changed]));
    let other = UserEvent::PasswordChanged { password: password(3), must_change: false };
    given([user(1), happened(other)]).when(change_own(1, 3)).then_refused(SessionRefusal::BadCredentials);
    let rehashed = UserEvent::PasswordRehashed { password: password(3) };
    given([user(1), happened(rehashed)]).when(change_own(1, 3)).then_done();
}

#[test]
fn the_own_password_is_not_changed_again_at_once_unless_it_is_due() {
    let lasting = PasswordPolicy { password_change_min_days: 2, ..PasswordPolicy::default() };
    let state = given([user(1), policy(lasting)]);
    let early = UserRefusal::PasswordRejected(PasswordProblem::ChangedLately(2));
    state.when(change_own(1, 2 * DAY)).then_refused(early);
    state.when(change_own(1, 2 * DAY + 1)).then_done();
    let ordered = happened(UserEvent::PasswordChangeRequired { required: true });
    let lasting = PasswordPolicy { password_change_min_days: 2, ..PasswordPolicy::default() };
    given([user(1), policy(lasting), ordered]).when(change_own(1, 5)).then_done();
}

#[test]
fn a_password_is_due_when_it_is_as_old_as_the_policy_allows() {
    let ageing = PasswordPolicy { password_lifetime: 30, ..PasswordPolicy::default() };
    let state = given([user(1), policy(ageing)]);
    assert!(!ann(&state).password_due(&state.password_policy, at(30 * DAY)));
    assert!(ann(&state).password_due(&state.password_policy, at(30 * DAY + 1)));
}

#[test]
fn a_hash_is_renewed_only_if_it_is_still_the_one_that_was_checked() {
    let state = given([user(1)]);
    let rehash = |from| state.when(UserCommand::Rehash { id: user_id(1), from, to: password(8) });
    rehash(password(1)).then(events([UserEvent::PasswordRehashed { password: password(8) }]));
    rehash(password(2)).then(events([]));
}

#[test]
fn failed_logins_lock_out_their_own_address_and_no_other() {
    let note = UserCommand::RecordFailure { id: user_id(1), source: HERE.to_owned() };
    let mut state = given([user(1)]);
    state.when(note).then(events([UserEvent::LoginFailed { source: HERE.to_owned() }]));
    let locked = |state: &Given, source| ann(state).locked_until(&state.password_policy, source);
    // By the default policy the fifth failure in a row locks for a minute.
    state.extend((0..4).map(|_| failed(HERE)));
    assert_eq!(locked(&state, HERE), None);
    state.push(failed(HERE));
    assert_eq!(locked(&state, HERE), Some(at(6).plus_seconds(60)));
    assert_eq!(locked(&state, "192.0.2.2"), None);
    // A successful login clears the failures of its own address only.
    let elsewhere = "192.0.2.2";
    state.extend((0..4).map(|_| failed(elsewhere)));
    state.extend([logged_in(1), failed(HERE), failed(elsewhere)]);
    assert_eq!(locked(&state, HERE), None);
    assert_eq!(locked(&state, elsewhere), Some(at(13).plus_seconds(60)));
}

#[test]
fn addresses_that_one_client_has_are_counted_as_one() {
    let state = given([user(1)]).and((1..=5).map(|n| failed(&format!("2001:db8::{n}"))));
    let locked = |source| ann(&state).locked_until(&state.password_policy, source).is_some();
    assert!(locked("2001:db8:0:0:ffff::1") && !locked("2001:db8:0:1::1"));
    assert_eq!(network_of("::ffff:192.0.2.1"), "192.0.2.1");
    assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
}

#[test]
fn nobody_is_unlocked_by_failing_from_elsewhere() {
    let mut state = given([user(1)]);
    state.extend((0..5).map(|_| failed(HERE)));
    state.extend((0..SOURCES_MAX + 3).map(|n| failed(&format!("10.0.0.{n}"))));
    assert!(ann(&state).locked_until(&state.password_policy, HERE).is_some());
    assert_eq!(ann(&state).failures.len(), SOURCES_MAX);
}

#[test]
fn a_lockout_is_forgiven_on_request() {
    let mut state = given([user(1)]);
    state.extend((0..5).map(|_| failed(HERE)));
    state.when(update(None, None, None, true)).then(events([UserEvent::LockoutCleared]));
    state.push(happened(UserEvent::LockoutCleared));
    assert_eq!(ann(&state).lockout_since(&state.password_policy, at(7)), None);
}

#[test]
fn a_user_leaves_no_right_no_session_and_no_membership_behind() {
    let change = AclChange { principal: Principal::User(user_id(1)), actions: vec![Action::View], permit: true };
    let permitted = Event::Kms(kms_id(0), KmsEvent::AclsChanged { changes: vec![change.clone()] });
    let in_group = [group("ops"), joined("ops", 1)];
    let mut state = given([user(1), added(0, &["eu-west-3"]), permitted, signed_in(1, refresh(1, None, None))]);
    state.extend(in_group);
    let withdrawn = KmsEvent::AclsChanged { changes: vec![AclChange { permit: false, ..change }] };
    let removed = state.when(UserCommand::Remove { id: user_id(1) });
    let closed = Event::Session(session_id(1), SessionEvent::Closed);
    let left = Event::Group(group_name("ops"), GroupEvent::MemberRemoved { user: user_id(1) });
    let state = removed.then([Event::Kms(kms_id(0), withdrawn), closed, left, happened(UserEvent::Removed)]);
    assert!(state.sessions.is_empty() && state.user_named(&user_name("user1")).is_none());
    assert_eq!(state.groups.iter().map(|group| group.members).sum::<u64>(), 0);
    assert!(state.kms(kms_id(0)).expect("the KMS").acl.entries().is_empty());
}

#[test]
fn the_last_administrator_stays() {
    let mut state = given([user(1), user(2), group("admin"), joined("admin", 1)]);
    let remove = || UserCommand::Remove { id: user_id(1) };
    state.when(remove()).then_refused(GroupRefusal::LastAdmin);
    state.push(joined("admin", 2));
    state.when(remove()).then_done();
}

#[test]
fn what_a_patch_does_not_give_stays() {
    let patch = |nickname: Option<&str>, email: Option<&str>| {
        let (nickname, email) = (nickname.map(str::to_owned), email.map(str::to_owned));
        let profile = ProfilePatch { nickname, email, ..ProfilePatch::default() };
        let (name, password, must_change, clear_lockout) = (None, None, None, false);
        UserCommand::Update { id: user_id(1), name, profile, password, must_change, clear_lockout }
    };
    let state = given([user(1)]).when(patch(Some("ann"), Some("ann@example.org"))).then_done();
    let state = state.when(patch(Some("annie"), None)).then_done();
    let profile = &state.user(user_id(1)).expect("the user").profile;
    assert_eq!((profile.nickname.as_str(), profile.email.as_str()), ("annie", "ann@example.org"));
}
