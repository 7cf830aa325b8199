//! Counters, rates and outcomes.

use super::*;
use chrono::TimeDelta;
use std::num::NonZeroU32;
use std::time::Duration;

fn counters(proxy: &Proxy) -> StoreCounters {
    proxy.counters(STORE, noon()).expect("the store")
}

#[test]
fn calls_and_refusals_are_counted() {
    let proxy = proxy();
    let ciphertext = decrypt_body(&encrypt(&proxy, ROTATED));
    encrypt(&proxy, ROTATED);
    decrypt(&proxy, ROTATED, &ciphertext);
    Call::new(&path("health"), &encrypt_body()).send(&proxy);
    refused(&proxy, &Call::new(&key_path("other", "metadata"), &encrypt_body()), 404, "KeyNotFoundException");
    refused(&proxy, &Call::unsigned(&key_path(KEY, "encrypt"), ""), 401, "AuthenticationFailedException");
    refused(&proxy, &Call::unsigned(&path("other"), ""), 404, "InvalidUriPathException");
    let StoreCounters { calls, refusals, last_minute, last_hour, last_call_at, credentials } = counters(&proxy);
    let expected = [(Operation::Health, 1), (Operation::Metadata, 1), (Operation::Encrypt, 3), (Operation::Decrypt, 1)];
    assert_eq!(calls, expected.into());
    let expected = [(ErrorName::AuthenticationFailed, 1), (ErrorName::KeyNotFound, 1), (ErrorName::InvalidUriPath, 1)];
    assert_eq!(refusals, expected.into());
    assert_eq!((last_minute.calls, last_hour.calls), (6, 6));
    assert!(last_minute.p50 <= last_minute.p99 && last_minute.p99 < Some(Duration::from_secs(1)));
    assert_eq!(last_call_at, Some(noon()));
    assert_eq!(credentials[0].last_used_at, Some(noon()));
    let versions = proxy.key_counters(STORE, ROTATED).expect("the key").versions;
    let unused = VersionCounters { number: 1, encryptions: 0, last_encrypt_at: None, last_decrypt_at: None };
    let used =
        VersionCounters { number: 2, encryptions: 2, last_encrypt_at: Some(noon()), last_decrypt_at: Some(noon()) };
    assert_eq!(versions, [unused, used]);
    // One store: all of it, and what no store has.
    let connection = proxy.connected();
    let totals = proxy.totals(noon());
    let all = (totals.calls, totals.refusals, totals.last_minute, totals.last_hour);
    let StoreCounters { calls, refusals, last_minute, last_hour, .. } = counters(&proxy);
    assert_eq!(all, (calls, refusals, last_minute, last_hour));
    assert_eq!((totals.encryptions, totals.open_connections), (2, 1));
    drop(connection);
    assert_eq!(proxy.totals(noon()).open_connections, 0);
    assert_eq!(proxy.counters(STORE, noon() + TimeDelta::minutes(2)).expect("the store").last_minute.calls, 0);
}

