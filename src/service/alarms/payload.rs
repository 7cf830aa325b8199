//! The JSON that webhooks receive. docs/api.md describes it; it has the members of an alarm in the API.

use crate::domain::alarm::{Alarm, Cause};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::webhook::Webhook;
use serde_json::{Value, json};

/// The delivery of an alarm.
pub(super) fn of_alarm(state: &State, webhook: &Webhook, delivery: &str, alarm: &Alarm) -> Vec<u8> {
    let facts = &alarm.facts;
    let subject = &facts.subject;
    let (cause, caused_by, found_by) = match &facts.cause {
        Cause::Here { by } => ("here", Some(by), None),
        Cause::Outside { found_by, by } => ("outside", by.as_ref(), Some(found_by)),
        Cause::Nobody => ("none", None, None),
    };
    let kms = subject.kms();
    let alarm = json!({
        "id": alarm.number.to_string(),
        "name": facts.condition.name(),
        "severity": facts.condition.severity().name(),
        "description": facts.message,
        "cause": cause,
        "caused_by": caused_by,
        "found_by": found_by,
        "kms_id": kms.map(|id| id.to_string()),
        "kms": kms.and_then(|id| state.kms.get(&id)).map(|kms| kms.name.to_string()),
        "region": subject.region().map(ToString::to_string),
        "key_id": subject.key().map(|id| id.to_string()),
        "custom_key_store_id": subject.store().map(|id| id.to_string()),
        "connection_id": subject.connection().map(|id| id.to_string()),
        "resource": subject.name(),
        "due_at": facts.due.map(|at| at.to_string()),
        "triggeredAt": alarm.raised.to_string(),
    });
    envelope("alarm", webhook, delivery, alarm)
}

/// A test delivery.
pub(super) fn of_test(webhook: &Webhook, delivery: &str, now: Time) -> Vec<u8> {
    let alarm = json!({
        "id": "0",
        "name": "test",
        "severity": "info",
        "description": "This is a test of the webhook. Nothing happened.",
        "triggeredAt": now.to_string(),
    });
    envelope("test", webhook, delivery, alarm)
}

fn envelope(kind: &str, webhook: &Webhook, delivery: &str, alarm: Value) -> Vec<u8> {
    let (id, name) = (webhook.id.to_string(), webhook.name.to_string());
    let body = json!({"type": kind, "id": delivery, "webhook_id": id, "webhook": name, "alarm": alarm});
    body.to_string().into_bytes()
}
