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

fn read(kind: SourceKeyKind, text: &str) -> Result<Material, Failure> {
    Material::read(WantedKind::Exactly(kind), None, text)
}

fn refused(kind: SourceKeyKind, text: &str) -> String {
    read(kind, text).expect_err("no such material").to_string()
}

fn refused_of(kind: SourceKeyKind, text: &str) -> String {
    Material::read(WantedKind::OfAlgorithm(kind), None, text).expect_err("no such material").to_string()
}

/// The material in its usual format.
fn usual_text(material: &Material, encoding: Encoding) -> Zeroizing<String> {
    let format = if material.kind().is_asymmetric() { Format::Pkcs8 } else { Format::Raw };
    material.document(format).expect("its usual format").text(encoding)
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
            let read = read(kind, &usual_text(&material, encoding)).expect("it reads back");
            assert!(read.secret() == material.secret(), "{kind:?} {encoding:?}");
            assert_eq!((read.fingerprint(), read.public_key()), (material.fingerprint(), material.public_key()));
        }
    }
}

/// The expected value is the SHA-256 (FIPS 180) of sixteen zero bytes.
#[test]
fn a_fingerprint_is_the_sha_256_of_the_material() {
    let material = read(AES_128, &"00".repeat(16)).expect("material");
    let expected = "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb";
    assert_eq!(material.fingerprint().to_string(), expected);
    assert_eq!(usual_text(&material, Encoding::Base64).as_str(), "AAAAAAAAAAAAAAAAAAAAAA==");
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
        let material = read(K1, text).expect("material");
        let fingerprint = "b89ed623ad928a2654cb60492cbd4297766291406144edee817664802e922357";
        assert_eq!(material.fingerprint().to_string(), fingerprint);
        assert_eq!(material.public_key().as_deref(), Some(public));
        assert_eq!(usual_text(&material, Encoding::Pem).as_str(), pem);
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
    let expected = "material: is not an RSA key of 3072 bits";
    assert_eq!(refused(another_size, &usual_text(&rsa, Encoding::Pem)), expected);
    let expected = "material: is not an EC key on secp256r1";
    assert_eq!(refused(SourceKeyKind::Ec(Curve::Secp256r1), &usual_text(&k1, Encoding::Base64)), expected);
    assert!(refused(RSA, &usual_text(&k1, Encoding::Pem)).starts_with("material: is not an RSA key"));
    assert!(refused(K1, &usual_text(&rsa, Encoding::Base64)).starts_with("material: is not an EC key"));

    let pem = usual_text(&k1, Encoding::Pem);
    let said = refused(K1, &pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
    assert_eq!(said, "material: is encrypted; decrypt the private key first");
    let said = refused(K1, &pem.replace("PRIVATE KEY", "PUBLIC KEY"));
    let expected = "material: must have a PEM block `PRIVATE KEY` (PKCS#8), `RSA PRIVATE KEY` or `EC PRIVATE KEY`";
    assert_eq!(said, expected);
    let twice = format!("{}{}", pem.as_str(), pem.as_str());
    assert_eq!(refused(K1, &twice), "material: must have a single private key, and has 2");
    for text in ["-----BEGIN PRIVATE KEY-----", "nonsense", "bm9uc2Vuc2U=", &pem[..100], "-----BEGIN "] {
        assert!(refused(K1, text).starts_with("material: "), "{text}");
    }
    let other = refused_of(RSA, &usual_text(&k1, Encoding::Pem));
    assert_eq!(other, "material: is not an RSA key of a size that AWS imports: 2048, 3072, 4096 bits");
    let other = refused_of(K1, &usual_text(&rsa, Encoding::Pem));
    let curves = "secp256r1, secp384r1, secp521r1, secp256k1";
    assert_eq!(other, format!("material: is not an EC key on a curve that AWS imports: {curves}"));
}

/// A client may send any form in which a key is kept.
#[test]
fn private_keys_are_read_in_every_form() {
    for kind in [RSA, K1, SourceKeyKind::Ec(Curve::Secp521r1)] {
        let material = Material::generate(kind).expect("material");
        let pkcs8 = usual_text(&material, Encoding::Pem);
        let traditional = material.document(Format::Pkcs1).expect("it has one").text(Encoding::Pem);
        assert!(traditional.contains(if kind == RSA { "RSA PRIVATE KEY" } else { "EC PRIVATE KEY" }));
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let forms = [
            format!("\u{feff}{}", pkcs8.as_str()),
            pkcs8.replace('\n', "\r\n"),
            format!("Bag Attributes\n    friendlyName: x\n{certificate}{}\n{certificate}after", pkcs8.as_str()),
            traditional.to_string(),
            material.document(Format::Pkcs1).expect("it has one").text(Encoding::Base64).to_string(),
            base64(&ber(&material.document(Format::Pkcs8).expect("it has one").bytes)),
            base64(&ber(&material.document(Format::Pkcs1).expect("it has one").bytes)),
        ];
        for form in &forms {
            for wanted in [WantedKind::Exactly(kind), WantedKind::OfAlgorithm(kind.siblings()[0])] {
                let read = Material::read(wanted, None, form).unwrap_or_else(|failure| panic!("{form}: {failure}"));
                assert_eq!((read.kind(), read.secret() == material.secret()), (kind, true), "{form}");
            }
        }
    }
}

/// The same document in BER: the outer element has an indefinite length.
fn ber(der: &[u8]) -> Vec<u8> {
    let content = der::only(der, der::SEQUENCE).expect("a sequence").0;
    [&[der::SEQUENCE, 0x80], content, &[0, 0]].concat()
}

fn base64(bytes: &[u8]) -> String {
    encoding::base64(bytes).to_string()
}

/// `openssl ecparam -name secp256k1 -genkey` and `openssl ec -no_public -param_enc named_curve` write these.
#[test]
fn a_sec1_key_has_its_curve_in_itself_or_beside_it_or_from_the_request() {
    let key = "-----BEGIN EC PRIVATE KEY-----
MC4CAQEEILGLTmsvGGgiB5iTI46qEoOmvGXOWaLjr3EY3EZvWru+oAcGBSuBBAAK
-----END EC PRIVATE KEY-----
";
    let bare = "MCUCAQEEILGLTmsvGGgiB5iTI46qEoOmvGXOWaLjr3EY3EZvWru+";
    let parameters = "-----BEGIN EC PARAMETERS-----\nBgUrgQQACg==\n-----END EC PARAMETERS-----\n";
    let beside = format!("{parameters}-----BEGIN EC PRIVATE KEY-----\n{bare}\n-----END EC PRIVATE KEY-----\n");
    let expected = read(K1, key).expect("a key");
    for text in [bare, beside.as_str()] {
        assert_eq!(read(K1, text).expect("a key").fingerprint(), expected.fingerprint(), "{text}");
    }
    let open = WantedKind::OfAlgorithm(SourceKeyKind::Ec(Curve::Secp384r1));
    assert_eq!(Material::read(open, None, key).expect("a key").kind(), K1);
    assert!(Material::read(open, None, bare).is_err(), "no curve is known");
}

#[test]
fn symmetric_material_has_the_size_of_its_text_unless_one_is_wanted() {
    let of = |kind, encoding, text: &str| {
        Material::read(WantedKind::OfAlgorithm(kind), encoding, text).map(|material| material.kind().bits())
    };
    let (aes, hmac) = (SourceKeyKind::Aes(AesSize::Aes256), SourceKeyKind::Hmac(HmacHash::Sha256, HmacSize::Full));
    assert_eq!(of(aes, None, &"6b".repeat(16)).ok(), Some(128));
    assert_eq!(of(hmac, None, &"6b".repeat(40)).ok(), Some(320));
    assert_eq!(of(hmac, None, &base64(&[7; 128])).ok(), Some(1024));
    assert_eq!(of(hmac, None, base64(&[7; 128]).trim_end_matches('=')).ok(), Some(1024));
    assert_eq!(of(hmac, Some(Encoding::Hex), &base64(&[7; 128])).ok(), None);
    assert_eq!(
        of(hmac, Some(Encoding::Base64), &"abcd".repeat(16)).ok(),
        Some(384),
        "these are hexadecimal digits too"
    );
    assert_eq!(of(hmac, None, &"abcd".repeat(16)).ok(), Some(256));
    let problem = "material: must be a key in hexadecimal digits or base64; the sizes of hmac-sha256 in bits are 128, \
                   192, 256 and multiples of 8 up to 1024";
    assert_eq!(refused_of(hmac, &"6b".repeat(129)), problem);
    assert_eq!(refused_of(hmac, "?"), problem);
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
    let material = read(AES_128, &"6b".repeat(16)).expect("material");
    assert_eq!(format!("{material:?}"), "Material(Aes(Aes128))");
}
