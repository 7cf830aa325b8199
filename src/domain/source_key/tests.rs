//! The rules of source keys.

use super::kind::{AesSize, SourceKeyKind};
use super::*;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::key::event::KeyEvent;
use crate::domain::key::example::at;
use crate::domain::key::operation::{Import, Operation};
use crate::domain::place::Region;
use crate::domain::refusal::SourceKeyRefusal;
use crate::domain::scenario::given;
use crate::domain::state::State;
use uuid::Uuid;

const ID: SourceKeyId = SourceKeyId::new(Uuid::from_u128(1));
const OTHER: SourceKeyId = SourceKeyId::new(Uuid::from_u128(2));

fn key(state: &State) -> &SourceKey {
    state.source_key(ID).expect("the key")
}

fn name(text: &str) -> SourceKeyName {
    SourceKeyName::parse(text).expect("a name")
}

fn json(text: &str) -> Option<JsonText> {
    Some(JsonText::of(&serde_json::from_str(text).expect("JSON")).expect("short enough"))
}

fn made() -> Box<NewSourceKey> {
    let kind = SourceKeyKind::Aes(AesSize::Aes256);
    Box::new(NewSourceKey {
        name: name("payroll"),
        kind,
        origin: MaterialOrigin::Generated,
        usage: UsageMask::usual(kind),
        unexportable: false,
        undeletable: false,
        labels: json(r#"{"team":"a"}"#),
        meta: None,
        fingerprint: Fingerprint([7; 32]),
        public_key: None,
    })
}

/// A source key is created.
pub(in crate::domain) fn created() -> SourceKeyEvent {
    SourceKeyEvent::Created { made: made(), material: Sealed(vec![1]) }
}

fn kept_for_ever() -> SourceKeyEvent {
    let made = Box::new(NewSourceKey { undeletable: true, ..*made() });
    SourceKeyEvent::Created { made, material: Sealed(vec![1]) }
}

fn create(id: SourceKeyId) -> SourceKeyCommand {
    SourceKeyCommand::Create { id, made: made(), material: Sealed(vec![1]) }
}

fn update(labels: Option<JsonText>, unexportable: Option<bool>) -> SourceKeyCommand {
    SourceKeyCommand::Update { id: ID, labels, meta: None, unexportable }
}

fn events(events: impl IntoIterator<Item = SourceKeyEvent>) -> Vec<Event> {
    events.into_iter().map(|event| Event::SourceKey(ID, event)).collect()
}

#[test]
fn a_name_is_given_once_and_is_free_again_after_the_deletion() {
    given([]).when(create(ID)).then(events([created()]));
    given(events([created()])).when(create(OTHER)).then_refused(SourceKeyRefusal::NameTaken(name("payroll")));
    let after = given(events([created(), SourceKeyEvent::Deleted]));
    after.when(create(OTHER)).then_done();
    assert!(after.source_key_named(&name("payroll")).is_none());
}

#[test]
fn labels_are_merged_and_what_is_not_given_stays() {
    let labels = json(r#"{"team":"b"}"#);
    let described = SourceKeyEvent::Described { labels: labels.clone(), meta: None };
    given(events([created()])).when(update(labels.clone(), None)).then(events([described.clone()]));
    let after = given(events([created(), described]));
    assert_eq!((&key(&after).made.labels, key(&after).updated), (&labels, at(2)));
    after.when(update(labels, Some(false))).then(events([]));
}

#[test]
fn a_key_becomes_unexportable_and_stays_so() {
    given(events([created()])).when(update(None, Some(true))).then(events([SourceKeyEvent::MadeUnexportable]));
    let after = given(events([created(), SourceKeyEvent::MadeUnexportable]));
    after.when(update(None, Some(true))).then(events([]));
    let refused = SourceKeyRefusal::Unexportable(name("payroll"));
    after.when(update(None, Some(false))).then_refused(refused.clone());
    after.when(SourceKeyCommand::Export { id: ID }).then_refused(refused);
}

#[test]
fn an_export_is_recorded_each_time_and_changes_nothing_else() {
    given(events([created()])).when(SourceKeyCommand::Export { id: ID }).then(events([SourceKeyEvent::Exported]));
    let after = given(events([created(), SourceKeyEvent::Exported]));
    assert_eq!((key(&after).exported, key(&after).updated), (true, at(1)));
    after.when(SourceKeyCommand::Export { id: ID }).then(events([SourceKeyEvent::Exported]));
}

#[test]
fn an_undeletable_key_is_not_deleted() {
    given(events([created()])).when(SourceKeyCommand::Delete { id: ID }).then(events([SourceKeyEvent::Deleted]));
    let refused = SourceKeyRefusal::Undeletable(name("payroll"));
    given(events([kept_for_ever()])).when(SourceKeyCommand::Delete { id: ID }).then_refused(refused);
}

#[test]
fn a_key_whose_import_is_under_way_is_not_deleted() {
    let import = Import { source: ID, valid_to: None, existing: false, material: None, description: None };
    let (kms, operation) = (KmsId::new(Uuid::from_u128(3)), OperationId::new(Uuid::from_u128(4)));
    let region = Region::parse("eu-west-1").expect("a region");
    let wanted = Operation::ImportMaterial(import);
    let key = |event| Event::Key(KeyId::new(Uuid::from_u128(5)), event);
    let mut busy = given(events([created()]));
    let requested = key(KeyEvent::OperationRequested { operation, kms, region, wanted: Box::new(wanted) });
    busy.push(requested);
    let delete = SourceKeyCommand::Delete { id: ID };
    busy.when(delete.clone()).then_refused(SourceKeyRefusal::Busy(name("payroll")));
    let failed = key(KeyEvent::OperationFailed { operation, reason: "no".to_owned() });
    busy.push(failed);
    busy.when(delete).then(events([SourceKeyEvent::Deleted]));
}

#[test]
fn what_is_not_there_is_unknown() {
    let unknown = SourceKeyRefusal::Unknown(ID.to_string());
    for command in [SourceKeyCommand::Export { id: ID }, SourceKeyCommand::Delete { id: ID }, update(None, None)] {
        given(events([created(), SourceKeyEvent::Deleted])).when(command.clone()).then_refused(unknown.clone());
        given([]).when(command).then_refused(unknown.clone());
    }
}

#[test]
fn a_usage_mask_has_22_bits() {
    assert_eq!(UsageMask::parse(4_194_303).map(UsageMask::bits), Ok(4_194_303));
    assert!(UsageMask::parse(4_194_304).is_err() && UsageMask::parse(u64::MAX).is_err());
}
