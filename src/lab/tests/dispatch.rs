//! Tests of the checks before a service is called, and of the control endpoints.

use std::time::Duration;

use chrono::Utc;
use rusoto_core::credential::AwsCredentials;

use super::*;

#[tokio::test]
async fn action_service_and_version_must_match() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    for (service, form, status, part) in [
        ("sts", "Version=2011-06-15&Action=Dance", 400, "Could not find operation Dance for version 2011-06-15"),
        ("sts", "Action=GetCallerIdentity", 400, "for version NO_VERSION_SPECIFIED"),
        ("sts", "Version=2011-06-15", 400, "<Code>MissingAction</Code>"),
        ("ec2", "Version=2016-11-15&Action=Dance", 400, "The action Dance is not valid for this web service."),
        ("iam", "Version=2011-06-15&Action=GetCallerIdentity", 403, "correct service: &apos;sts&apos;"),
        ("sts", "Version=2016-11-15&Action=DescribeRegions", 401, "<Code>AuthFailure</Code>"),
    ] {
        assert_refused(refused(lab.post(&keys, service, form).await), status, &[part]);
    }
    let elsewhere = lab.signed(&keys, "iam", "eu-west-3", &format!("{IAM}ListUsers"), &[]);
    assert_eq!(lab.send(elsewhere).await.0, 200, "IAM accepts a signature for any region");
    let target = [("x-amz-target", "TrentService.Dance")];
    let json = lab.signed(&keys, "kms", "eu-west-3", "{}", &target);
    assert_eq!(lab.send(json).await, (400, r#"{"__type":"UnknownOperationException"}"#.to_owned()));
    let other = lab.signed(&Keys { secret: "x".repeat(40), ..keys }, "kms", "eu-west-3", "{}", &target);
    assert_refused(refused(lab.send(other).await), 400, &[r#""__type":"InvalidSignatureException""#]);
}

#[tokio::test]
async fn unsigned_oversized_and_presigned_requests_are_handled() {
    let lab = Lab::start().await;
    let client = reqwest::Client::new();
    let bare = client.post(lab.url("/")).body("Version=2011-06-15&Action=GetCallerIdentity").send().await;
    let bare = bare.expect("an answer");
    assert!(bare.headers().contains_key("x-amzn-requestid"));
    assert_eq!(bare.headers()["content-type"], "text/xml");
    assert_eq!(bare.status(), 403);
    assert!(bare.text().await.expect("a text").contains("<Code>MissingAuthenticationToken</Code>"));
    let large = client.post(lab.url("/")).body(vec![b'a'; 2 << 20]).send().await.expect("an answer");
    assert_eq!(large.status(), 413);
    let mut presigned = SignedRequest::new("GET", "sts", &lab.region("us-east-1"), "/");
    presigned.add_param("Action", "GetCallerIdentity");
    presigned.add_param("Version", "2011-06-15");
    let keys = Keys::of("user1");
    let credentials = AwsCredentials::new(&keys.id, &keys.secret, None, None);
    let url = presigned.generate_presigned_url(&credentials, &Duration::from_secs(60), true);
    let url = format!("http{}", url.trim_start_matches("https").trim_start_matches("http"));
    let answer = client.get(url).send().await.expect("an answer");
    let (status, body) = (answer.status().as_u16(), answer.text().await.expect("a text"));
    assert!(status == 200 && body.contains(":user/user1</Arn>"), "{status} {body}");
}

#[tokio::test]
async fn faults_are_injected_and_calls_are_counted() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let order = |answer: &str| json!([{ "service": "sts", "region": "eu-west-3", "answer": answer }]);
    for (answer, status, part) in [
        ("throttle", 400, "<Code>Throttling</Code>"),
        ("internal", 500, "<Type>Receiver</Type>"),
        ("unavailable", 503, "<Code>ServiceUnavailable</Code>"),
        ("deny", 403, "explicit deny"),
    ] {
        assert_eq!(lab.control(Method::PUT, "/_lab/faults", &order(answer)).await.0, 200);
        lab.whoami(&keys, "us-east-1").await.expect("another region");
        // The request is sent without rusoto, which retries after status 500.
        let form = "Version=2011-06-15&Action=GetCallerIdentity";
        let request = lab.signed(&keys, "sts", "eu-west-3", form, &[]);
        assert_refused(refused(lab.send(request).await), status, &[part]);
        lab.whoami(&keys, "eu-west-3").await.expect("only once");
    }
    assert_eq!(lab.control(Method::PUT, "/_lab/faults", &order("drop")).await.0, 200);
    let dropped = reqwest::Client::new().post(lab.url("/")).body("Version=2011-06-15&Action=X");
    let request = lab.signed(&keys, "sts", "eu-west-3", "Version=2011-06-15&Action=X", &[]);
    let authorization = request.headers().get("authorization").and_then(|values| values.first()).expect("signed");
    let dropped = dropped.header("authorization", authorization.as_slice()).header("x-amz-date", "20200101T000000Z");
    assert!(dropped.send().await.is_err());
    let slow = json!([{ "delay_ms": 150, "times": 1 }]);
    assert_eq!(lab.control(Method::PUT, "/_lab/faults", &slow).await.0, 200);
    let before = Utc::now();
    lab.whoami(&keys, "us-east-1").await.expect("late");
    assert!(Utc::now() - before >= chrono::TimeDelta::milliseconds(150));
    let (_, counts) = lab.control(Method::GET, "/_lab/calls", &Value::Null).await;
    assert_eq!(counts["sts:GetCallerIdentity"], json!({ "eu-west-3": 8, "us-east-1": 5 }));
    assert_eq!(lab.control(Method::DELETE, "/_lab/calls", &Value::Null).await.0, 204);
    assert_eq!(lab.control(Method::GET, "/_lab/calls", &Value::Null).await.1, json!({}));
}

#[tokio::test]
async fn control_endpoints_accept_only_local_and_well_formed_requests() {
    let lab = Lab::start().await;
    let (status, health) = lab.control(Method::GET, "/_lab/health", &Value::Null).await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    for (method, path, body, status) in [
        (Method::PUT, "/_lab/faults", json!({ "service": "sts" }), 400),
        (Method::PUT, "/_lab/faults", json!([{ "colour": "red" }]), 400),
        (Method::POST, "/_lab/health", Value::Null, 405),
        (Method::GET, "/_lab/other", Value::Null, 404),
    ] {
        let (actual, answer) = lab.control(method, path, &body).await;
        assert_eq!(actual, status, "{path} {answer}");
        assert!(answer["error"].is_string(), "{answer}");
    }
    let foreign = reqwest::Client::new().get(lab.url("/_lab/health")).header("host", "lab.example").send().await;
    assert_eq!(foreign.expect("an answer").status(), 403);
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_once() {
    let lab = Lab::start().await;
    let outside = LabCloud::start(LabPlan::built_in(), "0.0.0.0:0".parse().expect("an address"), None, None).await;
    assert!(matches!(outside, Err(LabError::NotLoopback(_))), "{outside:?}");
    let taken = LabCloud::start(LabPlan::built_in(), lab.cloud.address(), None, None).await;
    assert!(matches!(taken, Err(LabError::Listen { .. })), "{taken:?}");
    let address = lab.cloud.address();
    lab.cloud.stop().await;
    let again = LabCloud::start(LabPlan::built_in(), address, None, None).await.expect("the port is free again");
    again.stop().await;
}

#[tokio::test]
async fn a_call_to_a_service_that_is_not_there_says_so() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let message = "The lab cloud has no service s3. It has: sts, ec2, iam, kms, rolesanywhere, cloudhsm, logs.";
    assert_refused(refused(lab.post(&keys, "s3", "").await), 501, &["<Code>NotImplemented</Code>", message]);
    let target = [("x-amz-target", "DynamoDB_20120810.ListTables")];
    let (status, body) = lab.send(lab.signed(&keys, "dynamodb", "eu-west-3", "{}", &target)).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["__type"]), (501, &json!("NotImplemented")));
    assert!(body["message"].as_str().expect("a message").contains("no service dynamodb"), "{body}");
}

#[tokio::test]
async fn the_port_speaks_http_and_https() {
    let named = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let key = rustls_pki_types::PrivateKeyDer::try_from(named.signing_key.serialize_der()).expect("a key");
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![named.cert.der().clone()], key))
        .expect("a configuration");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let cloud = LabCloud::start(LabPlan::built_in(), listen, None, Some(tls)).await.expect("a free port");
    let trusted = reqwest::Certificate::from_der(named.cert.der()).expect("a certificate");
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().expect("a client");
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{}/_lab/health", cloud.address());
        for _ in 0..2 {
            let answer = client.get(&url).send().await.expect("an answer").text().await.expect("a text");
            assert!(answer.contains("\"ok\""), "{scheme}: {answer}");
        }
    }
    let stranger = reqwest::Client::builder().no_proxy().build().expect("a client");
    assert!(stranger.get(format!("https://{}/_lab/health", cloud.address())).send().await.is_err());
    let address = cloud.address();
    cloud.stop().await;
    tokio::task::yield_now().await;
    assert!(client.get(format!("http://{address}/_lab/health")).send().await.is_err());
}
