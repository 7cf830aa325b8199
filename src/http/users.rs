//! Users.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, clearable, optional, read_known_name, read_name, required, secret};
use super::error::Problem;
use super::guard::Authorized;
use super::history::{InPath, at};
use super::json_object::{object_or_empty, read_object};
use super::paging::{self, List, Listing};
use super::password_policies::policy_name;
use super::tokens::password;
use super::unsupported::Unsupported;
use crate::domain::id::UserId;
use crate::domain::name::{GroupName, NAME_MAX, PasswordPolicyName, UserName};
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::domain::user::patch::ProfilePatch;
use crate::service::Services;
use crate::service::access::{ManageUsers, SignedIn};
use crate::service::failure::{invalid, too_long};
use crate::service::list::Page;
use crate::service::users::{NewUser, UserPatch};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A user to create or change. A member that is absent keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserRequest)]
pub struct UserBody {
    /// The user name for signing in, unique regardless of case. Required for a new user.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "ann")]
    username: Option<String>,
    /// The full name.
    #[serde(default, deserialize_with = "clearable")]
    name: Option<String>,
    /// The same as `name`, which has precedence.
    #[serde(default, deserialize_with = "optional")]
    full_name: Option<String>,
    /// The nickname.
    #[serde(default, deserialize_with = "clearable")]
    nickname: Option<String>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "clearable")]
    email: Option<String>,
    /// Whether the e-mail address is verified.
    #[serde(default, deserialize_with = "optional")]
    email_verified: Option<bool>,
    /// The password, which no answer contains. Required for a new user.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    password: Option<Zeroizing<String>>,
    /// Whether the user must change the password before any other call.
    #[serde(default, deserialize_with = "optional")]
    password_change_required: Option<bool>,
    /// The name of the user's password policy; `global` (default) for the global one.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "global")]
    password_policy: Option<String>,
    /// A JSON object for the use of the user. A change merges it: `null` removes a member.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    user_metadata: Option<Value>,
    /// A JSON object for the use of applications. A change merges it: `null` removes a member.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    app_metadata: Option<Value>,
    /// Restrictions on signing in.
    #[serde(default, deserialize_with = "optional")]
    login_flags: Option<LoginFlagsBody>,
    /// 0 clears the failed logins and ends a lockout; other values are invalid.
    #[serde(default, deserialize_with = "optional")]
    failed_logins_count: Option<u64>,
    /// `local_account` (default): the only connection there is.
    #[serde(default, deserialize_with = "optional")]
    connection: Option<String>,
    /// Always `["password"]`: there is no other way to sign in.
    #[serde(default, deserialize_with = "optional")]
    allowed_auth_methods: Option<Vec<String>>,
    // Signing in with a certificate, and domains besides the root domain, are not built.
    #[serde(default, rename = "enable_cert_auth")]
    #[schema(ignore)]
    _enable_cert_auth: Unsupported,
    #[serde(default, rename = "certificate_subject_dn")]
    #[schema(ignore)]
    _certificate_subject_dn: Unsupported,
    #[serde(default, rename = "is_domain_user")]
    #[schema(ignore)]
    _is_domain_user: Unsupported,
    // The id of a user of another domain.
    #[serde(default, rename = "user_id")]
    #[schema(ignore)]
    _user_id: Unsupported,
}

/// A change of the caller. A member that is absent keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = OwnUserRequest)]
pub struct OwnUserBody {
    /// The full name.
    #[serde(default, deserialize_with = "clearable")]
    name: Option<String>,
    /// The nickname.
    #[serde(default, deserialize_with = "clearable")]
    nickname: Option<String>,
    /// The e-mail address. Another address is not verified.
    #[serde(default, deserialize_with = "clearable")]
    email: Option<String>,
    /// A JSON object for the use of the user. A change merges it: `null` removes a member.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    user_metadata: Option<Value>,
    #[serde(flatten)]
    #[schema(ignore)]
    others: std::collections::BTreeMap<String, Value>,
}

/// The members of [`UserBody`] that only those who manage users can change.
const MANAGED: &[&str] = &[
    "username",
    "password",
    "password_change_required",
    "password_policy",
    "email_verified",
    "app_metadata",
    "login_flags",
    "failed_logins_count",
    "allowed_auth_methods",
    "enable_cert_auth",
    "certificate_subject_dn",
    "is_domain_user",
];

/// Restrictions on signing in, to change.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = LoginFlagsRequest)]
pub struct LoginFlagsBody {
    /// Whether the user may not sign in to the console.
    #[serde(default, deserialize_with = "optional")]
    prevent_ui_login: Option<bool>,
}

/// Restrictions on signing in.
#[derive(Serialize, Clone, Copy, ToSchema)]
pub struct LoginFlags {
    /// Whether the user may not sign in to the console.
    prevent_ui_login: bool,
}

