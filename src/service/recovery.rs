//! The changes that an operator of the machine makes by a command, without a token. Each is recorded under the number of
//! the user of the operating system.

use super::Services;
use super::caller::Change;
use super::failure::Failure;
use crate::domain::event::Actor;
use zeroize::Zeroizing;

impl Services {
    /// Signs access tokens with a new key.
    ///
    /// # Errors
    /// When the log or the keyring fails.
    pub async fn rotate_token_key(&self, uid: u32) -> Result<(), Failure> {
        self.tokens.replace_key(&change(uid, "rotate-token-key")).await
    }

    /// Sets a password of a user, who must change it at the next sign-in. The user's sessions end.
    ///
    /// # Errors
    /// When there is no such user, or the password violates the policy.
    pub async fn reset_password(&self, uid: u32, user: &str, password: Zeroizing<String>) -> Result<(), Failure> {
        self.users.reset_password(&change(uid, "reset-password"), user, password).await
    }
}

fn change(uid: u32, request_id: &str) -> Change {
    Change::of(Actor::Operator { uid }, request_id.into())
}
