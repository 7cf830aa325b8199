//! The refresh tokens that replaced others a moment ago. A client that sends the replaced token once more, from another
//! tab or because the answer was lost, gets the same new token again. They are in memory only, zeroed when they are
//! dropped: the log and the state have only hashes.

use crate::domain::session::{REPLACED_FOR, TokenHash};
use crate::domain::time::Time;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// The latest refresh tokens. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct RecentRefreshTokens(Arc<Mutex<VecDeque<Recent>>>);

struct Recent {
    hash: TokenHash,
    token: Zeroizing<String>,
    at: Time,
}

/// The maximum number of tokens.
const TOKENS_MAX: usize = 4096;

impl RecentRefreshTokens {
    pub(super) fn remember(&self, hash: TokenHash, token: Zeroizing<String>, at: Time) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|oldest| oldest.has_ended(at)) || recent.len() >= TOKENS_MAX {
            recent.pop_front();
        }
        recent.push_back(Recent { hash, token, at });
        drop(recent);
        // They must not stay in memory until the next one comes.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tokens = self.clone();
            runtime.spawn(async move {
                tokio::time::sleep(Duration::from_secs(REPLACED_FOR.unsigned_abs() + 1)).await;
                tokens.drop_until(at);
            });
        }
    }

    /// Drops the tokens of this time and before.
    fn drop_until(&self, at: Time) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|recent| recent.at > at);
    }

    /// Returns the token with this hash, if it is a recent one.
    pub(super) fn get(&self, hash: &TokenHash, at: Time) -> Option<Zeroizing<String>> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().find(|recent| recent.hash == *hash && !recent.has_ended(at)).map(|recent| recent.token.clone())
    }
}

impl Recent {
    fn has_ended(&self, at: Time) -> bool {
        self.at.plus_seconds(REPLACED_FOR) < at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_for_the_time_in_which_its_predecessor_may_come_again() {
        let recent = RecentRefreshTokens::default();
        let at = |second| Time::from_nanos(0).plus_seconds(second);
        let hash = |n: usize| {
            let mut hash = TokenHash([0; 32]);
            hash.0[..8].copy_from_slice(&n.to_be_bytes());
            hash
        };
        recent.remember(hash(1), Zeroizing::new("one".to_owned()), at(0));
        assert_eq!(recent.get(&hash(1), at(REPLACED_FOR)).as_deref().map(String::as_str), Some("one"));
        assert!(recent.get(&hash(1), at(REPLACED_FOR + 1)).is_none() && recent.get(&hash(2), at(0)).is_none());
        for n in 0..TOKENS_MAX + 5 {
            recent.remember(hash(n), Zeroizing::new(String::new()), at(1));
        }
        assert_eq!(recent.0.lock().expect("not poisoned").len(), TOKENS_MAX);
        recent.remember(hash(7), Zeroizing::new(String::new()), at(100));
        assert_eq!(recent.0.lock().expect("not poisoned").len(), 1);
        recent.drop_until(at(100));
        assert!(recent.0.lock().expect("not poisoned").is_empty());
    }
}
