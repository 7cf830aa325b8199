//! AWS's own rotation: enable and disable it, and rotate on demand. Each is a single call that affects nothing else.
//! Recovery: only reads the key. The replacement of a key by a new one is in `rotate.rs`.

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{DisableKeyRotation, EnableKeyRotation, RotateKeyOnDemand};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::days::RotationPeriod;
use crate::domain::key::name::AwsKeyId;
use futures_util::future::BoxFuture;

pub(super) const ENABLE: OperationSteps =
    OperationSteps { operation: "enable-rotation", calls: &[EnableKeyRotation::OPERATION] };

pub(super) struct EnableRotation {
    /// The period; `None` for AWS's default.
    pub period: Option<RotationPeriod>,
}

impl ChangesKey for EnableRotation {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(EnableKeyRotation { key: key.clone(), period: self.period }).await?) })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.rotation.as_ref().is_none_or(|rotation| rotation.enabled)
    }
}

pub(super) const DISABLE: OperationSteps =
    OperationSteps { operation: "disable-rotation", calls: &[DisableKeyRotation::OPERATION] };

pub(super) struct DisableRotation;

impl ChangesKey for DisableRotation {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(DisableKeyRotation { key: key.clone() }).await?) })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.rotation.as_ref().is_none_or(|rotation| !rotation.enabled)
    }
}

pub(super) const ROTATE_MATERIAL: OperationSteps =
    OperationSteps { operation: "rotate-material", calls: &[RotateKeyOnDemand::OPERATION] };

pub(super) struct RotateMaterial;

impl ChangesKey for RotateMaterial {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(work.at.call(RotateKeyOnDemand { key: key.clone() }).await?) })
    }

    /// AWS rotates asynchronously, so there is nothing to wait for.
    fn shows(&self, _seen: &Snapshot) -> bool {
        true
    }
}
