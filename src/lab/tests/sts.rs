//! Tests of identities, roles and sessions.

use rusoto_ec2::{DescribeRegionsRequest, Ec2};
use rusoto_sts::Sts;

use super::*;

#[tokio::test]
async fn the_caller_identity_is_returned_in_every_partition() {
    let lab = Lab::start().await;
    for (user, region, arn) in [
        ("user1", "eu-west-3", "arn:aws:iam::123456789012:user/user1"),
        ("powerless", "us-east-1", "arn:aws:iam::123456789012:user/powerless"),
        ("gov-user", "us-gov-west-1", "arn:aws-us-gov:iam::210987654321:user/gov-user"),
        ("cn-user", "cn-north-1", "arn:aws-cn:iam::345678901234:user/cn-user"),
    ] {
        assert_eq!(lab.whoami(&Keys::of(user), region).await, Ok(arn.to_owned()));
    }
    lab.cloud.stop().await;
}

#[tokio::test]
async fn wrong_keys_and_wrong_regions_are_refused() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let other = Keys { secret: "x".repeat(40), ..keys.clone() };
    assert_refused(lab.whoami(&other, "us-east-1").await, 403, &["<Code>SignatureDoesNotMatch</Code>"]);
    let other = Keys { id: "AKIAAAAAAAAAAAAAAAAA".into(), ..keys.clone() };
    assert_refused(lab.whoami(&other, "us-east-1").await, 403, &["<Code>InvalidClientTokenId</Code>", "<Type>Sender"]);
    let other = Keys { token: Some("made up".into()), ..keys.clone() };
    assert_refused(lab.whoami(&other, "us-east-1").await, 403, &["<Code>InvalidClientTokenId</Code>"]);
    assert_refused(
        lab.whoami(&keys, "mars-1").await,
        403,
        &["SignatureDoesNotMatch", "valid region, not &apos;mars-1"],
    );
    for region in ["cn-north-1", "eu-south-1"] {
        assert_refused(lab.whoami(&keys, region).await, 403, &["<Code>InvalidClientTokenId</Code>"]);
    }
    let denied = lab.ec2(&keys, "eu-south-1").describe_regions(DescribeRegionsRequest::default()).await;
    assert_refused(denied.map_err(raw_error), 401, &["<Response><Errors><Error><Code>AuthFailure</Code>"]);
}

#[tokio::test]
async fn a_role_is_assumed_only_with_the_correct_external_id() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let session = lab.assume(&keys, ROLE, Some("test-ext-id")).await.expect("a session");
    assert!(session.id.starts_with("ASIA"), "{}", session.id);
    assert_eq!(
        lab.whoami(&session, "eu-west-3").await,
        Ok("arn:aws:sts::789012123456:assumed-role/test-assume-role-ac/session".to_owned())
    );
    let message = "User: arn:aws:iam::123456789012:user/user1 is not authorized to perform: sts:AssumeRole on \
                   resource: arn:aws:iam::789012123456:role/test-assume-role-ac";
    for external_id in [None, Some("wrong"), Some("test-ext-id2")] {
        assert_refused(lab.assume(&keys, ROLE, external_id).await, 403, &["<Code>AccessDenied</Code>", message]);
    }
    lab.assume(&keys, OPEN_ROLE, None).await.expect("a role that asks for no external id");
    lab.assume(&keys, OPEN_ROLE, Some("unasked")).await.expect("one that does not mind");
    for role in ["test-assume-role-denied", "nobody-knows-it"] {
        let arn = format!("arn:aws:iam::789012123456:role/{role}");
        assert_refused(lab.assume(&keys, &arn, None).await, 403, &["<Code>AccessDenied</Code>", &arn]);
    }
    assert_refused(lab.assume(&Keys::of("powerless"), OPEN_ROLE, None).await, 403, &["<Code>AccessDenied</Code>"]);
    assert_refused(lab.assume(&Keys::of("powerless"), "arn:aws:iam::1:role/r", None).await, 403, &["AccessDenied"]);
}

