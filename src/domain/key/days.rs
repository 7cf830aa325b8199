//! Numbers of days, within AWS's limits.

use crate::domain::refusal::{Bounds, Refusal};
use std::fmt;

/// A number of days that AWS does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is out of range: {least} to {most} days are expected")]
pub struct DaysOutOfRange {
    given: i64,
    least: u16,
    most: u16,
}

impl DaysOutOfRange {
    /// Returns the refusal of the member with the number.
    pub fn refusal(self, member: &'static str) -> Refusal {
        let limit = Bounds::between(self.least.into(), self.most.into());
        Refusal::OutOfRange { member, problem: self.to_string(), limit }
    }
}

macro_rules! days {
    ($(#[$doc:meta])* $name:ident, $least:literal ..= $most:literal, $default:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u16);

        impl $name {
            /// AWS's minimum.
            pub const SHORTEST: Self = Self($least);

            /// Checks a number of days.
            ///
            /// # Errors
            /// When AWS would not accept it.
            pub fn parse(days: i64) -> Result<Self, DaysOutOfRange> {
                let out_of_range = DaysOutOfRange { given: days, least: $least, most: $most };
                match u16::try_from(days) {
                    Ok(days @ $least..=$most) => Ok(Self(days)),
                    _ => Err(out_of_range),
                }
            }

            pub const fn days(self) -> u16 {
                self.0
            }
        }

        /// AWS's default.
        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

days!(
    /// The period of automatic rotation, in days.
    RotationPeriod, 90..=2560, 365);
days!(
    /// The waiting period before AWS deletes a key, in days.
    DeletionWindow, 7..=30, 30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_outside_awss_limits_are_refused() {
        for (days, taken) in [(89, false), (90, true), (2560, true), (2561, false), (-90, false), (65_626, false)] {
            assert_eq!(RotationPeriod::parse(days).is_ok(), taken, "{days}");
        }
        for (days, taken) in [(6, false), (7, true), (30, true), (31, false)] {
            assert_eq!(DeletionWindow::parse(days).is_ok(), taken, "{days}");
        }
        let said = DeletionWindow::parse(i64::MAX).expect_err("too long").to_string();
        assert_eq!(said, "`9223372036854775807` is out of range: 7 to 30 days are expected");
    }
}
