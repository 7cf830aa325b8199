//! Tokens: sign in, refresh, revoke; and the change of one's own password, which needs no token.

use super::answer::{Json, NoContent, Unstored};
use super::body::{ShortBody, one_of, optional, required, secret};
use super::error::Problem;
use super::guard::{Anonymous, Authorized};
use super::paging::{Columns, List, Listing};
use super::session_cookie::{CookieChange, SessionCookie, WithCookie};
use crate::domain::id::RefreshTokenId;
use crate::domain::name::NAME_MAX;
use crate::domain::refusal::Refusal;
use crate::domain::session::Session;
use crate::service::Services;
use crate::service::access::{Permit, SignedIn};
use crate::service::failure::{invalid, too_long};
use crate::service::tokens::{Issued, RefreshRequest};
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// The credentials and options for a new token.
#[derive(Deserialize, ToSchema)]
#[schema(as = TokenRequest)]
pub struct TokenBody {
    /// The grant: `password` (default) or `refresh_token`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "password")]
    grant_type: Option<String>,
    /// The user name, for the grant `password`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "admin")]
    username: Option<String>,
    /// The password, for the grant `password`.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    password: Option<Zeroizing<String>>,
    /// The refresh token, for the grant `refresh_token`.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    refresh_token: Option<Zeroizing<String>>,
    /// `local_account` (default): the only connection there is.
    #[serde(default, deserialize_with = "optional")]
    connection: Option<String>,
    /// The name or id of the root domain, which is the only one.
    #[serde(default, deserialize_with = "optional")]
    domain: Option<String>,
    /// The same as `domain`.
    #[serde(default, deserialize_with = "optional")]
    auth_domain: Option<String>,
    /// The same as `domain`.
    #[serde(default, deserialize_with = "optional")]
    auth_domain_path: Option<String>,
    /// Labels for the session.
    #[serde(default, deserialize_with = "optional")]
    labels: Option<Vec<String>>,
    /// The lifetime of the refresh token in minutes; 0 stands for unlimited.
    #[serde(default, deserialize_with = "optional")]
    refresh_token_lifetime: Option<u64>,
    /// Minutes without use after which the refresh token expires; 0 stands for unlimited.
    #[serde(default, deserialize_with = "optional")]
    refresh_token_revoke_unused_in: Option<u64>,
    /// Replace the refresh token by a new one.
    #[serde(default, deserialize_with = "optional")]
    renew_refresh_token: Option<bool>,
    /// Keep the refresh token in a cookie that scripts cannot read, instead of the body, and replace it with each use. It
    /// requires the header `X-Claviger-Console: 1`.
    #[serde(default, deserialize_with = "optional")]
    cookies: Option<bool>,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct IssuedView {
    /// The access token, for the header `Authorization: Bearer <jwt>`.
    jwt: String,
    /// The lifetime of the access token in seconds.
    #[schema(example = 300)]
    duration: i64,
    /// Always `Bearer`.
    token_type: &'static str,
    /// The id of the session.
    client_id: String,
    /// The id of the refresh token.
    refresh_token_id: String,
    /// The refresh token; absent if it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    refresh_token: Option<Zeroizing<String>>,
}

/// A refresh token, without its value.
#[derive(Serialize, ToSchema)]
#[schema(as = RefreshToken)]
pub struct TokenView {
    /// The id of the refresh token.
    id: String,
    /// The id of the user.
    user_id: String,
    /// The time of the sign-in.
    #[serde(rename = "createdAt")]
    #[schema(format = DateTime)]
    created_at: String,
    /// The time at which the refresh token was last used.
    #[schema(format = DateTime)]
    last_used_at: String,
    /// The time at which the refresh token expires, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    expires_at: Option<String>,
    /// The labels of the session.
    labels: Vec<String>,
    /// Whether the call itself belongs to the session.
    current: bool,
}

/// How many sessions were closed.
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedTokens)]
pub struct RevokedView {
    /// The number of sessions.
    #[schema(example = 2)]
    revoked: usize,
}

/// A refresh token to revoke.
#[derive(Deserialize, ToSchema)]
#[schema(as = RevokeRequest)]
pub struct RevokeBody {
    /// The refresh token.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    refresh_token: Option<Zeroizing<String>>,
    /// Revoke the refresh token in the cookie, and remove the cookie. It requires the header `X-Claviger-Console: 1`.
    #[serde(default, deserialize_with = "optional")]
    cookies: Option<bool>,
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChangePasswordRequest)]
pub struct ChangePasswordBody {
    /// The user name.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true)]
    username: Option<String>,
    /// The current password.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = String, required = true, write_only)]
    password: Option<Zeroizing<String>>,
    /// The new password.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = String, required = true, write_only)]
    new_password: Option<Zeroizing<String>>,
}

