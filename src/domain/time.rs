//! Moments in time. The domain never reads a clock: times are arguments.

use chrono::{DateTime, Datelike, Timelike, Utc};
use std::fmt;

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Returns the seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// Converts a calendar time. Times before 1677 and after 2262 become the limits of the type.
    pub fn of(moment: DateTime<Utc>) -> Self {
        let end = if moment.timestamp() < 0 { i64::MIN } else { i64::MAX };
        Self(moment.timestamp_nanos_opt().unwrap_or(end))
    }

    /// Converts a calendar time; `None` if the type cannot hold it exactly (before 1677 and after 2262).
    pub fn exactly(moment: DateTime<Utc>) -> Option<Self> {
        moment.timestamp_nanos_opt().map(Self)
    }

    pub fn calendar(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// Adds seconds, which may be negative. The result saturates at the limits of the type.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000_000)))
    }

    /// Returns the seconds until another moment, rounded up; 0 if it has passed.
    pub const fn seconds_until(self, end: Self) -> i64 {
        let nanos = end.0.saturating_sub(self.0);
        if nanos <= 0 { 0 } else { (nanos - 1) / 1_000_000_000 + 1 }
    }

    #[must_use]
    pub const fn just_before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// Writes RFC 3339 in UTC without trailing zeroes, such as `2020-11-05T05:29:17.200168Z`. It does not use the general
/// formatting of numbers: every resource shows two moments, and that formatting is a large part of the cost of a read.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = self.calendar();
        let mut text = *b"0000-00-00T00:00:00.000000000";
        // All years in the range of the type have four digits.
        put(&mut text[..4], moment.year().unsigned_abs());
        put(&mut text[5..7], moment.month());
        put(&mut text[8..10], moment.day());
        put(&mut text[11..13], moment.hour());
        put(&mut text[14..16], moment.minute());
        put(&mut text[17..19], moment.second());
        put(&mut text[20..], moment.nanosecond());
        let digits = text.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
        let end = if moment.nanosecond() == 0 { 19 } else { digits };
        f.write_str(std::str::from_utf8(&text[..end]).map_err(|_| fmt::Error)?)?;
        f.write_str("Z")
    }
}

/// Fills a slice with the last digits of a number.
fn put(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_the_digits_it_has() {
        let whole = Time::from_nanos(1_604_554_157_000_000_000);
        assert_eq!(whole.to_string(), "2020-11-05T05:29:17Z");
        assert_eq!(Time::from_nanos(whole.nanos() + 200_168_000).to_string(), "2020-11-05T05:29:17.200168Z");
        assert_eq!(Time::from_nanos(whole.nanos() + 1).to_string(), "2020-11-05T05:29:17.000000001Z");
        assert_eq!(Time::from_nanos(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(Time::from_nanos(i64::MIN).to_string(), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(Time::from_nanos(i64::MAX).to_string(), "2262-04-11T23:47:16.854775807Z");
    }
}
