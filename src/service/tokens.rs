//! Tokens: sign in, refresh a session, revoke it, and authenticate a bearer token. `rotation` replaces the key that
//! signs them.

mod rotation;

use super::access::{Permit, SignedIn};
use super::caller::{Caller, Change, RequestContext};
use super::failure::{Failure, TokenProblem, invalid};
use super::jwt::TokenSigner;
use super::proof::{Proof, Proved};
use super::recent_refresh_tokens::RecentRefreshTokens;
use super::recorder::Recorder;
use super::secrets::Secrets;
use crate::domain::command::Command;
use crate::domain::event::{Actor, RefreshGrant, Sealed, TokenHash};
use crate::domain::group::SystemGroup;
use crate::domain::id::{InstallationId, RefreshTokenId, SessionId, UserId};
use crate::domain::refusal::{Refusal, SessionRefusal};
use crate::domain::session::{ACCESS_SECONDS, REPLACED_FOR, Session, SessionCommand};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::keyring::{Keyring, Owner};
use crate::ledger::Published;
use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use tokio::sync::MutexGuard;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The use cases of tokens. Cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    recorder: Recorder,
    proof: Proof,
    signers: Arc<ArcSwap<Signers>>,
    /// Held while the key is replaced: the key in use is the one that was recorded last.
    replacing: Arc<tokio::sync::Mutex<()>>,
    secrets: Secrets,
    refresh: RefreshDefaults,
    recent: RecentRefreshTokens,
}

/// The default lifetimes of refresh tokens; 0 means unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshDefaults {
    pub lifetime_minutes: u64,
    pub unused_minutes: u64,
}

impl Default for RefreshDefaults {
    fn default() -> Self {
        Self { lifetime_minutes: 0, unused_minutes: 20_160 }
    }
}

/// The options of a refresh token that a client can set.
#[derive(Clone, Debug, Default)]
pub struct RefreshRequest {
    /// The minutes from its creation to its end; 0 means unlimited.
    pub lifetime_minutes: Option<u64>,
    /// The minutes without use after which it ends; 0 means unlimited.
    pub unused_minutes: Option<u64>,
    /// On refresh, replace the refresh token with a new one.
    pub renew: bool,
    pub labels: Vec<String>,
    /// Whether the session is one of the console.
    pub in_console: bool,
}

/// The result of a sign-in or a refresh.
pub struct Issued {
    pub user: Arc<User>,
    pub jwt: String,
    /// The lifetime of the access token, in seconds.
    pub duration: i64,
    pub client_id: SessionId,
    /// The id under which the API lists the refresh token.
    pub refresh_token_id: RefreshTokenId,
    /// The refresh token: a new one, or the same one if it was not renewed.
    pub refresh_token: Zeroizing<String>,
}

/// The purpose under which the token key is sealed.
pub(super) const TOKEN_KEY: &str = "token-key";

/// The kind of the owner of the installation's secrets.
pub(super) const OWNER: &str = "installation";

/// The owner of the installation's secrets.
pub(super) fn owner(id: InstallationId) -> Owner {
    Owner::new(OWNER, id.uuid())
}

/// The keys of access tokens.
struct Signers {
    present: Arc<TokenSigner>,
    /// The key before, and the end of the last token that it signed.
    replaced: Option<(Arc<TokenSigner>, Time)>,
}

impl Signers {
    fn check(&self, bearer: &str, now: Time) -> Result<(SessionId, UserId), TokenProblem> {
        match (self.present.check(bearer, now), &self.replaced) {
            (Err(TokenProblem::Signature), Some((replaced, until))) if now < *until => replaced.check(bearer, now),
            (checked, _) => checked,
        }
    }
}

impl Tokens {
    pub(super) fn new(
        recorder: Recorder,
        secrets: &Secrets,
        proof: Proof,
        refresh: RefreshDefaults,
    ) -> Result<Self, Failure> {
        let published = recorder.state();
        let installation =
            published.state.installation.as_ref().ok_or(Failure::Internal("the log has no installation"))?;
        let key = secrets.unseal(&owner(installation.id), TOKEN_KEY, &installation.token_key)?;
        let present = Arc::new(TokenSigner::new(installation.id, &key));
        let signers = Arc::new(ArcSwap::from_pointee(Signers { present, replaced: None }));
        let secrets = secrets.clone();
        let replacing = Arc::default();
        Ok(Self { proof, recorder, signers, replacing, secrets, refresh, recent: RecentRefreshTokens::default() })
    }

