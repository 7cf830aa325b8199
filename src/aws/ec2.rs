//! The calls to EC2. Only the list of regions is used.

use rusoto_ec2::{DescribeRegionsRequest, Ec2};

use super::call::{AwsCall, Wire};
use super::fault::{Fault, Repeat};
use super::operation::AwsOperation;
use crate::domain::place::{Partition, Region};

/// DescribeRegions: the regions that are enabled for the account.
pub(super) struct DescribeRegions {
    pub(super) partition: Partition,
}

impl AwsCall for DescribeRegions {
    type Answer = Vec<Region>;
    const OPERATION: AwsOperation = AwsOperation::DESCRIBE_REGIONS;
    const REPEAT: Repeat = Repeat::Reading;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Vec<Region>, Fault> {
        let answer = wire.ec2(async |ec2| ec2.describe_regions(DescribeRegionsRequest::default()).await).await?;
        let enabled = answer.regions.unwrap_or_default().into_iter();
        let enabled = enabled.filter(|region| region.opt_in_status.as_deref() != Some("not-opted-in"));
        let names = enabled.filter_map(|region| region.region_name);
        let regions: Vec<Region> = names.filter_map(|name| known(&name, self.partition)).collect();
        if regions.is_empty() {
            return Err(Fault::Unintelligible("the answer names no region".to_owned()));
        }
        Ok(regions)
    }
}

/// A region of a kind that is not known here must not hide the others, and one of another partition (some emulators
/// name all there are) is of no use with these keys.
fn known(name: &str, partition: Partition) -> Option<Region> {
    let region = Region::parse(name);
    let region = region.inspect_err(|error| tracing::warn!(%error, "AWS named a region that is left out")).ok()?;
    (region.partition() == partition).then_some(region)
}
