//! Users: create, change and delete them; their passwords and the password policy.

use super::access::{Administer, ManageUsers, Permit, SignedIn};
use super::attempts::{Attempt, Attempts};
use super::caller::{Caller, Change, RequestContext};
use super::failure::Failure;
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::lockout::{self, UnknownUserFailures};
use super::passwords::{Checked, Hasher};
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::system_change;
use crate::domain::command::Command;
use crate::domain::event::Sealed;
use crate::domain::id::{InstallationId, UserId};
use crate::domain::name::{GroupName, UserName};
use crate::domain::password::patch::PasswordPolicyPatch;
use crate::domain::password::{PasswordPolicy, PasswordProblem};
use crate::domain::refusal::{Refusal, SessionRefusal, UserRefusal};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::domain::user::patch::ProfilePatch;
use crate::domain::user::{User, UserCommand, UserProfile, network_of};
use crate::keyring::Owner;
use crate::ledger::Committed;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The use cases of users. Cheap to clone.
#[derive(Clone)]
pub struct Users {
    recorder: Recorder,
    secrets: Secrets,
    proof: Proof,
}

/// A change of a user; a member that is `None` stays as it is.
#[derive(Default)]
pub struct UserPatch {
    pub name: Option<UserName>,
    pub password: Option<Zeroizing<String>>,
    /// Whether the user must change the password before any other request.
    pub must_change: Option<bool>,
    pub clear_lockout: bool,
    pub profile: ProfilePatch,
}

/// The purpose under which a user's password hash is sealed.
const PASSWORD: &str = "password";

/// The kind of the owners of users' secrets.
pub(super) const OWNER: &str = "user";

/// The owner of a user's secrets.
pub(super) fn owner(id: UserId) -> Owner {
    Owner::new(OWNER, id.uuid())
}

