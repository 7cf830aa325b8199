//! KMS at a fake endpoint, for tests of single calls. The functions return the request and the parsed answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::port::{AwsKms, KmsCall};
use crate::aws::failure::AwsFailure;
use crate::aws::fake::{Fake, RecordedRequest, Reply, access, client};
use crate::aws::settings::AwsSettings;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::place::Region;

pub(super) const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
pub(super) const FAMILY: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

/// The request of a call that accepts an empty answer: the operation's name and the body, in which `ID` replaces the
/// member with the key's id.
pub(super) async fn sent<C: KmsCall>(call: C) -> String {
    exchange(call, "").await.0
}

/// The request of a call as in [`sent`], and its answer parsed from a body.
pub(super) async fn exchange<C: KmsCall>(call: C, body: impl ToString) -> (String, C::Answer) {
    let body = body.to_string();
    let fake = Fake::answering(move |_, _| Reply::Http(200, body.clone())).await;
    let answer = port(&fake.settings()).call(&access(), &paris(), call).await.expect("answered");
    let all = fake.calls();
    let [sent] = all.as_slice() else { panic!("one request: {all:?}") };
    let signature = sent.header("authorization").expect("it is signed");
    assert!(signature.contains("Credential=AKIA1/") && signature.contains("/eu-west-3/kms/aws4_request"));
    assert_eq!(sent.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(sent.target(), C::OPERATION.name);
    let body: Value = serde_json::from_str(&sent.body).expect("JSON");
    (format!("{} {body}", sent.target()).replace(&format!("\"KeyId\":\"{ID}\""), "ID"), answer)
}

/// The answer of a call, parsed from a body.
pub(super) async fn answered<C: KmsCall>(call: C, body: Value) -> Result<C::Answer, AwsFailure> {
    let fake = Fake::answering(move |_, _| Reply::Http(200, body.to_string())).await;
    port(&fake.settings()).call(&access(), &paris(), call).await
}

/// The port, with short pauses between attempts.
pub(super) fn port(settings: &AwsSettings) -> Arc<dyn AwsKms> {
    Arc::new(client(settings))
}

pub(super) fn paris() -> Region {
    Region::parse("eu-west-3").expect("a region")
}

pub(super) fn key() -> AwsKeyId {
    AwsKeyId::parse(ID).expect("an id")
}

pub(super) fn alias() -> AliasName {
    AliasName::parse_own("payroll").expect("an alias")
}

pub(super) fn policy() -> PolicyText {
    PolicyText::of(&json!({"Statement": []})).expect("a policy")
}

pub(super) fn metadata() -> Value {
    json!({
        "AWSAccountId": "123456789012", "KeyId": ID, "Arn": format!("arn:aws:kms:eu-west-3:123456789012:key/{ID}"),
        "CreationDate": 1_700_000_000.125, "Enabled": true, "Description": "", "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": false
    })
}

/// A valid answer for each call in the tests.
pub(super) fn sane_answer(sent: &RecordedRequest) -> Reply {
    match sent.target().as_str() {
        "CreateKey" | "DescribeKey" => Reply::Http(200, json!({"KeyMetadata": metadata()}).to_string()),
        _ => Reply::Http(200, String::new()),
    }
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::Http(status, json!({"__type": code, "message": message}).to_string())
}
