//! The rules of the synchronisation of key stores.

use super::operations::{first_seen, link, linked, requested, seen};
use super::*;
use crate::domain::event::KmsEvent;
use crate::domain::key_store::at_aws::{CloudHsmAtAws, ConnectionState};

const LATE: Time = Time::from_nanos(i64::MAX);

fn read(seen: &StoreAtAws) -> KeyStoreCommand {
    read_since(seen, LATE)
}

fn read_since(seen: &StoreAtAws, began: Time) -> KeyStoreCommand {
    let (kms, region) = (kms_id(0), region("eu-west-3"));
    KeyStoreCommand::Synchronise { new: store_id(9), kms, region, seen: Box::new(seen.clone()), began }
}

fn cluster(store_name: &str, hsms: Option<u32>) -> StoreAtAws {
    let cloud_hsm = CloudHsmAtAws { cluster: "cluster-2a34b5cdefg".to_owned(), trust_anchor: "PEM".to_owned(), hsms };
    let cloud_hsm = Some(Box::new(cloud_hsm));
    StoreAtAws { id: "cks-9".to_owned(), proxy: None, cloud_hsm, ..*seen(store_name, "") }
}

#[test]
fn an_unlinked_store_is_linked_by_its_path_alone_and_takes_address_and_name() {
    let unlinked = with([created(1, "one")]);
    let mut by_hand = first_seen();
    by_hand.name = "by-hand".to_owned();
    by_hand.proxy.as_mut().expect("a proxy").endpoint = "https://by-hand.example.com".to_owned();
    let settings = StoreSettings { endpoint: "https://by-hand.example.com".to_owned(), ..settings() };
    let expected = [
        KeyStoreEvent::Renamed { to: name("by-hand") },
        KeyStoreEvent::SettingsChanged { settings: Box::new(settings) },
        KeyStoreEvent::Linked { seen: by_hand.clone() },
    ];
    let state = unlinked.when(read(&by_hand)).then(expected.map(|event| of(1, event)));
    let store = state.key_store(store_id(1)).expect("a store");
    assert!(store.is_at_aws() && store.kind() == StoreKind::Local);
    let _ = state.when(read(&by_hand)).then([]);
    // The same path with another prefix is the path of another proxy.
    let mut other = first_seen();
    other.proxy.as_mut().expect("a proxy").path = format!("/a{}", KeyStore::proxy_path(store_id(1)));
    let found = unlinked.when(read(&other)).events();
    assert!(matches!(&found[..], [Event::KeyStore(id, KeyStoreEvent::Found { .. })] if *id == store_id(9)));
}

#[test]
fn a_credential_that_is_not_ours_is_a_warning_once() {
    let foreign = seen("one", "FOREIGN");
    let warning = StoreWarning::CredentialUnknown { access_key_id: "FOREIGN".to_owned() };
    let warned = || of(1, KeyStoreEvent::Warned { warning: warning.clone() });
    let state = with([created(1, "one")]).when(read(&foreign));
    let state = state.then([of(1, KeyStoreEvent::Linked { seen: foreign.clone() }), warned()]);
    let mut connected = foreign.clone();
    connected.connection_state = ConnectionState::Connected;
    let _ = state.when(read(&connected)).then([of(1, KeyStoreEvent::Observed { seen: connected })]);
    // Somebody has changed it at AWS.
    let observed = of(1, KeyStoreEvent::Observed { seen: foreign.clone() });
    let _ = linked().when(read(&foreign)).then([observed, warned()]);
}

#[test]
fn what_changed_since_the_reading_began_and_what_is_pending_stay() {
    let mut renamed = first_seen();
    renamed.name = "two".to_owned();
    let updated = linked().key_store(store_id(1)).expect("a store").updated;
    let missing = |began| KeyStoreCommand::RecordMissing { id: store_id(1), began };
    let _ = linked().when(read_since(&renamed, updated)).then([]);
    let _ = linked().when(missing(updated)).then([]);
    let busy = linked().and([requested(2, StoreOperation::Connect)]);
    let _ = busy.when(read(&renamed)).then([]);
    let _ = busy.when(missing(LATE)).then([]);
    // The link of a store finds it itself.
    let linking = with([created(1, "one"), requested(1, link(false))]);
    let _ = linking.when(read(&first_seen())).then([]);
    let gone = linked().when(missing(LATE)).then([of(1, KeyStoreEvent::Vanished)]);
    let _ = gone.when(missing(LATE)).then([]);
    let _ = with([created(1, "one")]).when(missing(LATE)).then([]);
    // It may have been made again, under another id.
    let mut again = first_seen();
    again.id = "cks-2".to_owned();
    let state = gone.when(read(&again)).then([of(1, KeyStoreEvent::Linked { seen: again.clone() })]);
    assert!(state.key_store(store_id(1)).is_ok_and(|store| store.is_at_aws()));
}

#[test]
fn stores_of_others_are_found_renamed_and_go_with_their_kms() {
    let (theirs, hsm) = (cluster("one", Some(2)), cluster("two", None));
    let found = |seen: &StoreAtAws| {
        let (kms, region, name) = (kms_id(0), region("eu-west-3"), name(&seen.name));
        Event::KeyStore(store_id(9), KeyStoreEvent::Found { kms, region, name, seen: Box::new(seen.clone()) })
    };
    // A store here has the same name.
    let state = with([created(1, "one")]).when(read(&theirs)).then([found(&theirs)]);
    let store = state.key_store(store_id(9)).expect("a store");
    assert_eq!(
        (store.kind(), store.cloud_hsm.as_ref().map(|known| known.told.is_some())),
        (StoreKind::CloudHsm, Some(false))
    );
    assert!(state.key_stores_named("one").map(|named| named.id).eq([store_id(9), store_id(1)]));
    // The HSMs were not counted this time: the number that is known stays.
    let events = state.when(read(&hsm)).events();
    let [Event::KeyStore(_, KeyStoreEvent::Renamed { .. }), Event::KeyStore(_, KeyStoreEvent::Observed { seen })] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(seen.cloud_hsm.as_ref().and_then(|seen| seen.hsms), Some(2));
    // Ours keeps the KMS; theirs does not.
    let deleted = state
        .and([of(1, KeyStoreEvent::Deleted)])
        .when(crate::domain::kms::KmsCommand::Delete { id: kms_id(0), at: LATE });
    let gone = Event::KeyStore(store_id(9), KeyStoreEvent::Deleted);
    let _ = deleted.then([gone, Event::Kms(kms_id(0), KmsEvent::Deleted)]);
}
