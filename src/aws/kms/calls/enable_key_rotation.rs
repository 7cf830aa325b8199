//! EnableKeyRotation: enables the automatic rotation of a key. rusoto lacks the period.

use serde::Serialize;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::days::RotationPeriod;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnableKeyRotation {
    pub key: AwsKeyId,
    /// The period; AWS's default of a year if `None`.
    pub period: Option<RotationPeriod>,
}

impl AwsCall for EnableKeyRotation {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("EnableKeyRotation");
    const RETRY: RetryPolicy = RetryPolicy::Idempotent;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let rotation_period_in_days = self.period.map(RotationPeriod::days);
        wire.json_without_answer(&RequestBody { key_id: self.key.as_str(), rotation_period_in_days }).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period_in_days: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let call = EnableKeyRotation { key: key(), period: None };
        assert_eq!(sent(call.clone()).await, "EnableKeyRotation {ID}");
        let period = RotationPeriod::parse(90).ok();
        let expected = r#"EnableKeyRotation {ID,"RotationPeriodInDays":90}"#;
        assert_eq!(sent(EnableKeyRotation { period, ..call }).await, expected);
    }
}
