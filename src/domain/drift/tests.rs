//! The rules of the drift watch.

use super::decide::{DriftCommand, SeenNow, Touched};
use super::stores::TouchedStores;
use super::*;
use crate::domain::command::Command;
use crate::domain::cron::Cron;
use crate::domain::event::Event;
use crate::domain::id::{KeyStoreId, OperationId};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::command::Began;
use crate::domain::key::event::KeyEvent;
use crate::domain::key::example::{added, at, found, key_id, kms_id, region, snapshot};
use crate::domain::key::operation::Operation;
use crate::domain::key::tag::Tag;
use crate::domain::key_store::at_aws::{ConnectionState, StoreAtAws};
use crate::domain::name::ScheduleName;
use crate::domain::scenario::{Given, given};
use crate::domain::schedule::{ScheduleEvent, ScheduleSettings, WatchPlan, Work};

const LATE: Began = Began { aliases: Time::from_nanos(i64::MAX), key: Time::from_nanos(i64::MAX) };

fn schedule_id() -> ScheduleId {
    ScheduleId::new(Uuid::from_u128(0x9000))
}

/// A known key of a KMS that is watched.
fn watched() -> Given {
    let plan = WatchPlan { kms: kms_id(0), log_group: "trail".to_owned(), log_group_region: None, overlap_minutes: 60 };
    let settings = ScheduleSettings::new(Cron::parse("*/5 * * * *").expect("cron"), Work::WatchDrift(plan));
    let name = ScheduleName::parse("watch").expect("a name");
    let made = Event::Schedule(schedule_id(), ScheduleEvent::Created { name, settings });
    given([added(0, &["eu-west-3"]), made, found(1, "as it was")])
}

fn event(n: u128, name: &str, seconds: i64) -> OutsideEvent {
    OutsideEvent {
        id: Uuid::from_u128(0xe000 + n),
        name: name.to_owned(),
        at: at(seconds),
        by: "arn:aws:iam::123456789012:user/ann".to_owned(),
        by_type: "IAMUser".to_owned(),
        source_ip: "192.0.2.7".to_owned(),
        user_agent: "aws-cli".to_owned(),
        request_id: "r".to_owned(),
    }
}

fn touched(seen: Snapshot, events: Vec<OutsideEvent>) -> Command {
    let key = seen.metadata.key_id().clone();
    let key_arn = seen.metadata.arn.to_string();
    Command::Drift(DriftCommand::Record(Box::new(Touched {
        kms: kms_id(0),
        region: region("eu-west-3"),
        key: Some(key),
        key_arn,
        new: key_id(9),
        seen: SeenNow::Read(Box::new(seen)),
        began: LATE,
        events,
    })))
}

/// Each entry: the name of its event, the aspects of its changes, and whether it is superseded.
fn entries(events: &[Event]) -> Vec<(String, Vec<DriftAspect>, bool)> {
    let facts = events.iter().filter_map(|event| {
        let Event::Drift(_, DriftEvent::Found(facts)) = event else { return None };
        Some(facts)
    });
    let aspects = |facts: &DriftFacts| facts.changes.iter().map(|change| change.aspect).collect();
    facts.map(|facts| (facts.event.name.clone(), aspects(facts), facts.superseded)).collect()
}

