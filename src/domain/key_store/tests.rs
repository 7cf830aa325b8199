//! The rules of custom key stores.

mod cloud_hsm;
mod operations;
mod sync;

use super::cloud_hsm::NewCloudHsmStore;
use super::command::{KeyStoreCommand, NewKeyStore};
use super::event::KeyStoreEvent;
use super::operation::StoreOperation;
use super::patch::KeyStorePatch;
use super::warning::StoreWarning;
use super::*;
use crate::domain::event::Event;
use crate::domain::key::example::{added, at, kms_id, region};
use crate::domain::refusal::{KeyStoreRefusal, KmsRefusal, Refusal};
use crate::domain::scenario::{Given, given};
use crate::domain::source_key::SourceKeyEvent;
use crate::domain::source_key::tests::hyok_source;
use uuid::Uuid;

pub(in crate::domain) fn settings() -> StoreSettings {
    StoreSettings {
        connectivity: Connectivity::PublicEndpoint,
        endpoint: "https://xks.example.com".to_owned(),
        vpc_service: String::new(),
        vpc_service_owner: String::new(),
        health_check_key: SourceKeyId::new(Uuid::from_u128(1)),
        health_check_ciphertext: "v1.a.b.c".to_owned(),
        source_key_tier: "local".to_owned(),
        max_credentials: 2,
        mtls_enabled: false,
        partition_id: String::new(),
        reports_success: false,
        caller_rules: CallerRules::default(),
    }
}

pub(in crate::domain) fn store_id(n: u128) -> KeyStoreId {
    KeyStoreId::new(Uuid::from_u128(0x700 + n))
}

fn name(text: &str) -> KeyStoreName {
    KeyStoreName::parse(text).expect("a name")
}

fn credential(n: u128) -> NewCredential {
    NewCredential {
        id: CredentialId::new(Uuid::from_u128(0x800 + n)),
        access_key_id: format!("ABCDEFGHIJKLMNOPQRSTUVW{n}"),
        secret: Sealed(vec![1]),
    }
}

fn create(n: u128, store_name: &str, settings: StoreSettings) -> KeyStoreCommand {
    KeyStoreCommand::Create(Box::new(NewKeyStore {
        id: store_id(n),
        kms: kms_id(0),
        region: region("eu-west-3"),
        name: name(store_name),
        settings,
        blocked: false,
        credential: credential(1),
        link: None,
        at: at(9),
    }))
}

fn of(n: u128, event: KeyStoreEvent) -> Event {
    Event::KeyStore(store_id(n), event)
}

pub(in crate::domain) fn created(n: u128, store_name: &str) -> Event {
    let (kms, region, settings) = (kms_id(0), region("eu-west-3"), Box::new(settings()));
    let event = KeyStoreEvent::Created {
        kms,
        region,
        name: name(store_name),
        settings,
        blocked: false,
        credential: credential(1),
    };
    of(n, event)
}

/// The events after which the first store has this name, and AWS is connected to it.
pub(in crate::domain) fn connected(store_name: &str) -> [Event; 3] {
    operations::connected(store_name)
}

/// A KMS and a source key that serves stores.
fn prepared() -> Given {
    given([added(0, &["eu-west-3"]), hyok_source(1)])
}

fn with(events: impl IntoIterator<Item = Event>) -> Given {
    prepared().and(events)
}

#[test]
fn a_store_is_created_with_its_first_credential() {
    let _ = prepared().when(create(1, "one", settings())).then([created(1, "one")]);
    let taken = with([created(1, "one")]);
    taken.when(create(2, "one", settings())).then_refused(KeyStoreRefusal::NameTaken(name("one")));
    let elsewhere = given([added(0, &["eu-west-1"]), hyok_source(1)]);
    let refused = elsewhere.when(create(1, "one", settings())).refusal();
    assert!(matches!(refused, Refusal::Kms(KmsRefusal::RegionNotManaged { .. })));
    let without = given([hyok_source(1)]);
    without.when(create(1, "one", settings())).then_refused(KmsRefusal::Unknown(kms_id(0).to_string()));
}

#[test]
fn the_health_check_key_must_fit_and_the_number_of_credentials_be_in_range() {
    let many = StoreSettings { max_credentials: 21, ..settings() };
    let refused = prepared().when(create(1, "one", many)).refusal();
    assert_eq!(refused.limit(), Some(crate::domain::refusal::Bounds::between(2, 20)));
    let unknown = StoreSettings { health_check_key: SourceKeyId::new(Uuid::from_u128(9)), ..settings() };
    let refused = prepared().when(create(1, "one", unknown)).refusal();
    assert_eq!(refused.member(), Some("local_hosted_params.health_check_key_id"));
    let event = SourceKeyEvent::UndeletableSet { undeletable: false };
    let deletable = Event::SourceKey(SourceKeyId::new(Uuid::from_u128(1)), event);
    let refused = with([deletable]).when(create(1, "one", settings())).refusal();
    assert!(matches!(refused, Refusal::KeyStore(KeyStoreRefusal::HealthKeyUnfit { problem: "it is deletable", .. })));
}

