//! AWS connections.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, clearable, one_of, optional, read_as, read_name, required};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::Authorized;
use super::json_object::{object_or_empty, read_object};
use super::paging::{self, List, Listing};
use crate::domain::connection::patch::ConnectionPatch;
use crate::domain::connection::{Connection, ConnectionSettings, StsEndpoints};
use crate::domain::kms::RoleRequest;
use crate::domain::name::ConnectionName;
use crate::domain::place::{ExternalId, Partition, Region, RoleArn};
use crate::domain::refusal::{Bounds, Refusal};
use crate::service::Services;
use crate::service::access::{ManageConnections, ViewConnections};
use crate::service::connections::{NewConnection, TestOutcome};
use crate::service::failure::{invalid, out_of_range, too_long};
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
    /// The access key id. Required for a new connection.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "AKIAIOSFODNN7EXAMPLE")]
    access_key_id: Option<String>,
    /// The secret access key, which no answer contains. Required for a new connection.
    #[serde(default, deserialize_with = "optional")]
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
    /// IAM Roles Anywhere instead of an access key; `true` is not supported.
    #[serde(default, deserialize_with = "optional")]
    is_role_anywhere: Option<bool>,
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

/// A connection, without its secret access key.
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
    /// The region of the EC2 endpoint, and of the STS endpoint if that is regional. The default is that of the partition.
    #[schema(example = "us-east-1")]
    aws_region: String,
    /// `legacy` or `regional`.
    aws_sts_regional_endpoints: &'static str,
    /// Always `false`: IAM Roles Anywhere is not supported.
    is_role_anywhere: bool,
}

/// The result of a connection test.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionTest)]
pub struct TestView {
    /// Whether AWS accepts the credentials of the connection.
    connection_ok: bool,
    /// The error, if the test failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    connection_error: Option<String>,
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

/// `PATCH /v1/connectionmgmt/services/aws/connections/{id}`
pub async fn update(
    auth: Authorized<ManageConnections>,
    id: Path<String>,
    body: Body<ConnectionBody>,
    services: Data<Services>,
) -> Result<Json<ConnectionView>, Problem> {
    let mut body = body.0;
    let name = body.name.take().map(|name| read_name("name", &name, ConnectionName::parse)).transpose()?;
    let secret = body.secret()?;
    let patch = body.patch()?;
    let changed = services.connections.update(auth.permit, &auth.context, &id, name, patch, secret).await?;
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

/// `POST /v1/connectionmgmt/services/aws/connections/{id}/test`
pub async fn test(
    auth: Authorized<ManageConnections>,
    id: Path<String>,
    services: Data<Services>,
) -> Result<Json<TestView>, Problem> {
    let outcome = services.connections.test(auth.permit, &auth.context, &id).await?;
    Ok(Json(TestView::of(outcome)))
}

/// `POST /v1/connectionmgmt/services/aws/connection-test`
pub async fn try_out(
    auth: Authorized<ManageConnections>,
    body: Body<ConnectionBody>,
    services: Data<Services>,
) -> Result<Json<TestView>, Problem> {
    let outcome = services.connections.test_unstored(&auth.permit, &body.0.new_connection()?).await;
    Ok(Json(TestView::of(outcome)))
}

impl ConnectionBody {
    fn new_connection(mut self) -> Result<NewConnection, Refusal> {
        // This comes before the check for an access key, which such a connection would not have.
        self.refuse_role_anywhere()?;
        let secret = required("secret_access_key", self.secret()?)?;
        let patch = self.patch()?;
        let access_key_id = required("access_key_id", patch.access_key_id.clone())?;
        Ok(NewConnection { settings: ConnectionSettings::new(access_key_id).patched(patch)?, secret })
    }

    fn refuse_role_anywhere(&self) -> Result<(), Refusal> {
        match self.is_role_anywhere {
            Some(true) => {
                Err(invalid("is_role_anywhere", "IAM Roles Anywhere is not supported; give an access key pair"))
            }
            _ => Ok(()),
        }
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
        self.refuse_role_anywhere()?;
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
            is_role_anywhere: false,
        }
    }
}

impl TestView {
    fn of(outcome: TestOutcome) -> Self {
        Self { connection_ok: outcome.error.is_none(), connection_error: outcome.error }
    }
}
