//! Tests of the lab cloud over HTTP, with rusoto and with manually signed requests.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rusoto_core::credential::{AwsCredentials, StaticProvider};
use rusoto_core::request::{DispatchSignedRequestFuture, HttpDispatchError, HttpResponse};
use rusoto_core::{DispatchSignedRequest, Region, RusotoError};
use rusoto_ec2::Ec2Client;
use rusoto_signature::signature::SignedRequestPayload;
use rusoto_signature::{ByteStream, SignedRequest};
use rusoto_sts::{AssumeRoleRequest, GetCallerIdentityRequest, Sts, StsClient};
use serde_json::{Value, json};

use super::*;

mod cloudtrail;
mod cloudwatch_logs;
mod dispatch;
mod ec2;
mod iam;
mod kms;
mod kms_access;
mod kms_cloudhsm;
mod kms_crypto;
mod kms_custom_key_stores;
mod kms_external_keys;
mod kms_grants;
mod kms_import;
mod kms_key_store_connection;
mod kms_limits;
mod kms_own_proxy;
mod kms_replica;
mod kms_rotation;
mod kms_rusoto;
mod kms_store;
mod own_aws_calls;
mod roles_anywhere;
mod sts;
mod sts_sessions;
mod web_identity;
mod xks_proxy;

struct Lab {
    cloud: LabCloud,
}

#[derive(Clone)]
struct Keys {
    id: String,
    secret: String,
    token: Option<String>,
}

const ROLE: &str = "arn:aws:iam::789012123456:role/test-assume-role-ac";
const OPEN_ROLE: &str = "arn:aws:iam::789012123456:role/test-assume-role-open";
const IAM: &str = "Version=2010-05-08&Action=";

impl Lab {
    async fn start() -> Lab {
        let listen = "127.0.0.1:0".parse().expect("an address");
        Lab { cloud: LabCloud::start(LabPlan::built_in(), listen, None, None).await.expect("a free port") }
    }

    /// Starts a lab with the built-in plan, in which `cloudtrail` is the table of that name.
    async fn start_with_cloudtrail(cloudtrail: &str) -> Lab {
        let own = "log_group = \"aws-cloudtrail-logs-{account}\"\n";
        let plan = include_str!("../../../config/lab-cloud.toml");
        let plan = LabPlan::parse(&plan.replace(own, cloudtrail)).expect("a plan");
        let listen = "127.0.0.1:0".parse().expect("an address");
        Lab { cloud: LabCloud::start(plan, listen, None, None).await.expect("a free port") }
    }

    /// Calls an operation of CloudWatch Logs.
    async fn logs(&self, keys: &Keys, region: &str, operation: &str, parameters: &Value) -> (u16, Value) {
        let mut request = SignedRequest::new("POST", "logs", &self.region(region), "/");
        request.set_payload(Some(parameters.to_string()));
        request.set_content_type("application/x-amz-json-1.1".to_owned());
        request.add_header("x-amz-target", &format!("Logs_20140328.{operation}"));
        request.sign(&AwsCredentials::new(&keys.id, &keys.secret, keys.token.clone(), None));
        let (status, body) = self.send(request).await;
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// The events of an account's log group, decoded.
    async fn events(&self, keys: &Keys, account: &str, region: &str) -> Vec<Value> {
        let group = json!({ "logGroupName": format!("aws-cloudtrail-logs-{account}") });
        let (status, answer) = self.logs(keys, region, "FilterLogEvents", &group).await;
        assert_eq!(status, 200, "{answer}");
        let events = answer["events"].as_array().expect("events");
        let decode = |event: &Value| serde_json::from_str(event["message"].as_str().expect("a text")).expect("JSON");
        events.iter().map(decode).collect()
    }

    /// Starts a lab with the built-in plan and more TOML in the table of its first account.
    async fn start_with_first_account(more: &str) -> Lab {
        let plan = include_str!("../../../config/lab-cloud.toml");
        let (first, rest) = plan.split_once("\n[[accounts]]\nid = \"789012123456\"").expect("a second account");
        let text = format!("{first}\n{more}\n[[accounts]]\nid = \"789012123456\"{rest}");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let plan = LabPlan::parse(&text).expect("a plan");
        Lab { cloud: LabCloud::start(plan, listen, None, None).await.expect("a free port") }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.cloud.address())
    }

    fn region(&self, name: &str) -> Region {
        Region::Custom { name: name.to_owned(), endpoint: self.url("") }
    }

