//! Reading keys from AWS, with patience: what was changed a moment ago may still be read as it was.

use super::perform::Way;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{DescribeKey, GetKeyPolicy, GetKeyRotationStatus, ListAliases, ListResourceTags};
use crate::aws::page::Paging;
use crate::domain::id::KmsId;
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::{KeyManager, KeyState, Origin};
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::key::operation::Operation;
use crate::domain::place::Region;
use crate::domain::state::PendingOperation;
use crate::service::Core;
pub(in crate::service) use crate::service::cloud::RegionAccess as Place;
use crate::service::failure::Failure;
use std::future::Future;
use std::time::Duration;

/// How often AWS is read until it shows what it has just done.
const READS: u32 = 6;

impl Core {
    /// The way to a region of a KMS.
    pub(in crate::service) async fn place(&self, kms: KmsId, region: &Region) -> Result<Place, Failure> {
        self.cloud.region(kms, region).await
    }

    /// What AWS holds of the key of an operation.
    pub(super) async fn look(&self, pending: &PendingOperation, key: &AwsKeyId) -> Result<Snapshot, Failure> {
        let place = self.place(pending.kms, &pending.region).await?;
        Ok(self.read(&place, key).await?)
    }

    /// Everything that AWS holds of a key. What may not be read is left out.
    pub(super) async fn read(&self, place: &Place, key: &AwsKeyId) -> Result<Snapshot, AwsFailure> {
        let metadata = self.aws_kms.call(&place.access, &place.region, DescribeKey::of(key.clone())).await?;
        let aliases = self.aliases(place, key);
        let (aliases, rest) = futures_util::future::join(aliases, self.read_beside(place, metadata)).await;
        Ok(Snapshot { aliases: readable(aliases)?, ..rest? })
    }

    /// What AWS holds of a key beside its facts and its aliases.
    pub(in crate::service) async fn read_beside(
        &self,
        place: &Place,
        metadata: KeyMetadata,
    ) -> Result<Snapshot, AwsFailure> {
        let (aws, access, region, key) = (&self.aws_kms, &place.access, &place.region, metadata.key_id());
        let tags = async {
            match is_ours(&metadata) {
                true => readable(aws.pages(access, region, ListResourceTags::of(key.clone())).collect().await),
                false => Ok(None),
            }
        };
        let policy = async { readable(aws.call(access, region, GetKeyPolicy { key: key.clone() }).await) };
        let rotation = async {
            match can_rotate(&metadata) {
                true => readable(aws.call(access, region, GetKeyRotationStatus { key: key.clone() }).await),
                false => Ok(None),
            }
        };
        let (tags, policy, rotation) = futures_util::future::join3(tags, policy, rotation).await;
        let (tags, policy, rotation) = (tags?, policy?, rotation?);
        Ok(Snapshot { metadata, aliases: None, tags, policy, rotation })
    }

    async fn aliases(&self, place: &Place, key: &AwsKeyId) -> Result<Vec<AliasName>, AwsFailure> {
        let list = ListAliases { key: Some(key.clone()), paging: Paging::default() };
        let aliases = self.aws_kms.pages(&place.access, &place.region, list).collect().await?;
        let mut aliases: Vec<AliasName> = aliases.into_iter().map(|alias| alias.name).collect();
        aliases.sort();
        Ok(aliases)
    }

    /// Reads until AWS shows what was done, a few times at most; then what it shows is what counts.
    pub(super) async fn read_back(
        &self,
        place: &Place,
        key: &AwsKeyId,
        done: &Operation,
        way: Way,
    ) -> Result<Snapshot, AwsFailure> {
        let mut seen = self.read(place, key).await;
        for read in 1..READS {
            match &seen {
                Ok(seen) if way == Way::Again || shows(done, seen) => break,
                Err(failure) if !failure.is_not_found() => break,
                _ => tokio::time::sleep(pause(read)).await,
            }
            seen = self.read(place, key).await;
        }
        seen
    }

    /// Waits until a replica is made.
    pub(super) async fn wait_until_usable(&self, place: &Place, key: &AwsKeyId) -> Result<(), AwsFailure> {
        for read in 1..READS * 2 {
            match self.aws_kms.call(&place.access, &place.region, DescribeKey::of(key.clone())).await {
                Ok(metadata) if metadata.state != KeyState::Creating => return Ok(()),
                Err(failure) if !failure.is_not_found() => return Err(failure),
                _ => tokio::time::sleep(pause(read)).await,
            }
        }
        Ok(())
    }
}

/// Asks until AWS knows the key, a few times at most: it was made a moment ago.
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

/// 100 ms, and twice as long each time, up to 3 s; with some chance in it.
fn pause(read: u32) -> Duration {
    let mut chance = [0u8; 1];
    // Without randomness the pauses are regular, which harms nobody.
    let _ = aws_lc_rs::rand::fill(&mut chance);
    let full = 100u64.saturating_mul(1 << read.min(5)).min(3_000) / 2;
    Duration::from_millis(full / 2 + full * u64::from(chance[0]) / 255)
}

/// What may not be read is not known; all else that goes wrong goes wrong.
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

/// Does AWS show that this was done?
fn shows(done: &Operation, seen: &Snapshot) -> bool {
    let has = |alias: &AliasName| seen.aliases.as_ref().is_none_or(|aliases| aliases.contains(alias));
    match done {
        Operation::Create(new) | Operation::Upload { new, .. } => new.aliases.iter().all(has),
        Operation::Enable => seen.metadata.state == KeyState::Enabled,
        Operation::Disable => seen.metadata.state == KeyState::Disabled,
        Operation::Describe { to } => seen.metadata.description == *to,
        Operation::PutPolicy { policy, .. } => seen.policy.as_ref().is_none_or(|seen| seen == policy),
        Operation::Tag { tags } => seen.tags.as_ref().is_none_or(|seen| tags.iter().all(|tag| seen.contains(tag))),
        Operation::Untag { keys } => {
            seen.tags.as_ref().is_none_or(|seen| seen.iter().all(|tag| !keys.contains(&tag.key)))
        }
        Operation::AddAlias { alias, .. } => has(alias),
        Operation::DeleteAlias { alias } => seen.aliases.as_ref().is_none_or(|aliases| !aliases.contains(alias)),
        Operation::EnableRotation { .. } => seen.rotation.as_ref().is_none_or(|rotation| rotation.enabled),
        Operation::DisableRotation => seen.rotation.as_ref().is_none_or(|rotation| !rotation.enabled),
        Operation::ScheduleDeletion { .. } => seen.metadata.is_pending_deletion(),
        Operation::CancelDeletion => !seen.metadata.is_pending_deletion(),
        Operation::ImportMaterial(_) => seen.metadata.state != KeyState::PendingImport,
        Operation::Replicate { .. } => seen.metadata.state != KeyState::Creating,
        Operation::MovePrimary { .. } => seen.metadata.state != KeyState::Updating,
        Operation::Rotate { .. } | Operation::RotateMaterial | Operation::DeleteMaterial { .. } => true,
    }
}
