//! GetKeyRotationStatus: the automatic rotation of a key. rusoto lacks the period and the dates.

use serde::Deserialize;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::{KeyIdBody, moment};
use crate::aws::operation::AwsOperation;
use crate::domain::key::days::RotationPeriod;
use crate::domain::key::metadata::RotationStatus;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetKeyRotationStatus {
    pub key: AwsKeyId,
}

impl AwsCall for GetKeyRotationStatus {
    type Answer = RotationStatus;
    const OPERATION: AwsOperation = AwsOperation::kms("GetKeyRotationStatus");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<RotationStatus, Fault> {
        let answer: AnswerBody = wire.json(&KeyIdBody::of(&self.key)).await?;
        Ok(RotationStatus {
            enabled: answer.key_rotation_enabled,
            period: answer.rotation_period_in_days.and_then(|days| RotationPeriod::parse(days).ok()),
            next: answer.next_rotation_date.map(moment),
            on_demand_started: answer.on_demand_rotation_start_date.map(moment),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerBody {
    key_rotation_enabled: bool,
    rotation_period_in_days: Option<i64>,
    next_rotation_date: Option<f64>,
    on_demand_rotation_start_date: Option<f64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key};
    use crate::domain::time::Time;

    #[tokio::test]
    async fn the_request_matches_the_api_and_the_answer_is_read() {
        let body = json!({"KeyId": ID, "KeyRotationEnabled": true, "RotationPeriodInDays": 365,
            "NextRotationDate": 1_700_000_000.0, "OnDemandRotationStartDate": 1_600_000_000.0});
        let (sent, status) = exchange(GetKeyRotationStatus { key: key() }, body).await;
        assert_eq!(sent, "GetKeyRotationStatus {ID}");
        assert_eq!((status.enabled, status.period.map(RotationPeriod::days)), (true, Some(365)));
        assert_eq!(status.next.map(Time::seconds), Some(1_700_000_000));
        assert_eq!(status.on_demand_started.map(Time::seconds), Some(1_600_000_000));
    }
}
