//! AWS connections.

mod testing;

pub use testing::{test, try_out};

use super::answer::{Created, Json, NoContent};
use super::body::{Body, clearable, one_of, optional, optional_object, read_as, read_name, required, secret};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::Authorized;
use super::history::{InPath, at};
use super::json_object::{object_or_empty, read_object};
use super::paging::{self, List, Listing};
use crate::domain::connection::patch::ConnectionPatch;
use crate::domain::connection::roles_anywhere::{self, RolesAnywhere};
use crate::domain::connection::{Connection, ConnectionSettings, StsEndpoints};
use crate::domain::id::ConnectionId;
use crate::domain::kms::RoleRequest;
use crate::domain::name::ConnectionName;
use crate::domain::place::{Arn, ExternalId, Partition, Region, RoleArn};
use crate::domain::refusal::{Bounds, Refusal};
use crate::service::Services;
use crate::service::access::{ManageConnections, ViewConnections};
use crate::service::connections::{ConnectionUpdate, NewConnection};
use crate::service::failure::{invalid, out_of_range, too_long};
use crate::service::roles_anywhere::{RolesAnywhereMembers, RolesAnywhereRequest};
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A connection to create, change or test. A member that is absent keeps its value, or has its default.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = ConnectionRequest)]
pub struct ConnectionBody {
    /// The unique name of the connection. Required for a new connection.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "test_aws-connection")]
    name: Option<String>,
    /// A description of the connection.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// The access key id. Required for a new connection without a certificate.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "AKIAIOSFODNN7EXAMPLE")]
    access_key_id: Option<String>,
    /// The secret access key, which no answer contains. Required for a new connection without a certificate.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    secret_access_key: Option<Zeroizing<String>>,
    /// `aws` (default), `aws-us-gov` or `aws-cn`.
    #[serde(default, deserialize_with = "optional")]
    cloud_name: Option<String>,
    /// The ARN of a role that the connection itself assumes.
    #[serde(default, deserialize_with = "optional")]
    assume_role_arn: Option<String>,
    /// The external id that the role requires; only with `assume_role_arn`.
    #[serde(default, deserialize_with = "optional")]
    assume_role_external_id: Option<String>,
    /// The region of the EC2 endpoint, and of the STS endpoint if that is regional.
    #[serde(default, deserialize_with = "optional")]
    aws_region: Option<String>,
    /// `legacy` (default) for the global STS endpoint; `regional` for that of `aws_region`.
    #[serde(default, deserialize_with = "optional")]
    aws_sts_regional_endpoints: Option<String>,
    /// Whether the connection uses a certificate over IAM Roles Anywhere in place of an access key.
    #[serde(default, deserialize_with = "optional")]
    is_role_anywhere: Option<bool>,
    /// The certificate, and what AWS gives for it; only with `is_role_anywhere`.
    #[serde(default, deserialize_with = "optional_object")]
    iam_role_anywhere: Option<RolesAnywhereBody>,
    /// The products that use the connection; only `cckm` is valid.
    #[serde(default, deserialize_with = "optional")]
    products: Option<Vec<String>>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    labels: Option<Value>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    meta: Option<Value>,
}

/// A certificate for IAM Roles Anywhere. All members are required for a new connection.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = RolesAnywhereRequest)]
pub struct RolesAnywhereBody {
    /// The ARN of the role of the sessions.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "arn:aws:iam::123456789012:role/keys")]
    anywhere_role_arn: Option<String>,
    /// The certificate in PEM. Its chain may follow it.
    #[serde(default, deserialize_with = "optional")]
    certificate: Option<String>,
    /// The ARN of the profile.
    #[serde(default, deserialize_with = "optional")]
    profile_arn: Option<String>,
    /// The ARN of the trust anchor.
    #[serde(default, deserialize_with = "optional")]
    trust_anchor_arn: Option<String>,
    /// The private key of the certificate in PEM, which no answer contains.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only)]
    private_key: Option<Zeroizing<String>>,
}

/// A certificate for IAM Roles Anywhere, without its private key.
#[derive(Serialize, ToSchema)]
#[schema(as = RolesAnywhere)]
pub struct RolesAnywhereView {
    /// The ARN of the role of the sessions.
    anywhere_role_arn: String,
    /// The certificate in PEM.
    certificate: String,
    /// The ARN of the profile.
    profile_arn: String,
    /// The ARN of the trust anchor.
    trust_anchor_arn: String,
}

