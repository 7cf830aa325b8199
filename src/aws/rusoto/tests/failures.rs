//! Tests of retries, failures and the deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::aws::fake::SECRET;

#[test]
fn invalid_settings_are_rejected() {
    let settings = AwsSettings { max_attempts: 0, ..AwsSettings::default() };
    let said = RusotoAws::new(&settings).err().map(|error| error.to_string());
    assert_eq!(said.as_deref(), Some("aws.max_attempts: `0` is out of range: 1 to 20 is expected"));
    assert!(RusotoAws::new(&AwsSettings::default()).is_ok());
}

#[tokio::test]
async fn nothing_is_sent_for_an_incoherent_access() {
    let fake = Fake::answering(|_, _| user()).await;
    let aws = client(&fake.settings());
    let china = Access { partition: Partition::AwsCn, region: Partition::AwsCn.default_region(), ..access() };
    let paris = Region::parse("eu-west-3").expect("a region");
    let mut without_keys = access();
    without_keys.keys.id = String::new();
    without_keys.keys.secret = String::new().into();
    let mut split = access();
    split.keys.id = "AKIA\nHost: evil".to_owned();
    for access in [
        Access { region: paris, ..china.clone() },
        Access { roles: vec![role("one", None)], ..china },
        without_keys,
        split,
    ] {
        let failure = aws.caller(&access).await.expect_err("incoherent");
        assert!(matches!(failure, AwsFailure::NotSent { .. }), "{failure:?}");
    }
    assert_eq!(fake.calls().len(), 0);
}

#[tokio::test]
async fn transient_failures_are_retried() {
    let fake = Fake::answering(|_, before| match before {
        0 => error(400, "Throttling", "Rate exceeded"),
        1 => Reply::Http(503, String::new()),
        2 => Reply::Raw(Vec::new()),
        _ => user(),
    })
    .await;
    assert!(client(&fake.settings()).caller(&access()).await.is_ok());
    assert_eq!(fake.calls().len(), 4);
}

#[tokio::test]
async fn permanent_failures_are_returned_by_kind() {
    let throttled =
        |failure: &AwsFailure| matches!(failure, AwsFailure::Throttled { code, .. } if code == "Throttling");
    let faulty = |failure: &AwsFailure| matches!(failure, AwsFailure::Faulty { status: 500, code, .. } if code == "InternalFailure");
    let refused = |failure: &AwsFailure| matches!(failure, AwsFailure::Refused { status: 403, code, message, .. } if code == "AccessDenied" && message == "not you");
    let garbled = |failure: &AwsFailure| matches!(failure, AwsFailure::Unintelligible { .. });
    let unreachable = |failure: &AwsFailure| matches!(failure, AwsFailure::Unreachable { .. });
    type Case<'a> = (fn() -> Reply, &'a dyn Fn(&AwsFailure) -> bool, usize);
    let cases: [Case<'_>; 11] = [
        (|| error(400, "Throttling", "Rate exceeded"), &throttled, 4),
        (|| error(500, "InternalFailure", ""), &faulty, 4),
        (|| error(403, "AccessDenied", "not you"), &refused, 1),
        (|| Reply::Http(200, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>".to_owned()), &garbled, 1),
        (|| Reply::Http(200, "<a><b></a>".to_owned()), &garbled, 1),
        (|| Reply::Http(200, "<html>Welcome to the hotel</html>".to_owned()), &garbled, 1),
        (|| Reply::Http(200, String::new()), &garbled, 1),
        (|| identity("no-arn"), &garbled, 1),
        (|| Reply::Http(403, "<html>Blocked</html>".to_owned()), &garbled, 1),
        (|| Reply::Http(200, "x".repeat(5 << 20)), &garbled, 1),
        (|| Reply::Raw(Vec::new()), &unreachable, 4),
    ];
    for (reply, expected, sent) in cases {
        let fake = Fake::answering(move |_, _| reply()).await;
        let failure = client(&fake.settings()).caller(&access()).await.expect_err("a failure");
        assert!(expected(&failure), "{failure:?}");
        assert_eq!(fake.calls().len(), sent, "{failure:?}");
        assert_eq!(failure.operation(), AwsOperation::GET_CALLER_IDENTITY);
    }
}

#[tokio::test]
async fn a_truncated_document_is_a_failure_and_never_an_endless_loop() {
    let Reply::Http(_, whole) = regions(&["eu-north-1", "us-east-1"]) else { unreachable!() };
    let bytes = whole.len();
    let sent = Arc::new(AtomicUsize::new(0));
    let length = sent.clone();
    let fake = Fake::answering(move |_, _| Reply::Http(200, whole[..length.load(Relaxed)].to_owned())).await;
    // A client reads the system's root certificates: one does for all.
    let aws = client(&fake.settings());
    for length in 0..bytes {
        sent.store(length, Relaxed);
        let outcome = tokio::time::timeout(Duration::from_secs(5), aws.enabled_regions(&access())).await;
        assert!(matches!(outcome, Ok(Err(AwsFailure::Unintelligible { .. }))), "{length}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_deadline_covers_all_attempts() {
    let fake = Fake::answering(|_, _| Reply::Stall(Vec::new())).await;
    let settings = AwsSettings {
        connect_timeout_ms: 400,
        read_timeout_ms: 400,
        deadline_ms: 1_000,
        max_attempts: 20,
        ..fake.settings()
    };
    let started = Instant::now();
    let failure = client(&settings).caller(&access()).await.expect_err("nobody answers");
    assert!(matches!(failure, AwsFailure::Timeout { after, .. } if after >= Duration::from_millis(400)), "{failure:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(fake.calls().len() >= 2);
}

#[tokio::test]
async fn no_failure_contains_a_secret() {
    let fake = Fake::answering(|asked, _| match asked.action().as_str() {
        "AssumeRole" => assumed_role("one", 3_600),
        _ => error(
            403,
            "SignatureDoesNotMatch",
            &format!("canonical: x-amz-security-token:token-of-one secret-of-one {SECRET}"),
        ),
    })
    .await;
    let aws = client(&fake.settings());
    let base = aws.caller(&access()).await.expect_err("refused");
    let chained = aws.caller(&Access { roles: vec![role("one", None)], ..access() }).await.expect_err("refused");
    let (base, chained) = (format!("{base} {base:?}"), format!("{chained} {chained:?}"));
    assert!(!base.contains(SECRET), "{base}");
    assert!(!chained.contains("token-of-one") && !chained.contains("secret-of-one"), "{chained}");
    assert!(chained.contains("SignatureDoesNotMatch"), "{chained}");
    assert!(!format!("{:?}", access()).contains(SECRET));
}
