//! Tests of signatures with certificates: AWS documents the algorithm, and no test vectors.

use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SignatureAlgorithm};

use super::test_ca::Ca;
use super::*;

const BODY: &[u8] = br#"{"durationSeconds":900}"#;

fn request(body: &[u8]) -> Request<'_> {
    let headers = [("host", "rolesanywhere.us-east-1.amazonaws.com"), ("content-type", "application/json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    Request { method: "POST", path: "/sessions", query: "", headers, body }
}

fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A request that an identity has signed.
fn signed<'a>(identity: &Identity, body: &'a [u8]) -> Request<'a> {
    let mut request = request(body);
    let added = SigningKey::Certificate(identity).sign(&request, "us-east-1", "rolesanywhere", now()).expect("signed");
    request.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
    request
}

fn checked(request: &Request<'_>) -> Result<Certificate, SignatureError> {
    let claim = Claim::read(request)?;
    claim.check_form(request, "rolesanywhere", now())?;
    claim.verify_with_certificate(request)
}

fn identity(ca: &Ca, algorithm: &'static SignatureAlgorithm) -> Identity {
    let (certificate, key) = ca.issue("client-1", algorithm);
    Identity::from_pem(&certificate, &key).expect("an identity")
}

#[test]
fn a_request_carries_its_certificate_and_names_its_serial_number() {
    let ca = Ca::new("Root");
    for (algorithm, name) in
        [(&PKCS_RSA_SHA256, "AWS4-X509-RSA-SHA256"), (&PKCS_ECDSA_P256_SHA256, "AWS4-X509-ECDSA-SHA256")]
    {
        let request = signed(&identity(&ca, algorithm), BODY);
        let authorization = request.header("authorization").expect("a signature");
        let day = now().format("%Y%m%d");
        assert!(
            authorization.starts_with(&format!(
                "{name} Credential=74565/{day}/us-east-1/rolesanywhere/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-x509, Signature="
            )),
            "{authorization}"
        );
        let certificate = checked(&request).expect("a valid signature");
        assert_eq!(certificate.common_name().as_deref(), Some("client-1"));
        assert_eq!(certificate.serial_number_in_hex(), "012345");
    }
}

#[test]
fn a_changed_request_and_another_certificate_are_refused() {
    let ca = Ca::new("Root");
    let signed = signed(&identity(&ca, &PKCS_ECDSA_P256_SHA256), BODY);
    let changed = Request { body: b"{}", ..signed.clone() };
    assert_eq!(checked(&changed), Err(SignatureError::Mismatch));
    let (other, _) = ca.issue("client-2", &PKCS_ECDSA_P256_SHA256);
    let mut swapped = signed.clone();
    let other = Certificate::from_pem(&other).expect("a certificate");
    let at = swapped.headers.iter().position(|(name, _)| name == "x-amz-x509").expect("a certificate");
    swapped.headers[at].1 = other.headers()[0].1.clone().into_bytes();
    assert_eq!(checked(&swapped), Err(SignatureError::Mismatch));
    let (other, _) = ca.issue_with("client-3", &PKCS_ECDSA_P256_SHA256, |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[9]));
    });
    let other = Certificate::from_pem(&other).expect("a certificate");
    swapped.headers[at].1 = other.headers()[0].1.clone().into_bytes();
    assert!(matches!(checked(&swapped), Err(SignatureError::Wrong(_))), "another serial number");
    swapped.headers.remove(at);
    assert!(matches!(checked(&swapped), Err(SignatureError::Incomplete(_))), "no certificate");
}

#[test]
fn each_kind_of_key_signs_only_its_algorithm() {
    let identity = identity(&Ca::new("Root"), &PKCS_RSA_SHA256);
    let mut request = signed(&identity, BODY);
    let (_, authorization) = request.headers.last_mut().expect("a signature");
    let text = String::from_utf8(authorization.clone()).expect("a text").replace("X509-RSA", "X509-ECDSA");
    *authorization = text.into_bytes();
    assert_eq!(checked(&request), Err(SignatureError::Mismatch));
    let claim = Claim::read(&request).expect("a claim");
    let by_secret = claim.verify(&request, "secret");
    assert!(matches!(&by_secret, Err(SignatureError::Incomplete(why)) if why.contains("Unsupported")), "{by_secret:?}");
}

