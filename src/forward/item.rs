//! What is sent: one audit record, one failed attempt, or one checkpoint.

/// One record to send. The texts may have any characters; each format escapes them.
#[derive(Clone, Debug, Default)]
pub struct Item {
    pub number: Number,
    /// Nanoseconds since 1970.
    pub nanos: i64,
    pub severity: Severity,
    /// The name of the event, such as `RegionsReplaced`.
    pub event: String,
    /// The event in words.
    pub message: String,
    pub username: String,
    pub client_ip: Option<String>,
    pub resource: String,
    /// The hash of the record, also of that of a checkpoint; `None` for failed attempts.
    pub hash: Option<String>,
    pub success: bool,
    /// All of it, as a JSON object in one line.
    pub json: String,
}

/// The number of a record in its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Number {
    /// In the log: from 1, without gaps.
    Record(u64),
    /// In the side log of failed attempts, where the oldest are deleted.
    Attempt(u64),
    /// The number of the record that a checkpoint is of.
    Checkpoint(u64),
}

impl Default for Number {
    fn default() -> Self {
        Self::Record(0)
    }
}

impl Number {
    pub(super) const fn value(self) -> u64 {
        match self {
            Self::Record(number) | Self::Attempt(number) | Self::Checkpoint(number) => number,
        }
    }

    /// The name of the number in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Record(_) => "number",
            Self::Attempt(_) => "attempt",
            Self::Checkpoint(_) => "checkpoint",
        }
    }

    /// What it is a number of, in a sentence.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Record(_) => "record",
            Self::Attempt(_) => "attempt",
            Self::Checkpoint(_) => "checkpoint",
        }
    }
}

/// How much a record deserves attention.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Severity {
    #[default]
    Info,
    Warning,
    Error,
}

impl Severity {
    /// The severity of syslog.
    pub(super) const fn syslog(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Info => 6,
        }
    }

    /// The severity of CEF and LEEF, from 0 to 10.
    pub(super) const fn of_ten(self) -> u8 {
        match self {
            Self::Error => 7,
            Self::Warning => 5,
            Self::Info => 3,
        }
    }
}
