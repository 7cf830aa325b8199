//! The four operations, after the signature: body, key, state, caller rules, usage, sizes, cryptography, in this order.

use super::body::{self, CallerMetadata, DecryptArguments, EncryptArguments};
use super::counters::Counted;
use super::directory::{Key, Store, Version};
use super::entry::Condition;
use super::error::{ErrorName, Refusal};
use super::material::{Cipher, IV_BYTES, Sealed, TAG_BYTES};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

/// The largest plaintext or ciphertext.
const LARGEST_TEXT: usize = 16 * 1024;
/// The largest additional authenticated data: its length is authenticated in two bytes.
const LARGEST_AAD: usize = 65_535;
/// The first byte of ciphertext metadata.
const METADATA_FORMAT: u8 = 1;

/// The encryption that a call made, to be counted.
pub(super) struct Encrypted {
    pub version: u32,
    pub counted: Counted,
}

/// `health`: is the store served, and does its health key encrypt and decrypt?
pub(super) fn check_health<'b>(
    store: &Store,
    body: &'b [u8],
    caller: &mut Option<CallerMetadata<'b>>,
) -> Result<(), Refusal> {
    body::read_health(body, caller)?;
    check_store(store)
}

/// The health status of a store that is not blocked.
pub(super) fn health_status(store: &Store, condition: Condition) -> Condition {
    match &store.settings.health {
        Some(key) if key.works() => condition,
        _ => Condition::Unavailable,
    }
}

/// The answer of `health`.
pub(super) fn health_body(installation: &str, version: &str, status: Condition) -> String {
    let model = format!("Claviger {version}");
    let fleet = serde_json::json!({"id": installation, "model": model, "healthStatus": status.name()});
    serde_json::json!({
        "xksProxyFleetSize": 1, "xksProxyVendor": "Claviger", "xksProxyModel": model, "ekmVendor": "Claviger",
        "ekmFleetDetails": [fleet],
    })
    .to_string()
}

/// `metadata`, for a caller.
pub(super) fn metadata<'b>(
    store: &Store,
    xks_key_id: &str,
    body: &'b [u8],
    caller: &mut Option<CallerMetadata<'b>>,
) -> Result<String, Refusal> {
    body::read_metadata(body, caller)?;
    let key = find(store, xks_key_id)?;
    check_blocks(store, key)?;
    check_caller(store, key, caller.as_ref())?;
    metadata_body(key)
}

/// `metadata`, without a caller.
pub(super) fn diagnose_metadata(store: &Store, xks_key_id: &str) -> Result<String, Refusal> {
    let key = find(store, xks_key_id)?;
    check_blocks(store, key)?;
    metadata_body(key)
}

/// `encrypt`, with the active version of the key.
pub(super) fn encrypt<'b>(
    store: &Store,
    xks_key_id: &str,
    body: &'b [u8],
    now: DateTime<Utc>,
    caller: &mut Option<CallerMetadata<'b>>,
) -> Result<(String, Encrypted), Refusal> {
    let EncryptArguments { plaintext, aad, integrity_value } = body::read_encrypt(body, caller)?;
    let key = find(store, xks_key_id)?;
    check_blocks(store, key)?;
    check_enabled(key, key.active())?;
    check_caller(store, key, caller.as_ref())?;
    let version = key.active().ok_or_else(not_in_memory)?;
    // The integrity value promises that the ciphertext can be decrypted.
    if !version.can_encrypt || (integrity_value && !version.can_decrypt) {
        return Err(wrong_usage());
    }
    check_sizes(&plaintext, &aad)?;
    let cipher = version.cipher.as_ref().ok_or_else(not_in_memory)?;
    let metadata = ciphertext_metadata(version.number);
    let authenticated = authenticated_data(&aad, &metadata);
    let sealed = cipher.seal(&authenticated, &plaintext).map_err(|_| failed("the encryption failed"))?;
    let encrypted = Encrypted { version: version.number, counted: version.stats.count_encryption(now) };
    let integrity_value = integrity_value.then(|| integrity_value_of(&aad, &metadata, &sealed));
    // The order is AWS's: what is decrypted for proof is what the integrity value was computed of.
    if integrity_value.is_some() {
        prove(cipher, &authenticated, &sealed, &plaintext)?;
    }
    Ok((encrypt_body(&sealed, &metadata, integrity_value.as_deref()), encrypted))
}

