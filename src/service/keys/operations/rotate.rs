//! Rotate: replaces a key by a new one with the same properties.
//!
//! - creates: the new key; then imports its material, if it comes from a source key
//! - affects: the old key. Its aliases move to the new key; optionally it keeps each alias with a time stamp, and its
//!   policy no longer allows encryption
//! - recovery: finds the new key by its mark, and repeats all steps that follow

use super::aliases::add_aliases;
use super::material::import_unless_there;
use super::{KeyStepError, Made, MakesKey, OperationSteps, Work, create};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{
    CreateAlias, CreateKey, GetKeyPolicy, GetParametersForImport, ImportKeyMaterial, PutKeyPolicy, UpdateAlias,
};
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::{KeyState, Origin};
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::key::operation::{Import, NewKey, RetiredKey};
use crate::domain::key::policy;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::failure::Failure;
use futures_util::future::BoxFuture;

pub(super) const STEPS: OperationSteps = OperationSteps {
    operation: "rotate",
    calls: &[
        CreateKey::OPERATION,
        GetParametersForImport::OPERATION,
        ImportKeyMaterial::OPERATION,
        UpdateAlias::OPERATION,
        CreateAlias::OPERATION,
        GetKeyPolicy::OPERATION,
        PutKeyPolicy::OPERATION,
    ],
};

pub(super) struct Rotate<'a> {
    pub from: KeyId,
    pub new: &'a NewKey,
    pub import: Option<&'a Import>,
    pub old: &'a RetiredKey,
}

impl MakesKey for Rotate<'_> {
    fn make<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<Made, KeyStepError>> {
        Box::pin(async move {
            let published = work.target.recorder.state();
            let old = published.state.key(self.from).map_err(Failure::from)?;
            let custom_key_store_id = match self.new.origin {
                Origin::AwsCloudHsm => old.metadata.custom_key_store_id.clone(),
                Origin::AwsKms | Origin::External | Origin::ExternalKeyStore | Origin::Other(_) => None,
            };
            create::make(work, CreateKey { custom_key_store_id, ..CreateKey::of(self.new.clone()) }).await
        })
    }

    fn finish<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            add_aliases(&work.at, key, &self.new.aliases).await?;
            if let Some(import) = self.import {
                import_unless_there(work, key, import).await?;
            }
            self.hand_over(work, key).await
        })
    }

    fn shows(&self, _seen: &Snapshot) -> bool {
        true
    }

    fn policy(&self) -> Option<&PolicyText> {
        self.new.policy.as_ref()
    }

    /// Once the new key has material and all aliases of the old one, it has replaced the old key even if a later step
    /// failed, and the schedule must continue with it.
    fn is_complete(&self, state: &State, seen: &Snapshot) -> bool {
        let aliases = seen.aliases.as_deref().unwrap_or_default();
        let old = state.keys.get(&self.from);
        seen.metadata.state != KeyState::PendingImport
            && old.is_some_and(|old| old.aliases.iter().all(|alias| aliases.contains(alias)))
    }

    /// Programs use the new key as soon as it has an alias of the old one.
    fn is_unused(&self, seen: &Snapshot) -> bool {
        seen.aliases.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Rotate<'_> {
    /// Moves the aliases of the old key to the new one, and retires the old one.
    async fn hand_over(&self, work: &Work<'_>, to: &AwsKeyId) -> Result<(), KeyStepError> {
        let published = work.target.recorder.state();
        let from = published.state.key(self.from).map_err(Failure::from)?;
        // These are the aliases at the time of the request. In a recovery, some may have moved already.
        for alias in &from.aliases {
            work.at.call(UpdateAlias { alias: alias.clone(), key: to.clone() }).await?;
            if self.old.retain_alias {
                add_aliases(&work.at, from.aws_id(), &[stamped(alias, work.pending.since)?]).await?;
            }
        }
        let Some(accounts) = self.old.disable_encrypt else { return Ok(()) };
        let key = from.aws_id().clone();
        let policy = work.at.call(GetKeyPolicy { key: key.clone() }).await?;
        let policy = policy::without_encrypt(&policy, from.metadata.account(), accounts)
            .map_err(|problem| Failure::Refused(Refusal::Invalid { member: "policy", problem: problem.to_string() }))?;
        work.at.call(PutKeyPolicy { key, policy, bypass_lockout_check: false }).await?;
        Ok(())
    }
}

/// The alias that the old key keeps: the alias with `-rotated-` and the time of the rotation.
fn stamped(alias: &AliasName, at: Time) -> Result<AliasName, Failure> {
    let stamp = at.calendar().format("%Y%m%d%H%M%S");
    let room = 250 - "-rotated-20201105052917".len();
    let short: String = alias.short().chars().take(room).collect();
    AliasName::parse_own(&format!("{short}-rotated-{stamp}"))
        .map_err(|_| Failure::Internal("an alias with a time stamp is invalid"))
}
