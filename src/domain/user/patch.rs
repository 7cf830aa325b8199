//! A change of a user's profile. A member that is `None` stays as it is.

use super::UserProfile;
use crate::domain::name::JsonText;

#[derive(Clone, Debug, Default)]
pub struct ProfilePatch {
    pub full_name: Option<String>,
    pub nickname: Option<String>,
    pub email: Option<String>,
    pub email_verified: Option<bool>,
    pub user_metadata: Option<JsonText>,
    pub app_metadata: Option<JsonText>,
    pub prevent_ui_login: Option<bool>,
}

impl UserProfile {
    /// Returns the profile after the patch.
    #[must_use]
    pub fn patched(&self, patch: ProfilePatch) -> Self {
        let now = self.clone();
        Self {
            full_name: patch.full_name.unwrap_or(now.full_name),
            nickname: patch.nickname.unwrap_or(now.nickname),
            email: patch.email.unwrap_or(now.email),
            email_verified: patch.email_verified.unwrap_or(now.email_verified),
            user_metadata: patch.user_metadata.or(now.user_metadata),
            app_metadata: patch.app_metadata.or(now.app_metadata),
            prevent_ui_login: patch.prevent_ui_login.unwrap_or(now.prevent_ui_login),
        }
    }
}
