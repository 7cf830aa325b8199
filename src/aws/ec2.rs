//! The calls to EC2. Only the list of regions is used.

use rusoto_ec2::{DescribeRegionsRequest, Ec2};

use super::call::{AwsCall, Wire};
use super::fault::{Fault, RetryPolicy};
use super::operation::AwsOperation;
use super::page::known_entry;
use crate::domain::place::{Partition, Region};

/// DescribeRegions: the regions that are enabled for the account.
pub(super) struct DescribeRegions {
    pub(super) partition: Partition,
}

impl AwsCall for DescribeRegions {
    type Answer = Vec<Region>;
    const OPERATION: AwsOperation = AwsOperation::DESCRIBE_REGIONS;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Vec<Region>, Fault> {
        let answer = wire.ec2(async |ec2| ec2.describe_regions(DescribeRegionsRequest::default()).await).await?;
        let enabled = answer.regions.unwrap_or_default().into_iter();
        let enabled = enabled.filter(|region| region.opt_in_status.as_deref() != Some("not-opted-in"));
        let names = enabled.filter_map(|region| region.region_name);
        let regions: Vec<Region> = names.filter_map(|name| region_of(self.partition, &name)).collect();
        if regions.is_empty() {
            return Err(Fault::Unintelligible("the answer names no region".to_owned()));
        }
        Ok(regions)
    }
}

/// Parses a region. Regions of other partitions, which some emulators list, are skipped.
fn region_of(partition: Partition, name: &str) -> Option<Region> {
    known_entry("region", Region::parse(name)).filter(|region| region.partition() == partition)
}
