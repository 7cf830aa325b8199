//! Tests of the client against moto, an independent emulation of AWS.
//!
//! The tests are skipped unless `CLAVIGER_MOTO_URL` (such as `http://127.0.0.1:5000`) is the URL of a `moto_server`.
//! `tests/python/requirements-moto.txt` has the version; `scripts/test` starts the server.

use super::endpoint::Endpoint;
use super::failure::AwsFailure;
use super::fault::Fault;
use super::logs::{LogGroupListing, LogWindow};
use super::operation::AwsOperation;
use super::page::Paging;
use super::port::{Access, AccessKeys, Aws, IamListing, RoleToAssume, SessionName};
use super::rusoto::RusotoAws;
use super::settings::{AwsSettings, EndpointOverride};
use super::transport::{HttpAnswer, Transport};
use super::xml::Element;
use crate::domain::connection::StsEndpoints;
use crate::domain::place::{ExternalId, Partition, Region, RoleArn};
use rusoto_core::credential::AwsCredentials;
use rusoto_core::signature::SignedRequest;
use serde_json::json;

/// The settings for the server; `None`, and a line on stderr, if there is none.
pub(super) fn moto() -> Option<AwsSettings> {
    let Ok(url) = std::env::var("CLAVIGER_MOTO_URL") else {
        eprintln!("skipped: CLAVIGER_MOTO_URL does not say where a moto_server listens");
        return None;
    };
    let endpoints = vec![EndpointOverride { partition: None, service: None, region: None, url }];
    Some(AwsSettings { endpoints, ..AwsSettings::default() })
}

pub(super) fn access(partition: Partition) -> Access {
    let keys = AccessKeys { id: "AKIAMOTO".to_owned(), secret: "moto-secret".to_owned().into(), session_token: None };
    Access::with_keys(partition, keys)
}

/// Creates a role in moto. No other test may use its name.
async fn make_role(settings: &AwsSettings, account: &str, name: &str) -> RoleArn {
    let url = settings.endpoints.first().map(|entry| entry.url.clone()).unwrap_or_default();
    let home = Partition::Aws.default_region();
    let region = Endpoint { url, signing_region: home }.as_rusoto();
    let mut request = SignedRequest::new("POST", "iam", &region, "/");
    request.set_content_type("application/x-www-form-urlencoded".to_owned());
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
    let form = format!("Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={policy}");
    request.set_payload(Some(form));
    request.sign(&AwsCredentials::new("AKIAMOTO", "moto-secret", None, None));
    let transport = Transport::new(settings).expect("the settings are in order");
    let HttpAnswer { status, body, .. } = transport.send(request).await.expect("moto answers");
    let exists = Fault::of_query_answer(status, &body);
    assert!(
        status == 200 || matches!(&exists, Fault::Answered { code, .. } if code == "EntityAlreadyExists"),
        "{exists:?}"
    );
    if status == 200 {
        let root = Element::parse(&body).expect("XML");
        let role = root.child("CreateRoleResult").and_then(|result| result.child("Role"));
        let arn = role.and_then(|role| role.child_text("Arn")).expect("the role's ARN");
        assert_eq!(arn, format!("arn:aws:iam::{account}:role/{name}"));
    }
    RoleArn::parse(&format!("arn:aws:iam::{account}:role/{name}")).expect("a role")
}

#[tokio::test]
async fn caller_and_regions_are_read_in_three_partitions() {
    let Some(settings) = moto() else { return };
    let aws = RusotoAws::new(&settings).expect("the settings are in order");
    for partition in Partition::ALL {
        let access = access(partition);
        let caller = aws.caller(&access).await.expect("moto answers");
        assert_eq!(caller.account.to_string(), "123456789012");
        let regions = aws.enabled_regions(&access).await.expect("moto answers");
        assert!(regions.contains(&partition.default_region()), "{regions:?}");
        assert!(regions.iter().all(|region| region.partition() == partition), "{regions:?}");
    }
}

#[tokio::test]
async fn a_role_is_assumed_and_moto_sees_its_session() {
    let Some(settings) = moto() else { return };
    let aws = RusotoAws::new(&settings).expect("the settings are in order");
    let arn = make_role(&settings, "123456789012", "claviger-moto-test").await;
    let role = |arn: RoleArn| RoleToAssume {
        arn,
        external_id: ExternalId::parse("test-ext-id").ok(),
        session_name: SessionName::shaped_from("claviger test"),
    };
    for sts in [StsEndpoints::Legacy, StsEndpoints::Regional] {
        let region = Region::parse("eu-west-1").expect("a region");
        let access = Access { roles: vec![role(arn.clone())], region, sts, ..access(Partition::Aws) };
        let caller = aws.caller(&access).await.expect("moto answers");
        let expected = "arn:aws:sts::123456789012:assumed-role/claviger-moto-test/claviger-test";
        assert_eq!((caller.account, caller.arn.to_string().as_str()), (arn.account(), expected));
        assert!(!aws.enabled_regions(&access).await.expect("moto answers").is_empty());
    }
    // moto creates an account when a role in it is assumed.
    let elsewhere = RoleArn::parse("arn:aws:iam::789012123456:role/claviger-elsewhere").expect("a role");
    let access = Access { roles: vec![role(arn), role(elsewhere)], ..access(Partition::Aws) };
    let caller = aws.caller(&access).await.expect("moto answers");
    assert_eq!(caller.account.to_string(), "789012123456");
}

