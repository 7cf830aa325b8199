//! Put a policy, and tag the key with the id of its template, if any.
//!
//! - changes the tag only if the key has another one, since AWS refuses this for a key that is pending deletion
//! - affects nothing else
//! - recovery: only reads the key. If the policy was put and the tag was not, the outcome contains the policy

use super::properties::tag;
use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{PutKeyPolicy, UntagResource};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::tag::Tag;
use crate::domain::template::TEMPLATE_TAG;
use crate::service::failure::Failure;
use crate::service::operations::Stage;
use futures_util::future::BoxFuture;

pub(super) const STEPS: OperationSteps =
    OperationSteps { operation: "put-policy", calls: &[PutKeyPolicy::OPERATION, UntagResource::OPERATION] };

pub(super) struct PutPolicy<'a> {
    pub policy: &'a PolicyText,
    /// The id of the policy's template, if any.
    pub template: Option<&'a str>,
}

impl ChangesKey for PutPolicy<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            let published = work.target.recorder.state();
            let known = published.state.key(work.pending.key).map_err(Failure::from)?;
            let (key, policy) = (key.clone(), self.policy.clone());
            work.at.call(PutKeyPolicy { key: key.clone(), policy, bypass_lockout_check: false }).await?;
            if known.tag(TEMPLATE_TAG) == self.template {
                return Ok(());
            }
            let tagged = match self.template {
                Some(id) => tag(work, &key, &[Tag::new(TEMPLATE_TAG, id)]).await,
                None => {
                    let untag = UntagResource { key, tag_keys: vec![TEMPLATE_TAG.to_owned()] };
                    work.at.call(untag).await.map_err(KeyStepError::from)
                }
            };
            tagged.map_err(|error| {
                let left = format!("the policy was put, but the tag `{TEMPLATE_TAG}` is as it was");
                KeyStepError { failure: error.failure.leaving(left), ..error }.with(Stage::Unknown)
            })
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.policy.as_ref().is_none_or(|seen| seen == self.policy)
    }

    fn policy(&self) -> Option<&PolicyText> {
        Some(self.policy)
    }
}