/// `decrypt`, with the version that the ciphertext metadata names.
pub(super) fn decrypt<'b>(
    store: &Store,
    xks_key_id: &str,
    body: &'b [u8],
    now: DateTime<Utc>,
    caller: &mut Option<CallerMetadata<'b>>,
) -> Result<String, Refusal> {
    let DecryptArguments { ciphertext, aad, iv, tag, metadata } = body::read_decrypt(body, caller)?;
    let key = find(store, xks_key_id)?;
    let version = version_of(&metadata).and_then(|number| key.version(number));
    check_blocks(store, key)?;
    check_enabled(key, version)?;
    check_caller(store, key, caller.as_ref())?;
    if version.is_some_and(|version| !version.can_decrypt) {
        return Err(wrong_usage());
    }
    check_sizes(&ciphertext, &aad)?;
    // Our initialization vectors have 12 bytes; AWS allows 16 too, which none of our ciphertexts has.
    let (Some(version), Ok(iv), Ok(tag)) =
        (version, <[u8; IV_BYTES]>::try_from(&*iv), <[u8; TAG_BYTES]>::try_from(&*tag))
    else {
        return Err(invalid_ciphertext());
    };
    let cipher = version.cipher.as_ref().ok_or_else(not_in_memory)?;
    let authenticated = authenticated_data(&aad, &metadata);
    let plaintext = cipher.open(iv, &authenticated, &ciphertext, &tag).map_err(|_| invalid_ciphertext())?;
    version.stats.last_decrypt.set(now);
    let mut body = String::with_capacity(plaintext.len() * 4 / 3 + 32);
    body.push_str(r#"{"plaintext":""#);
    STANDARD.encode_string(&*plaintext, &mut body);
    body.push_str(r#""}"#);
    Ok(body)
}

fn metadata_body(key: &Key) -> Result<String, Refusal> {
    let version = key.active().ok_or_else(not_in_memory)?;
    let usage = [(version.can_encrypt, "ENCRYPT"), (version.can_decrypt, "DECRYPT")];
    let usage: Vec<&str> = usage.into_iter().filter(|(can, _)| *can).map(|(_, name)| name).collect();
    let status = if key.enabled && version.enabled { "ENABLED" } else { "DISABLED" };
    Ok(serde_json::json!({"keySpec": "AES_256", "keyUsage": usage, "keyStatus": status}).to_string())
}

fn find<'s>(store: &'s Store, xks_key_id: &str) -> Result<&'s Key, Refusal> {
    let key = store.keys.get(xks_key_id);
    key.map(|key| &**key).ok_or_else(|| Refusal::new(ErrorName::KeyNotFound, "the key store has no such key"))
}

pub(super) fn check_store(store: &Store) -> Result<(), Refusal> {
    if store.settings.blocked { Err(invalid_state("the key store is blocked")) } else { Ok(()) }
}

fn check_blocks(store: &Store, key: &Key) -> Result<(), Refusal> {
    check_store(store)?;
    if key.blocked { Err(invalid_state("the key is blocked")) } else { Ok(()) }
}

fn check_enabled(key: &Key, version: Option<&Version>) -> Result<(), Refusal> {
    if !key.enabled {
        return Err(invalid_state("the key is disabled"));
    }
    match version {
        Some(version) if !version.enabled => Err(invalid_state("the key version is deactivated")),
        _ => Ok(()),
    }
}

