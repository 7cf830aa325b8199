//! Encrypt, Decrypt and ReEncrypt, with symmetric keys and RSA key pairs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::call::{Call, CryptoKey, Names};
use super::crypto::{self, Blob, Bytes};
use super::key::Key;
use super::recipient::Recipient;
use super::request::Request;
use super::spec::Usage;
use super::xks::ExternalBlob;
use super::{Answer, asymmetric, exception};
use crate::lab::refusal::Refusal;

/// The sizes of plaintexts and ciphertexts, in bytes.
pub(super) const PLAINTEXT: (usize, usize) = (1, 4096);
const CIPHERTEXT: (usize, usize) = (1, 6144);
/// In the order of AWS's messages.
const ALGORITHMS: [&str; 4] = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT"];
const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";

type Context = BTreeMap<String, String>;

/// `Encrypt`
pub(super) async fn encrypt(call: &Call<'_>, mut request: Request<'_>) -> Answer {
    let name = request.key_id();
    let plaintext = request.required_secret("Plaintext", PLAINTEXT);
    let algorithm = request.choice("EncryptionAlgorithm", &ALGORITHMS).unwrap_or(SYMMETRIC);
    let context = request.map("EncryptionContext");
    let dry = request.flag("DryRun");
    request.finish()?;
    let crypto_key = call.crypto_key(name, Usage::EncryptDecrypt, call.operation)?;
    let ciphertext = seal(call, &crypto_key, algorithm, &context, &plaintext, dry).await?;
    refuse_dry_run(dry)?;
    Ok(json!({
        "KeyId": crypto_key.arn,
        "CiphertextBlob": STANDARD.encode(ciphertext),
        "EncryptionAlgorithm": algorithm,
    }))
}

/// `Decrypt`
pub(super) async fn decrypt(call: &Call<'_>, mut request: Request<'_>) -> Answer {
    let name = request.text("KeyId", (1, 2048));
    let ciphertext = request.required_bytes("CiphertextBlob", CIPHERTEXT);
    let algorithm = request.choice("EncryptionAlgorithm", &ALGORITHMS).unwrap_or(SYMMETRIC);
    let context = request.map("EncryptionContext");
    let dry = request.flag("DryRun");
    let recipient = Recipient::read(&mut request);
    request.finish()?;
    recipient.refuse()?;
    let asked = Asked { action: "Decrypt", name, algorithm, context: &context, dry };
    let opened = open(call, &asked, &ciphertext).await?;
    refuse_dry_run(dry)?;
    let mut answer = json!({
        "KeyId": opened.crypto_key.arn,
        "Plaintext": STANDARD.encode(&opened.plaintext),
        "EncryptionAlgorithm": algorithm,
    });
    if algorithm == SYMMETRIC {
        answer["KeyMaterialId"] = json!(opened.crypto_key.material_id);
    }
    Ok(answer)
}

/// `ReEncrypt`
pub(super) async fn re_encrypt(call: &Call<'_>, mut request: Request<'_>) -> Answer {
    let ciphertext = request.required_bytes("CiphertextBlob", CIPHERTEXT);
    let from = request.text("SourceKeyId", (1, 2048));
    let to = request.required("DestinationKeyId", (1, 2048));
    let from_algorithm = request.choice("SourceEncryptionAlgorithm", &ALGORITHMS).unwrap_or(SYMMETRIC);
    let to_algorithm = request.choice("DestinationEncryptionAlgorithm", &ALGORITHMS).unwrap_or(SYMMETRIC);
    let from_context = request.map("SourceEncryptionContext");
    let to_context = request.map("DestinationEncryptionContext");
    let dry = request.flag("DryRun");
    request.finish()?;
    let (action, algorithm, context) = ("ReEncryptFrom", from_algorithm, &from_context);
    let asked = Asked { action, name: from, algorithm, context, dry };
    let opened = open(call, &asked, &ciphertext).await?;
    let crypto_key = call.crypto_key(to, Usage::EncryptDecrypt, "ReEncryptTo")?;
    let sealed = seal(call, &crypto_key, to_algorithm, &to_context, &opened.plaintext, dry).await?;
    refuse_dry_run(dry)?;
    let mut answer = json!({
        "CiphertextBlob": STANDARD.encode(sealed),
        "SourceKeyId": opened.crypto_key.arn,
        "KeyId": crypto_key.arn,
        "SourceEncryptionAlgorithm": from_algorithm,
        "DestinationEncryptionAlgorithm": to_algorithm,
    });
    for (member, crypto_key) in [("SourceKeyMaterialId", &opened.crypto_key), ("DestinationKeyMaterialId", &crypto_key)]
    {
        if crypto_key.spec.is_symmetric() {
            answer[member] = json!(crypto_key.material_id);
        }
    }
    Ok(answer)
}

/// Encrypts with a key. A dry run does not call the proxy of an external key.
///
/// # Errors
/// The refusal if the algorithm, the context or the length is invalid for the key, or if its proxy fails.
pub(super) async fn seal(
    call: &Call<'_>,
    crypto_key: &CryptoKey,
    algorithm: &str,
    context: &Context,
    plaintext: &[u8],
    dry: bool,
) -> Result<Vec<u8>, Refusal> {
    let sealed = seal_in_kms(crypto_key, algorithm, context, plaintext)?;
    match crypto_key.external.as_ref().filter(|_| !dry) {
        Some(external) => external.seal(call, crypto_key, context, &sealed).await,
        None => Ok(sealed),
    }
}

