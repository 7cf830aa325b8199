//! Webhooks: the addresses to which alarms are delivered.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::alarm::condition::Condition;
use super::collection::{Collection, Named};
use super::id::{KmsId, WebhookId};
use super::name::{JsonText, WebhookName};
use super::sealed::Sealed;
use super::time::Time;
use patch::WebhookPatch;

#[derive(Clone, PartialEq, Debug)]
pub struct Webhook {
    pub id: WebhookId,
    pub name: WebhookName,
    pub settings: WebhookSettings,
    /// The secret that signs the deliveries, sealed.
    pub secret: Sealed,
    /// The secret before it. For some time it signs the deliveries too.
    pub earlier_secret: Option<EarlierSecret>,
    /// The failure of the last attempts; `None` if the last one succeeded.
    pub failure: Option<DeliveryFailure>,
    pub last_delivery: Option<Time>,
    /// The number of alarms that were never delivered.
    pub lost: u64,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WebhookSettings {
    pub url: String,
    /// The words of the conditions whose alarms are delivered; empty for all.
    pub conditions: Vec<String>,
    /// The KMSs whose alarms are delivered; empty for all. An alarm of a connection belongs to the KMSs that use it.
    pub kms: Vec<KmsId>,
    pub enabled: bool,
    pub description: String,
    pub labels: Option<JsonText>,
}

/// A secret that was replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EarlierSecret {
    /// The secret, sealed.
    pub secret: Sealed,
    pub replaced: Time,
}

/// The time for which a secret that was replaced signs the deliveries too, in seconds.
pub const SECRET_OVERLAP_SECONDS: i64 = 24 * 3_600;

/// A failure of deliveries that lasts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryFailure {
    /// The first failure since the last success.
    pub since: Time,
    pub error: String,
}

#[derive(Clone, PartialEq, Debug)]
pub enum WebhookEvent {
    Created {
        name: WebhookName,
        settings: WebhookSettings,
        /// The secret that signs the deliveries, sealed.
        secret: Sealed,
    },
    SettingsChanged {
        /// The complete new settings.
        settings: WebhookSettings,
    },
    Renamed {
        to: WebhookName,
    },
    SecretReplaced {
        /// The new secret, sealed.
        secret: Sealed,
    },
    /// An attempt failed, the first one or for another reason than before.
    DeliveryFailed {
        error: String,
    },
    Deleted,
}

#[derive(Clone, Debug)]
pub enum WebhookCommand {
    Create { id: WebhookId, name: WebhookName, settings: WebhookSettings, secret: Sealed },
    Update { id: WebhookId, patch: Box<WebhookPatch> },
    ReplaceSecret { id: WebhookId, secret: Sealed },
    RecordFailure { id: WebhookId, error: String },
    Delete { id: WebhookId },
}

impl WebhookSettings {
    /// Returns whether an alarm of these KMSs is to be delivered.
    pub fn wants(&self, condition: Condition, kms: &[KmsId]) -> bool {
        let name = condition.name();
        self.enabled
            && (self.conditions.is_empty() || self.conditions.iter().any(|wanted| wanted == name))
            && (self.kms.is_empty() || kms.iter().any(|kms| self.kms.contains(kms)))
    }
}

impl Named for Webhook {
    type Id = WebhookId;
    type Name = WebhookName;

    fn id(&self) -> WebhookId {
        self.id
    }

    fn name(&self) -> WebhookName {
        self.name.clone()
    }
}

impl Collection<Webhook> {
    pub(super) fn apply(&mut self, at: Time, id: WebhookId, event: &WebhookEvent) {
        match event {
            WebhookEvent::Created { name, settings, secret } => self.insert(Webhook {
                id,
                name: name.clone(),
                settings: settings.clone(),
                secret: secret.clone(),
                earlier_secret: None,
                failure: None,
                last_delivery: None,
                lost: 0,
                created: at,
                updated: at,
            }),
            WebhookEvent::Deleted => drop(self.remove(&id)),
            WebhookEvent::SettingsChanged { .. }
            | WebhookEvent::Renamed { .. }
            | WebhookEvent::SecretReplaced { .. }
            | WebhookEvent::DeliveryFailed { .. } => self.change(&id, |webhook| webhook.apply(at, event)),
        }
    }
}

impl Webhook {
    fn apply(&mut self, at: Time, event: &WebhookEvent) {
        match event {
            WebhookEvent::SettingsChanged { settings } => self.settings = settings.clone(),
            WebhookEvent::Renamed { to } => self.name = to.clone(),
            WebhookEvent::SecretReplaced { secret } => {
                let secret = std::mem::replace(&mut self.secret, secret.clone());
                self.earlier_secret = Some(EarlierSecret { secret, replaced: at });
            }
            WebhookEvent::DeliveryFailed { error } => {
                let since = self.failure.as_ref().map_or(at, |failure| failure.since);
                self.failure = Some(DeliveryFailure { since, error: error.clone() });
                return;
            }
            WebhookEvent::Created { .. } | WebhookEvent::Deleted => return,
        }
        self.updated = at;
    }

    /// The secrets that sign a delivery at this time, sealed, the current one first.
    pub fn secrets_at(&self, now: Time) -> impl Iterator<Item = &Sealed> {
        let is_valid = |earlier: &&EarlierSecret| now < earlier.replaced.plus_seconds(SECRET_OVERLAP_SECONDS);
        [&self.secret].into_iter().chain(self.earlier_secret.as_ref().filter(is_valid).map(|earlier| &earlier.secret))
    }

    /// Notes a delivery.
    pub(super) fn delivered(&mut self, at: Time) {
        self.last_delivery = Some(at);
        self.failure = None;
    }

    /// Notes that an alarm is never going to be delivered.
    pub(super) fn lost(&mut self, at: Time, error: &str) {
        let since = self.failure.as_ref().map_or(at, |failure| failure.since);
        self.failure = Some(DeliveryFailure { since, error: error.to_owned() });
        self.lost += 1;
    }
}
