//! Authentication by password, for signing in and for changing the password. Names of users and all other names are
//! treated alike: an answer, its delay and a lockout do not reveal whether a user exists.

use super::attempts::{Attempt, Attempts};
use super::caller::{Change, RequestContext};
use super::failure::Failure;
use super::lockout::{self, AttemptedName, LoginFailures};
use super::passwords::{Checked, Hasher};
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::system_change;
use super::users::owner;
use crate::domain::command::Command;
use crate::domain::event::{Actor, Sealed};
use crate::domain::id::UserId;
use crate::domain::name::UserName;
use crate::domain::password::{PasswordPolicy, PasswordProblem};
use crate::domain::refusal::{Refusal, SessionRefusal};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::{User, UserCommand, network_of};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The purpose under which a user's password hash is sealed.
const PASSWORD: &str = "password";

/// Checks passwords. Cheap to clone.
#[derive(Clone)]
pub(super) struct Proof {
    recorder: Recorder,
    secrets: Secrets,
    hasher: Hasher,
    failures: LoginFailures,
    attempts: Attempts,
}

/// A user whose password was correct.
pub(super) struct Proved {
    pub user: Arc<User>,
    /// Held until the change that needed the password is recorded, so that no failed attempt comes in between.
    pub attempt: Attempt,
}

impl Proof {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, hasher: Hasher) -> Self {
        let failures = LoginFailures::default();
        for user in recorder.state().state.users.iter() {
            user.networks.iter().for_each(|network| failures.know(&AttemptedName::from(&user.name), network));
        }
        Self { recorder, secrets, hasher, failures, attempts: Attempts::default() }
    }

    /// Returns the user of this name if the password is correct. Failures are counted, delayed and locked, for unknown
    /// names as for known ones. The attempts under one name from one network run one after the other, so that each
    /// counts the failures before it.
    pub(super) async fn prove(
        &self,
        context: &RequestContext,
        name: &str,
        source: &str,
        password: Zeroizing<String>,
    ) -> Result<Proved, Failure> {
        let network = network_of(source);
        let attempted_name = AttemptedName::of(name);
        let attempt = self.attempts.begin(attempted_name.as_str(), &network).await?;
        let begun = tokio::time::Instant::now();
        let published = self.recorder.state();
        let state = &published.state;
        // A user may have a name that would not be accepted any more.
        let user = state.user_named(&UserName::stored(name)).cloned();
        let policy = lockout::policy_of(state, user.as_deref(), &attempted_name);
        let now = self.recorder.now();
        let locked = self.failures.locked_until(policy, &attempted_name, &network, now);
        if let Some(until) = locked.filter(|until| *until > now) {
            return Err(SessionRefusal::LoginLocked { seconds: now.seconds_until(until) }.into());
        }
        match &user {
            Some(user) => {
                if self.check(user, password).await? {
                    return Ok(Proved { user: user.clone(), attempt });
                }
            }
            None => self.hasher.check_nobody(password).await?,
        }
        let failures = self.failures.record(&attempted_name, &network, now);
        if let Some(user) = &user {
            self.record_failure(context, user, source).await;
        }
        drop(attempt);
        // The delay is measured from the start of the attempt. Only the failure of an existing user is written to the
        // log, and the duration of that write must not reveal whether the user exists.
        tokio::time::sleep_until(begun + lockout::delay(failures)).await;
        Err(SessionRefusal::BadCredentials.into())
    }

    async fn check(&self, user: &User, password: Zeroizing<String>) -> Result<bool, Failure> {
        let phc = self.secrets.unseal(&owner(user.id), PASSWORD, &user.password)?;
        match self.hasher.check(password.clone(), phc).await? {
            Checked::Wrong => Ok(false),
            Checked::Right { outdated } => {
                if outdated {
                    self.rehash(user, password).await?;
                }
                Ok(true)
            }
        }
    }

    async fn rehash(&self, user: &User, password: Zeroizing<String>) -> Result<(), Failure> {
        let change = system_change("rehash");
        let to = self.seal_new(&change, user.id, password).await?;
        let command = UserCommand::Rehash { id: user.id, from: user.password.clone(), to };
        self.recorder.append(&change, Command::User(command)).await.map(drop)
    }

    /// Records a failed login of a user in the log. The answer is the same if that fails, as under any other name.
    async fn record_failure(&self, context: &RequestContext, user: &User, source: &str) {
        let change = Change::of(Actor::System, context.request_id.clone());
        let command = UserCommand::RecordFailure { id: user.id, source: source.to_owned() };
        if let Err(failure) = self.recorder.append(&change, Command::User(command)).await {
            tracing::warn!(%failure, "a failed login could not be recorded");
        }
    }

    /// Forgets the failures before a login. Its network is known for this user from now on.
    pub(super) fn succeeded(&self, user: &User, source: &str) {
        self.failures.succeeded(&AttemptedName::from(&user.name), &network_of(source));
    }

    /// Notes a network from which the user has a session.
    pub(super) fn know(&self, user: &User, source: &str) {
        self.failures.know(&AttemptedName::from(&user.name), &network_of(source));
    }

    /// Ends all lockouts of a user.
    pub(super) fn unlock(&self, user: &User) {
        self.failures.forget_name(&AttemptedName::from(&user.name));
    }

    /// Returns the beginning of the newest lockout of a user; `None` if there is none at that time.
    pub(super) fn locked_since(&self, state: &State, user: &User, at: Time) -> Option<Time> {
        self.failures.locked_since(state.password_policies.of(user), &AttemptedName::from(&user.name), at)
    }

    /// Hashes and seals a password.
    pub(super) async fn seal_new(
        &self,
        change: &Change,
        id: UserId,
        password: Zeroizing<String>,
    ) -> Result<Sealed, Failure> {
        let phc = Zeroizing::new(self.hasher.hash(password).await?);
        self.secrets.seal(change, &owner(id), PASSWORD, phc.as_bytes()).await
    }

    /// Refuses a password that violates the policy or was used before.
    pub(super) async fn refuse_bad(
        &self,
        policy: &PasswordPolicy,
        user: &User,
        new: &Zeroizing<String>,
    ) -> Result<(), Failure> {
        policy.check_password(new).map_err(Refusal::from)?;
        let threshold = policy.password_history_threshold;
        let last = std::iter::once(&user.password).chain(&user.earlier_passwords).take(threshold as usize);
        for sealed in last {
            let phc = self.secrets.unseal(&owner(user.id), PASSWORD, sealed)?;
            if let Checked::Right { .. } = self.hasher.check(new.clone(), phc).await? {
                return Err(Failure::Refused(PasswordProblem::UsedBefore(threshold).into()));
            }
        }
        Ok(())
    }
}
