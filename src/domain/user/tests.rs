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
use crate::domain::scenario::given;
use crate::domain::state::State;

const DAY: i64 = 86_400;
const HERE: &str = "192.0.2.1";

fn create(n: u128, name: &str) -> UserCommand {
    let (id, name) = (user_id(n), user_name(name));
    let (profile, password, must_change) = (ProfilePatch::default(), password(1), false);
    UserCommand::Create { id, name, profile, password, must_change, password_policy: None }
}

/// An update of the first user without changes.
fn same() -> UserCommand {
    update(None, None, None, false)
}

fn update(name: Option<&str>, new: Option<Sealed>, must_change: Option<bool>, clear_lockout: bool) -> UserCommand {
    let (id, name, profile) = (user_id(1), name.map(user_name), ProfilePatch::default());
    UserCommand::Update { id, name, profile, password: new, must_change, clear_lockout, password_policy: None }
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
fn the_names_that_the_program_has_for_itself_are_reserved() {
    for name in ["system", "System", "schedule nightly", "Schedule", "operator"] {
        given([]).when(create(1, name)).then_refused(UserRefusal::NameReserved(UserName::stored(name)));
    }
    given([]).when(create(1, "scheduler")).then_done();
    let renamed = given([user(1)]).when(update(Some("schedule x"), None, None, false));
    renamed.then_refused(UserRefusal::NameReserved(UserName::stored("schedule x")));
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
    assert!(ann.password_due(&state.password_policies.global().policy, at(9)));
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
    assert!(!ann(&state).password_due(&state.password_policies.global().policy, at(30 * DAY)));
    assert!(ann(&state).password_due(&state.password_policies.global().policy, at(30 * DAY + 1)));
}

#[test]
fn a_hash_is_renewed_only_if_it_is_still_the_one_that_was_checked() {
    let state = given([user(1)]);
    let rehash = |from| state.when(UserCommand::Rehash { id: user_id(1), from, to: password(8) });
    rehash(password(1)).then(events([UserEvent::PasswordRehashed { password: password(8) }]));
    rehash(password(2)).then(events([]));
}

/// The number of failures of the first user from each network, the newest last.
fn failures(state: &State) -> Vec<(&str, u32)> {
    ann(state).failures.iter().map(|failures| (failures.source.as_str(), failures.count)).collect()
}

#[test]
fn failed_logins_are_counted_by_network_until_a_login_from_there() {
    let note = UserCommand::RecordFailure { id: user_id(1), source: HERE.to_owned() };
    let mut state = given([user(1)]);
    state.when(note).then(events([UserEvent::LoginFailed { source: HERE.to_owned() }]));
    let elsewhere = "192.0.2.2";
    state.extend([failed(HERE), failed(elsewhere), failed(HERE)]);
    assert_eq!(failures(&state), [(elsewhere, 1), (HERE, 2)]);
    state.push(logged_in(1));
    assert_eq!(failures(&state), [(elsewhere, 1)]);
    state.when(update(None, None, None, true)).then(events([UserEvent::LockoutCleared]));
    state.push(happened(UserEvent::LockoutCleared));
    assert_eq!(failures(&state), []);
}

#[test]
fn the_networks_of_the_latest_logins_are_kept() {
    let from = |source: &str| happened(UserEvent::LoggedIn { source: source.to_owned() });
    let mut state = given([user(1)]).and((0..SOURCES_MAX).map(|n| from(&format!("10.0.0.{n}"))));
    state.extend([from("10.0.0.5"), from("2001:db8::1"), from("10.0.0.5")]);
    let networks = &ann(&state).networks;
    assert_eq!((networks.len(), networks[0].as_str()), (SOURCES_MAX, "10.0.0.1"));
    assert_eq!(networks[SOURCES_MAX - 2..], ["2001:db8::/64", "10.0.0.5"]);
}

#[test]
fn addresses_that_one_client_has_are_counted_as_one() {
    let state = given([user(1)]).and((1..=5).map(|n| failed(&format!("2001:db8::{n}"))));
    assert_eq!(failures(&state), [("2001:db8::/64", 5)]);
    assert_eq!(network_of("::ffff:192.0.2.1"), "192.0.2.1");
    assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
}

#[test]
fn no_network_makes_the_failures_of_others_forgotten() {
    let mut state = given([user(1)]);
    state.extend((0..5).map(|_| failed(HERE)));
    state.extend((0..SOURCES_MAX + 3).map(|n| failed(&format!("10.0.0.{n}"))));
    assert!(failures(&state).contains(&(HERE, 5)) && failures(&state).contains(&("10.0.0.0", 1)));
    assert_eq!(failures(&state).last(), Some(&(OTHER_SOURCES, 4)));
    assert_eq!(ann(&state).failures.len(), SOURCES_MAX + 1);
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
        let (id, password_policy) = (user_id(1), None);
        UserCommand::Update { id, name, profile, password, must_change, clear_lockout, password_policy }
    };
    let state = given([user(1)]).when(patch(Some("ann"), Some("ann@example.org"))).then_done();
    let state = state.when(patch(Some("annie"), None)).then_done();
    let profile = &state.user(user_id(1)).expect("the user").profile;
    assert_eq!((profile.nickname.as_str(), profile.email.as_str()), ("annie", "ann@example.org"));
}

#[test]
fn metadata_is_merged_and_an_object_that_becomes_too_long_is_refused() {
    let json = |text: &str| Some(JsonText::stored(text));
    let patch = |user: &str, app: Option<&str>| {
        let (user_metadata, app_metadata) = (json(user), app.and_then(json));
        let profile = ProfilePatch { user_metadata, app_metadata, ..ProfilePatch::default() };
        let (id, password_policy) = (user_id(1), None);
        let (name, password, must_change, clear_lockout) = (None, None, None, false);
        UserCommand::Update { id, name, profile, password, must_change, clear_lockout, password_policy }
    };
    let state = given([user(1)]).when(patch(r#"{"a":1,"b":null}"#, Some(r#"{"x":"y"}"#))).then_done();
    assert_eq!(
        (&ann(&state).profile.user_metadata, &ann(&state).profile.app_metadata),
        (&json(r#"{"a":1}"#), &json(r#"{"x":"y"}"#))
    );
    state.when(patch("{}", None)).then([]);
    let state = state.when(patch(r#"{"b":[null]}"#, Some(r#"{"x":null}"#))).then_done();
    let (user, app) = (json(r#"{"a":1,"b":[null]}"#), json("{}"));
    assert_eq!((&ann(&state).profile.user_metadata, &ann(&state).profile.app_metadata), (&user, &app));
    let long = format!(r#"{{"c":"{}"}}"#, "x".repeat(16_370));
    let refused = state.when(patch(&long, None)).refusal();
    assert_eq!(refused.member(), Some("user_metadata"));
}

#[test]
fn another_email_address_of_ones_own_is_not_verified() {
    let verified = UserProfile { email: "a@b.c".to_owned(), email_verified: true, ..UserProfile::default() };
    let state = given([user(1), happened(UserEvent::ProfileChanged { profile: verified.clone() })]);
    let update = |email: &str| {
        let profile = ProfilePatch { email: Some(email.to_owned()), ..ProfilePatch::default() };
        state.when(UserCommand::UpdateOwn { id: user_id(1), profile })
    };
    update("a@b.c").then([]);
    let profile = UserProfile { email: "d@e.f".to_owned(), email_verified: false, ..verified };
    update("d@e.f").then(events([UserEvent::ProfileChanged { profile }]));
}
