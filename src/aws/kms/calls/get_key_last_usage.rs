//! GetKeyLastUsage: the last successful cryptographic operation with a key. rusoto does not know the operation.

use serde::Deserialize;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::{KeyIdBody, moment};
use crate::aws::operation::AwsOperation;
use crate::domain::key::last_use::{KeyUse, LastUse};
use crate::domain::key::name::AwsKeyId;
use crate::domain::time::Time;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetKeyLastUsage {
    pub key: AwsKeyId,
    /// The present time, which the answer gets.
    pub asked: Time,
}

impl AwsCall for GetKeyLastUsage {
    type Answer = LastUse;
    const OPERATION: AwsOperation = AwsOperation::kms("GetKeyLastUsage");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<LastUse, Fault> {
        let answer: AnswerBody = wire.json(&KeyIdBody::of(&self.key)).await?;
        let since = answer.tracking_start_date.map(moment);
        let tracked_since =
            since.ok_or_else(|| Fault::Unintelligible("the answer has no TrackingStartDate".to_owned()))?;
        Ok(LastUse { asked: self.asked, tracked_since, last: answer.key_last_usage.and_then(UsageBody::last) })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerBody {
    tracking_start_date: Option<f64>,
    key_last_usage: Option<UsageBody>,
}

/// The last use; without members if there was none.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UsageBody {
    operation: Option<String>,
    timestamp: Option<f64>,
    cloud_trail_event_id: Option<String>,
}

impl UsageBody {
    fn last(self) -> Option<KeyUse> {
        Some(KeyUse {
            at: moment(self.timestamp?),
            operation: self.operation.unwrap_or_default(),
            event_id: self.cloud_trail_event_id.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{answered, exchange, key};

    const ASKED: Time = Time::from_nanos(7);

    #[tokio::test]
    async fn the_request_matches_the_api_and_the_answer_is_read() {
        let body = json!({"KeyId": "k", "TrackingStartDate": 1_700_000_000.0, "KeyLastUsage": {"Operation": "Decrypt",
            "Timestamp": 1_700_000_001.5, "CloudTrailEventId": "e", "KmsRequestId": "r"}});
        let (sent, seen) = exchange(GetKeyLastUsage { key: key(), asked: ASKED }, body).await;
        assert_eq!(sent, "GetKeyLastUsage {ID}");
        let at = Time::from_nanos(1_700_000_001_500_000_000);
        let last = KeyUse { at, operation: "Decrypt".to_owned(), event_id: "e".to_owned() };
        let tracked_since = Time::from_nanos(1_700_000_000_000_000_000);
        assert_eq!(seen, LastUse { asked: ASKED, tracked_since, last: Some(last) });
    }

    #[tokio::test]
    async fn a_key_that_was_not_used_since_has_no_last_use_and_an_answer_without_the_start_is_rejected() {
        let call = || GetKeyLastUsage { key: key(), asked: ASKED };
        let unused = json!({"TrackingStartDate": 1_700_000_000.0, "KeyLastUsage": {}});
        assert_eq!(answered(call(), unused).await.expect("read").last, None);
        assert!(answered(call(), json!({"KeyLastUsage": {}})).await.is_err());
    }
}
