//! Secrets, and encryption with symmetric keys.
//!
//! # The ciphertext of a symmetric key
//!
//! AWS does not publish its format. The lab's format is documented, so that a test can create a ciphertext from the key
//! material:
//!
//! | bytes | content |
//! |---|---|
//! | 4 | `LAB1` |
//! | 1 | length n of the key id |
//! | n | key id, in ASCII (`1234abcd-…` or `mrk-…`) |
//! | 32 | id of the key material, as bytes: SHA-256 of the key id followed by the material |
//! | 12 | nonce |
//! | rest | AES-GCM ciphertext and its 16 byte tag, with the key material as key |
//!
//! The additional authenticated data is the encryption context as a JSON object, with sorted names, without spaces and
//! without escapes of non-ASCII characters (`{"purpose":"test"}`). It is empty if the context is empty. The cipher is
//! AES-256; in China regions it is AES-128 instead of AWS's SM4.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::spec::Spec;
use crate::lab::partition::Partition;
use crate::lab::refusal::Refusal;

const MAGIC: &[u8] = b"LAB1";
const MATERIAL_ID: usize = 32;
const TAG: usize = 16;

/// A secret, which is zeroed on drop.
pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// A secret that can be set later. Clones share it. `Debug` does not show it.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<OnceLock<Bytes>>);

impl Slot {
    pub(super) fn of(secret: Bytes) -> Slot {
        let slot = Slot::default();
        slot.fill(secret);
        slot
    }

    /// Sets the secret, unless it is set already.
    pub(super) fn fill(&self, secret: Bytes) {
        // Two calls may generate the secret at the same time; the first one is kept.
        let _ = self.0.set(secret);
    }

    pub(super) fn get(&self) -> Option<&[u8]> {
        self.0.get().map(|secret| secret.as_slice())
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.get().is_some() { "(secret)" } else { "(empty)" })
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.get().map(|secret| STANDARD.encode(secret)).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Slot, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(Slot::default()) };
        let secret = STANDARD.decode(text).map_err(|_| serde::de::Error::custom("a secret is in base 64"))?;
        Ok(Slot::of(Zeroizing::new(secret)))
    }
}

/// Returns random bytes.
///
/// # Errors
/// [`Refusal::Internal`] if the system provides no randomness.
pub(super) fn random(length: usize) -> Result<Bytes, Refusal> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    rand::fill(&mut bytes).map_err(|_| Refusal::Internal)?;
    Ok(bytes)
}

/// Generates the secret of a symmetric or HMAC key.
///
/// # Errors
/// As for [`random`].
pub(super) fn generate(spec: Spec, partition: &str) -> Result<Bytes, Refusal> {
    random(match spec {
        Spec::Hmac224 => 28,
        Spec::Hmac256 => 32,
        Spec::Hmac384 => 48,
        Spec::Hmac512 => 64,
        _ => symmetric_length(partition),
    })
}

/// The length of a symmetric key, in bytes. SM4, in China, has 128 bits.
pub(super) fn symmetric_length(partition: &str) -> usize {
    if partition == Partition::China.as_str() { 16 } else { 32 }
}

/// Encrypts with a symmetric key.
///
/// # Errors
/// [`Refusal::Internal`] if the system provides no randomness.
pub(super) fn seal(
    key_id: &str,
    material_id: &str,
    secret: &[u8],
    context: &BTreeMap<String, String>,
    plaintext: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| Refusal::Internal)?;
    let mut sealed = plaintext.to_vec();
    cipher(secret)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound(context)), &mut sealed)
        .map_err(|_| Refusal::Internal)?;
    let length = u8::try_from(key_id.len()).map_err(|_| Refusal::Internal)?;
    let material = bytes_of(material_id).ok_or(Refusal::Internal)?;
    Ok([MAGIC, &[length], key_id.as_bytes(), &material, &nonce, &sealed].concat())
}

/// A parsed ciphertext.
#[derive(Debug)]
pub(super) struct Blob<'a> {
    pub key_id: &'a str,
    pub material_id: String,
    nonce: [u8; NONCE_LEN],
    sealed: &'a [u8],
}

impl<'a> Blob<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Blob<'a>> {
        let (length, rest) = bytes.strip_prefix(MAGIC)?.split_first()?;
        let (key_id, rest) = rest.split_at_checked(usize::from(*length))?;
        let (material, rest) = rest.split_at_checked(MATERIAL_ID)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let material_id = material.iter().map(|byte| format!("{byte:02x}")).collect();
        let key_id = std::str::from_utf8(key_id).ok()?;
        (sealed.len() >= TAG).then_some(Blob { key_id, material_id, nonce: nonce.try_into().ok()?, sealed })
    }

    pub(super) fn open(&self, secret: &[u8], context: &BTreeMap<String, String>) -> Option<Bytes> {
        let mut plaintext = Zeroizing::new(self.sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let length = cipher(secret).ok()?.open_in_place(nonce, Aad::from(bound(context)), &mut plaintext).ok()?.len();
        plaintext.truncate(length);
        Some(plaintext)
    }
}

fn cipher(secret: &[u8]) -> Result<LessSafeKey, Refusal> {
    let algorithm = if secret.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    UnboundKey::new(algorithm, secret).map(LessSafeKey::new).map_err(|_| Refusal::Internal)
}

/// The encryption context as additional authenticated data.
fn bound(context: &BTreeMap<String, String>) -> Vec<u8> {
    // The serialization of a map of texts cannot fail.
    if context.is_empty() { Vec::new() } else { serde_json::to_vec(context).unwrap_or_default() }
}

fn bytes_of(hexadecimal: &str) -> Option<[u8; MATERIAL_ID]> {
    let digits = hexadecimal
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    digits.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATERIAL: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_ciphertext_opens_with_the_same_secret_and_context_only() {
        let context = BTreeMap::from([("b".to_owned(), "2".to_owned()), ("a".to_owned(), "ä".to_owned())]);
        assert_eq!(bound(&context), r#"{"a":"ä","b":"2"}"#.as_bytes());
        for length in [16, 32] {
            let secret = vec![7; length];
            let sealed = seal("1234", MATERIAL, &secret, &context, b"text").expect("a ciphertext");
            let blob = Blob::read(&sealed).expect("a blob");
            assert_eq!((blob.key_id, blob.material_id.as_str()), ("1234", MATERIAL));
            assert_eq!(blob.open(&secret, &context).expect("the text").as_slice(), b"text");
            assert!(blob.open(&secret, &BTreeMap::new()).is_none());
            assert!(blob.open(&vec![8; length], &context).is_none());
        }
    }

    #[test]
    fn an_invalid_ciphertext_is_not_parsed() {
        for bytes in [&b""[..], b"LAB1", b"LAB1\xff1234", &[b'x'; 100]] {
            assert!(Blob::read(bytes).is_none());
        }
    }

    #[test]
    fn no_secret_shows_in_debug_output() {
        let shown = format!("{:?} {:?}", Slot::of(Zeroizing::new(b"open sesame".to_vec())), Slot::default());
        assert_eq!(shown, "(secret) (empty)");
    }
}
