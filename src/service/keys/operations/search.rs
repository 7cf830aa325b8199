//! How a key that an operation may have made is found at AWS: by the tag with the operation's id. AWS shows a new key
//! with a delay, so what is not there counts as never made only after a while.

use super::{KeyStepError, Work};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{DescribeKey, ListKeys, ListResourceTags};
use crate::aws::page::Paging;
use crate::domain::id::OperationId;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::OPERATION_TAG;
use crate::domain::key::tag::Tag;
use crate::service::failure::Failure;
use crate::service::operations::Stage;

/// A day later nobody waits for an answer any more, in seconds.
const DAY: i64 = 86_400;

/// AWS's clock and ours differ by less, in seconds: else AWS would take no signature of ours.
const CLOCKS_DIFFER: i64 = 900;

/// What AWS shows of a key that an operation may have made.
enum Trace {
    Key(AwsKeyId),
    /// It is not there, and would be seen by now.
    Nothing,
    NotYetConsistent,
}

/// The tags of a new key, with the mark of the operation that makes it.
pub(super) fn marked(tags: &[Tag], operation: OperationId) -> Vec<Tag> {
    let mut tags = tags.to_vec();
    tags.push(Tag::new(OPERATION_TAG, operation.to_string()));
    tags
}

/// The key that carries the mark of the operation, among those that are not known here.
pub(super) async fn marked_key(work: &Work<'_>) -> Result<AwsKeyId, KeyStepError> {
    trace_marked_key(work).await?.key()
}

/// The replica that the operation made, and not one that was there before: they have the same id.
pub(super) async fn marked_replica(work: &Work<'_>, key: &AwsKeyId) -> Result<AwsKeyId, KeyStepError> {
    trace_marked_replica(work, key).await?.key()
}

async fn trace_marked_key(work: &Work<'_>) -> Result<Trace, AwsFailure> {
    let mut unseen = none_seen(work);
    let mut pages = work.at.pages(ListKeys { paging: Paging::first(1000) });
    while let Some(keys) = pages.next().await? {
        for arn in &keys {
            let published = work.target.recorder.state();
            if published.state.key_at_aws(work.at.kms, &work.at.region, arn.id()).is_some() {
                continue;
            }
            match tags(work, arn.id()).await {
                Ok(tags) if is_marked(&tags, work.operation) => return Ok(Trace::Key(arn.id().clone())),
                Ok(_) => {}
                Err(failure) if failure.is_denied() || failure.is_not_found() => {
                    if may_be_made_since(work, arn.id()).await? {
                        unseen = Trace::NotYetConsistent;
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
    }
    Ok(unseen)
}

async fn trace_marked_replica(work: &Work<'_>, key: &AwsKeyId) -> Result<Trace, AwsFailure> {
    match tags(work, key).await {
        Ok(tags) if is_marked(&tags, work.operation) => Ok(Trace::Key(key.clone())),
        Ok(_) => Ok(none_seen(work)),
        Err(failure) if failure.is_not_found() => Ok(none_seen(work)),
        // By the time of its making, then.
        Err(failure) if failure.is_denied() => match may_be_made_since(work, key).await? {
            true => Ok(Trace::Key(key.clone())),
            false => Ok(none_seen(work)),
        },
        Err(failure) => Err(failure),
    }
}

async fn tags(work: &Work<'_>, key: &AwsKeyId) -> Result<Vec<Tag>, AwsFailure> {
    work.at.pages(ListResourceTags::of(key.clone())).collect().await
}

/// What it says that AWS shows no key: nothing so soon after it was asked for.
fn none_seen(work: &Work<'_>) -> Trace {
    match work.target.is_consistent_since(work.pending.since) {
        true => Trace::Nothing,
        false => Trace::NotYetConsistent,
    }
}

/// May a key whose tags are not to be had have been made since the request?
async fn may_be_made_since(work: &Work<'_>, key: &AwsKeyId) -> Result<bool, AwsFailure> {
    let since = work.pending.since;
    if since.plus_seconds(DAY) <= work.target.recorder.now() {
        return Ok(false);
    }
    match work.at.call(DescribeKey::of(key.clone())).await {
        Ok(metadata) => Ok(metadata.created_at.is_none_or(|made| made.plus_seconds(CLOCKS_DIFFER) >= since)),
        Err(failure) if failure.is_denied() || failure.is_not_found() => Ok(true),
        Err(failure) => Err(failure),
    }
}

fn is_marked(tags: &[Tag], operation: OperationId) -> bool {
    let mark = operation.to_string();
    tags.iter().any(|tag| tag.key == OPERATION_TAG && tag.value == mark)
}

impl Trace {
    fn key(self) -> Result<AwsKeyId, KeyStepError> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Nothing => Err(Failure::Interrupted.into()),
            Self::NotYetConsistent => Err(KeyStepError::from(Failure::NotYetConsistent).with(Stage::Unknown)),
        }
    }
}