/// The largest number of labels; a session keeps them in memory.
const LABELS_MAX: usize = 64;
/// The largest sum of the lengths of all labels, in bytes.
const LABELS_BYTES_MAX: usize = 4096;

#[derive(Clone, Copy)]
enum Grant {
    Password,
    RefreshToken,
}

/// `POST /v1/auth/tokens`
pub async fn issue(
    caller: Anonymous,
    cookie: SessionCookie,
    body: ShortBody<TokenBody>,
    services: Data<Services>,
) -> Result<WithCookie<Unstored<IssuedView>>, Problem> {
    refuse_dry_run(&caller)?;
    let mut body = body.0;
    let (grant, in_cookie) = (body.grant()?, body.cookies == Some(true));
    let patch = body.patch()?;
    if in_cookie {
        // Also for a sign-in: a page of somebody else must not put its own session into the browser.
        cookie.require_header()?;
    }
    let issued = match grant {
        Grant::Password => {
            let name = required("username", body.username)?;
            caller.tried(&name);
            let password = password("password", body.password)?;
            services.tokens.sign_in(&caller.context, &name, &caller.source, password, patch).await?
        }
        Grant::RefreshToken if in_cookie => {
            if body.refresh_token.is_some() {
                return Err(invalid("refresh_token", "must be absent with `cookies`: it is in the cookie").into());
            }
            let patch = RefreshRequest { renew: true, ..patch };
            services.tokens.refresh(&caller.context, &caller.source, cookie.token()?, patch).await?
        }
        Grant::RefreshToken => {
            let token = required("refresh_token", body.refresh_token)?;
            services.tokens.refresh(&caller.context, &caller.source, token, patch).await?
        }
    };
    caller.signed_in_as(issued.user.clone());
    let (mut view, mut change) = (IssuedView::of(issued), CookieChange::None);
    if in_cookie && let Some(token) = view.refresh_token.take() {
        change = CookieChange::Set(token);
    }
    Ok(WithCookie { answer: Unstored(view), change })
}

/// `GET /v1/auth/tokens`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Session>,
    services: Data<Services>,
) -> Result<List<TokenView>, Problem> {
    let users: Vec<_> = listing.0.filters.iter().map(|(_, user)| user.as_str()).collect();
    let sessions = services.tokens.list(&auth.permit, &users, &listing.0.sort)?;
    let (skip, limit) = (listing.0.skip, listing.0.limit);
    let rows = sessions.iter().skip(skip).take(limit.rows()).map(|session| TokenView::of(session, &auth.permit));
    List::of(&listing.0, limit, sessions.len(), rows)
}

