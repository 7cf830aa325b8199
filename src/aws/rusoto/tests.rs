use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::super::fake::{Fake, RecordedRequest, Reply};
use super::super::page::Paging;
use super::super::port::{AccessKeys, IamListing, RoleToAssume, SessionName};
use super::super::settings::EndpointOverride;
use super::*;
use crate::domain::connection::StsEndpoints;
use crate::domain::place::{ExternalId, Partition, RoleArn};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// rusoto expects it behind every result of STS.
const METADATA: &str = "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>";

fn settings(url: &str) -> AwsSettings {
    let everything = EndpointOverride { partition: None, service: None, region: None, url: url.to_owned() };
    AwsSettings { endpoints: vec![everything], ..AwsSettings::default() }
}

/// The port on a fake, with pauses that suit a test.
fn port(settings: &AwsSettings) -> RusotoAws {
    let opened = RusotoAws::new(settings).expect("the settings are in order");
    let mut client = Arc::into_inner(opened.client).expect("nobody else has it");
    client.retry.base = Duration::from_millis(5);
    RusotoAws { client: Arc::new(client) }
}

fn access() -> Access {
    let keys = AccessKeys { id: "AKIA1".to_owned(), secret: SECRET.to_owned().into(), session_token: None };
    Access::with_keys(Partition::Aws, keys)
}

fn role(name: &str, external_id: Option<&str>) -> RoleToAssume {
    RoleToAssume {
        arn: RoleArn::parse(&format!("arn:aws:iam::789012123456:role/{name}")).expect("a role"),
        external_id: external_id.map(|id| ExternalId::parse(id).expect("an external id")),
        session_name: SessionName::shaped_from("claviger"),
    }
}

fn identity(arn: &str) -> Reply {
    let account = arn.split(':').nth(4).unwrap_or_default();
    Reply::Http(
        200,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{arn}</Arn>\
         <UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult>{METADATA}</GetCallerIdentityResponse>"
        ),
    )
}

fn session(id: &str, lasts: i64) -> Reply {
    let ends =
        (chrono::Utc::now() + chrono::Duration::seconds(lasts)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Reply::Http(
        200,
        format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>secret-of-{id}</SecretAccessKey>\
         <SessionToken>token-of-{id}</SessionToken><Expiration>{ends}</Expiration></Credentials></AssumeRoleResult>{METADATA}</AssumeRoleResponse>"
        ),
    )
}

