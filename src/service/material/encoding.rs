//! Encodes material as text, for an export.

use super::Material;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use zeroize::Zeroizing;

/// The encoding of exported material.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Hexadecimal digits, for AES and HMAC.
    Hex,
    /// Base64 of the bytes, or of the PKCS#8 document's DER.
    Base64,
    /// The PKCS#8 document in PEM, for RSA and EC.
    Pem,
}

impl Material {
    pub fn text(&self, encoding: Encoding) -> Zeroizing<String> {
        match encoding {
            Encoding::Hex => hex(&self.secret),
            Encoding::Base64 => base64(&self.secret),
            Encoding::Pem => pem("PRIVATE KEY", &self.secret),
        }
    }
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// Encodes a DER document as PEM, in lines of 64 characters.
pub(super) fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = base64(der);
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 2 * label.len() + 64));
    let _ = writeln!(text, "-----BEGIN {label}-----");
    for (at, char) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(char);
    }
    let _ = writeln!(text, "\n-----END {label}-----");
    text
}
