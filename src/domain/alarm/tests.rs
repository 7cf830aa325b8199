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
use crate::domain::webhook::{WebhookCommand, WebhookEvent, WebhookSettings};
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

fn by_ann(condition: Condition) -> AlarmFacts {
    AlarmFacts { condition, cause: Cause::Here { by: "ann".to_owned() }, ..disabled_key() }
}

fn is_kept(state: &Given, number: u64) -> bool {
    state.alarms.all.get(&AlarmNumber(number)).is_some()
}

#[test]
fn closed_alarms_make_room_first_then_mild_ones_and_a_storm_pushes_out_itself() {
    let mut state = given([]);
    let outside = Cause::Outside { found_by: "admin".to_owned(), by: None };
    let opened = AlarmFacts { condition: Condition::PolicyOpened, cause: outside, ..disabled_key() };
    // 1 and 2 stay open, 3 is acknowledged, 4 is cleared, 5 is open and mild.
    for _ in 0..4 {
        raised(&mut state, opened.clone());
    }
    raised(&mut state, disabled_key());
    state.push(Event::Alarm(AlarmNumber(3), AlarmEvent::Acknowledged { by: "ann".to_owned() }));
    state.push(Event::Alarm(AlarmNumber(4), AlarmEvent::Cleared { by: "ann".to_owned() }));
    // A bulk job schedules the deletion of all keys: its alarms are as severe as the first two.
    for _ in 0..ALARMS_MAX - 5 {
        raised(&mut state, by_ann(Condition::DeletionScheduled));
    }
    let kept = |state: &Given| (1..=7).filter(|number| is_kept(state, *number)).collect::<Vec<_>>();
    assert_eq!((state.alarms.all.len(), kept(&state)), (ALARMS_MAX, vec![1, 2, 3, 4, 5, 6, 7]));
    for left in [vec![1, 2, 4, 5, 6, 7], vec![1, 2, 5, 6, 7], vec![1, 2, 6, 7], vec![1, 2, 7], vec![1, 2]] {
        raised(&mut state, by_ann(Condition::DeletionScheduled));
        assert_eq!((state.alarms.all.len(), kept(&state)), (ALARMS_MAX, left));
    }
}

#[test]
fn a_webhook_loses_the_mild_alarms_of_a_storm_and_says_so_while_all_are_kept() {
    let mut state = given([webhook(0, enabled())]);
    raised(&mut state, by_ann(Condition::DeletionScheduled));
    for _ in 0..PENDING_MAX + 1 {
        raised(&mut state, disabled_key());
    }
    let pending: Vec<u64> = state.alarms.pending(webhook_id(0)).map(|number| number.0).take(2).collect();
    assert_eq!((state.alarms.pending_count(webhook_id(0)), pending), (PENDING_MAX, vec![1, 4]));
    assert_eq!(state.alarms.webhooks.get(&webhook_id(0)).map(|webhook| webhook.lost), Some(2));
    assert_eq!(state.alarms.all.len(), PENDING_MAX + 2);
}

#[test]
fn an_alarm_that_is_still_to_be_delivered_makes_room_last() {
    let only = WebhookSettings { conditions: vec!["rotation_off".to_owned()], ..enabled() };
    let mut state = given([webhook(0, only)]);
    let (number, webhooks) = raised(&mut state, by_ann(Condition::RotationOff));
    assert_eq!(webhooks, [webhook_id(0)]);
    for _ in 0..ALARMS_MAX {
        raised(&mut state, by_ann(Condition::DeletionScheduled));
    }
    assert!(is_kept(&state, 1) && !is_kept(&state, 2), "though it is the mildest and oldest");
    state.push(Event::Alarm(number, AlarmEvent::Delivered { webhook: webhook_id(0) }));
    raised(&mut state, by_ann(Condition::DeletionScheduled));
    assert!(!is_kept(&state, 1) && is_kept(&state, 3));
    assert_eq!(state.alarms.webhooks.get(&webhook_id(0)).map(|webhook| webhook.lost), Some(0));
}

#[test]
fn a_secret_that_was_replaced_signs_for_a_day_more() {
    let state = given([webhook(0, enabled())]);
    let replaced = Event::Webhook(webhook_id(0), WebhookEvent::SecretReplaced { secret: Sealed(vec![2]) });
    let state = state.and([replaced]);
    let webhook = state.alarms.webhooks.get(&webhook_id(0)).expect("a webhook");
    let signing =
        |seconds| webhook.secrets_at(webhook.updated.plus_seconds(seconds)).map(|one| one.0[0]).collect::<Vec<_>>();
    assert_eq!((signing(0), signing(86_399), signing(86_400)), (vec![2, 1], vec![2, 1], vec![2]));
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
    let expired = announce(&state, soon, 0);
    let [Event::Alarm(_, AlarmEvent::Raised { facts, .. })] = &expired[..] else { panic!("{expired:?}") };
    assert!(facts.message.contains("expired at") && facts.condition.severity() == Severity::Critical, "{facts:?}");
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
        (0, Some(0)),
        (-1, Some(0)),
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
