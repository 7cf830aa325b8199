//! A run of the drift watch: reads what others did to the keys of a KMS in CloudTrail, reads just these keys again, and
//! records each change with what it changed.
//!
//! CloudTrail delivers events minutes late, and CloudWatch Logs finds them by the time of the event. So each run begins
//! some time before the end of the last one; events that have entries are left out. How far a run has read is recorded
//! last, so a run that fails or is killed is made up for by the next one.

use super::Schedules;
use crate::aws::cloudtrail::TrailEvent;
use crate::call_journal::OwnCalls;
use crate::domain::command::Command;
use crate::domain::drift::OutsideEvent;
use crate::domain::drift::decide::{DriftCommand, SeenNow, Touched};
use crate::domain::drift::stores::{TouchedStores, is_of_store};
use crate::domain::id::{KeyId, KeyStoreId, KmsId, ScheduleId};
use crate::domain::key::aws_enums::KeyManager;
use crate::domain::key::command::Began;
use crate::domain::key::name::{AwsKeyId, KeyArn};
use crate::domain::kms::Kms;
use crate::domain::place::Region;
use crate::domain::schedule::WatchPlan;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::failure::Failure;
use crate::service::key_stores::reading::{all, one};
use crate::service::keys::reading::read;
use crate::service::own_calls;
use crate::service::trail::{TrailSource, TrailWindow};
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The filter pattern of changes of KMS.
const CHANGES: &str = r#"{ ($.eventSource = "kms.amazonaws.com") && ($.readOnly IS FALSE) }"#;

/// The most new events of a log group that one run takes. The next run continues with the others.
const EVENTS_MAX: usize = 2_000;

/// The number of keys that are read at a time.
const KEYS_AT_ONCE: usize = 8;

/// The events about one key, or about none, in one region.
#[derive(Debug, Default)]
struct Group {
    arn: String,
    events: Vec<OutsideEvent>,
    /// AWS's ids of the custom key stores that events name, by the ids of the events.
    stores: BTreeMap<Uuid, String>,
}

/// What the parts of a run have in common.
struct Run<'a> {
    change: &'a Change,
    kms: &'a Kms,
    plan: &'a WatchPlan,
    began: Time,
    /// Our calls before the run began.
    own_before: &'a OwnCalls,
}

/// What was read of one log group.
struct Reading {
    groups: BTreeMap<(Region, Option<AwsKeyId>), Group>,
    /// The time up to which the log group was read.
    until: Time,
    /// Whether there is more than one run takes.
    is_cut: bool,
}

impl Schedules {
    /// Does the work of a run, and returns its failures; `None` if there are none.
    pub(super) async fn watch_drift(
        &self,
        change: &Change,
        schedule: ScheduleId,
        plan: &WatchPlan,
    ) -> Result<Option<String>, Failure> {
        let asker = own_calls::asker(change);
        asker.around(self.watch_drift_as_asked(change, schedule, plan)).await
    }

    async fn watch_drift_as_asked(
        &self,
        change: &Change,
        schedule: ScheduleId,
        plan: &WatchPlan,
    ) -> Result<Option<String>, Failure> {
        let published = self.recorder.state();
        let kms = published.state.kms(plan.kms)?.clone();
        kms.refuse_archived()?;
        let created = published.state.schedule(schedule)?.created;
        let log_group_regions =
            plan.log_group_region.clone().map_or_else(|| kms.regions.clone(), |region| vec![region]);
        let overlap = -60 * i64::from(plan.overlap_minutes);
        let start_of = |region: &Region| {
            let last = published.state.drift.read_until(schedule, region);
            last.map_or(created, |last| last.plus_seconds(overlap).max(created))
        };
        let began = self.recorder.now();
        let first = log_group_regions.iter().map(start_of).min().unwrap_or(began);
        let before = self.trails.own_calls(TrailWindow { start: first, end: began }).await?;
        let run = Run { change, kms: &kms, plan, began, own_before: &before };
        let (mut until, mut failures) = (Vec::new(), Vec::new());
        for region in log_group_regions {
            match self.watch_log_group(&run, &region, start_of(&region)).await {
                Ok((read, failure)) => {
                    until.push((region.clone(), read));
                    failures.extend(failure.map(|failure| format!("{region}: {failure}")));
                }
                Err(failure) => failures.push(format!("{region}: {failure}")),
            }
        }
        if !until.is_empty() {
            let command = DriftCommand::RecordRead { kms: kms.id, schedule, until };
            self.recorder.append(change, Command::Drift(command)).await?;
        }
        Ok((!failures.is_empty()).then(|| failures.join("; ")))
    }

