//! Refusals of sign-ins and refresh tokens: the message, the kind and the reason of each.

use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum SessionRefusal {
    #[error("the user name or the password is wrong")]
    BadCredentials,
    #[error("too many failed logins for this user name from this address; try again in {seconds} s")]
    LoginLocked { seconds: i64 },
    #[error("your session was closed, or your right to do this withdrawn, before it was done; nothing was changed")]
    RightWithdrawn,
    #[error("the password must be changed first: PATCH /api/v1/auth/changepw with username, password and new_password")]
    PasswordChangeDue,
    #[error("this user may not sign in to the console; an administrator of users can permit it")]
    ConsoleNotAllowed,
    #[error("refresh_token: it is not, or no longer, valid; sign in again")]
    RefreshTokenInvalid,
    #[error("token `{0}` does not exist")]
    TokenUnknown(String),
    #[error("the id of the session or of its refresh token is in use; sign in again")]
    Exists,
}

reasons! { SessionRefusal =>
    BadCredentials: Unauthenticated, "credentials_wrong", "The user name or the password is wrong; the answer does not say which.";
    LoginLocked: Locked, "login_locked", "Too many logins for the user name have failed from this address.";
    RightWithdrawn: Forbidden, "right_withdrawn", "The session was closed, or the right withdrawn, while the request was served.";
    PasswordChangeDue: Unauthenticated, "password_change_due", "The password must be changed first.";
    ConsoleNotAllowed: Forbidden, "console_not_allowed", "The user may not sign in to the console (`login_flags`, `prevent_ui_login`).";
    RefreshTokenInvalid: Unauthenticated of "refresh_token", "refresh_token_invalid", "The refresh token is unknown, revoked or expired; the answer does not say which.";
    TokenUnknown: Unknown, "refresh_token_unknown", "There is no such refresh token, or it is not the caller's.";
    Exists: Taken, "session_exists", "The id of the session or of its refresh token is in use.";
}
