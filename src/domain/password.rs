//! The rules for passwords and lockout, as an administrator sets them. Times are in minutes and days, as in the API.

pub mod decide;
pub mod patch;
pub mod policies;

use super::refusal::reason::Bounds;
use super::time::Time;

/// The rules of a password policy. The members have the names of the API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasswordPolicy {
    pub inclusive_min_upper_case: u32,
    pub inclusive_min_lower_case: u32,
    pub inclusive_min_digits: u32,
    /// The minimum number of characters that are neither letters nor digits.
    pub inclusive_min_other: u32,
    pub inclusive_min_total_length: u32,
    /// The maximum length; 0 for [`PASSWORD_MAX`].
    pub inclusive_max_total_length: u32,
    /// The number of previous passwords that cannot be used again.
    pub password_history_threshold: u32,
    /// The days until a password must be changed; 0 for never.
    pub password_lifetime: u32,
    /// The days until a user may change a new password.
    pub password_change_min_days: u32,
    /// The minutes of lockout after each consecutive failure. The last entry applies to all further failures.
    pub failed_logins_lockout_thresholds: Vec<u32>,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            inclusive_min_upper_case: 1,
            inclusive_min_lower_case: 1,
            inclusive_min_digits: 1,
            inclusive_min_other: 1,
            inclusive_min_total_length: 12,
            inclusive_max_total_length: 256,
            password_history_threshold: 0,
            password_lifetime: 0,
            password_change_min_days: 0,
            failed_logins_lockout_thresholds: vec![0, 0, 0, 0, 1, 5, 15],
        }
    }
}

/// The upper limit of the length of passwords, in characters. It bounds the cost of hashing.
pub const PASSWORD_MAX: u32 = 1024;
/// The maximum of all numbers of days.
pub const DAYS_MAX: u32 = 36_500;
/// The maximum number of previous passwords that are kept.
pub const HISTORY_MAX: u32 = 24;

/// The reason why a password is rejected. It never contains the password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordProblem {
    #[error("must have at least {0} characters")]
    TooShort(u32),
    #[error("must have at most {0} characters")]
    TooLong(u32),
    #[error("must have at least {least} {kind}")]
    TooFew { least: u32, kind: &'static str },
    #[error("must not be one of the last {0} passwords")]
    UsedBefore(u32),
    #[error("was changed less than {0} days ago and cannot be changed yet")]
    ChangedLately(u32),
    #[error("must differ from the present one")]
    Unchanged,
}

impl PasswordProblem {
    /// The number of characters that the policy demands.
    pub fn limit(&self) -> Option<Bounds> {
        match self {
            Self::TooShort(least) => Some(Bounds::least((*least).into())),
            Self::TooLong(most) => Some(Bounds::most((*most).into())),
            Self::TooFew { .. } | Self::UsedBefore(_) | Self::ChangedLately(_) | Self::Unchanged => None,
        }
    }

    /// Whether the problem is the new password, and not the age of the present one.
    pub fn is_of_the_new_one(&self) -> bool {
        !matches!(self, Self::ChangedLately(_))
    }
}

/// The reason why a policy is rejected.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyProblem {
    #[error("inclusive_min_total_length must be from 1 to inclusive_max_total_length, and that at most {PASSWORD_MAX}")]
    Length,
    #[error("the four kinds of characters together must not ask for more than inclusive_max_total_length")]
    Kinds,
    #[error("password_history_threshold must be at most {HISTORY_MAX}")]
    History,
    /// The named member is too great.
    #[error("{0} must be at most {DAYS_MAX}")]
    Days(&'static str),
    #[error("failed_logins_lockout_thresholds must have at most 32 entries of at most 525600 minutes")]
    Lockout,
}

impl PolicyProblem {
    /// The member that is wrong, if it is a single one.
    pub fn member(&self) -> Option<&'static str> {
        match self {
            Self::Length => Some("inclusive_min_total_length"),
            Self::Kinds => None,
            Self::History => Some("password_history_threshold"),
            Self::Days(member) => Some(member),
            Self::Lockout => Some("failed_logins_lockout_thresholds"),
        }
    }

    /// The values that the member can have, if they do not depend on others.
    pub fn limit(&self) -> Option<Bounds> {
        match self {
            Self::History => Some(Bounds::most(HISTORY_MAX.into())),
            Self::Days(_) => Some(Bounds::most(DAYS_MAX.into())),
            // The number of entries, and their values, have limits.
            Self::Length | Self::Kinds | Self::Lockout => None,
        }
    }
}

impl PasswordPolicy {
    /// Checks the policy itself.
    ///
    /// # Errors
    /// The first problem found.
    pub fn check(&self) -> Result<(), PolicyProblem> {
        let (least, most) = (self.inclusive_min_total_length, self.longest());
        let kinds = [
            self.inclusive_min_upper_case,
            self.inclusive_min_lower_case,
            self.inclusive_min_digits,
            self.inclusive_min_other,
        ];
        let lockout = &self.failed_logins_lockout_thresholds;
        if least == 0 || least > most || most > PASSWORD_MAX {
            Err(PolicyProblem::Length)
        } else if kinds.iter().map(|kind| u64::from(*kind)).sum::<u64>() > u64::from(most) {
            Err(PolicyProblem::Kinds)
        } else if self.password_history_threshold > HISTORY_MAX {
            Err(PolicyProblem::History)
        } else if self.password_lifetime > DAYS_MAX {
            Err(PolicyProblem::Days("password_lifetime"))
        } else if self.password_change_min_days > DAYS_MAX {
            Err(PolicyProblem::Days("password_change_min_days"))
        } else if lockout.len() > 32 || lockout.iter().any(|minutes| *minutes > 525_600) {
            Err(PolicyProblem::Lockout)
        } else {
            Ok(())
        }
    }

