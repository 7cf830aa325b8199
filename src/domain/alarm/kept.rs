//! The alarms that are kept, what is to be delivered to which webhook, and what was announced and read before.

use super::ranking::Ranking;
use super::{Alarm, AlarmEvent, AlarmFacts, AlarmNumber, Condition, Subject};
use crate::domain::collection::Collection;
use crate::domain::id::{KeyId, KmsId, WebhookId};
use crate::domain::job::sync::SyncScope;
use crate::domain::place::Region;
use crate::domain::table::Table;
use crate::domain::time::Time;
use crate::domain::webhook::{Webhook, WebhookEvent};
use imbl::{HashMap, OrdSet};

/// The maximum number of alarms in the state. The log has all of them.
pub const ALARMS_MAX: usize = 20_000;

/// The maximum number of alarms that are still to be delivered to one webhook. It is lower than that of the alarms, so
/// that a webhook whose receiver is down does not push out all others.
pub const PENDING_MAX: usize = 10_000;

/// The alarms, the webhooks, and what is still to be delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarms {
    pub all: Table<AlarmNumber, Alarm>,
    pub webhooks: Collection<Webhook>,
    next: AlarmNumber,
    /// What is still to be delivered to each webhook.
    pending: HashMap<WebhookId, Queue>,
    /// The alarms that are to be delivered to no webhook any more. They make room first.
    settled: Ranking,
    /// The other alarms.
    awaited: Ranking,
    /// The last announcement of the expiry of each key's material: when it expires, and the days that were announced.
    announced: HashMap<KeyId, (Time, u32)>,
    /// When the last complete synchronisation of each region began. What is older and found later is no news.
    read: HashMap<(KmsId, Region), ReadTimes>,
}

/// The alarms that are still to be delivered to a webhook.
#[derive(Clone, Debug, Default, PartialEq)]
struct Queue {
    numbers: OrdSet<AlarmNumber>,
    ranking: Ranking,
}

/// When the last complete synchronisations of a region began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadTimes {
    pub keys: Option<Time>,
    pub key_stores: Option<Time>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            all: Table::default(),
            webhooks: Collection::default(),
            next: AlarmNumber(1),
            pending: HashMap::new(),
            settled: Ranking::default(),
            awaited: Ranking::default(),
            announced: HashMap::new(),
            read: HashMap::new(),
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
    pub read: Vec<((KmsId, Region), ReadTimes)>,
}

impl Alarms {
    /// Restores the alarms from a snapshot.
    pub fn restored(entries: AlarmEntries) -> Self {
        let mut alarms = Self {
            webhooks: entries.webhooks.into_iter().collect(),
            next: entries.next,
            announced: entries.announced.into_iter().collect(),
            read: entries.read.into_iter().collect(),
            ..Self::default()
        };
        for alarm in entries.all {
            alarms.settled.insert(&alarm);
            alarms.all.insert(alarm.number, alarm);
        }
        for (webhook, numbers) in entries.pending {
            numbers.into_iter().for_each(|number| alarms.queue(webhook, number));
        }
        alarms
    }

    /// The number of the next alarm.
    pub fn next(&self) -> AlarmNumber {
        self.next
    }

    /// Returns the alarms that are still to be delivered to a webhook, oldest first.
    pub fn pending(&self, webhook: WebhookId) -> impl Iterator<Item = AlarmNumber> {
        self.pending.get(&webhook).into_iter().flat_map(|queue| queue.numbers.iter().copied())
    }

    pub fn pending_count(&self, webhook: WebhookId) -> usize {
        self.pending.get(&webhook).map_or(0, |queue| queue.numbers.len())
    }