#[test]
fn several_members_change_at_once_and_a_public_endpoint_has_no_vpc_service() {
    let state = with([created(1, "one")]);
    let patch = KeyStorePatch {
        name: Some(name("two")),
        connectivity: Some(Connectivity::VpcEndpointService),
        vpc_service: Some("service".to_owned()),
        mtls_enabled: Some(true),
        reports_success: Some(true),
        ..KeyStorePatch::default()
    };
    let update = |patch: KeyStorePatch| KeyStoreCommand::Update { id: store_id(1), patch: Box::new(patch), at: at(9) };
    let changed = StoreSettings {
        connectivity: Connectivity::VpcEndpointService,
        vpc_service: "service".to_owned(),
        mtls_enabled: true,
        reports_success: true,
        ..settings()
    };
    let renamed = of(1, KeyStoreEvent::Renamed { to: name("two") });
    let to = of(1, KeyStoreEvent::SettingsChanged { settings: Box::new(changed) });
    let warned = |warning| of(1, KeyStoreEvent::Warned { warning });
    let here_only = || warned(StoreWarning::ChangedHereOnly);
    let both = [here_only(), warned(StoreWarning::MtlsDeprecated)];
    let _ = state.when(update(patch)).then([vec![renamed.clone(), to.clone()], both.to_vec()].concat());
    let state = with([created(1, "one"), renamed, to]);
    let back = KeyStorePatch {
        connectivity: Some(Connectivity::PublicEndpoint),
        vpc_service: Some("service".to_owned()),
        mtls_enabled: Some(false),
        reports_success: Some(false),
        ..KeyStorePatch::default()
    };
    let to = of(1, KeyStoreEvent::SettingsChanged { settings: Box::new(settings()) });
    let _ = state.when(update(back)).then([to, here_only()]);
    let _ = state.when(update(KeyStorePatch::default())).then([]);
}

#[test]
fn a_store_is_blocked_once_and_unblocked_once() {
    let (block, unblock) = (KeyStoreCommand::Block { id: store_id(1) }, KeyStoreCommand::Unblock { id: store_id(1) });
    let state = with([created(1, "one")]);
    let _ = state.when(unblock.clone()).then([]);
    let _ = state.when(block.clone()).then([of(1, KeyStoreEvent::Blocked)]);
    let state = with([created(1, "one"), of(1, KeyStoreEvent::Blocked)]);
    let _ = state.when(block).then([]);
    let _ = state.when(unblock).then([of(1, KeyStoreEvent::Unblocked)]);
}

#[test]
fn credentials_are_added_up_to_the_limit_and_the_newest_stays() {
    let add = |n| KeyStoreCommand::AddCredential { id: store_id(1), credential: credential(n) };
    let remove = |n| KeyStoreCommand::RemoveCredential { id: store_id(1), credential: credential(n).id };
    let added = |n| of(1, KeyStoreEvent::CredentialAdded { credential: credential(n) });
    let state = with([created(1, "one")]);
    let _ = state.when(add(2)).then([added(2)]);
    let full = with([created(1, "one"), added(2)]);
    full.when(add(3)).then_refused(KeyStoreRefusal::CredentialsFull {
        store: name("one"),
        credentials: 2,
        oldest: credential(1).id,
    });
    full.when(remove(2)).then_refused(KeyStoreRefusal::CredentialInUse(credential(2).id));
    full.when(remove(9)).then_refused(KeyStoreRefusal::CredentialUnknown(credential(9).id.to_string()));
    let removed = of(1, KeyStoreEvent::CredentialRemoved { id: credential(1).id });
    let _ = full.when(remove(1)).then([removed.clone()]);
    let state = with([created(1, "one"), added(2), removed, added(3)]);
    let local = state.key_store(store_id(1)).expect("a store").local.clone().expect("it is local");
    let versions: Vec<_> = local.credentials.iter().map(|credential| credential.version).collect();
    assert_eq!((versions, local.credentials_made), (vec![2, 3], 3));
}

#[test]
fn the_credentials_of_an_unlinked_store_are_not_rotated_by_a_schedule() {
    let schedule = Some(ScheduleId::new(Uuid::from_u128(5)));
    let set = |schedule| KeyStoreCommand::SetRotationSchedule { id: store_id(1), schedule };
    let state = with([created(1, "one")]);
    state.when(set(schedule)).then_refused(KeyStoreRefusal::Unlinked(name("one")));
    let _ = state.when(set(None)).then([]);
}

#[test]
fn caller_rules_have_patterns_of_printable_characters() {
    for (pattern, is_right) in [("arn:aws:iam::*:role/app-?", true), ("", false), ("a b", false), ("ä", false)] {
        let rules = CallerRules { principals: vec![pattern.to_owned()], ..CallerRules::default() };
        assert_eq!(rules.check().is_ok(), is_right, "{pattern}");
    }
    let many = CallerRules { operations: vec!["Decrypt".to_owned(); 101], ..CallerRules::default() };
    assert!(many.check().is_err());
}