/// `GET /v1/auth/tokens/{id}`
pub async fn get(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<TokenView>, Problem> {
    Ok(Json(TokenView::of(&services.tokens.get(&auth.permit, token_id(&id)?)?, &auth.permit)))
}

/// `DELETE /v1/auth/tokens/{id}`
pub async fn revoke_by_id(
    auth: Authorized<SignedIn>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<WithCookie<NoContent>, Problem> {
    let id = token_id(&id)?;
    let is_own = is_of_caller(&services.tokens.get(&auth.permit, id)?, &auth.permit);
    services.tokens.revoke_by_id(&auth.permit, &auth.context, id).await?;
    let change = if is_own && !auth.context.dry_run { CookieChange::Remove } else { CookieChange::None };
    Ok(WithCookie { answer: NoContent, change })
}

/// `POST /v1/auth/self/revoke-others`
pub async fn revoke_others(auth: Authorized<SignedIn>, services: Data<Services>) -> Result<Json<RevokedView>, Problem> {
    Ok(Json(RevokedView { revoked: services.tokens.revoke_others(&auth.permit, &auth.context).await? }))
}

/// `POST /v1/auth/revoke`
pub async fn revoke(
    caller: Anonymous,
    cookie: SessionCookie,
    body: ShortBody<RevokeBody>,
    services: Data<Services>,
) -> Result<WithCookie<NoContent>, Problem> {
    if body.0.cookies != Some(true) {
        let token = required("refresh_token", body.0.refresh_token)?;
        services.tokens.revoke(&caller.context, &token).await?;
        return Ok(WithCookie::unchanged(NoContent));
    }
    match cookie.token() {
        Ok(token) => services.tokens.revoke(&caller.context, &token).await?,
        // There is no session to end.
        Err(Problem::NoSessionCookie) => {}
        Err(problem) => return Err(problem),
    }
    let change = if caller.context.dry_run { CookieChange::None } else { CookieChange::Remove };
    Ok(WithCookie { answer: NoContent, change })
}

/// `PATCH /v1/auth/changepw`
pub async fn change_password(
    caller: Anonymous,
    body: ShortBody<ChangePasswordBody>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    refuse_dry_run(&caller)?;
    let name = required("username", body.0.username)?;
    caller.tried(&name);
    let present = password("password", body.0.password)?;
    let new = password("new_password", body.0.new_password)?;
    caller.signed_in_as(services.users.change_password(&caller.context, &name, &caller.source, present, new).await?);
    Ok(NoContent)
}

/// Refuses a dry run. A failed login must count, since otherwise a dry run could be used to guess passwords.
fn refuse_dry_run(caller: &Anonymous) -> Result<(), Refusal> {
    match caller.context.dry_run {
        true => Err(invalid("dry_run", "is not supported for passwords and tokens")),
        false => Ok(()),
    }
}

fn is_of_caller(session: &Session, permit: &Permit<SignedIn>) -> bool {
    permit.caller().session() == Some(session.id)
}

fn token_id(text: &str) -> Result<RefreshTokenId, Refusal> {
    RefreshTokenId::parse(text).map_err(|problem| invalid("id", problem))
}

/// Reads a password. Its length is limited, since the time of hashing grows with it.
pub fn password(member: &'static str, value: Option<Zeroizing<String>>) -> Result<Zeroizing<String>, Refusal> {
    let password = required(member, value)?;
    let most = crate::domain::password::PASSWORD_MAX as usize;
    if password.chars().count() > most {
        return Err(too_long(member, most));
    }
    Ok(password)
}

impl TokenBody {
    fn grant(&self) -> Result<Grant, Refusal> {
        if let Some(connection) = &self.connection {
            one_of("connection", connection, &[("local_account", ())])?;
        }
        let roots = [("root", ()), ("kylo", ()), ("/", ()), ("00000000-0000-0000-0000-000000000000", ())];
        let domains = [
            ("domain", &self.domain),
            ("auth_domain", &self.auth_domain),
            ("auth_domain_path", &self.auth_domain_path),
        ];
        for (member, value) in domains {
            if let Some(value) = value {
                one_of(member, value, &roots)?;
            }
        }
        let words = [("password", Grant::Password), ("refresh_token", Grant::RefreshToken)];
        self.grant_type.as_deref().map_or(Ok(Grant::Password), |grant| one_of("grant_type", grant, &words))
    }

    fn patch(&mut self) -> Result<RefreshRequest, Refusal> {
        let labels = self.labels.take().unwrap_or_default();
        let bytes: usize = labels.iter().map(String::len).sum();
        if labels.len() > LABELS_MAX
            || bytes > LABELS_BYTES_MAX
            || labels.iter().any(|label| label.chars().count() > NAME_MAX)
        {
            let most = format!(
                "must be at most {LABELS_MAX} texts of at most {NAME_MAX} characters, and {LABELS_BYTES_MAX} bytes together"
            );
            return Err(invalid("labels", most));
        }
        Ok(RefreshRequest {
            in_console: self.cookies == Some(true),
            lifetime_minutes: self.refresh_token_lifetime,
            unused_minutes: self.refresh_token_revoke_unused_in,
            renew: self.renew_refresh_token.unwrap_or(false),
            labels,
        })
    }
}

impl IssuedView {
    fn of(issued: Issued) -> Self {
        Self {
            jwt: issued.jwt,
            duration: issued.duration,
            token_type: "Bearer",
            client_id: issued.client_id.to_string(),
            refresh_token_id: issued.refresh_token_id.to_string(),
            refresh_token: Some(issued.refresh_token),
        }
    }
}

impl Columns for Session {
    const SORTS: &'static [&'static str] = &["createdAt"];
    const FILTERS: &'static [&'static str] = &["user_id"];
}

impl TokenView {
    fn of(session: &Session, permit: &Permit<SignedIn>) -> Self {
        Self {
            id: session.refresh.id.to_string(),
            user_id: session.user.subject(),
            created_at: session.opened.to_string(),
            last_used_at: session.used.to_string(),
            expires_at: session.refresh_ends().map(|end| end.to_string()),
            labels: session.labels.clone(),
            current: is_of_caller(session, permit),
        }
    }
}