impl Users {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, proof: Proof) -> Self {
        Self { recorder, secrets, proof }
    }

    /// Creates a user.
    ///
    /// # Errors
    /// When the name is in use, or the password violates the policy.
    pub async fn create(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        name: UserName,
        profile: UserProfile,
        password: Zeroizing<String>,
        must_change: bool,
    ) -> Result<Arc<User>, Failure> {
        let state = &permit.caller().published.state;
        state.password_policy.check_password(&password).map_err(Refusal::from)?;
        if state.user_named(&name).is_some() {
            return Err(UserRefusal::NameTaken(name).into());
        }
        let change = permit.caller().change(context);
        let id = UserId::new(Uuid::new_v4());
        let password = self.proof.seal_new(&change, id, password).await?;
        let command = UserCommand::Create { id, name, profile, password, must_change };
        shown(&self.secrets.append_owner(&self.recorder, &change, &owner(id), Command::User(command)).await?, id)
    }

    /// Lists the users.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<ManageUsers>, query: &Query) -> Result<Page<User>, Failure> {
        list::page(permit.caller(), query).await
    }

    /// Lists the users who are in a group.
    ///
    /// # Errors
    /// When there is no such group, or the query filters by a value that the member cannot have.
    pub async fn of_group(
        &self,
        permit: &Permit<ManageUsers>,
        name: &GroupName,
        mut query: Query,
    ) -> Result<Page<User>, Failure> {
        permit.caller().published.state.group(name)?;
        query.filters.push((OF_GROUP.to_owned(), name.to_string()));
        list::page(permit.caller(), &query).await
    }

    /// Returns one user.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn get(&self, permit: &Permit<ManageUsers>, id: UserId) -> Result<Arc<User>, Failure> {
        Ok(permit.caller().published.state.user(id)?.clone())
    }

    pub fn own(&self, permit: &Permit<SignedIn>) -> Arc<User> {
        permit.caller().user.clone()
    }

    /// Changes the members of a user that differ.
    ///
    /// # Errors
    /// When the name is in use, the password violates the policy, or the user has more rights than the caller.
    pub async fn update(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        id: UserId,
        patch: UserPatch,
    ) -> Result<Arc<User>, Failure> {
        let permit = permit.over_user(id)?;
        let user = self.get(&permit, id)?;
        let change = permit.caller().change(context);
        let password = match patch.password {
            None => None,
            Some(password) => {
                let policy = &permit.caller().published.state.password_policy;
                // A dry run does not check the password against earlier ones. Otherwise a caller could test passwords
                // of other users without leaving a record.
                match context.dry_run {
                    true => policy.check_password(&password).map_err(Refusal::from)?,
                    false => self.proof.refuse_bad(policy, &user, &password).await?,
                }
                Some(self.proof.seal_new(&change, id, password).await?)
            }
        };
        let UserPatch { name, must_change, clear_lockout, profile, .. } = patch;
        let command = UserCommand::Update { id, name, profile, password, must_change, clear_lockout };
        shown(&self.command(&change, command).await?, id)
    }

    /// Removes a user, all rights granted to that user, and the data key that sealed the password hash. The data key
    /// cannot be restored.
    ///
    /// # Errors
    /// When there is no such user, the user has more rights than the caller, or is the last administrator.
    pub async fn remove(
        &self,
        permit: Permit<ManageUsers>,
        context: &RequestContext,
        id: UserId,
    ) -> Result<(), Failure> {
        let change = permit.over_user(id)?.caller().change(context);
        self.command(&change, UserCommand::Remove { id }).await?;
        self.secrets.shred(&change, &owner(id)).await;
        Ok(())
    }

    /// Changes a user's own password. The current password authenticates the user; no token is needed.
    ///
    /// # Errors
    /// When the current password is wrong, or the new one violates the policy.
    pub async fn change_password(
        &self,
        context: &RequestContext,
        name: &str,
        source: &str,
        present: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<Arc<User>, Failure> {
        let proved = self.proof.prove(context, name, source, present.clone()).await?;
        self.replace_password(context, proved, present, new).await.map_err(|failure| match failure {
            Failure::Refused(Refusal::User(UserRefusal::PasswordRejected(problem))) if problem.is_of_the_new_one() => {
                Refusal::User(UserRefusal::NewPasswordRejected(problem)).into()
            }
            failure => failure,
        })
    }

    async fn replace_password(
        &self,
        context: &RequestContext,
        proved: Proved,
        present: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<Arc<User>, Failure> {
        let Proved { user, attempt: _attempt } = proved;
        if *present == *new {
            return Err(Failure::Refused(PasswordProblem::Unchanged.into()));
        }
        let policy = &self.recorder.state().state.password_policy;
        self.proof.refuse_bad(policy, &user, &new).await?;
        let actor = crate::domain::event::Actor::User { id: user.id, name: user.name.clone() };
        let change = Change::of(actor, context.request_id.clone());
        let password = self.proof.seal_new(&change, user.id, new).await?;
        let (id, password_set) = (user.id, user.password_set);
        let decide = move |_: &State, at| {
            let password = password.clone();
            Ok(Command::User(UserCommand::ChangeOwnPassword { id, password_set, password, at }))
        };
        shown(&self.recorder.append_with(&change, decide).await?, id)
    }

    /// Returns the rules for passwords and lockout.
    pub fn policy(&self, permit: &Permit<Administer>) -> PasswordPolicy {
        permit.caller().published.state.password_policy.clone()
    }

    /// Changes the rules for passwords and lockout.
    ///
    /// # Errors
    /// When the rules contradict themselves or are out of range.
    pub async fn change_policy(
        &self,
        permit: Permit<Administer>,
        context: &RequestContext,
        patch: PasswordPolicyPatch,
    ) -> Result<PasswordPolicy, Failure> {
        let change = permit.caller().change(context);
        let command = Command::ChangePasswordPolicy(patch);
        let committed = self.recorder.append(&change, command).await?;
        Ok(committed.published.state.password_policy.clone())
    }

    /// Initializes the log: the installation, its system groups and the first administrator.
    ///
    /// # Errors
    /// When the password is empty, or the log or the keyring fails.
    pub(super) async fn install(
        &self,
        token_key: Sealed,
        installation: InstallationId,
        admin: UserName,
        password: Zeroizing<String>,
        must_change: bool,
    ) -> Result<(), Failure> {
        let change = system_change("first-start");
        let id = UserId::new(Uuid::new_v4());
        let password = self.proof.seal_new(&change, id, password).await?;
        let profile = UserProfile { full_name: "Administrator".to_owned(), ..UserProfile::default() };
        let admin = Box::new(UserCommand::Create { id, name: admin, profile, password, must_change });
        let command = Command::Install { id: installation, token_key, admin };
        self.recorder.append(&change, command).await.map(drop)
    }

    async fn command(&self, change: &Change, command: UserCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::User(command)).await
    }
}

