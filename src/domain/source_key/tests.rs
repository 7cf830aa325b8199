//! The rules of source keys.

use super::command::{ExportForm, Relation};
use super::kind::{AesSize, SourceKeyKind};
use super::lifecycle::{Dates, Lifecycle, LifecycleState, ReactivationReason, Revocation, RevocationReason};
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

fn version(version: u32, made: Box<NewSourceKey>) -> SourceKeyEvent {
    SourceKeyEvent::VersionCreated {
        version,
        made,
        material: Sealed(vec![1]),
        attributes: Box::default(),
        lifecycle: Box::new(Lifecycle::active_since(at(1))),
        clone_of: None,
        exported: false,
    }
}

/// A source key is created.
pub(in crate::domain) fn created() -> SourceKeyEvent {
    version(0, made())
}

/// A source key that can serve external key stores is created.
pub(in crate::domain) fn hyok_source(id: u128) -> Event {
    let made = NewSourceKey { name: name(&format!("hyok-{id}")), unexportable: true, undeletable: true, ..*made() };
    Event::SourceKey(SourceKeyId::new(Uuid::from_u128(id)), version(0, Box::new(made)))
}

fn kept_for_ever() -> SourceKeyEvent {
    version(0, Box::new(NewSourceKey { undeletable: true, ..*made() }))
}

fn new(relation: Relation) -> Box<NewVersion> {
    let (material, dates) = (Sealed(vec![1]), Dates::default());
    Box::new(NewVersion { made: *made(), material, attributes: Default::default(), dates, state: None, relation })
}

fn create(id: SourceKeyId) -> SourceKeyCommand {
    SourceKeyCommand::Create { id, new: new(Relation::None), at: at(1) }
}

fn update(labels: Option<JsonText>, unexportable: Option<bool>) -> SourceKeyCommand {
    patch(SourceKeyPatch { labels, unexportable, ..SourceKeyPatch::default() })
}

fn patch(patch: SourceKeyPatch) -> SourceKeyCommand {
    SourceKeyCommand::Update { id: ID, patch: Box::new(patch), at: at(50) }
}

fn export() -> SourceKeyCommand {
    SourceKeyCommand::Export { id: ID, form: ExportForm::Plain, at: at(50) }
}

fn revoke(reason: RevocationReason) -> SourceKeyCommand {
    let revocation = Revocation { reason, message: "why".to_owned() };
    SourceKeyCommand::Revoke { id: ID, revocation, occurred: None, at: at(50) }
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
    after.when(export()).then_refused(refused);
}

#[test]
fn an_export_is_recorded_each_time_and_changes_nothing_else() {
    given(events([created()])).when(export()).then(events([SourceKeyEvent::Exported]));
    let after = given(events([created(), SourceKeyEvent::Exported]));
    assert_eq!((key(&after).exported, key(&after).updated), (true, at(1)));
    after.when(export()).then(events([SourceKeyEvent::Exported]));
}

#[test]
fn a_wrapped_export_needs_an_active_key_to_wrap_with() {
    let wrapped = |with| SourceKeyCommand::Export { id: ID, form: ExportForm::Wrapped(with), at: at(50) };
    let kek = Box::new(NewSourceKey { name: name("kek"), ..*made() });
    let state = given(events([created()])).and([Event::SourceKey(OTHER, version(0, kek))]);
    state.when(wrapped(None)).then(events([SourceKeyEvent::ExportedWrapped { with: None }]));
    let with = Some(OTHER);
    let after = state.when(wrapped(with)).then(events([SourceKeyEvent::ExportedWrapped { with }]));
    assert!(key(&after).exported);
    let archived = after.after_all([SourceKeyCommand::Archive { id: OTHER, at: at(50) }]);
    let problem = "is archived, and must be recovered before its use";
    archived.when(wrapped(with)).then_refused(SourceKeyRefusal::NotUsable { key: name("kek"), problem });
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
    for command in [export(), SourceKeyCommand::Delete { id: ID }, update(None, None)] {
        given(events([created(), SourceKeyEvent::Deleted])).when(command.clone()).then_refused(unknown.clone());
        given([]).when(command).then_refused(unknown.clone());
    }
}

