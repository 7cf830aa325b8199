//! Tests of connections at AWS.

use super::ConnectionBody;
use crate::http::answer::Json;
use crate::http::body::Body;
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::http::permissions::CapabilitiesQuery;
use crate::service::Services;
use crate::service::access::ManageConnections;
use crate::service::connections::TestOutcome;
use actix_web::web::{Data, Path};
use serde::Serialize;
use utoipa::ToSchema;

/// The result of a connection test.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = ConnectionTest)]
pub struct TestView {
    /// Whether AWS accepts the credentials of the connection.
    connection_ok: bool,
    /// The error, if the test failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    connection_error: Option<String>,
    /// The AWS account of the credentials; this and the next members only with `for`, if the test succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<String>,
    /// The ARN of the user, or of the session of a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    caller: Option<String>,
    /// The regions that are enabled in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    regions: Option<Vec<String>>,
    /// Why the regions could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    regions_error: Option<String>,
    /// The actions of the policy for these uses that IAM does not allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    missing: Option<Vec<String>>,
    /// Why IAM could not be asked for them; it takes `iam:SimulatePrincipalPolicy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    missing_error: Option<String>,
}

/// `POST /v1/connectionmgmt/services/aws/connections/{id}/test`
pub async fn test(
    auth: Authorized<ManageConnections>,
    id: Path<String>,
    details: CapabilitiesQuery,
    services: Data<Services>,
) -> Result<Json<TestView>, Problem> {
    let outcome = services.connections.test(auth.permit, &auth.context, &id, details.0.as_deref()).await?;
    Ok(Json(TestView::of(outcome)))
}

/// `POST /v1/connectionmgmt/services/aws/connection-test`
pub async fn try_out(
    auth: Authorized<ManageConnections>,
    details: CapabilitiesQuery,
    body: Body<ConnectionBody>,
    services: Data<Services>,
) -> Result<Json<TestView>, Problem> {
    let new = body.0.new_connection()?;
    let outcome = services.connections.test_unstored(&auth.permit, &new, details.0.as_deref()).await;
    Ok(Json(TestView::of(outcome)))
}

fn apart<T>(result: Result<T, String>) -> (Option<T>, Option<String>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(reason) => (None, Some(reason)),
    }
}

impl TestView {
    fn of(outcome: TestOutcome) -> Self {
        let (ok, error) = (outcome.error.is_none(), outcome.error);
        let Some(details) = outcome.details else {
            return Self { connection_ok: ok, connection_error: error, ..Self::default() };
        };
        let (regions, regions_error) = apart(details.regions);
        let (missing, missing_error) = apart(details.missing);
        Self {
            connection_ok: ok,
            connection_error: error,
            account_id: Some(details.account.to_string()),
            caller: Some(details.arn.to_string()),
            regions: regions.map(|all| all.iter().map(|region| region.as_str().to_owned()).collect()),
            regions_error,
            missing,
            missing_error,
        }
    }
}
