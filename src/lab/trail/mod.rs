//! CloudTrail: an event for each call to KMS and STS, refused ones included, as a trail delivers them to CloudWatch
//! Logs.
//!
//! - `event.rs` the event of a call; `identity.rs` its `userIdentity`; `shown.rs` what it shows of parameters and
//!   answers
//! - `group.rs` the events of an account and region, with a bound: the oldest are dropped
//! - `synthetic.rs` events that a test asks for, generated when they are read
//! - `store.rs` the events in the lab's database
//!
//! Synthetic events do not survive a restart. As at AWS, a call that cannot be authenticated has no event. If the key
//! or role of a call is of another account, that account gets an event too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::kms::StoreError;
use super::plan::TrailRules;

mod event;
mod group;
mod identity;
mod shown;
mod store;
mod synthetic;

pub(super) use event::{Done, Resource, Subjects};
pub(super) use group::{Log, OVERHEAD, Place, Shown, Window};
pub(super) use identity::Known;
pub(super) use shown::{kms_parameters, sts_parameters};
pub(super) use synthetic::Order;

use event::Written;
use group::{Event, Group};
use store::{Record, Records};

/// The largest number of identities that are kept once for all their events.
const MAX_IDENTITIES: usize = 1000;
/// The largest number of batches of synthetic events in a log group.
const MAX_BATCHES: usize = 64;

/// The events of all accounts and regions.
#[derive(Debug)]
pub(super) struct Trail {
    rules: TrailRules,
    delay_seconds: AtomicU32,
    groups: Mutex<HashMap<(String, String), Group>>,
    identities: Mutex<HashSet<Arc<str>>>,
    records: Records,
}

impl Trail {
    /// Opens the trail with its events in the lab's database, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the database or a record cannot be read.
    pub(super) fn open(rules: TrailRules, tree: Option<sled::Tree>) -> Result<Trail, StoreError> {
        let delay_seconds = AtomicU32::new(rules.delay_seconds);
        let records = Records::new(tree);
        let stored = records.all()?;
        let trail = Trail { rules, delay_seconds, groups: Mutex::default(), identities: Mutex::default(), records };
        for record in stored {
            trail.keep(record);
        }
        Ok(trail)
    }

    pub(super) fn rules(&self) -> &TrailRules {
        &self.rules
    }

    /// Writes the events of a call.
    pub(super) fn record(&self, known: &Known, done: &Done<'_>) {
        let delay = i64::from(self.delay_seconds());
        let mut accounts = vec![known.account.as_str()];
        for resource in done.subjects.resources() {
            if !accounts.contains(&resource.account.as_str()) {
                accounts.push(&resource.account);
            }
        }
        for account in &accounts {
            let written = event::write(known, done, account, accounts.len() > 1);
            let Written { id, identity, rest } = written;
            let record = Record {
                account: (*account).to_owned(),
                region: done.region.to_owned(),
                place: Place {
                    second: done.time.timestamp(),
                    source: 0,
                    number: self.next_number(account, done.region),
                },
                arrived: (done.time + TimeDelta::seconds(delay)).timestamp_millis(),
                id,
                identity,
                rest,
            };
            self.records.save(&record);
            self.keep(record);
        }
    }

    fn next_number(&self, account: &str, region: &str) -> u64 {
        self.groups().entry((account.to_owned(), region.to_owned())).or_default().take_number()
    }

    /// Keeps an event, and drops the oldest ones beyond the bound.
    fn keep(&self, record: Record) {
        let Record { account, region, place, arrived, id, identity, rest } = record;
        let identity = self.shared(&identity);
        let mut groups = self.groups();
        let group = groups.entry((account.clone(), region.clone())).or_default();
        let event = Event { place, arrived, id, identity, rest: rest.into_boxed_str() };
        for dropped in group.add(event, self.rules.max_events) {
            self.records.remove(&account, &region, dropped);
        }
    }

    /// Adds a batch of synthetic events to a log group.
    ///
    /// # Errors
    /// What is wrong with the order.
    pub(super) fn generate(&self, order: Order, partition: &str, now: DateTime<Utc>) -> Result<(), String> {
        let place = (order.account.clone(), order.region.clone());
        let batch = order.batch(partition, now)?;
        let mut groups = self.groups();
        let group = groups.entry(place).or_default();
        if group.batches.len() >= MAX_BATCHES {
            return Err(format!("a log group has at most {MAX_BATCHES} batches of events"));
        }
        group.batches.push(Arc::new(batch));
        Ok(())
    }

    /// What a log group has, for reading without a lock.
    pub(super) fn log(&self, account: &str, region: &str, window: &Window, most: usize) -> Log {
        let place = (account.to_owned(), region.to_owned());
        self.groups().get(&place).map(|group| group.log(window, most)).unwrap_or_default()
    }

    /// The bytes of the events of a log group.
    pub(super) fn bytes(&self, account: &str, region: &str) -> u64 {
        self.groups().get(&(account.to_owned(), region.to_owned())).map(Group::stored_bytes).unwrap_or_default()
    }

    /// The number of events by account and region.
    pub(super) fn counts(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((account, region), group) in self.groups().iter() {
            counts.entry(account.clone()).or_default().insert(region.clone(), group.count());
        }
        counts
    }

    pub(super) fn clear(&self) {
        self.groups().clear();
        self.records.clear();
    }

    /// The time between a call and the arrival of its event.
    pub(super) fn delay_seconds(&self) -> u32 {
        self.delay_seconds.load(Ordering::Relaxed)
    }

    /// Sets the delay of later events.
    pub(super) fn set_delay_seconds(&self, seconds: u32) {
        self.delay_seconds.store(seconds, Ordering::Relaxed);
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<(String, String), Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self, identity: &str) -> Arc<str> {
        let mut identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = identities.get(identity) {
            return Arc::clone(known);
        }
        if identities.len() >= MAX_IDENTITIES {
            identities.clear();
        }
        let new: Arc<str> = Arc::from(identity);
        identities.insert(Arc::clone(&new));
        new
    }
}

/// The id of the event of a call, which GetKeyLastUsage returns too. It is derived from the id of the request.
pub(super) fn event_id(request_id: &str) -> Uuid {
    // The bits leave the version and the variant of the UUID as they are.
    const BITS: u128 = 0x5a17_c0de_9d3b_0f42_01b5_77e8_e3a1_4c66;
    Uuid::from_u128(Uuid::try_parse(request_id).unwrap_or_default().as_u128() ^ BITS)
}
