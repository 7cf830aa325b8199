//! A change of a webhook. A member that is `None` stays as it is.

use super::WebhookSettings;
use crate::domain::id::KmsId;
use crate::domain::name::{JsonText, WebhookName};
use crate::domain::patch::merged;
use crate::domain::refusal::Refusal;

#[derive(Clone, Debug, Default)]
pub struct WebhookPatch {
    pub name: Option<WebhookName>,
    pub url: Option<String>,
    /// The words of conditions; empty for all.
    pub conditions: Option<Vec<String>>,
    /// The KMSs; empty for all.
    pub kms: Option<Vec<KmsId>>,
    pub enabled: Option<bool>,
    pub description: Option<String>,
    pub labels: Option<JsonText>,
}

impl WebhookSettings {
    /// Returns the settings after the patch.
    ///
    /// # Errors
    /// When the labels become too long.
    pub fn patched(self, patch: WebhookPatch) -> Result<Self, Refusal> {
        Ok(Self {
            url: patch.url.unwrap_or(self.url),
            conditions: patch.conditions.unwrap_or(self.conditions),
            kms: patch.kms.unwrap_or(self.kms),
            enabled: patch.enabled.unwrap_or(self.enabled),
            description: patch.description.unwrap_or(self.description),
            labels: merged("labels", self.labels, patch.labels)?,
        })
    }
}
