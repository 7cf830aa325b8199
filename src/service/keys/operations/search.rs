//! Finds a key that an operation may have created, by the mark of the operation. AWS shows a new key with a delay, so a
//! missing key counts as never created only after a wait.

use super::{KeyStepError, Work};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{DescribeKey, ListKeys, ListResourceTags};
use crate::aws::page::Paging;
use crate::domain::key::mark;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::Operation;
use crate::domain::key::tag::Tag;
use crate::service::failure::Failure;
use crate::service::operations::Stage;

/// The time in seconds after which a key whose mark cannot be read is no longer considered.
const SEARCH_SECONDS: i64 = 86_400;

/// The maximum difference between AWS's clock and ours, in seconds. With a larger one, AWS rejects our signatures.
const CLOCK_SKEW_SECONDS: i64 = 900;

/// The result of a search.
enum Trace {
    Key(AwsKeyId),
    /// There is no such key, and AWS would show it by now.
    Nothing,
    NotYetConsistent,
}

/// Finds the key with the mark of the operation, among the keys without an entry here.
pub(super) async fn marked_key(work: &Work<'_>) -> Result<AwsKeyId, KeyStepError> {
    trace_marked_key(work).await?.key()
}

/// Checks that the operation created the replica. An earlier replica would have the same id.
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
            match is_marked(work, arn.id()).await {
                Ok(true) => return Ok(Trace::Key(arn.id().clone())),
                Ok(false) => {}
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
    match is_marked(work, key).await {
        Ok(true) => Ok(Trace::Key(key.clone())),
        Ok(false) => Ok(none_seen(work)),
        Err(failure) if failure.is_not_found() => Ok(none_seen(work)),
        // Without the mark, the creation time decides.
        Err(failure) if failure.is_denied() => match may_be_made_since(work, key).await? {
            true => Ok(Trace::Key(key.clone())),
            false => Ok(none_seen(work)),
        },
        Err(failure) => Err(failure),
    }
}

/// Reads whether a key has the mark of the operation, where the operation puts it. The id of a key in an external key
/// store is a mark too, which AWS shows to everybody who may describe the key.
async fn is_marked(work: &Work<'_>, key: &AwsKeyId) -> Result<bool, AwsFailure> {
    if let Operation::Link { store, .. } = work.pending.wanted {
        let metadata = work.at.call(DescribeKey::of(key.clone())).await?;
        let is_there =
            metadata.custom_key_store_id.is_some_and(|id| work.target.store_at_aws(store).is_ok_and(|it| it == id));
        return Ok(is_there && metadata.xks_key_id.as_deref() == Some(&work.pending.key.to_string()));
    }
    if mark::is_in_description(work.pending.wanted.tag_keys().len()) {
        let metadata = work.at.call(DescribeKey::of(key.clone())).await?;
        return Ok(mark::of_description(&metadata.description) == Some(work.operation));
    }
    let tags: Vec<Tag> = work.at.pages(ListResourceTags::of(key.clone())).collect().await?;
    Ok(mark::is_among(&tags, work.operation))
}

/// The result if AWS shows no key. It is inconclusive for a while after the request.
fn none_seen(work: &Work<'_>) -> Trace {
    match work.target.is_consistent_since(work.pending.since) {
        true => Trace::Nothing,
        false => Trace::NotYetConsistent,
    }
}

/// Returns whether a key whose mark cannot be read may have been created since the request.
async fn may_be_made_since(work: &Work<'_>, key: &AwsKeyId) -> Result<bool, AwsFailure> {
    let since = work.pending.since;
    if since.plus_seconds(SEARCH_SECONDS) <= work.target.recorder.now() {
        return Ok(false);
    }
    match work.at.call(DescribeKey::of(key.clone())).await {
        Ok(metadata) => Ok(metadata.created_at.is_none_or(|created| created.plus_seconds(CLOCK_SKEW_SECONDS) >= since)),
        Err(failure) if failure.is_denied() || failure.is_not_found() => Ok(true),
        Err(failure) => Err(failure),
    }
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
