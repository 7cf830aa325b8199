//! Changes of what the proxy serves.

use super::*;
use std::sync::Arc;

#[test]
fn a_block_drops_the_material_before_it_returns() {
    let proxy = proxy();
    let material = |id: &str| {
        let directory = proxy.directory();
        let store = &directory.stores[&STORE];
        (
            store.settings.health.is_some(),
            store.keys[id].versions.iter().filter(|version| version.cipher.is_some()).count(),
        )
    };
    assert_eq!((material(KEY), material(ROTATED)), ((true, 1), (true, 2)));
    let before = Arc::downgrade(&proxy.directory().stores[&STORE].keys[ROTATED]);
    proxy.put_key(STORE, KeyEntry { blocked: true, ..key(ROTATED, 2) });
    assert!(before.upgrade().is_none(), "the old key is still in memory");
    assert_eq!((material(KEY), material(ROTATED)), ((true, 1), (true, 0)));
    let before = [
        Arc::downgrade(&proxy.directory().stores[&STORE].keys[KEY]),
        Arc::downgrade(&proxy.directory().stores[&STORE].keys[IMPOTENT]),
    ];
    let settings = Arc::downgrade(&proxy.directory().stores[&STORE].settings);
    proxy.put_store(StoreEntry { blocked: true, ..store() });
    assert!(settings.upgrade().is_none() && before.iter().all(|key| key.upgrade().is_none()));
    assert_eq!((material(KEY), material(ROTATED)), ((false, 0), (false, 0)));
    // A blocked store takes no material.
    proxy.put_key(STORE, key(KEY, 1));
    proxy.put_store_with_keys(StoreEntry { blocked: true, ..store() }, vec![key(KEY, 1), key(ROTATED, 2)]);
    assert_eq!((material(KEY), material(ROTATED)), ((false, 0), (false, 0)));
    proxy.put_store_with_keys(store(), vec![key(KEY, 1), key(ROTATED, 2)]);
    assert_eq!((material(KEY), material(ROTATED)), ((true, 1), (true, 2)));
}

#[test]
fn a_removed_key_and_a_removed_store_are_not_in_memory() {
    let proxy = proxy();
    let removed = Arc::downgrade(&proxy.directory().stores[&STORE].keys[KEY]);
    proxy.remove_key(STORE, KEY);
    assert!(removed.upgrade().is_none());
    refused(&proxy, &Call::new(&key_path(KEY, "encrypt"), &encrypt_body()), 404, "KeyNotFoundException");
    let removed = Arc::downgrade(&proxy.directory().stores[&STORE]);
    proxy.remove_store(STORE);
    assert!(removed.upgrade().is_none());
    assert!(!proxy.put_key(STORE, key(KEY, 1)));
    assert_eq!((proxy.counters(STORE, noon()), proxy.key_counters(STORE, KEY)), (None, None));
    // What is not there is removed without an error.
    proxy.remove_key(STORE, KEY);
    proxy.remove_store(STORE);
}

#[test]
fn a_block_and_its_end_are_in_force_for_the_next_call() {
    let proxy = proxy();
    let call = Call::new(&key_path(KEY, "encrypt"), &encrypt_body());
    for _ in 0..3 {
        proxy.put_store(StoreEntry { blocked: true, ..store() });
        refused(&proxy, &call, 400, "InvalidStateException");
        // The keys come back with the next entries of theirs: until then their material is missing.
        proxy.put_store(store());
        refused(&proxy, &call, 503, "DependencyTimeoutException");
        proxy.put_key(STORE, key(KEY, 1));
        assert_eq!(call.send(&proxy).0, 200);
    }
}

#[test]
fn a_store_that_is_replaced_keeps_its_keys_and_a_start_replaces_all() {
    let proxy = proxy();
    proxy.put_store(store());
    assert_eq!(Call::new(&key_path(ROTATED, "encrypt"), &encrypt_body()).send(&proxy).0, 200);
    let other = Uuid::from_u128(7);
    proxy.replace_all(vec![(StoreEntry { id: other, ..store() }, vec![key(KEY, 1)])]);
    refused(&proxy, &Call::new(&path("health"), &encrypt_body()), 404, "InvalidUriPathException");
    assert!(proxy.key_counters(other, KEY).is_some());
}

#[test]
fn counters_survive_a_change_and_a_block() {
    let proxy = proxy();
    encrypt(&proxy, KEY);
    encrypt(&proxy, KEY);
    let encryptions = || proxy.key_counters(STORE, KEY).expect("the key").versions[0].encryptions;
    proxy.put_store(StoreEntry { blocked: true, ..store() });
    proxy.put_store(store());
    proxy.put_key(STORE, KeyEntry { blocked: true, ..key(KEY, 1) });
    proxy.put_key(STORE, key(KEY, 2));
    proxy.replace_all(vec![(store(), vec![key(KEY, 2)])]);
    assert_eq!(encryptions(), 2);
    assert_eq!(proxy.counters(STORE, noon()).expect("the store").calls[&Operation::Encrypt], 2);
    assert_eq!(proxy.counters(STORE, noon()).expect("the store").credentials[0].last_used_at, Some(noon()));
    // A higher number from outside counts, a lower one does not.
    let with = |encryptions| KeyEntry { versions: vec![VersionEntry { encryptions, ..version(1) }], ..key(KEY, 1) };
    proxy.put_key(STORE, with(100));
    proxy.put_key(STORE, with(50));
    assert_eq!(encryptions(), 100);
}

#[test]
fn calls_and_changes_at_once_see_either_state() {
    let proxy = proxy();
    let call = Call::new(&key_path(KEY, "encrypt"), &encrypt_body());
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| {
            for _ in 0..300 {
                proxy.put_key(STORE, KeyEntry { blocked: true, ..key(KEY, 1) });
                proxy.put_key(STORE, key(KEY, 1));
            }
        });
        while !changes.is_finished() {
            let (status, answer) = call.send(&proxy);
            assert!(status == 200 || answer["errorName"] == "InvalidStateException", "{answer}");
        }
    });
    assert_eq!(call.send(&proxy).0, 200);
}

#[test]
fn material_has_32_bytes() {
    assert!(Material::of(&[0; 32]).is_some());
    for length in [0, 16, 31, 33, 64] {
        assert!(Material::of(&vec![0; length]).is_none());
    }
}