    /// Signs tokens with a new key. Those that were signed with the one before stay valid until they expire, as long as
    /// the program runs; a key before that one is not known any more.
    ///
    /// # Errors
    /// When the log or the keyring fails.
    pub(super) async fn replace_key(&self, change: &Change) -> Result<(), Failure> {
        let replacing = self.replacing.lock().await;
        self.replace_key_alone(change, &replacing).await
    }

    async fn replace_key_alone(&self, change: &Change, _: &MutexGuard<'_, ()>) -> Result<(), Failure> {
        let mut key = Zeroizing::new([0u8; 32]);
        aws_lc_rs::rand::fill(key.as_mut()).map_err(|_| Failure::Internal("the system gives no random numbers"))?;
        let id = self.recorder.state().state.installation.as_ref().map(|installation| installation.id);
        let id = id.ok_or(Failure::Internal("the log has no installation"))?;
        let token_key = self.secrets.seal(change, &owner(id), TOKEN_KEY, key.as_ref()).await?;
        self.recorder.append(change, Command::ReplaceTokenKey { token_key }).await?;
        let until = self.recorder.now().plus_seconds(ACCESS_SECONDS);
        let replaced = Some((self.signers.load().present.clone(), until));
        self.signers.store(Arc::new(Signers { present: Arc::new(TokenSigner::new(id, key.as_ref())), replaced }));
        Ok(())
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// When the name or the password is wrong, the login is locked, or the password must be changed first.
    pub async fn sign_in(
        &self,
        context: &RequestContext,
        name: &str,
        source: &str,
        password: Zeroizing<String>,
        patch: RefreshRequest,
    ) -> Result<Issued, Failure> {
        let Proved { user, attempt } = self.proof.prove(context, name, source, password).await?;
        if patch.in_console && user.profile.prevent_ui_login {
            self.proof.succeeded(&user, source);
            return Err(SessionRefusal::ConsoleNotAllowed.into());
        }
        let (refresh, text) = self.new_refresh(&patch)?;
        let id = SessionId::new(Uuid::new_v4());
        let network = source.to_owned();
        let (user_id, password_set, source, labels) = (user.id, user.password_set, source.to_owned(), patch.labels);
        let most = self.recorder.limits().sessions_per_user;
        let decide = move |_: &State, at| {
            let (user, source, refresh, labels) = (user_id, source.clone(), refresh.clone(), labels.clone());
            Ok(Command::Session(SessionCommand::Open { id, user, password_set, source, refresh, labels, at, most }))
        };
        let committed = self.recorder.append_with(&own_change(&user, context), decide).await?;
        self.proof.succeeded(&user, &network);
        drop(attempt);
        self.issue(&committed.published.state, id, text)
    }

    /// Refreshes a session with its refresh token, and issues a new access token. A refresh token that was replaced a
    /// moment ago brings the token that replaced it; one that was replaced earlier ends the session.
    ///
    /// # Errors
    /// When the refresh token is unknown, revoked, replaced or expired, or the user may not use the console.
    pub async fn refresh(
        &self,
        context: &RequestContext,
        source: &str,
        refresh_token: Zeroizing<String>,
        patch: RefreshRequest,
    ) -> Result<Issued, Failure> {
        let hash = hash_of(&refresh_token);
        let published = self.recorder.state();
        let sessions = &published.state.sessions;
        let session = sessions.by_refresh(&hash).or(sessions.by_replaced(&hash).map(|(session, _)| session));
        if let Some(session) = session.filter(|_| patch.in_console)
            && published.state.user(session.user)?.profile.prevent_ui_login
        {
            return Err(SessionRefusal::ConsoleNotAllowed.into());
        }
        match self.refresh_present(context, source, &refresh_token, patch.renew.then_some(&patch)).await {
            Err(Failure::Refused(Refusal::Session(SessionRefusal::RefreshTokenInvalid))) => {
                self.refresh_replaced(context, source, hash).await
            }
            outcome => outcome,
        }
    }

    /// Refreshes a session with its present refresh token, and replaces the token if `renewal` is given.
    async fn refresh_present(
        &self,
        context: &RequestContext,
        source: &str,
        present: &Zeroizing<String>,
        renewal: Option<&RefreshRequest>,
    ) -> Result<Issued, Failure> {
        let hash = hash_of(present);
        let published = self.recorder.state();
        let session = published.state.sessions.by_refresh(&hash).ok_or(SessionRefusal::RefreshTokenInvalid)?.clone();
        let user = published.state.user(session.user)?;
        let new = renewal.map(|patch| self.new_refresh(patch)).transpose()?;
        if let Some((grant, text)) = &new {
            // Before the replacement is recorded: the replaced token may come again at once.
            self.recent.remember(grant.hash, text.clone(), self.recorder.now());
        }
        let replace = new.as_ref().map(|(grant, _)| grant.clone());
        let decide =
            move |_: &State, at| Ok(Command::Session(SessionCommand::Refresh { hash, replace: replace.clone(), at }));
        let committed = self.recorder.append_with(&own_change(user, context), decide).await?;
        self.proof.know(user, source);
        let state = &committed.published.state;
        // A session whose tokens are replaced too often keeps the present one.
        let text = new.filter(|(grant, _)| state.sessions.by_refresh(&grant.hash).is_some()).map(|(_, text)| text);
        self.issue(state, session.id, text.unwrap_or_else(|| present.clone()))
    }

    async fn refresh_replaced(
        &self,
        context: &RequestContext,
        source: &str,
        hash: TokenHash,
    ) -> Result<Issued, Failure> {
        let (published, now) = (self.recorder.state(), self.recorder.now());
        let found = published.state.sessions.by_replaced(&hash);
        let (session, replaced) = found.ok_or(SessionRefusal::RefreshTokenInvalid)?;
        if now <= replaced.plus_seconds(REPLACED_FOR) {
            let present = session.refresh.hash;
            let text = self.recent.get(&present, now).ok_or(SessionRefusal::RefreshTokenInvalid)?;
            return self.refresh_present(context, source, &text, None).await;
        }
        let source = source.to_owned();
        let decide =
            move |_: &State, at| Ok(Command::Session(SessionCommand::CloseReused { hash, source: source.clone(), at }));
        // Whoever has the token is not necessarily the user.
        self.recorder.append_with(&Change::of(Actor::System, context.request_id.clone()), decide).await?;
        Err(SessionRefusal::RefreshTokenInvalid.into())
    }

    /// Authenticates a bearer token. This reads the published state only: it takes no lock and no disk access.
    ///
    /// # Errors
    /// The [`TokenProblem`] of the token, or [`SessionRefusal::PasswordChangeDue`].
    pub fn authenticate(&self, bearer: &str) -> Result<Caller, Failure> {
        let published = self.recorder.state();
        let now = self.recorder.now();
        let (session, user) = self.signers.load().check(bearer, now)?;
        let user = signed_in(&published, now, session, user)?;
        Ok(Caller::present(user, session, published, now))
    }

    /// Lists the caller's sessions; an administrator gets all sessions. If there are `users`, only theirs.
    ///
    /// # Errors
    /// When `sort` names anything but `createdAt`.
    pub fn list(
        &self,
        permit: &Permit<SignedIn>,
        users: &[&str],
        sort: &[(String, bool)],
    ) -> Result<Vec<Session>, Failure> {
        let caller = permit.caller();
        let is_asked_for = |session: &&Session| users.is_empty() || users.contains(&session.user.subject().as_str());
        let shown = caller.published.state.sessions.iter().filter(|session| owns(caller, session));
        let mut sessions: Vec<_> = shown.filter(is_asked_for).cloned().collect();
        sessions.sort_by_key(|session| (session.opened, session.id));
        if sort.iter().any(|(member, _)| member != "createdAt") {
            return Err(invalid("sort", "tokens are sorted by createdAt or -createdAt").into());
        }
        if sort.first().is_some_and(|(_, descending)| *descending) {
            sessions.reverse();
        }
        Ok(sessions)
    }

    /// Returns the session of the refresh token with this id.
    ///
    /// # Errors
    /// When there is no such token, or it belongs to another user.
    pub fn get(&self, permit: &Permit<SignedIn>, id: RefreshTokenId) -> Result<Session, Failure> {
        let caller = permit.caller();
        let session = caller.published.state.sessions.by_token(&id).filter(|session| owns(caller, session));
        session.cloned().ok_or_else(|| SessionRefusal::TokenUnknown(id.to_string()).into())
    }

    /// Closes the session of the refresh token with this id.
    ///
    /// # Errors
    /// When there is no such token, or it belongs to another user.
    pub async fn revoke_by_id(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        id: RefreshTokenId,
    ) -> Result<(), Failure> {
        let session = self.get(permit, id)?.id;
        self.close(permit.caller().change(context), session).await
    }

    /// Closes the session of a refresh token that the caller holds. An unknown or expired token is not an error.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn revoke(&self, context: &RequestContext, refresh_token: &str) -> Result<(), Failure> {
        let published = self.recorder.state();
        let Some(session) = published.state.sessions.by_refresh(&hash_of(refresh_token)) else { return Ok(()) };
        let user = published.state.user(session.user)?;
        self.close(Change { dry_run: context.dry_run, ..own_change(user, context) }, session.id).await
    }