/// Encrypts with the material that KMS has of a key.
///
/// # Errors
/// The refusal if the algorithm, the context or the length is invalid for the key.
pub(super) fn seal_in_kms(
    crypto_key: &CryptoKey,
    algorithm: &str,
    context: &Context,
    plaintext: &[u8],
) -> Result<Vec<u8>, Refusal> {
    crypto_key.require_algorithm(algorithm)?;
    if algorithm == SYMMETRIC {
        return crypto::seal(&crypto_key.material_id, crypto_key.secret()?, context, plaintext);
    }
    require_no_context(algorithm, context)?;
    asymmetric::encrypt(crypto_key.spec, crypto_key.secret()?, algorithm, plaintext)
}

struct Opened {
    crypto_key: CryptoKey,
    /// The plaintext; empty in a dry run with an external key.
    plaintext: Bytes,
}

/// What a request says about the ciphertext to decrypt.
struct Asked<'r> {
    action: &'r str,
    /// The key of the request, if it names one.
    name: Option<&'r str>,
    algorithm: &'r str,
    context: &'r Context,
    dry: bool,
}

/// A ciphertext of a symmetric key.
enum Sealed<'c> {
    InKms(Blob<'c>),
    Externally(ExternalBlob),
}

impl Sealed<'_> {
    fn read(ciphertext: &[u8]) -> Option<Sealed<'_>> {
        let external = || ExternalBlob::read(ciphertext).map(Sealed::Externally);
        Blob::read(ciphertext).map(Sealed::InKms).or_else(external)
    }

    fn material_id(&self) -> &str {
        match self {
            Sealed::InKms(blob) => &blob.material_id,
            Sealed::Externally(blob) => &blob.material_id,
        }
    }
}

/// The id of the material that a ciphertext of a symmetric key names.
pub(super) fn material_of(ciphertext: &[u8]) -> Option<String> {
    Sealed::read(ciphertext).map(|sealed| sealed.material_id().to_owned())
}

/// Decrypts with the key of the request, or with the key that the ciphertext names.
async fn open(call: &Call<'_>, asked: &Asked<'_>, ciphertext: &[u8]) -> Result<Opened, Refusal> {
    let Asked { action, name, algorithm, context, dry } = *asked;
    let invalid = || exception::invalid_ciphertext("");
    if algorithm == SYMMETRIC {
        let Some(sealed) = Sealed::read(ciphertext) else {
            // The key of the request is checked even if the ciphertext is invalid.
            if let Some(name) = name {
                call.crypto_key(name, Usage::EncryptDecrypt, action)?.require_algorithm(algorithm)?;
            }
            return Err(invalid());
        };
        if let Some(name) = name {
            require_key_of(call, action, name, sealed.material_id())?;
        }
        let crypto_key = sealed_with(call, action, sealed.material_id())?;
        let plaintext = match (&sealed, &crypto_key.external) {
            (Sealed::InKms(blob), None) => blob.open(crypto_key.secret()?, context).ok_or_else(invalid)?,
            (Sealed::Externally(_), Some(_)) if dry => Bytes::default(),
            (Sealed::Externally(blob), Some(external)) => external.open(call, &crypto_key, context, blob).await?,
            _ => return Err(invalid()),
        };
        return Ok(Opened { crypto_key, plaintext });
    }
    let Some(name) = name else {
        let why = "KeyId is required if the ciphertext was encrypted under an asymmetric KMS key";
        return Err(Refusal::Invalid(why.to_owned()));
    };
    let crypto_key = call.crypto_key(name, Usage::EncryptDecrypt, action)?;
    crypto_key.require_algorithm(algorithm)?;
    require_no_context(algorithm, context)?;
    let plaintext = asymmetric::decrypt(crypto_key.secret()?, algorithm, ciphertext).ok_or_else(invalid)?;
    Ok(Opened { crypto_key, plaintext })
}

/// Requires that the key of the request is that of the ciphertext. AWS checks this before usage, state and algorithm.
fn require_key_of(call: &Call<'_>, action: &str, name: &str, material_id: &str) -> Result<(), Refusal> {
    let state = call.kms.state()?;
    let named = call.find(&state, name, Names::OfAliasesToo, action)?;
    if state.key_of_material(material_id).is_some_and(|key| key.id == named.id) {
        return Ok(());
    }
    let why = "The key ID in the request does not identify a CMK that can perform this operation.";
    Err(exception::incorrect_key(why))
}

/// The key and the material of a ciphertext. As in AWS, the refusal does not reveal whether the key exists elsewhere.
fn sealed_with(call: &Call<'_>, action: &str, material_id: &str) -> Result<CryptoKey, Refusal> {
    let state = call.kms.state()?;
    let partition = call.caller.account.partition.as_str();
    let unknown = || {
        let why = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, \
                   or you are not allowed to access.";
        exception::access_denied(why)
    };
    let here = |key: &&Key| key.partition == partition && key.placements.contains_key(call.region);
    let Some(key) = state.key_of_material(material_id).filter(here) else {
        call.require_action(action, "*")?;
        return Err(unknown());
    };
    let own = key.account == call.account();
    call.authorize(&state, key, action).map_err(|refusal| if own { refusal } else { unknown() })?;
    key.require_enabled(call.region)?;
    call.crypto_key_with(&state, key, material_id).ok_or_else(|| exception::invalid_ciphertext(""))
}

fn require_no_context(algorithm: &str, context: &Context) -> Result<(), Refusal> {
    if context.is_empty() {
        return Ok(());
    }
    Err(Refusal::Invalid(format!("EncryptionContext is not supported with algorithm {algorithm}.")))
}

/// Ends a dry run, which is refused after all checks have passed.
///
/// # Errors
/// `DryRunOperationException` if `dry` is set.
pub(super) fn refuse_dry_run(dry: bool) -> Result<(), Refusal> {
    if dry {
        Err(exception::dry_run("The request would have succeeded, but the DryRun option is set."))
    } else {
        Ok(())
    }
}
