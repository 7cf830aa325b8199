//! The reconciliation report: a row for each difference between the keys in the state and at AWS now. Who made a change
//! at AWS comes from CloudTrail, if the log group has the event and it is no call of ours.

use super::differences::{Part, cut, differences};
use super::own_calls::{Caller, OwnCallsByTime};
use super::place::{Place, alias};
use super::row::{Cell, Row};
use crate::aws::cloudtrail::TrailEvent;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{DescribeKey, ListAliases, ListKeys};
use crate::aws::page::Paging;
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::aws_enums::KeyManager;
use crate::domain::key::command::Began;
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::sync::Entry;
use crate::domain::place::Region;
use crate::domain::time::Time;
use crate::service::cloud::{Cloud, RegionAccess};
use crate::service::failure::Failure;
use crate::service::keys::reading::read_rest;
use crate::service::recorder::Recorder;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{HashMap, HashSet};

/// The keys that are read at once.
const KEYS_AT_ONCE: usize = 8;
const KEYS_PER_PAGE: u16 = 1000;
const ALIASES_PER_PAGE: u16 = 100;
/// The most changes of others that are remembered.
const CHANGES_MAX: usize = 100_000;

/// The last change of each part of a key by others.
#[derive(Default)]
pub(super) struct Changes(HashMap<(KeyArn, Part), Change>);

#[derive(Clone)]
struct Change {
    event: String,
    time: Time,
    identity: String,
    request_id: String,
}

impl Changes {
    /// Adds the events of a page.
    ///
    /// # Errors
    /// When the journal of our calls cannot be read.
    pub(super) fn add(
        &mut self,
        place: &Place,
        own: &mut OwnCallsByTime,
        events: &[TrailEvent],
    ) -> Result<(), Failure> {
        for event in events {
            let (parts, is_failed) = (Part::of(&event.name), !event.error_code.is_empty());
            if parts.is_empty() || event.read_only == Some(true) || is_failed {
                continue;
            }
            // What may be ours is attributed to nobody.
            if own.find(event)? != Caller::Others {
                continue;
            }
            let change = Change {
                event: event.name.clone(),
                time: event.time,
                identity: event.identity.name().to_owned(),
                request_id: event.request_id.clone(),
            };
            for named in place.keys_of(event) {
                parts.iter().for_each(|part| self.put((named.arn.clone(), *part), change.clone()));
            }
        }
        Ok(())
    }

    /// Events of a log group come in the order of their time, but there can be several groups.
    fn put(&mut self, part: (KeyArn, Part), change: Change) {
        let is_newer = match self.0.get(&part) {
            Some(known) => known.time <= change.time,
            None => self.0.len() < CHANGES_MAX,
        };
        if is_newer {
            self.0.insert(part, change);
        }
    }
}

/// The comparison of a region.
struct Comparison<'a> {
    place: &'a Place,
    changes: &'a Changes,
    region: &'a Region,
    at: RegionAccess,
    recorder: &'a Recorder,
    /// When the listing of the region began: keys that changed here since are not compared with it.
    began: Time,
}

