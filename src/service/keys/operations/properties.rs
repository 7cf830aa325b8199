//! Enable and disable a key; change its description and tags. Each is a single call that affects nothing else; only a
//! tag for which there is no room takes the place of the mark of the operation that created the key. Recovery: only
//! reads the key.

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{DisableKey, EnableKey, TagResource, UntagResource, UpdateKeyDescription};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::tag::{OPERATION_TAG, TAGS_PER_KEY_MAX, Tag};
use crate::service::failure::Failure;
use futures_util::future::BoxFuture;

pub(super) const ENABLE: OperationSteps = OperationSteps { operation: "enable", calls: &[EnableKey::OPERATION] };

pub(super) struct Enable;

impl ChangesKey for Enable {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(EnableKey { key: key.clone() }).await?) })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.metadata.state == KeyState::Enabled
    }
}

pub(super) const DISABLE: OperationSteps = OperationSteps { operation: "disable", calls: &[DisableKey::OPERATION] };

pub(super) struct Disable;

impl ChangesKey for Disable {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(DisableKey { key: key.clone() }).await?) })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.metadata.state == KeyState::Disabled
    }
}

pub(super) const DESCRIBE: OperationSteps =
    OperationSteps { operation: "describe", calls: &[UpdateKeyDescription::OPERATION] };

pub(super) struct Describe<'a> {
    pub to: &'a str,
}

impl ChangesKey for Describe<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            Ok(work.at.call(UpdateKeyDescription { key: key.clone(), description: self.to.to_owned() }).await?)
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.metadata.description == self.to
    }
}

pub(super) const TAG: OperationSteps =
    OperationSteps { operation: "tag", calls: &[UntagResource::OPERATION, TagResource::OPERATION] };

/// Adds tags, or changes the values of existing ones.
pub(super) struct AddTags<'a> {
    pub tags: &'a [Tag],
}

impl ChangesKey for AddTags<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { tag(work, key, self.tags).await })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.tags.as_ref().is_none_or(|seen| self.tags.iter().all(|tag| seen.contains(tag)))
    }
}

pub(super) const UNTAG: OperationSteps = OperationSteps { operation: "untag", calls: &[UntagResource::OPERATION] };

pub(super) struct RemoveTags<'a> {
    /// The keys of the tags.
    pub keys: &'a [String],
}

impl ChangesKey for RemoveTags<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(
            async move { Ok(work.at.call(UntagResource { key: key.clone(), tag_keys: self.keys.to_vec() }).await?) },
        )
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.tags.as_ref().is_none_or(|seen| seen.iter().all(|tag| !self.keys.contains(&tag.key)))
    }
}

/// Adds tags. The mark of the operation that created the key is removed if they need its place: it is of no use any
/// more.
pub(super) async fn tag(work: &Work<'_>, key: &AwsKeyId, tags: &[Tag]) -> Result<(), KeyStepError> {
    let published = work.target.recorder.state();
    let known = &published.state.key(work.pending.key).map_err(Failure::from)?.tags;
    let kept = known.iter().filter(|known| tags.iter().all(|tag| tag.key != known.key)).count();
    if kept + tags.len() > TAGS_PER_KEY_MAX {
        work.at.call(UntagResource { key: key.clone(), tag_keys: vec![OPERATION_TAG.to_owned()] }).await?;
    }
    Ok(work.at.call(TagResource { key: key.clone(), tags: tags.to_vec() }).await?)
}
