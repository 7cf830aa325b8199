//! Temporary credentials. The session token contains the session, encrypted with a key of this run.
//!
//! The lab therefore stores no sessions, and a restart ends them all. The token is encrypted because it contains the
//! secret access key.

use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::key_id;
use super::refusal::Refusal;
use super::secret::Secret;
use super::session_policy::SessionPolicies;
use super::session_tag::SessionTag;

/// The content of a session token.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Session {
    /// The account of the user or role.
    pub account: String,
    pub holder: Holder,
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub context: SessionContext,
    /// The expiry, in seconds since 1970.
    pub expires: i64,
    /// The start, in microseconds since 1970.
    pub issued: i64,
}

/// What a session has beside its holder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct SessionContext {
    /// The policies that restrict the session; `None` if it has all permissions of its holder.
    pub policies: Option<SessionPolicies>,
    pub tags: Vec<SessionTag>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Holder {
    /// The name of a user, who has called GetSessionToken.
    User(String),
    Role {
        role: String,
        session: String,
    },
    /// A name that a user has given in GetFederationToken.
    Federated {
        user: String,
        name: String,
    },
}

/// Credentials of a new session.
#[derive(Debug)]
pub(super) struct Credentials {
    /// `ASIA…`
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// The session token, which every request must contain.
    pub token: Secret,
    pub expires: DateTime<Utc>,
}

/// Issues sessions and opens their tokens.
pub(super) struct Sessions {
    key: RandomizedNonceKey,
    /// Sessions issued until this time have ended. In microseconds since 1970.
    ended_until: AtomicI64,
}

impl Sessions {
    /// Generates the key of this run, which does not open the tokens of other runs.
    ///
    /// # Errors
    /// The system provides no randomness.
    pub(super) fn new() -> Result<Sessions, aws_lc_rs::error::Unspecified> {
        let mut key = [0; 32];
        rand::fill(&mut key)?;
        Ok(Sessions { key: RandomizedNonceKey::new(&AES_256_GCM, &key)?, ended_until: AtomicI64::new(i64::MIN) })
    }

    /// Starts a session that lasts `seconds`.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the system provides no randomness.
    pub(super) fn issue(
        &self,
        account: &str,
        holder: Holder,
        context: SessionContext,
        seconds: i64,
        now: DateTime<Utc>,
    ) -> Result<Credentials, Refusal> {
        let mut random = [0; 5 + 30];
        rand::fill(&mut random).map_err(|_| Refusal::Internal)?;
        let (id, secret) = random.split_at(5);
        let access_key_id = key_id::temporary(account, id);
        let secret_access_key = Secret::new(STANDARD.encode(secret));
        let expires = now + TimeDelta::seconds(seconds);
        let session = Session {
            account: account.to_owned(),
            holder,
            access_key_id: access_key_id.clone(),
            secret_access_key: secret_access_key.clone(),
            context,
            expires: expires.timestamp(),
            issued: now.timestamp_micros(),
        };
        Ok(Credentials { access_key_id, secret_access_key, token: self.seal(&session)?, expires })
    }

    /// Decrypts a token.
    ///
    /// # Errors
    /// [`Refusal::KeyUnknown`] if the token is not of this run or belongs to another key, and
    /// [`Refusal::SessionExpired`].
    pub(super) fn open(&self, token: &str, access_key_id: &str, now: DateTime<Utc>) -> Result<Session, Refusal> {
        let session = self.unseal(token).filter(|session| session.access_key_id == access_key_id);
        let session = session.ok_or(Refusal::KeyUnknown)?;
        let ended = session.issued <= self.ended_until.load(Ordering::Relaxed);
        if ended || session.expires <= now.timestamp() { Err(Refusal::SessionExpired) } else { Ok(session) }
    }

    /// Ends every session issued so far.
    pub(super) fn end_all(&self, now: DateTime<Utc>) {
        self.ended_until.store(now.timestamp_micros(), Ordering::Relaxed);
    }

    fn seal(&self, session: &Session) -> Result<Secret, Refusal> {
        let mut sealed = serde_json::to_vec(session).map_err(|_| Refusal::Internal)?;
        let nonce = self.key.seal_in_place_append_tag(Aad::empty(), &mut sealed).map_err(|_| Refusal::Internal)?;
        Ok(Secret::new(STANDARD.encode([nonce.as_ref().as_slice(), &sealed].concat())))
    }

    fn unseal(&self, token: &str) -> Option<Session> {
        let bytes = STANDARD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let open = self.key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        serde_json::from_slice(open).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(sessions: &Sessions, now: DateTime<Utc>) -> Credentials {
        sessions
            .issue("123456789012", Holder::User("ann".into()), SessionContext::default(), 900, now)
            .expect("randomness")
    }

    #[test]
    fn a_token_opens_with_its_key_until_it_expires() {
        let (sessions, now) = (Sessions::new().expect("randomness"), Utc::now());
        let given = issued(&sessions, now);
        let open = |key: &str, at| sessions.open(given.token.reveal(), key, at);
        let session = open(&given.access_key_id, now).expect("its own token");
        assert_eq!(session.secret_access_key.reveal(), given.secret_access_key.reveal());
        assert_eq!(open("ASIAAAAAAAAAAAAAAAAA", now).err(), Some(Refusal::KeyUnknown));
        assert_eq!(open(&given.access_key_id, given.expires).err(), Some(Refusal::SessionExpired));
    }

    #[test]
    fn a_modified_token_and_a_token_of_another_run_are_unknown() {
        let (sessions, now) = (Sessions::new().expect("randomness"), Utc::now());
        let given = issued(&sessions, now);
        let token = given.token.reveal();
        let garbled = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
        for token in ["", "AAAA", "not base64!", garbled.as_str()] {
            assert_eq!(sessions.open(token, &given.access_key_id, now).err(), Some(Refusal::KeyUnknown), "{token}");
        }
        let other = Sessions::new().expect("randomness");
        assert_eq!(other.open(token, &given.access_key_id, now).err(), Some(Refusal::KeyUnknown));
    }

    #[test]
    fn end_all_does_not_end_later_sessions() {
        let (sessions, now) = (Sessions::new().expect("randomness"), Utc::now());
        let old = issued(&sessions, now);
        sessions.end_all(now);
        let new = issued(&sessions, now + TimeDelta::microseconds(1));
        let open = |given: &Credentials| sessions.open(given.token.reveal(), &given.access_key_id, now).err();
        assert_eq!(open(&old), Some(Refusal::SessionExpired));
        assert_eq!(open(&new), None);
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let sessions = Sessions::new().expect("randomness");
        let given = issued(&sessions, Utc::now());
        let shown = format!("{given:?}");
        assert!(!shown.contains(given.token.reveal()) && !shown.contains(given.secret_access_key.reveal()), "{shown}");
    }
}
