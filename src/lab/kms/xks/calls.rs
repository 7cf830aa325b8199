//! The four calls of the proxy API, and the judgement of their answers.
//!
//! An answer that is not exactly what the specification demands counts as malformed. Unknown members are ignored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::super::crypto::Bytes;
use super::ProxyAccess;
use super::client::{Reply, XksClient};
use super::failure::{ProxyError, ProxyFailure};

const ALGORITHM: &str = "AES_GCM";
const CDIV_ALGORITHM: &str = "SHA_256";
const MAX_METADATA: usize = 20;
const TAG: usize = 16;
const MAX_USAGES: usize = 10;
const MAX_MANAGERS: usize = 10;

/// What a proxy learns about the call of KMS.
pub(super) struct RequestMetadata<'a> {
    pub principal: &'a str,
    pub operation: &'a str,
    pub request_id: &'a str,
    /// The ARN of the key; `None` while it is created.
    pub key_arn: Option<&'a str>,
}

/// What a proxy has encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab::kms) struct Encrypted {
    /// The `ciphertextMetadata`; empty if there is none.
    pub metadata: Vec<u8>,
    pub initialization_vector: Vec<u8>,
    pub authentication_tag: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

impl RequestMetadata<'_> {
    fn to_json(&self) -> Value {
        let mut metadata = json!({
            "awsPrincipalArn": self.principal,
            "kmsOperation": self.operation,
            "kmsRequestId": self.request_id,
        });
        if let Some(arn) = self.key_arn {
            metadata["kmsKeyArn"] = json!(arn);
        }
        metadata
    }
}

impl XksClient {
    /// `health`
    ///
    /// # Errors
    /// When the proxy cannot be reached, refuses, or has no external key manager that serves.
    pub(in crate::lab::kms) async fn health(
        &self,
        access: &ProxyAccess,
        region: &str,
        operation: &str,
        request_id: &str,
    ) -> Result<(), ProxyFailure> {
        let body = json!({ "requestMetadata": { "kmsRequestId": request_id, "kmsOperation": operation } });
        let answer = accepted(&self.post(access, region, "/health", "health", &body).await?)?;
        judge_health(&answer)
    }

    /// `metadata`: requires that the external key can be used.
    ///
    /// # Errors
    /// When the call fails or the key cannot be used.
    pub(super) async fn metadata(
        &self,
        access: &ProxyAccess,
        region: &str,
        key: &str,
        metadata: &RequestMetadata<'_>,
    ) -> Result<(), ProxyFailure> {
        let body = json!({ "requestMetadata": metadata.to_json() });
        let reply = self.post(access, region, &format!("/keys/{key}/metadata"), "metadata", &body).await?;
        judge_metadata(&accepted(&reply)?)
    }

    /// `encrypt`, with the integrity value checked.
    ///
    /// # Errors
    /// When the call fails.
    pub(super) async fn encrypt(
        &self,
        access: &ProxyAccess,
        region: &str,
        key: &str,
        metadata: &RequestMetadata<'_>,
        authenticated: &[u8],
        plaintext: &[u8],
    ) -> Result<Encrypted, ProxyFailure> {
        let body = json!({
            "requestMetadata": metadata.to_json(),
            "additionalAuthenticatedData": STANDARD.encode(authenticated),
            "plaintext": STANDARD.encode(plaintext),
            "encryptionAlgorithm": ALGORITHM,
            "ciphertextDataIntegrityValueAlgorithm": CDIV_ALGORITHM,
        });
        let reply = self.post(access, region, &format!("/keys/{key}/encrypt"), "encrypt", &body).await?;
        judge_encrypted(&accepted(&reply)?, authenticated, plaintext.len())
    }

    /// `decrypt`
    ///
    /// # Errors
    /// When the call fails.
    pub(super) async fn decrypt(
        &self,
        access: &ProxyAccess,
        region: &str,
        key: &str,
        metadata: &RequestMetadata<'_>,
        authenticated: &[u8],
        encrypted: &Encrypted,
    ) -> Result<Bytes, ProxyFailure> {
        let mut body = json!({
            "requestMetadata": metadata.to_json(),
            "additionalAuthenticatedData": STANDARD.encode(authenticated),
            "ciphertext": STANDARD.encode(&encrypted.ciphertext),
            "encryptionAlgorithm": ALGORITHM,
            "initializationVector": STANDARD.encode(&encrypted.initialization_vector),
            "authenticationTag": STANDARD.encode(&encrypted.authentication_tag),
        });
        if !encrypted.metadata.is_empty() {
            body["ciphertextMetadata"] = json!(STANDARD.encode(&encrypted.metadata));
        }
        let reply = self.post(access, region, &format!("/keys/{key}/decrypt"), "decrypt", &body).await?;
        let plaintext = Zeroizing::new(bytes(&accepted(&reply)?, "plaintext")?);
        if plaintext.len() == encrypted.ciphertext.len() { Ok(plaintext) } else { Err(ProxyFailure::Malformed) }
    }
}

