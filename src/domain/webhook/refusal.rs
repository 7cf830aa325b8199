//! Refusals of webhooks: the message, the kind and the reason of each.

use super::super::name::WebhookName;
use super::super::refusal::reason::reasons;

/// The maximum number of webhooks.
pub const WEBHOOKS_MAX: usize = 100;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum WebhookRefusal {
    #[error("webhook `{0}` does not exist")]
    Unknown(String),
    #[error("name: there is a webhook named `{0}` already; choose another name")]
    NameTaken(WebhookName),
    #[error("there are {WEBHOOKS_MAX} webhooks already, the most that are allowed; delete one first")]
    TooMany,
}

reasons! { WebhookRefusal =>
    Unknown: Unknown, "webhook_unknown", "There is no such webhook.";
    NameTaken: Taken of "name", "webhook_name_taken", "A webhook has the name already.";
    TooMany: Conflict, "webhooks_too_many", "The most webhooks that are allowed exist already.";
}
