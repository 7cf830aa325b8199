//! Lengths of time as clients write them: `30d` or `12h`.

use super::time::Time;
use std::fmt;

/// A number of days or hours, at least one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    Days(u32),
    Hours(u32),
}

/// A text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a number of days or hours up to {DAYS_MAX} days, such as `30d` or `12h`")]
pub struct SpanError;

/// Ten years. A longer time is probably a mistake.
const DAYS_MAX: u32 = 3_650;

impl Span {
    /// Parses `30d` or `12h`.
    ///
    /// # Errors
    /// When the text has another form, or the length is zero or over ten years.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let number = |digits: &str, most: u32| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse().ok().filter(|number| (1..=most).contains(number)).ok_or(SpanError),
            false => Err(SpanError),
        };
        match (text.strip_suffix(['d', 'D']), text.strip_suffix(['h', 'H'])) {
            (Some(days), _) => Ok(Self::Days(number(days, DAYS_MAX)?)),
            (_, Some(hours)) => Ok(Self::Hours(number(hours, DAYS_MAX * 24)?)),
            _ => Err(SpanError),
        }
    }

    /// Returns the moment that is later than another by this length.
    pub fn after(self, moment: Time) -> Time {
        moment.plus_seconds(self.seconds())
    }

    /// Returns the moment that is earlier than another by this length.
    pub fn before(self, moment: Time) -> Time {
        moment.plus_seconds(-self.seconds())
    }

    fn seconds(self) -> i64 {
        match self {
            Self::Days(days) => i64::from(days) * 86_400,
            Self::Hours(hours) => i64::from(hours) * 3_600,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}d"),
            Self::Hours(hours) => write!(f, "{hours}h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_read_and_nothing_else() {
        assert_eq!(Span::parse("30d"), Ok(Span::Days(30)));
        assert_eq!(Span::parse("12h"), Ok(Span::Hours(12)));
        assert_eq!(Span::Hours(12).after(Time::from_nanos(0)), Time::from_nanos(0).plus_seconds(43_200));
        for bad in ["", "d", "30", "0d", "-1d", "+1d", "1.5d", "1w", "3651d", "99999999999d", " 1d", "1d "] {
            assert_eq!(Span::parse(bad), Err(SpanError), "{bad}");
        }
    }
}
