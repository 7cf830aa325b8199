//! Schedule and cancel the deletion of a key. Each is a single call that affects nothing else. Recovery: only reads the
//! key.

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CancelKeyDeletion, ScheduleKeyDeletion};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::days::DeletionWindow;
use crate::domain::key::name::AwsKeyId;
use futures_util::future::BoxFuture;

pub(super) const SCHEDULE: OperationSteps =
    OperationSteps { operation: "schedule-deletion", calls: &[ScheduleKeyDeletion::OPERATION] };

pub(super) struct ScheduleDeletion {
    pub window: DeletionWindow,
}

impl ChangesKey for ScheduleDeletion {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            work.at.call(ScheduleKeyDeletion { key: key.clone(), window: self.window }).await?;
            Ok(())
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.metadata.is_pending_deletion()
    }
}

pub(super) const CANCEL: OperationSteps =
    OperationSteps { operation: "cancel-deletion", calls: &[CancelKeyDeletion::OPERATION] };

pub(super) struct CancelDeletion;

impl ChangesKey for CancelDeletion {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            work.at.call(CancelKeyDeletion { key: key.clone() }).await?;
            Ok(())
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        !seen.metadata.is_pending_deletion()
    }
}
