//! `system/info` and `cluster`: what clients of the vendor's product ask before anything else.

use super::answer::Json;
use super::error::Problem;
use super::guard::Authorized;
use crate::service::access::SignedIn;
use serde::Serialize;
use std::sync::LazyLock;
use std::time::Instant;
use utoipa::ToSchema;

/// The start of the server.
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The version of the vendor's product whose API this is. Clients compare its first two numbers and leave features out
/// below 2.21.
const VENDOR_VERSION: &str = "2.23.0";

/// The product, its version and its uptime.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemInfo)]
pub struct InfoView {
    /// The name of the product.
    #[schema(example = "claviger")]
    name: &'static str,
    /// The version of the vendor's API that Claviger implements, and Claviger's own version.
    #[schema(example = "2.23.0+claviger.0.1.0")]
    version: String,
    /// The model.
    #[schema(example = "Claviger")]
    model: &'static str,
    /// The vendor.
    #[schema(example = "Claviger")]
    vendor: &'static str,
    /// The time since the start.
    #[schema(example = "8 days, 23 hours, 41 minutes")]
    uptime: String,
}

/// The nodes of the installation: always one.
#[derive(Serialize, ToSchema)]
#[schema(as = Cluster)]
pub struct ClusterView {
    /// The id of this node: that of the installation.
    #[serde(rename = "nodeID")]
    node_id: String,
    /// The status of the cluster.
    status: ClusterStatus,
    /// The number of nodes.
    #[serde(rename = "nodeCount")]
    #[schema(example = 1)]
    node_count: u32,
}

/// The status of a cluster.
#[derive(Serialize, ToSchema)]
pub struct ClusterStatus {
    /// The code.
    #[schema(example = "none")]
    code: &'static str,
    /// The meaning of the code.
    #[schema(example = "not clustered")]
    description: &'static str,
}

/// Starts the count of the uptime.
pub fn started() {
    LazyLock::force(&STARTED);
}

/// `GET /v1/system/info`
pub async fn info(_auth: Authorized<SignedIn>) -> Result<Json<InfoView>, Problem> {
    Ok(Json(InfoView {
        name: "claviger",
        version: format!("{VENDOR_VERSION}+claviger.{}", env!("CARGO_PKG_VERSION")),
        model: "Claviger",
        vendor: "Claviger",
        uptime: uptime(STARTED.elapsed().as_secs()),
    }))
}

/// `GET /v1/cluster`
pub async fn cluster(auth: Authorized<SignedIn>) -> Result<Json<ClusterView>, Problem> {
    let installation = auth.permit.caller().published.state.installation.as_ref();
    let node_id = installation.map(|installation| installation.id.to_string()).unwrap_or_default();
    let status = ClusterStatus { code: "none", description: "not clustered" };
    Ok(Json(ClusterView { node_id, status, node_count: 1 }))
}

fn uptime(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{days} days, {hours} hours, {minutes} minutes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uptime_is_days_hours_and_minutes() {
        assert_eq!(uptime(59), "0 days, 0 hours, 0 minutes");
        assert_eq!(uptime(8 * 86_400 + 23 * 3_600 + 41 * 60 + 7), "8 days, 23 hours, 41 minutes");
    }
}