fn regions(names: &[&str]) -> Reply {
    let items = names
        .iter()
        .map(|name| format!("<item><regionName>{name}</regionName><optInStatus>opted-in</optInStatus></item>"));
    Reply::Http(
        200,
        format!(
            "<DescribeRegionsResponse><regionInfo>{}</regionInfo></DescribeRegionsResponse>",
            items.collect::<String>()
        ),
    )
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::Http(
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

fn user() -> Reply {
    identity("arn:aws:iam::123456789012:user/user1")
}

#[tokio::test]
async fn the_caller_is_whom_sts_names() {
    let fake = Fake::answering(|_, _| user()).await;
    let caller = port(&settings(&fake.url())).caller(&access()).await.expect("answered");
    assert_eq!(caller.account.to_string(), "123456789012");
    assert_eq!(caller.arn.to_string(), "arn:aws:iam::123456789012:user/user1");
    let asked = &fake.calls()[0];
    let signature = asked.header("authorization").expect("it is signed");
    assert!(
        signature.contains("Credential=AKIA1/") && signature.contains("/us-east-1/sts/aws4_request"),
        "{signature}"
    );
    assert_eq!(asked.parameter("Version").as_deref(), Some("2011-06-15"));
}

#[tokio::test]
async fn regions_keep_the_order_of_aws_and_odd_ones_are_left_out() {
    let fake =
        Fake::answering(|_, _| regions(&["eu-north-1", "eusc-de-east-1", "cn-north-1", "ap-south-1", "us-east-1"]))
            .await;
    let regions = port(&settings(&fake.url())).enabled_regions(&access()).await.expect("answered");
    assert_eq!(regions.iter().map(Region::as_str).collect::<Vec<_>>(), ["eu-north-1", "ap-south-1", "us-east-1"]);
    assert_eq!(fake.calls()[0].parameter("AllRegions"), None);
}

#[tokio::test]
async fn users_and_roles_are_asked_of_iam_page_by_page() {
    let fake = Fake::answering(|asked, _| match asked.action().as_str() {
        "ListUsers" => Reply::Http(
            200,
            "<ListUsersResponse><ListUsersResult><Users><member><Path>/</Path><UserName>ann</UserName><UserId>AIDA1</UserId>\
             <Arn>arn:aws:iam::123456789012:user/ann</Arn></member></Users><IsTruncated>true</IsTruncated><Marker>m/2=</Marker>\
             </ListUsersResult></ListUsersResponse>"
                .to_owned(),
        ),
        _ => error(403, "AccessDenied", "not you"),
    })
    .await;
    let aws = port(&settings(&fake.url()));
    let page = aws.list_users(&access(), &IamListing::default()).await.expect("answered");
    assert_eq!(page.items[0].name, "ann");
    let paging = Paging { marker: page.next, limit: Some(5) };
    let listing = IamListing { path_prefix: Some("/ops/".to_owned()), paging };
    assert!(aws.list_roles(&access(), &listing).await.expect_err("refused").is_denied());
    let asked = &fake.calls()[1];
    for (name, value) in [("Action", "ListRoles"), ("PathPrefix", "/ops/"), ("MaxItems", "5"), ("Marker", "m/2=")] {
        assert_eq!(asked.parameter(name).as_deref(), Some(value), "{name}");
    }
    assert!(asked.header("authorization").is_some_and(|signature| signature.contains("/us-east-1/iam/aws4_request")));
}

#[tokio::test]
async fn throttling_and_breakdowns_are_repeated_until_they_pass() {
    let fake = Fake::answering(|_, before| match before {
        0 => error(400, "Throttling", "Rate exceeded"),
        1 => Reply::Http(503, String::new()),
        2 => Reply::Raw(Vec::new()),
        _ => user(),
    })
    .await;
    assert!(port(&settings(&fake.url())).caller(&access()).await.is_ok());
    assert_eq!(fake.calls().len(), 4);
}

#[tokio::test]
async fn what_does_not_pass_is_told_as_it_is() {
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
        let failure = port(&settings(&fake.url())).caller(&access()).await.expect_err("a failure");
        assert!(expected(&failure), "{failure:?}");
        assert_eq!(fake.calls().len(), sent, "{failure:?}");
        assert_eq!(failure.operation(), AwsOperation::GET_CALLER_IDENTITY);
    }
}

#[tokio::test]
async fn a_cut_document_in_any_place_is_a_failure_and_never_an_endless_loop() {
    let Reply::Http(_, whole) = regions(&["eu-north-1", "us-east-1"]) else { unreachable!() };
    for length in 0..whole.len() {
        let cut = whole[..length].to_owned();
        let fake = Fake::answering(move |_, _| Reply::Http(200, cut.clone())).await;
        let port = port(&settings(&fake.url()));
        let outcome = tokio::time::timeout(Duration::from_secs(5), port.enabled_regions(&access())).await;
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
        ..settings(&fake.url())
    };
    let started = Instant::now();
    let failure = port(&settings).caller(&access()).await.expect_err("nobody answers");
    assert!(matches!(failure, AwsFailure::Timeout { after, .. } if after >= Duration::from_millis(400)), "{failure:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(fake.calls().len() >= 2);
}

/// A cloud with roles: `AssumeRole` gives a session per role, calls tell who makes them.
fn cloud(asked: &RecordedRequest) -> Reply {
    match asked.action().as_str() {
        "AssumeRole" => {
            session(asked.parameter("RoleArn").unwrap_or_default().rsplit('/').next().unwrap_or_default(), 3_600)
        }
        "GetCallerIdentity" => identity("arn:aws:sts::789012123456:assumed-role/one/claviger"),
        _ => regions(&["us-east-1"]),
    }
}

#[tokio::test]
async fn roles_are_assumed_one_through_the_other_and_sessions_are_kept() {
    let fake = Fake::answering(|asked, _| cloud(asked)).await;
    let port = port(&AwsSettings { assume_role_duration_seconds: 7_200, ..settings(&fake.url()) });
    let access = Access { roles: vec![role("one", None), role("two", Some("test-ext-id"))], ..access() };
    for _ in 0..3 {
        port.enabled_regions(&access).await.expect("answered");
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
    port.enabled_regions(&first_only).await.expect("answered");
    assert_eq!(fake.calls().last().and_then(RecordedRequest::key_id), Some("one"));
    assert_eq!(fake.calls().len(), 6);
}

#[tokio::test]
async fn who_am_i_assumes_anew_and_leaves_the_session_for_the_next_call() {
    let fake = Fake::answering(|asked, _| cloud(asked)).await;
    let port = port(&settings(&fake.url()));
    let access = Access { roles: vec![role("one", None)], ..access() };
    for _ in 0..2 {
        port.caller(&access).await.expect("answered");
        port.enabled_regions(&access).await.expect("answered");
    }
    let round = ["AssumeRole", "GetCallerIdentity", "DescribeRegions"];
    assert_eq!(fake.actions(), [round, round].concat());
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_session() {
    let fake = Fake::answering(|asked, _| cloud(asked)).await;
    let port = port(&settings(&fake.url()));
    let access = Access { roles: vec![role("one", None)], ..access() };
    let calls = (0..24).map(|_| port.enabled_regions(&access));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(fake.actions().iter().filter(|action| *action == "AssumeRole").count(), 1);
}

#[tokio::test]
async fn a_session_that_ends_soon_is_renewed() {
    let fake = Fake::answering(|asked, _| match asked.action().as_str() {
        "AssumeRole" => session("one", 0),
        _ => regions(&["us-east-1"]),
    })
    .await;
    let port = port(&settings(&fake.url()));
    let access = Access { roles: vec![role("one", None)], ..access() };
    for _ in 0..2 {
        port.enabled_regions(&access).await.expect("answered");
    }
    assert_eq!(fake.actions(), ["AssumeRole", "DescribeRegions", "AssumeRole", "DescribeRegions"]);
}

#[tokio::test]
async fn a_kept_session_that_aws_no_longer_takes_is_assumed_once_more() {
    let revoked = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&revoked);
    let fake = Fake::answering(move |asked, before| match asked.action().as_str() {
        "AssumeRole" => session(&format!("session-{before}"), 3_600),
        _ if state.load(Ordering::SeqCst) && asked.key_id() == Some("session-0") => {
            Reply::Http(400, "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors></Response>".to_owned())
        }
        _ => regions(&["us-east-1"]),
    })
    .await;
    let port = port(&settings(&fake.url()));
    let access = Access { roles: vec![role("one", None)], ..access() };
    port.enabled_regions(&access).await.expect("answered");
    revoked.store(true, Ordering::SeqCst);
    port.enabled_regions(&access).await.expect("answered after a new session");
    assert_eq!(fake.actions(), ["AssumeRole", "DescribeRegions", "DescribeRegions", "AssumeRole", "DescribeRegions"]);
    port.enabled_regions(&access).await.expect("answered");
    assert_eq!(fake.actions().len(), 6);
}

#[tokio::test]
async fn refused_keys_are_not_tried_again_and_again() {
    let fake = Fake::answering(|_, _| {
        error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    })
    .await;
    let port = port(&settings(&fake.url()));
    let access = Access { roles: vec![role("one", None)], ..access() };
    let failure = port.enabled_regions(&access).await.expect_err("refused");
    assert_eq!((failure.operation(), failure.code()), (AwsOperation::ASSUME_ROLE, Some("InvalidClientTokenId")));
    assert_eq!(fake.calls().len(), 1);
}

#[tokio::test]
async fn no_failure_tells_a_secret() {
    let fake = Fake::answering(|asked, _| match asked.action().as_str() {
        "AssumeRole" => session("one", 3_600),
        _ => error(
            403,
            "SignatureDoesNotMatch",
            &format!("canonical: x-amz-security-token:token-of-one secret-of-one {SECRET}"),
        ),
    })
    .await;
    let port = port(&settings(&fake.url()));
    let base = port.caller(&access()).await.expect_err("refused");
    let chained = port.caller(&Access { roles: vec![role("one", None)], ..access() }).await.expect_err("refused");
    let (base, chained) = (format!("{base} {base:?}"), format!("{chained} {chained:?}"));
    assert!(!base.contains(SECRET), "{base}");
    assert!(!chained.contains("token-of-one") && !chained.contains("secret-of-one"), "{chained}");
    assert!(chained.contains("SignatureDoesNotMatch"), "{chained}");
    assert!(!format!("{:?}", access()).contains(SECRET));
}

#[tokio::test]
async fn nothing_is_sent_for_incoherent_access() {
    let fake = Fake::answering(|_, _| user()).await;
    let port = port(&settings(&fake.url()));
    let china = Access { partition: Partition::AwsCn, ..access() };
    let paris = Region::parse("eu-west-3").ok();
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
        let failure = port.caller(&access).await.expect_err("incoherent");
        assert!(matches!(failure, AwsFailure::NotSent { .. }), "{failure:?}");
    }
    assert_eq!(fake.calls().len(), 0);
}

#[tokio::test]
async fn missing_permissions_are_named_for_users_roles_and_root() {
    let fake = Fake::answering(|asked, _| match (asked.action().as_str(), asked.key_id()) {
        ("GetCallerIdentity", Some("ROOT")) => identity("arn:aws:iam::123456789012:root"),
        ("GetCallerIdentity", _) => user(),
        ("AssumeRole", _) => session("one", 3_600),
        _ => {
            let member = |action: &str, decision: &str| format!("<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision></member>");
            let more = asked.parameter("Marker").is_none();
            let (members, marker) = match more {
                true => (member("kms:CreateKey", "explicitDeny"), "<IsTruncated>true</IsTruncated><Marker>a/b=</Marker>"),
                false => (member("kms:ListKeys", "allowed"), "<IsTruncated>false</IsTruncated>"),
            };
            Reply::Http(200, format!("<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>{marker}<EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"))
        }
    })
    .await;
    let port = port(&settings(&fake.url()));
    let actions = ["kms:ListKeys", "kms:CreateKey"];
    let missing = port.missing_permissions(&access(), &actions).await.expect("answered");
    assert_eq!(missing, ["kms:CreateKey"]);
    let second = &fake.calls()[2];
    assert_eq!(second.parameter("Marker").as_deref(), Some("a/b="));
    assert_eq!(second.parameter("PolicySourceArn").as_deref(), Some("arn:aws:iam::123456789012:user/user1"));
    assert_eq!(second.parameter("ActionNames.member.2").as_deref(), Some("kms:CreateKey"));
    assert!(second.header("authorization").is_some_and(|signature| signature.contains("/us-east-1/iam/aws4_request")));

    let through = Access { roles: vec![role("a/one", None)], sts: StsEndpoints::Regional, ..access() };
    assert_eq!(port.missing_permissions(&through, &actions).await.expect("answered"), ["kms:CreateKey"]);
    let asked = fake.calls().pop().expect("a simulation");
    assert_eq!(asked.parameter("PolicySourceArn").as_deref(), Some("arn:aws:iam::789012123456:role/a/one"));

    let before = fake.calls().len();
    let mut root = access();
    root.keys.id = "ROOT".to_owned();
    assert_eq!(port.missing_permissions(&root, &actions).await, Ok(Vec::new()));
    assert_eq!(fake.calls().len(), before + 1);
}

#[test]
fn mistaken_settings_do_not_open_a_port() {
    let settings = AwsSettings { max_attempts: 0, ..AwsSettings::default() };
    let said = RusotoAws::new(&settings).err().map(|error| error.to_string());
    assert_eq!(said.as_deref(), Some("aws.max_attempts: `0` is out of range: 1 to 20 is expected"));
    assert!(RusotoAws::new(&AwsSettings::default()).is_ok());
}