/// The members of a successful answer.
fn accepted(reply: &Reply) -> Result<Map<String, Value>, ProxyFailure> {
    let members: Map<String, Value> = match serde_json::from_slice(&reply.body) {
        Ok(members) if reply.is_json => members,
        _ => return Err(ProxyFailure::Malformed),
    };
    if reply.status == 200 {
        return Ok(members);
    }
    let message = members.get("errorMessage");
    let is_message = |text: &str| text.len() < 512 && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if message.is_some_and(|message| !message.as_str().is_some_and(is_message)) {
        return Err(ProxyFailure::Malformed);
    }
    let error = ProxyError::named(reply.status, text(&members, "errorName")?);
    Err(error.map_or(ProxyFailure::Malformed, ProxyFailure::Refused))
}

fn judge_health(answer: &Map<String, Value>) -> Result<(), ProxyFailure> {
    let size = answer.get("xksProxyFleetSize").and_then(Value::as_u64);
    size.filter(|size| *size > 0).ok_or(ProxyFailure::Malformed)?;
    for member in ["xksProxyVendor", "xksProxyModel", "ekmVendor"] {
        text(answer, member)?;
    }
    let managers = answer.get("ekmFleetDetails").and_then(Value::as_array).ok_or(ProxyFailure::Malformed)?;
    if !(1..=MAX_MANAGERS).contains(&managers.len()) {
        return Err(ProxyFailure::Malformed);
    }
    let mut serves = false;
    for manager in managers {
        let manager = manager.as_object().ok_or(ProxyFailure::Malformed)?;
        text(manager, "id")?;
        text(manager, "model")?;
        match text(manager, "healthStatus")? {
            "ACTIVE" | "DEGRADED" => serves = true,
            "UNAVAILABLE" => {}
            _ => return Err(ProxyFailure::Malformed),
        }
    }
    if serves { Ok(()) } else { Err(ProxyFailure::ManagersUnavailable) }
}

fn judge_metadata(answer: &Map<String, Value>) -> Result<(), ProxyFailure> {
    let spec = text(answer, "keySpec")?;
    let usages = answer.get("keyUsage").and_then(Value::as_array).filter(|usages| usages.len() <= MAX_USAGES);
    let usages: Option<Vec<&str>> = usages.and_then(|usages| usages.iter().map(Value::as_str).collect());
    let usages = usages.ok_or(ProxyFailure::Malformed)?;
    let enabled = match text(answer, "keyStatus")? {
        "ENABLED" => true,
        "DISABLED" => false,
        _ => return Err(ProxyFailure::Malformed),
    };
    let fits = enabled && spec == "AES_256" && ["ENCRYPT", "DECRYPT"].iter().all(|usage| usages.contains(usage));
    if fits { Ok(()) } else { Err(ProxyFailure::UnfitKey) }
}

fn judge_encrypted(
    answer: &Map<String, Value>,
    authenticated: &[u8],
    plaintext: usize,
) -> Result<Encrypted, ProxyFailure> {
    let encrypted = Encrypted {
        metadata: match answer.get("ciphertextMetadata") {
            None | Some(Value::Null) => Vec::new(),
            Some(_) => bytes(answer, "ciphertextMetadata")?,
        },
        initialization_vector: bytes(answer, "initializationVector")?,
        authentication_tag: bytes(answer, "authenticationTag")?,
        ciphertext: bytes(answer, "ciphertext")?,
    };
    let fits = encrypted.metadata.len() <= MAX_METADATA
        && [12, 16].contains(&encrypted.initialization_vector.len())
        && encrypted.authentication_tag.len() == TAG
        && encrypted.ciphertext.len() == plaintext;
    let integrity = bytes(answer, "ciphertextDataIntegrityValue")?;
    if fits && integrity == encrypted.integrity_value(authenticated) {
        Ok(encrypted)
    } else {
        Err(ProxyFailure::Malformed)
    }
}