#[test]
fn a_store_has_a_rate() {
    let proxy = proxy();
    proxy.put_store(StoreEntry { rate_limit: NonZeroU32::new(3), ..store() });
    let at = |seconds: i64, milliseconds: i64| {
        let now = noon() + TimeDelta::seconds(seconds) + TimeDelta::milliseconds(milliseconds);
        let call = Call::unsigned(&path("health"), &encrypt_body().to_string());
        proxy.answer(&call.signed_by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", now).request(), now).status
    };
    assert_eq!([at(0, 0), at(0, 0), at(0, 0), at(0, 0)], [200, 200, 200, 429]);
    assert_eq!([at(0, 334), at(0, 335), at(0, 668)], [200, 429, 200]);
    assert_eq!([at(9, 0), at(9, 1), at(9, 2), at(9, 3)], [200, 200, 200, 429]);
    // A clock that is set back by an hour stops nothing.
    assert_eq!([at(-3600, 0), at(-3599, 0)], [200, 200]);
    // A change of the entry does not renew the rate.
    proxy.put_store(StoreEntry { rate_limit: NonZeroU32::new(3), ..store() });
    assert_eq!([at(-3599, 1), at(-3599, 2), at(-3599, 3)], [200, 200, 429]);
    proxy.put_store(store());
    assert_eq!(at(-3599, 4), 200);
    // Calls without a signature do not use the rate of AWS.
    proxy.put_store(StoreEntry { rate_limit: NonZeroU32::new(1), ..store() });
    for _ in 0..10 {
        refused(&proxy, &Call::unsigned(&path("health"), ""), 401, "AuthenticationFailedException");
    }
    assert_eq!([at(100, 0), at(100, 0)], [200, 429]);
}

#[test]
fn a_refusal_has_an_outcome_and_a_success_has_one_if_the_store_asks() {
    let proxy = proxy();
    encrypt(&proxy, KEY);
    assert_eq!(proxy.take(10).outcomes, []);
    refused(&proxy, &Call::new(&key_path("other", "encrypt"), &encrypt_body()), 404, "KeyNotFoundException");
    proxy.put_store(StoreEntry { report_successes: true, ..store() });
    encrypt(&proxy, KEY);
    refused(
        &proxy,
        &Call::unsigned(&path("health"), &encrypt_body().to_string()),
        401,
        "AuthenticationFailedException",
    );
    let mut outcomes = proxy.take(10).outcomes.into_iter();
    let owned = |text: &str| Some(text.to_owned());
    let refused = Outcome {
        at: noon(),
        store: STORE,
        operation: Operation::Encrypt,
        xks_key_id: owned("other"),
        access_key_id: owned(ACCESS_KEY_ID),
        kms_request_id: owned("f1b881f8-2048-41f8-b6cc-382b7857ec61"),
        kms_operation: owned("Encrypt"),
        kms_key_arn: owned("arn:aws:kms:us-east-1:123456789012:key/1234abcd"),
        principal: owned(PRINCIPAL),
        via_service: owned("ebs"),
        source_vpc: None,
        source_vpce: None,
        result: OutcomeResult::Refused {
            error: ErrorName::KeyNotFound,
            message: "the key store has no such key".to_owned(),
            rule: None,
        },
    };
    assert_eq!(outcomes.next().as_ref(), Some(&refused));
    let served = Outcome { xks_key_id: owned(KEY), result: OutcomeResult::Served, ..refused.clone() };
    assert_eq!(outcomes.next(), Some(served));
    // Nothing that an unsigned call says of itself is reported.
    let unsigned = outcomes.next().expect("an outcome");
    let said = [unsigned.access_key_id, unsigned.kms_request_id, unsigned.principal, unsigned.xks_key_id];
    assert_eq!(said, [const { None }; 4]);
    assert!(matches!(unsigned.result, OutcomeResult::Refused { error: ErrorName::AuthenticationFailed, .. }));
    assert_eq!(outcomes.next(), None);
}

#[test]
fn outcomes_are_dropped_and_counted_when_nobody_takes_them() {
    let proxy = proxy();
    let wrong = Call::unsigned(&path("health"), "").signed();
    for _ in 0..8200 {
        wrong.send(&proxy);
    }
    let mut drained = proxy.take(5000);
    assert_eq!((drained.outcomes.len(), drained.dropped), (5000, 8));
    drained = proxy.take(5000);
    assert_eq!((drained.outcomes.len(), drained.dropped), (8192 - 5000, 0));
    wrong.send(&proxy);
    assert_eq!(proxy.take(1).outcomes.len(), 1);
    assert_eq!(proxy.take(1), Drained::default());
}

#[test]
fn calls_without_a_signature_do_not_fill_the_queue() {
    let proxy = proxy();
    let unsigned = Call::unsigned(&path("health"), "");
    for _ in 0..100 {
        unsigned.send(&proxy);
    }
    let drained = proxy.take(1000);
    assert_eq!((drained.outcomes.len(), drained.dropped), (10, 90));
    assert_eq!(counters(&proxy).refusals[&ErrorName::AuthenticationFailed], 100);
    proxy.answer(&unsigned.request(), noon() + TimeDelta::milliseconds(100));
    proxy.answer(&unsigned.request(), noon() + TimeDelta::milliseconds(100));
    let drained = proxy.take(1000);
    assert_eq!((drained.outcomes.len(), drained.dropped), (1, 1));
}

#[tokio::test]
async fn a_drain_waits_for_something_and_takes_a_part() {
    let proxy = proxy();
    let waiting = tokio::spawn({
        let proxy = proxy.clone();
        async move { proxy.drain(10).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    for _ in 0..3 {
        Call::unsigned(&path("health"), "").send(&proxy);
    }
    assert_eq!(waiting.await.expect("outcomes").outcomes.len(), 3);
    for _ in 0..3 {
        Call::unsigned(&path("health"), "").send(&proxy);
    }
    // A drain that is given up takes nothing.
    drop(proxy.drain(10));
    assert_eq!(proxy.drain(2).await.outcomes.len(), 2);
    assert_eq!(proxy.drain(2).await.outcomes.len(), 1);
    let nothing = tokio::time::timeout(Duration::from_millis(20), proxy.drain(2)).await;
    assert!(nothing.is_err());
}

#[test]
fn encryptions_are_reported_in_steps() {
    let proxy = proxy();
    let at = |encryptions| KeyEntry { versions: vec![VersionEntry { encryptions, ..version(1) }], ..key(KEY, 1) };
    let step = |encryptions| EncryptionStep { store: STORE, xks_key_id: KEY.to_owned(), version: 1, encryptions };
    let steps = || {
        encrypt(&proxy, KEY);
        proxy.take(10).steps
    };
    // The first encryption reports the step that it is in; the next ones are within it.
    assert_eq!(steps(), [step(ENCRYPTION_STEP)]);
    assert_eq!(steps(), []);
    proxy.put_key(STORE, at(ENCRYPTION_STEP - 1));
    assert_eq!(steps(), []);
    assert_eq!(steps(), [step(2 * ENCRYPTION_STEP)]);
    assert_eq!(steps(), []);
    // Decryptions and refusals count nothing.
    let before = proxy.key_counters(STORE, KEY).expect("the key").versions[0].encryptions;
    assert_eq!(before, ENCRYPTION_STEP + 2);
    refused(&proxy, &Call::new(&key_path(KEY, "encrypt"), &json!({})), 400, "ValidationException");
    assert_eq!(proxy.key_counters(STORE, KEY).expect("the key").versions[0].encryptions, before);
}

/// The promise of the count: what a start is told is never below the real number, wherever a crash was.
#[test]
fn the_count_is_never_too_low_after_a_crash() {
    let (mut recorded, mut real) = (0, 0);
    for (calls, records_last) in [(3, false), (3, true), (2, false), (1, false), (1, true), (4, false)] {
        let proxy = proxy();
        let at_start = if real == 0 { 0 } else { recorded + ENCRYPTION_STEP };
        let entry = KeyEntry { versions: vec![VersionEntry { encryptions: at_start, ..version(1) }], ..key(KEY, 1) };
        proxy.remove_key(STORE, KEY);
        proxy.put_key(STORE, entry);
        assert!(at_start >= real);
        for _ in 0..calls {
            encrypt(&proxy, KEY);
            real += 1;
        }
        let encryptions = proxy.key_counters(STORE, KEY).expect("the key").versions[0].encryptions;
        assert!(encryptions >= real);
        // The crash comes before or after the step is recorded.
        if let Some(step) = proxy.take(10).steps.pop().filter(|_| records_last) {
            assert!(step.encryptions >= encryptions);
            recorded = step.encryptions;
        }
    }
}

#[test]
fn many_encryptions_cause_a_warning() {
    let proxy = proxy();
    let versions = vec![VersionEntry { encryptions: MANY_ENCRYPTIONS - 2, ..version(1) }];
    proxy.remove_key(STORE, KEY);
    proxy.put_key(STORE, KeyEntry { versions, ..key(KEY, 1) });
    let results = || {
        encrypt(&proxy, KEY);
        proxy.take(10).outcomes.into_iter().map(|outcome| outcome.result).collect::<Vec<_>>()
    };
    assert_eq!(results(), []);
    assert_eq!(results(), [OutcomeResult::ManyEncryptions { version: 1, encryptions: MANY_ENCRYPTIONS }]);
    assert_eq!(results(), []);
    // A count that a start puts above the limit warns too, and a full queue does not drop the warning.
    let versions = vec![VersionEntry { encryptions: MANY_ENCRYPTIONS + 7, ..version(1) }];
    proxy.remove_key(STORE, KEY);
    proxy.put_key(STORE, KeyEntry { versions, ..key(KEY, 1) });
    let wrong = Call::unsigned(&path("health"), "").signed();
    for _ in 0..8192 {
        wrong.send(&proxy);
    }
    encrypt(&proxy, KEY);
    let last = proxy.take(10_000).outcomes.pop().expect("an outcome");
    assert_eq!(last.result, OutcomeResult::ManyEncryptions { version: 1, encryptions: MANY_ENCRYPTIONS + 8 });
    assert_eq!(last.xks_key_id.as_deref(), Some(KEY));
}
