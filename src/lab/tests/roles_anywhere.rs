//! Tests of IAM Roles Anywhere.

use chrono::Utc;
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};

use super::*;
use crate::sigv4::test_ca::Ca;
use crate::sigv4::{Identity, Request, SigningKey};

const ANCHOR: &str = "arn:aws:rolesanywhere:eu-west-3:123456789012:trust-anchor/00000000-0000-4000-8000-000000000001";
const PROFILE: &str = "arn:aws:rolesanywhere:eu-west-3:123456789012:profile/00000000-0000-4000-8000-000000000002";
const ROLE: &str = "arn:aws:iam::123456789012:role/anywhere";

async fn lab(ca: &Ca) -> Lab {
    let more = format!(
        "[[accounts.trust_anchors]]\nid = \"00000000-0000-4000-8000-000000000001\"\nregion = \"eu-west-3\"\n\
         certificate = '''\n{}'''\n\
         [[accounts.profiles]]\nid = \"00000000-0000-4000-8000-000000000002\"\nregion = \"eu-west-3\"\n\
         roles = [\"anywhere\", \"not-trusting\"]\nsession_seconds = 1800\n\
         [[accounts.roles]]\nname = \"anywhere\"\ntrusts = [\"rolesanywhere.amazonaws.com\"]\nallow = [\"kms:*\"]\n\
         [[accounts.roles]]\nname = \"not-trusting\"\n",
        ca.pem()
    );
    Lab::start_with_first_account(&more).await
}

/// The parameters of CreateSession, changed.
fn parameters(change: impl FnOnce(&mut Value)) -> Value {
    let mut parameters = json!({ "trustAnchorArn": ANCHOR, "profileArn": PROFILE, "roleArn": ROLE });
    change(&mut parameters);
    parameters
}

async fn create_session(lab: &Lab, identity: &Identity, region: &str, parameters: &Value) -> (u16, String, Value) {
    let body = parameters.to_string();
    let host = lab.cloud.address().to_string();
    let headers =
        vec![("host".to_owned(), host.into_bytes()), ("content-type".to_owned(), b"application/json".to_vec())];
    let request = Request { method: "POST", path: "/sessions", query: "", headers, body: body.as_bytes() };
    let added = SigningKey::Certificate(identity).sign(&request, region, "rolesanywhere", Utc::now()).expect("signed");
    let mut send = reqwest::Client::new().post(lab.url("/sessions")).header("content-type", "application/json");
    for (name, value) in added {
        send = send.header(name, value);
    }
    let answer = send.body(body).send().await.expect("an answer");
    let kind = answer.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, kind) = (answer.status().as_u16(), kind.to_owned());
    let body = answer.text().await.expect("a text");
    (status, kind, serde_json::from_str(&body).expect("JSON"))
}

#[tokio::test]
async fn a_certificate_of_a_trust_anchor_gives_a_session() {
    let ca = Ca::new("Root");
    let lab = lab(&ca).await;
    for algorithm in [&PKCS_RSA_SHA256, &PKCS_ECDSA_P256_SHA256] {
        let (certificate, key) = ca.issue("client-1", algorithm);
        let identity = Identity::from_pem(&certificate, &key).expect("an identity");
        let (status, _, body) = create_session(&lab, &identity, "eu-west-3", &parameters(|_| {})).await;
        assert_eq!(status, 201, "{body}");
        let set = &body["credentialSet"][0];
        assert_eq!(set["sourceIdentity"], "CN=client-1");
        let arn = "arn:aws:sts::123456789012:assumed-role/anywhere/012345";
        assert_eq!(set["assumedRoleUser"]["arn"], arn);
        let text = |name: &str| set["credentials"][name].as_str().expect("a text").to_owned();
        let session =
            Keys { id: text("accessKeyId"), secret: text("secretAccessKey"), token: Some(text("sessionToken")) };
        assert_eq!(lab.whoami(&session, "us-east-1").await, Ok(arn.to_owned()));
        lab.kms_as(session, "eu-west-3").call("ListKeys", json!({})).await;
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let ca = Ca::new("Root");
    let lab = lab(&ca).await;
    let (certificate, key) = ca.issue("client-1", &PKCS_ECDSA_P256_SHA256);
    let identity = Identity::from_pem(&certificate, &key).expect("an identity");
    let elsewhere = "arn:aws:rolesanywhere:eu-west-3:123456789012:trust-anchor/00000000-0000-4000-8000-000000000009";
    for (region, parameters, status, code, part) in [
        (
            "eu-west-3",
            parameters(|p| p["trustAnchorArn"] = json!(elsewhere)),
            404,
            "ResourceNotFoundException",
            "anchor",
        ),
        ("eu-west-3", parameters(|p| p["profileArn"] = Value::Null), 400, "ValidationException", "profileArn"),
        ("eu-west-1", parameters(|_| {}), 400, "ValidationException", "not in region eu-west-1"),
        ("eu-west-3", parameters(|p| p["durationSeconds"] = json!(5)), 400, "ValidationException", "durationSeconds"),
        (
            "eu-west-3",
            parameters(|p| p["roleArn"] = json!("arn:aws:iam::123456789012:role/test-own-role")),
            403,
            "AccessDeniedException",
            "not in the profile",
        ),
        (
            "eu-west-3",
            parameters(|p| p["roleArn"] = json!("arn:aws:iam::123456789012:role/not-trusting")),
            403,
            "AccessDeniedException",
            "Unable to assume role",
        ),
        (
            "eu-west-3",
            parameters(|p| p["roleSessionName"] = json!("mine")),
            403,
            "AccessDeniedException",
            "Not authorized to set roleSessionName.",
        ),
    ] {
        let (actual, kind, body) = create_session(&lab, &identity, region, &parameters).await;
        assert_eq!((actual, kind.as_str()), (status, code), "{body}");
        assert!(body["message"].as_str().expect("a message").contains(part), "{part} in {body}");
    }
    let (certificate, key) = Ca::new("Root").issue("client-1", &PKCS_ECDSA_P256_SHA256);
    let stranger = Identity::from_pem(&certificate, &key).expect("an identity");
    let (status, kind, body) = create_session(&lab, &stranger, "eu-west-3", &parameters(|_| {})).await;
    assert_eq!((status, kind.as_str()), (403, "AccessDeniedException"));
    assert_eq!(body["message"], "Untrusted signing certificate");
    let signed = lab.signed(&Keys::of("user1"), "rolesanywhere", "eu-west-3", "{}", &[]);
    assert_eq!(lab.send(signed).await.0, 404, "no operation has the path /");
}
