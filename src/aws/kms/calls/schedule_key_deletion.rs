//! ScheduleKeyDeletion: schedules the deletion of a key after a number of days.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::moment;
use crate::aws::operation::AwsOperation;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::days::DeletionWindow;
use crate::domain::key::name::AwsKeyId;
use crate::domain::time::Time;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleKeyDeletion {
    pub key: AwsKeyId,
    pub window: DeletionWindow,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionScheduled {
    /// The date of the deletion; `None` for a primary key that has replicas, which must be deleted first.
    pub date: Option<Time>,
    /// The new state of the key, if AWS returns it.
    pub state: Option<KeyState>,
}

impl AwsCall for ScheduleKeyDeletion {
    type Answer = DeletionScheduled;
    const OPERATION: AwsOperation = AwsOperation::kms("ScheduleKeyDeletion");
    // AWS refuses a repetition because of the key's state.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<DeletionScheduled, Fault> {
        let pending_window_in_days = Some(i64::from(self.window.days()));
        let request = rusoto_kms::ScheduleKeyDeletionRequest { key_id: self.key.to_string(), pending_window_in_days };
        let answer = wire.kms(async |kms| kms.schedule_key_deletion(request).await).await?;
        let state = answer.key_state.as_deref().map(KeyState::parse);
        Ok(DeletionScheduled { date: answer.deletion_date.map(moment), state })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let window = DeletionWindow::parse(7).expect("days");
        let sent = sent(ScheduleKeyDeletion { key: key(), window }).await;
        assert_eq!(sent, r#"ScheduleKeyDeletion {ID,"PendingWindowInDays":7}"#);
    }

    #[tokio::test]
    async fn date_and_state_are_read() {
        let body = json!({"KeyId": ID, "DeletionDate": 1_700_000_000.0, "KeyState": "PendingDeletion"});
        let call = ScheduleKeyDeletion { key: key(), window: DeletionWindow::default() };
        let date = Some(Time::from_nanos(1_700_000_000_000_000_000));
        let expected = DeletionScheduled { date, state: Some(KeyState::PendingDeletion) };
        assert_eq!(exchange(call, body).await.1, expected);
    }
}
