//! ScheduleKeyDeletion and CancelKeyDeletion. `Key::apply_due` deletes a key when its deletion is due.

use chrono::TimeDelta;
use serde_json::json;

use super::call::Call;
use super::key::{Deletion, KeyState, seconds};
use super::request::Request;
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

const DEFAULT_DAYS: i64 = 30;
const MIN_DAYS: i64 = 7;
const MAX_DAYS: i64 = 30;

/// `ScheduleKeyDeletion`
pub(super) fn schedule_key_deletion(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let days = request.number("PendingWindowInDays", (1, 365)).unwrap_or(DEFAULT_DAYS);
    request.finish()?;
    if !(MIN_DAYS..=MAX_DAYS).contains(&days) {
        let why = format!("PendingWindowInDays must be between {MIN_DAYS} and {MAX_DAYS}");
        return Err(Refusal::Invalid(why));
    }
    call.change(name, |key| {
        key.require_not_deleted(call.region)?;
        let arn = key.arn(call.region);
        let has_replicas = key.primary == call.region && key.placements.len() > 1;
        let mut answer = json!({ "KeyId": arn, "PendingWindowInDays": days });
        let deletion = if has_replicas {
            Deletion::AfterReplicas { days }
        } else {
            let date = call.now + TimeDelta::days(days);
            answer["DeletionDate"] = json!(seconds(date));
            Deletion::At(date)
        };
        key.placement_mut(call.region)?.deletion = Some(deletion);
        answer["KeyState"] = json!(key.state(call.region).name());
        Ok(answer)
    })
}

/// `CancelKeyDeletion`
pub(super) fn cancel_key_deletion(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    request.finish()?;
    call.change(name, |key| {
        let arn = key.arn(call.region);
        if !matches!(key.state(call.region), KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) {
            return Err(exception::invalid_state(format!("{arn} is not pending deletion.")));
        }
        let placement = key.placement_mut(call.region)?;
        placement.deletion = None;
        // AWS disables a key whose deletion is cancelled.
        placement.enabled = false;
        Ok(json!({ "KeyId": arn }))
    })
}
