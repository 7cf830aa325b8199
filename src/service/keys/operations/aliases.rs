//! Aliases: add, delete and move an alias. Moving an alias also affects the key that loses it. Recovery: only reads the
//! keys. Repeating the call is not safe, since AWS finds an alias by its name, on any key that has it by then.

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, DeleteAlias as DeleteAliasCall, DescribeKey, UpdateAlias};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::refusal::KeyRefusal;
use crate::service::cloud::RegionAccess;
use crate::service::failure::Failure;
use crate::service::keys::reading::until_there;
use futures_util::future::BoxFuture;

pub(super) const ADD: OperationSteps = OperationSteps { operation: "add-alias", calls: &[CreateAlias::OPERATION] };

pub(super) struct AddAlias<'a> {
    pub alias: &'a AliasName,
}

impl ChangesKey for AddAlias<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(CreateAlias { alias: self.alias.clone(), key: key.clone() }).await?) })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        has_alias(seen, self.alias)
    }
}

pub(super) const MOVE: OperationSteps = OperationSteps { operation: "move-alias", calls: &[UpdateAlias::OPERATION] };

/// Moves an alias from another managed key.
pub(super) struct MoveAlias<'a> {
    pub alias: &'a AliasName,
}

impl ChangesKey for MoveAlias<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(UpdateAlias { alias: self.alias.clone(), key: key.clone() }).await?) })
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

impl ChangesKey for DeleteAlias<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, _key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(DeleteAliasCall { alias: self.alias.clone() }).await?) })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.aliases.as_ref().is_none_or(|aliases| !aliases.contains(self.alias))
    }
}

/// Adds the aliases that a key does not have yet. This step of operations that create keys can be repeated.
pub(super) async fn add_aliases(at: &RegionAccess, key: &AwsKeyId, aliases: &[AliasName]) -> Result<(), KeyStepError> {
    for alias in aliases {
        let call = CreateAlias { alias: alias.clone(), key: key.clone() };
        match until_there(|| at.call(call.clone())).await {
            Err(failure) if failure.is_already_there() => match at.call(DescribeKey::behind(alias.clone())).await {
                Ok(holder) if holder.key_id() == key => {}
                Ok(_) => return Err(Failure::from(KeyRefusal::AliasTaken(alias.clone())).into()),
                Err(unreadable) if unreadable.is_denied() => return Err(failure.into()),
                Err(other) => return Err(other.into()),
            },
            other => other?,
        }
    }
    Ok(())
}

/// Returns whether AWS shows this alias, or does not let us read the aliases.
pub(super) fn has_alias(seen: &Snapshot, alias: &AliasName) -> bool {
    seen.aliases.as_ref().is_none_or(|aliases| aliases.contains(alias))
}
