//! Link: creates at AWS a key of an external key store that this program serves.
//!
//! - AWS calls the proxy before it answers CreateKey, so the proxy serves the key before
//! - creates: the key, with the id that it has here as its XksKeyId; then its aliases, one by one
//! - recovery: finds the key by its XksKeyId, and adds the missing aliases

use super::aliases::{add_aliases, has_alias};
use super::{KeyStepError, Made, MakesKey, OperationSteps, Work, create};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, CreateKey};
use crate::domain::id::KeyStoreId;
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::NewKey;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::state::State;
use futures_util::future::BoxFuture;

pub(super) const STEPS: OperationSteps =
    OperationSteps { operation: "link", calls: &[CreateKey::OPERATION, CreateAlias::OPERATION] };

pub(super) struct Link<'a> {
    pub new: &'a NewKey,
    pub store: KeyStoreId,
    /// Whether the key was created here to be linked at once.
    pub is_new: bool,
}

impl MakesKey for Link<'_> {
    fn make<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<Made, KeyStepError>> {
        Box::pin(async move {
            work.target.serving.publish_key(work.pending.key);
            let custom_key_store_id = Some(work.target.store_at_aws(self.store)?);
            let xks_key_id = Some(work.pending.key.to_string());
            create::make(work, CreateKey { new: self.new.clone(), custom_key_store_id, xks_key_id }).await
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

    /// AWS accepts the id of a key only once, so a key that had a life before its link keeps the one that AWS made.
    fn is_complete(&self, _state: &State, _seen: &Snapshot) -> bool {
        !self.is_new
    }
}
