//! Wraps material for an export, with another source key or with a public key of the client.

use super::der::{CONTEXT_0, Elements, INTEGER, OBJECT_ID, SEQUENCE, element, only};
use super::private_key::{RSA, blocks};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap, KeyWrapPadded};
use aws_lc_rs::rand::fill;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use zeroize::Zeroizing;

/// How the material is wrapped, and what the wrapping key must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WrappingMethod {
    /// RFC 3394 with an AES key; takes lengths that are multiples of 8 bytes, from 16 on.
    AesKeyWrap,
    /// RFC 5649 with an AES key; takes all lengths.
    AesKeyWrapPadded,
    /// PKCS#11's CKM_RSA_AES_KEY_WRAP: a new AES key, encrypted with an RSA key, and the material wrapped with it.
    RsaAes { aes_bytes: usize, padding: RsaPadding },
    /// Encryption with an RSA key, for short material.
    Rsa(RsaPadding),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RsaPadding {
    Pkcs1,
    OaepSha1,
    OaepSha256,
    OaepSha384,
    OaepSha512,
}

impl RsaPadding {
    /// The words that clients use.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("oaep", Self::OaepSha1),
        ("oaep256", Self::OaepSha256),
        ("oaep384", Self::OaepSha384),
        ("oaep512", Self::OaepSha512),
        ("pkcs1", Self::Pkcs1),
    ];
}

/// Wraps material. `key` is the bytes of an AES key, or the DER of an RSA public key (SubjectPublicKeyInfo). `None` if
/// the key or the length of the material does not fit the method.
pub(in crate::service) fn wrap(method: WrappingMethod, key: &[u8], material: &[u8]) -> Option<Vec<u8>> {
    match method {
        WrappingMethod::AesKeyWrap => aes(key, false, material),
        WrappingMethod::AesKeyWrapPadded => aes(key, true, material),
        WrappingMethod::Rsa(padding) => rsa(key, padding, material),
        WrappingMethod::RsaAes { aes_bytes, padding } => {
            let mut ephemeral = Zeroizing::new(vec![0; aes_bytes]);
            fill(&mut ephemeral).ok()?;
            let mut wrapped = rsa(key, padding, &ephemeral)?;
            wrapped.extend(aes(&ephemeral, true, material)?);
            Some(wrapped)
        }
    }
}

fn aes(key: &[u8], padded: bool, material: &[u8]) -> Option<Vec<u8>> {
    let cipher = if key.len() == 16 { &AES_128 } else { &AES_256 };
    let kek = AesKek::new(cipher, key).ok()?;
    let mut output = vec![0; material.len() + 16];
    let wrapped = match padded {
        true => kek.wrap_with_padding(material, &mut output),
        false => kek.wrap(material, &mut output),
    };
    Some(wrapped.ok()?.to_vec())
}

fn rsa(public_key: &[u8], padding: RsaPadding, plaintext: &[u8]) -> Option<Vec<u8>> {
    let key = PublicEncryptingKey::from_der(public_key).ok()?;
    let mut ciphertext = vec![0; key.key_size_bytes()];
    let oaep = match padding {
        RsaPadding::Pkcs1 => {
            let key = Pkcs1PublicEncryptingKey::new(key).ok()?;
            return Some(key.encrypt(plaintext, &mut ciphertext).ok()?.to_vec());
        }
        RsaPadding::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
        RsaPadding::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
        RsaPadding::OaepSha384 => &OAEP_SHA384_MGF1SHA384,
        RsaPadding::OaepSha512 => &OAEP_SHA512_MGF1SHA512,
    };
    let key = OaepPublicEncryptingKey::new(key).ok()?;
    Some(key.encrypt(oaep, plaintext, &mut ciphertext, None).ok()?.to_vec())
}

/// Reads an RSA public key from PEM: a SubjectPublicKeyInfo, PKCS#1, or a certificate. Returns its SubjectPublicKeyInfo
/// in DER; `None` if it is none.
pub fn public_key(pem: &str) -> Option<Vec<u8>> {
    let blocks = blocks(pem).ok()?;
    let [(label, document)] = blocks.as_slice() else { return None };
    let key = match *label {
        "PUBLIC KEY" => document.to_vec(),
        "RSA PUBLIC KEY" => {
            let null: &[u8] = &[0x05, 0];
            let algorithm = element(SEQUENCE, &[&element(OBJECT_ID, &[RSA]), null]);
            element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], document])]).to_vec()
        }
        "CERTIFICATE" => of_certificate(document)?,
        _ => return None,
    };
    PublicEncryptingKey::from_der(&key).ok().map(|_| key)
}

const BIT_STRING: u8 = 0x03;

