//! The installation.

use super::primitives::{Bytes, Text};
use crate::domain::event as live;
use crate::domain::password;
use uuid::Uuid;

layout! {
    enum InstallationEvent<'a> of live::InstallationEvent {
        Created { id: Uuid, token_key: Bytes<'a> },
        PasswordPolicyChanged { policy: PasswordPolicy },
        PasswordPolicySet { name: Text<'a>, policy: PasswordPolicy, expiry_notification_days: u32 },
        PasswordPolicyDeleted { name: Text<'a> },
        MetricsEnabled { token: Bytes<'a> },
        MetricsDisabled,
        TokenKeyReplaced { token_key: Bytes<'a> },
        MasterKeyReplaced,
        Unsealed { failures: u32 },
    }
}

layout! {
    struct PasswordPolicy of password::PasswordPolicy {
        inclusive_min_upper_case: u32,
        inclusive_min_lower_case: u32,
        inclusive_min_digits: u32,
        inclusive_min_other: u32,
        inclusive_min_total_length: u32,
        inclusive_max_total_length: u32,
        password_history_threshold: u32,
        password_lifetime: u32,
        password_change_min_days: u32,
        failed_logins_lockout_thresholds: Vec<u32>,
    }
}
