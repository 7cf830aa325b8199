//! CloudHSM's DescribeClusters, as signed JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::call::{AwsCall, Wire};
use super::fault::{Fault, RetryPolicy};
use super::operation::AwsOperation;
use super::page::{Page, Paging, known_entry};
use super::port::HsmCluster;
use chrono::{DateTime, SecondsFormat};

/// AWS's largest page.
pub(super) const PAGE: u16 = 25;
/// Members that whoever lists clusters does not need: certificates, and the password of the first administrator.
const OMITTED: [&str; 2] = ["Certificates", "PreCoPassword"];
const ACTIVE: &str = "ACTIVE";

/// DescribeClusters: a page of the clusters of the account in a region.
pub(super) struct DescribeClusters(pub(super) Paging);

impl AwsCall for DescribeClusters {
    type Answer = Page<HsmCluster>;
    const OPERATION: AwsOperation = AwsOperation::DESCRIBE_CLUSTERS;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<HsmCluster>, Fault> {
        let next_token = self.0.marker.as_ref().map(|marker| marker.as_str());
        let answer: AnswerBody = wire.json(&RequestBody { max_results: self.0.limit, next_token }).await?;
        let clusters = answer.clusters.into_iter().filter_map(|entry| known_entry("CloudHSM cluster", read(entry)));
        let more = answer.next_token.as_ref().is_some_and(|token| !token.is_empty());
        Page::of(clusters.collect(), Some(more), answer.next_token)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_results: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerBody {
    #[serde(default)]
    clusters: Vec<Map<String, Value>>,
    next_token: Option<String>,
}

fn read(mut description: Map<String, Value>) -> Result<HsmCluster, &'static str> {
    let text = |name: &str| description.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text("ClusterId").ok_or("a cluster without ClusterId")?;
    let is_active = text("State").as_deref() == Some(ACTIVE);
    let hsms = description.get("Hsms").and_then(Value::as_array).into_iter().flatten();
    let active_hsms = hsms.filter(|hsm| hsm["State"] == ACTIVE).count();
    description.retain(|name, _| !OMITTED.contains(&name.as_str()));
    // AWS's JSON has seconds since 1970, and everything that shows them has RFC 3339.
    let created = description.get("CreateTimestamp").and_then(Value::as_f64);
    #[allow(clippy::cast_possible_truncation)] // `as` saturates, and the milliseconds of any real time fit
    let created = created.and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1_000.0) as i64));
    if let Some(created) = created {
        description.insert("CreateTimestamp".to_owned(), created.to_rfc3339_opts(SecondsFormat::AutoSi, true).into());
    }
    Ok(HsmCluster { id, is_active, active_hsms, description })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::fake::{Fake, Reply, access, client};
    use crate::aws::port::Aws as _;
    use crate::domain::place::Region;

    #[tokio::test]
    async fn all_pages_are_read_without_certificates_and_passwords() {
        let fake = Fake::answering(|asked, before| {
            assert_eq!(asked.header("x-amz-target"), Some("BaldrApiService.DescribeClusters"));
            assert!(
                asked.header("authorization").is_some_and(|text| text.contains("/eu-west-3/cloudhsm/aws4_request"))
            );
            let body: Value = serde_json::from_str(&asked.body).expect("JSON");
            let token = (before == 1).then_some("t");
            assert_eq!(
                body,
                match token {
                    Some(token) => json!({ "MaxResults": 25, "NextToken": token }),
                    None => json!({ "MaxResults": 25 }),
                }
            );
            let cluster = json!({
                "ClusterId": format!("cluster-{before}"), "State": if before == 0 { "ACTIVE" } else { "DEGRADED" },
                "CreateTimestamp": 1_793_520_000.0, "PreCoPassword": "secret", "Certificates": {},
                "Hsms": [{ "HsmId": "a", "State": "ACTIVE" }, { "HsmId": "b", "State": "DEGRADED" }],
            });
            let mut answer = json!({ "Clusters": [{ "State": "ACTIVE" }, cluster] });
            if before == 0 {
                answer["NextToken"] = json!("t");
            }
            Reply::Http(200, answer.to_string())
        })
        .await;
        let region = Region::parse("eu-west-3").expect("a region");
        let clusters = client(&fake.settings()).hsm_clusters(&access(), &region).await.expect("clusters");
        let seen: Vec<_> = clusters.iter().map(|one| (one.id.as_str(), one.is_active, one.active_hsms)).collect();
        assert_eq!(seen, [("cluster-0", true, 1), ("cluster-1", false, 1)]);
        let shown = Value::from(clusters[0].description.clone());
        assert_eq!(shown["CreateTimestamp"], "2026-11-01T08:00:00Z");
        assert!(shown.get("Certificates").is_none() && !shown.to_string().contains("secret"), "{shown}");
        assert_eq!(fake.calls().len(), 2);
    }
}
