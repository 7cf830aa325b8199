//! Rotation by AWS itself: let it, or not; and have it done now. Single calls that affect nothing else; recovery: the
//! key is only looked at. The replacement of a key by another one is in `rotate.rs`.

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{DisableKeyRotation, EnableKeyRotation, RotateKeyOnDemand};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::days::RotationPeriod;
use crate::domain::key::name::AwsKeyId;
use async_trait::async_trait;

pub(super) const ENABLE: OperationSteps =
    OperationSteps { operation: "enable-rotation", calls: &[EnableKeyRotation::OPERATION] };

pub(super) struct EnableRotation {
    /// None: AWS's default.
    pub period: Option<RotationPeriod>,
}

#[async_trait]
impl ChangesKey for EnableRotation {
    async fn change(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        Ok(work.at.call(EnableKeyRotation { key: key.clone(), period: self.period }).await?)
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.rotation.as_ref().is_none_or(|rotation| rotation.enabled)
    }
}

pub(super) const DISABLE: OperationSteps =
    OperationSteps { operation: "disable-rotation", calls: &[DisableKeyRotation::OPERATION] };

pub(super) struct DisableRotation;

#[async_trait]
impl ChangesKey for DisableRotation {
    async fn change(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        Ok(work.at.call(DisableKeyRotation { key: key.clone() }).await?)
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.rotation.as_ref().is_none_or(|rotation| !rotation.enabled)
    }
}

pub(super) const ROTATE_MATERIAL: OperationSteps =
    OperationSteps { operation: "rotate-material", calls: &[RotateKeyOnDemand::OPERATION] };

pub(super) struct RotateMaterial;

#[async_trait]
impl ChangesKey for RotateMaterial {
    async fn change(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        Ok(work.at.call(RotateKeyOnDemand { key: key.clone() }).await?)
    }

    /// AWS rotates some time later.
    fn shows(&self, _seen: &Snapshot) -> bool {
        true
    }
}
