//! A change of a user's profile. A member that is `None` stays as it is.

use super::UserProfile;
use crate::domain::name::JsonText;
use crate::domain::patch::merged;
use crate::domain::refusal::Refusal;

#[derive(Clone, Debug, Default)]
pub struct ProfilePatch {
    pub full_name: Option<String>,
    pub nickname: Option<String>,
    pub email: Option<String>,
    pub email_verified: Option<bool>,
    /// Members to set, and with `null` to remove.
    pub user_metadata: Option<JsonText>,
    /// Members to set, and with `null` to remove.
    pub app_metadata: Option<JsonText>,
    pub prevent_ui_login: Option<bool>,
}

impl UserProfile {
    /// Returns the profile after the patch.
    ///
    /// # Errors
    /// When an object of metadata becomes too long.
    pub fn patched(&self, patch: ProfilePatch) -> Result<Self, Refusal> {
        let now = self.clone();
        Ok(Self {
            full_name: patch.full_name.unwrap_or(now.full_name),
            nickname: patch.nickname.unwrap_or(now.nickname),
            email: patch.email.unwrap_or(now.email),
            email_verified: patch.email_verified.unwrap_or(now.email_verified),
            user_metadata: merged("user_metadata", now.user_metadata, patch.user_metadata)?,
            app_metadata: merged("app_metadata", now.app_metadata, patch.app_metadata)?,
            prevent_ui_login: patch.prevent_ui_login.unwrap_or(now.prevent_ui_login),
        })
    }
}
