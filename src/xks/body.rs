//! The bodies of calls: JSON objects whose known members must have the right type, and whose other members are ignored.
//! No message repeats anything of a body, which may be a plaintext.

use super::error::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// The longest ARN that AWS may send, and the longest of the other texts.
pub(super) const LONGEST_TEXT: usize = 2048;

/// A text of a body, which is copied only if it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'b>(#[serde(borrow)] Cow<'b, str>);

/// Who called AWS, and how. Every member is optional here; [`CallerMetadata::check`] has the required ones.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CallerMetadata<'b> {
    #[serde(borrow, deserialize_with = "present")]
    aws_principal_arn: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    aws_source_vpc: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    aws_source_vpce: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    kms_key_arn: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    kms_operation: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    kms_request_id: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    kms_via_service: Option<Text<'b>>,
}

/// The members of `requestMetadata` that `health` knows.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HealthMetadata<'b> {
    #[serde(borrow, deserialize_with = "present")]
    kms_operation: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    kms_request_id: Option<Text<'b>>,
}

/// Any body, as far as its metadata.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataBody<'b> {
    #[serde(borrow, default)]
    request_metadata: Option<&'b RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EncryptBody<'b> {
    #[serde(borrow)]
    request_metadata: Option<&'b RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    plaintext: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    encryption_algorithm: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    additional_authenticated_data: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    ciphertext_data_integrity_value_algorithm: Option<Text<'b>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DecryptBody<'b> {
    #[serde(borrow)]
    request_metadata: Option<&'b RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    ciphertext: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    encryption_algorithm: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    initialization_vector: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    authentication_tag: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    ciphertext_metadata: Option<Text<'b>>,
    #[serde(borrow, deserialize_with = "present")]
    additional_authenticated_data: Option<Text<'b>>,
}

/// The arguments of `encrypt`, decoded.
pub(super) struct EncryptArguments {
    pub plaintext: Zeroizing<Vec<u8>>,
    pub aad: Vec<u8>,
    /// Whether the answer must have the ciphertext data integrity value.
    pub integrity_value: bool,
}

/// The arguments of `decrypt`, decoded.
pub(super) struct DecryptArguments {
    pub ciphertext: Vec<u8>,
    pub aad: Vec<u8>,
    pub iv: Vec<u8>,
    pub tag: Vec<u8>,
    pub metadata: Vec<u8>,
}

/// Reads the body of `health`. The caller's metadata is there as soon as it can be read, so that a refusal can be
/// reported with it.
pub(super) fn read_health<'b>(body: &'b [u8], caller: &mut Option<CallerMetadata<'b>>) -> Result<(), Refusal> {
    let HealthMetadata { kms_operation, kms_request_id } =
        metadata(object::<MetadataBody<'b>>(body)?.request_metadata)?;
    caller.insert(CallerMetadata { kms_operation, kms_request_id, ..CallerMetadata::default() }).check_request()
}

/// Reads the body of `metadata`, like [`read_health`].
pub(super) fn read_metadata<'b>(body: &'b [u8], caller: &mut Option<CallerMetadata<'b>>) -> Result<(), Refusal> {
    caller.insert(metadata(object::<MetadataBody<'b>>(body)?.request_metadata)?).check()
}

/// Reads the body of `encrypt`, like [`read_health`].
pub(super) fn read_encrypt<'b>(
    body: &'b [u8],
    caller: &mut Option<CallerMetadata<'b>>,
) -> Result<EncryptArguments, Refusal> {
    let body: EncryptBody<'b> = object(body)?;
    let metadata = caller.insert(metadata(body.request_metadata)?);
    metadata.check()?;
    metadata.check_key()?;
    check_algorithm(body.encryption_algorithm)?;
    let integrity_value = match body.ciphertext_data_integrity_value_algorithm {
        None => false,
        Some(Text(name)) if name == "SHA_256" => true,
        Some(_) => return Err(Refusal::validation("ciphertextDataIntegrityValueAlgorithm must be SHA_256")),
    };
    Ok(EncryptArguments {
        plaintext: Zeroizing::new(required_bytes("plaintext", body.plaintext)?),
        aad: optional_bytes("additionalAuthenticatedData", body.additional_authenticated_data)?,
        integrity_value,
    })
}

/// Reads the body of `decrypt`, like [`read_health`].
pub(super) fn read_decrypt<'b>(
    body: &'b [u8],
    caller: &mut Option<CallerMetadata<'b>>,
) -> Result<DecryptArguments, Refusal> {
    let body: DecryptBody<'b> = object(body)?;
    let metadata = caller.insert(metadata(body.request_metadata)?);
    metadata.check()?;
    metadata.check_key()?;
    check_algorithm(body.encryption_algorithm)?;
    Ok(DecryptArguments {
        ciphertext: required_bytes("ciphertext", body.ciphertext)?,
        aad: optional_bytes("additionalAuthenticatedData", body.additional_authenticated_data)?,
        iv: required_bytes("initializationVector", body.initialization_vector)?,
        tag: required_bytes("authenticationTag", body.authentication_tag)?,
        metadata: optional_bytes("ciphertextMetadata", body.ciphertext_metadata)?,
    })
}