#[tokio::test]
async fn roles_and_users_are_listed() {
    let Some(settings) = moto() else { return };
    let aws = RusotoAws::new(&settings).expect("the settings are in order");
    let arn = make_role(&settings, "123456789012", "claviger-moto-listed").await;
    let listing = IamListing { path_prefix: Some("/".to_owned()), paging: Paging::first(100) };
    let roles = aws.list_roles(&access(Partition::Aws), &listing).await.expect("moto answers");
    let listed = roles.items.iter().find(|role| role.name == "claviger-moto-listed").expect("it is there");
    assert_eq!((listed.path.as_str(), &listed.arn), ("/", arn.as_arn()));
    assert!(listed.created_at.is_some() && listed.id.starts_with("AROA"), "{listed:?}");
    let users = aws.list_users(&access(Partition::Aws), &listing).await.expect("moto answers");
    assert_eq!(users.next, None);
}

#[tokio::test]
async fn an_operation_that_moto_lacks_fails_with_motos_error() {
    let Some(settings) = moto() else { return };
    let aws = RusotoAws::new(&AwsSettings { max_attempts: 1, ..settings.clone() }).expect("the settings are in order");
    let arn = make_role(&settings, "123456789012", "claviger-moto-simulated").await;
    let session_name = SessionName::shaped_from("claviger");
    let role = RoleToAssume { arn, external_id: None, session_name };
    let access = Access { roles: vec![role], ..access(Partition::Aws) };
    let outcome = aws.missing_permissions(&access, &["kms:CreateKey"]).await;
    match outcome {
        // The pinned version of moto does not simulate policies; a later one may.
        Ok(missing) => assert!(missing.len() <= 1),
        Err(failure) => {
            assert_eq!(failure.operation(), AwsOperation::SIMULATE_PRINCIPAL_POLICY, "{failure:?}");
            let answered = matches!(failure, AwsFailure::Faulty { .. } | AwsFailure::Unintelligible { .. });
            assert!(answered, "{failure:?}");
            eprintln!("moto says: {failure}");
        }
    }
}

/// Calls an operation of CloudWatch Logs that the client does not have. An entry that exists already is fine.
async fn make_log(settings: &AwsSettings, operation: &str, body: serde_json::Value) {
    let url = settings.endpoints.first().map(|entry| entry.url.clone()).unwrap_or_default();
    let region = Endpoint { url, signing_region: Partition::Aws.default_region() }.as_rusoto();
    let mut request = SignedRequest::new("POST", "logs", &region, "/");
    request.set_content_type("application/x-amz-json-1.1".to_owned());
    request.add_header("x-amz-target", &format!("Logs_20140328.{operation}"));
    request.set_payload(Some(body.to_string()));
    request.sign(&AwsCredentials::new("AKIAMOTO", "moto-secret", None, None));
    let transport = Transport::new(settings).expect("the settings are in order");
    let HttpAnswer { status, body, .. } = transport.send(request).await.expect("moto answers");
    let text = String::from_utf8_lossy(&body);
    assert!(status == 200 || text.contains("ResourceAlreadyExistsException"), "{operation}: {text}");
}

#[tokio::test]
async fn log_groups_are_listed_and_their_events_are_read() {
    let Some(settings) = moto() else { return };
    let aws = RusotoAws::new(&settings).expect("the settings are in order");
    let (group, stream) = ("claviger-moto-trail", "123456789012_CloudTrail_us-east-1");
    make_log(&settings, "CreateLogGroup", json!({ "logGroupName": group })).await;
    make_log(&settings, "CreateLogStream", json!({ "logGroupName": group, "logStreamName": stream })).await;
    let now = chrono::Utc::now().timestamp_millis();
    let events = json!([{ "timestamp": now - 2, "message": "{\"n\":1}" }, { "timestamp": now - 1, "message": "two" }]);
    let put = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
    make_log(&settings, "PutLogEvents", put).await;
    let (access, region) = (access(Partition::Aws), Partition::Aws.default_region());
    let listing = LogGroupListing { name_prefix: Some("claviger-moto".to_owned()), paging: Paging::first(50) };
    let groups = aws.log_groups(&access, &region, &listing).await.expect("moto answers");
    let named: Vec<_> = groups.items.iter().filter_map(|group| group["logGroupName"].as_str()).collect();
    assert_eq!(named, [group]);
    let window = LogWindow {
        log_group: group.to_owned(),
        start_ms: now - 2,
        end_ms: now,
        pattern: None,
        token: None,
        limit: None,
    };
    let raw = aws.log_events(&access, &region, &window).await.expect("moto answers");
    let page = raw.read().expect("a page");
    let messages: Vec<_> = page.events.iter().map(|event| event.message.as_ref()).collect();
    assert_eq!(messages, ["{\"n\":1}", "two"]);
    let absent = LogWindow { log_group: "claviger-moto-absent".to_owned(), ..window };
    let failure = aws.log_events(&access, &region, &absent).await.expect_err("there is no such log group");
    assert_eq!(failure.code(), Some("ResourceNotFoundException"));
}
