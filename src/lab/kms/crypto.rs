//! Secrets, and encryption with symmetric keys.
//!
//! # The ciphertext of a symmetric key
//!
//! AWS does not publish its format. The lab's ciphertexts have the same first bytes, lengths and outer form, so that
//! clients which look at them work. What AWS keeps secret is documented here, so that a test can create a ciphertext
//! from the key material:
//!
//! | bytes | content |
//! |---|---|
//! | 5 | `01 02 02 00 78` |
//! | 32 | id of the key material, as bytes: SHA-256 of the key id followed by the material |
//! | 1 | `01` |
//! | 16 | random |
//! | 4 | length of the rest |
//! | rest | CMS encrypted data (RFC 5652): nonce of 12 bytes; AES-GCM ciphertext and its 16 byte tag |
//!
//! The key of the cipher is the key material. The encrypted text is 11 zero bytes, then the plaintext: AWS's
//! ciphertexts are as long. The additional authenticated data is the first 54 bytes, then the encryption context as a
//! JSON object, with sorted names, without spaces and without escapes of non-ASCII characters (`{"purpose":"test"}`),
//! or nothing if the context is empty. The cipher is AES-256; in China regions it is AES-128 instead of AWS's SM4.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::envelope;
use super::spec::Spec;
use crate::lab::partition::Partition;
use crate::lab::refusal::Refusal;

/// The first bytes of every ciphertext.
const MAGIC: [u8; 5] = [1, 2, 2, 0, 0x78];
pub(super) const MATERIAL_ID: usize = 32;
/// The length of the part before the length of the envelope.
pub(super) const HEADER: usize = MAGIC.len() + MATERIAL_ID + 1 + 16;
/// The zero bytes before the plaintext.
const PREFIX: usize = 11;
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
    material_id: &str,
    secret: &[u8],
    context: &BTreeMap<String, String>,
    plaintext: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let (mut nonce, mut random) = ([0; NONCE_LEN], [0; 16]);
    rand::fill(&mut nonce).and_then(|()| rand::fill(&mut random)).map_err(|_| Refusal::Internal)?;
    let material = bytes_of(material_id).ok_or(Refusal::Internal)?;
    let header = [&MAGIC[..], &material, &[1], &random].concat();
    let mut sealed = [&[0; PREFIX], plaintext].concat();
    cipher(secret)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(authenticated(&header, context)),
            &mut sealed,
        )
        .map_err(|_| Refusal::Internal)?;
    let envelope = envelope::write(&nonce, &sealed);
    let length = u32::try_from(envelope.len()).map_err(|_| Refusal::Internal)?;
    Ok([&header[..], &length.to_be_bytes(), &envelope].concat())
}

/// A parsed ciphertext.
#[derive(Debug)]
pub(super) struct Blob<'a> {
    pub material_id: String,
    header: &'a [u8],
    nonce: [u8; NONCE_LEN],
    sealed: &'a [u8],
}

impl<'a> Blob<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Blob<'a>> {
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let material = header.strip_prefix(&MAGIC)?.get(..MATERIAL_ID)?;
        let (length, envelope) = rest.split_first_chunk::<4>()?;
        if usize::try_from(u32::from_be_bytes(*length)).ok()? != envelope.len() {
            return None;
        }
        let (nonce, sealed) = envelope::read(envelope)?;
        let material_id = material.iter().map(|byte| format!("{byte:02x}")).collect();
        (sealed.len() >= PREFIX + TAG).then_some(Blob { material_id, header, nonce, sealed })
    }

    pub(super) fn open(&self, secret: &[u8], context: &BTreeMap<String, String>) -> Option<Bytes> {
        let mut opened = Zeroizing::new(self.sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let authenticated = Aad::from(authenticated(self.header, context));
        let plaintext = cipher(secret).ok()?.open_in_place(nonce, authenticated, &mut opened).ok()?.get(PREFIX..)?;
        Some(Zeroizing::new(plaintext.to_vec()))
    }
}

fn cipher(secret: &[u8]) -> Result<LessSafeKey, Refusal> {
    let algorithm = if secret.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    UnboundKey::new(algorithm, secret).map(LessSafeKey::new).map_err(|_| Refusal::Internal)
}

/// The additional authenticated data: the header and the encryption context.
pub(super) fn authenticated(header: &[u8], context: &BTreeMap<String, String>) -> Vec<u8> {
    // The serialization of a map of texts cannot fail.
    let context = if context.is_empty() { Vec::new() } else { serde_json::to_vec(context).unwrap_or_default() };
    [header, &context].concat()
}

pub(super) fn bytes_of(hexadecimal: &str) -> Option<[u8; MATERIAL_ID]> {
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
        assert_eq!(authenticated(b"x", &context), r#"x{"a":"ä","b":"2"}"#.as_bytes());
        for length in [16, 32] {
            let secret = vec![7; length];
            let sealed = seal(MATERIAL, &secret, &context, b"text").expect("a ciphertext");
            let blob = Blob::read(&sealed).expect("a blob");
            assert_eq!(blob.material_id.as_str(), MATERIAL);
            assert_eq!(blob.open(&secret, &context).expect("the text").as_slice(), b"text");
            assert!(blob.open(&secret, &BTreeMap::new()).is_none());
            assert!(blob.open(&vec![8; length], &context).is_none());
        }
    }

    #[test]
    fn a_ciphertext_has_the_form_of_aws() {
        let sealed = |length| seal(MATERIAL, &[7; 32], &BTreeMap::new(), &vec![1; length]).expect("a ciphertext");
        let key = sealed(32);
        // The length of an encrypted data key of 32 bytes at AWS, and its beginning in base 64.
        assert_eq!(key.len(), 184);
        assert!(STANDARD.encode(&key).starts_with("AQICAH"));
        let envelope = [0, 0, 0, 0x7e, 0x30, 0x7c, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6, 0xa0, 0x6f];
        assert_eq!(key[HEADER..HEADER + envelope.len()], envelope);
        assert!(sealed(4096).len() <= 6144);
        for length in [1, 100, 200, 4096] {
            let text = sealed(length);
            let opened = Blob::read(&text).and_then(|blob| blob.open(&[7; 32], &BTreeMap::new()));
            assert_eq!(opened.expect("the text").len(), length);
        }
    }

    #[test]
    fn every_changed_byte_invalidates_a_ciphertext() {
        let sealed = seal(MATERIAL, &[7; 32], &BTreeMap::new(), b"text").expect("a ciphertext");
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            let opened = Blob::read(&changed).and_then(|blob| blob.open(&[7; 32], &BTreeMap::new()));
            assert!(opened.is_none(), "byte {place}");
        }
        for bytes in [&sealed[1..], &sealed[..sealed.len() - 1], &[&sealed[..], b"x"].concat()] {
            assert!(Blob::read(bytes).is_none());
        }
    }

    #[test]
    fn an_invalid_ciphertext_is_not_parsed() {
        for bytes in [&b""[..], &MAGIC, &[b'x'; 100], &[&MAGIC[..], &[0; 100]].concat()] {
            assert!(Blob::read(bytes).is_none());
        }
    }

    #[test]
    fn no_secret_shows_in_debug_output() {
        let shown = format!("{:?} {:?}", Slot::of(Zeroizing::new(b"open sesame".to_vec())), Slot::default());
        assert_eq!(shown, "(secret) (empty)");
    }
}