impl CallerMetadata<'_> {
    pub(super) fn principal(&self) -> Option<&str> {
        text(self.aws_principal_arn.as_ref())
    }

    pub(super) fn source_vpc(&self) -> Option<&str> {
        text(self.aws_source_vpc.as_ref())
    }

    pub(super) fn source_vpce(&self) -> Option<&str> {
        text(self.aws_source_vpce.as_ref())
    }

    pub(super) fn key_arn(&self) -> Option<&str> {
        text(self.kms_key_arn.as_ref())
    }

    pub(super) fn kms_operation(&self) -> Option<&str> {
        text(self.kms_operation.as_ref())
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        text(self.kms_request_id.as_ref())
    }

    pub(super) fn via_service(&self) -> Option<&str> {
        text(self.kms_via_service.as_ref())
    }

    fn check(&self) -> Result<(), Refusal> {
        required_text("awsPrincipalArn", self.principal())?;
        self.check_request()?;
        let optional = [
            ("awsSourceVpc", self.source_vpc()),
            ("awsSourceVpce", self.source_vpce()),
            ("kmsKeyArn", self.key_arn()),
            ("kmsViaService", self.via_service()),
        ];
        optional.into_iter().try_for_each(|(name, value)| value.map_or(Ok(()), |value| check_length(name, value)))
    }

    /// The members that every operation requires.
    fn check_request(&self) -> Result<(), Refusal> {
        required_text("kmsOperation", self.kms_operation())?;
        required_text("kmsRequestId", self.request_id())
    }

    fn check_key(&self) -> Result<(), Refusal> {
        required_text("kmsKeyArn", self.key_arn())
    }
}

fn text<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(|Text(text)| text.as_ref())
}

fn required_text(name: &str, value: Option<&str>) -> Result<(), Refusal> {
    match value {
        None | Some("") => Err(Refusal::validation(format!("requestMetadata.{name} is missing"))),
        Some(value) => check_length(name, value),
    }
}

fn check_length(name: &str, value: &str) -> Result<(), Refusal> {
    if value.len() <= LONGEST_TEXT {
        return Ok(());
    }
    Err(Refusal::validation(format!("requestMetadata.{name} is longer than {LONGEST_TEXT} bytes")))
}

fn check_algorithm(algorithm: Option<Text<'_>>) -> Result<(), Refusal> {
    match algorithm {
        Some(Text(name)) if name == "AES_GCM" => Ok(()),
        Some(_) => Err(Refusal::validation("encryptionAlgorithm must be AES_GCM")),
        None => Err(Refusal::validation("encryptionAlgorithm is missing")),
    }
}

fn required_bytes(name: &str, text: Option<Text<'_>>) -> Result<Vec<u8>, Refusal> {
    let text = text.ok_or_else(|| Refusal::validation(format!("{name} is missing")))?;
    decode(name, &text)
}

fn optional_bytes(name: &str, text: Option<Text<'_>>) -> Result<Vec<u8>, Refusal> {
    text.map_or_else(|| Ok(Vec::new()), |text| decode(name, &text))
}

/// Decodes standard Base64 with its padding; blanks, other alphabets and stray bits are refused.
fn decode(name: &str, Text(text): &Text<'_>) -> Result<Vec<u8>, Refusal> {
    STANDARD
        .decode(text.as_bytes())
        .map_err(|_| Refusal::validation(format!("{name} is not standard Base64 with its padding")))
}

/// Parses a JSON object. serde would take an array for the members in their order.
fn object<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    if body.iter().find(|byte| !blank(byte)) != Some(&b'{') {
        return Err(Refusal::validation("the body is not a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| malformed("the body", &error))
}

fn metadata<'b, T: Deserialize<'b>>(value: Option<&'b RawValue>) -> Result<T, Refusal> {
    let text = value.map(RawValue::get).filter(|text| *text != "null");
    let text = text.ok_or_else(|| Refusal::validation("requestMetadata is missing"))?;
    if !text.starts_with('{') {
        return Err(Refusal::validation("requestMetadata is not a JSON object"));
    }
    serde_json::from_str(text).map_err(|error| malformed("requestMetadata", &error))
}

fn malformed(what: &str, error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    Refusal::validation(format!(
        "{what} is not valid JSON, or a member has the wrong type or is there twice (line {line}, column {column})"
    ))
}

/// A member that is there has a value: `null` is refused.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
