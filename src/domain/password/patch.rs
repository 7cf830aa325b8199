//! A change of the password policy.

use super::policies::NamedPasswordPolicy;
use super::{DAYS_MAX, PasswordPolicy, PolicyProblem};

/// A change of the password policy; a member that is `None` keeps its value.
#[derive(Clone, Debug, Default)]
pub struct PasswordPolicyPatch {
    pub inclusive_min_upper_case: Option<u32>,
    pub inclusive_min_lower_case: Option<u32>,
    pub inclusive_min_digits: Option<u32>,
    pub inclusive_min_other: Option<u32>,
    /// 0 keeps the value too: clients send 0 for a member that their user left out.
    pub inclusive_min_total_length: Option<u32>,
    pub inclusive_max_total_length: Option<u32>,
    pub password_history_threshold: Option<u32>,
    pub password_lifetime: Option<u32>,
    pub password_change_min_days: Option<u32>,
    pub password_expiry_notification_days: Option<u32>,
    pub failed_logins_lockout_thresholds: Option<Vec<u32>>,
}

impl NamedPasswordPolicy {
    /// The policy with the changes of a patch.
    ///
    /// # Errors
    /// When the rules contradict themselves or are out of range.
    pub fn patched(self, patch: PasswordPolicyPatch) -> Result<Self, PolicyProblem> {
        let expiry_notification_days = patch.password_expiry_notification_days.unwrap_or(self.expiry_notification_days);
        let policy = self.policy.patched(patch);
        policy.check()?;
        if expiry_notification_days > DAYS_MAX {
            return Err(PolicyProblem::Days("password_expiry_notification_days"));
        }
        Ok(Self { policy, expiry_notification_days, ..self })
    }
}

impl PasswordPolicy {
    /// The policy with the changes of a patch.
    #[must_use]
    pub fn patched(self, patch: PasswordPolicyPatch) -> Self {
        Self {
            inclusive_min_upper_case: patch.inclusive_min_upper_case.unwrap_or(self.inclusive_min_upper_case),
            inclusive_min_lower_case: patch.inclusive_min_lower_case.unwrap_or(self.inclusive_min_lower_case),
            inclusive_min_digits: patch.inclusive_min_digits.unwrap_or(self.inclusive_min_digits),
            inclusive_min_other: patch.inclusive_min_other.unwrap_or(self.inclusive_min_other),
            inclusive_min_total_length: patch
                .inclusive_min_total_length
                .filter(|least| *least > 0)
                .unwrap_or(self.inclusive_min_total_length),
            inclusive_max_total_length: patch.inclusive_max_total_length.unwrap_or(self.inclusive_max_total_length),
            password_history_threshold: patch.password_history_threshold.unwrap_or(self.password_history_threshold),
            password_lifetime: patch.password_lifetime.unwrap_or(self.password_lifetime),
            password_change_min_days: patch.password_change_min_days.unwrap_or(self.password_change_min_days),
            failed_logins_lockout_thresholds: patch
                .failed_logins_lockout_thresholds
                .unwrap_or(self.failed_logins_lockout_thresholds),
        }
    }
}
