//! Multi-region keys. After both operations, the other known keys of the family are read again, since the metadata of
//! each key lists all of them.
//!
//! - replicate: creates a replica, which has the id of its primary key; waits until AWS has created it; then adds its
//!   aliases. Recovery: checks that the replica has the mark of the operation, or was created after the request, and
//!   waits in the same way
//! - move primary: changes a key. Recovery: only reads the key

use super::aliases::add_aliases;
use super::{ChangesKey, KeyStepError, Made, MakesKey, OperationSteps, Reaching, Work, search};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateAlias, DescribeKey, ReplicateKey, UpdatePrimaryRegion};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::mark;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::NewReplica;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::place::Region;
use crate::service::keys::reading::wait_until_usable;
use futures_util::future::BoxFuture;

pub(super) const REPLICATE: OperationSteps = OperationSteps {
    operation: "replicate",
    calls: &[ReplicateKey::OPERATION, DescribeKey::OPERATION, CreateAlias::OPERATION],
};

pub(super) struct Replicate<'a> {
    pub new: &'a NewReplica,
}

impl MakesKey for Replicate<'_> {
    fn make<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<Made, KeyStepError>> {
        Box::pin(async move {
            let (tags, description) = mark::marked(&self.new.tags, &self.new.description, work.operation);
            let new = NewReplica { tags, description, ..self.new.clone() };
            let call = ReplicateKey { new, replica_region: work.at.region.clone() };
            let created = work.at.call_in(&self.new.primary, call).await?;
            Ok(Made { id: self.new.key.clone(), created: Some(Box::new(created)) })
        })
    }

    fn find<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<AwsKeyId, KeyStepError>> {
        Box::pin(async move { search::marked_replica(work, &self.new.key).await })
    }

    fn finish<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            wait_until_usable(&work.at, key).await.reaching(key)?;
            add_aliases(&work.at, key, &self.new.aliases).await
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.metadata.state != KeyState::Creating
    }

    fn policy(&self) -> Option<&PolicyText> {
        self.new.policy.as_ref()
    }
}

pub(super) const MOVE_PRIMARY: OperationSteps =
    OperationSteps { operation: "move-primary", calls: &[UpdatePrimaryRegion::OPERATION] };

pub(super) struct MovePrimary<'a> {
    pub to: &'a Region,
}

impl ChangesKey for MovePrimary<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            Ok(work.at.call(UpdatePrimaryRegion { key: key.clone(), new_primary: self.to.clone() }).await?)
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.metadata.state != KeyState::Updating
    }
}
