//! Source keys: what happened before, what is asked, what comes of it.

use super::kind::{AesSize, SourceKeyKind};
use super::*;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::key::event::KeyEvent;
use crate::domain::key::operation::{Import, Operation};
use crate::domain::place::Region;
use crate::domain::state::Command;
use uuid::Uuid;

const ID: SourceKeyId = SourceKeyId::new(Uuid::from_u128(1));
const OTHER: SourceKeyId = SourceKeyId::new(Uuid::from_u128(2));

struct Given(State);

fn given(events: impl IntoIterator<Item = SourceKeyEvent>) -> Given {
    let mut state = State::default();
    for (second, event) in (1..).zip(events) {
        state.apply(Time::from_nanos(second), &Event::SourceKey(ID, event));
    }
    Given(state)
}

impl Given {
    fn when(&self, command: SourceKeyCommand) -> Result<Vec<Event>, Refusal> {
        self.0.decide(Command::SourceKey(command))
    }

    fn key(&self) -> &SourceKey {
        self.0.source_key(ID).expect("the key")
    }
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

fn created() -> SourceKeyEvent {
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

fn events(events: impl IntoIterator<Item = SourceKeyEvent>) -> Result<Vec<Event>, Refusal> {
    Ok(events.into_iter().map(|event| Event::SourceKey(ID, event)).collect())
}

#[test]
fn a_name_is_given_once_and_is_free_again_after_the_deletion() {
    assert_eq!(given([]).when(create(ID)), events([created()]));
    assert_eq!(
        given([created()]).when(create(OTHER)),
        Err(Refusal::SourceKey(SourceKeyRefusal::NameTaken(name("payroll"))))
    );
    let after = given([created(), SourceKeyEvent::Deleted]);
    assert!(after.when(create(OTHER)).is_ok());
    assert!(after.0.source_key_named(&name("payroll")).is_none());
}

#[test]
fn labels_are_replaced_and_what_is_not_given_stays() {
    let labels = json(r#"{"team":"b"}"#);
    let described = SourceKeyEvent::Described { labels: labels.clone(), meta: None };
    assert_eq!(given([created()]).when(update(labels.clone(), None)), events([described.clone()]));
    let after = given([created(), described]);
    assert_eq!((&after.key().made.labels, after.key().updated), (&labels, Time::from_nanos(2)));
    assert_eq!(after.when(update(labels, Some(false))), events([]));
}

#[test]
fn a_key_becomes_unexportable_and_stays_so() {
    assert_eq!(given([created()]).when(update(None, Some(true))), events([SourceKeyEvent::MadeUnexportable]));
    let after = given([created(), SourceKeyEvent::MadeUnexportable]);
    assert_eq!(after.when(update(None, Some(true))), events([]));
    let refused = Refusal::SourceKey(SourceKeyRefusal::Unexportable(name("payroll")));
    assert_eq!(after.when(update(None, Some(false))), Err(refused.clone()));
    assert_eq!(after.when(SourceKeyCommand::Export { id: ID }), Err(refused));
}

#[test]
fn an_export_is_recorded_each_time_and_changes_nothing_else() {
    assert_eq!(given([created()]).when(SourceKeyCommand::Export { id: ID }), events([SourceKeyEvent::Exported]));
    let after = given([created(), SourceKeyEvent::Exported]);
    assert_eq!((after.key().exported, after.key().updated), (true, Time::from_nanos(1)));
    assert_eq!(after.when(SourceKeyCommand::Export { id: ID }), events([SourceKeyEvent::Exported]));
}

#[test]
fn an_undeletable_key_is_not_deleted() {
    assert_eq!(given([created()]).when(SourceKeyCommand::Delete { id: ID }), events([SourceKeyEvent::Deleted]));
    let refused = Refusal::SourceKey(SourceKeyRefusal::Undeletable(name("payroll")));
    assert_eq!(given([kept_for_ever()]).when(SourceKeyCommand::Delete { id: ID }), Err(refused));
}

#[test]
fn a_key_whose_import_is_under_way_is_not_deleted() {
    let import = Import { source: ID, valid_to: None, existing: false, material: None, description: None };
    let (kms, operation) = (KmsId::new(Uuid::from_u128(3)), OperationId::new(Uuid::from_u128(4)));
    let region = Region::parse("eu-west-1").expect("a region");
    let wanted = Operation::ImportMaterial(import);
    let key = |event| Event::Key(KeyId::new(Uuid::from_u128(5)), event);
    let mut busy = given([created()]);
    let requested = key(KeyEvent::OperationRequested { operation, kms, region, wanted: Box::new(wanted) });
    busy.0.apply(Time::from_nanos(2), &requested);
    let delete = SourceKeyCommand::Delete { id: ID };
    assert_eq!(busy.when(delete.clone()), Err(Refusal::SourceKey(SourceKeyRefusal::Busy(name("payroll")))));
    let failed = key(KeyEvent::OperationFailed { operation, reason: "no".to_owned() });
    busy.0.apply(Time::from_nanos(3), &failed);
    assert_eq!(busy.when(delete), events([SourceKeyEvent::Deleted]));
}

#[test]
fn what_is_not_there_is_unknown() {
    let unknown = Err(Refusal::SourceKey(SourceKeyRefusal::Unknown(ID.to_string())));
    for command in [SourceKeyCommand::Export { id: ID }, SourceKeyCommand::Delete { id: ID }, update(None, None)] {
        assert_eq!(given([created(), SourceKeyEvent::Deleted]).when(command.clone()), unknown);
        assert_eq!(given([]).when(command), unknown);
    }
}

#[test]
fn a_usage_mask_has_22_bits() {
    assert_eq!(UsageMask::parse(4_194_303).map(UsageMask::bits), Ok(4_194_303));
    assert!(UsageMask::parse(4_194_304).is_err() && UsageMask::parse(u64::MAX).is_err());
}
