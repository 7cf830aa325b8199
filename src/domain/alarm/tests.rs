//! The rules of alarms and webhooks.

use super::decide::{days_to_announce, raise};
use super::*;
use crate::domain::command::Command;
use crate::domain::event::{Event, Sealed};
use crate::domain::key::event::KeyEvent;
use crate::domain::key::example::{added, at, found, key_id, kms_id, region, snapshot};
use crate::domain::name::WebhookName;
use crate::domain::refusal::Refusal;
use crate::domain::scenario::{Given, given};
use crate::domain::webhook::refusal::{WEBHOOKS_MAX, WebhookRefusal};
use crate::domain::webhook::{WebhookCommand, WebhookSettings};
use uuid::Uuid;

fn webhook_id(n: u128) -> WebhookId {
    WebhookId::new(Uuid::from_u128(0xd000 + n))
}

fn name(n: u128) -> WebhookName {
    WebhookName::parse(&format!("webhook {n}")).expect("a name")
}

fn webhook(n: u128, settings: WebhookSettings) -> Event {
    let settings = WebhookSettings { url: "https://a.example.org".to_owned(), ..settings };
    Event::Webhook(webhook_id(n), WebhookEvent::Created { name: name(n), settings, secret: Sealed(vec![1]) })
}

fn enabled() -> WebhookSettings {
    WebhookSettings { enabled: true, ..WebhookSettings::default() }
}

fn disabled_key() -> AlarmFacts {
    let arn = "arn:aws:kms:eu-west-3:123456789012:key/1".to_owned();
    AlarmFacts {
        condition: Condition::KeyDisabled,
        subject: Subject::Key { key: key_id(1), kms: kms_id(0), region: region("eu-west-3"), arn },
        message: "The key was disabled.".to_owned(),
        cause: Cause::Nobody,
        due: None,
    }
}

fn raised(state: &mut Given, facts: AlarmFacts) -> (AlarmNumber, Vec<WebhookId>) {
    let events = raise(state, vec![facts]);
    let [Event::Alarm(number, AlarmEvent::Raised { webhooks, .. })] = &events[..] else { panic!("{events:?}") };
    let result = (*number, webhooks.clone());
    events.into_iter().for_each(|event| state.push(event));
    result
}

#[test]
fn an_alarm_is_for_the_webhooks_that_want_its_condition_and_its_kms() {
    let only = |conditions: &[&str], kms: Vec<KmsId>| WebhookSettings {
        conditions: conditions.iter().map(|name| (*name).to_owned()).collect(),
        kms,
        ..enabled()
    };
    let mut state = given([
        added(0, &["eu-west-3"]),
        webhook(0, enabled()),
        webhook(1, only(&["key_disabled"], vec![])),
        webhook(2, only(&["rotation_off"], vec![])),
        webhook(3, only(&[], vec![kms_id(0)])),
        webhook(4, only(&[], vec![kms_id(1)])),
        webhook(5, WebhookSettings::default()),
    ]);
    let (number, webhooks) = raised(&mut state, disabled_key());
    assert_eq!((number.0, webhooks), (1, vec![webhook_id(0), webhook_id(1), webhook_id(3)]));
    let connection = state.kms.iter().next().expect("a KMS").connection;
    let subject = Subject::Connection { connection, name: "aws".to_owned() };
    let failed = AlarmFacts { condition: Condition::ConnectionFailed, subject, ..disabled_key() };
    let (number, webhooks) = raised(&mut state, failed);
    assert_eq!((number.0, webhooks), (2, vec![webhook_id(0), webhook_id(3)]), "the KMS uses the connection");
    assert_eq!(state.alarms.pending_count(webhook_id(0)), 2);
}

#[test]
fn a_delivery_is_recorded_once_and_a_deleted_webhook_has_nothing_pending() {
    let mut state = given([webhook(0, enabled()), webhook(1, enabled())]);
    let (number, _) = raised(&mut state, disabled_key());
    let done = || Command::Alarm(AlarmCommand::RecordDelivery { number, webhook: webhook_id(0) });
    let events = state.decide(done()).expect("allowed");
    assert_eq!(events, [Event::Alarm(number, AlarmEvent::Delivered { webhook: webhook_id(0) })]);
    let state = state.and(events);
    assert_eq!(state.decide(done()), Ok(vec![]), "it is not pending any more");
    assert_eq!(state.alarms.webhooks_with_pending(), [webhook_id(1)]);
    let state = state.and([Event::Webhook(webhook_id(1), WebhookEvent::Deleted)]);
    assert_eq!(state.alarms.webhooks_with_pending(), []);
}