/// Returns the public key of an X.509 certificate.
fn of_certificate(document: &[u8]) -> Option<Vec<u8>> {
    let mut signed = Elements(only(document, SEQUENCE)?.take(SEQUENCE)?);
    let mut ahead = signed;
    if ahead.next()?.tag == CONTEXT_0 {
        // The version.
        signed = ahead;
    }
    signed.take(INTEGER)?;
    // The algorithm of the signature, the issuer, the validity and the subject.
    (0..4).try_for_each(|_| signed.take(SEQUENCE).map(drop))?;
    Some(element(SEQUENCE, &[signed.take(SEQUENCE)?]).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    /// RFC 3394, sections 4.1 and 4.6, and RFC 5649, section 6 (whose key has 192 bits, so only its form is compared).
    #[test]
    fn aes_key_wrap_gives_the_values_of_the_rfc() {
        let wrapped = wrap(
            WrappingMethod::AesKeyWrap,
            &hex("000102030405060708090A0B0C0D0E0F"),
            &hex("00112233445566778899AABBCCDDEEFF"),
        );
        assert_eq!(wrapped, Some(hex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")));
        let key = hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
        let material = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
        let expected = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
        assert_eq!(wrap(WrappingMethod::AesKeyWrap, &key, &material), Some(expected));
        assert_eq!(wrap(WrappingMethod::AesKeyWrap, &key, &[1; 20]), None, "not a multiple of 8 bytes");
        let padded = wrap(WrappingMethod::AesKeyWrapPadded, &key, &[1; 20]).expect("it wraps");
        let mut output = [0; 32];
        let kek = AesKek::new(&AES_256, &key).expect("a key");
        assert_eq!(kek.unwrap_with_padding(&padded, &mut output).expect("it unwraps"), [1; 20]);
        assert_eq!(wrap(WrappingMethod::AesKeyWrapPadded, &key[..24], &[1; 20]), None, "no key of 192 bits");
    }

    #[test]
    fn the_owner_of_the_private_key_unwraps() {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let public: PublicKeyX509Der<'_> = private.public_key().as_der().expect("DER");
        let (material, mut plaintext) = ([7; 32], vec![0; 256]);
        let oaep = OaepPrivateDecryptingKey::new(private.clone()).expect("a key");
        for (padding, algorithm) in [
            (RsaPadding::OaepSha1, &OAEP_SHA1_MGF1SHA1),
            (RsaPadding::OaepSha256, &OAEP_SHA256_MGF1SHA256),
            (RsaPadding::OaepSha384, &OAEP_SHA384_MGF1SHA384),
            (RsaPadding::OaepSha512, &OAEP_SHA512_MGF1SHA512),
        ] {
            let wrapped = wrap(WrappingMethod::Rsa(padding), public.as_ref(), &material).expect("it wraps");
            assert_eq!(oaep.decrypt(algorithm, &wrapped, &mut plaintext, None).expect("it decrypts"), material);
            let method = WrappingMethod::RsaAes { aes_bytes: 16, padding };
            let wrapped = wrap(method, public.as_ref(), &[9; 1000]).expect("it wraps");
            let (key, body) = wrapped.split_at(256);
            let key = oaep.decrypt(algorithm, key, &mut plaintext, None).expect("it decrypts");
            let mut output = vec![0; 1100];
            let kek = AesKek::new(&AES_128, key).expect("an AES-128 key");
            assert_eq!(kek.unwrap_with_padding(body, &mut output).expect("it unwraps"), [9; 1000]);
        }
        let wrapped = wrap(WrappingMethod::Rsa(RsaPadding::Pkcs1), public.as_ref(), &material).expect("it wraps");
        let pkcs1 = Pkcs1PrivateDecryptingKey::new(private).expect("a key");
        assert_eq!(pkcs1.decrypt(&wrapped, &mut plaintext).expect("it decrypts"), material);
        assert_eq!(wrap(WrappingMethod::Rsa(RsaPadding::OaepSha256), public.as_ref(), &[7; 1000]), None);
        assert_eq!(wrap(WrappingMethod::Rsa(RsaPadding::OaepSha256), b"no key", &material), None);
    }

    #[test]
    fn a_public_key_is_read_from_its_usual_forms() {
        let params = rcgen::CertificateParams::new(vec!["example.com".to_owned()]).expect("a name");
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let pkcs8 = private.as_der().expect("DER");
        let pair = rcgen::KeyPair::try_from(pkcs8.as_ref()).expect("a key pair");
        let public: PublicKeyX509Der<'_> = private.public_key().as_der().expect("DER");
        let certificate = params.self_signed(&pair).expect("a certificate").pem();
        assert_eq!(public_key(&certificate).as_deref(), Some(public.as_ref()));
        let spki = super::super::encoding::pem("PUBLIC KEY", public.as_ref());
        assert_eq!(public_key(&spki).as_deref(), Some(public.as_ref()));
        let mut inner = only(public.as_ref(), SEQUENCE).expect("a sequence");
        inner.take(SEQUENCE).expect("the algorithm");
        let bits = inner.take(BIT_STRING).expect("the key");
        let pkcs1 = super::super::encoding::pem("RSA PUBLIC KEY", &bits[1..]);
        assert_eq!(public_key(&pkcs1).as_deref(), Some(public.as_ref()));
        for text in ["", "AAAA", &spki.replace("PUBLIC", "PRIVATE"), &format!("{}{}", *spki, *spki)] {
            assert_eq!(public_key(text), None, "{text}");
        }
    }
}