#[test]
fn a_version_has_the_next_number_and_the_name_of_the_key() {
    let further = |id, of| SourceKeyCommand::Create { id, new: new(Relation::VersionOf(of)), at: at(1) };
    let first = given(events([created()]));
    let second = Event::SourceKey(OTHER, version(1, made()));
    first.when(further(OTHER, ID)).then([second.clone()]);
    let both = first.and([second]);
    assert_eq!(both.source_key_named(&name("payroll")).map(|key| key.version), Some(1));
    assert_eq!(both.source_key_version(OTHER, 0).map(|key| key.id), Ok(ID));
    let unknown = SourceKeyRefusal::VersionUnknown { key: name("payroll"), version: 2 };
    assert_eq!(both.source_key_version(ID, 2).map(|key| key.id), Err(unknown.into()));
    let third = SourceKeyId::new(Uuid::from_u128(3));
    both.when(further(third, ID)).then([Event::SourceKey(third, version(2, made()))]);
    let only_second = both.and(events([SourceKeyEvent::Deleted]));
    assert_eq!(only_second.source_key_named(&name("payroll")).map(|key| key.id), Some(OTHER));
    only_second.when(further(third, ID)).then_refused(SourceKeyRefusal::Unknown(ID.to_string()));
}

#[test]
fn a_version_is_as_protected_as_the_key() {
    let protected = Box::new(NewSourceKey { undeletable: true, unexportable: true, ..*made() });
    let state = given(events([version(0, protected.clone())]));
    let further = SourceKeyCommand::Create { id: OTHER, new: new(Relation::VersionOf(ID)), at: at(1) };
    state.when(further).then([Event::SourceKey(OTHER, version(1, protected))]);
}

#[test]
fn a_clone_needs_an_active_original_and_a_name_of_its_own() {
    let clone = |name: &str| {
        let mut clone = new(Relation::CloneOf(ID));
        clone.made.name = self::name(name);
        SourceKeyCommand::Create { id: OTHER, new: clone, at: at(50) }
    };
    let state = given(events([created(), SourceKeyEvent::Exported]));
    state.when(clone("payroll")).then_refused(SourceKeyRefusal::NameTaken(name("payroll")));
    let state = state.after_all([clone("payroll 2")]);
    let made = state.source_key(OTHER).expect("the clone");
    assert_eq!((made.version, made.exported), (0, true), "the material was exported already");
    let revoked = given(events([created()])).after_all([revoke(RevocationReason::Superseded)]);
    let problem = "is Deactivated: only an Active source key can be used";
    revoked.when(clone("b")).then_refused(SourceKeyRefusal::NotUsable { key: name("payroll"), problem });
}

#[test]
fn usage_and_deletability_change_in_both_directions() {
    let usage = UsageMask::parse(3_145_740).expect("a mask");
    let both = SourceKeyPatch { usage: Some(usage), undeletable: Some(true), ..SourceKeyPatch::default() };
    let changed = [SourceKeyEvent::UndeletableSet { undeletable: true }, SourceKeyEvent::UsageSet { usage }];
    given(events([created()])).when(patch(both.clone())).then(events(changed.clone()));
    let after = given(events([created()])).and(events(changed));
    after.when(patch(both)).then(events([]));
    assert_eq!((key(&after).made.usage, key(&after).made.undeletable), (usage, true));
    let undo = SourceKeyPatch { undeletable: Some(false), ..SourceKeyPatch::default() };
    after.when(patch(undo)).then(events([SourceKeyEvent::UndeletableSet { undeletable: false }]));
}

