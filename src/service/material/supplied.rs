//! Reads material that a client supplies as text. No error message contains any of it.

use super::Material;
use crate::domain::source_key::kind::{Curve, SourceKeyKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Reads material; the error describes the expected form.
pub(super) fn read(kind: SourceKeyKind, text: &str) -> Result<Material, String> {
    if kind.is_asymmetric() { read_private_key(kind, text) } else { read_bytes(kind, text) }
}

fn read_bytes(kind: SourceKeyKind, text: &str) -> Result<Material, String> {
    let length = kind.bits() as usize / 8;
    let (hex_digits, base64_characters) = (length * 2, length.div_ceil(3) * 4);
    let text = text.trim();
    let bytes = match text.len() {
        len if len == hex_digits => from_hex(text),
        len if len == base64_characters => from_base64(text),
        _ => None,
    };
    let fitting = bytes.filter(|bytes| bytes.len() == length);
    fitting.map(|secret| Material::from_bytes(kind, secret)).ok_or_else(|| {
        format!(
            "must be {length} bytes for {} of {} bits: {hex_digits} hexadecimal digits, or {base64_characters} \
             characters of base64",
            kind.algorithm(),
            kind.bits()
        )
    })
}

fn read_private_key(kind: SourceKeyKind, text: &str) -> Result<Material, String> {
    let document = if text.contains("-----") { from_pem(text)? } else { from_base64(&compact(text)) };
    let document = document.ok_or("must be a PKCS#8 private key, in PEM or its DER in base64")?;
    let named = match kind.curve() {
        Some(curve) => format!("an EC key on {}", Curve::name(curve)),
        None => format!("an RSA key of {} bits", kind.bits()),
    };
    Material::private_key(kind, &document).ok_or_else(|| format!("is not {named} in an unencrypted PKCS#8 document"))
}

/// Decodes the body of a PEM text; `None` if it is not base64.
fn from_pem(text: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let inner = text.trim().strip_prefix("-----BEGIN PRIVATE KEY-----");
    let inner = inner.and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"));
    let inner = inner.ok_or("must be a single PEM text from `-----BEGIN PRIVATE KEY-----` on (unencrypted PKCS#8)")?;
    Ok(from_base64(&compact(inner)))
}

fn compact(text: &str) -> Zeroizing<String> {
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    compact.extend(text.chars().filter(|char| !char.is_ascii_whitespace()));
    compact
}

/// The capacity is reserved first, since a growing vector leaves copies of the secret in memory.
fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    STANDARD.decode_vec(text, &mut bytes).ok()?;
    Some(bytes)
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else { return None };
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(bytes)
}

fn digit(char: u8) -> Option<u8> {
    char::from(char).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