fn decided(state: &Given, command: Command) -> Vec<Event> {
    state.decide(command).unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[test]
fn the_difference_is_at_the_last_event_of_its_aspect() {
    let mut seen = snapshot(1, "described anew");
    seen.tags = Some(vec![Tag::new("a", "b")]);
    let events = vec![
        event(3, "UpdateKeyDescription", 30),
        event(1, "UpdateKeyDescription", 10),
        event(2, "TagResource", 20),
        event(4, "CreateGrant", 40),
    ];
    let recorded = decided(&watched(), touched(seen, events));
    assert!(matches!(recorded[0], Event::Key(_, KeyEvent::Observed { .. })));
    let named = |name: &str, aspects: &[DriftAspect], over| (name.to_owned(), aspects.to_vec(), over);
    assert_eq!(
        entries(&recorded),
        [
            named("UpdateKeyDescription", &[], true),
            named("TagResource", &[DriftAspect::Tags], false),
            named("UpdateKeyDescription", &[DriftAspect::Description], false),
            named("CreateGrant", &[], false),
        ]
    );
}

#[test]
fn an_operation_of_ours_is_known_by_its_kind_and_time_if_its_answer_was_lost() {
    let operation = OperationId::new(Uuid::from_u128(7));
    let (kms, place, wanted) = (kms_id(0), region("eu-west-3"), Box::new(Operation::Disable));
    let requested = KeyEvent::OperationRequested { operation, kms, region: place, wanted };
    let state = watched().and([Event::Key(key_id(1), requested)]);
    let since = state.operations.get(&operation).expect("it is pending").since;
    let concluded = KeyEvent::OperationReconciled { operation, learned: snapshot(1, "as it was").all() };
    let state = state.and([Event::Key(key_id(1), concluded)]);
    let is_ours = |key, name: &str, seconds| state.drift.is_unanswered_change(key, name, since.plus_seconds(seconds));
    assert!(is_ours(key_id(1), "DisableKey", 0) && is_ours(key_id(1), "DisableKey", 30));
    assert!(!is_ours(key_id(1), "EnableKey", 0) && !is_ours(key_id(2), "DisableKey", 0));
    assert!(!is_ours(key_id(1), "DisableKey", 3_600) && !is_ours(key_id(1), "DisableKey", -3_600));
}

fn store(state: &str) -> StoreAtAws {
    StoreAtAws {
        id: "cks-1".to_owned(),
        name: "a store".to_owned(),
        connection_state: ConnectionState::parse(state),
        connection_error: None,
        created_at: None,
        proxy: None,
        cloud_hsm: None,
    }
}

#[test]
fn the_difference_of_a_key_store_is_at_the_last_event_that_names_it() {
    let touched = |seen: &[StoreAtAws], missing: Vec<KeyStoreId>, events: Vec<OutsideEvent>| {
        let named = events.iter().map(|event| (event.id, "cks-1".to_owned())).collect();
        let seen = seen.iter().map(|seen| (KeyStoreId::new(Uuid::from_u128(0xc00)), seen.clone())).collect();
        let (kms, region, began) = (kms_id(0), region("eu-west-3"), LATE.key);
        let touched = TouchedStores { kms, region, seen, missing, began, events, named };
        Command::Drift(DriftCommand::RecordStores(Box::new(touched)))
    };
    let state = watched();
    let made = decided(&state, touched(&[store("CONNECTED")], vec![], vec![event(1, "CreateCustomKeyStore", 10)]));
    let of_store = |name: &str, over| (name.to_owned(), if over { vec![] } else { vec![DriftAspect::KeyStore] }, over);
    assert_eq!(entries(&made), [of_store("CreateCustomKeyStore", false)]);
    let state = state.and(made);
    let id = state.key_stores.iter().next().expect("it is known now").id;
    let events = || {
        vec![
            event(3, "DisconnectCustomKeyStore", 30),
            event(2, "UpdateCustomKeyStore", 20),
            event(1, "CreateCustomKeyStore", 10),
        ]
    };
    let changed = decided(&state, touched(&[store("DISCONNECTED")], vec![], events()));
    let expected = [of_store("UpdateCustomKeyStore", true), of_store("DisconnectCustomKeyStore", false)];
    assert_eq!(entries(&changed), expected);
    let state = state.and(changed);
    let change = state.drift.entries.iter().last().expect("an entry").facts.changes[0].clone();
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let with = |state: &str| serde_json::json!({"custom_key_store_id": "cks-1", "connection_state": state});
    assert_eq!((value(&change.before), value(&change.after)), (with("CONNECTED"), with("DISCONNECTED")));
    let gone = decided(&state, touched(&[], vec![id], vec![event(4, "DeleteCustomKeyStore", 40)]));
    assert_eq!(entries(&gone), [of_store("DeleteCustomKeyStore", false)]);
    assert!(state.and(gone).key_stores.get(&id).is_none_or(|store| store.gone));
}

#[test]
fn an_event_is_recorded_once() {
    let state = watched();
    let command = || touched(snapshot(1, "anew"), vec![event(1, "UpdateKeyDescription", 10)]);
    let first = decided(&state, command());
    assert_eq!(entries(&first).len(), 1);
    let state = state.and(first);
    assert_eq!(decided(&state, command()), []);
}

#[test]
fn a_difference_that_was_read_before_its_event_is_explained_later() {
    let learned = snapshot(1, "anew").all();
    let state = watched().and([Event::Key(key_id(1), KeyEvent::Observed { learned })]);
    assert_eq!(state.drift.unexplained(key_id(1)).count(), 1);
    let recorded = decided(&state, touched(snapshot(1, "anew"), vec![event(1, "UpdateKeyDescription", 10)]));
    let [Event::Drift(_, DriftEvent::Found(facts))] = &recorded[..] else { panic!("{recorded:?}") };
    let change = &facts.changes[0];
    assert_eq!((change.before.as_str(), change.after.as_str()), ("\"as it was\"", "\"anew\""));
    let state = state.and(recorded);
    assert_eq!(state.drift.unexplained(key_id(1)).count(), 0);
}

#[test]
fn nothing_is_kept_of_keys_that_no_schedule_watches() {
    let learned = snapshot(1, "anew").all();
    let observed = Event::Key(key_id(1), KeyEvent::Observed { learned });
    let state = given([added(0, &["eu-west-3"]), found(1, "as it was"), observed]);
    assert_eq!(state.drift.unexplained(key_id(1)).count(), 0);
}

#[test]
fn events_are_known_as_long_as_a_run_may_read_them_again() {
    let state = watched();
    let recorded = decided(&state, touched(snapshot(1, "anew"), vec![event(1, "UpdateKeyDescription", 10)]));
    let mut state = state.and(recorded);
    let id = event(1, "", 0).id;
    let read = |until| {
        let until = vec![(region("eu-west-3"), until)];
        Event::Drift(kms_id(0), DriftEvent::Read { schedule: schedule_id(), until })
    };
    state.push_at(at(25 * 3_600), read(at(25 * 3_600)));
    assert!(state.drift.knows(id, Some(key_id(1))));
    state.push_at(at(27 * 3_600), read(at(27 * 3_600)));
    assert!(!state.drift.knows(id, Some(key_id(1))));
    assert_eq!(state.drift.read_until(schedule_id(), &region("eu-west-3")), Some(at(27 * 3_600)));
    state.push(Event::Schedule(schedule_id(), ScheduleEvent::Deleted));
    assert_eq!(state.drift.read_until(schedule_id(), &region("eu-west-3")), None);
}

#[test]
fn two_differences_of_an_aspect_become_one() {
    let one = |before: &str, after: &str| Difference {
        aspect: DriftAspect::Tags,
        before: before.to_owned(),
        after: after.to_owned(),
    };
    let both = one(r#"{"a":"1"}"#, r#"{"a":"2"}"#).then(one(r#"{"b":"1"}"#, "{}"));
    assert_eq!(both, one(r#"{"a":"1","b":"1"}"#, r#"{"a":"2"}"#));
    let state = |before: &str, after: &str| Difference { aspect: DriftAspect::State, ..one(before, after) };
    assert_eq!(state("1", "2").then(state("2", "3")), state("1", "3"));
    let back = one("{}", r#"{"a":"1"}"#).then(one(r#"{"a":"1"}"#, "{}"));
    assert_eq!(back, one("{}", "{}"), "what was added and removed again");
}
