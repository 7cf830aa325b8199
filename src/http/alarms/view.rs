//! Alarms and webhooks in answers.

use crate::domain::alarm::{Alarm, Cause};
use crate::http::envelope::Envelope;
use crate::http::json_object::object_or_empty;
use crate::service::alarms::{TestDelivery, WebhookSeen, WebhookWithSecret};
use crate::service::caller::Caller;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An alarm.
#[derive(Serialize, ToSchema)]
#[schema(as = Alarm)]
pub struct AlarmView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The condition: `deletion_scheduled`, `policy_opened`, `key_disabled`, `rotation_off`, `material_expiring`,
    /// `connection_failed`, `connection_recovered` or `store_failed`.
    name: &'static str,
    /// `info`, `warning` or `critical`.
    severity: &'static str,
    /// `on`, or `off` once the alarm is cleared.
    state: &'static str,
    /// What happened.
    description: String,
    /// `here` (done through Claviger), `outside` (done at AWS by others, found later) or `none` (time, or AWS itself).
    cause: &'static str,
    /// The user, schedule or AWS principal who made the change, if that is known.
    #[schema(required = true)]
    caused_by: Option<String>,
    /// The user or schedule whose synchronisation found a change that was made outside.
    #[schema(required = true)]
    found_by: Option<String>,
    /// The ARN of the key, or the name of the key store or connection.
    resource: String,
    /// The id of the KMS.
    #[schema(required = true)]
    kms_id: Option<String>,
    /// The name of the KMS, if the KMS still exists.
    #[schema(required = true)]
    kms: Option<String>,
    /// The region of the key or key store.
    #[schema(required = true)]
    region: Option<String>,
    /// The id of the key.
    #[schema(required = true)]
    key_id: Option<String>,
    /// The id of the key store.
    #[schema(required = true)]
    custom_key_store_id: Option<String>,
    /// The id of the connection.
    #[schema(required = true)]
    connection_id: Option<String>,
    /// The time of the deletion or expiry that the alarm announces.
    #[schema(required = true)]
    due_at: Option<String>,
    /// The time at which the alarm was raised.
    #[serde(rename = "triggeredAt")]
    triggered_at: String,
    /// The time at which a user took note of it.
    #[serde(rename = "ackedAt")]
    #[schema(required = true)]
    acked_at: Option<String>,
    /// The name of that user.
    #[serde(rename = "ackedBy")]
    #[schema(required = true)]
    acked_by: Option<String>,
    /// The time at which it was cleared.
    #[serde(rename = "clearedAt")]
    #[schema(required = true)]
    cleared_at: Option<String>,
    /// The name of the user who cleared it, or `system`.
    #[serde(rename = "clearedBy")]
    #[schema(required = true)]
    cleared_by: Option<String>,
}

impl AlarmView {
    /// The view of an alarm that the caller may view.
    pub(super) fn of(alarm: &Alarm, caller: &Caller) -> Self {
        let facts = &alarm.facts;
        let (cause, caused_by, found_by) = match &facts.cause {
            Cause::Here { by } => ("here", Some(by.clone()), None),
            Cause::Outside { found_by, by } => ("outside", by.clone(), Some(found_by.clone())),
            Cause::Nobody => ("none", None, None),
        };
        let changed = [&alarm.acknowledged, &alarm.cleared].into_iter().flatten().map(|(at, _)| *at).max();
        let kms = facts.subject.kms();
        let (acked, cleared) = (alarm.acknowledged.clone().unzip(), alarm.cleared.clone().unzip());
        Self {
            envelope: Envelope::new(
                alarm.number,
                "alarms:alarm",
                alarm.number,
                alarm.raised,
                changed.unwrap_or(alarm.raised),
            ),
            name: facts.condition.name(),
            severity: facts.condition.severity().name(),
            state: if alarm.cleared.is_some() { "off" } else { "on" },
            description: facts.message.clone(),
            cause,
            caused_by,
            found_by,
            resource: facts.subject.name().to_owned(),
            kms_id: kms.map(|id| id.to_string()),
            kms: kms.and_then(|id| Some(caller.published.state.kms.get(&id)?.name.to_string())),
            region: facts.subject.region().map(ToString::to_string),
            key_id: facts.subject.key().map(|id| id.to_string()),
            custom_key_store_id: facts.subject.store().map(|id| id.to_string()),
            connection_id: facts.subject.connection().map(|id| id.to_string()),
            due_at: facts.due.map(|at| at.to_string()),
            triggered_at: alarm.raised.to_string(),
            acked_at: acked.0.map(|at| at.to_string()),
            acked_by: acked.1,
            cleared_at: cleared.0.map(|at| at.to_string()),
            cleared_by: cleared.1,
        }
    }
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the webhook.
    name: String,
    /// The address.
    url: String,
    /// The names of the conditions whose alarms are delivered; empty for all.
    conditions: Vec<String>,
    /// The ids of the KMSs whose alarms are delivered; empty for all.
    kms: Vec<String>,
    /// Whether alarms are delivered.
    enabled: bool,
    /// A description of the webhook.
    description: String,
    /// The JSON object that clients attached.
    #[schema(value_type = Object)]
    labels: Value,
    /// The number of alarms that are still to be delivered.
    pending: usize,
    /// The number of alarms that were never delivered.
    lost: u64,
    /// The time of the last delivery.
    #[schema(required = true)]
    last_delivery_at: Option<String>,
    /// The error of the last attempt; null if it succeeded.
    #[schema(required = true)]
    last_error: Option<String>,
    /// The time of the first failure since the last delivery.
    #[schema(required = true)]
    failed_since: Option<String>,
}

/// A webhook with its secret, which is shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub struct WebhookWithSecretView {
    #[serde(flatten)]
    webhook: WebhookView,
    /// The secret that signs the deliveries. It is not shown again.
    secret: String,
}

impl WebhookView {
    pub(super) fn of(seen: &WebhookSeen) -> Self {
        let (webhook, settings) = (&seen.webhook, &seen.webhook.settings);
        Self {
            envelope: Envelope::new(webhook.id, "alarms:webhook", webhook.id, webhook.created, webhook.updated),
            name: webhook.name.to_string(),
            url: settings.url.clone(),
            conditions: settings.conditions.clone(),
            kms: settings.kms.iter().map(ToString::to_string).collect(),
            enabled: settings.enabled,
            description: settings.description.clone(),
            labels: object_or_empty(settings.labels.as_ref()),
            pending: seen.pending,
            lost: webhook.lost,
            last_delivery_at: webhook.last_delivery.map(|at| at.to_string()),
            last_error: webhook.failure.as_ref().map(|failure| failure.error.clone()),
            failed_since: webhook.failure.as_ref().map(|failure| failure.since.to_string()),
        }
    }
}

impl WebhookWithSecretView {
    pub(super) fn of(made: &WebhookWithSecret) -> Self {
        Self { webhook: WebhookView::of(&made.seen), secret: made.secret.to_string() }
    }
}

/// The result of a test delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTest)]
pub struct TestDeliveryView {
    /// Whether the receiver accepted the delivery.
    delivered: bool,
    /// The status that it answered.
    #[schema(required = true)]
    status: Option<u16>,
    /// The error, if it did not accept the delivery.
    #[schema(required = true)]
    error: Option<String>,
    /// The time that the attempt took, in milliseconds.
    duration_ms: u64,
}

impl TestDeliveryView {
    pub(super) fn of(test: TestDelivery) -> Self {
        Self {
            delivered: test.outcome.is_ok(),
            status: test.outcome.as_ref().ok().copied(),
            error: test.outcome.err(),
            duration_ms: u64::try_from(test.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
