//! Create: creates a key, with material from AWS or without material.
//!
//! - creates: the key, with its policy and tags; then its aliases, one by one
//! - recovery: finds the key by its mark, and adds the missing aliases

use super::aliases::{add_aliases, has_alias};
use super::{KeyStepError, Made, MakesKey, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, CreateKey};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::mark;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::NewKey;
use crate::domain::key::policy_text::PolicyText;
use futures_util::future::BoxFuture;

pub(super) const STEPS: OperationSteps =
    OperationSteps { operation: "create", calls: &[CreateKey::OPERATION, CreateAlias::OPERATION] };

pub(super) struct Create<'a> {
    pub new: &'a NewKey,
}

impl MakesKey for Create<'_> {
    fn make<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<Made, KeyStepError>> {
        Box::pin(async move { make(work, self.new).await })
    }

    fn finish<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { add_aliases(&work.at, key, &self.new.aliases).await })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        self.new.aliases.iter().all(|alias| has_alias(seen, alias))
    }

    fn policy(&self) -> Option<&PolicyText> {
        self.new.policy.as_ref()
    }
}

/// Creates a key that has the mark of the operation.
pub(super) async fn make(work: &Work<'_>, new: &NewKey) -> Result<Made, KeyStepError> {
    let (tags, description) = mark::marked(&new.tags, &new.description, work.operation);
    let new = NewKey { tags, description, ..new.clone() };
    let created = work.at.call(CreateKey::of(new)).await?;
    Ok(Made { id: created.key_id().clone(), created: Some(Box::new(created)) })
}
