//! CloudHSM: DescribeClusters, with the clusters of the plan.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::plan::{CREATED, Cluster};
use super::refusal::Refusal;
use super::service::Service;

const MAX_RESULTS: usize = 25;
const FILTERS: [&str; 3] = ["clusterIds", "vpcIds", "states"];
/// The beginning of the tokens of pages.
const TOKEN: &str = "after:";

/// The parameters of DescribeClusters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeClusters {
    filters: Option<BTreeMap<String, Vec<String>>>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// Answers an operation for an authenticated caller.
///
/// # Errors
/// The refusal that AWS would answer.
pub(super) fn answer(caller: &Caller<'_>, region: &str, operation: &str, body: &[u8]) -> Result<Value, Refusal> {
    if operation != "DescribeClusters" {
        let version = Service::CloudHsm.version().to_owned();
        return Err(Refusal::OperationUnknown { operation: operation.to_owned(), version });
    }
    let body = if body.is_empty() { b"{}" } else { body };
    let request: DescribeClusters = serde_json::from_slice(body).map_err(|_| Refusal::Special {
        status: 400,
        code: "SerializationException",
        message: String::new(),
    })?;
    caller.require("cloudhsm:DescribeClusters", None)?;
    describe_clusters(caller, region, &request)
}

fn describe_clusters(caller: &Caller<'_>, region: &str, request: &DescribeClusters) -> Result<Value, Refusal> {
    let limit = match request.max_results {
        None => MAX_RESULTS,
        Some(number) => usize::try_from(number)
            .ok()
            .filter(|number| (1..=MAX_RESULTS).contains(number))
            .ok_or_else(|| invalid(format!("MaxResults must be between 1 and {MAX_RESULTS}.")))?,
    };
    let after = match &request.next_token {
        None => "",
        Some(token) => token.strip_prefix(TOKEN).ok_or_else(|| invalid("The NextToken is not valid.".to_owned()))?,
    };
    let filters = request.filters.clone().unwrap_or_default();
    if let Some(name) = filters.keys().find(|name| !FILTERS.contains(&name.as_str())) {
        return Err(invalid(format!("{name} is not a filter: {}.", FILTERS.join(", "))));
    }
    let mut clusters: Vec<&Cluster> = caller.account.clusters.iter().filter(|one| one.region == region).collect();
    clusters.retain(|cluster| {
        let is_among =
            |filter: &str, value: &str| filters.get(filter).is_none_or(|all| all.iter().any(|one| one == value));
        cluster.id.as_str() > after
            && is_among("clusterIds", &cluster.id)
            && is_among("states", &cluster.state)
            && is_among("vpcIds", &vpc(cluster))
    });
    clusters.sort_by(|one, other| one.id.cmp(&other.id));
    let more = clusters.len() > limit;
    clusters.truncate(limit);
    let mut answer = json!({ "Clusters": clusters.iter().map(|cluster| entry(cluster)).collect::<Vec<_>>() });
    if let Some(last) = clusters.last().filter(|_| more) {
        answer["NextToken"] = json!(format!("{TOKEN}{}", last.id));
    }
    Ok(answer)
}

fn invalid(message: String) -> Refusal {
    Refusal::Special { status: 400, code: "CloudHsmInvalidRequestException", message }
}

fn vpc(cluster: &Cluster) -> String {
    format!("vpc-{}", cluster.digits("vpc", 8))
}

/// AWS's `Cluster`. The ids of its parts are derived from its own id.
fn entry(cluster: &Cluster) -> Value {
    let created = DateTime::parse_from_rfc3339(CREATED).map(|time| time.timestamp()).unwrap_or_default();
    let subnet = |zone: &str| format!("subnet-{}", cluster.digits(zone, 17));
    let zones: BTreeMap<&str, String> = cluster.hsms.iter().map(|hsm| (hsm.zone.as_str(), subnet(&hsm.zone))).collect();
    let hsms = cluster.hsms.iter().zip(1..).map(|(hsm, number): (_, u8)| {
        let part = format!("hsm-{number}");
        // The alphabet of these ids lacks the digits 0, 1, 8 and 9.
        let letters: String =
            cluster.digits(&part, 11).chars().map(|c| if "0189".contains(c) { 'k' } else { c }).collect();
        json!({
            "HsmId": format!("hsm-{letters}"),
            "ClusterId": cluster.id,
            "AvailabilityZone": hsm.zone,
            "State": hsm.state,
            "SubnetId": subnet(&hsm.zone),
            "EniId": format!("eni-{}", cluster.digits(&format!("eni-{number}"), 17)),
            "EniIp": format!("10.0.{number}.10"),
            "HsmType": cluster.hsm_type,
        })
    });
    json!({
        "ClusterId": cluster.id,
        "State": cluster.state,
        "HsmType": cluster.hsm_type,
        "VpcId": vpc(cluster),
        "SecurityGroup": format!("sg-{}", cluster.digits("security-group", 17)),
        "CreateTimestamp": created,
        "BackupPolicy": "DEFAULT",
        "BackupRetentionPolicy": { "Type": "DAYS", "Value": "90" },
        "SubnetMapping": zones,
        "Hsms": hsms.collect::<Vec<_>>(),
        "Certificates": { "ClusterCertificate": cluster.certificate },
        "Mode": "FIPS",
    })
}