/// A user, without the password.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The id of the user: `local|<uuid>`.
    #[schema(example = "local|a67c3748-9a4b-4add-b3d9-054ba20be3ac")]
    user_id: String,
    /// The user name for signing in.
    username: String,
    /// The full name.
    name: String,
    /// The nickname.
    nickname: String,
    /// The e-mail address.
    email: String,
    /// Whether the e-mail address is verified.
    email_verified: bool,
    /// A JSON object for the use of the user.
    #[schema(value_type = Object)]
    user_metadata: Value,
    /// A JSON object for the use of applications.
    #[schema(value_type = Object)]
    app_metadata: Value,
    /// Always `local_account`.
    connection: &'static str,
    /// Always `["password"]`.
    allowed_auth_methods: [&'static str; 1],
    /// Always false: there is no way to sign in with a certificate.
    enable_cert_auth: bool,
    /// Always empty.
    certificate_subject_dn: &'static str,
    /// Always false: there is only the root domain.
    is_domain_user: bool,
    /// The name of the user's password policy.
    password_policy: String,
    /// The time at which the user was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time of the last change.
    #[schema(format = DateTime)]
    updated_at: String,
    /// The time of the last successful login.
    #[schema(required = true, format = DateTime)]
    last_login: Option<String>,
    /// The number of successful logins.
    logins_count: u64,
    /// The number of failed logins since the last successful one.
    failed_logins_count: u64,
    /// The start of the lockout, if the user is locked out from at least one address.
    #[schema(required = true, format = DateTime)]
    account_lockout_at: Option<String>,
    /// Whether the user must change the password before any other call.
    password_change_required: bool,
    /// The time at which the password was set.
    #[schema(format = DateTime)]
    password_changed_at: String,
    /// Restrictions on signing in.
    login_flags: LoginFlags,
    /// The groups of the user.
    groups: Vec<String>,
}

/// `POST /v1/usermgmt/users`
pub async fn create(
    auth: Authorized<ManageUsers>,
    body: Body<UserBody>,
    services: Data<Services>,
) -> Result<Created<UserView>, Problem> {
    let mut body = body.0;
    let name = read_name("username", &required("username", body.username.take())?, UserName::parse)?;
    let password = password("password", body.password.take())?;
    let must_change = body.password_change_required.unwrap_or(false);
    let password_policy = body.password_policy()?;
    let new = NewUser { name, password, must_change, password_policy, profile: body.profile()? };
    let user = services.users.create(auth.permit, &auth.context, new).await?;
    Ok(Created(view(&services, &user)))
}

/// `GET /v1/usermgmt/users`
pub async fn list(
    auth: Authorized<ManageUsers>,
    listing: Listing<User>,
    services: Data<Services>,
) -> Result<List<UserView>, Problem> {
    answer_page(services.users.list(&auth.permit, &listing.0).await?, &services).await
}

/// `GET /v1/usermgmt/groups/{name}/users`
pub async fn list_of_group(
    auth: Authorized<ManageUsers>,
    name: Path<String>,
    listing: Listing<User>,
    services: Data<Services>,
) -> Result<List<UserView>, Problem> {
    let name = read_known_name("name", &name, GroupName::parse)?;
    answer_page(services.users.of_group(&auth.permit, &name, listing.0).await?, &services).await
}

async fn answer_page(page: Page<User>, services: &Services) -> Result<List<UserView>, Problem> {
    let services = services.clone();
    paging::answer(page, move |user: &Arc<User>| view(&services, user)).await
}

/// `GET /v1/usermgmt/users/{id}`
pub async fn get(
    auth: Authorized<ManageUsers>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<UserView>, Problem> {
    let user = services.users.get(&auth.permit, user_id(&id)?)?;
    Ok(Json(view(&services, &user)))
}

/// `GET /v1/usermgmt/users/{id}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<ManageUsers>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<UserView>, Problem> {
    let (state, at) = (&auth.permit.caller().published.state, at(&request)?);
    let user = services.histories.user(&auth.permit, UserId::of(&request, state)?, at).await?;
    // Lockouts end by time and by restarts, and leave no event.
    Ok(Json(view_of(&user, None, user.password_due(state.password_policies.of(&user), at))))
}

/// `GET /v1/auth/self/user`
pub async fn get_own(auth: Authorized<SignedIn>, services: Data<Services>) -> Result<Json<UserView>, Problem> {
    Ok(Json(view(&services, &services.users.own(&auth.permit))))
}

/// `PATCH /v1/auth/self/user`
pub async fn update_own(
    auth: Authorized<SignedIn>,
    body: Body<OwnUserBody>,
    services: Data<Services>,
) -> Result<Json<UserView>, Problem> {
    let user = services.users.update_own(&auth.permit, &auth.context, body.0.profile()?).await?;
    Ok(Json(view(&services, &user)))
}

