//! Users.

use super::primitives::{Bytes, Text};
use crate::domain::event as live;
use crate::domain::user;

layout! {
    enum UserEvent<'a> of live::UserEvent {
        Created { name: Text<'a>, profile: UserProfile<'a>, password: Bytes<'a>, must_change: bool },
        ProfileChanged { profile: UserProfile<'a> },
        Renamed { to: Text<'a> },
        PasswordChanged { password: Bytes<'a>, must_change: bool },
        PasswordRehashed { password: Bytes<'a> },
        PasswordChangeRequired { required: bool },
        LoginFailed { source: Text<'a> },
        LockoutCleared,
        Removed,
        LoggedIn { source: Text<'a> },
        PasswordPolicyAssigned { policy: Option<Text<'a>> },
        PreferencesSet { preferences: Text<'a> },
    }
}

layout! {
    struct UserProfile<'a> of user::UserProfile {
        full_name: Text<'a>,
        nickname: Text<'a>,
        email: Text<'a>,
        email_verified: bool,
        user_metadata: Option<Text<'a>>,
        app_metadata: Option<Text<'a>>,
        prevent_ui_login: bool,
    }
}