fn check_caller(store: &Store, key: &Key, caller: Option<&CallerMetadata<'_>>) -> Result<(), Refusal> {
    let nobody = CallerMetadata::default();
    let caller = caller.unwrap_or(&nobody);
    for (whose, rules) in [("key store", &store.settings.caller_rules), ("key", &key.caller_rules)] {
        if let Err(list) = rules.admit(caller) {
            let message = format!("the caller rules of the {whose} do not admit this call ({list})");
            let mut refusal = Refusal::new(ErrorName::AccessDenied, message);
            refusal.rule = Some(rule_name(whose, list));
            return Err(refusal);
        }
    }
    Ok(())
}

/// The name of a caller rule in outcomes.
fn rule_name(whose: &str, list: &str) -> &'static str {
    const NAMES: [&str; 10] = [
        "key store: principals",
        "key store: source_vpcs",
        "key store: source_vpces",
        "key store: via_services",
        "key store: operations",
        "key: principals",
        "key: source_vpcs",
        "key: source_vpces",
        "key: via_services",
        "key: operations",
    ];
    let named = |name: &&str| name.split_once(": ") == Some((whose, list));
    NAMES.into_iter().find(named).unwrap_or("caller rules")
}

fn check_sizes(text: &[u8], aad: &[u8]) -> Result<(), Refusal> {
    let too_large = |what: &str, most: usize| {
        Err(Refusal::new(ErrorName::UnsupportedOperation, format!("{what} is larger than {most} bytes")))
    };
    match () {
        () if text.len() > LARGEST_TEXT => too_large("the plaintext or ciphertext", LARGEST_TEXT),
        () if aad.len() > LARGEST_AAD => too_large("additionalAuthenticatedData", LARGEST_AAD),
        () => Ok(()),
    }
}

/// The ciphertext metadata of a version: none for the first one, so that AWS's ciphertexts stay short.
fn ciphertext_metadata(version: u32) -> Vec<u8> {
    if version <= 1 { Vec::new() } else { [&[METADATA_FORMAT][..], &version.to_be_bytes()].concat() }
}

/// The version that ciphertext metadata names; the inverse of [`ciphertext_metadata`].
fn version_of(metadata: &[u8]) -> Option<u32> {
    match metadata {
        [] => Some(1),
        [METADATA_FORMAT, number @ ..] => number.try_into().ok().map(u32::from_be_bytes).filter(|number| *number > 1),
        _ => None,
    }
}

/// What AES-GCM authenticates: both values with their lengths, so that neither can be passed for the other.
fn authenticated_data(aad: &[u8], metadata: &[u8]) -> Vec<u8> {
    // Both lengths fit: of the data by `check_sizes`, of the metadata because it names a version.
    let (aad_length, metadata_length) = (aad.len().to_be_bytes(), metadata.len().to_be_bytes());
    let [.., high, low] = aad_length;
    let [.., length] = metadata_length;
    [&[high, low], aad, &[length], metadata].concat()
}

/// The ciphertext data integrity value: a hash without lengths, as AWS defines it.
fn integrity_value_of(aad: &[u8], metadata: &[u8], Sealed { iv, ciphertext, tag }: &Sealed) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [aad, metadata, iv, ciphertext, tag] {
        hash.update(part);
    }
    STANDARD.encode(hash.finish())
}

fn prove(cipher: &Cipher, authenticated: &[u8], sealed: &Sealed, plaintext: &[u8]) -> Result<(), Refusal> {
    match cipher.open(sealed.iv, authenticated, &sealed.ciphertext, &sealed.tag) {
        Ok(opened) if *opened == plaintext => Ok(()),
        _ => Err(failed("the ciphertext could not be decrypted again")),
    }
}

fn encrypt_body(sealed: &Sealed, metadata: &[u8], integrity_value: Option<&str>) -> String {
    let mut body = String::with_capacity(sealed.ciphertext.len() * 4 / 3 + 256);
    let mut member = |name: &str, value: &[u8]| {
        body.push_str(if body.is_empty() { "{\"" } else { "\",\"" });
        body.push_str(name);
        body.push_str("\":\"");
        STANDARD.encode_string(value, &mut body);
    };
    member("ciphertext", &sealed.ciphertext);
    member("initializationVector", &sealed.iv);
    member("authenticationTag", &sealed.tag);
    if !metadata.is_empty() {
        member("ciphertextMetadata", metadata);
    }
    if let Some(value) = integrity_value {
        body.push_str("\",\"ciphertextDataIntegrityValue\":\"");
        body.push_str(value);
    }
    body.push_str("\"}");
    body
}

