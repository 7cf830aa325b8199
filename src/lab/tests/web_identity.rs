//! Tests of AssumeRoleWithWebIdentity.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::*;

const ISSUER: &str = "https://oidc.example/cluster";
const SUBJECT: &str = "system:serviceaccount:default:app";
const POD: &str = "arn:aws:iam::123456789012:role/pod";

struct Issuer {
    signing: EncodingKey,
    jwks: Value,
}

impl Issuer {
    fn new() -> Issuer {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new());
        let document = document.expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).expect("a key");
        let point = pair.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = json!({
            "kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256", "use": "sig",
            "x": part(&point[1..33]), "y": part(&point[33..]),
        });
        Issuer { signing: EncodingKey::from_ec_der(document.as_ref()), jwks: json!({ "keys": [key] }) }
    }

    fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": ISSUER, "sub": SUBJECT, "aud": ["sts.amazonaws.com"], "exp": Utc::now().timestamp() + 600,
        });
        change(&mut claims);
        let header = Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.signing).expect("a token")
    }

    async fn lab(&self) -> Lab {
        let more = format!(
            "[[accounts.oidc_providers]]\nurl = \"{ISSUER}\"\naudiences = [\"sts.amazonaws.com\"]\njwks = '{}'\n\
             [[accounts.roles]]\nname = \"pod\"\nallow = [\"kms:*\"]\n\
             trusts = [\"arn:aws:iam::123456789012:oidc-provider/oidc.example/cluster\"]\n\
             subjects = [\"system:serviceaccount:default:*\"]\n",
            self.jwks
        );
        Lab::start_with_first_account(&more).await
    }
}

/// Sends an unsigned form to STS.
async fn unsigned(lab: &Lab, form: &str) -> (u16, String) {
    let send = reqwest::Client::new()
        .post(lab.url("/"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let answer = send.send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

fn form(token: &str, rest: &str) -> String {
    format!(
        "Version=2011-06-15&Action=AssumeRoleWithWebIdentity&RoleArn={POD}&RoleSessionName=app&WebIdentityToken={token}\
         {rest}"
    )
}

#[tokio::test]
async fn a_token_of_a_known_issuer_gives_a_session() {
    let issuer = Issuer::new();
    let lab = issuer.lab().await;
    let tags = json!({ "principal_tags": { "Team": ["keys"] }, "transitive_tag_keys": ["Team"] });
    let token = issuer.token(|claims| claims["https://aws.amazon.com/tags"] = tags);
    let (status, body) = unsigned(&lab, &form(&token, "")).await;
    assert_eq!(status, 200, "{body}");
    for part in [
        "<SubjectFromWebIdentityToken>system:serviceaccount:default:app<",
        "<Audience>sts.amazonaws.com<",
        "<Provider>arn:aws:iam::123456789012:oidc-provider/oidc.example/cluster<",
        "<PackedPolicySize>1<",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    let session = Keys::of_answer(&body);
    let arn = "arn:aws:sts::123456789012:assumed-role/pod/app".to_owned();
    assert_eq!(lab.whoami(&session, "eu-west-3").await, Ok(arn));
    lab.kms_as(session, "eu-west-3").call("ListKeys", json!({})).await;
    // CloudTrail names the subject, without the token.
    assert_eq!(unsigned(&lab, &form("a.b.c", "")).await.0, 400);
    let events = lab.events(&Keys::of("user1"), "123456789012", "us-east-1").await;
    let [given, refused] = &events[..] else { panic!("{events:?}") };
    assert_eq!(
        (&given["eventName"], &refused["eventName"]),
        (&json!("AssumeRoleWithWebIdentity"), &given["eventName"])
    );
    let identity = &given["userIdentity"];
    assert_eq!((&identity["type"], &identity["userName"]), (&json!("WebIdentityUser"), &json!(SUBJECT)));
    assert_eq!((&given["resources"][0]["ARN"], &refused["errorCode"]), (&json!(POD), &json!("InvalidIdentityToken")));
    assert!(!json!(events).to_string().contains(&token), "{events:?}");
}

#[tokio::test]
async fn other_tokens_are_refused() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let lab = issuer.lab().await;
    let past = Utc::now().timestamp() - 1;
    for (token, status, parts) in [
        ("a.b.c".to_owned(), 400, ["<Code>InvalidIdentityToken", "is not a valid JWT"]),
        (other.token(|_| {}), 400, ["<Code>InvalidIdentityToken", "retrieve verification key"]),
        (
            issuer.token(|claims| claims["iss"] = json!("https://elsewhere.example")),
            400,
            ["<Code>InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://elsewhere."],
        ),
        (
            issuer.token(|claims| claims["aud"] = json!("vault")),
            400,
            ["<Code>InvalidIdentityToken", "Incorrect token audience"],
        ),
        (
            issuer.token(|claims| claims["exp"] = json!(past)),
            400,
            ["<Code>ExpiredTokenException", "must be before the expiration date/time"],
        ),
        (
            issuer.token(|claims| claims["sub"] = json!("system:serviceaccount:kube-system:app")),
            403,
            ["<Code>AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"],
        ),
    ] {
        assert_refused(refused(unsigned(&lab, &form(&token, "")).await), status, &parts);
    }
    let token = issuer.token(|_| {});
    let own = form(&token, "").replace("role/pod", "role/test-own-role");
    assert_refused(refused(unsigned(&lab, &own).await), 403, &["<Code>AccessDenied"]);
    let long = unsigned(&lab, &form(&token, "&DurationSeconds=3601")).await;
    assert_refused(refused(long), 400, &["MaxSessionDuration set for this role"]);
    let bare = unsigned(&lab, "Version=2011-06-15&Action=AssumeRoleWithWebIdentity").await;
    assert_refused(refused(bare), 400, &["3 validation errors detected", "webIdentityToken"]);
}
