//! The synchronisation of one region: lists the keys at AWS, reads and compares each, and checks known keys that AWS
//! did not list. An unchanged key costs no write. Keys are read concurrently, so that changes share a sync of the log.

use super::SyncJobs;
use super::last_use::LastUses;
use super::live::Tally;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{DescribeKey, ListAliases, ListKeys};
use crate::aws::page::Paging;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::id::KeyId;
use crate::domain::job::sync::SyncPlace;
use crate::domain::key::aggregate::{Snapshot, is_of_use_alone};
use crate::domain::key::command::Began;
use crate::domain::key::command::KeyCommand;
use crate::domain::key::decide::check_place;
use crate::domain::key::event::KeyEvent;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::time::Time;
use crate::service::caller::Change;
use crate::service::cloud::RegionAccess;
use crate::service::failure::Failure;
use crate::service::keys::reading::read_rest;
use crate::service::recorder::Recorder;
use futures_util::future::join;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// The number of keys of a region that are read concurrently. `aws/concurrency_limiter.rs` has a lower limit for calls.
const KEYS_AT_ONCE: usize = 24;

/// AWS's maximum for a page of keys.
const KEYS_PER_PAGE: u16 = 1000;

/// AWS's maximum for a page of aliases.
const ALIASES_PER_PAGE: u16 = 100;

/// A region that is being read.
struct Reading<'a> {
    recorder: &'a Recorder,
    at: RegionAccess,
    change: &'a Change,
    tally: &'a Tally,
    /// The time before its aliases were read.
    began: Time,
    last_uses: LastUses,
    /// The first key that could not be read.
    first_unreadable: Mutex<Option<UnreadableKey>>,
}

/// A key that could not be read, and why.
struct UnreadableKey {
    key: AwsKeyId,
    failure: AwsFailure,
}

impl fmt::Display for UnreadableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}: {}", self.key, self.failure)
    }
}

impl SyncJobs {
    /// Synchronises a region, and returns the first key that could not be read, with the reason; if there is none, why
    /// the last use of keys is not known.
    pub(super) async fn synchronise(
        &self,
        of: &SyncPlace,
        tally: &Tally,
        change: &Change,
    ) -> Result<Option<String>, Failure> {
        check_place(&self.recorder.state().state, of.kms, &of.region)?;
        let at = self.cloud.region(of.kms, &of.region).await?;
        let reading = Reading {
            recorder: &self.recorder,
            at,
            change,
            tally,
            began: self.recorder.now(),
            last_uses: LastUses::default(),
            first_unreadable: Mutex::default(),
        };
        let listed = reading.keys().await?;
        reading.unlisted(&listed).await?;
        let counts = tally.counts();
        let unreadable = reading.first_unreadable.into_inner().unwrap_or_else(PoisonError::into_inner);
        match unreadable {
            // If no key could be read, the region has failed.
            Some(UnreadableKey { failure, .. }) if counts.errors == counts.listed => Err(failure.into()),
            Some(unreadable) => Ok(Some(unreadable.to_string())),
            None => Ok(reading.last_uses.unanswered().map(|unanswered| unanswered.to_string())),
        }
    }
}

