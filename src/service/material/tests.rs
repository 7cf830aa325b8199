//! Tests of material: generating, reading, refusing and encoding it. The foreign keys were made with OpenSSL.

use super::*;
use crate::domain::source_key::kind::{AesSize, HmacHash, HmacSize, RsaSize};

const AES_128: SourceKeyKind = SourceKeyKind::Aes(AesSize::Aes128);
const RSA: SourceKeyKind = SourceKeyKind::Rsa(RsaSize::Rsa2048);
const K1: SourceKeyKind = SourceKeyKind::Ec(Curve::Secp256k1);

fn kinds() -> Vec<SourceKeyKind> {
    let curves = [Curve::Secp256r1, Curve::Secp384r1, Curve::Secp521r1, Curve::Secp256k1].map(SourceKeyKind::Ec);
    let mut kinds = vec![AES_128, SourceKeyKind::Hmac(HmacHash::Sha384, HmacSize::Full), RSA];
    kinds.extend(curves);
    kinds
}

fn refused(kind: SourceKeyKind, text: &str) -> String {
    Material::read(kind, text).expect_err("no such material").to_string()
}

#[test]
fn generated_material_is_new_and_reads_back() {
    for kind in kinds() {
        let material = Material::generate(kind).expect("material");
        let other = Material::generate(kind).expect("material");
        assert_ne!(material.fingerprint(), other.fingerprint(), "{kind:?}");
        assert_eq!(material.public_key().is_some(), kind.is_asymmetric(), "{kind:?}");
        let encodings =
            if kind.is_asymmetric() { [Encoding::Pem, Encoding::Base64] } else { [Encoding::Hex, Encoding::Base64] };
        for encoding in encodings {
            let read = Material::read(kind, &material.text(encoding)).expect("it reads back");
            assert!(read.secret() == material.secret(), "{kind:?} {encoding:?}");
            assert_eq!((read.fingerprint(), read.public_key()), (material.fingerprint(), material.public_key()));
        }
    }
}

/// The expected value is the SHA-256 (FIPS 180) of sixteen zero bytes.
#[test]
fn a_fingerprint_is_the_sha_256_of_the_material() {
    let material = Material::read(AES_128, &"00".repeat(16)).expect("material");
    let expected = "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb";
    assert_eq!(material.fingerprint().to_string(), expected);
    assert_eq!(material.text(Encoding::Base64).as_str(), "AAAAAAAAAAAAAAAAAAAAAA==");
}

/// The key, its PEM and the hash of its public key come from OpenSSL.
#[test]
fn a_key_from_openssl_is_accepted() {
    let pem = "-----BEGIN PRIVATE KEY-----
MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgsYtOya8YaCIHmJMjjqoS
g6a8Zc5ZouOvcRjcRm9au76hRANCAATUOd2sBCLeGsFoxB0bhxrdmBgWXRQmEYxt
XS45FplLBZG+DI7Fpf7cWNYYio1wf+MRhhUhID75M5UmJRZOHsFP
-----END PRIVATE KEY-----
";
    let public = "-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE1DndrAQi3hrBaMQdG4ca3ZgYFl0UJhGM
bV0uORaZSwWRvgyOxaX+3FjWGIqNcH/jEYYVISA++TOVJiUWTh7BTw==
-----END PUBLIC KEY-----
";
    let windows = pem.replace('\n', "\r\n");
    for text in [pem, windows.as_str()] {
        let material = Material::read(K1, text).expect("material");
        let fingerprint = "b89ed623ad928a2654cb60492cbd4297766291406144edee817664802e922357";
        assert_eq!(material.fingerprint().to_string(), fingerprint);
        assert_eq!(material.public_key().as_deref(), Some(public));
        assert_eq!(material.text(Encoding::Pem).as_str(), pem);
    }
}

#[test]
fn bytes_of_another_length_or_no_bytes_are_refused_without_showing_them() {
    let expected = "material: must be 16 bytes for aes of 128 bits: 32 hexadecimal digits, or 24 characters of base64";
    let short = "6b".repeat(15);
    for text in [short.as_str(), &"6b".repeat(32), &"zz".repeat(16), &"!".repeat(24), &"ключ".repeat(4), "6b"] {
        assert_eq!(refused(AES_128, text), expected, "{text}");
    }
}

#[test]
fn private_keys_of_another_kind_or_form_are_refused() {
    let (rsa, k1) = (Material::generate(RSA).expect("material"), Material::generate(K1).expect("material"));
    let another_size = SourceKeyKind::Rsa(RsaSize::Rsa3072);
    let expected = "material: is not an RSA key of 3072 bits in an unencrypted PKCS#8 document";
    assert_eq!(refused(another_size, &rsa.text(Encoding::Pem)), expected);
    let expected = "material: is not an EC key on secp256r1 in an unencrypted PKCS#8 document";
    assert_eq!(refused(SourceKeyKind::Ec(Curve::Secp256r1), &k1.text(Encoding::Base64)), expected);
    assert!(refused(RSA, &k1.text(Encoding::Pem)).starts_with("material: is not an RSA key"));
    assert!(refused(K1, &rsa.text(Encoding::Base64)).starts_with("material: is not an EC key"));

    let pem = k1.text(Encoding::Pem);
    for label in ["EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY"] {
        let said = refused(K1, &pem.replace("PRIVATE KEY", label));
        assert!(said.contains("-----BEGIN PRIVATE KEY-----"), "{said}");
    }
    let twice = format!("{}{}", pem.as_str(), pem.as_str());
    for text in [twice.as_str(), "-----BEGIN PRIVATE KEY-----", "nonsense", "bm9uc2Vuc2U=", &pem[..100]] {
        assert!(refused(K1, text).starts_with("material: "), "{text}");
    }
}

#[test]
fn a_damaged_private_key_is_refused() {
    let material = Material::generate(K1).expect("material");
    let document = material.secret().to_vec();
    assert!(Material::private_key(K1, &document).is_some());
    assert!(Material::private_key(K1, &document[..document.len() - 1]).is_none());
    for at in 0..document.len() {
        let mut changed = document.clone();
        changed[at] ^= 1;
        let read = Material::private_key(K1, &changed);
        assert!(read.is_none_or(|read| *read.secret() == *material.secret()), "byte {at}");
    }
}

#[test]
fn debug_text_contains_no_material() {
    let material = Material::read(AES_128, &"6b".repeat(16)).expect("material");
    assert_eq!(format!("{material:?}"), "Material(Aes(Aes128))");
}
