//! The documents of private keys: PKCS#8, PKCS#1 (RSA) and SEC1 (EC), as PEM or DER, read into PKCS#8 and written from
//! it.

use super::der::{CONTEXT_0, Elements, INTEGER, OBJECT_ID, OCTET_STRING, SEQUENCE, element, from_ber, only};
use super::supplied::{compact, from_base64};
use crate::domain::source_key::kind::Curve;
use zeroize::Zeroizing;

pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const NULL: &[u8] = &[0x05, 0];

/// The labels of PEM blocks with a private key.
const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// The object id of a curve.
const fn curve_id(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::Secp256r1 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        Curve::Secp384r1 => &[0x2b, 0x81, 0x04, 0, 0x22],
        Curve::Secp521r1 => &[0x2b, 0x81, 0x04, 0, 0x23],
        Curve::Secp256k1 => &[0x2b, 0x81, 0x04, 0, 0x0a],
    }
}

/// Reads a private key that a client supplies, and returns its PKCS#8 document. `curve` is that of an EC key whose
/// document does not name one. The error says what is expected.
pub(super) fn pkcs8(text: &str, curve: Option<Curve>) -> Result<Zeroizing<Vec<u8>>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let unreadable = "must be an unencrypted private key in PKCS#8, PKCS#1 or SEC1, as PEM or its DER in base64";
    let (document, named) = match text.contains("-----BEGIN ") {
        true => from_pem(text)?,
        false => (from_base64(&compact(text)).ok_or(unreadable)?, None),
    };
    let document = from_ber(&document).ok_or(unreadable)?;
    let parameters = named.as_deref().map(|named| named.as_slice());
    as_pkcs8(&document, parameters, curve).ok_or_else(|| unreadable.to_owned())
}

/// A document, and the EC parameters beside it.
type Parts = (Zeroizing<Vec<u8>>, Option<Zeroizing<Vec<u8>>>);

/// Finds the private key in a PEM text, and the EC PARAMETERS of it. Text around the blocks and other blocks, such as
/// certificates, do not matter.
fn from_pem(text: &str) -> Result<Parts, String> {
    let (mut keys, mut parameters) = (Vec::new(), None);
    for (label, document) in blocks(text)? {
        if LABELS.contains(&label) {
            keys.push(document);
        } else if label == "EC PARAMETERS" {
            parameters = Some(document);
        }
    }
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok((key, parameters)),
        (Some(_), others) => Err(format!("must have a single private key, and has {}", others + 1)),
        (None, _) => Err(format!("must have a PEM block `PRIVATE KEY` (PKCS#8), `{}` or `{}`", LABELS[1], LABELS[2])),
    }
}

/// A label and the document of its PEM block.
type Block<'a> = (&'a str, Zeroizing<Vec<u8>>);

/// Reads the blocks of a PEM text, with their labels.
pub(super) fn blocks(text: &str) -> Result<Vec<Block<'_>>, String> {
    const UNENDED: &str = "has a PEM block without an end";
    let (mut blocks, mut rest) = (Vec::new(), text);
    while let Some((_, begin)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begin.split_once("-----").ok_or(UNENDED)?;
        let end = format!("-----END {label}-----");
        let (body, after) = body.split_once(end.as_str()).ok_or(UNENDED)?;
        rest = after;
        if label == "ENCRYPTED PRIVATE KEY" || body.contains("ENCRYPTED") {
            return Err("is encrypted; decrypt the private key first".to_owned());
        }
        blocks.push((label, from_base64(&compact(body)).ok_or("has a PEM block that is not base64")?));
    }
    Ok(blocks)
}

/// Returns the PKCS#8 document of a key that is in PKCS#8, PKCS#1 or SEC1. `None` for anything else.
fn as_pkcs8(document: &[u8], parameters: Option<&[u8]>, curve: Option<Curve>) -> Option<Zeroizing<Vec<u8>>> {
    let mut members = only(document, SEQUENCE)?;
    let version = members.take(INTEGER)?;
    let second = members.next()?;
    match (version, second.tag) {
        ([0 | 1], SEQUENCE) => in_der(document, members.take(OCTET_STRING)?),
        ([0], INTEGER) => {
            let algorithm = element(SEQUENCE, &[&element(OBJECT_ID, &[RSA]), NULL]);
            Some(wrapped(&algorithm, document))
        }
        ([1], OCTET_STRING) => {
            let own = members.next().filter(|next| next.tag == CONTEXT_0).map(|next| next.content.to_vec());
            let given = own.or_else(|| parameters.map(<[u8]>::to_vec));
            let id = given.or_else(|| curve.map(|curve| element(OBJECT_ID, &[curve_id(curve)]).to_vec()))?;
            let algorithm = element(SEQUENCE, &[&element(OBJECT_ID, &[EC]), &id]);
            Some(wrapped(&algorithm, document))
        }
        _ => None,
    }
}

/// Returns a PKCS#8 document whose inner key is in DER too: the conversion from BER does not look into strings.
fn in_der(document: &[u8], inner: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let converted = from_ber(inner)?;
    if converted.as_slice() == inner {
        return Some(Zeroizing::new(document.to_vec()));
    }
    let mut members = only(document, SEQUENCE)?;
    members.take(INTEGER)?;
    Some(wrapped(&element(SEQUENCE, &[members.take(SEQUENCE)?]), &converted))
}

fn wrapped(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    element(SEQUENCE, &[&element(INTEGER, &[&[0]]), algorithm, &element(OCTET_STRING, &[key])])
}

/// Returns the key of a PKCS#8 document as PKCS#1 (RSA) or SEC1 with the name of its curve (EC), with its PEM label.
pub(super) fn traditional(pkcs8: &[u8]) -> Option<(&'static str, Zeroizing<Vec<u8>>)> {
    let mut members = only(pkcs8, SEQUENCE)?;
    members.take(INTEGER)?;
    let mut algorithm = Elements(members.take(SEQUENCE)?);
    let id = algorithm.take(OBJECT_ID)?;
    let inner = members.take(OCTET_STRING)?;
    if id == RSA {
        return Some((LABELS[1], Zeroizing::new(inner.to_vec())));
    }
    let curve = element(CONTEXT_0, &[&element(OBJECT_ID, &[algorithm.take(OBJECT_ID)?])]);
    let mut key = only(inner, SEQUENCE)?;
    let version = element(INTEGER, &[key.take(INTEGER)?]);
    let secret = element(OCTET_STRING, &[key.take(OCTET_STRING)?]);
    let mut rest = key;
    let public = match rest.next() {
        Some(next) if next.tag == CONTEXT_0 => rest.0,
        _ => key.0,
    };
    Some((LABELS[2], element(SEQUENCE, &[&version, &secret, &curve, public])))
}
