//! Users: create, change and delete them; their passwords.

use super::access::{ManageUsers, Permit, SignedIn};
use super::caller::{Caller, Change, RequestContext};
use super::failure::Failure;
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::proof::{Proof, Proved};
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::system_change;
use crate::domain::command::Command;
use crate::domain::event::{Actor, Sealed};
use crate::domain::id::{InstallationId, UserId};
use crate::domain::name::{GroupName, JsonText, PasswordPolicyName, UserName};
use crate::domain::password::PasswordProblem;
use crate::domain::refusal::{Refusal, UserRefusal};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::domain::time::Time;
use crate::domain::user::patch::ProfilePatch;
use crate::domain::user::{User, UserCommand};
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

/// A user to create.
pub struct NewUser {
    pub name: UserName,
    pub profile: ProfilePatch,
    pub password: Zeroizing<String>,
    /// Whether the user must change the password before any other request.
    pub must_change: bool,
    /// The name of the password policy; `None` for the global one.
    pub password_policy: Option<PasswordPolicyName>,
}

/// A change of a user; a member that is `None` stays as it is.
#[derive(Default)]
pub struct UserPatch {
    pub name: Option<UserName>,
    pub password: Option<Zeroizing<String>>,
    /// Whether the user must change the password before any other request.
    pub must_change: Option<bool>,
    pub clear_lockout: bool,
    pub password_policy: Option<PasswordPolicyName>,
    pub profile: ProfilePatch,
}

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
        new: NewUser,
    ) -> Result<Arc<User>, Failure> {
        let NewUser { name, profile, password, must_change, password_policy } = new;
        let state = &permit.caller().published.state;
        let policy = match &password_policy {
            Some(name) => &state.password_policy(name).map_err(|refusal| refusal.of("password_policy"))?.policy,
            None => &state.password_policies.global().policy,
        };
        policy.check_password(&password).map_err(Refusal::from)?;
        if state.user_named(&name).is_some() {
            return Err(UserRefusal::NameTaken(name).into());
        }
        let change = permit.caller().change(context);
        let id = UserId::new(Uuid::new_v4());
        let password = self.proof.seal_new(&change, id, password).await?;
        let command = UserCommand::Create { id, name, profile, password, must_change, password_policy };
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
                let state = &permit.caller().published.state;
                let policy = match &patch.password_policy {
                    Some(name) => &state.password_policy(name).map_err(|refusal| refusal.of("password_policy"))?.policy,
                    None => state.password_policies.of(&user),
                };
                // A dry run does not check the password against earlier ones. Otherwise a caller could test passwords
                // of other users without leaving a record.
                match context.dry_run {
                    true => policy.check_password(&password).map_err(Refusal::from)?,
                    false => self.proof.refuse_bad(policy, &user, &password).await?,
                }
                Some(self.proof.seal_new(&change, id, password).await?)
            }
        };
        let UserPatch { name, must_change, clear_lockout, profile, password_policy, .. } = patch;
        let command = UserCommand::Update { id, name, profile, password, must_change, clear_lockout, password_policy };
        let committed = self.command(&change, command).await?;
        if clear_lockout && !context.dry_run {
            self.proof.unlock(&user);
        }
        shown(&committed, id)
    }

    /// Changes the caller's own profile.
    ///
    /// # Errors
    /// When the metadata becomes too long.
    pub async fn update_own(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        profile: ProfilePatch,
    ) -> Result<Arc<User>, Failure> {
        let id = permit.caller().user.id;
        let change = permit.caller().change(context);
        shown(&self.command(&change, UserCommand::UpdateOwn { id, profile }).await?, id)
    }

    /// Replaces what clients keep for the caller.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn set_preferences(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        preferences: JsonText,
    ) -> Result<(), Failure> {
        let id = permit.caller().user.id;
        let change = permit.caller().change(context);
        self.command(&change, UserCommand::SetPreferences { id, preferences }).await.map(drop)
    }

    /// Returns the beginning of the newest lockout of a user; `None` if there is none now.
    pub fn locked_since(&self, user: &User) -> Option<Time> {
        self.proof.locked_since(&self.recorder.state().state, user, self.recorder.now())
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
        let published = self.recorder.state();
        self.proof.refuse_bad(published.state.password_policies.of(&user), &user, &new).await?;
        let actor = Actor::user(user.id, user.name.clone(), None, context.source.as_deref());
        let change = Change::of(actor, context.request_id.clone());
        let password = self.proof.seal_new(&change, user.id, new).await?;
        let (id, password_set) = (user.id, user.password_set);
        let decide = move |_: &State, at| {
            let password = password.clone();
            Ok(Command::User(UserCommand::ChangeOwnPassword { id, password_set, password, at }))
        };
        shown(&self.recorder.append_with(&change, decide).await?, id)
    }

    /// Sets a password that the user must change, for an operator of the machine. It ends the lockouts and the sessions of
    /// the user.
    ///
    /// # Errors
    /// When there is no such user, or the password violates the policy.
    pub(super) async fn reset_password(
        &self,
        change: &Change,
        name: &str,
        password: Zeroizing<String>,
    ) -> Result<(), Failure> {
        let published = self.recorder.state();
        let user = published.state.user_named(&UserName::stored(name));
        let user = user.ok_or_else(|| UserRefusal::Unknown(name.chars().take(80).collect()))?.clone();
        self.proof.refuse_bad(published.state.password_policies.of(&user), &user, &password).await?;
        let password = Some(self.proof.seal_new(change, user.id, password).await?);
        let command = UserCommand::Update {
            id: user.id,
            name: None,
            profile: ProfilePatch::default(),
            password,
            must_change: Some(true),
            clear_lockout: true,
            password_policy: None,
        };
        self.command(change, command).await?;
        self.proof.unlock(&user);
        Ok(())
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
        let profile = ProfilePatch { full_name: Some("Administrator".to_owned()), ..ProfilePatch::default() };
        let (name, password_policy) = (admin, None);
        let admin = UserCommand::Create { id, name, profile, password, must_change, password_policy };
        let admin = Box::new(admin);
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

/// The filter by a group that the path names. Clients cannot send it.
const OF_GROUP: &str = "of_group";

impl Listed for User {
    type Rows = Table<UserId, Self>;
    const SORTS: &'static [&'static str] =
        &["user_id", "username", "name", "nickname", "email", "created_at", "updated_at", "last_login", "logins_count"];
    const FILTERS: &'static [&'static str] = &["user_id", "username", "name", "nickname", "email", "groups"];
    const SEARCHES: &'static [&'static str] = &["user_id", "username", "name", "nickname", "email"];
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