impl Reading<'_> {
    /// Reads every key that AWS lists, and returns their ids.
    async fn keys(&self) -> Result<HashSet<AwsKeyId>, Failure> {
        let mut aliases = self.aliases().await?;
        let mut listed = HashSet::new();
        let list = ListKeys { paging: Paging::first(KEYS_PER_PAGE) };
        let mut pages = self.at.pages(list);
        while let Some(keys) = pages.next().await? {
            let ids = keys.into_iter().map(|arn| arn.id().clone());
            let new: Vec<_> = ids.filter(|id| listed.insert(id.clone())).collect();
            self.tally.listed.add(new.len() as u64);
            let keys = new.into_iter().map(|id| {
                let aliases = aliases.remove(&id).unwrap_or_default();
                self.key(id, aliases)
            });
            run_concurrently(keys).await?;
        }
        Ok(listed)
    }

    /// Lists all aliases of the region by key, which is cheaper than one list for each key.
    async fn aliases(&self) -> Result<HashMap<AwsKeyId, Vec<AliasName>>, Failure> {
        let mut aliases: HashMap<AwsKeyId, Vec<AliasName>> = HashMap::new();
        let list = ListAliases { key: None, paging: Paging::first(ALIASES_PER_PAGE) };
        for alias in self.at.pages(list).collect().await? {
            if let Some(key) = alias.target {
                aliases.entry(key).or_default().push(alias.name);
            }
        }
        aliases.values_mut().for_each(|names| names.sort());
        Ok(aliases)
    }

    /// Reads a key that AWS has listed, and records it.
    async fn key(&self, id: AwsKeyId, aliases: Vec<AliasName>) -> Result<(), Failure> {
        let began = Began { aliases: self.began, key: self.recorder.now() };
        let seen = match self.at.call(DescribeKey::of(id.clone())).await {
            Ok(metadata) => self.rest(metadata).await,
            Err(failure) => Err(failure),
        };
        match seen {
            Ok(seen) => self.record(Snapshot { aliases: Some(aliases), ..seen }, began).await,
            Err(failure) => self.record_failure(&id, failure, began.key).await,
        }
    }

    async fn rest(&self, metadata: KeyMetadata) -> Result<Snapshot, AwsFailure> {
        let last_use = self.last_uses.of(&self.at, &metadata, self.recorder.now());
        let (last_use, rest) = join(last_use, read_rest(&self.at, metadata.clone())).await;
        Ok(Snapshot { last_use, ..rest? })
    }

    /// Checks whether AWS still has the known keys that it has not listed.
    async fn unlisted(&self, listed: &HashSet<AwsKeyId>) -> Result<(), Failure> {
        let published = self.recorder.state();
        let here = published.state.keys_of_kms(self.at.kms);
        let unlisted = here
            .filter(|key| key.region == self.at.region && !key.gone && key.pending.is_none() && !key.is_unlinked())
            .filter(|key| !listed.contains(key.aws_id()));
        let ids: Vec<AwsKeyId> = unlisted.map(|key| key.aws_id().clone()).collect();
        run_concurrently(ids.into_iter().map(|id| self.unlisted_key(id))).await
    }

    async fn unlisted_key(&self, id: AwsKeyId) -> Result<(), Failure> {
        let began = self.recorder.now();
        match self.at.call(DescribeKey::of(id.clone())).await {
            // The key was created after the list was read, or the list is not up to date.
            Ok(_) => Ok(()),
            Err(failure) => self.record_failure(&id, failure, began).await,
        }
    }

    async fn record(&self, seen: Snapshot, began: Began) -> Result<(), Failure> {
        let (kms, region) = (self.at.kms, self.at.region.clone());
        let published = self.recorder.state();
        let known = published.state.key_at_aws(kms, &region, seen.metadata.key_id());
        if known.is_some_and(|known| known.synchronise(seen.clone(), began).is_none()) {
            return Ok(());
        }
        let id = KeyId::new(Uuid::new_v4());
        self.command(KeyCommand::Synchronise { id, kms, region, seen: Box::new(seen), began }).await
    }

    /// Records that a key is gone, or counts a failure of this key alone.
    ///
    /// # Errors
    /// A failure of the region.
    async fn record_failure(&self, id: &AwsKeyId, failure: AwsFailure, began: Time) -> Result<(), Failure> {
        if failure.is_not_found() {
            let published = self.recorder.state();
            return match published.state.key_at_aws(self.at.kms, &self.at.region, id) {
                Some(key) => self.command(KeyCommand::RecordMissing { id: key.id, began }).await,
                None => Ok(()),
            };
        }
        if !is_of_the_key(&failure) {
            return Err(failure.into());
        }
        self.tally.errors.add(1);
        let mut first = self.first_unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| UnreadableKey { key: id.clone(), failure });
        Ok(())
    }

    async fn command(&self, command: KeyCommand) -> Result<(), Failure> {
        let committed = self.recorder.append(self.change, Command::Key(command)).await?;
        for event in &committed.events {
            let Event::Key(_, event) = event else { continue };
            match event {
                KeyEvent::Found { .. } => self.tally.added.add(1),
                KeyEvent::Observed { learned } if is_of_use_alone(learned) => {}
                KeyEvent::Observed { .. } | KeyEvent::HyokLinked { .. } => self.tally.updated.add(1),
                KeyEvent::Vanished => self.tally.gone.add(1),
                KeyEvent::OperationRequested { .. }
                | KeyEvent::OperationDone { .. }
                | KeyEvent::OperationFailed { .. }
                | KeyEvent::OperationReconciled { .. }
                | KeyEvent::VirtualKeyMade { .. }
                | KeyEvent::VirtualKeyDeletable { .. }
                | KeyEvent::VirtualKeyDeleted
                | KeyEvent::RotationJobSet { .. }
                | KeyEvent::Forgotten
                | KeyEvent::Unmanaged { .. }
                | KeyEvent::Replaced { .. }
                | KeyEvent::AliasMoved { .. }
                | KeyEvent::MaterialNotRotated { .. }
                | KeyEvent::HyokCreated { .. }
                | KeyEvent::HyokBlocked
                | KeyEvent::HyokUnblocked
                | KeyEvent::HyokRotated { .. }
                | KeyEvent::CallerRulesSet { .. }
                | KeyEvent::EncryptionsCounted { .. } => {}
            }
        }
        Ok(())
    }
}

/// Runs [`KEYS_AT_ONCE`] futures at a time, until all have ended or one fails.
async fn run_concurrently(
    work: impl Iterator<Item = impl Future<Output = Result<(), Failure>>>,
) -> Result<(), Failure> {
    stream::iter(work).buffer_unordered(KEYS_AT_ONCE).try_for_each(|()| std::future::ready(Ok(()))).await
}

/// Returns whether a failure concerns one key and not the region. Timeouts and throttling would also hit the next key.
fn is_of_the_key(failure: &AwsFailure) -> bool {
    match failure {
        AwsFailure::Refused { .. } => {
            failure.is_denied() || failure.is_invalid_state() || failure.is("UnsupportedOperationException")
        }
        AwsFailure::Faulty { .. } | AwsFailure::Unintelligible { .. } => true,
        AwsFailure::Throttled { .. }
        | AwsFailure::Timeout { .. }
        | AwsFailure::Unreachable { .. }
        | AwsFailure::NotSent { .. } => false,
    }
}