    /// Closes all sessions of the caller but the one of this call, and returns how many there were.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn revoke_others(&self, permit: &Permit<SignedIn>, context: &RequestContext) -> Result<usize, Failure> {
        let (user, kept) = (permit.caller().user.id, permit.caller().session());
        let decide = move |_: &State, _| Ok(Command::Session(SessionCommand::CloseOthers { user, kept }));
        let committed = self.recorder.append_with(&permit.caller().change(context), decide).await?;
        Ok(committed.events.len())
    }

    async fn close(&self, change: Change, id: SessionId) -> Result<(), Failure> {
        let decide = move |_: &State, _| Ok(Command::Session(SessionCommand::Close { id }));
        self.recorder.append_with(&change, decide).await.map(drop)
    }

    fn new_refresh(&self, patch: &RefreshRequest) -> Result<(RefreshGrant, Zeroizing<String>), Failure> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| Failure::Internal("the system gives no random numbers"))?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        let seconds = |request: Option<u64>, default: u64| match request.unwrap_or(default) {
            0 => None,
            minutes => Some(minutes.saturating_mul(60)),
        };
        let grant = RefreshGrant {
            id: RefreshTokenId::new(Uuid::new_v4()),
            hash: hash_of(&text),
            lifetime_seconds: seconds(patch.lifetime_minutes, self.refresh.lifetime_minutes),
            unused_seconds: seconds(patch.unused_minutes, self.refresh.unused_minutes),
        };
        Ok((grant, text))
    }

    fn issue(&self, state: &State, id: SessionId, refresh_token: Zeroizing<String>) -> Result<Issued, Failure> {
        let session = state.sessions.get(&id).ok_or(TokenProblem::Revoked)?;
        let user = state.user(session.user)?.clone();
        let jwt = self.signers.load().present.sign(&user, session, self.recorder.now())?;
        let refresh_token_id = session.refresh.id;
        Ok(Issued { user, jwt, duration: ACCESS_SECONDS, client_id: id, refresh_token_id, refresh_token })
    }
}

