//! Alarms: what somebody should look at, such as a key whose deletion is scheduled. An alarm is recorded together with
//! the change that causes it, in one commit. It is delivered to the webhooks that want it.

pub mod condition;
pub mod decide;
pub mod refusal;

use super::id::{ConnectionId, KeyId, KeyStoreId, KmsId, WebhookId};
use super::key::aggregate::Key;
use super::place::Region;
use super::table::Table;
use super::time::Time;
use super::webhook::{Webhook, WebhookEvent};
use crate::domain::collection::Collection;
pub use condition::{Condition, Severity};
use imbl::{HashMap, OrdSet};
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
#[derive(Clone, PartialEq, Eq, Debug)]
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

/// The maximum number of alarms in the state. The log has all of them.
pub const ALARMS_MAX: usize = 10_000;

/// The alarms, the webhooks, and what is still to be delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarms {
    pub all: Table<AlarmNumber, Alarm>,
    pub webhooks: Collection<Webhook>,
    next: AlarmNumber,
    /// The alarms that are still to be delivered to each webhook.
    pending: HashMap<WebhookId, OrdSet<AlarmNumber>>,
    /// The last announcement of the expiry of each key's material: when it expires, and the days that were announced.
    announced: HashMap<KeyId, (Time, u32)>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            all: Table::default(),
            webhooks: Collection::default(),
            next: AlarmNumber(1),
            pending: HashMap::new(),
            announced: HashMap::new(),
        }
    }
}

/// What a snapshot has of the alarms.
pub struct AlarmEntries {
    pub all: Vec<Alarm>,
    pub webhooks: Vec<Webhook>,
    pub next: AlarmNumber,
    pub pending: Vec<(WebhookId, Vec<AlarmNumber>)>,
    pub announced: Vec<(KeyId, (Time, u32))>,
}

impl Alarms {
    /// Restores the alarms from a snapshot.
    pub fn restored(entries: AlarmEntries) -> Self {
        let mut all = Table::default();
        entries.all.into_iter().for_each(|alarm| all.insert(alarm.number, alarm));
        let pending = entries.pending.into_iter().map(|(webhook, numbers)| (webhook, numbers.into_iter().collect()));
        Self {
            all,
            webhooks: entries.webhooks.into_iter().collect(),
            next: entries.next,
            pending: pending.collect(),
            announced: entries.announced.into_iter().collect(),
        }
    }

    /// The number of the next alarm.
    pub fn next(&self) -> AlarmNumber {
        self.next
    }

    /// Returns the alarms that are still to be delivered to a webhook, oldest first.
    pub fn pending(&self, webhook: WebhookId) -> impl Iterator<Item = AlarmNumber> {
        self.pending.get(&webhook).into_iter().flat_map(|numbers| numbers.iter().copied())
    }

    pub fn pending_count(&self, webhook: WebhookId) -> usize {
        self.pending.get(&webhook).map_or(0, OrdSet::len)
    }

    /// Returns the webhooks to which something is to be delivered, sorted.
    pub fn webhooks_with_pending(&self) -> Vec<WebhookId> {
        let mut webhooks: Vec<WebhookId> = self.pending.keys().copied().collect();
        webhooks.sort();
        webhooks
    }

    /// Returns the last announcement of the expiry of a key's material.
    pub fn announced(&self, key: KeyId) -> Option<(Time, u32)> {
        self.announced.get(&key).copied()
    }

    /// Returns all announcements, sorted by key.
    pub fn announcements(&self) -> Vec<(KeyId, (Time, u32))> {
        let mut all: Vec<_> = self.announced.iter().map(|(key, told)| (*key, *told)).collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }

    pub fn apply(&mut self, at: Time, number: AlarmNumber, event: &AlarmEvent) {
        match event {
            AlarmEvent::Raised { facts, webhooks } => self.raise(at, number, facts, webhooks),
            AlarmEvent::Acknowledged { by } => {
                self.all.change(&number, |alarm| alarm.acknowledged = Some((at, by.clone())));
            }
            AlarmEvent::Cleared { by } => self.all.change(&number, |alarm| alarm.cleared = Some((at, by.clone()))),
            AlarmEvent::Delivered { webhook } => {
                self.settle(*webhook, number);
                self.webhooks.change(webhook, |webhook| webhook.delivered(at));
            }
            AlarmEvent::GivenUp { webhook, error } => {
                self.settle(*webhook, number);
                self.webhooks.change(webhook, |webhook| webhook.lost(at, error));
            }
        }
    }

    fn raise(&mut self, at: Time, number: AlarmNumber, facts: &AlarmFacts, webhooks: &[WebhookId]) {
        self.next = AlarmNumber(number.0 + 1);
        if let (Condition::MaterialExpiring { days }, Subject::Key { key, .. }, Some(due)) =
            (facts.condition, &facts.subject, facts.due)
        {
            self.announced.insert(*key, (due, days));
        }
        if facts.condition == Condition::ConnectionRecovered {
            self.clear_failures_of(at, &facts.subject);
        }
        self.all.insert(number, Alarm { number, facts: facts.clone(), raised: at, acknowledged: None, cleared: None });
        for webhook in webhooks {
            self.pending.entry(*webhook).or_default().insert(number);
        }
        while self.all.len() > ALARMS_MAX {
            let Some(oldest) = self.all.iter().next().map(|alarm| alarm.number) else { return };
            self.all.remove(&oldest);
            let behind: Vec<WebhookId> =
                self.pending.iter().filter(|(_, numbers)| numbers.contains(&oldest)).map(|(id, _)| *id).collect();
            for webhook in behind {
                self.settle(webhook, oldest);
                self.webhooks.change(&webhook, |webhook| webhook.lost(at, "more alarms are pending than are kept"));
            }
        }
    }

    /// Clears the alarms that a connection fails: it has recovered.
    fn clear_failures_of(&mut self, at: Time, recovered: &Subject) {
        let Subject::Connection { connection, .. } = recovered else { return };
        let is_of = |alarm: &Alarm| {
            alarm.facts.condition == Condition::ConnectionFailed
                && alarm.cleared.is_none()
                && matches!(&alarm.facts.subject, Subject::Connection { connection: of, .. } if of == connection)
        };
        let open: Vec<_> = self.all.iter().filter(|alarm| is_of(alarm)).map(|alarm| alarm.number).collect();
        for number in open {
            self.all.change(&number, |alarm| alarm.cleared = Some((at, "system".to_owned())));
        }
    }

    fn settle(&mut self, webhook: WebhookId, number: AlarmNumber) {
        let Some(numbers) = self.pending.get_mut(&webhook) else { return };
        numbers.remove(&number);
        if numbers.is_empty() {
            self.pending.remove(&webhook);
        }
    }

    pub fn apply_webhook(&mut self, at: Time, id: WebhookId, event: &WebhookEvent) {
        if matches!(event, WebhookEvent::Deleted) {
            self.pending.remove(&id);
        }
        self.webhooks.apply(at, id, event);
    }

    /// Forgets what was announced about a key that is removed.
    pub fn forget_key(&mut self, key: KeyId) {
        self.announced.remove(&key);
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
