//! ASN.1 in DER and BER, as far as private keys need it. Clients' keys may be in BER; AWS takes DER only.

use zeroize::Zeroizing;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// The first explicit context tag, `[0]`.
pub(super) const CONTEXT_0: u8 = 0xa0;
/// The bit of tags whose content is a list of elements.
const CONSTRUCTED: u8 = 0x20;

/// The deepest nesting that is read. Private keys have about six levels.
const DEPTH_MAX: usize = 16;

/// An element: its tag and its content.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
}

/// Reads the elements of a DER content one after another.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a>(pub &'a [u8]);

impl<'a> Elements<'a> {
    /// Takes the next element; `None` at the end, or if it is not DER.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (tag, rest) = self.0.split_first()?;
        let (length, rest) = length_of(rest)?;
        let (content, rest) = rest.split_at_checked(length?)?;
        self.0 = rest;
        Some(Element { tag: *tag, content })
    }

    /// Takes the next element, which must have this tag; returns its content.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.content)
    }
}

/// Reads the only element of a document, which must have this tag; returns its content.
pub(super) fn only(document: &[u8], tag: u8) -> Option<Elements<'_>> {
    let mut elements = Elements(document);
    let content = elements.take(tag)?;
    elements.0.is_empty().then_some(Elements(content))
}

/// Writes an element.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // The capacity suffices, since a vector that grows leaves copies of the secret in memory.
    let mut out = Zeroizing::new(Vec::with_capacity(length + 10));
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | significant.len() as u8);
            out.extend_from_slice(significant);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// Converts a BER document to DER: definite and shortest lengths, strings in one piece, shortest integers. `None` if it
/// is not BER.
pub(super) fn from_ber(document: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (converted, rest) = convert(document, 0)?;
    rest.is_empty().then_some(converted)
}

/// Converts the first element; returns it, and the bytes after it.
fn convert(bytes: &[u8], depth: usize) -> Option<(Zeroizing<Vec<u8>>, &[u8])> {
    if depth > DEPTH_MAX {
        return None;
    }
    let (tag, rest) = bytes.split_first()?;
    // Private keys have no tags of several bytes.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (length, rest) = length_of(rest)?;
    if tag & CONSTRUCTED == 0 {
        let (content, rest) = rest.split_at_checked(length?)?;
        let content = if *tag == INTEGER { shortest_integer(content) } else { content };
        return Some((element(*tag, &[content]), rest));
    }
    let (mut inner, mut after) = match length {
        Some(length) => rest.split_at_checked(length)?,
        None => (rest, &[][..]),
    };
    let mut parts = Vec::new();
    loop {
        match (length, inner) {
            (Some(_), []) => break,
            // The end of an element of indefinite length.
            (None, [0, 0, rest @ ..]) => {
                after = rest;
                break;
            }
            _ => {
                let (part, rest) = convert(inner, depth + 1)?;
                parts.push(part);
                inner = rest;
            }
        }
    }
    if *tag == OCTET_STRING | CONSTRUCTED {
        let pieces: Option<Vec<&[u8]>> = parts.iter().map(|part| Elements(part).take(OCTET_STRING)).collect();
        return Some((element(OCTET_STRING, &pieces?), after));
    }
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
    Some((element(*tag, &parts), after))
}

/// Reads a length; the inner `None` stands for an indefinite one.
fn length_of(bytes: &[u8]) -> Option<(Option<usize>, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match first {
        0x80 => Some((None, rest)),
        short if *short < 0x80 => Some((Some(usize::from(*short)), rest)),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = digits
                .iter()
                .try_fold(0usize, |length, digit| length.checked_mul(256).map(|length| length | usize::from(*digit)));
            Some((Some(length?), rest))
        }
    }
}

fn shortest_integer(mut content: &[u8]) -> &[u8] {
    while let [0, next, ..] = content {
        if next & 0x80 != 0 {
            break;
        }
        content = &content[1..];
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ber_becomes_der() {
        let cases: [(&[u8], &[u8]); 5] = [
            // An indefinite length.
            (&[0x30, 0x80, 0x02, 1, 5, 0, 0], &[0x30, 3, 0x02, 1, 5]),
            // A long length where a short one suffices.
            (&[0x30, 0x82, 0, 3, 0x02, 1, 5], &[0x30, 3, 0x02, 1, 5]),
            // A string in pieces.
            (&[0x24, 0x80, 4, 1, 1, 4, 2, 2, 3, 0, 0], &[4, 3, 1, 2, 3]),
            // An integer with superfluous zeros.
            (&[0x02, 3, 0, 0, 0x80], &[0x02, 2, 0, 0x80]),
            (&[0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0], &[0x30, 2, 0x30, 0]),
        ];
        for (ber, der) in cases {
            assert_eq!(from_ber(ber).as_deref().map(Vec::as_slice), Some(der), "{ber:?}");
            assert_eq!(from_ber(der).as_deref().map(Vec::as_slice), Some(der), "{der:?}");
        }
    }

    #[test]
    fn what_is_not_ber_is_refused() {
        let deep = [0x30, 0x80].repeat(1000);
        let cases: [&[u8]; 8] = [
            &[],
            &[0x30],
            &[0x30, 5, 2],
            &[0x30, 0x80, 2, 1, 5],
            &[0x1f, 1, 0],
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x02, 1, 5, 0],
            &deep,
        ];
        for bytes in cases {
            assert!(from_ber(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn long_elements_have_long_lengths() {
        let bytes = element(OCTET_STRING, &[&[7; 200], &[8; 100]]);
        assert_eq!((&bytes[..4], bytes.len()), (&[4, 0x82, 1, 44][..], 304));
        assert_eq!(only(&bytes, OCTET_STRING).map(|inner| inner.0.len()), Some(300));
    }
}
