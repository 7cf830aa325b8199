//! Ed25519ph (RFC 8032, section 5.1): signatures of a SHA-512 digest, which AWS names `ED25519_PH_SHA_512`.
//!
//! aws-lc-rs signs whole messages only.

use aws_lc_rs::digest::{SHA512, digest};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};

/// The domain of a prehashed message without a context.
const DOMAIN: &[u8] = b"SigEd25519 no Ed25519 collisions\x01\x00";
pub(super) const DIGEST_LENGTH: usize = 64;

/// Signs a digest with the seed of a key pair, which has 32 bytes; `None` for another length.
pub(super) fn sign(seed: &[u8], public: &[u8], prehash: &[u8]) -> Option<Vec<u8>> {
    if seed.len() != 32 || prehash.len() != DIGEST_LENGTH {
        return None;
    }
    let expanded = digest(&SHA512, seed);
    let (scalar, prefix) = expanded.as_ref().split_first_chunk::<32>()?;
    let secret = Scalar::from_bytes_mod_order(clamp_integer(*scalar));
    let nonce = hashed(&[DOMAIN, prefix, prehash])?;
    let point = EdwardsPoint::mul_base(&nonce).compress();
    let challenge = hashed(&[DOMAIN, point.as_bytes(), public, prehash])?;
    Some([*point.as_bytes(), (nonce + challenge * secret).to_bytes()].concat())
}

/// Verifies a signature of a digest.
pub(super) fn verify(public: &[u8], prehash: &[u8], signature: &[u8]) -> bool {
    let verified = || {
        let key = CompressedEdwardsY::from_slice(public).ok()?.decompress()?;
        let (point, scalar) = signature.split_first_chunk::<32>()?;
        let scalar = Option::<Scalar>::from(Scalar::from_canonical_bytes(scalar.try_into().ok()?))?;
        let challenge = hashed(&[DOMAIN, point, public, prehash])?;
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge, &-key, &scalar);
        Some(prehash.len() == DIGEST_LENGTH && expected.compress().as_bytes() == point)
    };
    verified().unwrap_or_default()
}

fn hashed(parts: &[&[u8]]) -> Option<Scalar> {
    let hash = digest(&SHA512, &parts.concat());
    Some(Scalar::from_bytes_mod_order_wide(hash.as_ref().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits = hexadecimal.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
    }

    /// The test vector of RFC 8032, section 7.3.
    #[test]
    fn the_signature_of_abc_is_that_of_the_rfc() {
        let seed = bytes("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
        let public = bytes("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf");
        assert_eq!(public.len(), 32);
        let signature = bytes(
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e6\
             36062aaad11c2a26083406",
        );
        let prehash = digest(&SHA512, b"abc");
        assert_eq!(sign(&seed, &public, prehash.as_ref()), Some(signature.clone()));
        assert!(verify(&public, prehash.as_ref(), &signature));
        assert!(!verify(&public, digest(&SHA512, b"abd").as_ref(), &signature));
        for place in [0, 40, 63] {
            let mut changed = signature.clone();
            changed[place] ^= 1;
            assert!(!verify(&public, prehash.as_ref(), &changed));
        }
        for short in [&signature[..63], b""] {
            assert!(!verify(&public, prehash.as_ref(), short));
        }
        assert_eq!(sign(&seed, &public, b"short"), None);
    }
}