#[test]
fn old_alarms_make_room_and_a_webhook_says_what_it_lost() {
    let mut state = given([webhook(0, enabled())]);
    for _ in 0..ALARMS_MAX + 2 {
        raised(&mut state, disabled_key());
    }
    assert_eq!(state.alarms.all.len(), ALARMS_MAX);
    assert_eq!(state.alarms.pending(webhook_id(0)).next(), Some(AlarmNumber(3)));
    assert_eq!(state.alarms.webhooks.get(&webhook_id(0)).map(|webhook| webhook.lost), Some(2));
}

#[test]
fn the_same_failure_is_recorded_once() {
    let state = given([webhook(0, enabled())]);
    let failed =
        |error: &str| Command::Webhook(WebhookCommand::RecordFailure { id: webhook_id(0), error: error.into() });
    let events = state.decide(failed("503")).expect("allowed");
    assert_eq!(events.len(), 1);
    let state = state.and(events);
    assert_eq!(state.decide(failed("503")), Ok(vec![]));
    assert_eq!(state.decide(failed("timeout")).map(|events| events.len()), Ok(1));
}

#[test]
fn names_are_unique_and_the_number_of_webhooks_is_limited() {
    let create = |n: u128| {
        let (settings, secret) = (enabled(), Sealed(vec![1]));
        Command::Webhook(WebhookCommand::Create { id: webhook_id(n), name: name(n), settings, secret })
    };
    let state = given([webhook(0, enabled())]);
    assert_eq!(state.decide(create(0)), Err(Refusal::from(WebhookRefusal::NameTaken(name(0)))));
    let full = given((0..WEBHOOKS_MAX as u128).map(|n| webhook(n, enabled())));
    assert_eq!(full.decide(create(1_000)), Err(Refusal::from(WebhookRefusal::TooMany)));
}

#[test]
fn an_expiry_is_announced_once_for_each_term_and_again_for_new_material() {
    let expiring = |valid_to| {
        let mut seen = snapshot(1, "imported");
        seen.metadata.valid_to = Some(valid_to);
        seen
    };
    let (soon, later) = (at(1_000_000), at(9_000_000));
    let kms = kms_id(0);
    let learned = expiring(soon).all();
    let found = Event::Key(key_id(1), KeyEvent::Found { kms, region: region("eu-west-3"), learned });
    let announce = |state: &Given, valid_to, days| {
        state.decide(Command::Alarm(AlarmCommand::AnnounceExpiry { key: key_id(1), valid_to, days })).expect("allowed")
    };
    let state = given([added(0, &["eu-west-3"]), found]);
    let first = announce(&state, soon, 30);
    assert_eq!(first.len(), 1);
    let state = state.and(first);
    assert_eq!(announce(&state, soon, 30), []);
    assert_eq!(announce(&state, later, 30), [], "the key has other material by now");
    let second = announce(&state, soon, 7);
    assert_eq!(second.len(), 1);
    let state = state.and(second);
    assert_eq!(announce(&state, soon, 30), [], "a longer term after a shorter one is no news");
    let state = state.and([Event::Key(key_id(1), KeyEvent::Observed { learned: expiring(later).all() })]);
    assert_eq!(announce(&state, later, 30).len(), 1);
}

#[test]
fn the_shortest_term_that_has_begun_is_announced() {
    let day = 86_400;
    for (left, days) in [
        (31 * day, None),
        (30 * day, Some(30)),
        (8 * day, Some(30)),
        (7 * day, Some(7)),
        (day, Some(1)),
        (1, Some(1)),
        (0, None),
        (-1, None),
    ] {
        assert_eq!(days_to_announce(at(100), at(100).plus_seconds(left)), days, "{left}");
    }
}

#[test]
fn a_recovery_clears_the_failures_of_its_connection() {
    let mut state = given([added(0, &["eu-west-3"]), found(1, "a key")]);
    let connection = state.kms.iter().next().expect("a KMS").connection;
    let subject = Subject::Connection { connection, name: "aws".to_owned() };
    let of = |condition| AlarmFacts { condition, subject: subject.clone(), ..disabled_key() };
    let (failed, _) = raised(&mut state, of(Condition::ConnectionFailed));
    let (other, _) = raised(&mut state, disabled_key());
    raised(&mut state, of(Condition::ConnectionRecovered));
    let is_cleared = |number| state.alarms.all.get(number).expect("an alarm").cleared.is_some();
    assert!(is_cleared(&failed) && !is_cleared(&other));
}