    /// Returns whether an alarm is still to be delivered to a webhook.
    pub fn is_pending(&self, number: AlarmNumber, webhook: WebhookId) -> bool {
        self.pending.get(&webhook).is_some_and(|queue| queue.numbers.contains(&number))
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

    /// Returns when the last complete synchronisations of a region of a KMS began.
    pub fn read_times(&self, kms: KmsId, region: &Region) -> ReadTimes {
        self.read.get(&(kms, region.clone())).copied().unwrap_or_default()
    }

    /// Returns all regions that were read completely, sorted.
    pub fn all_read_times(&self) -> Vec<(&(KmsId, Region), &ReadTimes)> {
        let mut all: Vec<_> = self.read.iter().collect();
        all.sort_by_key(|(place, _)| *place);
        all
    }

    /// Notes that a synchronisation has read a region completely.
    pub fn note_read(&mut self, kms: KmsId, region: &Region, scope: SyncScope, began: Time) {
        let times = self.read.entry((kms, region.clone())).or_default();
        let time = match scope {
            SyncScope::Keys => &mut times.keys,
            SyncScope::KeyStores => &mut times.key_stores,
        };
        *time = Some(time.map_or(began, |last| last.max(began)));
    }

    /// Forgets what was read of the regions that a KMS has no more. Once it has them again, they are read anew.
    pub fn forget_regions(&mut self, kms: KmsId, keep: &[Region]) {
        self.read.retain(|(of, region), _| *of != kms || keep.contains(region));
    }

    pub fn apply(&mut self, at: Time, number: AlarmNumber, event: &AlarmEvent) {
        match event {
            AlarmEvent::Raised { facts, webhooks } => self.raise(at, number, facts, webhooks),
            AlarmEvent::Acknowledged { by } => self.change(number, |alarm| alarm.acknowledged = Some((at, by.clone()))),
            AlarmEvent::Cleared { by } => self.change(number, |alarm| alarm.cleared = Some((at, by.clone()))),
            AlarmEvent::Delivered { webhook } => {
                self.settle(*webhook, number);
                self.webhooks.change(webhook, |webhook| webhook.delivered(at));
            }
            AlarmEvent::GivenUp { webhook, error } => self.give_up(at, *webhook, number, error),
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
        let alarm = Alarm { number, facts: facts.clone(), raised: at, acknowledged: None, cleared: None };
        self.settled.insert(&alarm);
        self.all.insert(number, alarm);
        for webhook in webhooks {
            self.queue(*webhook, number);
            if self.pending_count(*webhook) > PENDING_MAX
                && let Some(first) = self.pending.get(webhook).and_then(|queue| queue.ranking.first())
            {
                self.give_up(at, *webhook, first, "more alarms were to be delivered than are kept for a webhook");
            }
        }
        while self.all.len() > ALARMS_MAX {
            let Some(first) = self.settled.first().or_else(|| self.awaited.first()) else { return };
            for webhook in self.webhooks_with_pending() {
                if self.is_pending(first, webhook) {
                    self.give_up(at, webhook, first, "more alarms were to be delivered than are kept");
                }
            }
            let Some(alarm) = self.all.remove(&first) else { return };
            self.settled.remove(&alarm);
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
            self.change(number, |alarm| alarm.cleared = Some((at, "system".to_owned())));
        }
    }

    /// Changes an alarm, and with it its place among those that make room.
    fn change(&mut self, number: AlarmNumber, change: impl FnOnce(&mut Alarm)) {
        let Some(before) = self.all.get(&number).cloned() else { return };
        self.all.change(&number, change);
        let Some(after) = self.all.get(&number).cloned() else { return };
        let mut is_awaited = false;
        for (_, queue) in self.pending.iter_mut().filter(|(_, queue)| queue.numbers.contains(&number)) {
            is_awaited = true;
            queue.ranking.remove(&before);
            queue.ranking.insert(&after);
        }
        let ranking = if is_awaited { &mut self.awaited } else { &mut self.settled };
        ranking.remove(&before);
        ranking.insert(&after);
    }

    /// Notes that an alarm is to be delivered to a webhook.
    fn queue(&mut self, webhook: WebhookId, number: AlarmNumber) {
        let Some(alarm) = self.all.get(&number) else { return };
        let queue = self.pending.entry(webhook).or_default();
        queue.numbers.insert(number);
        queue.ranking.insert(alarm);
        self.settled.remove(alarm);
        self.awaited.insert(alarm);
    }

    /// Notes that an alarm is not to be delivered to a webhook any more.
    fn settle(&mut self, webhook: WebhookId, number: AlarmNumber) {
        let Some(queue) = self.pending.get_mut(&webhook) else { return };
        if queue.numbers.remove(&number).is_none() {
            return;
        }
        let alarm = self.all.get(&number);
        alarm.iter().for_each(|alarm| queue.ranking.remove(alarm));
        if queue.numbers.is_empty() {
            self.pending.remove(&webhook);
        }
        if let Some(alarm) = alarm
            && !self.pending.values().any(|queue| queue.numbers.contains(&number))
        {
            self.awaited.remove(alarm);
            self.settled.insert(alarm);
        }
    }

    fn give_up(&mut self, at: Time, webhook: WebhookId, number: AlarmNumber, error: &str) {
        self.settle(webhook, number);
        self.webhooks.change(&webhook, |webhook| webhook.lost(at, error));
    }

    pub fn apply_webhook(&mut self, at: Time, id: WebhookId, event: &WebhookEvent) {
        if matches!(event, WebhookEvent::Deleted) {
            self.pending(id).collect::<Vec<_>>().into_iter().for_each(|number| self.settle(id, number));
        }
        self.webhooks.apply(at, id, event);
    }

    /// Forgets what was announced about a key that is removed.
    pub fn forget_key(&mut self, key: KeyId) {
        self.announced.remove(&key);
    }
}