/// Compares a region with AWS, and passes the rows of each batch of keys on.
///
/// # Errors
/// When AWS refuses or fails.
pub(super) async fn compare(
    cloud: &Cloud,
    recorder: &Recorder,
    (place, changes, region): (&Place, &Changes, &Region),
    found: &(dyn Fn(Vec<Row>) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync),
) -> Result<(), Failure> {
    let at = cloud.region(place.id(), region).await?;
    let comparison = Comparison { place, changes, region, at, recorder, began: recorder.now() };
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
        let mut rows = stream::iter(comparisons).buffer_unordered(KEYS_AT_ONCE);
        let mut all = Vec::new();
        // The first failure ends the reading. The rows until then are kept.
        let outcome = loop {
            match rows.try_next().await {
                Ok(Some(rows)) => all.extend(rows),
                Ok(None) => break Ok(()),
                Err(failure) => break Err(failure),
            }
        };
        found(all).await?;
        outcome?;
    }
    // A key that operations changed since the listing began may be new.
    let published = recorder.state();
    let missing = published.state.keys.of_region(place.id(), region).filter(|key| {
        !key.gone
            && key.pending.is_none()
            && key.updated < comparison.began
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
        let began = self.recorder.now();
        let metadata = match self.at.call(DescribeKey::of(id.clone())).await {
            Ok(metadata) => metadata,
            // It was deleted since it was listed.
            Err(failure) if failure.is_not_found() => return Ok(Vec::new()),
            // Its policy denies reading it, so nothing can be compared.
            Err(failure) if failure.is_denied() => return Ok(vec![self.not_readable(id, &failure)]),
            Err(failure) => return Err(failure.into()),
        };
        let seen = Snapshot { aliases: Some(aliases), ..read_rest(&self.at, metadata).await? };
        let arn = seen.metadata.arn.clone();
        // The state after the reads: what operations changed meanwhile is in it, and is not compared.
        let published = self.recorder.state();
        let in_aws = seen.metadata.state.to_string();
        let only_in_aws = |key: Option<&Key>| {
            vec![self.row(&arn, key, "only_in_aws", Part::Existence, (String::new(), in_aws.clone()))]
        };
        let key = match Entry::of(&published.state, self.place.id(), self.region, &seen) {
            Entry::InOperation => return Ok(Vec::new()),
            Entry::None if seen.metadata.manager != KeyManager::Customer => return Ok(Vec::new()),
            Entry::None => return Ok(only_in_aws(None)),
            Entry::Known(key) if key.gone => return Ok(only_in_aws(Some(key))),
            // Somebody made the KMS key with AWS, for the key that is held here.
            Entry::Unlinked(key) => {
                let texts = ("not linked".to_owned(), in_aws.clone());
                return Ok(vec![self.row(&arn, Some(key), "state_differs", Part::Existence, texts)]);
            }
            Entry::Known(key) => key.clone(),
        };
        let news = key.synchronise(seen, Began { aliases: self.began, key: began }).unwrap_or_default();
        let mut rows = Vec::new();
        for aspect in &news {
            for (part, texts) in differences(&key, aspect) {
                rows.push(self.row(&arn, Some(&key), "state_differs", part, texts));
            }
        }
        Ok(rows)
    }

    /// The row of a key that AWS lists and does not let us read.
    fn not_readable(&self, id: AwsKeyId, failure: &AwsFailure) -> Row {
        let arn = KeyArn::of(self.place.kms.account, self.region.clone(), id);
        let published = self.recorder.state();
        let key = published.state.key_at_aws(self.place.id(), self.region, arn.id()).map(|key| &**key);
        let here = key.map(|key| key.metadata.state.to_string()).unwrap_or_default();
        self.row(&arn, key, "not_readable", Part::Existence, (here, failure.to_string()))
    }

    /// A row. A change that CloudTrail has of others was made in AWS only.
    fn row(&self, arn: &KeyArn, key: Option<&Key>, kind: &str, part: Part, (here, in_aws): (String, String)) -> Row {
        // What cannot be read is not known to have changed.
        let change = self.changes.0.get(&(arn.clone(), part)).filter(|_| kind != "not_readable");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_change_of_several_log_groups_counts() {
        let arn = KeyArn::parse("arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab");
        let part = (arn.expect("an ARN"), Part::State);
        let change = |event: &str, time| Change {
            event: event.to_owned(),
            time: Time::from_nanos(time),
            identity: String::new(),
            request_id: String::new(),
        };
        let mut changes = Changes::default();
        for (event, time) in [("EnableKey", 2), ("DisableKey", 1)] {
            changes.put(part.clone(), change(event, time));
        }
        assert_eq!(changes.0[&part].event, "EnableKey");
    }
}
