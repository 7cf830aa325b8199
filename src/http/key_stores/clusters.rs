//! The CloudHSM clusters that back no custom key store, in AWS's own form.

use crate::domain::place::Region;
use crate::http::answer::Json;
use crate::http::body::{Body, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::Authorized;
use crate::service::Services;
use crate::service::access::SignedIn;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The region of a KMS whose clusters are listed.
#[derive(Deserialize, ToSchema)]
#[schema(as = UnusedCloudHsmClustersRequest)]
pub struct ClustersBody {
    /// The name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// The region, which the KMS manages.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "us-east-1")]
    region: Option<String>,
}

/// The clusters, as AWS describes them.
#[derive(Serialize, ToSchema)]
#[schema(as = UnusedCloudHsmClusters)]
pub struct ClustersView {
    /// The clusters, without certificates and passwords.
    #[schema(value_type = Vec<Object>)]
    clusters: Vec<Map<String, Value>>,
}

/// `POST /v1/cckm/aws/custom-key-stores/get-unused-cloudhsm-clusters`
pub async fn unused_clusters(
    auth: Authorized<SignedIn>,
    body: Body<ClustersBody>,
    services: Data<Services>,
) -> Result<Json<ClustersView>, Problem> {
    let kms = required("kms", body.0.kms)?;
    let region = read_as("region", &required("region", body.0.region)?, Region::parse)?;
    let clusters = services.key_stores.unused_clusters(&auth.permit, &kms, &region).await?;
    Ok(Json(ClustersView { clusters }))
}
