//! Create: creates a key, with material from AWS or without material, or in a CloudHSM key store.
//!
//! - creates: the key, with its policy and tags; then its aliases, one by one
//! - recovery: finds the key by its mark, and adds the missing aliases

use super::aliases::{add_aliases, has_alias};
use super::{KeyStepError, Made, MakesKey, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, CreateKey};
use crate::domain::id::KeyStoreId;
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::mark;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::NewKey;
use crate::domain::key::policy_text::PolicyText;
use futures_util::future::BoxFuture;

pub(super) const STEPS: OperationSteps =
    OperationSteps { operation: "create", calls: &[CreateKey::OPERATION, CreateAlias::OPERATION] };

pub(super) const IN_STORE: OperationSteps =
    OperationSteps { operation: "create-in-store", calls: &[CreateKey::OPERATION, CreateAlias::OPERATION] };

pub(super) struct Create<'a> {
    pub new: &'a NewKey,
    /// The custom key store; AWS's own if `None`.
    pub store: Option<KeyStoreId>,
}

impl MakesKey for Create<'_> {
    fn make<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<Made, KeyStepError>> {
        Box::pin(async move {
            let custom_key_store_id = match self.store {
                Some(store) => Some(work.target.store_at_aws(store)?),
                None => None,
            };
            make(work, CreateKey { custom_key_store_id, ..CreateKey::of(self.new.clone()) }).await
        })
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
pub(super) async fn make(work: &Work<'_>, call: CreateKey) -> Result<Made, KeyStepError> {
    let (tags, description) = mark::marked(&call.new.tags, &call.new.description, work.operation);
    let new = NewKey { tags, description, ..call.new };
    let created = work.at.call(CreateKey { new, ..call }).await?;
    Ok(Made { id: created.key_id().clone(), created: Some(Box::new(created)) })
}
