//! The conditions of alarms.

/// What an alarm is raised for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Condition {
    /// The deletion of a key was scheduled.
    DeletionScheduled,
    /// The policy of a key admits another account, or everyone, that it did not admit before.
    PolicyOpened,
    KeyDisabled,
    /// The automatic rotation of a key was switched off, at AWS or here.
    RotationOff,
    /// The imported material of a key expires within so many days; with 0 days, it has expired.
    MaterialExpiring {
        days: u32,
    },
    /// AWS no longer accepts a connection, or cannot be reached with it.
    ConnectionFailed,
    ConnectionRecovered,
    /// AWS reports the state FAILED of a custom key store.
    StoreFailed,
}

/// How urgent an alarm is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub const NAMES: &'static [&'static str] = &["info", "warning", "critical"];

    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Condition {
    /// The words of all conditions.
    pub const NAMES: &'static [&'static str] = &[
        "deletion_scheduled",
        "policy_opened",
        "key_disabled",
        "rotation_off",
        "material_expiring",
        "connection_failed",
        "connection_recovered",
        "store_failed",
    ];

    /// The days before the expiry of imported material at which it is announced.
    pub const EXPIRY_DAYS: [u32; 3] = [30, 7, 1];

    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeletionScheduled => "deletion_scheduled",
            Self::PolicyOpened => "policy_opened",
            Self::KeyDisabled => "key_disabled",
            Self::RotationOff => "rotation_off",
            Self::MaterialExpiring { .. } => "material_expiring",
            Self::ConnectionFailed => "connection_failed",
            Self::ConnectionRecovered => "connection_recovered",
            Self::StoreFailed => "store_failed",
        }
    }

    /// Returns the word of a condition that a client gives.
    pub fn name_of(text: &str) -> Option<&'static str> {
        Self::NAMES.iter().find(|name| **name == text).copied()
    }

    pub const fn severity(self) -> Severity {
        match self {
            Self::DeletionScheduled | Self::PolicyOpened | Self::StoreFailed | Self::ConnectionFailed => {
                Severity::Critical
            }
            Self::MaterialExpiring { days } if days <= 1 => Severity::Critical,
            Self::KeyDisabled | Self::RotationOff | Self::MaterialExpiring { .. } => Severity::Warning,
            Self::ConnectionRecovered => Severity::Info,
        }
    }
}
