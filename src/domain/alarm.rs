//! Alarms: what somebody should look at, such as a key whose deletion is scheduled. An alarm is recorded together with
//! the change that causes it, in one commit. It is delivered to the webhooks that want it.

pub mod condition;
pub mod decide;
mod kept;
mod ranking;
pub mod refusal;

use super::id::{ConnectionId, KeyId, KeyStoreId, KmsId, WebhookId};
use super::key::aggregate::Key;
use super::place::Region;
use super::time::Time;
pub use condition::{Condition, Severity};
pub use kept::{ALARMS_MAX, AlarmEntries, Alarms, PENDING_MAX, ReadTimes};
use std::fmt;
use std::num::ParseIntError;

/// The number of an alarm. Alarms are numbered from 1 on, in the order of the log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AlarmNumber(pub u64);

impl AlarmNumber {
    /// Reads a number.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn parse(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for AlarmNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Alarm {
    pub number: AlarmNumber,
    pub facts: AlarmFacts,
    pub raised: Time,
    /// When a user took note of it, and the user's name.
    pub acknowledged: Option<(Time, String)>,
    /// When it was cleared, and the name of the user who did, or `system`.
    pub cleared: Option<(Time, String)>,
}

/// The facts of an alarm.
#[derive(Clone, PartialEq, Debug)]
pub struct AlarmFacts {
    pub condition: Condition,
    pub subject: Subject,
    /// What happened, in a sentence for people.
    pub message: String,
    pub cause: Cause,
    /// The time of the deletion or the expiry that the alarm announces.
    pub due: Option<Time>,
}

/// What an alarm is about.
#[derive(Clone, PartialEq, Debug)]
pub enum Subject {
    Key { key: KeyId, kms: KmsId, region: Region, arn: String },
    KeyStore { store: KeyStoreId, kms: KmsId, region: Region, name: String },
    Connection { connection: ConnectionId, name: String },
}

/// The origin of the change that caused an alarm.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// The change was made through this program.
    Here {
        /// The user or the schedule.
        by: String,
    },
    /// The change was made at AWS by others, and was found later.
    Outside {
        /// What found it: the user or the schedule that started the synchronisation, for example.
        found_by: String,
        /// Who made the change, if CloudTrail has told.
        by: Option<String>,
    },
    /// Time has passed, or AWS failed.
    Nobody,
}

#[derive(Clone, PartialEq, Debug)]
pub enum AlarmEvent {
    Raised {
        facts: Box<AlarmFacts>,
        /// The webhooks that it is to be delivered to.
        webhooks: Vec<WebhookId>,
    },
    Acknowledged {
        by: String,
    },
    Cleared {
        by: String,
    },
    /// A webhook has received it.
    Delivered {
        webhook: WebhookId,
    },
    /// It is not delivered to a webhook any more.
    GivenUp {
        webhook: WebhookId,
        error: String,
    },
}

#[derive(Clone, Debug)]
pub enum AlarmCommand {
    /// Raise the alarm that the material of a key expires within so many days.
    AnnounceExpiry {
        key: KeyId,
        valid_to: Time,
        days: u32,
    },
    Acknowledge {
        number: AlarmNumber,
        by: String,
    },
    Clear {
        number: AlarmNumber,
        by: String,
    },
    RecordDelivery {
        number: AlarmNumber,
        webhook: WebhookId,
    },
    GiveUp {
        number: AlarmNumber,
        webhook: WebhookId,
        error: String,
    },
}

impl Alarm {
    /// Whether nobody has taken note of it, and it was not cleared.
    pub fn is_open(&self) -> bool {
        self.acknowledged.is_none() && self.cleared.is_none()
    }
}

impl Subject {
    /// A key as the subject.
    pub fn of_key(key: &Key) -> Self {
        let arn = key.metadata.arn.to_string();
        Self::Key { key: key.id, kms: key.kms, region: key.region.clone(), arn }
    }

    /// The KMS that the subject belongs to; `None` for a connection.
    pub fn kms(&self) -> Option<KmsId> {
        match self {
            Self::Key { kms, .. } | Self::KeyStore { kms, .. } => Some(*kms),
            Self::Connection { .. } => None,
        }
    }

    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::Key { region, .. } | Self::KeyStore { region, .. } => Some(region),
            Self::Connection { .. } => None,
        }
    }

    pub fn key(&self) -> Option<KeyId> {
        match self {
            Self::Key { key, .. } => Some(*key),
            Self::KeyStore { .. } | Self::Connection { .. } => None,
        }
    }

    pub fn store(&self) -> Option<KeyStoreId> {
        match self {
            Self::KeyStore { store, .. } => Some(*store),
            Self::Key { .. } | Self::Connection { .. } => None,
        }
    }

    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Connection { connection, .. } => Some(*connection),
            Self::Key { .. } | Self::KeyStore { .. } => None,
        }
    }

    /// The ARN of a key, or the name of a key store or connection.
    pub fn name(&self) -> &str {
        match self {
            Self::Key { arn, .. } => arn,
            Self::KeyStore { name, .. } | Self::Connection { name, .. } => name,
        }
    }
}

#[cfg(test)]
mod tests;
