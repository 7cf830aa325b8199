//! Upload: creates a key without material, and imports a source key's material into it.
//!
//! - creates: the key and its aliases, as in `create.rs`; then imports the material
//! - recovery: as in `create.rs`; then imports the material if the key is still pending import

use super::aliases::{add_aliases, has_alias};
use super::material::import_unless_there;
use super::{KeyStepError, Made, MakesKey, OperationSteps, Work, create};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, CreateKey, GetParametersForImport, ImportKeyMaterial};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::{Import, NewKey};
use crate::domain::key::policy_text::PolicyText;
use futures_util::future::BoxFuture;

pub(super) const STEPS: OperationSteps = OperationSteps {
    operation: "upload",
    calls: &[
        CreateKey::OPERATION,
        CreateAlias::OPERATION,
        GetParametersForImport::OPERATION,
        ImportKeyMaterial::OPERATION,
    ],
};

pub(super) struct Upload<'a> {
    pub new: &'a NewKey,
    pub import: &'a Import,
}

impl MakesKey for Upload<'_> {
    fn make<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<Made, KeyStepError>> {
        Box::pin(async move { create::make(work, CreateKey::of(self.new.clone())).await })
    }

    fn finish<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            add_aliases(&work.at, key, &self.new.aliases).await?;
            import_unless_there(work, key, self.import).await
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        self.new.aliases.iter().all(|alias| has_alias(seen, alias))
    }

    fn policy(&self) -> Option<&PolicyText> {
        self.new.policy.as_ref()
    }
}
