//! The check that a source key encrypts and decrypts.

use crate::domain::refusal::Refusal;
use crate::service::failure::{Failure, invalid};
use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const TEXT: &[u8] = b"health check";

/// Encrypts a fixed text with the material and decrypts it again. Returns the ciphertext: `v1.`, the nonce, the
/// ciphertext and the tag, in Base64 with dots between them.
///
/// # Errors
/// When the material is not that of an AES-256 key, or does not decrypt what it has encrypted.
pub(super) fn ciphertext(material: &[u8]) -> Result<String, Failure> {
    let unfit = || -> Refusal {
        invalid(
            "local_hosted_params.health_check_key_id",
            "must be the id of an AES-256 key that encrypts and decrypts",
        )
    };
    let key = RandomizedNonceKey::new(&AES_256_GCM, material).map_err(|_| unfit())?;
    let mut text = TEXT.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::empty(), &mut text).map_err(|_| unfit())?;
    let (encrypted, tag) = text.split_at(TEXT.len());
    let parts = [nonce.as_ref().as_slice(), encrypted, tag].map(|part| STANDARD.encode(part));
    let shown = format!("v1.{}", parts.join("."));
    let opened = key.open_in_place(nonce, Aad::empty(), &mut text).map_err(|_| unfit())?;
    if opened == TEXT { Ok(shown) } else { Err(unfit().into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn material_of_256_bits_encrypts_and_other_material_is_refused() {
        let shown = ciphertext(&[7; 32]).expect("it encrypts");
        let parts: Vec<&str> = shown.split('.').collect();
        let lengths: Vec<_> = parts[1..].iter().map(|part| STANDARD.decode(part).expect("Base64").len()).collect();
        assert_eq!((parts[0], lengths), ("v1", vec![12, TEXT.len(), 16]));
        assert!(matches!(ciphertext(&[7; 16]), Err(Failure::Refused(_))));
    }
}