impl Encrypted {
    /// The `ciphertextDataIntegrityValue`.
    fn integrity_value(&self, authenticated: &[u8]) -> Vec<u8> {
        let covered =
            [authenticated, &self.metadata, &self.initialization_vector, &self.ciphertext, &self.authentication_tag];
        digest(&SHA256, &covered.concat()).as_ref().to_vec()
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<&'m str, ProxyFailure> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(ProxyFailure::Malformed)
}

/// Bytes in standard Base64 with padding.
fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, ProxyFailure> {
    STANDARD.decode(text(members, name)?).map_err(|_| ProxyFailure::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    fn changed(value: &Value, member: &str, to: Value) -> Map<String, Value> {
        let mut value = members(value.clone());
        value.insert(member.to_owned(), to);
        value
    }

    /// The example of the specification, with its integrity value.
    #[test]
    fn an_encrypted_answer_is_judged_to_the_letter() {
        let decoded = |text: &str| STANDARD.decode(text).expect("base 64");
        let authenticated = decoded("cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n");
        let answer = json!({
            "authenticationTag": "vBxN2ncH1oEkR8WVXpmyYQ==",
            "ciphertext": "ghxkK1txeDNn3q8Y",
            "ciphertextDataIntegrityValue": "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=",
            "ciphertextMetadata": "a2V5X3ZlcnNpb249MQ==",
            "initializationVector": "HMrlRw85cAJUd5Ax",
        });
        let encrypted = judge_encrypted(&members(answer.clone()), &authenticated, 12).expect("a right answer");
        assert_eq!(encrypted.metadata, b"key_version=1");
        for (member, wrong) in [
            ("authenticationTag", json!("vBxN2ncH1oEkR8WVXpmy")),
            ("ciphertext", json!("ghxkK1txeDNn3q8YAA==")),
            ("ciphertext", json!("ghxkK1txeDNn3q-Y")),
            ("ciphertextDataIntegrityValue", json!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")),
            ("ciphertextDataIntegrityValue", Value::Null),
            ("ciphertextMetadata", json!(STANDARD.encode([0; 21]))),
            ("ciphertextMetadata", json!("a2V5X3ZlcnNpb249MQ")),
            ("initializationVector", json!("HMrlRw85cAJUd5A=")),
            ("initializationVector", json!(7)),
        ] {
            let judged = judge_encrypted(&changed(&answer, member, wrong.clone()), &authenticated, 12);
            assert_eq!(judged, Err(ProxyFailure::Malformed), "{member}: {wrong}");
        }
    }

    #[test]
    fn health_needs_all_members_and_one_manager_that_serves() {
        let manager = |status: &str| json!({ "id": "a", "model": "m", "healthStatus": status });
        let answer = json!({
            "xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "v",
            "ekmFleetDetails": [manager("UNAVAILABLE"), manager("DEGRADED")],
        });
        assert_eq!(judge_health(&members(answer.clone())), Ok(()));
        let unavailable = changed(&answer, "ekmFleetDetails", json!([manager("UNAVAILABLE")]));
        assert_eq!(judge_health(&unavailable), Err(ProxyFailure::ManagersUnavailable));
        for (member, wrong) in [
            ("xksProxyFleetSize", json!(0)),
            ("xksProxyFleetSize", json!(1.5)),
            ("xksProxyFleetSize", json!("1")),
            ("xksProxyVendor", Value::Null),
            ("xksProxyModel", json!(1)),
            ("ekmVendor", Value::Null),
            ("ekmFleetDetails", json!([])),
            ("ekmFleetDetails", json!(vec![manager("ACTIVE"); 11])),
            ("ekmFleetDetails", json!([manager("FINE")])),
            ("ekmFleetDetails", json!([{ "id": "a", "healthStatus": "ACTIVE" }])),
        ] {
            let judged = judge_health(&changed(&answer, member, wrong.clone()));
            assert_eq!(judged, Err(ProxyFailure::Malformed), "{member}: {wrong}");
        }
    }

    #[test]
    fn an_external_key_must_be_an_enabled_key_that_encrypts_and_decrypts() {
        let answer =
            json!({ "keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT", "SIGN"], "keyStatus": "ENABLED" });
        assert_eq!(judge_metadata(&members(answer.clone())), Ok(()));
        for (member, other, failure) in [
            ("keySpec", json!("RSA_2048"), ProxyFailure::UnfitKey),
            ("keyUsage", json!(["ENCRYPT"]), ProxyFailure::UnfitKey),
            ("keyStatus", json!("DISABLED"), ProxyFailure::UnfitKey),
            ("keyStatus", json!("enabled"), ProxyFailure::Malformed),
            ("keyUsage", json!("ENCRYPT"), ProxyFailure::Malformed),
            ("keyUsage", json!(vec!["ENCRYPT"; 11]), ProxyFailure::Malformed),
            ("keySpec", Value::Null, ProxyFailure::Malformed),
        ] {
            assert_eq!(judge_metadata(&changed(&answer, member, other.clone())), Err(failure), "{member}: {other}");
        }
    }

    #[test]
    fn an_error_needs_its_status_and_a_short_printable_message() {
        let reply = |status, body: Value| Reply { status, is_json: true, body: body.to_string().into() };
        let failure = |status, body| accepted(&reply(status, body)).expect_err("a failure");
        let refused = ProxyFailure::Refused(ProxyError::KeyNotFound);
        assert_eq!(failure(404, json!({ "errorName": "KeyNotFoundException" })), refused);
        assert_eq!(
            failure(404, json!({ "errorName": "KeyNotFoundException", "errorMessage": "No such key." })),
            refused
        );
        for (status, body) in [
            (400, json!({ "errorName": "KeyNotFoundException" })),
            (404, json!({ "errorName": "NotFound" })),
            (404, json!({})),
            (404, json!([])),
            (404, json!({ "errorName": "KeyNotFoundException", "errorMessage": "x".repeat(512) })),
            (404, json!({ "errorName": "KeyNotFoundException", "errorMessage": "é" })),
            (204, json!({})),
        ] {
            assert_eq!(failure(status, body.clone()), ProxyFailure::Malformed, "{status} {body}");
        }
        let text = Reply { is_json: false, ..reply(200, json!({})) };
        assert_eq!(accepted(&text), Err(ProxyFailure::Malformed));
    }
}
