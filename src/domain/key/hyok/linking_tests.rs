//! How a key that this program holds becomes one that AWS knows.

use super::{HyokCommand, NewHyokKey};
use crate::domain::event::Event;
use crate::domain::id::{OperationId, SourceKeyId};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::command::{Began, KeyCommand, Outcome};
use crate::domain::key::event::KeyEvent;
use crate::domain::key::example::{added, at, found, key_id, kms_id, new_key, region, snapshot};
use crate::domain::key::operation::Operation;
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::key_store::tests::{connected, created, store_id};
use crate::domain::refusal::{KeyRefusal, KeyStoreRefusal, Refusal};
use crate::domain::scenario::{Given, given};
use crate::domain::source_key::tests::hyok_source;
use crate::domain::time::Time;
use uuid::Uuid;

const OPERATION: OperationId = OperationId::new(Uuid::from_u128(7));

fn new() -> Box<NewHyokKey> {
    let mut planned = snapshot(5, "planned");
    planned.metadata.origin = Origin::ExternalKeyStore;
    Box::new(NewHyokKey {
        store: store_id(1),
        source: SourceKeyId::new(Uuid::from_u128(1)),
        source_key_tier: "local".to_owned(),
        blocked: false,
        caller_rules: CallerRules::default(),
        planned: planned.all(),
    })
}

fn create(link: bool) -> HyokCommand {
    let link = link.then_some(OPERATION);
    HyokCommand::Create { id: key_id(5), new: new(), at: at(9), link, bypass_lockout_check: true }
}

fn prepared() -> Given {
    given([added(0, &["eu-west-3"]), hyok_source(1)]).and(connected("one"))
}

fn unlinked() -> Given {
    prepared().when(create(false)).then_done()
}

/// The key as AWS shows it: its id there is another one.
fn at_aws() -> Snapshot {
    let mut seen = snapshot(50, "at AWS");
    seen.metadata.origin = Origin::ExternalKeyStore;
    seen.metadata.custom_key_store_id = Some("cks-1".to_owned());
    seen.metadata.xks_key_id = Some(key_id(5).to_string());
    seen
}

fn link(is_new: bool) -> Operation {
    Operation::Link { new: new_key(), store: store_id(1), is_new }
}

fn request(wanted: Operation) -> KeyCommand {
    let (id, kms, region) = (key_id(5), kms_id(0), region("eu-west-3"));
    KeyCommand::Request { id, operation: OPERATION, kms, region, wanted: Box::new(wanted) }
}

fn conclude(outcome: Outcome<Box<Snapshot>>) -> KeyCommand {
    KeyCommand::Conclude { operation: OPERATION, outcome, related: None }
}

fn synchronise(seen: Snapshot) -> KeyCommand {
    let began = Began { aliases: Time::from_nanos(i64::MAX), key: Time::from_nanos(i64::MAX) };
    let (kms, region) = (kms_id(0), region("eu-west-3"));
    KeyCommand::Synchronise { id: key_id(99), kms, region, seen: Box::new(seen), began }
}

/// Asserts that the key is linked, and found by its id at AWS alone.
#[track_caller]
fn assert_linked(state: &Given) {
    let (key, hyok) = state.hyok_key(key_id(5)).expect("a key");
    assert!(hyok.linked && !key.is_unlinked() && key.pending.is_none());
    assert_eq!((key.description(), state.keys.len()), ("at AWS", 1));
    let found = |n| {
        let id = snapshot(n, "").metadata.key_id().clone();
        state.key_at_aws(kms_id(0), &region("eu-west-3"), &id).map(|key| key.id)
    };
    assert_eq!((found(50), found(5)), (Some(key_id(5)), None));
}

#[test]
fn a_key_that_is_created_linked_asks_for_the_link_at_once() {
    let events = prepared().when(create(true)).events();
    let [Event::Key(_, KeyEvent::HyokCreated { .. }), Event::Key(_, KeyEvent::OperationRequested { wanted, .. })] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    let Operation::Link { new, store, is_new } = wanted.as_ref() else { panic!("{wanted:?}") };
    assert_eq!((new.bypass_lockout_check, *store, *is_new), (true, store_id(1), true));
    assert_eq!((&*new.description, &new.origin), ("planned", &Origin::ExternalKeyStore));
    let requested = prepared().when(create(true)).then_done();
    assert_linked(&requested.when(conclude(Outcome::Done(Box::new(at_aws())))).then_done());
    let refused = requested.when(conclude(Outcome::Failed("no".to_owned()))).then_done();
    assert!(refused.keys.is_empty(), "nothing stays");
    let unlinked_store = given([added(0, &["eu-west-3"]), hyok_source(1), created(1, "one")]);
    let refusal = unlinked_store.when(create(true)).refusal();
    assert!(matches!(refusal, Refusal::KeyStore(KeyStoreRefusal::Unlinked(_))), "{refusal:?}");
}

#[test]
fn a_link_that_fails_leaves_the_key_that_was_there_before() {
    let requested = unlinked().when(request(link(false))).then_done();
    requested.when(HyokCommand::Delete { id: key_id(5) }).then_refused(KeyRefusal::Busy(key_id(5)));
    requested.when(HyokCommand::Block { id: key_id(5) }).then_done();
    let failed = requested.when(conclude(Outcome::Failed("no".to_owned()))).then_done();
    let (key, hyok) = failed.hyok_key(key_id(5)).expect("a key");
    assert!(!hyok.linked && key.pending.is_none());
    // AWS made the key, and a later step failed.
    let halfway = Outcome::Halfway { reason: "no".to_owned(), seen: Box::new(at_aws()) };
    let linked = requested.when(conclude(halfway)).then_done();
    assert_linked(&linked);
    linked.when(request(link(false))).then_refused(KeyRefusal::Linked(key_id(5)));
    linked.when(HyokCommand::Delete { id: key_id(5) }).then_refused(KeyRefusal::NotGone(key_id(5)));
}

#[test]
fn a_synchronisation_links_a_key_that_was_made_at_aws() {
    assert_linked(&unlinked().when(synchronise(at_aws())).then_done());
    // It was found before its store was linked.
    let mut stray = found(99, "stray");
    if let Event::Key(_, KeyEvent::Found { learned, .. }) = &mut stray {
        *learned = at_aws().all();
    }
    assert_linked(&unlinked().and([stray]).when(synchronise(at_aws())).then_done());
    // An operation that makes it records it itself.
    let requested = unlinked().when(request(link(false))).then_done();
    requested.when(synchronise(at_aws())).then([]);
    // A key of another store may have the same id.
    let mut other = at_aws();
    other.metadata.custom_key_store_id = Some("cks-2".to_owned());
    let state = unlinked().when(synchronise(other)).then_done();
    assert!(state.key(key_id(5)).is_ok_and(|key| key.is_unlinked()));
}
