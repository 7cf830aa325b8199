//! A run of the drift watch: reads what others did to the keys of a KMS in CloudTrail, reads just these keys again, and
//! records each change with what it changed.
//!
//! CloudTrail delivers events minutes late, and CloudWatch Logs finds them by the time of the event. So each run begins
//! some time before the end of the last one; events that have entries are left out. How far a run has read is recorded
//! last, so a run that fails or is killed is made up for by the next one.

use super::Schedules;
use crate::aws::cloudtrail::TrailEvent;
use crate::domain::command::Command;
use crate::domain::drift::OutsideEvent;
use crate::domain::drift::decide::{DriftCommand, SeenNow, Touched};
use crate::domain::id::{KeyId, KmsId, ScheduleId};
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
use crate::service::keys::reading::read;
use crate::service::own_calls;
use crate::service::trail::{TrailSource, TrailWindow};
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
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
        let (mut until, mut failures) = (Vec::new(), Vec::new());
        for region in log_group_regions {
            let last = published.state.drift.read_until(schedule, &region);
            let overlap = -60 * i64::from(plan.overlap_minutes);
            let start = last.map_or(created, |last| last.plus_seconds(overlap).max(created));
            match self.watch_log_group(change, &kms, plan, &region, start).await {
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
        change: &Change,
        kms: &Arc<Kms>,
        plan: &WatchPlan,
        region: &Region,
        start: Time,
    ) -> Result<(Time, Option<String>), Failure> {
        // The times of events are whole seconds.
        let start = Time::from_nanos(start.seconds().saturating_mul(1_000_000_000));
        let window = TrailWindow { start, end: self.recorder.now() };
        let source = TrailSource { kms: kms.id, region: region.clone(), log_group: plan.log_group.clone() };
        let reading = self.read_outside_events(kms, source, window).await?;
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
        kms: &Kms,
        source: TrailSource,
        window: TrailWindow,
    ) -> Result<Reading, Failure> {
        let mut reading = Reading { groups: BTreeMap::new(), until: window.end, is_cut: false };
        let mut reader = self.trails.reader(source, window, None).selecting(CHANGES);
        let mut found = 0;
        while let Some(page) = reader.next(changes_in).await? {
            // Our calls are in the journal before CloudTrail has them, so that the journal is read after the page.
            let own = self.trails.own_calls(window).await?;
            let state = self.recorder.state();
            for event in page.result.into_iter().filter(|event| !own.is_ours(&event.request_id)) {
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
                    let group = reading.groups.entry((region, key)).or_default();
                    group.arn = arn;
                    group.events.push(outside.clone());
                    found += 1;
                }
                if found >= EVENTS_MAX {
                    reading.until = event.time.min(window.end);
                    reading.is_cut = true;
                    return Ok(reading);
                }
            }
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
        let Group { arn: key_arn, events } = group;
        let touched = Touched { kms: kms.id, region, key, key_arn, new, seen, began, events };
        self.recorder.append(change, Command::Drift(DriftCommand::Record(Box::new(touched)))).await.map(drop)
    }
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
