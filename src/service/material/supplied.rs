//! Reads material that a client supplies as text. No error message contains any of it.

use super::{Encoding, Material, private_key};
use crate::domain::source_key::kind::{Curve, SourceKeyKind};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// The kind of material that a client wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WantedKind {
    /// This kind.
    Exactly(SourceKeyKind),
    /// A kind of the same algorithm: supplied material determines its size, generated material has this one.
    OfAlgorithm(SourceKeyKind),
}

impl WantedKind {
    /// The kind of generated material.
    pub fn usual(self) -> SourceKeyKind {
        match self {
            Self::Exactly(kind) | Self::OfAlgorithm(kind) => kind,
        }
    }

    /// The kinds that supplied asymmetric material may have.
    fn candidates(self) -> Vec<SourceKeyKind> {
        match self {
            Self::Exactly(kind) => vec![kind],
            Self::OfAlgorithm(kind) => kind.siblings(),
        }
    }
}

/// Reads material; the error describes the expected form.
pub(super) fn read(wanted: WantedKind, encoding: Option<Encoding>, text: &str) -> Result<Material, String> {
    match wanted.usual().is_asymmetric() {
        true => read_private_key(wanted, text),
        false => read_bytes(wanted, encoding, text),
    }
}

fn read_bytes(wanted: WantedKind, encoding: Option<Encoding>, text: &str) -> Result<Material, String> {
    let text = compact(text.trim_start_matches('\u{feff}'));
    let sized = |bytes: Zeroizing<Vec<u8>>| {
        let kind = wanted.usual().sized(bytes.len() as u64 * 8);
        let kind = kind.filter(|kind| wanted == WantedKind::OfAlgorithm(wanted.usual()) || *kind == wanted.usual())?;
        Some(Material::from_bytes(kind, bytes))
    };
    let hexadecimal = || from_hex(&text).and_then(sized);
    let base64 = || from_base64(&text).and_then(sized);
    let material = match encoding {
        Some(Encoding::Hex) => hexadecimal(),
        Some(Encoding::Base64) => base64(),
        Some(Encoding::Pem) => None,
        // A text of hexadecimal digits can be base64 too: its length decides, and hexadecimal digits come first.
        None => hexadecimal().or_else(base64),
    };
    material.ok_or_else(|| match wanted {
        WantedKind::Exactly(kind) => {
            let length = kind.bits() as usize / 8;
            let (hex_digits, base64_characters) = (length * 2, length.div_ceil(3) * 4);
            format!(
                "must be {length} bytes for {} of {} bits: {hex_digits} hexadecimal digits, or {base64_characters} \
                 characters of base64",
                kind.algorithm(),
                kind.bits()
            )
        }
        WantedKind::OfAlgorithm(kind) => format!(
            "must be a key in hexadecimal digits or base64; the sizes of {} in bits are {}",
            kind.algorithm(),
            kind.sizes()
        ),
    })
}

fn read_private_key(wanted: WantedKind, text: &str) -> Result<Material, String> {
    let candidates = wanted.candidates();
    let curve = match wanted {
        WantedKind::Exactly(kind) => kind.curve(),
        WantedKind::OfAlgorithm(_) => None,
    };
    let document = private_key::pkcs8(text, curve)?;
    let found = candidates.iter().find_map(|kind| Material::private_key(*kind, &document));
    found.ok_or_else(|| {
        let known = candidates.iter().map(|kind| match kind.curve() {
            Some(curve) => Curve::name(curve).to_owned(),
            None => kind.bits().to_string(),
        });
        let known = known.collect::<Vec<_>>().join(", ");
        match wanted {
            WantedKind::Exactly(kind) => format!("is not {}", kind.description()),
            WantedKind::OfAlgorithm(SourceKeyKind::Ec(_)) => {
                format!("is not an EC key on a curve that AWS imports: {known}")
            }
            WantedKind::OfAlgorithm(_) => format!("is not an RSA key of a size that AWS imports: {known} bits"),
        }
    })
}

pub(super) fn compact(text: &str) -> Zeroizing<String> {
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    compact.extend(text.chars().filter(|char| !char.is_ascii_whitespace()));
    compact
}

/// Padding is optional. The capacity is reserved first, since a growing vector leaves copies of the secret in memory.
pub(super) fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    LENIENT.decode_vec(text, &mut bytes).ok()?;
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
