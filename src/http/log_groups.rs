//! The log groups of a KMS's account, in AWS's own format.

use super::answer::Json;
use super::body::{Body, optional, required};
use super::error::Problem;
use super::guard::Authorized;
use crate::domain::place::Region;
use crate::domain::refusal::{Bounds, Refusal};
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::failure::{invalid, out_of_range};
use crate::service::log_groups::LogGroupsRequest;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The KMS and the region whose log groups are listed.
#[derive(Deserialize, ToSchema)]
#[schema(as = LogGroupsRequest)]
pub struct LogGroupsBody {
    /// The name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// A region of the partition, also one that the KMS does not manage.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "us-east-1")]
    region: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    cloud_watch_params: Option<PageBody>,
}

/// The page of log groups.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = LogGroupsPage)]
#[serde(rename_all = "camelCase")]
struct PageBody {
    /// The largest number of log groups, 1 to 50; AWS's default, 50, if absent.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = 50)]
    limit: Option<i64>,
    /// The beginning of the names.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws-cloudtrail-logs")]
    log_group_name_prefix: Option<String>,
    /// The `nextToken` of the previous page.
    #[serde(default, deserialize_with = "optional")]
    next_token: Option<String>,
}

/// A page of log groups.
#[derive(Serialize, ToSchema)]
#[schema(as = LogGroups)]
#[serde(rename_all = "camelCase")]
pub struct LogGroupsView {
    /// The log groups, as AWS describes them.
    #[schema(value_type = Vec<Object>)]
    log_groups: Vec<Map<String, Value>>,
    /// The value of `nextToken` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_token: Option<String>,
}

/// `POST /v1/cckm/aws/get-log-groups`
pub async fn list(
    auth: Authorized<SignedIn>,
    body: Body<LogGroupsBody>,
    services: Data<Services>,
) -> Result<Json<LogGroupsView>, Problem> {
    let page = services.kms.log_groups(&auth.permit, body.0.wanted()?).await?;
    let next_token = page.next.map(|marker| marker.as_str().to_owned());
    Ok(Json(LogGroupsView { log_groups: page.items, next_token }))
}

impl LogGroupsBody {
    fn wanted(self) -> Result<LogGroupsRequest, Refusal> {
        let kms = required("kms", self.kms)?;
        let region = required("region", self.region)?;
        let region = Region::parse(&region).map_err(|problem| invalid("region", problem))?;
        let page = self.cloud_watch_params.unwrap_or_default();
        let limit = match page.limit {
            None => None,
            Some(groups @ 1..=50) => u16::try_from(groups).ok(),
            Some(_) => return Err(out_of_range("limit", Bounds::between(1, 50), "must be from 1 to 50")),
        };
        let fits =
            |name: &str| name.len() <= 512 && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#".contains(c));
        if page.log_group_name_prefix.as_deref().is_some_and(|prefix| !fits(prefix)) {
            let problem = "must be the beginning of a log group's name: at most 512 letters, digits, and `.-_/#`";
            return Err(invalid("logGroupNamePrefix", problem));
        }
        if page.next_token.as_ref().is_some_and(|token| token.len() > 4096) {
            return Err(invalid("nextToken", "must be the `nextToken` of an answer"));
        }
        Ok(LogGroupsRequest { kms, region, name_prefix: page.log_group_name_prefix, limit, token: page.next_token })
    }
}