    /// Reads one log group, and records the changes. Returns the time up to which it was read, and what was left out.
    async fn watch_log_group(
        &self,
        run: &Run<'_>,
        region: &Region,
        start: Time,
    ) -> Result<(Time, Option<String>), Failure> {
        let Run { change, kms, plan, .. } = run;
        // The times of events are whole seconds.
        let start = Time::from_nanos(start.seconds().saturating_mul(1_000_000_000));
        let window = TrailWindow { start, end: self.recorder.now() };
        let source = TrailSource { kms: kms.id, region: region.clone(), log_group: plan.log_group.clone() };
        let reading = self.read_outside_events(run, source, window).await?;
        let recorded = stream::iter(reading.groups)
            .map(|((region, key), group)| self.record_touched(change, kms, region, key, group))
            .buffer_unordered(KEYS_AT_ONCE);
        let failures: Vec<Failure> = recorded.filter_map(|result| std::future::ready(result.err())).collect().await;
        if let Some(failure) = failures.into_iter().next() {
            return Err(failure);
        }
        let cut = reading
            .is_cut
            .then(|| format!("there were more than {EVENTS_MAX} changes; the next run continues at {}", reading.until));
        Ok((reading.until, cut))
    }

    /// Reads the events of changes that others made and that have no entries yet, by region and key.
    async fn read_outside_events(
        &self,
        run: &Run<'_>,
        source: TrailSource,
        window: TrailWindow,
    ) -> Result<Reading, Failure> {
        let kms = run.kms;
        let mut reading = Reading { groups: BTreeMap::new(), until: window.end, is_cut: false };
        let mut reader = self.trails.reader(source, window, None).selecting(CHANGES);
        let mut found = 0;
        while let Some(page) = reader.next(changes_in).await? {
            let state = self.recorder.state();
            for event in page.result.into_iter().filter(|event| !run.own_before.is_ours(&event.request_id)) {
                let Some(outside) = outside_event(&event) else { continue };
                if event.recipient_account != kms.account.to_string() {
                    continue;
                }
                for (region, key, arn) in keys_of(&state.state, kms, &event) {
                    let known = key.as_ref().and_then(|id| state.state.key_at_aws(kms.id, &region, id));
                    let known = known.map(|known| known.id);
                    if state.state.drift.knows(outside.id, known) || may_be_ours(&state.state, kms.id, &region, known) {
                        continue;
                    }
                    if known.is_some_and(|key| is_unanswered(&state.state, kms, key, &outside)) {
                        continue;
                    }
                    let group = reading.groups.entry((region, key)).or_default();
                    group.arn = arn;
                    if !event.named_store_id.is_empty() {
                        group.stores.insert(outside.id, event.named_store_id.clone());
                    }
                    group.events.push(outside.clone());
                    found += 1;
                }
                if found >= EVENTS_MAX {
                    reading.until = event.time.min(window.end);
                    reading.is_cut = true;
                    return self.without_own(run, reading).await;
                }
            }
        }
        self.without_own(run, reading).await
    }

    /// Leaves out the calls that we have made since the run began. Our calls are in the journal before CloudTrail has
    /// them, so that the journal is read after CloudTrail.
    async fn without_own(&self, run: &Run<'_>, mut reading: Reading) -> Result<Reading, Failure> {
        if !reading.groups.is_empty() {
            let own = self.trails.own_calls(TrailWindow { start: run.began, end: self.recorder.now() }).await?;
            for group in reading.groups.values_mut() {
                group.events.retain(|event| !own.is_ours(&event.request_id));
            }
            reading.groups.retain(|_, group| !group.events.is_empty());
        }
        Ok(reading)
    }

    /// Reads a key again, and records its events.
    async fn record_touched(
        &self,
        change: &Change,
        kms: &Kms,
        region: Region,
        key: Option<AwsKeyId>,
        group: Group,
    ) -> Result<(), Failure> {
        if key.is_none() && group.events.iter().any(is_of_store) {
            return self.record_touched_stores(change, kms, region, group).await;
        }
        let now = self.recorder.now();
        let began = Began { aliases: now, key: now };
        let seen = match &key {
            None => SeenNow::Unknown,
            Some(id) => {
                let at = self.cloud.region(kms.id, &region).await?;
                match read(&at, id).await {
                    // Keys of AWS's own are not changed by others.
                    Ok(seen) if seen.metadata.manager == KeyManager::Aws => SeenNow::Unknown,
                    Ok(seen) => SeenNow::Read(Box::new(seen)),
                    Err(failure) if failure.is_not_found() => SeenNow::Gone,
                    Err(failure) if failure.is_denied() => SeenNow::Unknown,
                    Err(failure) => return Err(failure.into()),
                }
            }
        };
        let new = KeyId::new(Uuid::new_v4());
        let Group { arn: key_arn, events, stores: _ } = group;
        let touched = Touched { kms: kms.id, region, key, key_arn, new, seen, began, events };
        self.recorder.append(change, Command::Drift(DriftCommand::Record(Box::new(touched)))).await.map(drop)
    }
}

