//! Put a policy, and note on the key which template it comes from.
//!
//! - affects nothing else
//! - recovery: the key is only looked at. If the policy was put and its tag was not, the outcome tells of the policy

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{PutKeyPolicy, TagResource, UntagResource};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::tag::Tag;
use crate::domain::template::TEMPLATE_TAG;
use crate::service::operations::Stage;
use async_trait::async_trait;

pub(super) const STEPS: OperationSteps =
    OperationSteps { operation: "put-policy", calls: &[PutKeyPolicy::OPERATION, UntagResource::OPERATION] };

pub(super) struct PutPolicy<'a> {
    pub policy: &'a PolicyText,
    /// The id of the template that the policy comes from, if it does.
    pub template: Option<&'a str>,
}

#[async_trait]
impl ChangesKey for PutPolicy<'_> {
    async fn change(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        let (key, policy) = (key.clone(), self.policy.clone());
        work.at.call(PutKeyPolicy { key: key.clone(), policy, bypass_lockout_check: false }).await?;
        let noted = match self.template {
            Some(id) => work.at.call(TagResource { key, tags: vec![Tag::new(TEMPLATE_TAG, id)] }).await,
            None => work.at.call(UntagResource { key, tag_keys: vec![TEMPLATE_TAG.to_owned()] }).await,
        };
        // The policy is put by now, whatever AWS says of the tag.
        noted.map_err(|failure| KeyStepError::from(failure).with(Stage::Unknown))
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.policy.as_ref().is_none_or(|seen| seen == self.policy)
    }

    fn policy(&self) -> Option<&PolicyText> {
        Some(self.policy)
    }
}
