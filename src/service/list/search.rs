//! The search of lists: a text that any of several members has somewhere, regardless of case.

use memchr::memchr2_iter;
use std::cmp::Ordering;

/// How well a text matches; the better match is the greater one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Match {
    /// The text has the searched one somewhere.
    Inside,
    /// It begins with it.
    Start,
    Whole,
}

/// A text to search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// The text in lower case; never empty.
    lower: String,
}

impl Needle {
    /// `None` if the text is blank.
    pub fn of(text: &str) -> Option<Self> {
        let lower = text.trim().to_lowercase();
        (!lower.is_empty()).then_some(Self { lower })
    }

    /// How a text matches, if it does.
    pub fn matches(&self, text: &str) -> Option<Match> {
        match text.is_ascii() {
            true => self.matches_ascii(text.as_bytes()),
            false => {
                let text = text.to_lowercase();
                let at = text.find(&self.lower)?;
                Some(self.found_at(at, text.len()))
            }
        }
    }

    /// As for any text, without a copy of it. Most texts are short, ASCII, and do not match.
    fn matches_ascii(&self, text: &[u8]) -> Option<Match> {
        let needle = self.lower.as_bytes();
        let first = *needle.first()?;
        let last = text.len().checked_sub(needle.len())?;
        let begins = memchr2_iter(first, first.to_ascii_uppercase(), text.get(..=last)?);
        let is_here = |at: &usize| text[*at..*at + needle.len()].eq_ignore_ascii_case(needle);
        let at = begins.into_iter().find(is_here)?;
        Some(self.found_at(at, text.len()))
    }

    fn found_at(&self, at: usize, length: usize) -> Match {
        match (at.cmp(&0), length.cmp(&self.lower.len())) {
            (Ordering::Equal, Ordering::Equal) => Match::Whole,
            (Ordering::Equal, _) => Match::Start,
            _ => Match::Inside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_matches_as_a_whole_at_its_start_or_inside() {
        let matches = |needle: &str, text: &str| Needle::of(needle).and_then(|needle| needle.matches(text));
        assert_eq!(matches(" PayRoll ", "payroll"), Some(Match::Whole));
        assert_eq!(matches("pay", "PAYROLL"), Some(Match::Start));
        assert_eq!(matches("roll", "payroll"), Some(Match::Inside));
        assert_eq!(matches("aab", "aaab"), Some(Match::Inside));
        assert_eq!(matches("payrolls", "payroll"), None);
        assert_eq!(matches("x", ""), None);
        assert_eq!(matches("LÖHNE", "die löhne"), Some(Match::Inside));
        assert_eq!(matches("löhne", "Löhne"), Some(Match::Whole));
        assert_eq!(matches("ö", "ohne"), None);
        assert_eq!(Needle::of("  "), None);
        assert!(Match::Whole > Match::Start && Match::Start > Match::Inside);
    }
}