/// The user of a session, if it is open.
///
/// # Errors
/// [`TokenProblem::Revoked`] if it is closed; [`SessionRefusal::PasswordChangeDue`].
pub(super) fn signed_in(
    published: &Published,
    now: Time,
    session: SessionId,
    user: UserId,
) -> Result<Arc<User>, Failure> {
    let open = published.state.sessions.get(&session).filter(|open| open.user == user);
    let user = open.and_then(|open| published.state.users.get(&open.user)).ok_or(TokenProblem::Revoked)?.clone();
    if user.password_due(published.state.password_policies.of(&user), now) {
        return Err(SessionRefusal::PasswordChangeDue.into());
    }
    Ok(user)
}

fn own_change(user: &User, context: &RequestContext) -> Change {
    let actor = Actor::user(user.id, user.name.clone(), None, context.source.as_deref());
    Change::of(actor, context.request_id.clone())
}

fn owns(caller: &Caller, session: &Session) -> bool {
    session.user == caller.user.id || caller.user.is_in(SystemGroup::Admin)
}

fn hash_of(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    TokenHash(hash)
}

/// Generates the key that signs access tokens, and seals it.
pub(super) fn new_token_key(keyring: &Keyring, id: InstallationId) -> Result<Sealed, Failure> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| Failure::Internal("the system gives no random numbers"))?;
    Ok(Sealed(keyring.seal(&owner(id), TOKEN_KEY, bytes.as_ref())?))
}
