//! Authenticated encryption of one small secret: AES-256-GCM with a random nonce, bound to a context.
//!
//! Sealed bytes are `version (1) | nonce (12) | ciphertext | tag (16)`. The version and every part of the context are
//! authenticated too, so sealed bytes cannot be moved to another owner, purpose or version.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The version of the format that this program writes. It must stay readable when others follow.
const VERSION: u8 = 1;
const TAG_LEN: usize = 16;
/// The number of bytes that sealing adds.
pub(super) const OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;
/// The length of a key in bytes.
pub(super) const KEY_LEN: usize = 32;

/// A 256-bit key. It is wiped when dropped and has no `Debug`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Key([u8; KEY_LEN]);

/// The provider failed, or the bytes were not sealed with this key and context.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SealingError;

impl Key {
    pub(super) fn random() -> Result<Self, SealingError> {
        let mut key = Self([0; KEY_LEN]);
        aws_lc_rs::rand::fill(&mut key.0).map_err(|_| SealingError)?;
        Ok(key)
    }

    /// Makes a key from bytes, if they have the right length.
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    pub(super) fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Makes a key whose bytes `fill` writes, for example by a derivation.
    pub(super) fn filled_by<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = Self([0; KEY_LEN]);
        fill(&mut key.0)?;
        Ok(key)
    }

    /// Derives another key for a purpose.
    pub(super) fn derived(&self, purpose: &str) -> Zeroizing<[u8; KEY_LEN]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        // This is the expansion step of HKDF, for a key that is uniform already. The prefix keeps its input apart from
        // other uses of the key.
        derived.copy_from_slice(
            hmac::sign(&key, &[b"claviger derived key\0", purpose.as_bytes(), &[1]].concat()).as_ref(),
        );
        derived
    }

    /// Seals a plaintext for a context.
    pub(super) fn seal(&self, context: &[&[u8]], plaintext: &[u8]) -> Result<Vec<u8>, SealingError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(|_| SealingError)?;
        let aad = Aad::from(authenticated(VERSION, context));
        // The plaintext is encrypted in place in a buffer of the full size, so no copy of it remains in memory.
        let mut sealed = Vec::with_capacity(OVERHEAD + plaintext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plaintext);
        let (head, body) = sealed.split_at_mut(1 + NONCE_LEN);
        let (nonce, tag) = key.seal_in_place_separate_tag(aad, body).map_err(|_| SealingError)?;
        head[1..].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens bytes that were sealed for the same context.
    pub(super) fn open(&self, context: &[&[u8]], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let (&version, rest) = sealed.split_first().ok_or(SealingError)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(SealingError)?;
        if version != VERSION {
            return Err(SealingError);
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(|_| SealingError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealingError)?;
        let mut plaintext = Zeroizing::new(body.to_vec());
        let length = key
            .open_in_place(nonce, Aad::from(authenticated(version, context)), &mut plaintext)
            .map_err(|_| SealingError)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

/// Encodes version and context as additional data. Each part follows its length, so no two contexts are encoded alike.
fn authenticated(version: u8, context: &[&[u8]]) -> Vec<u8> {
    let mut text = b"claviger keyring\0".to_vec();
    text.push(version);
    for part in context {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(fill: u8) -> Key {
        Key([fill; KEY_LEN])
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(plaintext: Vec<u8>, owner: Vec<u8>, purpose: Vec<u8>) {
            let context: [&[u8]; 2] = [&owner, &purpose];
            let sealed = key(1).seal(&context, &plaintext).expect("sealing works");
            prop_assert_eq!(sealed.len(), plaintext.len() + OVERHEAD);
            prop_assert_eq!(&*key(1).open(&context, &sealed).expect("it opens"), &plaintext);
            prop_assert!(key(2).open(&context, &sealed).is_err());
        }

        #[test]
        fn no_bit_may_differ(plaintext: Vec<u8>, at: prop::sample::Index, bit in 0..8_u32) {
            let mut sealed = key(1).seal(&[b"owner"], &plaintext).expect("sealing works");
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(key(1).open(&[b"owner"], &sealed).is_err());
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(sealed: Vec<u8>) {
            prop_assert!(key(1).open(&[b"owner"], &sealed).is_err());
        }

        #[test]
        fn contexts_do_not_run_together(text in "[a-z]{2,12}", cut in 1_usize..12) {
            let cut = cut.min(text.len() - 1);
            let (left, right) = text.split_at(cut);
            let sealed = key(1).seal(&[text.as_bytes(), b""], b"secret").expect("sealing works");
            prop_assert!(key(1).open(&[left.as_bytes(), right.as_bytes()], &sealed).is_err());
        }
    }

    #[test]
    fn derived_keys_differ_by_master_key_and_purpose() {
        assert_eq!(key(1).derived("a"), key(1).derived("a"));
        assert_ne!(key(1).derived("a"), key(1).derived("b"));
        assert_ne!(key(1).derived("a"), key(2).derived("a"));
        assert_ne!(*key(1).derived("a"), [1; KEY_LEN]);
    }

    #[test]
    fn a_cut_text_is_refused() {
        let sealed = key(1).seal(&[], b"secret").expect("sealing works");
        for length in 0..sealed.len() {
            assert!(key(1).open(&[], &sealed[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn the_same_text_never_seals_to_the_same_bytes() {
        let sealed = [0; 64].map(|_: u8| key(1).seal(&[], b"secret").expect("sealing works"));
        let nonces: std::collections::HashSet<_> = sealed.iter().map(|text| &text[1..=NONCE_LEN]).collect();
        assert_eq!(nonces.len(), sealed.len());
    }
}