#[test]
fn a_chain_leads_to_the_trust_anchor() {
    let root = Ca::new("Root");
    let intermediate = root.intermediate("Intermediate");
    let (own, key) = intermediate.issue("client-1", &PKCS_ECDSA_P256_SHA256);
    let anchor = Certificate::from_pem(&root.pem()).expect("a certificate");
    let chain = format!("{own}{}", intermediate.pem());
    let request = signed(&Identity::from_pem(&chain, &key).expect("an identity"), BODY);
    assert!(request.header("x-amz-x509-chain").is_some());
    let with_chain = checked(&request).expect("a valid signature");
    assert_eq!(with_chain.check_path(&anchor, now()), Ok(()));
    let alone = Certificate::from_pem(&own).expect("a certificate");
    assert!(matches!(alone.check_path(&anchor, now()), Err(Untrusted::NoPath(_))));
    let other = Certificate::from_pem(&Ca::new("Root").pem()).expect("a certificate");
    assert!(matches!(with_chain.check_path(&other, now()), Err(Untrusted::NoPath(_))));
    let later = now() + TimeDelta::days(1_000_000);
    assert_eq!(with_chain.check_path(&anchor, later), Err(Untrusted::Untimely));
}

#[test]
fn key_and_certificate_must_fit() {
    let ca = Ca::new("Root");
    let (certificate, key) = ca.issue("client-1", &PKCS_ECDSA_P256_SHA256);
    let (_, other) = ca.issue("client-2", &PKCS_ECDSA_P256_SHA256);
    let refused = |certificate: &str, key: &str| Identity::from_pem(certificate, key).map(drop);
    assert_eq!(refused(&certificate, &key), Ok(()));
    assert_eq!(refused(&certificate.replace('\n', "\r\n"), &format!("a key\n{key}")), Ok(()));
    assert_eq!(refused(&certificate, &other), Err(IdentityError::KeyOfAnother));
    assert_eq!(refused(&certificate, "x"), Err(IdentityError::KeyNotPem));
    assert_eq!(refused("x", &key), Err(IdentityError::Certificate(CertificateError::NotPem)));
    let (certificate, key) = ca.issue("client-3", &PKCS_ECDSA_P384_SHA384);
    assert_eq!(refused(&certificate, &key), Err(IdentityError::KeyUnsupported));
}

#[test]
fn a_secret_access_key_signs_what_is_verified() {
    // The request and the signature of AWS's test suite, `post-x-www-form-urlencoded`.
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let key = SecretKey { access_key_id: "AKIDEXAMPLE", secret_access_key: secret, session_token: None };
    let headers = [("host", "example.amazonaws.com"), ("content-type", "application/x-www-form-urlencoded")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    let request = Request { method: "POST", path: "/", query: "", headers, body: b"Param1=value1" };
    let at = DateTime::parse_from_rfc3339("2015-08-30T12:36:00Z").expect("a time").to_utc();
    let added = SigningKey::Secret(key).sign(&request, "us-east-1", "service", at).expect("signed");
    assert_eq!(added[0], ("x-amz-date", "20150830T123600Z".to_owned()));
    assert_eq!(
        added[1],
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
                .to_owned()
        )
    );
    let temporary = SecretKey { session_token: Some("token"), ..key };
    let added = SigningKey::Secret(temporary).sign(&request, "us-east-1", "service", at).expect("signed");
    assert!(added.contains(&("x-amz-security-token", "token".to_owned())), "{added:?}");
    assert!(!format!("{:?}", SigningKey::Secret(temporary)).contains(secret));
}