impl Schedules {
    /// Reads the custom key stores of a region again, and records the events about them.
    async fn record_touched_stores(
        &self,
        change: &Change,
        kms: &Kms,
        region: Region,
        group: Group,
    ) -> Result<(), Failure> {
        let at = self.cloud.region(kms.id, &region).await?;
        let began = self.recorder.now();
        let (mut seen, mut missing) = (Vec::new(), Vec::new());
        match all(&at).await {
            Ok(stores) => {
                let published = self.recorder.state();
                for store in published.state.key_stores_at_aws(kms.id, &region) {
                    let Some(known) = store.at_aws.as_ref() else { continue };
                    if stores.iter().any(|seen| seen.id == known.id) {
                        continue;
                    }
                    match one(&at, &known.id).await {
                        Ok(_) => {}
                        Err(failure) if failure.is_not_found() => missing.push(store.id),
                        Err(failure) => return Err(failure.into()),
                    }
                }
                seen.extend(stores.into_iter().map(|store| (KeyStoreId::new(Uuid::new_v4()), store)));
            }
            // The events have entries all the same.
            Err(failure) if failure.is_denied() => {}
            Err(failure) => return Err(failure.into()),
        }
        let Group { arn: _, events, stores: named } = group;
        let touched = TouchedStores { kms: kms.id, region, seen, missing, began, events, named };
        self.recorder.append(change, Command::Drift(DriftCommand::RecordStores(Box::new(touched)))).await.map(drop)
    }
}

/// Whether an event is that of a change of ours whose answer was lost, so that its request id is not in the journal. Only
/// our own credentials make such events.
fn is_unanswered(state: &State, kms: &Kms, key: KeyId, event: &OutsideEvent) -> bool {
    event.by == kms.arn.to_string() && state.drift.is_unanswered_change(key, &event.name, event.at)
}

/// Whether an operation of this program that is not concluded may have made the change: its request id may not be in the
/// journal yet. The next run reads the event again.
fn may_be_ours(state: &State, kms: KmsId, region: &Region, key: Option<KeyId>) -> bool {
    let is_here = |of: KmsId, at: &Region| of == kms && at == region;
    let on_keys = state.operations.values().any(|pending| {
        let concerns = match key {
            Some(key) => pending.key == key || pending.wanted.also_affects() == Some(key),
            None => pending.wanted.creates_a_key(),
        };
        concerns && is_here(pending.kms, &pending.region)
    });
    let on_stores = state.key_stores.iter().any(|store| store.operation.is_some() && is_here(store.kms, &store.region));
    on_keys || (key.is_none() && on_stores)
}

/// The events of changes that AWS made.
fn changes_in(events: Vec<TrailEvent>) -> Vec<TrailEvent> {
    let is_change = |event: &TrailEvent| {
        event.read_only == Some(false) && event.error_code.is_empty() && event.source == "kms.amazonaws.com"
    };
    events.into_iter().filter(is_change).collect()
}

fn outside_event(event: &TrailEvent) -> Option<OutsideEvent> {
    Some(OutsideEvent {
        id: Uuid::try_parse(&event.event_id).ok()?,
        name: event.name.clone(),
        at: event.time,
        by: event.identity.name().to_owned(),
        by_type: event.identity.kind.clone(),
        source_ip: event.source_ip.clone(),
        user_agent: event.user_agent.clone(),
        request_id: event.request_id.clone(),
    })
}

/// The keys that an event concerns, in regions that the KMS manages: those that it names, and those that have, as far as
/// is known, an alias that it names. An event about no key is kept without one.
fn keys_of(state: &State, kms: &Kms, event: &TrailEvent) -> Vec<(Region, Option<AwsKeyId>, String)> {
    let Ok(region) = Region::parse(&event.region) else { return Vec::new() };
    let arns = event.keys.iter().filter_map(|text| KeyArn::parse(text).ok()).filter(|arn| arn.account() == kms.account);
    let mut keys: Vec<_> = arns
        .filter(|arn| kms.regions.contains(arn.region()))
        .map(|arn| (arn.region().clone(), Some(arn.id().clone()), arn.to_string()))
        .collect();
    if !kms.regions.contains(&region) {
        return keys;
    }
    for alias in &event.aliases {
        let holders =
            state.keys.of_region(kms.id, &region).filter(|key| key.aliases.iter().any(|own| own.as_str() == alias));
        keys.extend(holders.map(|key| (key.region.clone(), Some(key.aws_id().clone()), key.metadata.arn.to_string())));
    }
    keys.sort();
    keys.dedup();
    if keys.is_empty() && event.keys.is_empty() {
        keys.push((region, None, String::new()));
    }
    keys
}
