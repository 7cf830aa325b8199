//! Encodes material as text, for an export.

use super::{Material, private_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use zeroize::Zeroizing;

/// The encoding of exported material.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Hexadecimal digits, for AES and HMAC.
    Hex,
    /// Base64 of the bytes, or of the document's DER.
    Base64,
    /// The document in PEM, for RSA and EC.
    Pem,
}

/// The format of exported material.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// The bytes, for AES and HMAC.
    Raw,
    /// PKCS#8, for RSA and EC.
    Pkcs8,
    /// PKCS#1 for RSA, and its counterpart SEC1 for EC.
    Pkcs1,
}

impl Format {
    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Pkcs8 => "pkcs8",
            Self::Pkcs1 => "pkcs1",
        }
    }
}

/// Material in a format.
pub struct Document {
    /// The label of its PEM block.
    label: &'static str,
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Material {
    /// Returns the material in a format; `None` if its kind has no such format.
    pub fn document(&self, format: Format) -> Option<Document> {
        let (label, bytes) = match (format, self.kind.is_asymmetric()) {
            (Format::Raw, false) | (Format::Pkcs8, true) => ("PRIVATE KEY", self.secret.clone()),
            (Format::Pkcs1, true) => private_key::traditional(&self.secret)?,
            (Format::Raw, true) | (Format::Pkcs8 | Format::Pkcs1, false) => return None,
        };
        Some(Document { label, bytes })
    }
}

impl Document {
    pub fn text(&self, encoding: Encoding) -> Zeroizing<String> {
        match encoding {
            Encoding::Hex => hex(&self.bytes),
            Encoding::Base64 => base64(&self.bytes),
            Encoding::Pem => pem(self.label, &self.bytes),
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

pub(in crate::service) fn base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// Encodes a DER document as PEM, in lines of 64 characters.
pub(in crate::service) fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
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