/// A connection, without its secrets.
#[derive(Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView {
    #[serde(flatten)]
    envelope: Envelope,
    /// Always `aws`.
    service: &'static str,
    /// Always `cloud`.
    category: &'static str,
    /// The path of the connection in the API.
    resource_url: String,
    /// Whether the last test succeeded; null before the first test.
    #[schema(required = true)]
    last_connection_ok: Option<bool>,
    /// The error of the last test.
    #[schema(required = true)]
    last_connection_error: Option<String>,
    /// The time of the last test.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_connection_at: Option<String>,
    /// The name of the connection.
    name: String,
    /// A description of the connection.
    description: String,
    /// The products that use the connection.
    products: Vec<String>,
    /// A JSON object for the use of clients.
    #[schema(value_type = Object)]
    labels: Value,
    /// A JSON object for the use of clients.
    #[schema(value_type = Object)]
    meta: Value,
    /// The AWS partition of the connection.
    cloud_name: &'static str,
    /// The access key id.
    access_key_id: String,
    /// The role that the connection itself assumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_arn: Option<String>,
    /// The external id that the role requires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_external_id: Option<String>,
    /// The region of the EC2 endpoint, and of the STS endpoint if that is regional. The default is that of the
    /// partition.
    #[schema(example = "us-east-1")]
    aws_region: String,
    /// `legacy` or `regional`.
    aws_sts_regional_endpoints: &'static str,
    /// Whether the connection uses a certificate over IAM Roles Anywhere.
    is_role_anywhere: bool,
    /// The certificate, and what AWS gives for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iam_role_anywhere: Option<RolesAnywhereView>,
}

/// `POST /v1/connectionmgmt/services/aws/connections`
pub async fn create(
    auth: Authorized<ManageConnections>,
    body: Body<ConnectionBody>,
    services: Data<Services>,
) -> Result<Created<ConnectionView>, Problem> {
    let mut body = body.0;
    let name = read_name("name", &required("name", body.name.take())?, ConnectionName::parse)?;
    let connection = services.connections.create(auth.permit, &auth.context, name, body.new_connection()?).await?;
    Ok(Created(ConnectionView::of(&connection)))
}

/// `GET /v1/connectionmgmt/services/aws/connections`
pub async fn list(
    auth: Authorized<ViewConnections>,
    listing: Listing<Connection>,
    services: Data<Services>,
) -> Result<List<ConnectionView>, Problem> {
    let page = services.connections.list(&auth.permit, &listing.0).await?;
    paging::answer(page, |connection: &Arc<Connection>| ConnectionView::of(connection)).await
}

/// `GET /v1/connectionmgmt/services/aws/connections/{id}`
pub async fn get(
    auth: Authorized<ViewConnections>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<ConnectionView>, Problem> {
    let connection = services.connections.get(&auth.permit, &id)?;
    Ok(Json(ConnectionView::of(&connection)))
}

/// `GET /v1/connectionmgmt/services/aws/connections/{id}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<ViewConnections>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<ConnectionView>, Problem> {
    let id = ConnectionId::of(&request, &auth.permit.caller().published.state)?;
    let connection = services.histories.connection(&auth.permit, id, at(&request)?).await?;
    Ok(Json(ConnectionView::of(&connection)))
}

/// `PATCH /v1/connectionmgmt/services/aws/connections/{id}`
pub async fn update(
    auth: Authorized<ManageConnections>,
    id: Path<String>,
    body: Body<ConnectionBody>,
    services: Data<Services>,
) -> Result<Json<ConnectionView>, Problem> {
    let mut body = body.0;
    let name = body.name.take().map(|name| read_name("name", &name, ConnectionName::parse)).transpose()?;
    let (secret, roles_anywhere) = (body.secret()?, body.roles_anywhere()?);
    let update = ConnectionUpdate { name, patch: body.patch()?, secret, roles_anywhere };
    let changed = services.connections.update(auth.permit, &auth.context, &id, update).await?;
    Ok(Json(ConnectionView::of(&changed)))
}

/// `DELETE /v1/connectionmgmt/services/aws/connections/{id}`
pub async fn delete(
    auth: Authorized<ManageConnections>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.connections.delete(auth.permit, &auth.context, &id).await?;
    Ok(NoContent)
}

impl ConnectionBody {
    fn new_connection(mut self) -> Result<NewConnection, Refusal> {
        let (secret, roles_anywhere) = (self.secret()?, self.roles_anywhere()?);
        let patch = self.patch()?;
        // A certificate needs no access key. One that is given is kept.
        let (access_key_id, secret) = match roles_anywhere.wanted {
            Some(true) => (patch.access_key_id.clone().unwrap_or_default(), secret.unwrap_or_default()),
            _ => {
                let secret = required("secret_access_key", secret)?;
                (required("access_key_id", patch.access_key_id.clone())?, secret)
            }
        };
        let settings = ConnectionSettings::new(access_key_id).patched(patch)?;
        let roles_anywhere = roles_anywhere.of_new(&settings)?;
        Ok(NewConnection { settings, secret, roles_anywhere })
    }

    /// Takes the members of IAM Roles Anywhere out of the body.
    fn roles_anywhere(&mut self) -> Result<RolesAnywhereRequest, Refusal> {
        let members = self.iam_role_anywhere.take().map(RolesAnywhereBody::read).transpose()?;
        Ok(RolesAnywhereRequest { wanted: self.is_role_anywhere, members })
    }

