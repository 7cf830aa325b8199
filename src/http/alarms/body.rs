//! Request bodies for webhooks, and their conversion to typed values.

use crate::domain::alarm::Condition;
use crate::domain::name::WebhookName;
use crate::domain::refusal::{Bounds, Refusal};
use crate::http::body::{clearable, excerpt, optional, read_as, read_name, required, secret};
use crate::http::json_object::read_object;
use crate::service::alarms::{Secret, WebhookChange};
use crate::service::failure::{invalid, out_of_range, too_long};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A webhook to create or change. A member that is absent keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookRequest)]
pub struct WebhookBody {
    /// The name of the webhook. Required for a new one.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "night shift")]
    name: Option<String>,
    /// The address, `https://…`. It is shown and recorded in the clear, so it must not contain a secret. Required for a
    /// new webhook.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "https://alarms.example.org/claviger")]
    url: Option<String>,
    /// The secret that signs the deliveries: `whsec_` and 24 to 64 bytes in base64; default: a new one. Only for a new
    /// webhook; `rotate-secret` replaces it.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    secret: Option<Zeroizing<String>>,
    /// The names of the conditions whose alarms are delivered; empty for all, the default.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = json!(["deletion_scheduled", "policy_opened"]))]
    conditions: Option<Vec<String>>,
    /// The names or ids of the KMSs whose alarms are delivered; empty for all, the default.
    #[serde(default, deserialize_with = "optional")]
    kms: Option<Vec<String>>,
    /// Whether alarms are delivered; default `true`.
    #[serde(default, deserialize_with = "optional")]
    enabled: Option<bool>,
    /// A description of the webhook.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    labels: Option<Value>,
}

/// A new secret of a webhook.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = WebhookSecretRequest)]
pub struct SecretBody {
    /// The secret: `whsec_` and 24 to 64 bytes in base64; default: a new one.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    secret: Option<Zeroizing<String>>,
}

/// The most KMSs that a webhook may name.
const KMS_MAX: usize = 1_000;

impl WebhookBody {
    /// A new webhook.
    pub(super) fn request(mut self) -> Result<WebhookChange, Refusal> {
        required("name", self.name.as_ref())?;
        required("url", self.url.as_ref())?;
        let secret = read_secret(self.secret.take())?;
        Ok(WebhookChange { secret, ..self.change()? })
    }

    /// A change of a webhook.
    pub(super) fn change(self) -> Result<WebhookChange, Refusal> {
        if self.secret.is_some() {
            return Err(invalid("secret", "is replaced by POST …/rotate-secret only"));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(too_long("description", 1024));
        }
        if self.kms.as_ref().is_some_and(|kms| kms.len() > KMS_MAX) {
            let limit = Bounds::most(KMS_MAX as u64);
            return Err(out_of_range("kms", limit, format!("must have at most {KMS_MAX} entries")));
        }
        Ok(WebhookChange {
            name: self.name.map(|name| read_name("name", &name, WebhookName::parse)).transpose()?,
            url: self.url,
            conditions: self.conditions.map(|names| read_conditions(&names)).transpose()?,
            kms: self.kms,
            enabled: self.enabled,
            description: self.description,
            labels: read_object("labels", self.labels)?,
            secret: None,
        })
    }
}

impl SecretBody {
    pub(super) fn secret(self) -> Result<Option<Secret>, Refusal> {
        read_secret(self.secret)
    }
}

fn read_secret(text: Option<Zeroizing<String>>) -> Result<Option<Secret>, Refusal> {
    text.map(|text| read_as("secret", &text, Secret::parse)).transpose()
}

/// Reads names of conditions, each once, in the order of all conditions.
fn read_conditions(names: &[String]) -> Result<Vec<String>, Refusal> {
    if let Some(unknown) = names.iter().find(|name| Condition::name_of(name).is_none()) {
        let known = Condition::NAMES.join(", ");
        return Err(invalid("conditions", format!("`{}` is not a condition; they are {known}", excerpt(unknown))));
    }
    let given = Condition::NAMES.iter().filter(|name| names.iter().any(|given| given == **name));
    Ok(given.map(|name| (*name).to_owned()).collect())
}
