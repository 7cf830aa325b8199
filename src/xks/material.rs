//! Key material in memory, and AES-256-GCM with it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use zeroize::Zeroizing;

pub(super) const IV_BYTES: usize = 12;
pub(super) const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// The 32 bytes of an AES-256 key, which are zeroed when they are dropped.
pub struct Material(Zeroizing<Vec<u8>>);

impl Material {
    /// Copies the material; `None` if it does not have 32 bytes.
    pub fn of(bytes: &[u8]) -> Option<Material> {
        (bytes.len() == KEY_BYTES).then(|| Material(Zeroizing::new(bytes.to_vec())))
    }
}

/// A key that is ready for use. The library keeps it in one allocation, which it zeroes when it frees it.
pub(super) struct Cipher(LessSafeKey);

/// What an encryption gives.
pub(super) struct Sealed {
    pub iv: [u8; IV_BYTES],
    pub ciphertext: Vec<u8>,
    pub tag: [u8; TAG_BYTES],
}

impl Cipher {
    /// Expands a key. The material is dropped, and so zeroed.
    pub(super) fn of(material: Material) -> Option<Cipher> {
        UnboundKey::new(&AES_256_GCM, &material.0).ok().map(LessSafeKey::new).map(Cipher)
    }

    /// Encrypts with a random initialization vector.
    pub(super) fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Sealed, Unspecified> {
        let mut iv = [0; IV_BYTES];
        rand::fill(&mut iv)?;
        // The plaintext is overwritten in place, so that no second copy of it stays in memory.
        let mut ciphertext = plaintext.to_vec();
        let nonce = Nonce::assume_unique_for_key(iv);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut ciphertext)?;
        let tag = tag.as_ref().try_into().map_err(|_| Unspecified)?;
        Ok(Sealed { iv, ciphertext, tag })
    }

    pub(super) fn open(
        &self,
        iv: [u8; IV_BYTES],
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        let nonce = Nonce::assume_unique_for_key(iv);
        self.0.open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, &mut plaintext)?;
        Ok(plaintext)
    }

    /// Whether the key encrypts and decrypts.
    pub(super) fn works(&self) -> bool {
        const PROBE: &[u8] = b"health check";
        let opened =
            self.seal(b"", PROBE).and_then(|sealed| self.open(sealed.iv, b"", &sealed.ciphertext, &sealed.tag));
        opened.is_ok_and(|plaintext| *plaintext == PROBE)
    }
}