/// `PATCH /v1/usermgmt/users/{id}`
pub async fn update(
    auth: Authorized<ManageUsers>,
    id: Path<String>,
    body: Body<UserBody>,
    services: Data<Services>,
) -> Result<Json<UserView>, Problem> {
    let mut body = body.0;
    let id = user_id(&id)?;
    let name = body.username.take().map(|name| read_name("username", &name, UserName::parse)).transpose()?;
    let password = body.password.take().map(|given| password("password", Some(given))).transpose()?;
    let patch = UserPatch {
        name,
        password,
        must_change: body.password_change_required,
        clear_lockout: body.failed_logins_count.is_some(),
        password_policy: body.password_policy()?,
        profile: body.profile()?,
    };
    let user = services.users.update(auth.permit, &auth.context, id, patch).await?;
    Ok(Json(view(&services, &user)))
}

/// `DELETE /v1/usermgmt/users/{id}`
pub async fn remove(
    auth: Authorized<ManageUsers>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.users.remove(auth.permit, &auth.context, user_id(&id)?).await?;
    Ok(NoContent)
}

/// The user id in a path or a body.
pub fn user_id(text: &str) -> Result<UserId, Refusal> {
    UserId::parse_subject(text).map_err(|problem| invalid("user_id", problem))
}

/// The view of a user, with the lockout as it is now.
pub fn view(services: &Services, user: &User) -> UserView {
    let (published, now) = (services.state(), services.now());
    let is_due = user.password_due(published.state.password_policies.of(user), now);
    view_of(user, services.users.locked_since(user), is_due)
}

fn view_of(user: &User, locked_since: Option<Time>, password_due: bool) -> UserView {
    let profile = &user.profile;
    UserView {
        user_id: user.id.subject(),
        username: user.name.to_string(),
        name: profile.full_name.clone(),
        nickname: profile.nickname.clone(),
        email: profile.email.clone(),
        email_verified: profile.email_verified,
        user_metadata: object_or_empty(profile.user_metadata.as_ref()),
        app_metadata: object_or_empty(profile.app_metadata.as_ref()),
        connection: "local_account",
        allowed_auth_methods: [PASSWORD],
        enable_cert_auth: false,
        certificate_subject_dn: "",
        is_domain_user: false,
        password_policy: user.password_policy.clone().unwrap_or_else(PasswordPolicyName::global).to_string(),
        created_at: user.created.to_string(),
        updated_at: user.updated.to_string(),
        last_login: user.last_login.map(|at| at.to_string()),
        logins_count: user.logins,
        failed_logins_count: user.failures.iter().map(|failures| u64::from(failures.count)).sum(),
        account_lockout_at: locked_since.map(|at| at.to_string()),
        password_change_required: password_due,
        password_changed_at: user.password_set.to_string(),
        login_flags: LoginFlags { prevent_ui_login: profile.prevent_ui_login },
        groups: user.groups.iter().map(ToString::to_string).collect(),
    }
}

/// The only way to sign in.
const PASSWORD: &str = "password";

fn refuse_long(texts: [(&'static str, &Option<String>); 3]) -> Result<(), Refusal> {
    let long = |(_, given): &(_, &Option<String>)| given.as_ref().is_some_and(|text| text.chars().count() > NAME_MAX);
    match texts.into_iter().find(long) {
        Some((member, _)) => Err(too_long(member, NAME_MAX)),
        None => Ok(()),
    }
}

impl OwnUserBody {
    fn profile(self) -> Result<ProfilePatch, Refusal> {
        let is_given = |member: &&&str| self.others.get(**member).is_some_and(|value| !value.is_null() && value != "");
        if let Some(member) = MANAGED.iter().find(is_given) {
            return Err(invalid(member, "cannot be changed here, only by those who manage users"));
        }
        refuse_long([("name", &self.name), ("nickname", &self.nickname), ("email", &self.email)])?;
        Ok(ProfilePatch {
            full_name: self.name,
            nickname: self.nickname,
            email: self.email,
            user_metadata: read_object("user_metadata", self.user_metadata)?,
            ..ProfilePatch::default()
        })
    }
}

impl UserBody {
    fn password_policy(&self) -> Result<Option<PasswordPolicyName>, Refusal> {
        self.password_policy.as_ref().map(|name| policy_name("password_policy", name)).transpose()
    }

    fn profile(self) -> Result<ProfilePatch, Refusal> {
        if self.allowed_auth_methods.is_some_and(|methods| methods.is_empty() || methods.iter().any(|m| m != PASSWORD))
        {
            return Err(invalid("allowed_auth_methods", format!("must be [\"{PASSWORD}\"]: there is no other way")));
        }
        if let Some(connection) = &self.connection {
            super::body::one_of("connection", connection, &[("local_account", ())])?;
        }
        if self.failed_logins_count.is_some_and(|count| count != 0) {
            return Err(invalid("failed_logins_count", "can only be set to 0"));
        }
        let name = self.name.or(self.full_name);
        refuse_long([("name", &name), ("nickname", &self.nickname), ("email", &self.email)])?;
        Ok(ProfilePatch {
            full_name: name,
            nickname: self.nickname,
            email: self.email,
            email_verified: self.email_verified,
            user_metadata: read_object("user_metadata", self.user_metadata)?,
            app_metadata: read_object("app_metadata", self.app_metadata)?,
            prevent_ui_login: self.login_flags.and_then(|flags| flags.prevent_ui_login),
        })
    }
}
