//! Elements of DER: just what ciphertexts and key pairs need.

pub(super) const SEQUENCE: u8 = 0x30;

/// Writes an element whose content consists of parts.
pub(super) fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => element.push(short),
        _ => {
            let digits = content.len().to_be_bytes();
            let significant: Vec<u8> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
            // A length has at most eight bytes.
            element.push(0x80 | u8::try_from(significant.len()).unwrap_or_default());
            element.extend(significant);
        }
    }
    element.extend(content);
    element
}

/// Reads the elements of a sequence one after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    /// Reads the content of the next element, which must have this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(&[tag])?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..0x80 => (usize::from(*first), rest),
            _ => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let fits = !digits.is_empty() && digits.len() <= 4;
                let length = digits.iter().fold(0, |length: usize, digit| (length << 8) | usize::from(*digit));
                (fits.then_some(length)?, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Skips bytes that must be the next ones.
    pub(super) fn skip(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }
}

/// The constructed form of an octet string, which only BER has.
const CONSTRUCTED_OCTETS: u8 = 0x24;
const OCTETS: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;
const MULTI_BYTE_TAG: u8 = 0x1f;
const INDEFINITE: u8 = 0x80;
/// The nesting of elements that is read. A key pair has five levels.
const MAX_DEPTH: u8 = 16;

/// Converts an element from BER: lengths of any form, and octet strings in parts. `None` if it is not BER.
pub(super) fn from_ber(bytes: &[u8]) -> Option<Vec<u8>> {
    let (element, rest) = converted(bytes, MAX_DEPTH)?;
    rest.is_empty().then_some(element)
}

fn converted(bytes: &[u8], depth: u8) -> Option<(Vec<u8>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    if tag & MULTI_BYTE_TAG == MULTI_BYTE_TAG {
        return None;
    }
    let is_constructed = tag & CONSTRUCTED != 0;
    if let Some(rest) = rest.strip_prefix(&[INDEFINITE]).filter(|_| is_constructed) {
        let (children, rest) = converted_children(rest, depth.checked_sub(1)?, true)?;
        return Some((joined(*tag, &children)?, rest));
    }
    let mut reader = Reader::new(bytes);
    let content = reader.take(*tag)?;
    if !is_constructed {
        return Some((write(*tag, &[content]), reader.0));
    }
    let (children, _) = converted_children(content, depth.checked_sub(1)?, false)?;
    Some((joined(*tag, &children)?, reader.0))
}

/// Converts elements up to the end, or up to the mark that ends an indefinite length.
fn converted_children(mut rest: &[u8], depth: u8, has_end_mark: bool) -> Option<(Vec<Vec<u8>>, &[u8])> {
    let mut children = Vec::new();
    loop {
        if has_end_mark && let Some(rest) = rest.strip_prefix(&[0, 0]) {
            return Some((children, rest));
        }
        if !has_end_mark && rest.is_empty() {
            return Some((children, rest));
        }
        let (child, after) = converted(rest, depth)?;
        children.push(child);
        rest = after;
    }
}

fn joined(tag: u8, children: &[Vec<u8>]) -> Option<Vec<u8>> {
    if tag != CONSTRUCTED_OCTETS {
        let parts: Vec<&[u8]> = children.iter().map(Vec::as_slice).collect();
        return Some(write(tag, &parts));
    }
    let parts: Option<Vec<&[u8]>> = children.iter().map(|child| Reader::new(child).take(OCTETS)).collect();
    Some(write(OCTETS, &parts?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_any_length_is_read_back() {
        for (length, header) in
            [(0, vec![4, 0]), (127, vec![4, 127]), (128, vec![4, 0x81, 128]), (300, vec![4, 0x82, 1, 44])]
        {
            let content = vec![7; length];
            let element = write(4, &[&content]);
            assert_eq!(element, [header, content.clone()].concat());
            assert_eq!(Reader::new(&element).take(4), Some(content.as_slice()));
            assert_eq!(Reader::new(&element).take(5), None);
            assert_eq!(Reader::new(&element[..element.len() - 1]).take(4), None);
        }
        for bytes in [&[4, 0x80][..], &[4, 0x89, 0, 0, 0, 0, 1], &[4], &[]] {
            assert_eq!(Reader::new(bytes).take(4), None, "{bytes:?}");
        }
    }

    #[test]
    fn ber_becomes_der() {
        let der = [0x30, 5, 4, 3, 7, 8, 9];
        for ber in [
            &der[..],
            &[0x30, 0x81, 5, 4, 3, 7, 8, 9],
            &[0x30, 0x84, 0, 0, 0, 6, 4, 0x81, 3, 7, 8, 9],
            &[0x30, 0x80, 4, 3, 7, 8, 9, 0, 0],
            &[0x30, 0x80, 0x24, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0, 0, 0],
        ] {
            assert_eq!(from_ber(ber).as_deref(), Some(&der[..]), "{ber:?}");
        }
        for wrong in [&[][..], &[0x30, 0x80, 4, 1, 7], &[0x30, 6, 4, 3, 7, 8, 9], &[4, 0x80, 0, 0], &[0x30, 0, 0]] {
            assert_eq!(from_ber(wrong), None, "{wrong:?}");
        }
        assert_eq!(from_ber(&[0x30, 0x80].repeat(40)), None);
    }
}
