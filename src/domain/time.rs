//! A moment as the log keeps it. The domain is told the time; it never asks a clock.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A moment: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Time(i64);

/// Nanoseconds for the log; RFC 3339 for people, who read JSON.
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { to.serialize_i64(self.0) }
    }
}

impl Time {
    /// From nanoseconds since 1970.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since 1970.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// From a calendar time; the years 1677 and 2262 are the ends of what can be told.
    pub fn of(moment: DateTime<Utc>) -> Self {
        let end = if moment.timestamp() < 0 { i64::MIN } else { i64::MAX };
        Self(moment.timestamp_nanos_opt().unwrap_or(end))
    }

    /// As a calendar time.
    pub fn calendar(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// Later by so many seconds (earlier, when negative); never past the ends of time.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000_000)))
    }

    /// The last moment before.
    #[must_use]
    pub const fn just_before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// RFC 3339 in UTC with as many digits of the second as there are, e.g. `2020-11-05T05:29:17.200168Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand: chrono reads its pattern anew for every moment, and every resource shows two.
        let moment = self.calendar();
        let (year, month, day) = (moment.year(), moment.month(), moment.day());
        let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        let fraction = self.0.rem_euclid(1_000_000_000);
        if fraction != 0 {
            write!(f, ".{}", format!("{fraction:09}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
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
    }
}
