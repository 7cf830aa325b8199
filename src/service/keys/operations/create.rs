//! Create: AWS makes a key, with material of its own or waiting for some.
//!
//! - makes: the key, with its policy and tags; then its aliases, one by one
//! - recovery: the key is found by its mark, and gets the aliases that it lacks

use super::aliases::{give_aliases, has_alias};
use super::{KeyStepError, Made, MakesKey, OperationSteps, Work, search};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, CreateKey};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::NewKey;
use crate::domain::key::policy_text::PolicyText;
use async_trait::async_trait;

pub(super) const STEPS: OperationSteps =
    OperationSteps { operation: "create", calls: &[CreateKey::OPERATION, CreateAlias::OPERATION] };

pub(super) struct Create<'a> {
    pub new: &'a NewKey,
}

#[async_trait]
impl MakesKey for Create<'_> {
    async fn make(&self, work: &Work<'_>) -> Result<Made, KeyStepError> {
        make(work, self.new).await
    }

    async fn finish(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        give_aliases(&work.at, key, &self.new.aliases).await
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        self.new.aliases.iter().all(|alias| has_alias(seen, alias))
    }

    fn policy(&self) -> Option<&PolicyText> {
        self.new.policy.as_ref()
    }
}

/// Makes a key that carries the operation's mark.
pub(super) async fn make(work: &Work<'_>, new: &NewKey) -> Result<Made, KeyStepError> {
    let new = NewKey { tags: search::marked(&new.tags, work.operation), ..new.clone() };
    let told = work.at.call(CreateKey::of(new)).await?;
    Ok(Made { id: told.key_id().clone(), told: Some(Box::new(told)) })
}