    /// Checks a password against the policy.
    ///
    /// # Errors
    /// The first problem found.
    pub fn check_password(&self, password: &str) -> Result<(), PasswordProblem> {
        let count = |kind: fn(&char) -> bool| password.chars().filter(kind).count() as u64;
        let length = count(|_| true);
        if length < u64::from(self.inclusive_min_total_length) {
            return Err(PasswordProblem::TooShort(self.inclusive_min_total_length));
        }
        if length > u64::from(self.longest()) {
            return Err(PasswordProblem::TooLong(self.longest()));
        }
        let upper = count(|c| c.is_uppercase());
        let lower = count(|c| c.is_lowercase());
        let digits = count(|c| c.is_numeric());
        let other = length.saturating_sub(upper + lower + digits);
        for (has, least, kind) in [
            (upper, self.inclusive_min_upper_case, "upper-case letters"),
            (lower, self.inclusive_min_lower_case, "lower-case letters"),
            (digits, self.inclusive_min_digits, "digits"),
            (other, self.inclusive_min_other, "characters that are neither letters nor digits"),
        ] {
            if has < u64::from(least) {
                return Err(PasswordProblem::TooFew { least, kind });
            }
        }
        Ok(())
    }

    fn longest(&self) -> u32 {
        match self.inclusive_max_total_length {
            0 => PASSWORD_MAX,
            most => most,
        }
    }

    /// Returns the end of the lockout after a number of consecutive failures, the last of them at `last`; `None` if
    /// they cause none.
    pub fn locked_until(&self, failures: u32, last: Time) -> Option<Time> {
        let thresholds = &self.failed_logins_lockout_thresholds;
        let step = (failures as usize).min(thresholds.len()).checked_sub(1)?;
        let minutes = *thresholds.get(step)?;
        (minutes > 0).then(|| last.plus_seconds(i64::from(minutes) * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::patch::PasswordPolicyPatch;
    use super::*;

    #[test]
    fn the_default_policy_wants_twelve_characters_of_four_kinds() {
        let policy = PasswordPolicy::default();
        assert_eq!(policy.check(), Ok(()));
        assert_eq!(policy.check_password("Correct-Horse-7"), Ok(()));
        assert_eq!(policy.check_password("Short-1"), Err(PasswordProblem::TooShort(12)));
        assert_eq!(policy.check_password(&"aA1-".repeat(65)), Err(PasswordProblem::TooLong(256)));
        assert!(matches!(policy.check_password("correct-horse-7"), Err(PasswordProblem::TooFew { .. })));
    }

    #[test]
    fn a_lab_may_weaken_it_to_one_character() {
        let weak = PasswordPolicy {
            inclusive_min_upper_case: 0,
            inclusive_min_lower_case: 0,
            inclusive_min_digits: 0,
            inclusive_min_other: 0,
            inclusive_min_total_length: 1,
            ..PasswordPolicy::default()
        };
        assert_eq!((weak.check(), weak.check_password("a")), (Ok(()), Ok(())));
        assert!(weak.check_password("").is_err());
    }

    /// Some clients send every member, with 0 for what their user left out.
    #[test]
    fn lengths_of_zero_take_no_protection_away() {
        let zero = PasswordPolicyPatch {
            inclusive_min_total_length: Some(0),
            inclusive_max_total_length: Some(0),
            ..PasswordPolicyPatch::default()
        };
        let policy = PasswordPolicy::default().patched(zero);
        assert_eq!((policy.inclusive_min_total_length, policy.inclusive_max_total_length), (12, 0));
        assert_eq!(policy.check(), Ok(()));
        assert_eq!(policy.check_password(&"aA1-".repeat(256)), Ok(()));
        assert_eq!(policy.check_password(&"aA1-".repeat(257)), Err(PasswordProblem::TooLong(PASSWORD_MAX)));
        let days = PasswordPolicy { password_lifetime: 20, password_change_min_days: 100, ..policy };
        assert_eq!(days.check(), Ok(()));
    }

    #[test]
    fn lockout_grows_with_failures_and_stays_at_its_last_step() {
        let policy = PasswordPolicy::default();
        let at = Time::from_nanos(0);
        assert_eq!(policy.locked_until(0, at), None);
        assert_eq!(policy.locked_until(4, at), None);
        assert_eq!(policy.locked_until(5, at), Some(at.plus_seconds(60)));
        assert_eq!(policy.locked_until(70, at), Some(at.plus_seconds(900)));
        let none = PasswordPolicy { failed_logins_lockout_thresholds: vec![], ..policy };
        assert_eq!(none.locked_until(9, at), None);
    }
}
