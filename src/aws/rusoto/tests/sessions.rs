//! Tests of the sessions of assumed roles.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// The answers of a server on which AssumeRole returns an access key id that is the name of the role.
fn server_with_roles(asked: &RecordedRequest) -> Reply {
    match asked.action().as_str() {
        "AssumeRole" => {
            assumed_role(asked.parameter("RoleArn").unwrap_or_default().rsplit('/').next().unwrap_or_default(), 3_600)
        }
        "GetCallerIdentity" => identity("arn:aws:sts::789012123456:assumed-role/one/claviger"),
        _ => regions(&["us-east-1"]),
    }
}

#[tokio::test]
async fn roles_are_chained_and_their_sessions_are_cached() {
    let fake = Fake::answering(|asked, _| server_with_roles(asked)).await;
    let aws = client(&AwsSettings { assume_role_duration_seconds: 7_200, ..fake.settings() });
    let access = Access { roles: vec![role("one", None), role("two", Some("test-ext-id"))], ..access() };
    for _ in 0..3 {
        aws.enabled_regions(&access).await.expect("answered");
    }
    let asked = fake.calls();
    assert_eq!(fake.actions(), ["AssumeRole", "AssumeRole", "DescribeRegions", "DescribeRegions", "DescribeRegions"]);
    assert_eq!(
        asked.iter().map(|one| one.key_id().unwrap_or_default()).collect::<Vec<_>>(),
        ["AKIA1", "one", "two", "two", "two"]
    );
    assert_eq!(asked[1].parameter("ExternalId").as_deref(), Some("test-ext-id"));
    assert_eq!(asked[0].parameter("ExternalId"), None);
    assert_eq!(asked[0].parameter("RoleSessionName").as_deref(), Some("claviger"));
    assert_eq!(asked[0].parameter("DurationSeconds").as_deref(), Some("7200"));
    assert_eq!(asked[1].parameter("DurationSeconds").as_deref(), Some("3600"));
    assert_eq!(asked[1].header("x-amz-security-token"), Some("token-of-one"));

    let first_only = Access { roles: vec![role("one", None)], ..access.clone() };
    aws.enabled_regions(&first_only).await.expect("answered");
    assert_eq!(fake.calls().last().and_then(RecordedRequest::key_id), Some("one"));
    assert_eq!(fake.calls().len(), 6);
}

#[tokio::test]
async fn caller_assumes_the_roles_again_and_caches_the_session() {
    let fake = Fake::answering(|asked, _| server_with_roles(asked)).await;
    let aws = client(&fake.settings());
    let access = Access { roles: vec![role("one", None)], ..access() };
    for _ in 0..2 {
        aws.caller(&access).await.expect("answered");
        aws.enabled_regions(&access).await.expect("answered");
    }
    let round = ["AssumeRole", "GetCallerIdentity", "DescribeRegions"];
    assert_eq!(fake.actions(), [round, round].concat());
}

#[tokio::test]
async fn concurrent_callers_share_one_session() {
    let fake = Fake::answering(|asked, _| server_with_roles(asked)).await;
    let aws = client(&fake.settings());
    let access = Access { roles: vec![role("one", None)], ..access() };
    let calls = (0..24).map(|_| aws.enabled_regions(&access));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(fake.actions().iter().filter(|action| *action == "AssumeRole").count(), 1);
}

#[tokio::test]
async fn an_expiring_session_is_renewed() {
    let fake = Fake::answering(|asked, _| match asked.action().as_str() {
        "AssumeRole" => assumed_role("one", 0),
        _ => regions(&["us-east-1"]),
    })
    .await;
    let aws = client(&fake.settings());
    let access = Access { roles: vec![role("one", None)], ..access() };
    for _ in 0..2 {
        aws.enabled_regions(&access).await.expect("answered");
    }
    assert_eq!(fake.actions(), ["AssumeRole", "DescribeRegions", "AssumeRole", "DescribeRegions"]);
}

#[tokio::test]
async fn a_cached_session_that_aws_rejects_is_renewed_once() {
    let revoked = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&revoked);
    let fake = Fake::answering(move |asked, before| match asked.action().as_str() {
        "AssumeRole" => assumed_role(&format!("session-{before}"), 3_600),
        _ if state.load(Ordering::SeqCst) && asked.key_id() == Some("session-0") => {
            Reply::Http(400, "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors></Response>".to_owned())
        }
        _ => regions(&["us-east-1"]),
    })
    .await;
    let aws = client(&fake.settings());
    let access = Access { roles: vec![role("one", None)], ..access() };
    aws.enabled_regions(&access).await.expect("answered");
    revoked.store(true, Ordering::SeqCst);
    aws.enabled_regions(&access).await.expect("answered after a new session");
    assert_eq!(fake.actions(), ["AssumeRole", "DescribeRegions", "DescribeRegions", "AssumeRole", "DescribeRegions"]);
    aws.enabled_regions(&access).await.expect("answered");
    assert_eq!(fake.actions().len(), 6);
}

#[tokio::test]
async fn refused_keys_are_not_retried() {
    let fake = Fake::answering(|_, _| {
        error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    })
    .await;
    let aws = client(&fake.settings());
    let access = Access { roles: vec![role("one", None)], ..access() };
    let failure = aws.enabled_regions(&access).await.expect_err("refused");
    assert_eq!((failure.operation(), failure.code()), (AwsOperation::ASSUME_ROLE, Some("InvalidClientTokenId")));
    assert_eq!(fake.calls().len(), 1);
}
