//! The reconciliation report: a row for each difference between the keys in the state and at AWS now. Who made a change
//! at AWS comes from CloudTrail, if the log group has the event and it is no call of ours.

use super::own_calls::OwnCallsByTime;
use super::place::{Place, alias};
use super::row::{Cell, Row};
use crate::aws::cloudtrail::TrailEvent;
use crate::aws::kms::calls::{DescribeKey, ListAliases, ListKeys};
use crate::aws::page::Paging;
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::aws_enums::KeyManager;
use crate::domain::key::command::Began;
use crate::domain::key::event::Aspect;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::tag::Tag;
use crate::domain::place::Region;
use crate::domain::time::Time;
use crate::service::cloud::{Cloud, RegionAccess};
use crate::service::failure::Failure;
use crate::service::keys::reading::read_rest;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

/// The keys that are read at once.
const KEYS_AT_ONCE: usize = 8;
const KEYS_PER_PAGE: u16 = 1000;
const ALIASES_PER_PAGE: u16 = 100;
/// The most changes of others that are remembered.
const CHANGES_MAX: usize = 100_000;
/// The longest text of a cell, in bytes.
const TEXT_MAX: usize = 1_024;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Existence,
    State,
    Description,
    Policy,
    Tags,
    Aliases,
    Rotation,
    Other,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Existence => "key",
            Self::State => "key_state",
            Self::Description => "description",
            Self::Policy => "policy",
            Self::Tags => "tags",
            Self::Aliases => "aliases",
            Self::Rotation => "rotation",
            Self::Other => "metadata",
        }
    }

    /// The part that an operation of AWS changes.
    fn of(event: &str) -> Self {
        match event {
            "CreateKey" | "ReplicateKey" | "DeleteKey" | "SynchronizeMultiRegionKey" => Self::Existence,
            "EnableKey"
            | "DisableKey"
            | "ScheduleKeyDeletion"
            | "CancelKeyDeletion"
            | "ImportKeyMaterial"
            | "DeleteImportedKeyMaterial"
            | "DeleteExpiredKeyMaterial" => Self::State,
            "UpdateKeyDescription" => Self::Description,
            "PutKeyPolicy" => Self::Policy,
            "TagResource" | "UntagResource" => Self::Tags,
            "CreateAlias" | "UpdateAlias" | "DeleteAlias" => Self::Aliases,
            "EnableKeyRotation" | "DisableKeyRotation" | "RotateKeyOnDemand" | "RotateKey" => Self::Rotation,
            _ => Self::Other,
        }
    }
}

/// The last change of each part of a key by others.
#[derive(Default)]
pub(super) struct Changes(HashMap<(KeyArn, Part), Change>);

struct Change {
    event: String,
    time: Time,
    identity: String,
    request_id: String,
}

impl Changes {
    /// Adds the events of a page.
    pub(super) fn add(&mut self, place: &Place, own: &mut OwnCallsByTime, events: &[TrailEvent]) {
        for event in events {
            let is_change = event.read_only != Some(true) && event.error_code.is_empty();
            if !is_change || own.find(event.time, &event.request_id).is_some() {
                continue;
            }
            for named in place.keys_of(event) {
                let part = (named.arn, Part::of(&event.name));
                if self.0.len() >= CHANGES_MAX && !self.0.contains_key(&part) {
                    continue;
                }
                let change = Change {
                    event: event.name.clone(),
                    time: event.time,
                    identity: event.identity.name().to_owned(),
                    request_id: event.request_id.clone(),
                };
                // Events come in the order of their time.
                self.0.insert(part, change);
            }
        }
    }
}

/// The comparison of a region.
struct Comparison<'a> {
    place: &'a Place,
    changes: &'a Changes,
    region: &'a Region,
    at: RegionAccess,
    now: Time,
}

/// Compares a region with AWS, and passes the rows of each batch of keys on.
///
/// # Errors
/// When AWS refuses or fails.
pub(super) async fn compare(
    cloud: &Cloud,
    (place, changes, region): (&Place, &Changes, &Region),
    found: &(dyn Fn(Vec<Row>) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync),
) -> Result<(), Failure> {
    let at = cloud.region(place.id(), region).await?;
    // Changes since then are newer than the state that is compared.
    let comparison = Comparison { place, changes, region, at, now: Time::from_nanos(i64::MAX) };
    let mut aliases: HashMap<AwsKeyId, Vec<AliasName>> = HashMap::new();
    let list = ListAliases { key: None, paging: Paging::first(ALIASES_PER_PAGE) };
    for alias in comparison.at.pages(list).collect().await? {
        if let Some(key) = alias.target {
            aliases.entry(key).or_default().push(alias.name);
        }
    }
    aliases.values_mut().for_each(|names| names.sort());
    let mut listed: HashSet<AwsKeyId> = HashSet::new();
    let mut pages = comparison.at.pages(ListKeys { paging: Paging::first(KEYS_PER_PAGE) });
    while let Some(keys) = pages.next().await? {
        let new: Vec<AwsKeyId> =
            keys.into_iter().map(|arn| arn.id().clone()).filter(|id| listed.insert(id.clone())).collect();
        let mut comparisons: Vec<BoxFuture<'_, Result<Vec<Row>, Failure>>> = Vec::new();
        for id in new {
            let names = aliases.remove(&id).unwrap_or_default();
            comparisons.push(Box::pin(comparison.key(id, names)));
        }
        let rows: Vec<_> = stream::iter(comparisons).buffer_unordered(KEYS_AT_ONCE).collect().await;
        let mut all = Vec::new();
        for rows in rows {
            all.extend(rows?);
        }
        found(all).await?;
    }
    let missing = place.published.state.keys.of_region(place.id(), region).filter(|key| {
        !key.gone
            && !key.is_unlinked()
            && !listed.contains(key.aws_id())
            && key.metadata.manager == KeyManager::Customer
    });
    let rows = missing.map(|key| {
        let state = key.metadata.state.to_string();
        comparison.row(&key.metadata.arn, Some(key), "only_here", Part::Existence, (state, String::new()))
    });
    found(rows.collect()).await
}