    /// Takes the secret access key out of the body, if there is one.
    fn secret(&mut self) -> Result<Option<Zeroizing<String>>, Refusal> {
        let secret = self.secret_access_key.take();
        if secret.as_ref().is_some_and(|secret| secret.chars().count() > 1024) {
            return Err(too_long("secret_access_key", 1024));
        }
        Ok(secret)
    }

    fn patch(self) -> Result<ConnectionPatch, Refusal> {
        let is_key_id = |id: &str| id.len() <= 128 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if self.access_key_id.as_ref().is_some_and(|id| !is_key_id(id)) {
            let problem = "must be at most 128 letters, digits and `_`";
            return Err(out_of_range("access_key_id", Bounds::most(128), problem));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(too_long("description", 1024));
        }
        let words = [("legacy", StsEndpoints::Legacy), ("regional", StsEndpoints::Regional)];
        let sts = self.aws_sts_regional_endpoints.map(|text| one_of("aws_sts_regional_endpoints", &text, &words));
        let external_id = self.assume_role_external_id;
        Ok(ConnectionPatch {
            description: self.description,
            access_key_id: self.access_key_id,
            cloud: read_some("cloud_name", self.cloud_name, Partition::parse)?,
            role: RoleRequest {
                arn: read_some("assume_role_arn", self.assume_role_arn, RoleArn::parse)?,
                external_id: read_some("assume_role_external_id", external_id, ExternalId::parse)?,
            },
            region: read_some("aws_region", self.aws_region, Region::parse)?,
            sts_endpoints: sts.transpose()?,
            products: self.products.map(read_products).transpose()?,
            labels: read_object("labels", self.labels)?,
            meta: read_object("meta", self.meta)?,
        })
    }
}

impl RolesAnywhereBody {
    fn read(self) -> Result<RolesAnywhereMembers, Refusal> {
        const LONGEST: usize = 65_536;
        let texts = [
            ("iam_role_anywhere.certificate", self.certificate.as_ref().map(String::len)),
            ("iam_role_anywhere.private_key", self.private_key.as_ref().map(|key| key.len())),
        ];
        if let Some((member, _)) = texts.into_iter().find(|(_, length)| length.is_some_and(|length| length > LONGEST)) {
            return Err(invalid(member, "must not be longer than 65536 bytes"));
        }
        Ok(RolesAnywhereMembers {
            role: read_some(roles_anywhere::ROLE, self.anywhere_role_arn, RoleArn::parse)?,
            profile: read_some(roles_anywhere::PROFILE, self.profile_arn, Arn::parse)?,
            trust_anchor: read_some(roles_anywhere::TRUST_ANCHOR, self.trust_anchor_arn, Arn::parse)?,
            certificate: self.certificate,
            private_key: self.private_key,
        })
    }
}

impl RolesAnywhereView {
    fn of(access: &RolesAnywhere) -> Self {
        Self {
            anywhere_role_arn: access.role.as_arn().to_string(),
            certificate: access.certificate.clone(),
            profile_arn: access.profile.to_string(),
            trust_anchor_arn: access.trust_anchor.to_string(),
        }
    }
}

fn read_some<T, E: std::fmt::Display>(
    member: &'static str,
    text: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Refusal> {
    text.map(|text| read_as(member, &text, parse)).transpose()
}

fn read_products(products: Vec<String>) -> Result<Vec<String>, Refusal> {
    for product in &products {
        one_of("products", product, &[("cckm", ())])?;
    }
    Ok(products)
}

impl ConnectionView {
    fn of(connection: &Connection) -> Self {
        let settings = &connection.settings;
        let test = connection.last_test.as_ref();
        let role = settings.role.as_ref();
        Self {
            envelope: Envelope::new(
                connection.id,
                "connectionmgmt:connections",
                format!("{}-{}", connection.name, connection.id),
                connection.created,
                connection.updated,
            ),
            service: "aws",
            category: "cloud",
            resource_url: format!("/v1/connectionmgmt/services/aws/connections/{}", connection.id),
            last_connection_ok: test.map(|test| test.error.is_none()),
            last_connection_error: test.and_then(|test| test.error.clone()),
            last_connection_at: test.map(|test| test.at.to_string()),
            name: connection.name.to_string(),
            description: settings.description.clone(),
            products: settings.products.clone(),
            labels: object_or_empty(settings.labels.as_ref()),
            meta: object_or_empty(settings.meta.as_ref()),
            cloud_name: settings.cloud.as_str(),
            access_key_id: settings.access_key_id.clone(),
            assume_role_arn: role.map(|role| role.arn.as_arn().to_string()),
            assume_role_external_id: role.and_then(|role| Some(role.external_id.as_ref()?.as_str().to_owned())),
            aws_region: settings.region_or_default().to_string(),
            aws_sts_regional_endpoints: settings.sts_endpoints.name(),
            is_role_anywhere: connection.roles_anywhere.is_some(),
            iam_role_anywhere: connection.roles_anywhere.as_deref().map(RolesAnywhereView::of),
        }
    }
}
