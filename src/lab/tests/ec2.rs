//! Tests of DescribeRegions.

use rusoto_core::RusotoError;
use rusoto_ec2::{DescribeRegionsError, DescribeRegionsRequest, Ec2, Ec2Client, Filter};

use super::*;

async fn regions(
    client: &Ec2Client,
    parameters: DescribeRegionsRequest,
) -> Result<Vec<String>, RusotoError<DescribeRegionsError>> {
    let described = client.describe_regions(parameters).await?.regions.unwrap_or_default();
    Ok(described
        .into_iter()
        .map(|region| format!("{}={}", region.region_name.unwrap(), region.opt_in_status.unwrap()))
        .collect())
}

#[tokio::test]
async fn regions_have_the_status_for_the_account() {
    let lab = Lab::start().await;
    let ec2 = lab.ec2(&Keys::of("user1"), "us-east-1");
    let enabled = regions(&ec2, DescribeRegionsRequest::default()).await.expect("regions");
    assert_eq!((enabled.len(), enabled[0].as_str()), (16, "eu-north-1=opt-in-not-required"));
    let all = DescribeRegionsRequest { all_regions: Some(true), ..Default::default() };
    assert_eq!(regions(&ec2, all.clone()).await.expect("regions").len(), 20);
    let filtered = |name: &str, value: &str| DescribeRegionsRequest {
        all_regions: Some(true),
        filters: Some(vec![Filter { name: Some(name.into()), values: Some(vec![value.into()]) }]),
        ..Default::default()
    };
    assert_eq!(
        regions(&ec2, filtered("opt-in-status", "not-opted-in")).await.expect("regions"),
        ["af-south-1=not-opted-in", "ap-east-1=not-opted-in", "eu-south-1=not-opted-in", "me-south-1=not-opted-in"]
    );
    assert_eq!(regions(&ec2, filtered("region-name", "us-*")).await.expect("regions").len(), 4);
    assert_eq!(regions(&ec2, filtered("endpoint", "ec2.eu-west-3.amazonaws.com")).await.expect("regions").len(), 1);
    assert_refused(regions(&ec2, filtered("colour", "red")).await.map_err(raw_error), 400, &["InvalidParameterValue"]);
    let named = |name: &str| DescribeRegionsRequest {
        region_names: Some(vec!["us-east-2".into(), name.into()]),
        ..Default::default()
    };
    assert_eq!(
        regions(&ec2, named("af-south-1")).await.expect("regions"),
        ["us-east-2=opt-in-not-required", "af-south-1=not-opted-in"]
    );
    let unknown = regions(&ec2, named("mars-1")).await.map_err(raw_error);
    assert_refused(unknown, 400, &["InvalidParameterValue", "Invalid region provided: mars-1"]);
    let session = lab.assume(&Keys::of("user1"), ROLE, Some("test-ext-id")).await.expect("a session");
    let of_role = regions(&lab.ec2(&session, "eu-west-1"), DescribeRegionsRequest::default()).await.expect("regions");
    assert_eq!(of_role.len(), 16);
    let china = lab.ec2(&Keys::of("cn-user"), "cn-north-1").describe_regions(all).await.expect("regions");
    let endpoint = china.regions.and_then(|regions| regions.into_iter().next()).and_then(|region| region.endpoint);
    assert_eq!(endpoint.as_deref(), Some("ec2.cn-north-1.amazonaws.com.cn"));
}

#[tokio::test]
async fn describe_regions_requires_a_permission() {
    let lab = Lab::start().await;
    let role = "arn:aws:iam::789012123456:role/test-assume-role-no-regions";
    let session = lab.assume(&Keys::of("user1"), role, None).await.expect("a session");
    for (keys, part) in [
        (Keys::of("no-regions"), "because no identity-based policy allows the ec2:DescribeRegions action"),
        (session, "with an explicit deny in an identity-based policy"),
    ] {
        let answer = lab.ec2(&keys, "us-east-1").describe_regions(DescribeRegionsRequest::default()).await;
        assert_refused(answer.map_err(raw_error), 403, &["<Code>UnauthorizedOperation</Code>", part]);
    }
    let dry = DescribeRegionsRequest { dry_run: Some(true), ..Default::default() };
    let answer = lab.ec2(&Keys::of("user1"), "us-east-1").describe_regions(dry).await;
    assert_refused(answer.map_err(raw_error), 412, &["<Code>DryRunOperation</Code>"]);
}
