//! CloudWatch Logs' DescribeLogGroups, as signed JSON.

use serde::{Deserialize, Serialize};

use super::{LogGroup, LogGroupListing};
use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::aws::page::Page;

/// DescribeLogGroups: a page of the log groups of the account in a region.
pub(in crate::aws) struct DescribeLogGroups(pub(in crate::aws) LogGroupListing);

impl AwsCall for DescribeLogGroups {
    type Answer = Page<LogGroup>;
    const OPERATION: AwsOperation = AwsOperation::DESCRIBE_LOG_GROUPS;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<LogGroup>, Fault> {
        let LogGroupListing { name_prefix, paging } = &self.0;
        let body = RequestBody {
            limit: paging.limit,
            log_group_name_prefix: name_prefix.as_deref(),
            next_token: paging.marker.as_ref().map(|marker| marker.as_str()),
        };
        let answer: AnswerBody = wire.json(&body).await?;
        let more = answer.next_token.as_ref().is_some_and(|token| !token.is_empty());
        Page::of(answer.log_groups, Some(more), answer.next_token)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_group_name_prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerBody {
    #[serde(default)]
    log_groups: Vec<LogGroup>,
    next_token: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::fake::{Fake, Reply, access, client};
    use crate::aws::page::{Marker, Paging};
    use crate::aws::port::Aws as _;
    use crate::domain::place::Region;

    #[tokio::test]
    async fn a_page_of_log_groups_is_asked_for_and_returned_as_aws_describes_it() {
        let group =
            json!({ "logGroupName": "trail", "storedBytes": 7, "arn": "arn:aws:logs:eu-west-3:1:log-group:trail:*" });
        let described = group.clone();
        let fake = Fake::answering(move |asked, _| {
            assert_eq!(asked.header("x-amz-target"), Some("Logs_20140328.DescribeLogGroups"));
            assert!(asked.header("authorization").is_some_and(|text| text.contains("/eu-west-3/logs/aws4_request")));
            let body: Value = serde_json::from_str(&asked.body).expect("JSON");
            assert_eq!(body, json!({ "limit": 5, "logGroupNamePrefix": "tr", "nextToken": "t" }));
            Reply::Http(200, json!({ "logGroups": [described], "nextToken": "u" }).to_string())
        })
        .await;
        let region = Region::parse("eu-west-3").expect("a region");
        let paging = Paging { marker: Some(Marker::new("t")), limit: Some(5) };
        let listing = LogGroupListing { name_prefix: Some("tr".to_owned()), paging };
        let page = client(&fake.settings()).log_groups(&access(), &region, &listing).await.expect("a page");
        assert_eq!(Value::from(page.items[0].clone()), group);
        assert_eq!(page.next, Some(Marker::new("u")));
    }
}
