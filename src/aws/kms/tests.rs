//! Tests of the rules for all calls to KMS: retries, failures, sessions of roles, limits of concurrency.

use std::sync::Arc;
use std::time::Duration;

use super::calls::{
    CreateAlias, CreateKey, DescribeKey, DisableKey, EnableKey, ImportKeyMaterial, ListKeys, RotateKeyOnDemand,
};
use super::fake_kms::{alias, error, key, paris, port, sane_answer};
use crate::aws::failure::AwsFailure;
use crate::aws::fake::{Fake, Reply, access, assumed_role};
use crate::aws::page::Paging;
use crate::aws::port::{Access, RoleToAssume, SessionName};
use crate::aws::settings::AwsSettings;
use crate::domain::place::{Region, RoleArn};

#[tokio::test]
async fn calls_that_are_not_idempotent_are_repeated_only_if_they_were_not_executed() {
    type Case = (fn() -> Reply, usize, usize);
    let cases: [Case; 5] = [
        (|| error(400, "ThrottlingException", "Rate exceeded"), 4, 4),
        (|| error(500, "KMSInternalException", ""), 4, 1),
        (|| error(503, "DependencyTimeoutException", ""), 4, 1),
        (|| Reply::Raw(Vec::new()), 4, 1),
        (|| error(400, "LimitExceededException", "10000 keys"), 1, 1),
    ];
    for (reply, always, once) in cases {
        let fake = Fake::answering(move |_, _| reply()).await;
        let (kms, access, paris, key) = (port(&fake.settings()), access(), paris(), key());
        let import = ImportKeyMaterial::first(key.clone(), vec![1], vec![2]);
        let plain = CreateKey::plain();
        let sent = |before: usize| fake.calls().len() - before;

        let failure = kms.call(&access, &paris, DescribeKey::of(key.clone())).await.expect_err("it fails");
        assert_eq!(sent(0), always, "{failure}");
        let before = fake.calls().len();
        let failure = kms.call(&access, &paris, DisableKey { key: key.clone() }).await.expect_err("it fails");
        assert_eq!(sent(before), always, "{failure}");
        for outcome in [
            (fake.calls().len(), kms.call(&access, &paris, plain.clone()).await.map(drop)),
            (fake.calls().len(), kms.call(&access, &paris, RotateKeyOnDemand { key: key.clone() }).await),
            (fake.calls().len(), kms.call(&access, &paris, import.clone()).await.map(drop)),
            (fake.calls().len(), kms.call(&access, &paris, CreateAlias { alias: alias(), key: key.clone() }).await),
        ] {
            let failure = outcome.1.expect_err("it fails");
            assert_eq!(failure.may_have_been_done(), once == 1 && always == 4, "{failure}");
        }
        assert_eq!(sent(before), always + 4 * once);
    }
}

#[tokio::test]
async fn code_and_message_of_aws_are_kept() {
    let fake = Fake::answering(|asked, _| match asked.target().as_str() {
        "EnableKey" => error(400, "KMSInvalidStateException", "arn is pending deletion."),
        "DescribeKey" => error(400, "com.amazonaws.kms#NotFoundException", "Key 'x' does not exist"),
        "ListKeys" => Reply::Http(200, "<html>Welcome to the hotel</html>".to_owned()),
        _ => Reply::Http(200, "[1]".to_owned()),
    })
    .await;
    let (kms, access, paris, key) = (port(&fake.settings()), access(), paris(), key());
    let failure = kms.call(&access, &paris, EnableKey { key: key.clone() }).await.expect_err("refused");
    assert!(failure.is_invalid_state());
    assert_eq!(failure.to_string(), "kms:EnableKey refused by AWS: KMSInvalidStateException: arn is pending deletion.");
    assert!(kms.call(&access, &paris, DescribeKey::of(key.clone())).await.expect_err("refused").is_not_found());
    let garbled = kms.call(&access, &paris, ListKeys { paging: Paging::default() }).await;
    assert!(matches!(garbled, Err(AwsFailure::Unintelligible { .. })), "{garbled:?}");
    let garbled = kms.call(&access, &paris, DisableKey { key: key.clone() }).await;
    assert!(matches!(garbled, Err(AwsFailure::Unintelligible { .. })), "a page of a proxy is no success: {garbled:?}");
}

#[tokio::test]
async fn no_call_goes_to_a_region_of_another_partition() {
    let fake = Fake::answering(|asked, _| sane_answer(asked)).await;
    let beijing = Region::parse("cn-north-1").expect("a region");
    let outcome = port(&fake.settings()).call(&access(), &beijing, DescribeKey::of(key())).await;
    assert!(matches!(outcome, Err(AwsFailure::NotSent { .. })), "{outcome:?}");
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_regions_and_again_when_its_session_has_ended() {
    let fake = Fake::answering(|asked, before| match (asked.action().as_str(), asked.target().as_str(), before) {
        ("AssumeRole", ..) => assumed_role("ASIA1", 3_600),
        (_, "CreateKey", 3) => {
            error(400, "ExpiredTokenException", "The security token included in the request is expired")
        }
        _ => sane_answer(asked),
    })
    .await;
    let role = RoleToAssume {
        arn: RoleArn::parse("arn:aws:iam::123456789012:role/keys").expect("a role"),
        external_id: None,
        session_name: SessionName::shaped_from("claviger"),
    };
    let (kms, access) = (port(&fake.settings()), Access { roles: vec![role], ..access() });
    let plain = CreateKey::plain();
    for region in ["eu-west-3", "eu-west-1"] {
        let region = Region::parse(region).expect("a region");
        kms.call(&access, &region, DescribeKey::of(key())).await.expect("answered");
    }
    kms.call(&access, &paris(), plain.clone()).await.expect("answered at the second time");
    let calls: Vec<String> = fake.calls().iter().map(|asked| asked.action() + &asked.target()).collect();
    assert_eq!(calls, ["AssumeRole", "DescribeKey", "DescribeKey", "CreateKey", "AssumeRole", "CreateKey"]);
    assert_eq!(fake.calls()[1].header("x-amz-security-token"), Some("token-of-ASIA1"));
}

#[tokio::test]
async fn the_number_of_concurrent_calls_is_limited() {
    let fake = Fake::answering(|asked, _| match asked.target().as_str() {
        "EnableKey" => Reply::Stall(Vec::new()),
        _ => sane_answer(asked),
    })
    .await;
    let kms = port(&AwsSettings { max_in_flight_per_region: 1, ..fake.settings() });
    let (hanging, access, paris, key) = (Arc::clone(&kms), access(), paris(), key());
    let call = tokio::spawn({
        let (access, paris, key) = (access.clone(), paris.clone(), key.clone());
        async move { hanging.call(&access, &paris, EnableKey { key: key.clone() }).await }
    });
    while fake.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let waiting = kms.call(&access, &paris, DescribeKey::of(key.clone()));
    assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err(), "it waits for its turn");
    assert_eq!(fake.calls().len(), 1, "and was not sent");
    let elsewhere = Region::parse("eu-west-1").expect("a region");
    assert!(kms.call(&access, &elsewhere, DescribeKey::of(key.clone())).await.is_ok(), "another region does not wait");
    call.abort();
    assert!(
        kms.call(&access, &paris, DescribeKey::of(key.clone())).await.is_ok(),
        "a call that was given up makes room"
    );
}