fn shown(committed: &Committed, id: UserId) -> Result<Arc<User>, Failure> {
    Ok(committed.published.state.user(id)?.clone())
}

/// Authentication by password, for signing in and for changing the password. Cheap to clone.
#[derive(Clone)]
pub(super) struct Proof {
    recorder: Recorder,
    secrets: Secrets,
    hasher: Hasher,
    unknown_users: Arc<UnknownUserFailures>,
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
        Self { recorder, secrets, hasher, unknown_users: Arc::default(), attempts: Attempts::default() }
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
        let attempted_name = name.chars().take(256).collect::<String>().to_lowercase();
        let attempt = self.attempts.begin(&attempted_name, &network).await?;
        let begun = tokio::time::Instant::now();
        let published = self.recorder.state();
        let state = &published.state;
        let user = UserName::parse(name).ok().and_then(|name| state.user_named(&name).cloned());
        let locked = match &user {
            Some(user) => user.locked_until(&state.password_policy, source),
            None => self.unknown_users.locked_until(&state.password_policy, &attempted_name, &network),
        };
        let now = self.recorder.now();
        if let Some(until) = locked.filter(|until| *until > now) {
            return Err(SessionRefusal::LoginLocked { seconds: now.seconds_until(until) }.into());
        }
        let failures = match user {
            Some(user) => match self.check(&user, password).await? {
                true => return Ok(Proved { user, attempt }),
                false => self.record_failure(context, &user, source).await?,
            },
            None => {
                self.hasher.check_nobody(password).await?;
                self.unknown_users.record(&attempted_name, &network, now)
            }
        };
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

    async fn record_failure(&self, context: &RequestContext, user: &User, source: &str) -> Result<u32, Failure> {
        let change = Change::of(crate::domain::event::Actor::System, context.request_id.clone());
        let (id, from) = (user.id, source.to_owned());
        let decide = move |_: &State, _| Ok(Command::User(UserCommand::RecordFailure { id, source: from.clone() }));
        let committed = self.recorder.append_with(&change, decide).await?;
        let user = committed.published.state.user(id)?;
        Ok(user.failures_from(source).map_or(1, |failures| failures.count))
    }

    /// Hashes and seals a password.
    async fn seal_new(&self, change: &Change, id: UserId, password: Zeroizing<String>) -> Result<Sealed, Failure> {
        let phc = Zeroizing::new(self.hasher.hash(password).await?);
        self.secrets.seal(change, &owner(id), PASSWORD, phc.as_bytes()).await
    }

    /// Refuses a password that violates the policy or was used before.
    async fn refuse_bad(&self, policy: &PasswordPolicy, user: &User, new: &Zeroizing<String>) -> Result<(), Failure> {
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

/// The filter by a group that the path names. Clients cannot send it.
const OF_GROUP: &str = "of_group";

impl Listed for User {
    type Rows = Table<UserId, Self>;
    const SORTS: &'static [&'static str] =
        &["user_id", "username", "name", "nickname", "email", "created_at", "updated_at", "last_login", "logins_count"];
    const FILTERS: &'static [&'static str] = &["user_id", "username", "name", "nickname", "email", "groups"];
    const IDENTITIES: &'static [&'static str] = &["user_id", "username"];

    fn rows(state: &State) -> &Self::Rows {
        &state.users
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        let id = match member {
            "user_id" => UserId::parse_subject(value).ok(),
            _ => UserName::parse(value).ok().and_then(|name| Some(state.user_named(&name)?.id)),
        };
        Box::new(id.into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "user_id" => Field::Text(self.id.subject()),
            "username" => Field::Text(self.name.to_string()),
            "name" => Field::Text(self.profile.full_name.clone()),
            "nickname" => Field::Text(self.profile.nickname.clone()),
            "email" => Field::Text(self.profile.email.clone()),
            // `Users::of_group` filters by it, in addition to a client's filter by `groups`.
            "groups" | OF_GROUP => Field::Texts(self.groups.iter().map(ToString::to_string).collect()),
            "created_at" => Field::Moment(self.created),
            "updated_at" => Field::Moment(self.updated),
            "last_login" => self.last_login.map_or(Field::Absent, Field::Moment),
            "logins_count" => Field::Number(self.logins),
            _ => Field::Absent,
        }
    }
}