impl Comparison<'_> {
    async fn key(&self, id: AwsKeyId, aliases: Vec<AliasName>) -> Result<Vec<Row>, Failure> {
        let known = self.place.published.state.key_at_aws(self.place.id(), self.region, &id).cloned();
        let metadata = match self.at.call(DescribeKey::of(id)).await {
            Ok(metadata) => metadata,
            // It was deleted since it was listed, or its policy denies reading it: nothing can be compared.
            Err(failure) if failure.is_not_found() || failure.is_denied() => return Ok(Vec::new()),
            Err(failure) => return Err(failure.into()),
        };
        let seen = Snapshot { aliases: Some(aliases), ..read_rest(&self.at, metadata).await? };
        let arn = seen.metadata.arn.clone();
        let Some(key) = known.filter(|key| !key.gone) else {
            if seen.metadata.manager != KeyManager::Customer {
                return Ok(Vec::new());
            }
            let state = seen.metadata.state.to_string();
            return Ok(vec![self.row(&arn, None, "only_in_aws", Part::Existence, (String::new(), state))]);
        };
        let news = key.synchronise(seen, Began { aliases: self.now, key: self.now }).unwrap_or_default();
        let mut rows = Vec::new();
        for aspect in &news {
            for (part, texts) in differences(&key, aspect) {
                rows.push(self.row(&arn, Some(&key), "state_differs", part, texts));
            }
        }
        Ok(rows)
    }

    /// A row. A change that CloudTrail has of others was made in AWS only.
    fn row(&self, arn: &KeyArn, key: Option<&Key>, kind: &str, part: Part, (here, in_aws): (String, String)) -> Row {
        let change = self.changes.0.get(&(arn.clone(), part));
        let kind = if kind == "state_differs" && change.is_some() { "only_in_aws" } else { kind };
        let cells = vec![
            Cell::text(kind),
            Cell::text(arn.to_string()),
            alias(key),
            Cell::text(change.map_or(part.name(), |change| change.event.as_str())),
            Cell::text(cut(here)),
            Cell::text(cut(in_aws)),
            Cell::time(change.map(|change| change.time)),
            Cell::text(change.map(|change| change.identity.clone()).unwrap_or_default()),
            Cell::text(change.map(|change| change.request_id.clone()).unwrap_or_default()),
            Cell::text(arn.account().to_string()),
            Cell::text(arn.region().as_str()),
            Cell::text(arn.partition().as_str()),
        ];
        Row::new(self.place.id(), key.map(|key| key.id), cells)
    }
}

/// The parts in which an aspect at AWS differs from that of a key, each with the text here and at AWS.
fn differences(key: &Key, aspect: &Aspect) -> Vec<(Part, (String, String))> {
    match aspect {
        Aspect::Metadata(seen) => metadata_differences(&key.metadata, seen),
        Aspect::Aliases(seen) => vec![(Part::Aliases, (listed(&key.aliases), listed(seen)))],
        Aspect::Tags(seen) => vec![(Part::Tags, (tags(&key.tags), tags(seen)))],
        Aspect::Policy(seen) => {
            let here = key.policy.as_ref().map(|policy| policy.as_str().to_owned()).unwrap_or_default();
            vec![(Part::Policy, (here, seen.as_str().to_owned()))]
        }
        Aspect::Rotation(seen) => {
            let text = |enabled| if enabled { "enabled" } else { "disabled" }.to_owned();
            let here = key.rotation.as_ref().is_some_and(|rotation| rotation.enabled);
            vec![(Part::Rotation, (text(here), text(seen.enabled)))]
        }
        // The use of a key is no change of it.
        Aspect::ImportedMaterial(_) | Aspect::LastUse(_) => Vec::new(),
    }
}

fn metadata_differences(here: &KeyMetadata, seen: &KeyMetadata) -> Vec<(Part, (String, String))> {
    let mut found = Vec::new();
    if here.state != seen.state || here.deletion_date != seen.deletion_date || here.valid_to != seen.valid_to {
        found.push((Part::State, (here.state.to_string(), seen.state.to_string())));
    }
    if here.description != seen.description {
        found.push((Part::Description, (here.description.clone(), seen.description.clone())));
    }
    if here.current_material != seen.current_material {
        let text =
            |metadata: &KeyMetadata| metadata.current_material.as_ref().map(ToString::to_string).unwrap_or_default();
        found.push((Part::Rotation, (text(here), text(seen))));
    }
    if found.is_empty() {
        found.push((Part::Other, (String::new(), String::new())));
    }
    found
}

fn listed(names: &[impl Display]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn tags(tags: &[Tag]) -> String {
    tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect::<Vec<_>>().join(" ")
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
        text.push('…');
    }
    text
}