#[tokio::test]
async fn the_parameters_of_assume_role_are_validated() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let role = |rest: &str| format!("Version=2011-06-15&Action=AssumeRole&RoleArn={OPEN_ROLE}{rest}");
    for (form, part) in [
        (role(""), "1 validation error detected: Value null at &apos;roleSessionName&apos;"),
        (role("&RoleSessionName=a"), "length greater than or equal to 2"),
        (role("&RoleSessionName=a/b"), "regular expression pattern: [\\w+=,.@-]*"),
        (role("&RoleSessionName=ab&DurationSeconds=899"), "value greater than or equal to 900"),
        (role("&RoleSessionName=ab&DurationSeconds=3601"), "MaxSessionDuration set for this role"),
        (role("&RoleSessionName=a&DurationSeconds=5"), "2 validation errors detected"),
        (role("&RoleSessionName=ab&ExternalId=x"), "externalId"),
        (
            "Version=2011-06-15&Action=AssumeRole&RoleArn=test-assume-role-open&RoleSessionName=ab".to_owned(),
            "test-assume-role-open is invalid",
        ),
    ] {
        let answer = refused(lab.post(&keys, "sts", &form).await);
        assert_refused(answer, 400, &["<Code>ValidationError</Code>", part]);
    }
    let long = format!("Version=2011-06-15&Action=AssumeRole&RoleArn={ROLE}&ExternalId=test-ext-id&RoleSessionName=ab");
    let (status, body) = lab.post(&keys, "sts", &format!("{long}&DurationSeconds=43200")).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn a_chained_role_ends_after_an_hour() {
    let lab = Lab::start().await;
    let plan = LabPlan::built_in();
    assert_eq!(plan.account("123456789012").map(|account| account.roles.len()), Some(1));
    let own = lab.assume(&Keys::of("user1"), "arn:aws:iam::123456789012:role/test-own-role", None).await;
    let own = own.expect("a session");
    let chained = lab.assume(&own, ROLE, Some("test-ext-id")).await.expect("a second session");
    assert_eq!(
        lab.whoami(&chained, "us-east-1").await,
        Ok("arn:aws:sts::789012123456:assumed-role/test-assume-role-ac/session".to_owned())
    );
    let form = format!(
        "Version=2011-06-15&Action=AssumeRole&RoleArn={ROLE}&ExternalId=test-ext-id&RoleSessionName=ab\
         &DurationSeconds=3601"
    );
    let answer = refused(lab.post(&own, "sts", &form).await);
    assert_refused(answer, 400, &["1 hour session limit for roles assumed by role chaining"]);
}

#[tokio::test]
async fn a_session_works_with_its_token_until_it_ends() {
    let lab = Lab::start().await;
    let session = lab.assume(&Keys::of("user1"), OPEN_ROLE, None).await.expect("a session");
    let without = Keys { token: None, ..session.clone() };
    assert_refused(lab.whoami(&without, "us-east-1").await, 403, &["InvalidClientTokenId"]);
    let garbled = Keys { token: session.token.as_ref().map(|token| token[1..].to_owned()), ..session.clone() };
    assert_refused(lab.whoami(&garbled, "us-east-1").await, 403, &["InvalidClientTokenId"]);
    let other_secret = Keys { secret: "x".repeat(40), ..session.clone() };
    assert_refused(lab.whoami(&other_secret, "us-east-1").await, 403, &["SignatureDoesNotMatch"]);
    assert_eq!(lab.control(Method::DELETE, "/_lab/sessions", &Value::Null).await.0, 204);
    assert_refused(lab.whoami(&session, "us-east-1").await, 403, &["<Code>ExpiredToken</Code>"]);
    let expired = lab.ec2(&session, "us-east-1").describe_regions(DescribeRegionsRequest::default()).await;
    assert_refused(expired.map_err(raw_error), 400, &["<Code>RequestExpired</Code>"]);
}

#[tokio::test]
async fn the_session_of_a_user_is_valid_except_at_iam() {
    let lab = Lab::start().await;
    let client = lab.sts(&Keys::of("user1"), "us-east-1");
    let given = client.get_session_token(Default::default()).await.expect("a session").credentials.expect("some");
    let session = Keys { id: given.access_key_id, secret: given.secret_access_key, token: Some(given.session_token) };
    assert_eq!(lab.whoami(&session, "us-east-1").await, Ok("arn:aws:iam::123456789012:user/user1".to_owned()));
    let again = lab.sts(&session, "us-east-1").get_session_token(Default::default()).await;
    assert_refused(again.map_err(raw_error), 403, &["Cannot call GetSessionToken with session credentials"]);
    let listed = refused(lab.post(&session, "iam", &format!("{IAM}ListUsers")).await);
    assert_refused(listed, 403, &["InvalidClientTokenId"]);
}
