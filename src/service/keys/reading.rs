//! Reads keys from AWS. AWS is eventually consistent, so the result of a change is read several times if needed.

use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{
    DescribeKey, GetKeyLastUsage, GetKeyPolicy, GetKeyRotationStatus, ListAliases, ListResourceTags,
};
use crate::aws::page::Paging;
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::{KeyManager, KeyState, Origin};
use crate::domain::key::last_use::LastUse;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::time::Time;
use crate::service::cloud::RegionAccess;
use std::future::Future;
use std::time::Duration;

/// The maximum number of reads until AWS shows a change.
const READS: u32 = 6;

/// Reads a key completely. Parts that AWS denies are left out.
pub(in crate::service) async fn read(at: &RegionAccess, key: &AwsKeyId) -> Result<Snapshot, AwsFailure> {
    let metadata = at.call(DescribeKey::of(key.clone())).await?;
    let (aliases, rest) = futures_util::future::join(aliases(at, key), read_rest(at, metadata)).await;
    Ok(Snapshot { aliases: readable(aliases)?, ..rest? })
}

/// Reads a key except for its metadata and its aliases.
pub(in crate::service) async fn read_rest(at: &RegionAccess, metadata: KeyMetadata) -> Result<Snapshot, AwsFailure> {
    let key = metadata.key_id();
    let tags = async {
        match is_ours(&metadata) {
            true => readable(at.pages(ListResourceTags::of(key.clone())).collect().await),
            false => Ok(None),
        }
    };
    let policy = async { readable(at.call(GetKeyPolicy { key: key.clone() }).await) };
    let rotation = async {
        match can_rotate(&metadata) {
            true => readable(at.call(GetKeyRotationStatus { key: key.clone() }).await),
            false => Ok(None),
        }
    };
    let (tags, policy, rotation) = futures_util::future::join3(tags, policy, rotation).await;
    let (tags, policy, rotation) = (tags?, policy?, rotation?);
    Ok(Snapshot { metadata, aliases: None, tags, policy, rotation, last_use: None, imported: None })
}

/// Reads when a key was last used; `None` for keys that AWS manages.
pub(in crate::service) async fn last_use(
    at: &RegionAccess,
    metadata: &KeyMetadata,
    asked: Time,
) -> Result<Option<LastUse>, AwsFailure> {
    match is_ours(metadata) {
        true => at.call(GetKeyLastUsage { key: metadata.key_id().clone(), asked }).await.map(Some),
        false => Ok(None),
    }
}

async fn aliases(at: &RegionAccess, key: &AwsKeyId) -> Result<Vec<AliasName>, AwsFailure> {
    let list = ListAliases { key: Some(key.clone()), paging: Paging::default() };
    let aliases = at.pages(list).collect().await?;
    let mut aliases: Vec<AliasName> = aliases.into_iter().map(|alias| alias.name).collect();
    aliases.sort();
    Ok(aliases)
}

/// Reads a key until AWS shows a change, at most [`READS`] times; then the last read counts.
pub(super) async fn read_back(
    at: &RegionAccess,
    key: &AwsKeyId,
    shows: impl Fn(&Snapshot) -> bool,
) -> Result<Snapshot, AwsFailure> {
    let mut seen = read(at, key).await;
    for attempt in 1..READS {
        match &seen {
            Ok(seen) if shows(seen) => break,
            Err(failure) if !failure.is_not_found() => break,
            Ok(_) | Err(_) => tokio::time::sleep(pause(attempt)).await,
        }
        seen = read(at, key).await;
    }
    seen
}

/// Waits until AWS has created a replica. If the replica's policy denies reading it, the steps that follow are tried at
/// once.
pub(super) async fn wait_until_usable(at: &RegionAccess, key: &AwsKeyId) -> Result<(), AwsFailure> {
    for attempt in 1..READS * 2 {
        match at.call(DescribeKey::of(key.clone())).await {
            Ok(metadata) if metadata.state != KeyState::Creating => return Ok(()),
            Err(failure) if is_unreadable(&failure) => return Ok(()),
            Err(failure) if !failure.is_not_found() => return Err(failure),
            Ok(_) | Err(_) => tokio::time::sleep(pause(attempt)).await,
        }
    }
    Ok(())
}

/// Returns whether AWS denies reading the key itself. A refusal of another call, such as AssumeRole, does not count.
pub(super) fn is_unreadable(failure: &AwsFailure) -> bool {
    failure.is_denied() && failure.operation() == DescribeKey::OPERATION
}

/// Repeats a call until AWS finds the key, at most [`READS`] times, since the key has just been created.
pub(super) async fn until_there<T, F>(ask: impl Fn() -> F) -> Result<T, AwsFailure>
where
    F: Future<Output = Result<T, AwsFailure>>,
{
    for read in 1..READS {
        match ask().await {
            Err(failure) if failure.is_not_found() => tokio::time::sleep(pause(read)).await,
            answer => return answer,
        }
    }
    ask().await
}

/// The pause after a read: 100 ms on average, doubled each time, at most 3 s, with jitter.
fn pause(read: u32) -> Duration {
    let mut jitter = [0u8; 1];
    // Without random numbers the pauses are regular, which is harmless.
    let _ = aws_lc_rs::rand::fill(&mut jitter);
    let full = 100u64.saturating_mul(1 << read.min(5)).min(3_000) / 2;
    Duration::from_millis(full / 2 + full * u64::from(jitter[0]) / 255)
}

/// Turns a denied or unsupported read into `None`.
fn readable<T>(answer: Result<T, AwsFailure>) -> Result<Option<T>, AwsFailure> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.is_denied() || failure.is("UnsupportedOperationException") => Ok(None),
        Err(failure) if failure.is_invalid_state() => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn is_ours(metadata: &KeyMetadata) -> bool {
    metadata.manager == KeyManager::Customer
}

fn can_rotate(metadata: &KeyMetadata) -> bool {
    let origin = matches!(metadata.origin, Origin::AwsKms | Origin::External);
    is_ours(metadata) && origin && metadata.spec.is_rotatable() && !metadata.is_pending_deletion()
}
