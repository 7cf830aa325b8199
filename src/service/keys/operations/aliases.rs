//! Aliases: give one to a key, take one from a key, move one. An alias that moves affects the key that loses it.
//! Recovery: the keys are only looked at, since AWS finds an alias by its name, on whichever key it is by now.

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, DeleteAlias as DeleteAliasCall, DescribeKey, UpdateAlias};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::service::cloud::RegionAccess;
use crate::service::keys::reading::until_there;
use async_trait::async_trait;

pub(super) const ADD: OperationSteps = OperationSteps { operation: "add-alias", calls: &[CreateAlias::OPERATION] };

pub(super) struct AddAlias<'a> {
    pub alias: &'a AliasName,
}

#[async_trait]
impl ChangesKey for AddAlias<'_> {
    async fn change(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        Ok(work.at.call(CreateAlias { alias: self.alias.clone(), key: key.clone() }).await?)
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        has_alias(seen, self.alias)
    }
}

pub(super) const MOVE: OperationSteps = OperationSteps { operation: "move-alias", calls: &[UpdateAlias::OPERATION] };

/// Gives a key the alias of another key of ours.
pub(super) struct MoveAlias<'a> {
    pub alias: &'a AliasName,
}

#[async_trait]
impl ChangesKey for MoveAlias<'_> {
    async fn change(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        Ok(work.at.call(UpdateAlias { alias: self.alias.clone(), key: key.clone() }).await?)
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        has_alias(seen, self.alias)
    }
}

pub(super) const DELETE: OperationSteps =
    OperationSteps { operation: "delete-alias", calls: &[DeleteAliasCall::OPERATION] };

pub(super) struct DeleteAlias<'a> {
    pub alias: &'a AliasName,
}

#[async_trait]
impl ChangesKey for DeleteAlias<'_> {
    async fn change(&self, work: &Work<'_>, _key: &AwsKeyId) -> Result<(), KeyStepError> {
        Ok(work.at.call(DeleteAliasCall { alias: self.alias.clone() }).await?)
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.aliases.as_ref().is_none_or(|aliases| !aliases.contains(self.alias))
    }
}

/// Gives a key the aliases that it does not have yet: a step of operations that make keys, which can be taken again.
pub(super) async fn give_aliases(at: &RegionAccess, key: &AwsKeyId, aliases: &[AliasName]) -> Result<(), KeyStepError> {
    for alias in aliases {
        let call = CreateAlias { alias: alias.clone(), key: key.clone() };
        match until_there(|| at.call(call.clone())).await {
            Err(failure) if failure.is_already_there() => {
                let holder = at.call(DescribeKey::behind(alias.clone())).await?;
                if holder.key_id() != key {
                    return Err(failure.into());
                }
            }
            other => other?,
        }
    }
    Ok(())
}

/// Does AWS show this alias, as far as it may be read?
pub(super) fn has_alias(seen: &Snapshot, alias: &AliasName) -> bool {
    seen.aliases.as_ref().is_none_or(|aliases| aliases.contains(alias))
}
