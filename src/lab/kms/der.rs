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

    /// Skips bytes that must be the next ones.
    pub(super) fn skip(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }
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
        for bytes in [&[4, 0x80][..], &[4, 0x85, 0, 0, 0, 0, 1], &[4], &[]] {
            assert_eq!(Reader::new(bytes).take(4), None, "{bytes:?}");
        }
    }
}
