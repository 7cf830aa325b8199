//! `GET /v1/cckm/aws/permissions`: the IAM policy that the credentials of a connection need.

use super::answer::Json;
use super::body::one_of;
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::Authorized;
use super::kms::assumed_role;
use super::query::{once, quoted};
use crate::service::Services;
use crate::service::access::{ManageKms, ViewConnections};
use crate::service::permissions::{self, Capability, Policy, Whose};
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use std::future::{Ready, ready};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

/// The permissions that the credentials of a connection need.
#[derive(Serialize, ToSchema)]
#[schema(as = Permissions)]
pub struct PermissionsView {
    /// What the policy is for.
    r#for: Vec<&'static str>,
    /// The least IAM policy, to paste into IAM.
    policy: Policy,
    /// The actions, and the reason of each.
    actions: Vec<NeededView>,
    /// The actions that IAM does not allow; only with `kms` or `connection`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    missing: Option<Vec<String>>,
}

/// An action that is needed.
#[derive(Serialize, ToSchema)]
#[schema(as = NeededPermission)]
struct NeededView {
    /// The action.
    action: &'static str,
    /// What needs it.
    needed_by: Vec<&'static str>,
    /// What Claviger does with it.
    purpose: &'static str,
    /// Whether everything else works without it.
    optional: bool,
}

/// `?for=` and whose permissions to compare.
pub struct PermissionsQuery {
    wanted: Vec<Capability>,
    whose: Option<Whose>,
}

/// `GET /v1/cckm/aws/permissions`
pub async fn get(
    auth: Authorized<ManageKms>,
    query: PermissionsQuery,
    services: Data<Services>,
) -> Result<Json<PermissionsView>, Problem> {
    let PermissionsQuery { wanted, whose } = query;
    let missing = match &whose {
        Some(whose) => Some(services.kms.missing(&auth.permit, &wanted, whose).await?),
        None => None,
    };
    Ok(Json(PermissionsView::of(&wanted, missing)))
}

/// `GET /v1/connectionmgmt/services/aws/permissions`
pub async fn of_connections(_: Authorized<ViewConnections>, query: CapabilitiesQuery) -> Json<PermissionsView> {
    Json(PermissionsView::of(&query.0.unwrap_or_else(|| Capability::ALL.to_vec()), None))
}

impl PermissionsView {
    fn of(wanted: &[Capability], missing: Option<Vec<String>>) -> Self {
        let names = |all: &[Capability]| all.iter().map(|one| one.name()).collect::<Vec<_>>();
        let needed = permissions::needed_by(wanted).map(|needed| NeededView {
            action: needed.action,
            needed_by: names(needed.by),
            purpose: needed.purpose,
            optional: needed.optional,
        });
        Self { r#for: names(wanted), policy: permissions::policy(wanted), actions: needed.collect(), missing }
    }
}

/// `?for=`; `None` if it is not given.
pub struct CapabilitiesQuery(pub(super) Option<Vec<Capability>>);

impl FromRequest for CapabilitiesQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let wanted = once(request.query_string(), ["for"]);
        ready(wanted.and_then(|[text]| text.map(|text| capabilities(&text)).transpose()).map(Self))
    }
}

impl Described for CapabilitiesQuery {
    fn describe(to: &mut Description) {
        let names = quoted(&Capability::ALL.map(|one| one.name()));
        let text = format!("What to use: {names}, with commas between them.");
        to.queries("for", text, Object::with_type(Type::String));
        to.may_fail(&[400]);
    }
}

impl FromRequest for PermissionsQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()))
    }
}

fn parse(query: &str) -> Result<PermissionsQuery, Problem> {
    let [wanted, kms, connection, role, external_id] =
        once(query, ["for", "kms", "connection", "assume_role_arn", "assume_role_external_id"])?;
    let wanted = wanted.map_or_else(|| Ok(Capability::ALL.to_vec()), |text| capabilities(&text))?;
    let role = assumed_role(role, external_id)?;
    let whose = match (kms, connection, role) {
        (Some(kms), None, None) => Some(Whose::Kms(kms)),
        (None, Some(connection), role) => Some(Whose::Connection(connection, role)),
        (None, None, None) => None,
        (Some(_), Some(_), _) => return Err(Problem::query("kms", "and connection exclude each other")),
        (_, None, Some(_)) => return Err(Problem::query("assume_role_arn", "needs a connection")),
    };
    Ok(PermissionsQuery { wanted, whose })
}

/// Reads capabilities with commas between them.
fn capabilities(text: &str) -> Result<Vec<Capability>, Problem> {
    let words = Capability::ALL.map(|one| (one.name(), one));
    let given: Result<Vec<Capability>, _> = text.split(',').map(|word| one_of("for", word.trim(), &words)).collect();
    let given = given?;
    Ok(Capability::ALL.into_iter().filter(|one| given.contains(one)).collect())
}

impl Described for PermissionsQuery {
    fn describe(to: &mut Description) {
        let text = || Object::with_type(Type::String);
        let names = quoted(&Capability::ALL.map(|one| one.name()));
        to.queries("for", format!("What to use: {names}, with commas between them; all by default."), text());
        to.queries("kms", "The name or id of a KMS whose permissions are compared.", text());
        to.queries("connection", "The name or id of a connection whose permissions are compared.", text());
        to.queries("assume_role_arn", "A role that is assumed with the connection.", text());
        to.queries("assume_role_external_id", "The external id for that role.", text());
        to.may_fail(&[400]);
    }
}