    fn sts(&self, keys: &Keys, region: &str) -> StsClient {
        StsClient::new_with(PlainHttp, keys.provider(), self.region(region))
    }

    fn ec2(&self, keys: &Keys, region: &str) -> Ec2Client {
        Ec2Client::new_with(PlainHttp, keys.provider(), self.region(region))
    }

    async fn assume(&self, keys: &Keys, role: &str, external_id: Option<&str>) -> Result<Keys, (u16, String)> {
        let parameters = AssumeRoleRequest {
            role_arn: role.to_owned(),
            role_session_name: "session".to_owned(),
            external_id: external_id.map(str::to_owned),
            ..Default::default()
        };
        let answer = self.sts(keys, "us-east-1").assume_role(parameters).await.map_err(raw_error)?;
        let given = answer.credentials.expect("credentials");
        Ok(Keys { id: given.access_key_id, secret: given.secret_access_key, token: Some(given.session_token) })
    }

    async fn whoami(&self, keys: &Keys, region: &str) -> Result<String, (u16, String)> {
        let answer =
            self.sts(keys, region).get_caller_identity(GetCallerIdentityRequest {}).await.map_err(raw_error)?;
        Ok(answer.arn.expect("an ARN"))
    }

    /// Sends a form, signed for `service` in `us-east-1`.
    async fn post(&self, keys: &Keys, service: &str, form: &str) -> (u16, String) {
        self.send(self.signed(keys, service, "us-east-1", form, &[])).await
    }

    fn signed(&self, keys: &Keys, service: &str, region: &str, body: &str, headers: &[(&str, &str)]) -> SignedRequest {
        let mut request = SignedRequest::new("POST", service, &self.region(region), "/");
        request.set_payload(Some(body.to_owned()));
        request.set_content_type("application/x-www-form-urlencoded".to_owned());
        for (name, value) in headers {
            request.add_header(*name, value);
        }
        request.sign(&AwsCredentials::new(&keys.id, &keys.secret, keys.token.clone(), None));
        request
    }

    /// A client of KMS for `user1`.
    fn kms<'a>(&'a self, region: &'a str) -> KmsClient<'a> {
        self.kms_as(Keys::of("user1"), region)
    }

    fn kms_as<'a>(&'a self, keys: Keys, region: &'a str) -> KmsClient<'a> {
        KmsClient { lab: self, keys, region }
    }

    /// Sets the offset of the clock of KMS.
    async fn days_ahead(&self, days: u32) {
        let setting = json!({ "ahead_seconds": days * 86_400 });
        assert_eq!(self.control(Method::PUT, "/_lab/clock", &setting).await, (200, setting));
    }

    async fn send(&self, request: SignedRequest) -> (u16, String) {
        let answer = over_the_wire(request).await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    async fn control(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let send = reqwest::Client::new().request(method, self.url(path)).body(body.to_string());
        let answer = send.send().await.expect("an answer");
        (
            answer.status().as_u16(),
            serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or(Value::Null),
        )
    }
}

impl Keys {
    fn of(user: &str) -> Keys {
        let plan = LabPlan::built_in();
        let keys = ["123456789012", "210987654321", "345678901234"]
            .into_iter()
            .find_map(|id| plan.account(id)?.user(user)?.keys.clone())
            .expect("a user of the built-in plan");
        Keys { id: keys.access_key_id().to_owned(), secret: keys.secret_access_key().to_owned(), token: None }
    }

    /// The credentials in an answer of STS.
    fn of_answer(body: &str) -> Keys {
        let text = |name: &str| {
            let rest = body.split(&format!("<{name}>")).nth(1).expect("credentials");
            rest.split('<').next().expect("a text").to_owned()
        };
        Keys { id: text("AccessKeyId"), secret: text("SecretAccessKey"), token: Some(text("SessionToken")) }
    }

    fn provider(&self) -> StaticProvider {
        StaticProvider::new(self.id.clone(), self.secret.clone(), self.token.clone(), None)
    }
}

struct KmsClient<'a> {
    lab: &'a Lab,
    keys: Keys,
    region: &'a str,
}

