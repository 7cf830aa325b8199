//! Webhooks.

use super::primitives::{Bytes, Text};
use crate::domain::webhook as live;
use uuid::Uuid;

layout! {
    enum WebhookEvent<'a> of live::WebhookEvent {
        Created { name: Text<'a>, settings: WebhookSettings<'a>, secret: Bytes<'a> },
        SettingsChanged { settings: WebhookSettings<'a> },
        Renamed { to: Text<'a> },
        SecretReplaced { secret: Bytes<'a> },
        DeliveryFailed { error: Text<'a> },
        Deleted,
    }
}

layout! {
    struct WebhookSettings<'a> of live::WebhookSettings {
        url: Text<'a>,
        conditions: Vec<Text<'a>>,
        kms: Vec<Uuid>,
        enabled: bool,
        description: Text<'a>,
        labels: Option<Text<'a>>,
    }
}