#[test]
fn a_key_is_revoked_once_and_reactivated_unless_it_was_compromised() {
    let reactivate = |reason| SourceKeyCommand::Reactivate { id: ID, reason, message: String::new(), at: at(60) };
    let again = reactivate(ReactivationReason::DeactivatedToActive);
    let state = given(events([created()]));
    let wrong = |state, problem| SourceKeyRefusal::WrongState { key: name("payroll"), state, problem };
    state.when(again.clone()).then_refused(wrong("Active", "only a Deactivated key can be reactivated"));
    let revoked = state.clone().after_all([revoke(RevocationReason::CessationOfOperation)]);
    assert_eq!(key(&revoked).lifecycle.state(at(60)), LifecycleState::Deactivated);
    revoked.when(revoke(RevocationReason::Superseded)).then_refused(wrong("Deactivated", "it is revoked already"));
    revoked.when(export()).then_done();
    let active = revoked.clone().after_all([again.clone()]);
    assert_eq!(key(&active).lifecycle.state(at(60)), LifecycleState::Active);
    let compromised = revoked.after_all([revoke(RevocationReason::KeyCompromise)]);
    assert_eq!(key(&compromised).lifecycle.state(at(60)), LifecycleState::Compromised);
    compromised.when(again).then_refused(wrong("Compromised", "only a Deactivated key can be reactivated"));
}

#[test]
fn a_destroyed_key_stays_without_its_material() {
    let destroy = SourceKeyCommand::Destroy { id: ID };
    let refused = SourceKeyRefusal::Undeletable(name("payroll"));
    given(events([kept_for_ever()])).when(destroy.clone()).then_refused(refused);
    let state = given(events([created()]));
    state.when(destroy.clone()).then(events([SourceKeyEvent::Destroyed]));
    let destroyed = state.and(events([SourceKeyEvent::Destroyed]));
    assert_eq!((&key(&destroyed).material, key(&destroyed).lifecycle.destroy), (&Sealed(vec![]), Some(at(2))));
    destroyed.when(destroy).then(events([]));
    let problem = "is Destroyed: its material no longer exists";
    destroyed.when(export()).then_refused(SourceKeyRefusal::NotUsable { key: name("payroll"), problem });
    destroyed.when(SourceKeyCommand::Delete { id: ID }).then(events([SourceKeyEvent::Deleted]));
}

#[test]
fn an_archived_key_is_recovered() {
    let (archive, recover) =
        (SourceKeyCommand::Archive { id: ID, at: at(50) }, SourceKeyCommand::Recover { id: ID, at: at(60) });
    let state = given(events([created()]));
    let problem = "it is not archived";
    let wrong = SourceKeyRefusal::WrongState { key: name("payroll"), state: "Active", problem };
    state.when(recover.clone()).then_refused(wrong);
    let archived = state.after_all([archive.clone()]);
    archived.when(archive).then(events([]));
    assert!(key(&archived).refuse_use(at(60)).is_err());
    let recovered = archived.after_all([recover]);
    assert_eq!(key(&recovered).refuse_use(at(60)), Ok(()));
}

#[test]
fn an_alias_belongs_to_one_key_and_its_versions() {
    let with_alias = |alias: &str| SourceKeyPatch {
        attributes: attributes::AttributesPatch {
            aliases: vec![attributes::AliasPatch { alias: Some(alias.to_owned()), index: None, kind: None }],
            ..Default::default()
        },
        ..SourceKeyPatch::default()
    };
    let other = Box::new(NewSourceKey { name: name("other"), ..*made() });
    let state = given(events([created()]))
        .after_all([patch(with_alias("a"))])
        .and([Event::SourceKey(OTHER, version(0, other))]);
    let taken = SourceKeyCommand::Update { id: OTHER, patch: Box::new(with_alias("a")), at: at(50) };
    state.when(taken).then_refused(SourceKeyRefusal::AliasTaken("a".to_owned()));
    let free = SourceKeyCommand::Update { id: OTHER, patch: Box::new(with_alias("b")), at: at(50) };
    state.when(free).then_done();
}

#[test]
fn keys_from_before_lifecycles_are_active() {
    let old = SourceKeyEvent::Created { made: made(), material: Sealed(vec![1]) };
    let state = given(events([old]));
    assert_eq!((key(&state).version, key(&state).refuse_use(at(1))), (0, Ok(())));
}

#[test]
fn a_usage_mask_has_22_bits() {
    assert_eq!(UsageMask::parse(4_194_303).map(UsageMask::bits), Ok(4_194_303));
    assert!(UsageMask::parse(4_194_304).is_err() && UsageMask::parse(u64::MAX).is_err());
}