impl KmsClient<'_> {
    #[track_caller]
    fn call(&self, operation: &str, parameters: Value) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        let asked = format!("{operation} {parameters} at {place}");
        let answer = self.post(operation, parameters);
        async move {
            match answer.await {
                (200, answer) => answer,
                (status, answer) => panic!("{asked}: {status} {answer}"),
            }
        }
    }

    /// The code and the message of a refusal.
    #[track_caller]
    fn refusal(&self, operation: &str, parameters: Value) -> impl Future<Output = (String, String)> {
        let place = std::panic::Location::caller();
        let asked = format!("{operation} {parameters} at {place}");
        let answer = self.post(operation, parameters);
        async move {
            let (status, answer) = answer.await;
            assert_eq!(status, 400, "{asked}: {answer}");
            let text = |member: &str| answer[member].as_str().unwrap_or_default().to_owned();
            (text("__type"), text("message"))
        }
    }

    #[track_caller]
    fn code(&self, operation: &str, parameters: Value) -> impl Future<Output = String> {
        let refusal = self.refusal(operation, parameters);
        async move { refusal.await.0 }
    }

    #[track_caller]
    fn create(&self, parameters: Value) -> impl Future<Output = Value> {
        let answer = self.call("CreateKey", parameters);
        async move { answer.await["KeyMetadata"].clone() }
    }

    #[track_caller]
    fn id(&self, parameters: Value) -> impl Future<Output = String> {
        let answer = self.create(parameters);
        async move { answer.await["KeyId"].as_str().expect("an id").to_owned() }
    }

    /// A member of a key's metadata.
    async fn described(&self, id: &str, member: &str) -> Value {
        self.call("DescribeKey", json!({ "KeyId": id })).await["KeyMetadata"][member].clone()
    }

    fn post(&self, operation: &str, parameters: Value) -> impl Future<Output = (u16, Value)> {
        let region = self.lab.region(self.region);
        let mut request = SignedRequest::new("POST", "kms", &region, "/");
        request.set_payload(Some(parameters.to_string()));
        request.set_content_type("application/x-amz-json-1.1".to_owned());
        request.add_header("x-amz-target", &format!("TrentService.{operation}"));
        request.sign(&AwsCredentials::new(&self.keys.id, &self.keys.secret, self.keys.token.clone(), None));
        let send = self.lab.send(request);
        async move {
            let (status, body) = send.await;
            let answer = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).expect("JSON") };
            (status, answer)
        }
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> Value {
    json!(STANDARD.encode(bytes))
}

fn decoded(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("a text")).expect("base 64")
}

/// A dispatch for rusoto over plain HTTP. rusoto's HTTP client supports TLS only.
struct PlainHttp;

impl DispatchSignedRequest for PlainHttp {
    fn dispatch(&self, request: SignedRequest, _: Option<Duration>) -> DispatchSignedRequestFuture {
        Box::pin(async {
            let failed = |error: reqwest::Error| HttpDispatchError::new(error.to_string());
            let answer = over_the_wire(request).await.map_err(failed)?;
            let status = answer.status().as_u16().try_into().expect("a status");
            let body = ByteStream::from(answer.bytes().await.map_err(failed)?.to_vec());
            Ok(HttpResponse { status, body, headers: Default::default() })
        })
    }
}

async fn over_the_wire(request: SignedRequest) -> reqwest::Result<reqwest::Response> {
    let method: Method = request.method().parse().expect("a method");
    let url = format!("http://{}{}", request.hostname(), request.path());
    let mut send = reqwest::Client::new().request(method, url);
    for (name, values) in request.headers() {
        for value in values.iter().filter(|_| !name.eq_ignore_ascii_case("host")) {
            send = send.header(name.as_str(), value.as_slice());
        }
    }
    let body = match request.payload {
        Some(SignedRequestPayload::Buffer(body)) => body.to_vec(),
        _ => Vec::new(),
    };
    send.body(body).send().await
}

/// Status and body of an error answer that rusoto cannot parse, as those of STS.
fn raw_error<E: std::fmt::Debug>(error: RusotoError<E>) -> (u16, String) {
    match error {
        RusotoError::Unknown(answer) => (answer.status.as_u16(), answer.body_as_str().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// Asserts that a call was refused with a status and that the body contains all parts.
#[track_caller]
fn assert_refused<T>(result: Result<T, (u16, String)>, status: u16, parts: &[&str]) {
    let Err((actual, body)) = result else { panic!("not refused") };
    assert_eq!(actual, status, "{body}");
    for part in parts {
        assert!(body.contains(part), "{part} in {body}");
    }
}

fn refused((status, body): (u16, String)) -> Result<(), (u16, String)> {
    if status < 300 { Ok(()) } else { Err((status, body)) }
}