fn invalid_state(message: &'static str) -> Refusal {
    Refusal::new(ErrorName::InvalidState, message)
}

fn invalid_ciphertext() -> Refusal {
    let message =
        "the ciphertext, its metadata, initialization vector, tag or additional authenticated data do not fit";
    Refusal::new(ErrorName::InvalidCiphertext, message)
}

fn wrong_usage() -> Refusal {
    Refusal::new(ErrorName::InvalidKeyUsage, "the usage of the key does not allow this operation")
}

fn not_in_memory() -> Refusal {
    Refusal::new(ErrorName::DependencyTimeout, "the key material is not available yet")
}

fn failed(message: &'static str) -> Refusal {
    Refusal::new(ErrorName::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        STANDARD.decode(text).expect("Base64")
    }

    #[test]
    fn the_integrity_value_is_that_of_the_specification() {
        let aad = decoded("cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n");
        let metadata = decoded("a2V5X3ZlcnNpb249MQ==");
        let sealed = Sealed {
            iv: decoded("HMrlRw85cAJUd5Ax").try_into().expect("12 bytes"),
            ciphertext: decoded("ghxkK1txeDNn3q8Y"),
            tag: decoded("vBxN2ncH1oEkR8WVXpmyYQ==").try_into().expect("16 bytes"),
        };
        let value = integrity_value_of(&aad, &metadata, &sealed);
        assert_eq!(value, "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=");
    }

    #[test]
    fn both_lengths_are_authenticated() {
        assert_eq!(authenticated_data(b"", b""), [0, 0, 0]);
        assert_eq!(authenticated_data(b"ab", b"c"), [0, 2, b'a', b'b', 1, b'c']);
        let long = vec![7; LARGEST_AAD];
        assert_eq!(authenticated_data(&long, b"")[..3], [0xff, 0xff, 7]);
    }

    #[test]
    fn the_metadata_of_a_version_names_it() {
        assert!(ciphertext_metadata(1).is_empty());
        assert_eq!(ciphertext_metadata(2), [1, 0, 0, 0, 2]);
        assert_eq!(ciphertext_metadata(0x0102_0304), [1, 1, 2, 3, 4]);
        for version in [1, 2, 3, 255, 256, u32::MAX] {
            assert_eq!(version_of(&ciphertext_metadata(version)), Some(version));
        }
        // A version has one form: the first has no metadata.
        for unknown in [&[1][..], &[1, 0, 0, 0, 1], &[1, 0, 0, 0, 0], &[2, 0, 0, 0, 2], &[1, 0, 0, 0, 0, 2], &[0; 300]]
        {
            assert_eq!(version_of(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn a_ciphertext_that_does_not_decrypt_to_its_plaintext_is_not_sent() {
        let cipher = super::super::Material::of(&[1; 32]).and_then(Cipher::of).expect("a key");
        let mut sealed = cipher.seal(b"aad", b"text").expect("a ciphertext");
        assert_eq!(prove(&cipher, b"aad", &sealed, b"text"), Ok(()));
        let failure = Err(ErrorName::Internal);
        assert_eq!(prove(&cipher, b"aad", &sealed, b"test").map_err(|refusal| refusal.error), failure);
        sealed.ciphertext[0] ^= 1;
        assert_eq!(prove(&cipher, b"aad", &sealed, b"text").map_err(|refusal| refusal.error), failure);
    }

    #[test]
    fn every_caller_rule_has_a_name() {
        for whose in ["key store", "key"] {
            for list in ["principals", "source_vpcs", "source_vpces", "via_services", "operations"] {
                assert_eq!(rule_name(whose, list), format!("{whose}: {list}"));
            }
        }
    }
}
